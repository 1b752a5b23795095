"""What a reader asks of a book: where to open it, and which numbers to print."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from archive.forms.days import day_field
from archive.registers import Place
from archive.rules.levels import Level

FIGURE: Final = {"class": "form-control num", "inputmode": "numeric"}
ORDERS: Final = [("", _("Newest first")), ("number", _("By number"))]
PRINTED: Final = 500  # numbers in one volume: drawing took 12 ms of processor a line, 6 s and 200 MB for 500
HIGHEST: Final = 10_000_000


class PlaceForm(forms.Form):
    """Where to open a book; what cannot be read counts as not asked."""

    since = day_field(_("From day"), required=False)
    until = day_field(_("To day"), required=False)
    order = forms.ChoiceField(
        label=_("Order"), required=False, choices=ORDERS, widget=forms.Select(attrs={"class": "form-select"})
    )
    at = forms.IntegerField(
        label=_("At number"), required=False, min_value=1, max_value=HIGHEST, widget=forms.TextInput(attrs=FIGURE)
    )
    below = forms.IntegerField(required=False, min_value=0, max_value=HIGHEST, widget=forms.HiddenInput)
    above = forms.IntegerField(required=False, min_value=0, max_value=HIGHEST, widget=forms.HiddenInput)

    def place(self) -> Place:
        """Return the place asked for."""
        asked: dict[str, Any] = self.cleaned_data
        by_number = asked.get("order") == "number"
        below, above = asked.get("below"), asked.get("above")
        if at := asked.get("at"):
            below, above = (None, at - 1) if by_number else (at + 1, None)
        return Place(below, above, asked.get("since"), asked.get("until"), oldest_first=by_number)


class LastNumberForm(forms.Form):
    """The last number that stands in the paper register."""

    year = forms.IntegerField(min_value=1900, max_value=2200, widget=forms.HiddenInput)
    number = forms.IntegerField(
        label=_("Last number on paper"), min_value=0, max_value=HIGHEST, widget=forms.TextInput(attrs=FIGURE)
    )


def _reason(**said: Any) -> forms.CharField:
    words = forms.Textarea(attrs={"class": "form-control", "rows": 2})
    return forms.CharField(label=_("Reason"), max_length=300, required=False, widget=words, **said)


class ContentsForm(forms.Form):
    """Why the contents list of a dossier is printed; demanded where it or a line is classified."""

    reason = _reason()

    def __init__(self, data: Any = None, *, level: Level) -> None:
        """Demand the reason above the lowest level."""
        super().__init__(data)
        self.fields["reason"].required = level > Level.THUONG


class VolumeForm(forms.Form):
    """Which numbers are bound together, and as which volume."""

    first = forms.IntegerField(
        label=_("From number"), min_value=1, max_value=HIGHEST, widget=forms.TextInput(attrs=FIGURE)
    )
    last = forms.IntegerField(
        label=_("To number"), min_value=1, max_value=HIGHEST, widget=forms.TextInput(attrs=FIGURE)
    )
    ordinal = forms.IntegerField(
        label=_("Volume number"), min_value=1, max_value=999, widget=forms.TextInput(attrs=FIGURE)
    )
    reason = _reason(help_text=_("Needed where a line between these numbers is classified."))

    def clean(self) -> dict[str, Any]:
        """Keep a volume within what can be bound and drawn."""
        asked = super().clean() or {}
        first, last = asked.get("first"), asked.get("last")
        if first and last and last < first:
            self.add_error("last", _("The last number cannot be below the first."))
        elif first and last and last - first >= PRINTED:
            limit = {"limit": PRINTED}
            self.add_error(
                "last",
                _("A volume holds at most %(limit)s numbers. Print the next ones as a volume of their own.") % limit,
            )
        return asked
