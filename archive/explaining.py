"""Why may this person see this record, or why not: the policy in words, now or on a past day.

Each condition is asked of the dated rows by itself - account, post, level, marks, reason - and
said to be met or not; together they give the verdict. For now it is held against what the door
asks: `archive.access.may`, and whether the rows that open are those that acts left
(`archive.warrants`). For a past day it reads the rows as they stood: posts, clearances, scopes,
grants, steps and levels are kept with their days; units, accounts and marks are those of today, and
the page says so. Nothing here opens a door.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from archive import access, warrants
from archive.leveling import history, words
from archive.models import Grant, Mark, MarkingMark, Person, Record, RecordState, Step, Unit
from archive.models.route import LIVE_STATES
from archive.rules.levels import Level
from archive.rules.roles import APART, Action, Role, allows
from archive.rules.steps import WORK
from archive.standing import marks_held, open_markings, standing, units_in_scope

_ROWS: Final = {
    "record": gettext_lazy("dispatch"),
    "personrole": gettext_lazy("post"),
    "role": gettext_lazy("post"),
    "unitscope": gettext_lazy("unit in scope"),
    "clearance": gettext_lazy("clearance"),
    "clearancemark": gettext_lazy("mark on a clearance"),
    "marks": gettext_lazy("marks"),
    "grant": gettext_lazy("opening by name"),
    "need-to-know": gettext_lazy("need to know"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the policy: its name, whether it is met, and the facts in a sentence."""

    name: str
    is_met: bool
    said: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict with its conditions; a condition not met is enough for a no."""

    allowed: bool
    conditions: tuple[Condition, ...]
    at: datetime
    is_past: bool


def why(person: Person, record: Record, *, at: datetime | None = None, reader: Person | None = None) -> Answer:
    """Return whether a person may open a record, condition by condition, now or at a past moment.

    Args:
        person: who is asked about.
        record: opened for the reader.
        at: an aware moment; None for now.
        reader: who asks: reasons written at a level above their clearance are taken out. None: the person asked about.
    """
    now = timezone.now()
    moment = at or now
    conditions: tuple[Condition, ...] = (
        _account(person),
        _post(person, moment),
        _level(person, record, moment),
        _marks(person, record, moment),
        _reason(person, record, moment, reader or person),
    )
    allowed = all(each.is_met for each in conditions)
    if at is None:
        # The door has the last word: what is said here can never open what it closes. It asks the log after the policy.
        allowed = allowed and access.may(person, Action.RECORD_READ, record).allowed
        if allowed:
            borne_out = _borne_out(person, record, moment)
            conditions, allowed = (*conditions, borne_out), borne_out.is_met
    return Answer(allowed, conditions, moment, is_past=at is not None)


def _borne_out(person: Person, record: Record, at: datetime) -> Condition:
    """Return whether the rows that open the dispatch are those that acts left, as its door asks at the end."""
    wanting = warrants.wanting(person, Action.RECORD_READ, record, at)
    said = _("Post, scope, clearance, opening and dispatch stand as acts left them.")
    if wanting:
        said = _(
            "Not as the log says, so the door stays closed (ACC-006): %(rows)s. Somebody changed the database past the "
            "office, or a row is older than the log's digests."
        ) % {"rows": ", ".join(map(_row, wanting))}
    return Condition(_("What the log says of the rows that open it"), not wanting, said)


def _row(name: str) -> str:
    """Return a row as `warrants.wanting` names it, in words: "clearance 12", or "no clearance" where none is left."""
    kind, _between, number = name.removeprefix("no ").partition(" ")
    word = str(_ROWS.get(kind, kind))
    return _("no %(what)s") % {"what": word} if name.startswith("no ") else f"{word} {number}"


def _account(person: Person) -> Condition:
    said = _("The account is in use.") if person.is_active else _("The account is closed.")
    return Condition(_("Account"), person.is_active, said)


def _post(person: Person, at: datetime) -> Condition:
    roles = standing(person, at).roles
    names = ", ".join(str(Role(role).label) for role in sorted(roles))
    if roles & APART:
        said = _("%(posts)s: who audits, or runs the machine, has no door to a dispatch.") % {"posts": names}
        return Condition(_("Post"), is_met=False, said=said)
    met = allows(roles, Action.RECORD_READ)
    if not roles:
        return Condition(_("Post"), is_met=False, said=_("Had no post at that moment."))
    text = _("%(posts)s: may read dispatches.") if met else _("%(posts)s: the post does not include reading.")
    return Condition(_("Post"), is_met=met, said=text % {"posts": names})


def _level(person: Person, record: Record, at: datetime) -> Condition:
    asked = Level(record.level) if timezone.now() <= at else history.level_at(record, at)
    held = standing(person, at).level
    both = {"held": held.label, "asked": asked.label}
    if held >= asked:
        return Condition(_("Level"), is_met=True, said=_("Cleared to %(held)s; the dispatch is %(asked)s.") % both)
    said = _("Cleared to %(held)s only; the dispatch is %(asked)s.") % both
    return Condition(_("Level"), is_met=False, said=said)


def _marks(person: Person, record: Record, at: datetime) -> Condition:
    asked = MarkingMark.objects.filter(marking=record.marking_id).values_list("mark", flat=True)
    if not asked:
        return Condition(_("Compartment"), is_met=True, said=_("The dispatch carries no mark."))
    names = ", ".join(Mark.objects.filter(pk__in=list(asked)).order_by("name").values_list("name", flat=True))
    met = record.marking_id in open_markings(person, at)
    own = marks_held(person, at) & set(asked)
    held = ", ".join(Mark.objects.filter(pk__in=own).order_by("name").values_list("name", flat=True)) or _("none")
    both = {"asked": names, "held": held}
    return Condition(_("Compartment"), met, _("The dispatch carries %(asked)s; held of these: %(held)s.") % both)


def _reason(person: Person, record: Record, at: datetime, reader: Person) -> Condition:
    grounds = list(_grounds(person, record, at, reader))
    if grounds:
        return Condition(_("Need to know"), is_met=True, said=" ".join(grounds))
    said = _("Neither own unit, nor a step in hand, nor an opening by name.")
    return Condition(_("Need to know"), is_met=False, said=said)


def _grounds(person: Person, record: Record, at: datetime, reader: Person) -> Iterator[str]:
    """Yield each reason to know of the record that held at a moment, in a sentence."""
    units = set(units_in_scope(person, at))
    if record.unit_id in units and (not _on_desk(record, at) or Role.CLERK in standing(person, at).roles):
        yield _("%(unit)s, which has the dispatch, is within their units.") % {"unit": record.unit.name}
    for step in _live(record, at):
        if step.to_person_id == person.pk:
            yield _("Has it in hand since %(day)s.") % {"day": _day(step.created_at)}
        elif step.to_unit_id in units:
            name = Unit.objects.get(pk=step.to_unit_id).name
            yield _("%(unit)s has it in hand since %(day)s.") % {"unit": name, "day": _day(step.created_at)}
        elif step.from_person_id == person.pk and step.kind in WORK:
            yield _("Asked for work on it on %(day)s, which is not finished.") % {"day": _day(step.created_at)}
    live = Q(ended_at__isnull=True) | Q(ended_at__gt=at)
    given = list(Grant.objects.filter(live, record=record, person=person, since__lte=at, until__gt=at))
    words.hush(reader, given, words.OF_GRANT)
    for one in given:
        said = {"by": one.granted_by.full_name, "until": _day(one.until), "reason": one.reason.rstrip(".")}
        yield _("Opened to them by %(by)s until %(until)s: %(reason)s.") % said


def _on_desk(record: Record, at: datetime) -> bool:
    if record.state in {RecordState.DRAFT, RecordState.RETURNED}:
        return True
    return record.registered_at is not None and record.registered_at > at


def _live(record: Record, at: datetime) -> list[Step]:
    """Return the steps that gave need-to-know at a moment; those of now by their state."""
    steps = Step.objects.filter(record=record, created_at__lte=at)
    if timezone.now() <= at:
        return list(steps.filter(state__in=LIVE_STATES))
    return list(steps.filter(Q(closed_at__isnull=True, state__in=LIVE_STATES) | Q(closed_at__gt=at)))


def _day(moment: datetime) -> str | Promise:
    return f"{timezone.localtime(moment):%d/%m/%Y}"
