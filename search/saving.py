"""Kept queries: keep, change, share with a role, take away, and be told of what is new.

A name and its words may betray what they ask for. So each has a level, stated by its
owner; nobody reads it without that clearance. Sharing below the sharer's own clearance
wants their word that nothing of it is secret. Hits are never kept: whoever opens a
query asks it anew, under their own rights of the day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit
from archive.audit import Subject
from archive.models import AuditEntry, AuditLeaf, Person
from archive.rules.errors import Forbidden, Hidden, Refusal
from archive.rules.levels import Level
from archive.rules.roles import Action, Role, allows
from archive.standing import clearance, standing
from search.entry import Order
from search.models import Alert, SavedSearch

MOST_KEPT: Final = 200  # of one person
MOST_ALERTS: Final = 20  # of one person: each is asked at every look
BELL: Final = timedelta(minutes=10)  # within which the bell of one query is told once to the log
SHARED_WITH: Final = tuple(role for role in Role if allows({role}, Action.SEARCH_SHARE))


class NameTaken(Refusal):
    """SEA-001: one person's kept queries have each a name of its own."""

    code = "SEA-001"
    message = _("You keep a query named “%(name)s” already. Choose another name, or change that one.")


class TooMany(Refusal):
    """SEA-002: a person keeps, and is told of, only so many queries."""

    code = "SEA-002"
    message = _("You have %(most)s of them already, which is the limit. Take one away first.")


