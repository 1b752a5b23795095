"""Numbered copies: each look, print and file taken out gets a number of its dispatch, with holder, time and reason.

A look is numbered once for a person and a day: the number names both, and the log tells the
moment of each page. Prints and files get a number each. Numbers are given from the
lowest watermarked level up (`WATERMARK_FROM`); below, a page is an entry of the log as
ever. What leaves is bounded: so many prints and classified files per person and hour.
Whether the person may see the dispatch is asked before (`access.open_record`).
"""

from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from archive import access, audit
from archive.leveling import history, words
from archive.models import AuditEntry, Copy, CopyFate, CopyKind, Person, Record
from archive.rules.errors import Hidden, Refusal
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.watermark import Mark, Stamp

HOUR: Final = timedelta(hours=1)
# Prints of lists, and what the entry of the list is about; an entry about a dispatch is that of a line.
LISTS: Final = {str(Action.REGISTER_PRINT): "register", str(Action.DOSSIER_PRINT): "dossier"}


class TooMany(Refusal):
    """COP-001: prints and files taken out are bounded for each person and hour."""

    code = "COP-001"
    message = _(
        "You have printed or taken out %(limit)s copies within an hour, and no more are given now. "
        "Go on after %(after)s, or ask the clerk for the paper."
    )


class NoReason(Refusal):
    """COP-002: above the lowest level a copy needs a reason, and so does the end of a paper."""

    code = "COP-002"
    message = _("Say why the copy is made, or how the paper ended.")


class NotInHand(Refusal):
    """COP-003: only a paper that nobody has accounted for yet can be given back or destroyed."""

    code = "COP-003"
    message = _("Copy %(number)s is no paper that is still out. See which are, on the page of the dispatch.")


def is_marked(record: Record) -> bool:
    """Return whether pages of a record carry the watermark: from Mật up always, below it where the office wants it."""
    return record.level >= min(settings.WATERMARK_FROM, Level.MAT)


def mark_of(copy: Copy) -> Mark:
    """Return what stands over the pages of a copy, with the time of now."""
    with translation.override(settings.LANGUAGE_CODE):  # one mark for all, whatever language the reader chose
        said = gettext("Copy %(number)s · %(key)s") % {"number": copy.number, "key": copy.record.key}
    return Mark(copy.holder.full_name, timezone.localtime(), said)


def stamp_of(record: Record) -> Stamp | None:
    """Return what is stamped on the pages of a declassified dispatch; what was handed over is never changed."""
    decided = history.declassified(record)
    if decided is None:
        return None
    with translation.override(settings.LANGUAGE_CODE):
        day = f"{decided.decided_on:%d/%m/%Y}" if decided.decided_on else ""
        lines = (gettext("Decision %(basis)s") % {"basis": decided.basis}, gettext("of %(day)s") % {"day": day})
        return Stamp(gettext("DECLASSIFIED"), lines)


def looked(record: Record, *, actor: Person, **details: Any) -> Copy | None:
    """Write that a page was looked at, under the person's number of today where pages are marked.

    Args:
        record: an opened record.
        actor: who looks.
        details: page and form, for the log.
    """
    about = audit.subject_of(record)
    if not is_marked(record):
        audit.read(Action.RECORD_PAGE, actor=actor, subject=about, **details)
        return None
    with transaction.atomic():
        kept = _of_today(record, actor)
        copy = kept or _made(record, CopyKind.VIEW, actor)
        told = details | {"copy": copy.number}
        audit.write(Action.RECORD_PAGE, actor=actor, subject=about, details=told, made=[] if kept else [copy])
    return copy


def _of_today(record: Record, holder: Person) -> Copy | None:
    today = Copy.objects.filter(record=record, holder=holder, day=timezone.localdate(), kind=CopyKind.VIEW)
    return today.select_related("record", "holder").first()


@transaction.atomic
def printed(record: Record, *, pages: str, reason: str, actor: Person) -> Copy:
    """Give a number to a print of pages, before it is drawn.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or may not print.
        NoReason, TooMany: as named.
    """
    record = access.lock(record, Action.RECORD_PRINT, actor)
    copy = _given_out(record, CopyKind.PRINT, actor, reason=reason, pages=pages)
    details = {"copy": copy.number, "pages": pages}
    about = audit.subject_of(record)
    audit.write(Action.RECORD_PRINT, actor=actor, subject=about, reason=reason, details=details, made=[copy])
    return copy


