"""Holders of a record to be told when its level or its protection changes, within the days of the law.

Told are the units and people it was routed to, who had it opened by name, took a file out or
holds a print that nobody has accounted for, the recipients that an outgoing dispatch names, and
who keeps a dispatch that is on paper alone. A receiver marks their copies anew (Law 117/2025,
article 21), so the notice names their numbers. Telling is done by paper or by mouth: what is written here is that it was done, when, how
and by whom.
"""

from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext

from archive import access, audit
from archive.holding import is_stub
from archive.leveling import history, words
from archive.leveling.refusals import NoWay, ToldAlready, WrongDay
from archive.models import AuditEntry, Copy, CopyKind, Grant, LevelChange, LevelNotice, Person, Record, Step
from archive.models.record import Direction
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.standing import clearance


def begin(change: LevelChange) -> list[LevelNotice]:
    """Write whom to tell of a change, and until when; in the change's own transaction."""
    record, day = change.record, timezone.localdate(change.done_at)
    # The duty is that of the secret: of the higher of the two levels.
    found = history.period(Level(max(change.from_level, change.to_level)), day)
    if found is None:
        return []
    due = day + timedelta(days=found.notice_days)
    steps = Step.objects.filter(record=record)
    units = set(steps.filter(to_unit__isnull=False).values_list("to_unit", flat=True))
    people = set(steps.filter(to_person__isnull=False).values_list("to_person", flat=True))
    people |= set(Grant.objects.filter(record=record).values_list("person", flat=True))
    taken = AuditEntry.objects.filter(record_id=record.pk, action=str(Action.RECORD_ORIGINAL), outcome="ok")
    people |= set(taken.filter(actor__isnull=False).values_list("actor", flat=True))
    held = _copies_held(record)
    people |= set(held)
    rows = [LevelNotice(change=change, record=record, unit_id=unit, due_on=due) for unit in sorted(units)]
    rows += [
        LevelNotice(change=change, record=record, person_id=each, copies=held.get(each, ""), due_on=due)
        for each in sorted(people)
    ]
    if record.direction == Direction.OUTGOING and record.to_places:
        rows.append(LevelNotice(change=change, record=record, outside=record.to_places, due_on=due))
    if is_stub(record):  # not by the name of the holder: it was written at a level that not every reader has
        with translation.override(settings.LANGUAGE_CODE):
            rows.append(LevelNotice(change=change, record=record, outside=gettext("Who keeps the paper"), due_on=due))
    return LevelNotice.objects.bulk_create(rows)


def _copies_held(record: Record) -> dict[int, str]:
    """Return the numbers of what each person took out or printed, without papers that were given back or destroyed."""
    held: dict[int, list[int]] = {}
    out = Copy.objects.filter(record=record, fate="").exclude(kind=CopyKind.VIEW).order_by("number")
    for person, number in out.values_list("holder", "number"):
        held.setdefault(person, []).append(number)
    return {person: ", ".join(map(str, numbers)) for person, numbers in held.items()}


def told_to(person: Person, record: Record) -> list[LevelNotice]:
    """Return the notices about an opened record; how a holder was told of a level above the reader's keeps to itself."""
    rows = list(LevelNotice.objects.filter(record=record).select_related("unit", "person", "told_by", "change"))
    if not any(row.how for row in rows):
        return rows
    was_above, cleared = words.above(person, record), clearance(person, timezone.now())
    for row in rows:
        # Only the day of telling is kept, so the whole of it counts.
        told = [_at(row.told_on, time.min), _at(row.told_on, time.max)] if row.told_on else []
        if row.how and (row.change.to_level > cleared or any(was_above(each) for each in told)):
            row.how = str(words.WITHHELD)
    return rows


def _at(day: date, hour: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, hour))


@transaction.atomic
def tell(notice: LevelNotice, *, how: str, told_on: date, actor: Person) -> LevelNotice:
    """Write that a holder has been told: a local day, not in the future, and the way.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or does not keep notices.
        NoWay, WrongDay, ToldAlready: as named.
    """
    record = access.lock(notice.record, Action.LEVEL_NOTICE, actor)
    if not how.strip():
        raise NoWay
    if told_on > timezone.localdate():
        raise WrongDay
    told = LevelNotice.objects.filter(pk=notice.pk, told_on__isnull=True)
    if not told.update(told_on=told_on, told_by=actor, how=how.strip()):
        raise ToldAlready
    whom = "recipients" if notice.outside else "to"  # those that the dispatch names keep to its level
    details = {"notice": notice.pk, whom: str(notice), "ended_on": told_on.isoformat(), "copy": notice.copies}
    kept = LevelNotice.objects.get(pk=notice.pk)
    audit.write(Action.LEVEL_NOTICE, actor=actor, subject=record, reason=how, details=details, rows=[kept])
    return kept