class NotConfirmed(Refusal):
    """SEA-003: sharing below one's own clearance wants one's word that nothing secret is told."""

    code = "SEA-003"
    message = _(
        "People cleared to %(level)s only will read the name and the words. "
        "Confirm that neither tells anything above that level, or choose a higher one."
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """A query as its owner wants it kept: words, never hits; the level of the words; the role that reads it too."""

    name: str
    text: str
    level: Level
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    order: Order = Order.NEWEST
    shared_with: Role | None = None

    def columns(self) -> dict[str, Any]:
        """Return the values of the row."""
        return {
            "name": self.name,
            "text": self.text,
            "filters": {facet: list(values) for facet, values in self.filters.items()},
            "order": str(self.order),
            "level": int(self.level),
            "shared_with": self.shared_with,
        }


# --- who reads what ---------------------------------------------------------------------------
def readable(person: Person) -> QuerySet[SavedSearch]:
    """Return the queries a person may read: their own and those of their roles, within their clearance of now."""
    stands = standing(person, timezone.now())
    given = Q(person=person) | Q(shared_with__in=[int(role) for role in stands.roles])
    return SavedSearch.objects.filter(given, level__lte=stands.level).select_related("person")


def open_query(person: Person, action: Action, pk: int) -> SavedSearch:
    """Return a query that a person may read, for an act.

    Raises:
        Hidden: no such query, or one that must not be shown: the same answer.
        Forbidden: their post does not include the act.
    """
    access.require(person, action)
    found = readable(person).filter(pk=pk).first()
    if found is None:
        raise Hidden(object_type="query", object_id=str(pk))
    return found


def own_query(person: Person, action: Action, pk: int) -> SavedSearch:
    """Return a query of a person's own, for an act that changes it.

    Raises:
        Hidden: as `open_query`.
        Forbidden: it is somebody else's, or the post does not include the act.
    """
    found = open_query(person, action, pk)
    if found.person_id != person.pk:
        raise Forbidden(reason=_("only the owner of a query changes it"), object_type="query", object_id=str(pk))
    return found


def subject_of(kept: SavedSearch) -> Subject:
    """Return what an entry of the log is about."""
    return Subject("query", str(kept.pk), level=kept.level)


# --- what was told of them -------------------------------------------------------------------------
def told_of(shown: Sequence[SavedSearch], *, level: Level, actor: Person) -> None:
    """Write that a page of this level showed somebody names and words of these queries, or how much is new in them."""
    if shown:
        audit.read(Action.SEARCH_RUN, actor=actor, lines=shown, level=level, part="kept", shown=len(shown))


def rung_for(shown: Sequence[SavedSearch], *, actor: Person) -> None:
    """Write the same of the bell that stands on every page: for each query once in a while."""
    if shown:
        told = AuditEntry.objects.filter(actor=actor, action=Action.SEARCH_RUN, outcome="ok", object_type="query")
        lately = told.filter(object_id__in=[str(kept.pk) for kept in shown], ts__gte=timezone.now() - BELL)
        known = set(lately.values_list("object_id", flat=True))
        for kept in shown:
            if str(kept.pk) not in known:
                audit.read(Action.SEARCH_RUN, actor=actor, subject=subject_of(kept), part="bell")


# --- the acts ------------------------------------------------------------------------------------
@transaction.atomic
def keep(wanted: Wanted, *, actor: Person) -> SavedSearch:
    """Keep a query for its asker alone.

    Raises:
        Forbidden: the post does not include keeping, or the level is above the actor's clearance.
        NameTaken, TooMany: as named.
    """
    access.require(actor, Action.SEARCH_SAVE)
    _within_clearance(wanted.level, actor)
    mine = SavedSearch.objects.filter(person=actor)
    if mine.filter(name=wanted.name).exists():
        raise NameTaken(name=wanted.name)
    if mine.count() >= MOST_KEPT:
        raise TooMany(most=MOST_KEPT)
    columns = wanted.columns() | {"shared_with": None}
    kept = SavedSearch.objects.create(person=actor, created_at=timezone.now(), **columns)
    audit.write(Action.SEARCH_SAVE, actor=actor, subject=subject_of(kept), details=_said(kept))
    return kept


@transaction.atomic
def change(kept: SavedSearch, wanted: Wanted, *, is_sure: bool, actor: Person) -> SavedSearch:
    """Change name, words, level, and with whom it is shared.

    Args:
        kept: a query of the actor's own.
        wanted: all of it as it shall be.
        is_sure: the actor's word that name and words tell nothing above the level stated.
        actor: its owner.

    Raises:
        Hidden, Forbidden: not the actor's, or a level above their clearance, or a role that does not search.
        NameTaken, NotConfirmed: as named.
    """
    own_query(actor, Action.SEARCH_SAVE, kept.pk)
    _within_clearance(wanted.level, actor)
    if SavedSearch.objects.filter(person=actor, name=wanted.name).exclude(pk=kept.pk).exists():
        raise NameTaken(name=wanted.name)
    if wanted.shared_with is not None:
        _may_share(wanted, is_sure=is_sure, actor=actor)
    before = kept.shared_with
    for column, value in wanted.columns().items():
        setattr(kept, column, value)
    kept.save()
    audit.write(Action.SEARCH_SAVE, actor=actor, subject=subject_of(kept), details=_said(kept))
    if kept.shared_with is not None or before is not None:
        _shared(kept, actor)
    return kept


@transaction.atomic
def stop_sharing(kept: SavedSearch, *, actor: Person) -> None:
    """Keep a shared query for its owner alone again; nobody else is told of it any more.

    Raises:
        Hidden, Forbidden: not the actor's.
    """
    own_query(actor, Action.SEARCH_SHARE, kept.pk)
    SavedSearch.objects.filter(pk=kept.pk).update(shared_with=None)
    kept.shared_with = None
    _shared(kept, actor)


@transaction.atomic
def take_away(kept: SavedSearch, *, actor: Person) -> None:
    """Take a query away, with the alerts of everybody who was told of it.

    Raises:
        Hidden, Forbidden: not the actor's.
    """
    own_query(actor, Action.SEARCH_SAVE, kept.pk)
    subject = subject_of(kept)
    kept.delete()
    audit.write(Action.SEARCH_SAVE, actor=actor, subject=subject, details={"name": kept.name, "gone": True})


def _within_clearance(level: Level, actor: Person) -> None:
    if level > clearance(actor, timezone.now()):
        raise Forbidden(reason=_("the level stated is above your clearance"), object_type="query")


def _may_share(wanted: Wanted, *, is_sure: bool, actor: Person) -> None:
    access.require(actor, Action.SEARCH_SHARE)
    if wanted.shared_with not in SHARED_WITH:
        raise Forbidden(reason=_("this post does not search"), object_type="query")
    if wanted.level < clearance(actor, timezone.now()) and not is_sure:
        raise NotConfirmed(level=wanted.level.label)


def _shared(kept: SavedSearch, actor: Person) -> None:
    """Write down with whom it is shared now, and end the alerts of everybody else."""
    role = "" if kept.shared_with is None else Role(kept.shared_with).name.lower()
    if kept.shared_with is None:
        Alert.objects.filter(search=kept).exclude(person=kept.person).delete()
    details = {"name": kept.name, "text": kept.text, "role": role, "level": Level(kept.level).slug}
    audit.write(Action.SEARCH_SHARE, actor=actor, subject=subject_of(kept), details=details)


def _said(kept: SavedSearch) -> dict[str, Any]:
    return {"name": kept.name, "text": kept.text, "filters": kept.filters, "level": Level(kept.level).slug}


# --- being told ------------------------------------------------------------------------------------
@transaction.atomic
def watch(kept: SavedSearch, *, actor: Person) -> Alert:
    """Tell a person from now on of what is new in a query that they may read.

    Raises:
        Hidden, Forbidden: as `open_query`.
        TooMany: the person is told of enough.
    """
    open_query(actor, Action.SEARCH_SAVE, kept.pk)
    mine = Alert.objects.filter(person=actor)
    known = mine.filter(search=kept).first()
    if known:
        return known
    if mine.filter(search__in=readable(actor)).count() >= MOST_ALERTS:  # another they could not take away
        raise TooMany(most=MOST_ALERTS)
    top = AuditLeaf.objects.order_by("-idx").values_list("idx", flat=True).first()
    seen = 0 if top is None else top + 1
    now = timezone.now()
    alert = Alert.objects.create(person=actor, search=kept, seen=seen, seen_at=now, looked_at=now)
    audit.write(Action.SEARCH_SAVE, actor=actor, subject=subject_of(kept), details={"name": kept.name, "alert": True})
    return alert


@transaction.atomic
def stop_watching(kept: SavedSearch, *, actor: Person) -> None:
    """Tell a person no more of a query.

    Raises:
        Hidden, Forbidden: as `open_query`.
    """
    open_query(actor, Action.SEARCH_SAVE, kept.pk)
    Alert.objects.filter(person=actor, search=kept).delete()
    audit.write(Action.SEARCH_SAVE, actor=actor, subject=subject_of(kept), details={"name": kept.name, "alert": False})


def looked(alert: Alert, *, upto: int, at: datetime) -> None:
    """Remember that a person has looked at everything before a place in the log, at a moment; never backwards, never ahead."""
    at = min(at, timezone.now())
    Alert.objects.filter(pk=alert.pk, looked_at__lt=at).update(looked_at=at)
    last = AuditLeaf.objects.filter(idx=upto - 1).values_list("entry__ts", flat=True).first()
    if last is not None:
        Alert.objects.filter(pk=alert.pk, seen__lt=upto).update(seen=upto, seen_at=last)
