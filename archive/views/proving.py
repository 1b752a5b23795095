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

from archive import audit, second_factor, sessions
from archive.rules.errors import Refusal
from archive.sessions import SEEN_AT, SINCE
from archive.views.doors import person_of

FRESH_SECONDS: Final = 300
PROVED_AT: Final = "proved_at"  # of a session: seconds since 1970 of the last proof
NOTED_SECONDS: Final = 60
CODE_GIVEN: Final = "code_given"  # of a session: it was opened or proved with the code of an authenticator
PASSWORD, CODE = "proof_password", "proof_code"
OWN: Final = frozenset({PASSWORD, CODE, "csrfmiddlewaretoken"})
View = Callable[..., HttpResponseBase]


def stamp(session: SessionBase, *, with_code: bool) -> None:
    """Remember in a session that its person has just proved who they are."""
    session[PROVED_AT] = time.time()
    if with_code:
        session[CODE_GIVEN] = True


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
            "trouble": trouble,
        }
        return render(request, "archive/prove.html", context, status=422 if trouble else 200)

    return asked


def _prove(request: HttpRequest) -> str:
    """Take the proof that was posted; return what is wrong with it."""
    person = person_of(request)
    try:
        password, code = request.POST[PASSWORD], request.POST.get(CODE, "")
        if not second_factor.prove_again(person, lambda: person.check_password(password), code):
            return _("The password or the code is not right.")
    except Refusal as refusal:
        audit.refused(refusal, actor=person, action="session.prove")
        return str(refusal)
    stamp(request.session, with_code=second_factor.is_enrolled(person))
    return ""


def _kept(request: HttpRequest) -> Iterator[tuple[str, str]]:
    for name, values in request.POST.lists():
        if name not in OWN:
            yield from ((name, str(value)) for value in values)
