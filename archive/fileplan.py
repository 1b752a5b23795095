"""The file plan and the retention periods it rests on: lines added, renamed and closed, periods dated, by the archivist.

A line keeps its code and its period for good: to keep its dossiers otherwise it is closed, and another one
added. A period is never edited: a change is a new row from a day on, so what was in force on a past day, and
what a dossier was promised, stays as it was. A plan of a past year is not touched any more.
"""

import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit, outline
from archive.models import Person, RecordClass, RetentionRule, RuleKind
from archive.models.schedule import STANDING
from archive.rules.errors import Refusal
from archive.rules.roles import Action

COUNTED = frozenset({RuleKind.YEARS, RuleKind.EVENT_YEARS})


class LineTaken(Refusal):
    """PLN-001: a code names one line of a year, for good."""

    code = "PLN-001"
    message = _("The code “%(code_given)s” of %(year)s belongs to “%(title)s”. Choose another one.")


class LineClosed(Refusal):
    """PLN-002: nothing more is done with a closed line."""

    code = "PLN-002"
    message = _("The line “%(title)s” is closed. Choose another one, or add a line with a code of its own.")


class LinesBelow(Refusal):
    """PLN-003: a heading is closed after the lines under it."""

    code = "PLN-003"
    message = _("“%(title)s” still has %(lines)s open lines under it. Close these first.")


class PlanIncomplete(Refusal):
    """PLN-004: a line has a code and a title, a period its source besides; each change has its ground."""

    code = "PLN-004"
    message = _("Fill in code, title and the decision or source it rests on.")


class PlanPast(Refusal):
    """PLN-005: a past year's plan says what its dossiers were opened under."""

    code = "PLN-005"
    message = _("The file plan of %(year)s is not open to changes: only this year's and the next one's are.")


class NoHeading(Refusal):
    """PLN-006: a line stands under an open heading of its own year."""

    code = "PLN-006"
    message = _("“%(title)s” is no open heading of %(year)s. Choose one, or leave it empty.")


class PlanThere(Refusal):
    """PLN-013: a year is begun once, from a plan that there is."""

    code = "PLN-013"
    message = _("The file plan of %(year)s has lines already, or that of %(before)s has none. Add lines one by one.")


class PeriodTaken(Refusal):
    """PLN-007: a code names one retention period, with all its versions."""

    code = "PLN-007"
    message = _("The code “%(code_given)s” belongs to “%(title)s”. Open that period and change it from a day on.")


class WrongCount(Refusal):
    """PLN-008: a period that counts years says how many, and no other does."""

    code = "PLN-008"
    message = _("Give the number of years for a period that counts years, and leave it empty for any other.")


class StartsTooEarly(Refusal):
    """PLN-009: what was in force on a past day stays as it was."""

    code = "PLN-009"
    message = _(
        "The new version begins today or later, and after the present one, which is in force from %(since)s. Correct the "
        "day."
    )


class PeriodOver(Refusal):
    """PLN-010: a period that has ended, or a version that is not the last one."""

    code = "PLN-010"
    message = _("This version of the period has its end already. Look at the page again.")


class PeriodInUse(Refusal):
    """PLN-011: every open line of the plan has a period in force."""

    code = "PLN-011"
    message = _("%(lines)s open lines of the file plan rest on “%(title)s”. Close these first, or change the period.")


