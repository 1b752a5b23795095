"""Forms of posts and scopes: what is given from day to day, on which decision, and what ends why."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.forms.clearing import PersonField, basis_field, end_of, people, reason_field, start_of
from archive.forms.days import day_field
from archive.forms.keeping import SELECT
from archive.forms.staffing import UnitField
from archive.models import Person
from archive.posting import Term
from archive.rules.roles import ROLE_LABELS, Role


class TermForm(forms.Form):
    """From which day to which, on which decision."""

    since = day_field(_("From"))
    until = day_field(_("Until, that day included"), required=False, help_text=_("Empty: without an end."))
    basis = basis_field()

    def __init__(self, data: Any = None, **more: Any) -> None:
        """Begin today."""
        super().__init__(data, initial={"since": timezone.localdate()}, **more)

    def term(self) -> Term:
        """Return the term; one of today begins now."""
        given = self.cleaned_data
        since, until = start_of(given["since"]), given["until"]
        if given["since"] == timezone.localdate():
            since = timezone.now()
        return Term(since, end_of(until) if until else None, given["basis"])


class GivePostForm(TermForm):
    """A post, or its delegation."""

    role = forms.TypedChoiceField(
        label=_("Which post"),
        coerce=lambda value: Role(int(value)),
        choices=[("", _("choose a post")), *((role.value, label) for role, label in ROLE_LABELS.items())],
        widget=forms.Select(attrs=SELECT),
    )
    instead_of = PersonField(_("By delegation, in the place of"))
    field_order = ("role", "instead_of", "since", "until", "basis")

    def __init__(self, data: Any = None, *, holder: Person, **more: Any) -> None:
        """Offer everybody but the holder for a delegation."""
        super().__init__(data, **more)
        self.fields["instead_of"].required = False
        self.fields["instead_of"].help_text = _("Only for a delegation, which has a last day.")
        self.fields["instead_of"].queryset = people(without=[holder.pk]).filter(is_service=False)  # type: ignore[attr-defined]


class GiveScopeForm(TermForm):
    """A scope over a unit with all below it."""

    unit = UnitField(_("Unit, with all below it"))
    field_order = ("unit", "since", "until", "basis")


class EndForm(forms.Form):
    """Which post or scope ends, when, and why."""

    row = forms.TypedChoiceField(label=_("What ends"), coerce=int, widget=forms.Select(attrs=SELECT))
    until = day_field(_("New last day"), required=False, help_text=_("Empty: at once."))
    reason = reason_field()

    def __init__(self, data: Any = None, *, rows: list[Any], **more: Any) -> None:
        """Offer what has not ended."""
        super().__init__(data, **more)
        self.fields["row"].choices = [(row.pk, self._named(row)) for row in rows]  # type: ignore[attr-defined]

    @staticmethod
    def _named(row: Any) -> str:
        what = row.get_role_display() if hasattr(row, "role") else row.unit.name
        return f"{what} ({timezone.localtime(row.since):%d/%m/%Y})"

    def end(self) -> datetime | None:
        """Return when it ends, None for now."""
        day = self.cleaned_data["until"]
        return end_of(day) if day else None
