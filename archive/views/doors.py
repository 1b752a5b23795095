"""How a view calls an act: the refusal is audited after roll-back and shown on the form."""

from collections.abc import Callable, Iterator
from typing import Final, TypeVar, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import Form, ModelChoiceField
from django.http import HttpRequest, QueryDict

from archive import audit
from archive.models import Person, Record
from archive.rules.errors import Forbidden, Hidden, Refusal

T = TypeVar("T")
NOT_OFFERED: Final = frozenset({"invalid_choice", "invalid_pk_value"})


def person_of(request: HttpRequest) -> Person:
    """Return who is signed in; views behind the sign-in door only."""
    return cast("Person", request.user)


def heard(request: HttpRequest, form: Form) -> bool:
    """Return whether a form is valid; a choice that was not offered is a door tried, and stands in the log like one.

    What may not be known and what does not exist are refused by the same sentence of the field.
    """
    if form.is_valid():
        return True
    match = request.resolver_match
    for refusal in _not_offered(form):
        audit.refused(refusal, actor=person_of(request), action=match.view_name if match else "unknown")
    return False


def _not_offered(form: Form) -> Iterator[Hidden]:
    """Yield a refusal for each choice of a row that the form did not offer."""
    for name, errors in form.errors.as_data().items():
        field = form.fields.get(name)
        if isinstance(field, ModelChoiceField) and NOT_OFFERED & {error.code for error in errors}:
            model = field.queryset.model if field.queryset is not None else Record
            kind = model._meta.model_name or ""  # noqa: SLF001 - Django's way to a model's name
            given = form.data.getlist(name) if isinstance(form.data, QueryDict) else [form.data.get(name)]
            yield Hidden(object_type=kind, object_id=" ".join(map(str, given))[:40])


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


def not_open(request: HttpRequest, refusal: Refusal, *, about: Model | None) -> None:
    """Write an act that is not open to this person, or not any more, to the log, and tell them."""
    match = request.resolver_match
    audit.refused(refusal, actor=person_of(request), action=match.view_name if match else "unknown", subject=about)
    messages.error(request, str(refusal))
