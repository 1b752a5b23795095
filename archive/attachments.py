"""Files beside the main one: handed over for a record, read like any other, then joined to it.

The main file is never replaced: an added file is a new row with who, when and why. What
may be more secret than its record does not join a registered one: it stays sealed at its
own level until a person decides. A draft rises with it instead, as it does by its main
file, and the clerk confirms. Nothing is read or sealed here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from archive import access, audit
from archive.capture import Captured, add_pages, relevel
from archive.dossiers import visible_dossiers
from archive.models import (
    Attachment,
    DigitalObject,
    Dossier,
    DossierItem,
    ObjectRole,
    Page,
    Person,
    Record,
    RecordState,
)
from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.rules.proposal import Suggestion
from archive.rules.roles import Action

TAKES_FILES: Final = frozenset({RecordState.DRAFT, RecordState.REGISTERED})
MOST_EVIDENCE: Final = 40  # signs kept with a draft: those of its main file and the gravest of its annexes


class TakesNoFile(Refusal):
    """FIL-001: returned, or its number void: the dispatch is over."""

    code = "FIL-001"
    message = _("This dispatch was returned or its number voided: no file can be added to it any more.")


class InClosedDossier(Refusal):
    """FIL-002: what a closed dossier holds has been counted and listed."""

    code = "FIL-002"
    message = _("This dispatch lies in a closed dossier: no file can be added to it any more.")


class HasIt(Refusal):
    """FIL-007: the same bytes join once; a second copy was taken in by somebody who may not know that the first was held."""

    code = "FIL-007"
    message = _("The dispatch has these very bytes already, as “%(name)s”. Put this copy aside.")


class TakesNoMore(Refusal):
    """FIL-006: it takes no file, and why is not for this person to know: FIL-002 would tell of a dossier hidden from them."""

    code = "FIL-006"
    message = _("No file can be added to this dispatch any more. Whoever keeps it in the archive can tell you more.")


class _Above(Refusal):
    """A file that stands, or may stand, above the level of its registered record."""

    def __init__(self, *, level: Level, record: Level) -> None:
        """Keep both levels."""
        super().__init__(level=level.label, record=record.label)
        self.level, self.record = level, record


class MoreSecret(_Above):
    """FIL-003: a sure sign stands above the level of a registered dispatch; nobody may overlook it."""

    code = "FIL-003"
    message = _(
        "The file shows a sign of %(level)s, and the dispatch is %(record)s: it cannot become part of it. Take it in as "
        "a dispatch of its own."
    )


class PerhapsMoreSecret(_Above):
    """FIL-004: the file may stand above the level of a registered dispatch; a person must look."""

    code = "FIL-004"
    message = _("The file may be %(level)s, and the dispatch is %(record)s: a person must look at it first.")


@dataclass(frozen=True, slots=True)
class Handed:
    """Who handed the file over, when (UTC) and why, in the person's own words."""

    by: Person
    at: datetime
    reason: str


def refusal(record: Record, person: Person) -> Refusal | None:
    """Return why no file can be added any more, or None; nothing is locked: `lock` looks again when one is added."""
    if record.state not in TAKES_FILES:
        return TakesNoFile()
    if closed := Dossier.objects.filter(items__record=record, closed_at__isnull=False):
        return _as_told([dossier.pk for dossier in closed], person)
    return None


def _as_told(closed: Iterable[int], person: Person | None) -> Refusal:
    """Return the refusal for closed dossiers: a person who may know of none of them is told of none. None: the machine."""
    if person is None or visible_dossiers(person).filter(pk__in=list(closed)).exists():
        return InClosedDossier()
    return TakesNoMore()


def lock(record: Record, *, actor: Person | None = None) -> Record:
    """Return the record as it is now, locked with its dossiers until the transaction ends, if files may join it.

    Args:
        record: the dispatch.
        actor: who is told why not; None for the machine.

    Raises:
        TakesNoFile, InClosedDossier, TakesNoMore: as named.
    """
    locked = Record.objects.select_for_update().get(pk=record.pk)
    if locked.state not in TAKES_FILES:
        raise TakesNoFile
    filed = DossierItem.objects.filter(record=locked).values("dossier")
    # Locked: a dossier must not close between this look and the file's joining.
    lies_in = Dossier.objects.select_for_update().filter(pk__in=filed).order_by("pk")
    if closed := [dossier.pk for dossier in lies_in if dossier.closed_at]:
        raise _as_told(closed, actor)
    return locked


