"""A page on which one of several things can be done: a form for each, and the one that was sent is done.

What is not open here, or not any more, is a door tried: it stands in the log, and the page says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access
from archive.rules.errors import Forbidden
from archive.rules.roles import Action, allows
from archive.standing import standing
from archive.views.doors import attempt, heard, not_open, person_of


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing to do: its form from (data, pattern of ids), how it is done by (form, actor), and whose post it takes."""

    form: Callable[[Any, str], Form]
    do: Callable[[Any, Any], object]
    action: Action | None = None


def chosen(
    request: HttpRequest, deeds: Mapping[str, Deed], *, about: Model | None = None
) -> tuple[dict[str, Form], tuple[object] | None]:
    """Return the forms of what this person can do, and in a tuple what came of the one that was sent, if it was done.

    Raises:
        Forbidden: the post does not include it.
    """
    actor, act = person_of(request), request.POST.get("act", "")
    roles = standing(actor, timezone.now()).roles
    sent = deeds.get(act)
    if sent is not None and sent.action is not None:
        access.require(actor, sent.action)
    offered = {name: deed for name, deed in deeds.items() if deed.action is None or allows(roles, deed.action)}
    forms = {name: deed.form(request.POST if name == act else None, f"{name}-%s") for name, deed in offered.items()}
    if request.method != "POST":
        return forms, None
    if sent is None:
        not_open(request, Forbidden(reason=_("this act is not open to you here")), about=about)
        return forms, None
    if not heard(request, forms[act]):
        return forms, None
    return forms, attempt(request, forms[act], lambda: (sent.do(forms[act], actor),))
