"""The lines of a file plan in the order in which a list of dossiers is printed. Reads and writes nothing."""

from collections.abc import Iterable

from archive.models import RecordClass


def as_printed(lines: Iterable[RecordClass]) -> list[RecordClass]:
    """Return lines of one plan as a list of dossiers is printed: each heading, then what stands under it, by their codes."""
    ordered = sorted(lines, key=lambda line: line.code)
    known = {line.pk for line in ordered}
    under: dict[int | None, list[RecordClass]] = {}
    for line in ordered:
        under.setdefault(line.parent_id if line.parent_id in known else None, []).append(line)
    told, waiting = [], under.get(None, [])[::-1]
    while waiting:
        line = waiting.pop()
        told.append(line)
        waiting += under.get(line.pk, [])[::-1]
    return told
