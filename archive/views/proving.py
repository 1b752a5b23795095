"""Proving again who sits at the desk: before an act of weight, if the last proof is older than five minutes.

The question is asked in place, at the address of the act, and carries what was filled in:
nothing has to be typed twice.
"""

import time
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Final

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from archive import audit, identity, second_factor, sessions
from archive.models import SignsInBy
from archive.rules.errors import Refusal
from archive.sessions import SEEN_AT, SINCE
from archive.views.doors import person_of

FRESH_SECONDS: Final = 300
PROVED_AT: Final = "proved_at"  # of a session: seconds since 1970 of the last proof
NOTED_SECONDS: Final = 60
OUTSIDE_AT: Final = "proved_outside_at"  # of a session: when the provider last asked its person again
CODE_GIVEN: Final = "code_given"  # of a session: it was opened or proved with the code of an authenticator
PASSWORD, CODE = "proof_password", "proof_code"
OWN: Final = frozenset({PASSWORD, CODE, "csrfmiddlewaretoken"})
View = Callable[..., HttpResponseBase]


def stamp(session: SessionBase, *, with_code: bool) -> None:
    """Remember in a session that its person has just proved who they are."""
    session[PROVED_AT] = time.time()
    if with_code:
        session[CODE_GIVEN] = True


def note_outside(session: SessionBase) -> None:
    """Remember in a session that the provider has just asked its person again; counts once, with the code if there is one."""
    session[OUTSIDE_AT] = time.time()


def opened(session: SessionBase, *, with_code: bool, by: str = "") -> None:
    """Begin the session of somebody who has just signed in: its limits count from now."""
    session[SINCE] = session[SEEN_AT] = time.time()
    client = audit.CLIENT.get()
    session[sessions.PLACE] = {"ip": client.ip, "agent": client.agent[:200]}
    session[sessions.BY] = by
    stamp(session, with_code=with_code)


def limit_passed(session: SessionBase) -> str:
    """Return which limit of a session is passed: "idle", "longest", or "" for none; note that it is in use otherwise.

    Use is noted once in a minute only, so that reading costs no writing: a session lasts up to a minute less.
    """
    now = time.time()
    if now - session.get(SINCE, now) > settings.SESSION_COOKIE_AGE:
        return "longest"
    if now - session.get(SEEN_AT, now) > settings.SESSION_IDLE_SECONDS:
        return "idle"
    if now - session.get(SEEN_AT, 0) >= NOTED_SECONDS:
        session[SEEN_AT] = now
        session.setdefault(SINCE, now)
    return ""


def is_fresh(session: SessionBase) -> bool:
    """Return whether the last proof of a session is at most five minutes old."""
    proved_at = session.get(PROVED_AT)
    return isinstance(proved_at, float) and 0 <= time.time() - proved_at <= FRESH_SECONDS


def recently_proved(view: View) -> View:
    """Let an act (POST) of a view happen only after a fresh proof, asked for in between."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST" or is_fresh(request.session):
            return view(request, *args, **kwargs)
        trouble = _prove(request) if PASSWORD in request.POST else ""
        if is_fresh(request.session):
            return view(request, *args, **kwargs)
        context = {
            "kept": list(_kept(request)),
            "with_code": second_factor.is_enrolled(person_of(request)),
            "by_provider": person_of(request).signs_in_by == SignsInBy.OIDC,
            "trouble": trouble,
        }
        return render(request, "archive/prove.html", context, status=422 if trouble else 200)

    return asked


def _prove(request: HttpRequest) -> str:
    """Take the proof that was posted; return what is wrong with it."""
    person = person_of(request)
    password, code = request.POST[PASSWORD], request.POST.get(CODE, "")
    by_provider = person.signs_in_by == SignsInBy.OIDC
    if by_provider and not _is_fresh_outside(request.session):
        return _("The sign-in server has not asked you yet. Open it first, then go on here.")
    try:
        found = second_factor.prove_again(person, lambda: by_provider or identity.proves(person, password), code)
        if found is None:
            return _("The password or the code is not right.")
    except Refusal as refusal:
        audit.refused(refusal, actor=person, action="session.prove")
        return str(refusal)
    request.session.pop(OUTSIDE_AT, None)
    stamp(request.session, with_code=found is second_factor.Found.THERE)
    return ""


def _is_fresh_outside(session: SessionBase) -> bool:
    at = session.get(OUTSIDE_AT)
    return isinstance(at, float) and 0 <= time.time() - at <= FRESH_SECONDS


def _kept(request: HttpRequest) -> Iterator[tuple[str, str]]:
    for name, values in request.POST.lists():
        if name not in OWN:
            yield from ((name, str(value)) for value in values)
