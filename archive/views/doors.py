"""How a view calls an act: the refusal is audited after roll-back and shown on the form."""

from collections.abc import Callable
from typing import TypeVar, cast

from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest

from archive import audit
from archive.models import Person
from archive.rules.errors import Forbidden, Hidden, Refusal

T = TypeVar("T")


def person_of(request: HttpRequest) -> Person:
    """Return who is signed in; views behind the sign-in door only."""
    return cast("Person", request.user)


def attempt(request: HttpRequest, form: Form, act: Callable[[], T]) -> T | None:
    """Call an act; on a refusal write it to the log, put its sentence on the form and return None.

    Raises:
        Hidden, Forbidden: these leave the view and become a page (`config.middleware.Refusals`).
    """
    try:
        return act()
    except (Hidden, Forbidden):
        raise
    except Refusal as refusal:
        match = request.resolver_match
        audit.refused(refusal, actor=person_of(request), action=match.view_name if match else "unknown")
        form.add_error(None, ValidationError(str(refusal), code=refusal.code))
        return None
