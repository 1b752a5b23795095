"""Files beside the main one: handed over for a record, read like any other, joined to it, voided when they were wrong.

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
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit, manifests
from archive.capture import Captured, add_pages, relevel
from archive.dossiers import visible_dossiers
from archive.holding import is_held, is_stub
from archive.models import (
    Attachment,
    AttachmentVoid,
    DigitalObject,
    Dossier,
    DossierItem,
    ObjectRole,
    Page,
    Person,
    Record,
    RecordState,
)
from archive.rules.errors import Hidden, Refusal
from archive.rules.levels import Level
from archive.rules.proposal import Suggestion
from archive.rules.roles import Action

TAKES_FILES: Final = frozenset({RecordState.DRAFT, RecordState.REGISTERED})
MOST_EVIDENCE: Final = 40  # signs kept with a draft: those of its main file and the gravest of its annexes


class TakesNoFile(Refusal):
    """FIL-001: returned, or its number void: the dispatch is over."""

    code = "FIL-001"
    message = _("This dispatch was returned or its number voided: no file can be added to it any more.")


class OnPaper(Refusal):
    """FIL-008: of a dispatch above the ceiling no file comes in, whatever door it is brought to."""

    code = "FIL-008"
    message = _(
        "This dispatch is kept on paper alone: it takes no file. Once its level has been lowered to what may be held here, "
        "take it in on its page, then add the file."
    )


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


class Held(Refusal):
    """FIL-009: under a hold nothing of a dispatch changes; that there is one is not for everybody to know."""

    code = "FIL-009"
    message = _("Nothing of this dispatch may be changed now. Whoever keeps it in the archive can tell you more.")


class WordsMissing(Refusal):
    """FIL-010: a file is voided with a reason."""

    code = "FIL-010"
    message = _("Say why the file does not belong to this dispatch: the reason stays with it for good.")


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
    if is_stub(record):
        return OnPaper()
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
        TakesNoFile, OnPaper, InClosedDossier, TakesNoMore: as named.
    """
    locked = Record.objects.select_for_update().get(pk=record.pk)
    if locked.state not in TAKES_FILES:
        raise TakesNoFile
    if is_stub(locked):
        raise OnPaper
    filed = DossierItem.objects.filter(record=locked).values("dossier")
    # Locked: a dossier must not close between this look and the file's joining.
    lies_in = Dossier.objects.select_for_update().filter(pk__in=filed).order_by("pk")
    if closed := [dossier.pk for dossier in lies_in if dossier.closed_at]:
        raise _as_told(closed, actor)
    return locked


def same_file(record: Record, sha256: str) -> DigitalObject | None:
    """Return the file of a record that has these very bytes, the main one included; a voided one may come again."""
    files = DigitalObject.objects.filter(record=record, role__in=[ObjectRole.ORIGINAL, ObjectRole.ATTACHMENT])
    return files.filter(sha256=sha256, attachment__void__isnull=True).first()


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
        TakesNoFile, OnPaper, InClosedDossier, TakesNoMore: it takes no file, or none any more.
        HasIt: another copy of these bytes joined it meanwhile.
        MoreSecret: a sure sign stands above the level of the registered record.
        PerhapsMoreSecret: a doubtful one does, and no person has decided.
    """
    if actor is not None:
        access.require(actor, Action.RECORD_ATTACH, record)
    locked = lock(record, actor=actor)
    if kept := same_file(locked, captured.original.sha256):
        raise HasIt(name=kept.name)
    before = _pages_numbered(locked)
    if locked.state == RecordState.DRAFT:
        _raise_draft(locked, captured.suggestion, before)
    else:
        _check_level(locked, captured.suggestion, is_decided=actor is not None)
    attached = _row(locked, captured, handed, before)
    add_pages(locked, captured, before=before)
    locked.page_amount += len(captured.pages)
    locked.save(update_fields=["page_amount", "level", "proposed_level", "evidence"])
    manifests.settle(locked)
    relevel(locked)
    if locked.state == RecordState.DRAFT:
        access.derive(locked)  # its level may have risen
    details = {"name": attached.name, "sha256": captured.original.sha256, "file": attached.ordinal}
    details |= {"pages": len(captured.pages), "level": Level(locked.level).slug}
    audit.write(Action.RECORD_ATTACHED, actor=actor, subject=locked, reason=why, details=details, made=[attached])
    return attached


def _pages_numbered(record: Record) -> int:
    """Return the highest number that a page of a record has or had: those of a voided file are not given again."""
    last = Page.objects.filter(record=record).aggregate(last=Max("number"))["last"] or 0
    runs = Attachment.objects.filter(record=record).values_list("first_page", "page_count")
    return max([last, *(first + count - 1 for first, count in runs)])


@transaction.atomic
def void(record: Record, ordinal: int, *, reason: str, actor: Person) -> AttachmentVoid:
    """Void an attached file that does not belong to its dispatch: a draft or a registered one, by the clerk, with a reason.

    As with a number, nothing is taken away: its row and its sealed bytes stay, and everybody reads that it was voided,
    when, by whom and why. Its pages are shown and found no more, and their numbers are not given again.

    Raises:
        Hidden: the actor may not see the record, or it has no such attached file, or that is void already.
        Forbidden: the actor may not void files.
        TakesNoFile, InClosedDossier, TakesNoMore: what it holds is fixed.
        Held: somebody needs it as it is.
        WordsMissing: no reason.
    """
    access.lock(record, Action.RECORD_DETACH, actor)
    locked = lock(record, actor=actor)
    attached = Attachment.objects.filter(record=locked, ordinal=ordinal, void__isnull=True).first()
    if attached is None:
        raise Hidden(object_type="original", object_id=f"{record.key}/{ordinal}")
    if not reason.strip():
        raise WordsMissing
    if is_held(locked):
        raise Held
    voided = AttachmentVoid.objects.create(
        attachment=attached, reason=reason.strip(), voided_by=actor, voided_at=timezone.now()
    )
    # The table of its pages goes, so that no door can show one by oversight; the pack that holds them stays sealed.
    run = range(attached.first_page, attached.first_page + attached.page_count)
    gone, _kinds = Page.objects.filter(record=locked, number__in=run).delete()
    locked.page_amount -= gone
    locked.save(update_fields=["page_amount"])
    manifests.settle(locked)
    details = {"name": attached.name, "sha256": attached.original.sha256, "file": ordinal, "pages": gone}
    audit.write(Action.RECORD_DETACH, actor=actor, subject=locked, reason=reason, details=details, made=[voided])
    return voided


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
