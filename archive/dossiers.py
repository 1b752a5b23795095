"""Dossiers: open, file into, close with a contents list. Closing starts the retention clock.

A dossier is never below the level of what lies in it, and a person sees it only with
that clearance and its unit in scope; what they may not see inside is not even counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import transaction
from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit, fileplan, shelves
from archive.models import Access, Dossier, DossierItem, Person, Record, RecordClass, RecordState, RetentionRule, Unit
from archive.planning import ByRow
from archive.rules.errors import Hidden, Refusal
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.standing import clearance, units_in_scope, units_open

LOOSE: Final = 2_000  # access rows read whole (10 ms): of so many a desk tells no more than that they are many
NEW: Final = (2_000, 50_000)  # records among which the newest are looked for, one after the other
CAP: Final = 999  # a desk counts no further


class DossierClosed(Refusal):
    """DOS-001: nothing is filed into a closed dossier."""

    code = "DOS-001"
    message = _("Dossier %(code)s is closed. Open a new one, or ask for it to be reopened with a reason.")


class CodeTaken(Refusal):
    """DOS-002: code, year and unit name one dossier among those that a person may know of."""

    code = "DOS-002"
    message = _("Dossier %(code)s of %(year)s exists already in this unit. Choose another number.")


class AlreadyFiled(Refusal):
    """DOS-003: one record lies once in a dossier."""

    code = "DOS-003"
    message = _("This dispatch lies in dossier %(code)s already.")


class NotRegistered(Refusal):
    """DOS-004: only a registered dispatch is filed."""

    code = "DOS-004"
    message = _("Register the dispatch first; only registered ones are filed.")


class NothingFiled(Refusal):
    """DOS-005: an empty dossier cannot be closed."""

    code = "DOS-005"
    message = _("Dossier %(code)s is empty. File something into it before closing.")


class EndsTooEarly(Refusal):
    """DOS-006: the work cannot end before it began or after today."""

    code = "DOS-006"
    message = _("The work cannot have ended before the dossier was opened (%(opened)s) or after today.")


class PeriodNotInForce(Refusal):
    """DOS-007: a new dossier is kept by a period that is in force."""

    code = "DOS-007"
    message = _(
        "The retention period “%(title)s” is not in force today. Choose one that is; a line that rests on it is to be closed, and another added."
    )


@dataclass(frozen=True, slots=True)
class Cover:
    """What stands on the cover of a new dossier."""

    code: str
    title: str
    record_class: RecordClass
    rule: RetentionRule
    unit: Unit
    opened_on: date
    description: str = ""


def visible_dossiers(person: Person) -> QuerySet[Dossier]:
    """Return the dossiers a person may know of: unit in scope, level within the clearance."""
    now = timezone.now()
    return known_to(units_open(person, now), clearance(person, now))


def known_to(units: Sequence[int], level: int) -> QuerySet[Dossier]:
    """Return the dossiers known to whoever has these units open and this clearance."""
    return Dossier.objects.filter(unit__in=units, level__lte=level)


def open_dossier(person: Person, action: Action, key: str) -> Dossier:
    """Return the dossier with this key, for this act.

    Raises:
        Hidden: no such dossier, or one that must not be shown.
        Forbidden: visible, but the act is not allowed.
    """
    named = ("rule", "record_class", "unit", "opened_by", "closed_by")
    found = visible_dossiers(person).select_related(*named).filter(key=key).first()
    if found is None:
        raise Hidden(object_type="dossier", object_id=key[:40])
    access.require(person, action)
    return found


@transaction.atomic
def begin(cover: Cover, *, actor: Person) -> Dossier:
    """Open a dossier under a class of the file plan.

    Raises:
        Forbidden: the actor may not open dossiers.
        Hidden: the unit is not one of theirs.
        LineClosed, PeriodNotInForce, CodeTaken: as named. A code is taken in its unit and year by a dossier that the
            actor may know of; one that they may not is as if it were not there, and whoever may see both is told
            (`doubles`).
    """
    access.require(actor, Action.DOSSIER_OPEN)
    if cover.unit.pk not in units_in_scope(actor, timezone.now()):
        raise Hidden(object_type="unit", object_id=str(cover.unit.pk))
    _require_in_force(cover)
    year = cover.opened_on.year
    # Two at once would each find the code free.
    Unit.objects.select_for_update(no_key=True).get(pk=cover.unit.pk)
    if visible_dossiers(actor).filter(code=cover.code, year=year, unit=cover.unit).exists():
        raise CodeTaken(code=cover.code, year=year)
    dossier = Dossier.objects.create(
        code=cover.code,
        year=year,
        title=cover.title,
        record_class=cover.record_class,
        rule=cover.rule,
        unit=cover.unit,
        opened_on=cover.opened_on,
        opened_by=actor,
        description=cover.description,
    )
    audit.write(Action.DOSSIER_OPEN, actor=actor, subject=dossier, made=[dossier])
    return dossier


def _require_in_force(cover: Cover) -> None:
    """Hold line and period until the dossier is there: closed beside this, they would be found without it."""
    line = RecordClass.objects.select_for_update(no_key=True).get(pk=cover.record_class.pk)
    if line.closed_on is not None:
        raise fileplan.LineClosed(title=line.title)
    rule, today = RetentionRule.objects.select_for_update(no_key=True).get(pk=cover.rule.pk), timezone.localdate()
    if rule.valid_from > today or (rule.valid_to is not None and rule.valid_to < today):
        raise PeriodNotInForce(title=rule.title)


def doubles(dossier: Dossier, person: Person) -> QuerySet[Dossier]:
    """Return the other dossiers of the same unit, year and code that a person may see."""
    same = visible_dossiers(person).filter(code=dossier.code, year=dossier.year, unit=dossier.unit_id)
    return same.exclude(pk=dossier.pk)


@transaction.atomic
def file(record: Record, *, dossier: Dossier, actor: Person) -> DossierItem:
    """File a record into an open dossier; the dossier's level rises to that of the record.

    Raises:
        Hidden, Forbidden: the actor may not see one of the two, or may not file.
        DossierClosed, AlreadyFiled, NotRegistered: as named.
    """
    record = access.lock(record, Action.DOSSIER_FILE, actor)  # raised meanwhile, it would lie in a dossier below it
    open_dossier(actor, Action.DOSSIER_FILE, dossier.key)
    locked = _locked(dossier, record)
    if locked.closed_at is not None:
        raise DossierClosed(code=locked.code)
    if record.state != RecordState.REGISTERED:
        raise NotRegistered
    if DossierItem.objects.filter(dossier=locked, record=record).exists():
        raise AlreadyFiled(code=locked.code)
    last = DossierItem.objects.filter(dossier=locked).aggregate(last=Max("doc_ordinal"))["last"] or 0
    item = DossierItem.objects.create(
        dossier=locked, record=record, doc_ordinal=last + 1, filed_at=timezone.now(), filed_by=actor
    )
    shelves.filed(record.pk)
    if record.level > locked.level:
        raise_to(locked, Level(record.level), actor)
    audit.write(Action.DOSSIER_FILE, actor=actor, subject=record, details={"dossier": locked.key}, made=[item])
    return item


def _locked(dossier: Dossier, record: Record) -> Dossier:
    """Return a dossier under its lock, and lock those that a record lies in: by their ids, as every act does."""
    with_it = DossierItem.objects.filter(record=record).values("dossier")
    locked = Dossier.objects.select_for_update().filter(Q(pk=dossier.pk) | Q(pk__in=with_it)).order_by("pk")
    return next(each for each in locked if each.pk == dossier.pk)


def raise_to(dossier: Dossier, level: Level, actor: Person) -> None:
    """Raise a dossier; its own entry lets the index take the title from all that lies in it and is less secret."""
    Dossier.objects.filter(pk=dossier.pk).update(level=level)
    dossier.level = level
    shelves.raised(dossier)
    audit.write(Action.DOSSIER_FILE, actor=actor, subject=dossier, details={"level": level.slug})


@transaction.atomic
def close(dossier: Dossier, *, ended_on: date, actor: Person) -> Dossier:
    """Close a dossier: the work ended on that day, and the retention years run from the end of its year.

    Raises:
        Hidden, Forbidden: the actor may not see it, or may not close.
        DossierClosed, NothingFiled, EndsTooEarly: as named.
    """
    open_dossier(actor, Action.DOSSIER_CLOSE, dossier.key)
    if not dossier.opened_on <= ended_on <= timezone.localdate():
        raise EndsTooEarly(opened=dossier.opened_on.strftime("%d/%m/%Y"))
    if not DossierItem.objects.filter(dossier=dossier).exists():
        raise NothingFiled(code=dossier.code)
    closed = Dossier.objects.filter(pk=dossier.pk, closed_at__isnull=True).update(
        closed_at=timezone.now(), closed_by=actor, ended_on=ended_on
    )
    if not closed:
        raise DossierClosed(code=dossier.code)
    dossier.refresh_from_db()
    audit.write(Action.DOSSIER_CLOSE, actor=actor, subject=dossier, details={"ended_on": ended_on.isoformat()})
    return dossier


def contents(dossier: Dossier, person: Person) -> list[DossierItem]:
    """Return the contents list as this person may see it, in order."""
    items = DossierItem.objects.filter(dossier=dossier).select_related("record")
    open_to_them = set(access.visible_to(person).opens([item.record_id for item in items]).values_list("pk", flat=True))
    return [item for item in items if item.record_id in open_to_them]


def counted(shown: Sequence[Dossier], person: Person) -> dict[int, int]:
    """Return how many records lie in each of these dossiers, as far as this person may see them."""
    seen = access.visible_to(person).reaching("record_id")
    items = DossierItem.objects.filter(seen, dossier__in=shown).order_by()
    return dict(items.values("dossier").annotate(n=Count("pk")).values_list("dossier", "n"))


@dataclass(frozen=True, slots=True)
class Unfiled:
    """What a person knows to be filed nowhere: the ids of the newest, and how many there are, exact up to `CAP`."""

    newest: list[int]
    total: int

    def records(self) -> QuerySet[Record]:
        """Return the newest of them, in order."""
        return Record.objects.filter(pk__in=self.newest).order_by("-pk")


def unfiled(person: Person, *, most: int) -> Unfiled:
    """Return the newest registered records that a person may see and that lie in no dossier that they may know of.

    One that lies in a hidden dossier alone stands here as if it lay in none. Up to `LOOSE` access rows are read whole;
    of more, those of the newest records, and older ones only if these give too few.
    """
    # Asked row by row: joined, SQLite would begin with all that is registered.
    registered = ByRow(Record.objects.filter(pk=OuterRef("record_id"), state=RecordState.REGISTERED))
    # Level by level: the secret lies in secret dossiers, and would be walked over by who is not cleared for it.
    rows = access.visible_to(person).rows(level_by_level=True).filter(shelves.unknown_to(person), registered)
    loose = rows.order_by().values_list("record_id", flat=True)
    some = list(loose[:LOOSE])
    found = sorted(set(some), reverse=True)
    if len(some) < LOOSE:
        return Unfiled(found[:most], len(found))
    return Unfiled(_newest(loose, most), len(found) if len(found) > CAP else loose.distinct().count())


def _newest(loose: QuerySet[Access, int], most: int) -> list[int]:
    """Return the newest of very many: few lie among the newest records only where they lie thin, so that more are soon looked at."""
    in_order, last = loose.order_by("-record_id").distinct(), Record.objects.order_by("-pk").values("pk")[:1]
    for records in NEW:
        newest = list(in_order.filter(record_id__gt=Subquery(last) - records)[:most])
        if len(newest) == most:
            return newest
    return list(in_order[:most])


def level_of(dossier: Dossier) -> Level:
    """Return the level of a dossier."""
    return Level(dossier.level)
