"""Files beside the main one inside a whole installation: read by a real worker in its cell, one of them held.

Used by `config.tests.installation`, which runs inside an office of its own.
"""

import hashlib
import io

ANNEX = "Phụ lục khí tài đợt"  # stands on a page of each annex and nowhere in its dispatch
HELD = "Phụ lục đang chờ xem"


def join(count: int) -> None:
    """Add a file to each of the first dispatches, as a clerk does, and let a worker read it; one more is held."""
    from archive.models import Person, Record

    clerk = Person.objects.select_related("unit").get(username="clerk")
    records = list(Record.objects.filter(number__isnull=False, level=0).order_by("pk")[:count])
    for number, record in enumerate(records, 1):
        _read(_added(record, f"{ANNEX} {number}", name=f"phu-luc-{number}.pdf", clerk=clerk))
    with _doubt():
        held = _read(_added(records[0], HELD, name="phu-luc-cho.pdf", clerk=clerk))
    assert (held.state, held.code) == ("attention", "ING-028"), (held.state, held.code, held.reason)


def _added(record, words, *, name, clerk):
    from ingest import joining
    from ingest.tests.handing import text_pdf

    content = text_pdf(words, pages=2)
    return joining.add(io.BytesIO(content), name=name, record=record, why="Phụ lục kèm theo", actor=clerk).scan


def _read(scan):
    from ingest import worker

    while worker.work_once() is not None:
        continue
    scan.refresh_from_db()
    return scan


def _doubt():
    """Let the next file show a doubtful sign above its dispatch."""
    from unittest.mock import patch

    from archive.rules.levels import Level
    from archive.rules.proposal import Evidence, Suggestion
    from ingest import pipeline

    def suggest(_pages, *, declared, **_more):
        return Suggestion(declared, declared, Level.MAT, (Evidence("possible_stamp", Level.MAT, 40, 1),))

    return patch.object(pipeline.classify, "suggest", suggest)


def _texts(record) -> list[str]:
    """Return the digest of each page's text, or the code of what makes them unreadable: a test may have damaged them."""
    from archive import pages
    from archive.rules.errors import Refusal

    try:
        return [hashlib.sha256(page.text.encode()).hexdigest() for page in pages.texts(record)]
    except Refusal as refusal:
        return [refusal.code]


def look() -> dict:
    """Return what the office holds beside the main files: rows, page texts, what waits, and what a search for them finds."""
    from archive.models import Attachment, Record
    from ingest.models import Scan

    joined = [
        [one.record.key, one.ordinal, one.name, one.original.address, one.original.sha256, one.first_page,
         one.page_count, one.reason, one.added_by.username, one.added_at.isoformat()]
        for one in Attachment.objects.select_related("record", "original", "added_by").order_by("record", "ordinal")
    ]  # fmt: skip
    read = {
        record.key: _texts(record)
        for record in Record.objects.filter(attachments__isnull=False).distinct().order_by("pk")
    }
    held = Scan.objects.filter(joins__isnull=False).exclude(state="filed").order_by("pk")
    waits = [[str(one.pk), one.name, one.code, one.level, one.sha256, one.why, one.joins.key] for one in held]
    return {"joined": joined, "read": read, "held": waits, "found": _found(), "found_held": _hits(HELD)}


def _found() -> list[list[str]]:
    """Ask for each number of the annexes; return the keys of the dispatches found."""
    from archive.models import Attachment

    return [_hits(f"{ANNEX} {number + 1}") for number in range(Attachment.objects.count())]


def _hits(words: str) -> list[str]:
    from archive.models import Person, Record
    from search import finding, follow
    from search.query import parse

    clerk = Person.objects.get(username="clerk")
    found = follow.open_engine().search(parse(f'"{words}"'), finding.terms_of(clerk), facets=())
    return [Record.objects.get(pk=hit.id).key for hit in found.hits]


def is_whole(seen: dict) -> bool:
    """Say whether there are added files, each found by its words and by nothing else, and one that is held and found by none."""
    keys = [row[0] for row in seen["joined"]]
    return bool(keys) and seen["found"] == [[key] for key in keys] and len(seen["held"]) == 1 and not seen["found_held"]