def same_file(record: Record, sha256: str) -> DigitalObject | None:
    """Return the file of a record that has these very bytes, the main one included."""
    files = DigitalObject.objects.filter(record=record, role__in=[ObjectRole.ORIGINAL, ObjectRole.ATTACHMENT])
    return files.filter(sha256=sha256).first()


def hand_over(record: Record, original: DigitalObject, *, reason: str, actor: Person) -> None:
    """Write that a person has handed over a sealed file for a record that `lock` has locked.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or may not add to it.
    """
    access.require(actor, Action.RECORD_ATTACH, record)
    details = {"name": original.name, "sha256": original.sha256, "size": original.size}
    audit.write(Action.RECORD_ATTACH, actor=actor, subject=record, reason=reason, details=details)


@transaction.atomic
def join(
    record: Record, captured: Captured, *, handed: Handed, actor: Person | None = None, why: str = ""
) -> Attachment:
    """Make a file that has been read part of its record: its pages follow those that are there.

    Args:
        record: the dispatch.
        captured: sealed objects, page ranges and signs of secrecy of the file.
        handed: who handed it over, when and why.
        actor: who looked at a doubtful one and decided; None for the machine.
        why: the words of that decision.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or may not add to it.
        TakesNoFile, InClosedDossier, TakesNoMore: it takes no file any more.
        HasIt: another copy of these bytes joined it meanwhile.
        MoreSecret: a sure sign stands above the level of the registered record.
        PerhapsMoreSecret: a doubtful one does, and no person has decided.
    """
    if actor is not None:
        access.require(actor, Action.RECORD_ATTACH, record)
    locked = lock(record, actor=actor)
    if kept := same_file(locked, captured.original.sha256):
        raise HasIt(name=kept.name)
    before = Page.objects.filter(record=locked).aggregate(last=Max("number"))["last"] or 0
    if locked.state == RecordState.DRAFT:
        _raise_draft(locked, captured.suggestion, before)
    else:
        _check_level(locked, captured.suggestion, is_decided=actor is not None)
    attached = _row(locked, captured, handed, before)
    add_pages(locked, captured, before=before)
    locked.page_amount += len(captured.pages)
    locked.save(update_fields=["page_amount", "level", "proposed_level", "evidence"])
    relevel(locked)
    if locked.state == RecordState.DRAFT:
        access.derive(locked)  # its level may have risen
    details = {"name": attached.name, "sha256": captured.original.sha256, "file": attached.ordinal}
    details |= {"pages": len(captured.pages), "level": Level(locked.level).slug}
    audit.write(Action.RECORD_ATTACHED, actor=actor, subject=locked, reason=why, details=details)
    return attached


def _check_level(record: Record, suggestion: Suggestion, *, is_decided: bool) -> None:
    level = Level(record.level)
    if suggestion.level > level:
        raise MoreSecret(level=suggestion.level, record=level)
    if suggestion.plausible > level and not is_decided:
        raise PerhapsMoreSecret(level=suggestion.plausible, record=level)


def _raise_draft(record: Record, suggestion: Suggestion, before: int) -> None:
    """Let a draft rise to what its new file shows; a machine never lowers."""
    record.level = max(Level(record.level), suggestion.plausible)
    record.proposed_level = max(Level(record.proposed_level), suggestion.level)
    moved = [replace(sign, page=before + sign.page).to_json() for sign in suggestion.evidence]
    record.evidence = sorted([*record.evidence, *moved], key=_gravity)[:MOST_EVIDENCE]


def _gravity(sign: dict[str, object]) -> int:
    """Return a key that puts the most secret signs first and keeps the order of the others."""
    return -Level.parse(str(sign["level"]))


def _row(record: Record, captured: Captured, handed: Handed, before: int) -> Attachment:
    last = Attachment.objects.filter(record=record).aggregate(last=Max("ordinal"))["last"] or 0
    DigitalObject.objects.filter(address=captured.original.address).update(record=record, role=ObjectRole.ATTACHMENT)
    if captured.pack:
        DigitalObject.objects.filter(address=captured.pack.address).update(record=record)
    return Attachment.objects.create(
        record=record,
        ordinal=last + 1,
        original=captured.original,
        pack=captured.pack,
        first_page=before + 1,
        page_count=len(captured.pages),
        flags=list(captured.flags),
        reason=handed.reason,
        added_by=handed.by,
        added_at=handed.at,
    )
