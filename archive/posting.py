"""Posts and scopes: given by the security officer to somebody else, for a time, on a decision; ended early, never longer.

A row is never changed but for an earlier end, so what a person was on a past day can be told.
Expiry needs no act: `archive.standing` compares the clock, so a delegation that ends at midnight
ends there in the middle of a session. Whoever watches the others or runs the machine holds nothing
besides; a post that must be filled is not ended before it has another holder. Nothing here reads a record.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from django.db import transaction
from django.db.models import F, Model, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, accounts, audit
from archive.models import Clearance, Person, PersonRole, Unit, UnitScope
from archive.rules.errors import Forbidden, Refusal
from archive.rules.levels import Level
from archive.rules.roles import APART, ROLE_LABELS, Action, Role
from archive.standing import during

# Without a holder of these nobody could make an account, or give a post.
FILLED: Final = frozenset({Role.ADMIN, Role.SECURITY})
# Posts that a machine never holds: they watch, give or run.
OF_PEOPLE: Final = frozenset({Role.ADMIN, Role.SECURITY, Role.AUDITOR, Role.LEADER})
Row = TypeVar("Row", PersonRole, UnitScope)


class PostsApart(Refusal):
    """POS-001: who watches the others, or runs the machine, holds no other post."""

    code = "POS-001"
    message = _(
        "The posts “%(role)s” and “%(other)s” are never in one hand at one time. End the other one first, or choose "
        "another person or other days."
    )


class Cleared(Refusal):
    """POS-002: who runs the machine has no clearance."""

    code = "POS-002"
    message = _(
        "%(person)s has a clearance for that time, and whoever administers the machine has none. Let it be revoked first."
    )


class NoGround(Refusal):
    """POS-003: a post or scope rests on a decision; its early end on a reason."""

    code = "POS-003"
    message = _("Fill in the number of the decision, or the reason of the end: posts and scopes rest on them.")


class WrongTerm(Refusal):
    """POS-004: the end lies before the beginning, or the beginning in the past."""

    code = "POS-004"
    message = _("Posts and scopes begin today or later and end after they begin. Correct the days.")


class HeldAlready(Refusal):
    """POS-005: one row for one post at one time."""

    code = "POS-005"
    message = _("%(person)s holds “%(what)s” already in that time. Let the new one begin when the present one ends.")


class TermOver(Refusal):
    """POS-006: ended already."""

    code = "POS-006"
    message = _("This has ended already. Look at the page again.")


class LastOfPost(Refusal):
    """POS-007: somebody must hold this post."""

    code = "POS-007"
    message = _(
        "%(person)s is the last to hold the post “%(role)s” without an end. Give it to another person first: without one "
        "the office could make no account and give no post any more."
    )


class NotTheirsToDelegate(Refusal):
    """POS-008: a delegation has an end, and is given in the place of somebody who holds the post in their own right."""

    code = "POS-008"
    message = _(
        "%(person)s does not hold the post “%(role)s” in their own right for all of that time. A delegation has a last "
        "day, and is not handed on."
    )


class ScopeOfNothing(Refusal):
    """POS-009: a scope opens nothing to who holds a post apart."""

    code = "POS-009"
    message = _(
        "Who holds the post “%(role)s” has no scope over units: no dispatch is their business. End the one, or choose "
        "another person."
    )


class NotForMachines(Refusal):
    """POS-010: a service account decides nothing and watches nobody."""

    code = "POS-010"
    message = _("%(person)s is a service account, and the post “%(role)s” is held by people only.")


class NotEarlier(Refusal):
    """POS-011: a post or scope is never made longer by changing its end."""

    code = "POS-011"
    message = _("The new end must lie before the present one, and not in the past. To go on longer, give it anew.")


class NotInUse(Refusal):
    """POS-012: nothing is given to a closed account or over a closed unit."""

    code = "POS-012"
    message = _("“%(name)s” is closed. Let the administrator reopen it first, or choose another one.")


@dataclass(frozen=True, slots=True)
class Term:
    """From when to when, and on what it rests: `until` None means no end; times are aware."""

    since: datetime
    until: datetime | None
    basis: str


# --- posts --------------------------------------------------------------------------------------------------


@transaction.atomic
def give_post(role: Role, *, term: Term, to: Person, actor: Person, instead_of: Person | None = None) -> PersonRole:
    """Give somebody else a post for a time, in their own right or by delegation in the place of another.

    Raises:
        Forbidden: the actor may not give posts, or gives to themselves.
        NoGround, WrongTerm, NotInUse, NotForMachines, HeldAlready, PostsApart, Cleared, ScopeOfNothing,
        NotTheirsToDelegate: as named.
    """
    access.require(actor, Action.POST_GIVE)
    term, person = _allowed(term, to, actor)
    if person.is_service and role in OF_PEOPLE:
        raise NotForMachines(person=person.full_name, role=ROLE_LABELS[role])
    _require_apart(person, role, term)
    if instead_of is not None:
        _require_delegable(instead_of, person, role, term)
    given = PersonRole.objects.create(
        person=person, role=role, since=term.since, until=term.until, basis=term.basis,
        instead_of=instead_of, granted_by=actor,
    )  # fmt: skip
    details = {"post": role.name.lower(), "since": _said(term.since), "until": _said(term.until), "basis": term.basis}
    if instead_of is not None:
        details |= {"instead_of": instead_of.full_name}
    audit.write(Action.POST_GIVE, actor=actor, subject=person, details=details, made=[given])
    return given


@transaction.atomic
def end_post(row: PersonRole, *, reason: str, actor: Person, until: datetime | None = None) -> PersonRole:
    """End a post, now or at an earlier moment than it said; delegations that rest on it end with it.

    Raises:
        Forbidden: the actor may not, or it is their own post.
        TermOver, NotEarlier, NoGround, LastOfPost: as named.
        LastEntrance: nobody with a password of this system would administer the machine.
    """
    access.require(actor, Action.POST_END)
    role = Role(row.role)
    _require_other(row.person, actor)
    lock_holders(row.person, {role})
    live = _live(row)
    at = _earlier(live, until, reason)
    if role in FILLED:
        require_successor(row.person, role)
    ended = [live, *_delegations(row.person, role, after=at)]
    _end(ended, at, reason, actor)
    details = {"post": role.name.lower(), "until": _said(at), "delegations": len(ended) - 1}
    audit.write(Action.POST_END, actor=actor, subject=row.person, reason=reason.strip(), details=details, rows=ended)
    return PersonRole.objects.get(pk=row.pk)


def _require_apart(person: Person, role: Role, term: Term) -> None:
    """Refuse a post that does not go with what its holder has in that time."""
    held = [Role(each) for each in person.role_rows.filter(_in(term)).values_list("role", flat=True)]
    if role in held:
        raise HeldAlready(person=person.full_name, what=ROLE_LABELS[role])
    for other in held:
        if {role, other} & APART:
            raise PostsApart(role=ROLE_LABELS[role], other=ROLE_LABELS[other])
    if role in APART and person.scopes.filter(_in(term)).exists():
        raise ScopeOfNothing(role=ROLE_LABELS[role])
    if role is Role.ADMIN and is_cleared_during(person, term.since, term.until):
        raise Cleared(person=person.full_name)


def is_cleared_during(person: Person, since: datetime, until: datetime | None) -> bool:
    """Return whether a clearance above the lowest level, or for a mark, counts at some moment of that time."""
    opening = Q(level__gt=Level.THUONG) | Q(marks__isnull=False)
    live = Q(revoked_at__isnull=True) | Q(revoked_at__gt=since)
    return Clearance.objects.filter(during(since, until), opening, live, person=person).exists()


def _require_delegable(holder: Person, to: Person, role: Role, term: Term) -> None:
    own = PersonRole.objects.filter(person=holder, role=role, instead_of=None, since__lte=term.since)
    own = own.filter(Q(until__isnull=True) | Q(until__gte=term.until)) if term.until else own.none()
    if holder.pk == to.pk or not holder.is_active or not own.exists():
        raise NotTheirsToDelegate(person=holder.full_name, role=ROLE_LABELS[role])


def _delegations(holder: Person, role: Role, *, after: datetime) -> list[PersonRole]:
    rows = PersonRole.objects.select_for_update(of=("self",)).filter(instead_of=holder, role=role, until__gt=after)
    return list(rows.filter(until__gt=F("since")).order_by("pk"))


def lock_holders(person: Person, roles: Iterable[Role]) -> None:
    """Lock a person and whoever holds one of these posts: of two ends at once the second sees the first."""
    holders = PersonRole.objects.filter(role__in=list(roles)).values("person")
    people = Person.objects.select_for_update(of=("self",)).filter(Q(pk=person.pk) | Q(pk__in=holders))
    list(people.order_by("pk").values_list("pk", flat=True))


def require_successor(person: Person, role: Role) -> None:
    """Refuse to take a post that must be filled from the last who holds it without an end; the holders are locked.

    Raises:
        LastOfPost, accounts.LastEntrance: as named.
    """
    others = PersonRole.objects.filter(
        role=role, since__lte=timezone.now(), until=None, instead_of=None, person__is_active=True
    ).exclude(person=person)
    if not others.exists():
        raise LastOfPost(person=person.full_name, role=ROLE_LABELS[role])
    if role is Role.ADMIN:
        accounts.require_entrance(without=person)


# --- scopes -------------------------------------------------------------------------------------------------


@transaction.atomic
def give_scope(unit: Unit, *, term: Term, to: Person, actor: Person) -> UnitScope:
    """Make the papers of a unit and of all below it the business of somebody else, for a time.

    Raises:
        Forbidden: the actor may not give scopes, or gives to themselves.
        NoGround, WrongTerm, NotInUse, HeldAlready, ScopeOfNothing: as named.
    """
    access.require(actor, Action.SCOPE_GIVE)
    term, person = _allowed(term, to, actor)
    unit = Unit.objects.get(pk=unit.pk)
    if not unit.is_active:
        raise NotInUse(name=unit.name)
    apart = person.role_rows.filter(_in(term), role__in=list(APART)).first()
    if apart is not None:
        raise ScopeOfNothing(role=ROLE_LABELS[Role(apart.role)])
    if person.scopes.filter(_in(term), unit=unit).exists():
        raise HeldAlready(person=person.full_name, what=unit.name)
    given = UnitScope.objects.create(
        person=person, unit=unit, since=term.since, until=term.until, basis=term.basis, granted_by=actor
    )
    details = {"unit": unit.name, "since": _said(term.since), "until": _said(term.until), "basis": term.basis}
    audit.write(Action.SCOPE_GIVE, actor=actor, subject=person, details=details, made=[given])
    return given


@transaction.atomic
def end_scope(row: UnitScope, *, reason: str, actor: Person, until: datetime | None = None) -> UnitScope:
    """End a scope, now or at an earlier moment than it said.

    Raises:
        Forbidden: the actor may not, or it is their own scope.
        TermOver, NotEarlier, NoGround: as named.
    """
    access.require(actor, Action.SCOPE_END)
    _require_other(row.person, actor)
    lock_holders(row.person, ())
    live = _live(row)
    at = _earlier(live, until, reason)
    _end([live], at, reason, actor)
    details = {"unit": live.unit.name, "until": _said(at)}
    audit.write(Action.SCOPE_END, actor=actor, subject=row.person, reason=reason.strip(), details=details, rows=[live])
    return UnitScope.objects.get(pk=row.pk)


# --- both ---------------------------------------------------------------------------------------------------


def end_all(person: Person, *, reason: str, actor: Person) -> list[Model]:
    """End every post and scope of a person, and delegations in their place, with an act that has its own entry.

    To be called in its transaction, after `lock_holders`; returns the rows for its entry.
    """
    now = timezone.now()
    not_over = Q(until__isnull=True) | Q(until__gt=now) & Q(until__gt=F("since"))
    posts = PersonRole.objects.select_for_update(of=("self",)).filter(not_over, Q(person=person) | Q(instead_of=person))
    scopes = UnitScope.objects.select_for_update(of=("self",)).filter(not_over, person=person)
    ended: list[Model] = []
    for rows in (list(posts.order_by("pk")), list(scopes.order_by("pk"))):
        _end(rows, now, reason, actor)  # type: ignore[type-var]
        ended += rows
    return ended


def _allowed(term: Term, to: Person, actor: Person) -> tuple[Term, Person]:
    """Return the term, from now on if it begins today, and its holder under their lock; or refuse."""
    _require_other(to, actor)
    now = timezone.now()
    if not term.basis.strip():
        raise NoGround
    if timezone.localdate(term.since) < timezone.localdate(now):
        raise WrongTerm
    since = max(term.since, now)
    if term.until is not None and term.until <= since:
        raise WrongTerm
    person = Person.objects.select_for_update(of=("self",)).get(pk=to.pk)
    if not person.is_active:
        raise NotInUse(name=person.full_name)
    return Term(since, term.until, term.basis.strip()), person


def _require_other(person: Person, actor: Person) -> None:
    if person.pk == actor.pk:
        raise Forbidden(
            reason=_("nobody gives or ends their own posts and scopes"), object_type="person", object_id=str(person.pk)
        )


def _in(term: Term) -> Q:
    return during(term.since, term.until)


def _live(row: Row) -> Row:
    """Return a post or scope under its lock, or refuse one that has ended; one of the future is live."""
    found = type(row).objects.select_for_update(of=("self",)).get(pk=row.pk)
    if found.until is not None and found.until <= max(timezone.now(), found.since):
        raise TermOver
    return found


def _earlier(row: PersonRole | UnitScope, until: datetime | None, reason: str) -> datetime:
    """Return when it ends: now, or at the earlier moment asked for."""
    if not reason.strip():
        raise NoGround
    now = timezone.now()
    if until is not None and (until <= now or (row.until is not None and until >= row.until)):
        raise NotEarlier
    return until or now


def _end(rows: Iterable[Row], at: datetime, reason: str, actor: Person) -> None:
    for row in rows:
        until = max(at, row.since)  # what had not begun never does
        type(row).objects.filter(pk=row.pk).update(until=until, ended_by=actor, end_reason=reason.strip())


def _said(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
