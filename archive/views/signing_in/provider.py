"""Signing in, and proving again, at the office's OpenID Connect provider.

The browser is sent away with what must be kept in a signed cookie, and comes back from
another site: the session's cookie does not travel on such a step (SameSite=Strict). So the
first answer is a page of ours that asks for itself again; that step is our own.
"""

from dataclasses import asdict
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from archive import audit, identity, second_factor
from archive.identities.port import Away, Identity, Journey, Returned
from archive.identities.provider import Provider
from archive.models import Person, SignsInBy
from archive.rules.errors import Refusal
from archive.views import proving
from archive.views.signing_in.sign_in import context_of, decided, let_in, write_failure

SALT: Final = "archive.views.signing_in.provider"
LONGEST_SECONDS: Final = 600
HERE: Final = "here"  # of the address that the provider sends back to: this step is our own


def _cookie() -> str:
    return "__Host-journey" if settings.SECURE_TLS else "journey"


def _provider() -> Provider:
    found = identity.provider()
    if found is None:
        raise Http404
    return found


@login_not_required
@require_GET
def leave(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider: to sign in, or (`prove`) to prove again who sits here."""
    provider = _provider()
    person = request.user if request.user.is_authenticated and "prove" in request.GET else None
    back = request.build_absolute_uri(reverse("archive:provider-back"))
    try:
        address, journey = provider.begin(back=back, is_fresh=person is not None)
    except Away as away:
        return _failed(request, str(away), status=503)
    kept = asdict(journey) | {"person": person.pk if person else 0, "next": request.GET.get("next", "")[:500]}
    response = HttpResponse(status=302, headers={"Location": address})
    response.set_cookie(
        _cookie(), signing.dumps(kept, salt=SALT), max_age=LONGEST_SECONDS, secure=settings.SECURE_TLS, httponly=True,
        samesite="Strict",
    )  # fmt: skip
    return response


@login_not_required
@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Take the provider's answer."""
    provider = _provider()
    if HERE not in request.GET:
        return render(request, "archive/returning.html", {"again": f"{request.get_full_path()}&{HERE}=1"})
    kept = _kept(request)
    if kept is None:
        write_failure("", by=SignsInBy.OIDC.value)
        return _failed(
            request, _("The sign-in took too long, or was begun in another browser. Begin again."), status=401
        )
    whose, wanted = kept.pop("person"), kept.pop("next")
    try:
        found = provider.identify(Returned(request.GET.dict(), Journey(**kept)))
    except Away as away:
        response = _failed(request, str(away), status=503)
    else:
        response = _proved(request, found, whose) if whose else _signed_in(request, found, wanted)
    response.delete_cookie(_cookie(), samesite="Strict")
    return response


def _kept(request: HttpRequest) -> dict[str, Any] | None:
    try:
        kept = signing.loads(request.COOKIES.get(_cookie(), ""), salt=SALT, max_age=LONGEST_SECONDS)
    except signing.BadSignature:
        return None
    return dict(kept)


def _signed_in(request: HttpRequest, found: Identity | None, wanted: str) -> HttpResponse:
    name = found.name if found else ""

    def by_name() -> HttpResponse | None:
        person = authenticate(request, username=name, identity=found)  # counted and bounded as a password is
        return let_in(request, person, wanted=wanted) if person is not None else None

    if answer := decided(request, by_name):
        return answer
    write_failure(name, by=SignsInBy.OIDC.value)
    said = _(
        "The sign-in server's answer opens no account here. The administrator of this system makes an account, or tells why it is closed."
    )
    return _failed(request, said, status=401)


def _proved(request: HttpRequest, found: Identity | None, whose: int) -> HttpResponse:
    """Note in the session that the provider has asked this person again; the act itself waits in another window."""
    person = request.user
    if not isinstance(person, Person) or person.pk != whose:
        return _failed(request, _("Your session has ended meanwhile. Sign in again."), status=401)
    said = ""
    try:
        if second_factor.bounded(person, lambda: identity.is_same(person, found)):
            proving.note_outside(request.session)
        else:
            said = _(
                "The sign-in server named somebody else, or did not ask again. Try again from the page you came from."
            )
    except Refusal as refusal:
        audit.refused(refusal, actor=person, action="session.prove")
        said = str(refusal)
    return render(request, "archive/returned.html", {"trouble": said}, status=422 if said else 200)


def _failed(request: HttpRequest, said: str, *, status: int) -> HttpResponse:
    form = AuthenticationForm(request, data=None)
    return render(request, "archive/sign_in.html", {**context_of(form), "failed": said}, status=status)


urlpatterns = [
    path("sign-in/provider/", leave, name="sign-in-provider"),
    path("oidc/callback/", back, name="provider-back"),
]
