"""Forms of people and units: an account, what is written of a person, a unit, and the reason of what is done to them."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from archive import identity
from archive.forms.choosing import LongSelect
from archive.forms.clearing import reason_field
from archive.forms.keeping import SELECT, TEXT
from archive.models import Person, SignsInBy, Unit
from archive.staffing import Newcomer, Particulars
from archive.units import Called

CHECK = {"class": "form-check-input"}


class UnitField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """Chooses one of the units in use, each under the one it belongs to."""

    def __init__(self, label: Any, **more: Any) -> None:
        """Offer every unit in use."""
        units = Unit.objects.filter(is_active=True).order_by("path")
        super().__init__(units, label=label, empty_label=_("choose a unit"), widget=LongSelect(attrs=SELECT), **more)

    def label_from_instance(self, obj: Any) -> str:
        """Return the name, set in by the depth in the tree."""
        return f"{chr(0x2003) * (obj.path.count('/') - 2)}{obj}"


def line(label: Any, length: int, **more: Any) -> forms.CharField:
    """Return a field of one line."""
    return forms.CharField(label=label, max_length=length, widget=forms.TextInput(attrs=TEXT), **more)


class AddPersonForm(forms.Form):
    """A new account."""

    username = line(_("User name"), 60, help_text=_("For good: a name is never given twice."))
    full_name = line(_("Full name"), 120)
    title = line(_("Rank, title"), 120, required=False)
    unit = UnitField(_("Unit"))
    signs_in_by = forms.ChoiceField(label=_("Signs in by"), widget=forms.Select(attrs=SELECT))
    is_service = forms.BooleanField(
        label=_("A machine: it calls by a token and never signs in"),
        required=False,
        widget=forms.CheckboxInput(attrs=CHECK),
    )

    def __init__(self, data: Any = None) -> None:
        """Offer the ways to sign in that are set."""
        super().__init__(data)
        ways = [str(driver.by) for driver in identity.drivers()]
        self.fields["signs_in_by"].choices = [each for each in SignsInBy.choices if each[0] in ways]  # type: ignore[attr-defined]

    def newcomer(self) -> Newcomer:
        """Return what the account begins with."""
        given = self.cleaned_data
        return Newcomer(**given | {"signs_in_by": SignsInBy(given["signs_in_by"])})


class ParticularsForm(forms.Form):
    """What is written of a person, and where they belong."""

    full_name = line(_("Full name"), 120)
    title = line(_("Rank, title"), 120, required=False)
    unit = UnitField(_("Unit"))
    reason = reason_field()

    def __init__(self, data: Any = None, *, person: Person, **more: Any) -> None:
        """Begin with what is written now."""
        now = {"full_name": person.full_name, "title": person.title, "unit": person.unit_id}
        super().__init__(data, initial=now, **more)

    def particulars(self) -> Particulars:
        """Return what is to be written."""
        given = self.cleaned_data
        return Particulars(given["full_name"], given["title"], given["unit"])


class ReasonForm(forms.Form):
    """Why something is done to an account or a unit."""

    reason = reason_field()


class AddUnitForm(forms.Form):
    """A new unit."""

    code = line(_("Code"), 30, help_text=_("Short and used once, such as PTM."))
    name = line(_("Name"), 200)
    under = UnitField(_("Under the unit"))

    def called(self) -> Called:
        """Return code and name."""
        return Called(self.cleaned_data["code"], self.cleaned_data["name"])


class RenameUnitForm(forms.Form):
    """Another code or name."""

    code = line(_("Code"), 30)
    name = line(_("Name"), 200)
    reason = reason_field()

    def __init__(self, data: Any = None, *, unit: Unit, **more: Any) -> None:
        """Begin with those of now."""
        super().__init__(data, initial={"code": unit.code, "name": unit.name}, **more)

    def called(self) -> Called:
        """Return code and name."""
        return Called(self.cleaned_data["code"], self.cleaned_data["name"])


class MoveUnitForm(forms.Form):
    """Another unit above."""

    under = UnitField(_("Under the unit"))
    reason = reason_field()
