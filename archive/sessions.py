"""Open sessions: whose, since when, from where, last used; and ending them, which acts on the next request.

The session engine of Django on a table of ours, so that the sessions of one person can be
found. What a row tells of itself stands in the session and is copied at each save. The key
lies in the browser alone: the row has its digest, so that whoever reads the database or a
backup has nobody's session. A session is named by the beginning of that digest, as entries of
the log do. Knows no screen.
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as Rows
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from archive import access, audit
from archive.models import OpenSession, Person
from archive.rules.errors import Forbidden, Refusal
from archive.rules.roles import Action
from archive.standing import keep

SINCE: Final = "since"  # of a session: when it was opened, seconds since 1970
SEEN_AT: Final = "seen_at"  # of a session: when it was used, to the minute
PLACE: Final = "place"  # of a session: address and browser at its opening
HALF: Final = "half_signed_in"  # of a session: whose first proof was right, until the code is
BY: Final = "by"  # of a session: the driver that said who this is
NAME: Final = 16  # hexadecimal digits of the name of a session


class SessionStore(Rows):
    """Keeps sessions in `OpenSession`; settings name this module as the engine."""

    @classmethod
    def get_model_class(cls) -> type[OpenSession]:
        """Return the table (Django asks for it)."""
        return OpenSession

    def create_model_instance(self, data: dict[str, Any]) -> OpenSession:
        """Return the row of a session, with what it tells of itself."""
        row = cast("OpenSession", super().create_model_instance(data))
        row.session_key = _kept_as(row.session_key)
        row.person_id = data.get(SESSION_KEY) or data.get(HALF, {}).get("pk")
        row.since, row.seen_at = _moment(data.get(SINCE)), _moment(data.get(SEEN_AT))
        place = data.get(PLACE, {})
        row.ip, row.agent, row.by = place.get("ip", "")[:45], place.get("agent", "")[:200], data.get(BY, "")
        return row

    def exists(self, session_key: str) -> bool:
        """Return whether there is a session of this key."""
        return bool(super().exists(_kept_as(session_key)))

    def delete(self, session_key: str | None = None) -> None:
        """Drop the session of a key, or this one."""
        key = session_key or self.session_key
        if key:
            super().delete(_kept_as(key))

    def _get_session_from_db(self) -> OpenSession | None:
        key, now = _kept_as(self.session_key or ""), timezone.now()
        open_rows = OpenSession.objects.filter(session_key=key, expire_date__gt=now)
        row = open_rows.select_related("person__unit").first()
        if row is None:
            self._session_key = None
        elif row.person is not None:  # every page asks for them next (`archive.sign_in`)
            keep("person", row.person, now, row.person)
        return row


class NoSession(Refusal):
    """SES-001: what was to be ended is not open."""

    code = "SES-001"
    message = _("This session is not open any more. Look at the list again.")


def _moment(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, (int, float)) else None


def _kept_as(session_key: str) -> str:
    """Return what the row of a session has in place of its key: 160 bits of a digest."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:40]


def name_of(session_key: str | None) -> str:
    """Return the name of the session of a browser's key: what the log calls it."""
    return _kept_as(session_key or "")[:NAME]


def name_in(row: OpenSession) -> str:
    """Return the name of the session of a row."""
    return row.session_key[:NAME]


def forget_expired() -> None:
    """Drop the rows of sessions whose time is over; called when one is opened, so that they do not pile up."""
    OpenSession.objects.filter(expire_date__lt=timezone.now()).delete()


def open_now(person: Person | None = None) -> list[OpenSession]:
    """Return the sessions that a next request would find open, of one person or of all, the last used first."""
    now = timezone.now()
    rows = OpenSession.objects.filter(
        person__isnull=False,
        person__is_active=True,
        expire_date__gt=now,
        since__gt=now - timedelta(seconds=settings.SESSION_COOKIE_AGE),
        seen_at__gt=now - timedelta(seconds=settings.SESSION_IDLE_SECONDS),
    ).select_related("person__unit")
    rows = rows.filter(person=person) if person else rows
    return [row for row in rows.order_by("-seen_at", "session_key") if _counts(row)]


def _counts(row: OpenSession) -> bool:
    """Return whether a session was opened under the password of now."""
    if row.person is None:
        return False
    known = [row.person.get_session_auth_hash(), *row.person.get_session_auth_fallback_hash()]
    kept = row.get_decoded().get(HASH_SESSION_KEY, "")
    return any(constant_time_compare(kept, each) for each in known)


@transaction.atomic
def end_own(person: Person, *, names: Iterable[str] | None, but: str) -> int:
    """End some of one's own sessions, or (None) all but one; return how many.

    Args:
        person: who ends their own.
        names: those to end.
        but: the name of the session that asks; it is ended by signing out.

    Raises:
        NoSession: none of them is open.
    """
    wanted = None if names is None else set(names)
    rows = [row for row in _open_or_half(person) if name_in(row) != but]
    return _end([row for row in rows if wanted is None or name_in(row) in wanted], actor=person)


@transaction.atomic
def end_for(person: Person, *, reason: str, actor: Person) -> int:
    """End every session of somebody else; return how many.

    Raises:
        Forbidden: the actor may not, or they are their own.
        NoSession: none is open.
    """
    access.require(actor, Action.SESSION_END)
    if person.pk == actor.pk:
        raise Forbidden(reason=_("one ends one's own on “My account”"), object_type="person", object_id=str(person.pk))
    return _end(_open_or_half(person), actor=actor, reason=reason)


def whose() -> set[int]:
    """Return the people who have a session open, or one that waits for the code."""
    waiting = _half().values_list("person_id", flat=True)
    return {pk for pk in [*(row.person_id for row in open_now()), *waiting] if pk}


def _open_or_half(person: Person) -> list[OpenSession]:
    return [*open_now(person), *_half().filter(person=person).select_related("person__unit")]


def _half() -> QuerySet[OpenSession]:
    """Return the sessions whose first proof was right and that wait for the code."""
    return OpenSession.objects.filter(person__isnull=False, since=None, expire_date__gt=timezone.now())


def end_quietly(person: Person, *, but: str = "") -> None:
    """Drop the sessions of a person with an act that has its own entry, such as a new password; inside its transaction."""
    for row in OpenSession.objects.filter(person=person):
        if name_in(row) != but:
            row.delete()


def _end(rows: list[OpenSession], *, actor: Person, reason: str = "") -> int:
    if not rows:
        raise NoSession
    for row in rows:
        told = {"session": name_in(row), "ip": row.ip, "agent": row.agent}
        row.delete()
        audit.write(Action.SESSION_END, actor=actor, subject=row.person, reason=reason, details=told)
    return len(rows)