class EndsTooEarly(Refusal):
    """PLN-012: a period ends today or later."""

    code = "PLN-012"
    message = _("The last day of a period lies today or later, and not before it begins. Correct the day.")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the plan of a year: a heading, or with a retention period a class of dossiers."""

    year: int
    code: str
    title: str
    rule: RetentionRule | None = None
    parent: RecordClass | None = None
    keeper: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """How long is kept, from a local day on, and the text it rests on; `years` of kinds that count them only."""

    title: str
    kind: RuleKind
    years: int | None
    basis: str
    valid_from: date


def in_force(rule: RetentionRule, day: date) -> RetentionRule:
    """Return the version of a period in force on a local day; the period itself where none is."""
    live = Q(valid_to__isnull=True) | Q(valid_to__gte=day)
    return RetentionRule.objects.filter(live, code=rule.code, valid_from__lte=day).order_by("valid_from").last() or rule


# --- lines ----------------------------------------------------------------------------------------------------


@transaction.atomic
def add_line(line: Line, *, basis: str, actor: Person) -> RecordClass:
    """Add a line to the plan of this year or the next one.

    Raises:
        Forbidden: the actor may not change the plan.
        PlanIncomplete, PlanPast, NoHeading, PeriodOver, LineTaken: as named.
    """
    access.require(actor, Action.PLAN_ADD)
    code, title, basis = _clean(line.code, line.title, basis)
    _require_open(line.year)
    above = line.parent
    if above is not None:
        above = RecordClass.objects.select_for_update().get(pk=above.pk)
        if above.year != line.year or above.rule_id is not None or above.closed_on is not None:
            raise NoHeading(title=above.title, year=line.year)
    if line.rule is not None and _is_over(line.rule.code):
        raise PeriodOver
    given = {"code": code, "title": title, "rule": line.rule, "parent": above, "keeper": line.keeper.strip()}
    row, is_new = RecordClass.objects.get_or_create(year=line.year, code__iexact=code, defaults=given)
    if not is_new:
        raise LineTaken(code_given=code, year=line.year, title=row.title)
    details = {"year": row.year, "code": row.code, "name": row.title, "period": line.rule.code if line.rule else ""}
    audit.write(Action.PLAN_ADD, actor=actor, subject=row, reason=basis, details=details, made=[row])
    return row


@transaction.atomic
def begin_year(year: int, *, basis: str, actor: Person) -> list[RecordClass]:
    """Begin the plan of this year or the next one with the open lines of the year before, each with its period.

    A line whose period has its end is left out, as none could be added with it.

    Raises:
        Forbidden: the actor may not change the plan.
        PlanIncomplete, PlanPast, PlanThere: as named.
    """
    access.require(actor, Action.PLAN_BEGIN)
    (basis,) = _clean(basis)
    _require_open(year)
    open_lines = RecordClass.objects.filter(year=year - 1, closed_on__isnull=True).order_by("pk")
    found = list(open_lines.select_related("rule").select_for_update(of=("self",)))
    over = {code for code in sorted({row.rule.code for row in found if row.rule}) if _is_over(code)}
    before = [row for row in found if row.rule is None or row.rule.code not in over]
    if not before or RecordClass.objects.filter(year=year).exists():
        raise PlanThere(year=year, before=year - 1)
    made: dict[int, RecordClass] = {}
    for row in outline.as_printed(before):  # a heading before its lines: what stands under which is written once
        made[row.pk] = RecordClass.objects.create(
            year=year, code=row.code, title=row.title, rule_id=row.rule_id, keeper=row.keeper,
            parent=made.get(row.parent_id or 0),
        )  # fmt: skip
    left_out = ", ".join(row.code for row in found if row not in before)
    details = {"year": year, "lines": len(made), "left_out": left_out}
    audit.write(Action.PLAN_BEGIN, actor=actor, reason=basis, details=details, made=list(made.values()))
    return list(made.values())


@transaction.atomic
def rename_line(line: RecordClass, *, title: str, keeper: str, reason: str, actor: Person) -> RecordClass:
    """Change the title of a line and who keeps its dossiers.

    Raises:
        Forbidden: the actor may not.
        PlanIncomplete, PlanPast, LineClosed: as named.
    """
    row = _asked_about(line, Action.PLAN_CHANGE, reason, actor)
    _code, title, reason = _clean(row.code, title, reason)
    details = {"code": row.code, "before": f"{row.title} · {row.keeper}", "now": f"{title} · {keeper.strip()}"}
    row.title, row.keeper = title, keeper.strip()
    row.save(update_fields=["title", "keeper"])
    audit.write(Action.PLAN_CHANGE, actor=actor, subject=row, reason=reason, details=details)
    return row


@transaction.atomic
def close_line(line: RecordClass, *, reason: str, actor: Person) -> RecordClass:
    """Close a line: no new dossier is opened under it, and those it has stay with it.

    Raises:
        Forbidden: the actor may not.
        PlanIncomplete, PlanPast, LineClosed, LinesBelow: as named.
    """
    row = _asked_about(line, Action.PLAN_CLOSE, reason, actor)
    below = row.children.filter(closed_on__isnull=True).count()
    if below:
        raise LinesBelow(title=row.title, lines=below)
    row.closed_on = timezone.localdate()
    row.save(update_fields=["closed_on"])
    audit.write(Action.PLAN_CLOSE, actor=actor, subject=row, reason=reason.strip(), details={"code": row.code})
    return row


def is_open_to_change(year: int) -> bool:
    """Return whether the plan of a year may be changed: this one's, and the next one's, which is prepared before."""
    return timezone.localdate().year <= year <= timezone.localdate().year + 1


def _require_open(year: int) -> None:
    if not is_open_to_change(year):
        raise PlanPast(year=year)


def _asked_about(line: RecordClass, action: Action, reason: str, actor: Person) -> RecordClass:
    access.require(actor, action)
    if not reason.strip():
        raise PlanIncomplete
    row = RecordClass.objects.select_for_update().get(pk=line.pk)
    _require_open(row.year)
    if row.closed_on is not None:
        raise LineClosed(title=row.title)
    return row


# --- periods ----------------------------------------------------------------------------------------------------


@transaction.atomic
def add_period(code: str, period: Period, *, actor: Person) -> RetentionRule:
    """Add a retention period under a code that no other has; it may be in force by law since long ago.

    Raises:
        Forbidden: the actor may not change the plan.
        PlanIncomplete, WrongCount, PeriodTaken: as named.
    """
    access.require(actor, Action.PERIOD_ADD)
    code, title, basis = _clean(code, period.title, period.basis)
    _require_count(period)
    taken = RetentionRule.objects.filter(STANDING, code__iexact=code).order_by("valid_from").last()
    if taken is not None:
        raise PeriodTaken(code_given=code, title=taken.title)
    given = {"title": title, "kind": period.kind, "years": period.years or None, "basis": basis}
    standing = RetentionRule.objects.filter(STANDING)
    row, is_new = standing.get_or_create(code=code, valid_from=period.valid_from, defaults=given)
    if not is_new:
        raise PeriodTaken(code_given=code, title=row.title)
    audit.write(Action.PERIOD_ADD, actor=actor, subject=row, reason=basis, details=_told(row), made=[row])
    return row


@transaction.atomic
def change_period(rule: RetentionRule, to: Period, *, actor: Person) -> RetentionRule:
    """Let a new version of a period be in force from a day on; the present one ends the day before.

    Lines follow the version in force when a dossier is opened; dossiers keep the one they were opened under.

    Raises:
        Forbidden: the actor may not.
        PlanIncomplete, WrongCount, PeriodOver, StartsTooEarly: as named.
    """
    access.require(actor, Action.PERIOD_CHANGE)
    _code, title, basis = _clean(rule.code, to.title, to.basis)
    _require_count(to)
    last = last_version(rule)
    over = last.valid_to or last.valid_from
    if to.valid_from < timezone.localdate() or to.valid_from <= over:
        raise StartsTooEarly(since=f"{last.valid_from:%d/%m/%Y}")
    if last.valid_to is None:
        last.valid_to = to.valid_from - timedelta(days=1)
        last.save(update_fields=["valid_to"])
    row = RetentionRule.objects.create(
        code=last.code, title=title, kind=to.kind, years=to.years or None, basis=basis, valid_from=to.valid_from
    )
    audit.write(
        Action.PERIOD_CHANGE, actor=actor, subject=row, reason=basis, details=_told(row), rows=[last], made=[row]
    )
    return row


@transaction.atomic
def close_period(rule: RetentionRule, *, last_day: date, reason: str, actor: Person) -> RetentionRule:
    """End a period on which no open line rests: after its last day nothing is kept by it any more that comes new.

    Raises:
        Forbidden: the actor may not.
        PlanIncomplete, PeriodOver, EndsTooEarly, PeriodInUse: as named.
    """
    access.require(actor, Action.PERIOD_CLOSE)
    if not reason.strip():
        raise PlanIncomplete
    row = last_version(rule)
    if row.valid_to is not None:
        raise PeriodOver
    if last_day < max(timezone.localdate(), row.valid_from):
        raise EndsTooEarly
    lines = resting_on(row).count()
    if lines:
        raise PeriodInUse(title=row.title, lines=lines)
    row.valid_to = last_day
    row.save(update_fields=["valid_to"])
    details = {"code": row.code, "until": last_day.isoformat()}
    audit.write(Action.PERIOD_CLOSE, actor=actor, subject=row, reason=reason.strip(), details=details)
    return row


def resting_on(rule: RetentionRule) -> QuerySet[RecordClass]:
    """Return the open lines of this year and later that a period is named by, in whatever version."""
    return RecordClass.objects.filter(rule__code=rule.code, closed_on__isnull=True, year__gte=timezone.localdate().year)


def last_version(rule: RetentionRule) -> RetentionRule:
    """Return the last version of a period while all of them are locked. Raises PeriodOver if the page showed an older one."""
    last = _locked(rule.code)
    if last.pk != rule.pk:
        raise PeriodOver
    return last


def _locked(code: str) -> RetentionRule:
    """Return the last version of a period while all of them are locked: whether it has its end stays so until the commit.

    Raises:
        PeriodOver: every version was withdrawn.
    """
    list(RetentionRule.objects.select_for_update().filter(code=code).values_list("pk", flat=True))
    last = RetentionRule.objects.filter(STANDING, code=code).order_by("valid_from").last()
    if last is None:
        raise PeriodOver
    return last


def _is_over(code: str) -> bool:
    """Return whether the last version of a period has its end, or was withdrawn; it stays so until the commit."""
    with suppress(PeriodOver):
        return _locked(code).valid_to is not None
    return True


def _told(row: RetentionRule) -> dict[str, str]:
    years = f" {row.years}" if row.years else ""
    return {"code": row.code, "name": row.title, "period": f"{row.kind}{years}", "since": row.valid_from.isoformat()}


def _require_count(period: Period) -> None:
    if bool(period.years) != (period.kind in COUNTED):
        raise WrongCount


def _clean(*given: str) -> list[str]:
    parts = [unicodedata.normalize("NFC", part).strip() for part in given]
    if not all(parts):
        raise PlanIncomplete
    return parts
