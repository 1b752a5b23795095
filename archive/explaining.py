"""Why may this person see this record, or why not: the policy in words, now or on a past day.

Each condition is asked of the rows by itself - account, post, level, marks, reason - and said to be
met, not met, or not known; together they give the verdict. For now it is held against what the door
asks: `archive.access.may`, and whether the rows that open are those that acts left
(`archive.warrants`). For a past day posts, clearances, scopes, grants and steps
are read from their own days, and what keeps none (account, level, marks and unit of the record, tree
of units) from the digests of that day (`archive.past`). Nothing here opens a door.
"""

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from archive import access, warrants
from archive.leveling import words
from archive.models import Grant, Mark, MarkingMark, Person, Record, Step, Unit
from archive.past import Facts, NotKnown, Past, Present
from archive.rules.roles import APART, Action, Role, allows
from archive.rules.steps import WORK
from archive.standing import marks_held, open_markings, standing

_ROWS: Final = {
    "record": gettext_lazy("dispatch"),
    "files": gettext_lazy("files or pages of dispatch"),
    "step": gettext_lazy("step"),
    "unit": gettext_lazy("unit"),
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
    """One condition of the policy: its name, whether it is met (None: not known), and the facts in a sentence."""

    name: str
    is_met: bool | None
    said: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict with its conditions: one not met is enough for a no, one not known for no verdict (None)."""

    allowed: bool | None
    conditions: tuple[Condition, ...]
    at: datetime
    is_past: bool


@dataclass(frozen=True, slots=True)
class _Question:
    """Whose access to what is asked about, at which moment, from which facts, and who asks."""

    person: Person
    record: Record
    at: datetime
    facts: Facts
    reader: Person


def why(person: Person, record: Record, *, at: datetime | None = None, reader: Person | None = None) -> Answer:
    """Return whether a person may open a record, condition by condition, now or at a past moment.

    Args:
        person: who is asked about.
        record: opened for the reader.
        at: an aware moment; None for now.
        reader: who asks: reasons written at a level above their clearance are taken out. None: the person asked about.
    """
    moment = at or timezone.now()
    if at is not None and record.created_at > at:
        said = _("Had not come in yet: it was taken in on %(day)s.") % {"day": _day(record.created_at)}
        return Answer(
            allowed=False, conditions=(Condition(_("Dispatch"), is_met=False, said=said),), at=at, is_past=True
        )
    facts = Present(moment) if at is None else Past(at)
    asked = _Question(_as_in_use(person), record, moment, facts, reader or person)
    conditions: tuple[Condition, ...] = (
        _told(_("Account"), lambda: _account(person, facts)),
        _told(_("Post"), lambda: _post(asked)),
        _told(_("Level"), lambda: _level(asked)),
        _told(_("Compartment"), lambda: _marks(asked)),
        _told(_("Need to know"), lambda: _reason(asked)),
    )
    allowed = _verdict([each.is_met for each in conditions])
    if at is None:
        # The door has the last word: what is said here can never open what it closes. It asks the log after the policy.
        allowed = bool(allowed) and access.may(person, Action.RECORD_READ, record).allowed
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
            "office, or a row is older than what the log keeps. Tell the security officer."
        ) % {"rows": ", ".join(map(_row, wanting))}
    return Condition(_("Held against the log"), not wanting, said)


def _row(name: str) -> str:
    """Return a row as `warrants.wanting` names it, in words: "clearance 12", or "no clearance" where none is left."""
    kind, _between, number = name.removeprefix("no ").partition(" ")
    word = str(_ROWS.get(kind, kind))
    return _("no %(what)s") % {"what": word} if name.startswith("no ") else f"{word} {number}"


def _as_in_use(person: Person) -> Person:
    """Return the person as if the account were in use: that is a condition of its own, and the others are told beside it."""
    one = copy(person)
    one.is_active = True
    return one


def _told(name: str, ask: Callable[[], Condition]) -> Condition:
    try:
        return ask()
    except NotKnown as gap:
        return Condition(name, is_met=None, said=str(gap))


def _verdict(met: list[bool | None]) -> bool | None:
    if False in met:
        return False
    return None if None in met else True


def _account(person: Person, facts: Facts) -> Condition:
    if not facts.is_there(person):
        return Condition(_("Account"), is_met=False, said=_("The account had not been made yet."))
    met = facts.is_in_use(person)
    return Condition(_("Account"), met, _("The account is in use.") if met else _("The account is closed."))


def _post(asked: _Question) -> Condition:
    roles = standing(asked.person, asked.at).roles
    names = ", ".join(str(Role(role).label) for role in sorted(roles))
    if roles & APART:
        said = _("%(posts)s: who audits, or runs the machine, has no door to a dispatch.") % {"posts": names}
        return Condition(_("Post"), is_met=False, said=said)
    met = allows(roles, Action.RECORD_READ)
    if not roles:
        return Condition(_("Post"), is_met=False, said=_("Had no post at that moment."))
    text = _("%(posts)s: may read dispatches.") if met else _("%(posts)s: the post does not include reading.")
    return Condition(_("Post"), is_met=met, said=text % {"posts": names})


def _level(asked: _Question) -> Condition:
    needed, held = asked.facts.level(asked.record), standing(asked.person, asked.at).level
    both = {"held": held.label, "asked": needed.label}
    if held >= needed:
        return Condition(_("Level"), is_met=True, said=_("Cleared to %(held)s; the dispatch is %(asked)s.") % both)
    said = _("Cleared to %(held)s only; the dispatch is %(asked)s.") % both
    return Condition(_("Level"), is_met=False, said=said)


def _marks(asked: _Question) -> Condition:
    marking = asked.facts.marking(asked.record)
    needed = MarkingMark.objects.filter(marking=marking).values_list("mark", flat=True)
    if not needed:
        return Condition(_("Compartment"), is_met=True, said=_("The dispatch carries no mark."))
    names = ", ".join(Mark.objects.filter(pk__in=list(needed)).order_by("name").values_list("name", flat=True))
    met = marking in open_markings(asked.person, asked.at)
    own = marks_held(asked.person, asked.at) & set(needed)
    held = ", ".join(Mark.objects.filter(pk__in=own).order_by("name").values_list("name", flat=True)) or _("none")
    both = {"asked": names, "held": held}
    return Condition(_("Compartment"), met, _("The dispatch carries %(asked)s; held of these: %(held)s.") % both)


def _reason(asked: _Question) -> Condition:
    found = list(_grounds(asked))
    gaps = [each for each in found if isinstance(each, NotKnown)]
    grounds = [each for each in found if isinstance(each, str)]
    if grounds:
        return Condition(_("Need to know"), is_met=True, said=" ".join(grounds))
    if gaps:
        raise gaps[0]
    said = _("Neither own unit, nor a step in hand, nor an opening by name.")
    return Condition(_("Need to know"), is_met=False, said=said)


def _grounds(asked: _Question) -> Iterator[str | NotKnown]:
    """Yield each reason to know of the record that held at a moment, in a sentence; a gap where one is not known."""
    try:
        yield from _by_unit(asked)
    except NotKnown as gap:
        yield gap
    for step in asked.facts.live(asked.record):
        try:
            yield from _by_step(asked, step)
        except NotKnown as gap:
            yield gap
    live = Q(ended_at__isnull=True) | Q(ended_at__gt=asked.at)
    opened = Grant.objects.filter(
        live, record=asked.record, person=asked.person, since__lte=asked.at, until__gt=asked.at
    )
    given = list(opened)
    words.hush(asked.reader, given, words.OF_GRANT)
    for one in given:
        said = {"by": one.granted_by.full_name, "until": _day(one.until), "reason": one.reason.rstrip(".")}
        yield _("Opened to them by %(by)s until %(until)s: %(reason)s.") % said


def _by_unit(asked: _Question) -> Iterator[str]:
    """Tell whether the unit that had the record lay within theirs; of a draft the clerk alone knows."""
    unit = asked.facts.unit(asked.record)
    if asked.facts.is_within(unit, asked.person):
        is_clerk = Role.CLERK in standing(asked.person, asked.at).roles
        if is_clerk or not asked.facts.is_on_desk(asked.record):
            yield _("%(unit)s, which has the dispatch, is within their units.") % {"unit": _named(unit)}


def _by_step(asked: _Question, step: Step) -> Iterator[str]:
    day = {"day": _day(step.created_at)}
    if step.to_person_id == asked.person.pk:
        yield _("Has it in hand since %(day)s.") % day
    elif step.from_person_id == asked.person.pk and step.kind in WORK:
        yield _("Asked for work on it on %(day)s, which is not finished.") % day
    elif step.to_unit_id and asked.facts.is_within(step.to_unit_id, asked.person):
        yield _("%(unit)s has it in hand since %(day)s.") % {"unit": _named(step.to_unit_id), **day}


def _named(unit: int) -> str:
    return Unit.objects.get(pk=unit).name


def _day(moment: datetime) -> str | Promise:
    return f"{timezone.localtime(moment):%d/%m/%Y}"
