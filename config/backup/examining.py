"""Looking at a restored installation as a drill does: is everything there, readable, whole, and is what was destroyed gone?

Runs inside the restored place, in a process of its own (`python -m config.backup.examining`),
because settings name one installation per process. Restores, examines, leaves the
servers as they were, and prints one line of JSON; the drill reads it.
"""

import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import django
from django.utils.translation import gettext as _

SAMPLES: Final = 3  # unsealed per level, and searches asked
WORDS: Final = 3  # of an added file in one search
LISTED: Final = 3  # addresses or books named in a finding


@dataclass(frozen=True, slots=True)
class Finding:
    """One question of the drill: its short name, whether the answer was right, and what was seen."""

    name: str
    passed: bool
    seen: str


def examine(media: Any, outside: Any) -> dict[str, Any]:
    """Restore into this place and answer every question; then empty what was found empty, and nothing else."""
    from config.backup import clearing, marker, restoring

    try:
        restored = restoring.restore(media, outside, is_drill=True)
    except BaseException:
        if marker.is_there():  # the place was empty when the restore began: what lies there is ours
            clearing.clear()
        raise
    try:
        findings = [
            Finding(
                "restored",
                passed=True,
                seen=_("%(files)s files, %(records)s in the index")
                % {"files": restored.objects, "records": restored.records},
            )
        ]
        findings += [_asked(question, restored) for question in QUESTIONS]
    finally:
        clearing.clear()
    return {
        "backup": restored.manifest.name,
        "objects": restored.objects,
        "findings": [asdict(finding) for finding in findings],
    }


def _asked(question: Callable[[Any], Finding], restored: Any) -> Finding:
    """Ask one question; a refusal or an error is a wrong answer, not the end of the drill."""
    try:
        return question(restored)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is what the drill is for
        return Finding(question.__name__.strip("_"), passed=False, seen=f"{type(error).__name__}: {error}"[:200])


def _digests(restored: Any) -> Finding:
    """Ask for the digest of every object that a row names."""
    from archive import store
    from archive.models import DigitalObject
    from config.backup import objects
    from config.backup.manifest import Named
    from config.backup.trailing import Forms

    kept, dead = store.configured(), set(restored.destroyed) | set(restored.manifest.destroyed)
    rows = DigitalObject.objects.exclude(address__in=dead).order_by("address")
    wrong, count, forms = [], 0, Forms(kept.vault)
    for row in rows.values_list("address", "sealed_size", "sealed_sha256").iterator():
        count += 1
        if not objects.is_whole(forms.of(Named(*row)), kept.driver):
            wrong.append(row[0])
    seen = _("%(files)s files; wrong: %(wrong)s") % {"files": count, "wrong": ", ".join(wrong[:LISTED]) or 0}
    return Finding("digests", passed=not wrong, seen=seen)


def _unsealed(restored: Any) -> Finding:
    """Open some objects of each level whole, down to the digest of what was handed in."""
    from archive import store
    from archive.models import DigitalObject
    from archive.rules.levels import Level

    dead = set(restored.destroyed) | set(restored.manifest.destroyed)
    seen, passed = [], True
    for level in Level:
        rows = DigitalObject.objects.filter(level=level).exclude(address__in=dead).order_by("-created_at")[:SAMPLES]
        right = sum(hashlib.sha256(store.read(row.address)).hexdigest() == row.sha256 for row in rows)
        passed = passed and right == len(rows)
        seen.append(f"{level.label} {right}/{len(rows)}")
    return Finding("unsealed", passed=passed, seen=", ".join(seen))


def _head(restored: Any) -> Finding:
    """Ask whether the log was held against a head kept elsewhere: without one a log rewritten as a whole would pass."""
    if not restored.proven:
        seen = _("no head of the log kept elsewhere was shown: name its place with --heads")
        return Finding("head", passed=False, seen=seen)
    return Finding("head", passed=True, seen=_("%(count)s heads kept elsewhere fit") % {"count": restored.proven})


def _log(restored: Any) -> Finding:
    """Export the log and let the auditor's own checker look at it."""
    from archive import logkey, publishing
    from archive.models import AuditLeaf
    from archive.verifier import verify

    with tempfile.TemporaryDirectory(prefix="vankho-drill-log-") as folder:
        publishing.export(Path(folder), with_details=True)
        try:
            report = verify.verify(folder, logkey.signer().public)
        except verify.Several as fault:
            places = restored.manifest.false_entries
            entries = [str(pk) for pk in AuditLeaf.objects.filter(idx__in=places).values_list("entry_id", flat=True)]
            if not all(one.index in places or any(pk in one.what for pk in entries) for one in fault.found):
                raise
            seen = _("in order but for the entries that the backup itself names: %(places)s")
            return Finding("log", passed=True, seen=seen % {"places": ", ".join(map(str, places))})
    return Finding(
        "log",
        passed=True,
        seen=_("%(entries)s entries, %(details)s details") % {"entries": report.entries, "details": report.details},
    )


