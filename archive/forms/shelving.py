"""Forms of the registers of a unit: a new one, and another name."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from archive.forms.clearing import reason_field
from archive.forms.keeping import SELECT
from archive.forms.staffing import UnitField, line
from archive.models import Register, RegisterKind
from archive.registers.shelving import New


class OpenForm(forms.Form):
    """A new register."""

    unit = UnitField(_("Unit"))
    kind = forms.ChoiceField(label=_("Which kind"), choices=RegisterKind.choices, widget=forms.Select(attrs=SELECT))
    name = line(_("Name of the book"), 120)
    reason = reason_field()

    def new(self) -> New:
        """Return what is to be opened."""
        given = self.cleaned_data
        return New(RegisterKind(given["kind"]), given["name"], given["unit"])


class RenameForm(forms.Form):
    """Another name."""

    name = line(_("Name of the book"), 120)
    reason = reason_field()

    def __init__(self, data: Any = None, *, register: Register, **more: Any) -> None:
        """Begin with the name of now."""
        super().__init__(data, initial={"name": register.name}, **more)
