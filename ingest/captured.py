"""What a scan's row says of its file, as the archive takes it: signs of secrecy, page ranges, sealed objects."""

from typing import Any

from django.conf import settings

from archive import capture
from archive.rules.levels import Level
from archive.rules.proposal import Evidence, Guess, Suggestion
from ingest.models import Scan


def suggestion_of(scan: Scan) -> Suggestion:
    """Return the level that was proposed and what speaks for it.

    A file that joins a record is judged by its own signs: the level at which it waited may be that of the record.
    """
    level = Level(scan.suggested_level if scan.suggested_level is not None else scan.declared_level)
    evidence = tuple(_evidence(kept) for kept in scan.reading.get("evidence", []))
    doubt = max([level, *(sign.level for sign in evidence)]) if scan.joins_id else Level(scan.level)
    return Suggestion(
        declared=Level(scan.declared_level),
        level=level,
        plausible=min(doubt, settings.SITE_MAX_LEVEL),
        evidence=evidence,
    )


def _evidence(kept: dict[str, Any]) -> Evidence:
    box = tuple(kept["box"]) if kept["box"] else None
    return Evidence(kept["kind"], Level.parse(kept["level"]), kept["confidence"], kept["page"], box)


def captured_of(scan: Scan, suggestion: Suggestion) -> capture.Captured:
    """Return what becomes a draft, or one more file of a record.

    Raises:
        ValueError: the scan has no sealed original.
    """
    if scan.original is None:
        raise ValueError("no original")
    return capture.Captured(
        unit=scan.batch.unit,
        suggestion=suggestion,
        original=scan.original,
        pack=scan.pack,
        pages=[ranges_of(page) for page in scan.reading["pages"]],
        proposal={name: Guess.from_json(kept) for name, kept in scan.proposal.items()},
        flags=scan.flags,
        channel=scan.batch.channel,
    )


def ranges_of(page: dict[str, Any]) -> capture.PageRanges:
    """Return one line of a scan's table of pages."""
    return capture.PageRanges(
        number=page["number"],
        width=page["width"],
        height=page["height"],
        image=tuple(page["image"]),
        thumb=tuple(page["thumb"]),
        text=tuple(page["text"]),
        source=page["source"],
        confidence=page["confidence"],
        flags=tuple(page["flags"]),
    )