def _numbers(_restored: Any) -> Finding:
    """Count every book: as many numbers, given or void, as the last one says."""
    from archive import counters
    from archive.models import RegisterCounter

    books, wrong = 0, []
    for counter in RegisterCounter.objects.select_related("register"):
        books += 1
        if counters.standing(counter) != counter.last:
            wrong.append(str(counter))
    seen = _("%(books)s books; with a gap: %(wrong)s") % {"books": books, "wrong": "; ".join(wrong[:LISTED]) or 0}
    return Finding("numbers", passed=not wrong, seen=seen)


def _searches(_restored: Any) -> Finding:
    """Search for records whose subject is known, and by words of added files, as somebody who may see them, in the new index."""
    found, asked = _answered((person, record, record.subject) for person, record in _known(_registered()))
    inside, inside_asked = _answered(_added_words())
    seen = _("%(found)s of %(asked)s known dispatches found, %(inside)s of %(files)s by words of an added file")
    return Finding(
        "searches",
        passed=(found, inside) == (asked, inside_asked) and (asked > 0 or not _registered().exists()),
        seen=seen % {"found": found, "asked": asked, "inside": inside, "files": inside_asked},
    )


def _answered(known: Iterable[tuple[Any, Any, str]]) -> tuple[int, int]:
    """Ask for the words of each (person, record, words); return how many of the records were found, and how many asked."""
    from search import finding, follow
    from search.engine import DEEPEST
    from search.query import parse

    engine, found, asked = follow.open_engine(), 0, 0
    for person, record, words in known:
        asked += 1
        query = parse(" ".join(words.replace('"', " ").split()))
        hits = engine.search(query, finding.terms_of(person), limit=DEEPEST, facets=()).hits
        found += record.pk in {hit.id for hit in hits}
    return found, asked


def _registered() -> Any:
    from archive.models import Record

    return Record.objects.filter(number__isnull=False).exclude(subject="").order_by("-pk")[:50]


def _known(records: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (person, record) pairs: up to three of the records that somebody may see."""
    from archive import access
    from archive.models import Person

    left = SAMPLES
    for record in records:
        reader = next((one for one in Person.objects.order_by("pk") if access.visible_to(one).opens([record.pk])), None)
        if reader is not None:
            yield reader, record
            left -= 1
        if not left:
            return


def _added_words() -> Iterator[tuple[Any, Any, str]]:
    """Yield (person, record, words): words that stand on a page of an added file and nowhere else in its record."""
    from archive import pages
    from archive.models import Record
    from archive.stores.refusals import Shredded

    for person, record in _known(Record.objects.filter(attachments__page_count__gt=0).distinct().order_by("-pk")[:50]):
        files = pages.attached_to([record.pk]).get(record.pk, [])
        added: set[str] = set()
        own = _words(record.subject)
        try:
            for page in pages.texts(record):
                (added if any(file.has_page(page.number) for file in files) else own).update(_words(page.text))
        except Shredded:  # destroyed as it should be: nothing of it can be found
            continue
        if alone := sorted(added - own):
            yield person, record, " ".join(alone[:WORDS])


def _words(text: str) -> set[str]:
    """Return the words of letters alone: what a query takes for nothing but a word."""
    return {word for word in text.split() if word.isalpha() and word.islower()}


def _gone(restored: Any) -> Finding:
    """Destroy the key of one object here, and ask for it and for all that was destroyed before: none may open."""
    from archive import store
    from archive.models import DigitalObject
    from archive.stores.refusals import Shredded

    before = [*restored.destroyed, *restored.manifest.destroyed]
    kept = store.configured()
    spared = [*before, *restored.manifest.trailing]  # has no key under this name
    victim = DigitalObject.objects.exclude(address__in=spared).order_by("created_at").first()
    if victim is not None:
        kept.vault.shred(bytes.fromhex(victim.address))
    readable = []
    for address in [*before, *([victim.address] if victim else [])]:
        try:
            kept.read(address)
            readable.append(address)
        except Shredded:
            continue
    seen = _("%(before)s destroyed before, %(here)s here; readable: %(readable)s") % {
        "before": len(before),
        "here": int(victim is not None),
        "readable": ", ".join(readable) or 0,
    }
    return Finding("destroyed", passed=not readable, seen=seen)


QUESTIONS: Final = (_digests, _unsealed, _head, _log, _numbers, _searches, _gone)


def main(asked: str) -> int:
    """Answer what a drill asks, as JSON: {folder, vault, keys, public_key, heads, log_key}."""
    django.setup()
    from archive.rules.errors import Refusal
    from config.backup.checking import Outside
    from config.backup.restoring import Media

    said = json.loads(asked)
    media = Media(Path(said["folder"]), Path(said["vault"]), Path(said["keys"]) if said["keys"] else None)
    outside = Outside(
        said["public_key"].encode() if said["public_key"] else None,
        tuple(Path(place) for place in said["heads"]),
        said["log_key"],
    )
    try:
        answer = examine(media, outside)
    except Refusal as refusal:
        answer = {"refused": f"{refusal.code}: {refusal}"}
    print(json.dumps(answer, ensure_ascii=False))  # noqa: T201 - the drill reads this line
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
