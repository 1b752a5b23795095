"""Holders of a record to be told when its level or its protection changes, within the days of the law.

Told are the units and people it was routed to, who had it opened by name or took the original
out, and the recipients that an outgoing dispatch names. Telling is done by paper or by mouth:
what is written here is that it was done, when, how and by whom.
"""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from archive import access, audit
from archive.leveling import history
from archive.leveling.refusals import NoWay, ToldAlready, WrongDay
from archive.models import AuditEntry, Grant, LevelChange, LevelNotice, Person, Step
from archive.models.record import Direction
from archive.rules.levels import Level
from archive.rules.roles import Action


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
    rows = [LevelNotice(change=change, record=record, unit_id=unit, due_on=due) for unit in sorted(units)]
    rows += [LevelNotice(change=change, record=record, person_id=each, due_on=due) for each in sorted(people)]
    if record.direction == Direction.OUTGOING and record.to_places:
        rows.append(LevelNotice(change=change, record=record, outside=record.to_places, due_on=due))
    return LevelNotice.objects.bulk_create(rows)


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
    details = {"notice": notice.pk, "to": str(notice), "ended_on": told_on.isoformat()}
    audit.write(Action.LEVEL_NOTICE, actor=actor, subject=record, reason=how, details=details)
    return LevelNotice.objects.get(pk=notice.pk)
