"""Withdrawing a period whose day has not come: of retention by the archivist, of protection by the security officer.

Nothing rests on such a row yet; the oldest one of a level, by which all days before it count, is therefore never withdrawn.
A withdrawn row stays where it is with an end before its beginning, so it holds on no day, and another one may be written
for the same day. A row that has begun is never withdrawn: what was in force stays as it was.
"""

from datetime import date, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit, digests, fileplan
from archive.models import AuditEntry, AuditRow, Person, ProtectionPeriod, RetentionRule
from archive.models.schedule import STANDING
from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.rules.roles import Action


class NotToCome(Refusal):
    """PER-001: only what has not begun is withdrawn."""

    code = "PER-001"
    message = _(
        "This period has begun, or was withdrawn already. Only one whose day has not come is withdrawn; write another one "
        "that follows it."
    )


class WithoutReason(Refusal):
    """PER-002: what is withdrawn has a reason or a decision behind it."""

    code = "PER-002"
    message = _("Say why the period is withdrawn, or by which decision.")


class CountsAlready(Refusal):
    """PER-003: a level's oldest period counts for all days before it, so it is in use before its day."""

    code = "PER-003"
    message = _(
        "No other period of this level begins before this one, so what is classified today counts by it already. Write the "
        "right one first, from a day before it on, and then withdraw this one."
    )


@transaction.atomic
def of_retention(rule: RetentionRule, *, reason: str, actor: Person) -> RetentionRule:
    """Withdraw the last version of a retention period; the one that it was to end goes on without an end.

    Raises:
        Forbidden: the actor may not.
        WithoutReason, NotToCome: as named.
        fileplan.PeriodOver: it is not the last version.
        fileplan.PeriodInUse: open lines of the plan would rest on a period without a version in force.
    """
    access.require(actor, Action.PERIOD_WITHDRAW)
    _require(rule.valid_from, reason, is_withdrawn=rule.is_withdrawn)
    row = fileplan.last_version(rule)
    before = RetentionRule.objects.filter(STANDING, code=row.code).exclude(pk=row.pk).order_by("valid_from").last()
    goes_on = before is not None and _was_ended_by(before, row)
    lines = fileplan.resting_on(row).count()
    if lines and not goes_on:
        raise fileplan.PeriodInUse(title=row.title, lines=lines)
    rows = [row]
    if before is not None and goes_on:
        before.valid_to = None
        before.save(update_fields=["valid_to"])
        rows.append(before)
    _end_before_it_begins(row)
    details = {"code": row.code, "since": row.valid_from.isoformat()}
    audit.write(Action.PERIOD_WITHDRAW, actor=actor, subject=row, reason=reason.strip(), details=details, rows=rows)
    return row


@transaction.atomic
def of_protection(period: ProtectionPeriod, *, reason: str, actor: Person) -> ProtectionPeriod:
    """Withdraw a protection period; the one before it goes on.

    Raises:
        Forbidden: the actor may not.
        WithoutReason, NotToCome, CountsAlready: as named.
    """
    access.require(actor, Action.PROTECTION_WITHDRAW)
    row = ProtectionPeriod.objects.select_for_update().get(pk=period.pk)
    _require(row.valid_from, reason, is_withdrawn=row.is_withdrawn)
    if not ProtectionPeriod.objects.filter(STANDING, level=row.level, valid_from__lt=row.valid_from).exists():
        raise CountsAlready
    _end_before_it_begins(row)
    details = {"level": Level(row.level).slug, "protects": row.years, "since": row.valid_from.isoformat()}
    audit.write(Action.PROTECTION_WITHDRAW, actor=actor, subject=row, reason=reason.strip(), details=details)
    return row


def _require(valid_from: date, reason: str, *, is_withdrawn: bool) -> None:
    if not reason.strip():
        raise WithoutReason
    if is_withdrawn or valid_from <= timezone.localdate():
        raise NotToCome


def _end_before_it_begins(row: RetentionRule | ProtectionPeriod) -> None:
    row.valid_to = row.valid_from - timedelta(days=1)
    row.save(update_fields=["valid_to"])


def _was_ended_by(before: RetentionRule, row: RetentionRule) -> bool:
    """Return whether a version has its end because another one follows it, and because of that alone.

    The act that made the row wrote the end, unless a digest from before that act says that it was there already. An act
    that closed the version is never undone here, whenever it was.
    """
    made = _acts(row, Action.PERIOD_CHANGE).first()
    if made is None or before.valid_to != row.valid_from - timedelta(days=1):
        return False
    if _acts(before, Action.PERIOD_CLOSE).exists():
        return False
    kept = AuditRow.objects.filter(kind=digests.name_of(RetentionRule), row_id=before.pk, entry__ts__lt=made.ts)
    last = kept.order_by("id").last()
    return last is None or not digests.bears_out(last, "valid_to", before.valid_to)


def _acts(row: RetentionRule, action: Action) -> QuerySet[AuditEntry]:
    about = audit.subject_of(row)
    return AuditEntry.objects.filter(action=action, outcome="ok", object_type=about.type, object_id=about.id)