@transaction.atomic
def taken_out(record: Record, *, ordinal: int, sha256: str, reason: str, actor: Person) -> Copy | None:
    """Write that a file was taken out as it was handed over; above the lowest level under a number of its own.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or may not take files out.
        NoReason, TooMany: as named.
    """
    record = access.lock(record, Action.RECORD_ORIGINAL, actor)
    copy = None
    details: dict[str, Any] = {"sha256": sha256, "file": ordinal} if ordinal else {"sha256": sha256}
    if record.level > Level.THUONG:
        copy = _given_out(record, CopyKind.DOWNLOAD, actor, reason=reason, pages=str(ordinal))
        details["copy"] = copy.number
    about, made = audit.subject_of(record), [copy] if copy else []
    audit.write(Action.RECORD_ORIGINAL, actor=actor, subject=about, reason=reason, details=details, made=made)
    return copy


def _given_out(record: Record, kind: CopyKind, holder: Person, *, reason: str, pages: str) -> Copy:
    if record.level > Level.THUONG and not reason.strip():
        raise NoReason
    bound(holder)
    return _made(record, kind, holder, reason=reason.strip(), pages=pages)


def bound(holder: Person) -> None:
    """Return in silence, or refuse one print or file more within the hour; in the transaction of that print or file.

    Counted are prints and classified files of dispatches, and lists printed (`archive.lists_out`).

    Raises:
        TooMany: as named.
    """
    # Under a lock on the person: two requests at once would each count what the other has not written yet.
    # It leaves the key alone: an act that holds the record and names the person in a row would wait for ever else.
    Person.objects.select_for_update(of=("self",), no_key=True).get(pk=holder.pk)
    limit, since = settings.COPIES_PER_HOUR, timezone.now() - HOUR
    recent = Copy.objects.filter(holder=holder, made_at__gt=since).exclude(kind=CopyKind.VIEW)
    lists = AuditEntry.objects.filter(
        actor=holder, action__in=LISTS, ts__gt=since, outcome="ok", object_type__in=LISTS.values()
    )
    times = sorted([*recent.values_list("made_at", flat=True), *lists.values_list("ts", flat=True)])
    if len(times) >= limit:
        after = timezone.localtime(times[-limit] + HOUR)
        raise TooMany(limit=limit, after=f"{after:%H:%M}")


def _made(record: Record, kind: CopyKind, holder: Person, **told: str) -> Copy:
    Record.objects.select_for_update(of=("self",)).get(pk=record.pk)  # one number at a time
    if kind == CopyKind.VIEW and (kept := _of_today(record, holder)):
        return kept
    highest = Copy.objects.filter(record=record).aggregate(highest=Max("number"))["highest"] or 0
    now = timezone.now()
    day = timezone.localdate(now)
    return Copy.objects.create(
        record=record, number=highest + 1, kind=kind, holder=holder, made_at=now, day=day, **told
    )


@transaction.atomic
def end(record: Record, number: int, *, fate: CopyFate, note: str, actor: Person) -> Copy:
    """Write that a paper was given back or destroyed.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or may not account for papers.
        NoReason, NotInHand: as named.
    """
    record = access.lock(record, Action.COPY_END, actor)
    if not Copy.objects.filter(record=record, number=number).exists():
        raise Hidden(object_type="copy", object_id=f"{record.key}/{number}")
    if not note.strip():
        raise NoReason
    out = Copy.objects.filter(record=record, number=number, kind=CopyKind.PRINT, fate="")
    if not out.update(fate=fate, ended_at=timezone.now(), ended_by=actor, end_note=note.strip()):
        raise NotInHand(number=number)
    details, ended = {"copy": number, "fate": str(fate)}, Copy.objects.get(record=record, number=number)
    about = audit.subject_of(record)
    audit.write(Action.COPY_END, actor=actor, subject=about, reason=note.strip(), details=details, rows=[ended])
    return ended


def known(record: Record, person: Person, *, most: int) -> list[Copy]:
    """Return the newest copies of an opened record that a reader may know of: all for who accounts for them, else their own.

    Words written at a level above the reader's clearance are taken out of them (`archive.leveling.words`).
    """
    copies = Copy.objects.filter(record=record).select_related("holder", "ended_by")
    accounts = access.may(person, Action.COPY_END).allowed or access.may(person, Action.RECORD_WHY).allowed
    shown = list((copies if accounts else copies.filter(holder=person))[:most])
    words.hush(person, shown, words.OF_COPY)
    return shown
