"""Retention: what is due, why, and what a hold keeps. Nothing is destroyed here.

The due date is a pure rule (`archive.rules.periods`) over the facts of the dossier; it
is computed when asked, so a changed rule, date or hold acts at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from archive import access, audit, comings, dossiers
from archive.leveling import words
from archive.models import Dossier, Hold, HoldItem, Person, Record, RetentionRule, RuleKind
from archive.rules import periods
from archive.rules.errors import Hidden, Refusal
from archive.rules.roles import Action


class HoldLifted(Refusal):
    """HLD-001: a hold is lifted once."""

    code = "HLD-001"
    message = _("This hold has been lifted already.")


class ReasonMissing(Refusal):
    """HLD-002: holds are placed and lifted with a reason."""

    code = "HLD-002"
    message = _("Say why: the reason is kept with the hold for good.")


class NothingHeld(Refusal):
    """HLD-003: a hold covers something."""

    code = "HLD-003"
    message = _("Choose at least one dossier or dispatch for the hold.")


@dataclass(frozen=True, slots=True)
class Due:
    """One line of the due list: the dossier, what the schedule asks for, and the holds on it."""

    dossier: Dossier
    outcome: periods.Outcome
    holds: Sequence[Hold]


def period(kind: RuleKind, years: int) -> str:
    """Return in words how long is kept: "20 years", or the kind when it counts no years (0)."""
    if not years:
        return str(kind.label)
    if kind is RuleKind.EVENT_YEARS:
        words = ngettext("%(n)s year from the event", "%(n)s years from the event", years)
    else:
        words = ngettext("%(n)s year", "%(n)s years", years)
    return words % {"n": years}


def rule_of(rule: RetentionRule) -> periods.Rule:
    """Return the pure form of a row of a retention table."""
    kinds = {
        RuleKind.PERMANENT: periods.Kind.PERMANENT,
        RuleKind.YEARS: periods.Kind.YEARS,
        RuleKind.UNTIL_SUPERSEDED: periods.Kind.UNTIL_SUPERSEDED,
        RuleKind.LIFE_OF_ASSET: periods.Kind.LIFE_OF_ASSET,
        RuleKind.EVENT_YEARS: periods.Kind.EVENT,
    }
    kind = kinds[RuleKind(rule.kind)]
    event = str(_("the event of the rule")) if kind is periods.Kind.EVENT else ""
    return periods.Rule(kind, rule.years or 0, event, code=rule.code)


def outcome_of(dossier: Dossier, *, is_held: bool) -> periods.Outcome:
    """Return what the schedule asks for a dossier, and why."""
    rule = rule_of(dossier.rule)
    events = {}
    if dossier.superseded_on:
        events = {name: dossier.superseded_on for name in (periods.SUPERSEDED, periods.ASSET_ENDED, rule.event) if name}
    return periods.decide([rule], periods.Times(dossier.ended_on, events), is_held=is_held)


def due_list(person: Person, *, until: date, offset: int = 0, limit: int | None = None) -> list[Due]:
    """Return the closed dossiers a person may see that come up by a day, held ones and permanent ones included.

    By the first day, what has none last. The rows of a page are chosen in the database, where their days are
    as `archive.rules.periods` counts them (a test compares the two); what is shown of a row comes from there.

    Raises:
        Forbidden: the person may not read the due list.
    """
    access.require(person, Action.DUE_READ)
    closed = dossiers.visible_dossiers(person).filter(closed_at__isnull=False)
    held = _held(person)
    chosen = comings.coming_up(closed, until=until, held=held)[offset : None if limit is None else offset + limit]
    shown = list(chosen.select_related("rule", "record_class", "unit"))
    return [Due(each, outcome_of(each, is_held=each.pk in held), [*held.get(each.pk, {}).values()]) for each in shown]


def _held(person: Person) -> dict[int, dict[int, Hold]]:
    """Return the dossiers under an active hold, on themselves or on a record in them, with the holds by their ids."""
    items = (
        HoldItem.objects.filter(_known(person), hold__lifted_at__isnull=True).select_related("hold").order_by("hold")
    )
    held: dict[int, dict[int, Hold]] = {}
    for item in items.annotate(of_record=F("record__filings__dossier")):
        for dossier in filter(None, (item.dossier_id, item.of_record)):
            held.setdefault(dossier, {})[item.hold_id] = item.hold
    return held


def _known(person: Person) -> Q:
    """Return the filter of the held things a person may know of: "on hold" by a hidden record would tell that it lies there.

    For pages alone. An act that may destroy asks for every hold, known to its actor or not.
    """
    return Q(record__isnull=True) | Q(access.visible_to(person).reaching("record_id"))


def holds_on(dossier: Dossier, person: Person) -> list[Hold]:
    """Return the active holds on a dossier that a person may know to be held: itself, or a record in it that they may see."""
    on_it = Q(dossier=dossier) | Q(record__filings__dossier=dossier)
    items = HoldItem.objects.filter(on_it & _known(person))
    return list(Hold.objects.filter(items__in=items, lifted_at__isnull=True).distinct())


@dataclass(frozen=True, slots=True)
class Order:
    """What a hold is placed for."""

    name: str
    reason: str
    mandate: str = ""


@transaction.atomic
def place_hold(order: Order, *, on: Iterable[Dossier | Record], actor: Person) -> Hold:
    """Place a hold on dossiers and records: nothing it covers is due until it is lifted.

    Raises:
        Hidden, Forbidden: the actor may not see one of them, or may not place holds.
        ReasonMissing, NothingHeld: as named.
    """
    access.require(actor, Action.HOLD_PLACE)
    things = list(on)
    if not order.reason.strip():
        raise ReasonMissing
    if not things:
        raise NothingHeld
    for thing in things:
        _check_visible(thing, actor)
    hold = Hold.objects.create(
        name=order.name, reason=order.reason, mandate=order.mandate, placed_at=timezone.now(), placed_by=actor
    )
    items = []
    for thing in things:
        dossier, record = (thing, None) if isinstance(thing, Dossier) else (None, thing)
        items.append(HoldItem.objects.create(hold=hold, dossier=dossier, record=record))
    details = {"name": hold.name, "on": [thing.key for thing in things]}
    audit.write(
        Action.HOLD_PLACE,
        actor=actor,
        subject=_about(hold),
        reason=order.reason,
        details=details,
        made=[hold, *items],
    )
    return hold


def _about(hold: Hold) -> audit.Subject:
    """Return what an entry about a hold says of it: its words belong to the highest level of what it covers."""
    items = HoldItem.objects.filter(hold=hold)
    highest = items.aggregate(records=Max("record__level"), dossiers=Max("dossier__level")).values()
    return replace(audit.subject_of(hold), level=max(level or 0 for level in highest))


def _check_visible(thing: Dossier | Record, actor: Person) -> None:
    if isinstance(thing, Dossier):
        dossiers.open_dossier(actor, Action.HOLD_PLACE, thing.key)
    else:
        access.require(actor, Action.HOLD_PLACE, thing)


@transaction.atomic
def lift_hold(hold: Hold, *, reason: str, actor: Person) -> Hold:
    """Lift a hold; its row and both reasons stay for good.

    Raises:
        Hidden, Forbidden: the actor may not see what it covers, or may not lift holds.
        ReasonMissing, HoldLifted: as named.
    """
    open_hold(actor, Action.HOLD_LIFT, hold.pk)
    if not reason.strip():
        raise ReasonMissing
    lifted = Hold.objects.filter(pk=hold.pk, lifted_at__isnull=True).update(
        lifted_at=timezone.now(), lifted_by=actor, lift_reason=reason.strip()
    )
    if not lifted:
        raise HoldLifted
    hold.refresh_from_db()
    audit.write(Action.HOLD_LIFT, actor=actor, subject=_about(hold), reason=reason, rows=[hold])
    return hold


def open_hold(person: Person, action: Action, pk: int) -> Hold:
    """Return a hold for an act.

    Raises:
        Forbidden: their post does not include the act, whatever the hold.
        Hidden: no such hold, or one that covers what this person may not see.
    """
    access.require(person, action)
    hold = visible_holds(person).filter(pk=pk).first()
    if hold is None:
        raise Hidden(object_type="hold", object_id=str(pk))
    return hold


def told_to(person: Person) -> list[Hold]:
    """Return the holds that a person may know of, those in force first, the newest first; never save these rows.

    What was written of one while a record that it covers stood above their clearance keeps to itself.
    """
    rows = list(
        visible_holds(person)
        .select_related("placed_by")
        .prefetch_related("items__dossier", "items__record")
        .order_by(F("lifted_at").asc(nulls_first=True), "-placed_at")
    )
    covered = {hold: [item.record_id for item in hold.items.all() if item.record_id] for hold in rows}
    stood = words.above_of(person, {record for records in covered.values() for record in records})
    for hold, records in covered.items():
        asked = [stood[record] for record in records if record in stood]
        if any(above(hold.placed_at) for above in asked):
            hold.name = hold.reason = str(words.WITHHELD)
            hold.mandate = ""
        if any(above(hold.lifted_at) for above in asked):
            hold.lift_reason = str(words.WITHHELD)
    return rows


def visible_holds(person: Person) -> QuerySet[Hold]:
    """Return the holds of which a person may see everything they cover."""
    # From the few things that are held, never from all that a person may see.
    hidden_records = HoldItem.objects.filter(~access.visible_to(person).reaching("record_id"), record__isnull=False)
    hidden_dossiers = HoldItem.objects.filter(dossier__isnull=False).exclude(
        dossier__in=dossiers.visible_dossiers(person).values("pk")
    )
    return Hold.objects.exclude(items__in=hidden_records).exclude(items__in=hidden_dossiers)
