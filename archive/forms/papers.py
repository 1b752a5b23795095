"""Forms of dispatches kept on paper alone: the register line without abstract and note, where the paper lies, taking it in."""

from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import papers
from archive.forms.clearing import reason_field
from archive.forms.days import day_field
from archive.forms.keeping import SELECT, TEXT
from archive.forms.register import check_symbol
from archive.models import Person, Register, RegisterKind
from archive.models.record import URGENCY_CHOICES, Direction
from archive.registration import Entry
from archive.rules import numbers
from archive.rules.levels import Level, Urgency

FIGURES: Final = {"class": "form-control num"}


def _words(label: Any, most: int, *, required: bool = True, hint: Any = "", **attrs: str) -> forms.CharField:
    widget = forms.TextInput(attrs=TEXT | {"autocomplete": "off"} | attrs)
    return forms.CharField(label=label, max_length=most, required=required, help_text=hint, widget=widget)


class LyingForm(forms.Form):
    """Where a paper lies, and who signed for it."""

    copies = forms.IntegerField(
        label=_("Number of copies"), min_value=1, max_value=999, widget=forms.NumberInput(attrs=FIGURES)
    )
    holder = _words(_("Who keeps the paper"), 200, hint=_("The unit or person that answers for it."))
    place = _words(_("Where it lies"), 200, hint=_("Safe, cabinet or box."))
    signed_by = _words(_("Signed for by"), 100, hint=_("As in the paper register."))
    signed_on = day_field(_("Signed for on"))

    def __init__(self, data: Any = None, **more: Any) -> None:
        """Begin with today."""
        given = {"signed_on": timezone.localdate(), "copies": 1} | more.pop("initial", {})
        super().__init__(data, initial=given, **more)

    def lying(self) -> papers.Lying:
        """Return what was written."""
        given = self.cleaned_data
        return papers.Lying(**{name: given[name] for name in papers.Lying.__dataclass_fields__})


class PaperForm(LyingForm):
    """The whole line of a dispatch kept on paper alone: it has no field for an abstract, a note or a file."""

    register = forms.ModelChoiceField(
        Register.objects.none(), label=_("Into the register"), empty_label=None, widget=forms.Select(attrs=SELECT)
    )
    level = forms.TypedChoiceField(label=_("Secrecy"), coerce=Level.parse, widget=forms.Select(attrs=SELECT))
    urgency = forms.TypedChoiceField(
        label=_("Urgency"),
        coerce=int,
        choices=URGENCY_CHOICES,
        initial=int(Urgency.THUONG),
        widget=forms.Select(attrs=SELECT),
    )
    type_name = _words(_("Type"), 100, list="types", hint=_("The type alone: no word of what it is about."))
    symbol = _words(_("Number and symbol"), 72, required=False)
    issued_date = day_field(_("Date of the dispatch"))
    organ_name = _words(_("Issuer"), 200)
    arrival_date = day_field(
        _("Arrival date"), required=False, help_text=_("Of an incoming dispatch; an outgoing one has none.")
    )
    to_places = _words(_("Recipients"), 1000, required=False)
    despite_duplicate = forms.BooleanField(
        label=_("I have compared the two: register this one as well"), required=False, widget=forms.HiddenInput()
    )
    field_order = (
        "register", "level", "urgency", "type_name", "symbol", "issued_date", "organ_name", "arrival_date", "to_places",
        "copies", "holder", "place", "signed_by", "signed_on",
    )  # fmt: skip

    def __init__(self, data: Any = None, *, person: Person, level: str = "") -> None:
        """Offer the registers of the person's desk and the levels above the ceiling that they are cleared for."""
        registers, levels = papers.registers(person), papers.offered(person)
        super().__init__(data, initial={"arrival_date": timezone.localdate(), "level": level})
        books: Any = self.fields["register"]
        books.queryset = registers
        books.initial = next((book.pk for book in registers if book.unit_id == person.unit_id), None)
        choices: Any = self.fields["level"]
        choices.choices = [(each.slug, each.label) for each in levels]

    def clean(self) -> dict[str, Any]:
        """Ask for the day of arrival of what came in, and for a symbol that can be split."""
        cleaned = super().clean() or {}
        register: Register | None = cleaned.get("register")
        if register and register.kind == RegisterKind.SECRET_INCOMING and not cleaned.get("arrival_date"):
            self.add_error("arrival_date", _("Say when it arrived."))
        check_symbol(self, cleaned)
        return cleaned

    def entry(self) -> Entry:
        """Return the register line; of an outgoing dispatch without a day of arrival."""
        given = self.cleaned_data
        outgoing = given["register"].kind == RegisterKind.SECRET_OUTGOING
        number, notation = numbers.split(given["symbol"].strip()) or ("", "")
        return Entry(
            level=given["level"],
            direction=Direction.OUTGOING if outgoing else Direction.INCOMING,
            code_number=number,
            code_notation=notation,
            issued_date=given["issued_date"],
            organ_name=given["organ_name"],
            type_name=given["type_name"],
            urgency=given["urgency"],
            to_places=given["to_places"],
            arrival_date=None if outgoing else given["arrival_date"],
        )


class FindForm(forms.Form):
    """What is looked for among the papers; sent in the body of a request, never in an address."""

    text = _words(_("Number, symbol or issuer"), 100, required=False)


class TakeInForm(forms.Form):
    """The abstract that the line lacked, and why the dispatch is taken in now."""

    subject = forms.CharField(
        label=_("Subject"), max_length=500, widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"})
    )
    reason = reason_field()
