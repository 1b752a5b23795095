"""The registering form: one dispatch, every field of the register line.

What the machine read stands in the fields as a proposal. A doubtful reading that was
neither changed nor confirmed is refused: it is shown, never saved silently.
"""

from datetime import date
from typing import Any, Final, cast

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.forms.days import day_field
from archive.models import Record, Register
from archive.models.record import URGENCY_CHOICES, Direction
from archive.registration import Entry
from archive.rules import numbers
from archive.rules.levels import Level, Urgency
from archive.rules.proposal import SURE, Guess

AUTHORITIES: Final = [("", "—"), *((sign, sign) for sign in ("TM.", "Q.", "KT.", "TL.", "TUQ."))]
DAY: Final = "%d/%m/%Y"  # as a field of a day shows it
NUMBERED: Final = ("type_name", "symbol", "issued_date", "organ_name", "parent_organ_name", "subject", "signer_name")


def _text(rows: int = 0, **attrs: Any) -> forms.Widget:
    shown = {"class": "form-control", **attrs}
    return forms.Textarea(attrs=shown | {"rows": rows}) if rows else forms.TextInput(attrs=shown)


class RegisterForm(forms.Form):
    """One register line. Initial values are proposals; `cleaned_data` becomes an `Entry`."""

    direction = forms.ChoiceField(
        label=_("Direction"), choices=Direction.choices, widget=forms.Select(attrs={"class": "form-select"})
    )
    type_name = forms.CharField(label=_("Type"), max_length=100, widget=_text(list="types", autocomplete="off"))
    symbol = forms.CharField(
        label=_("Number and symbol"), max_length=72, required=False, widget=_text(autocomplete="off")
    )
    issued_date = day_field(_("Date of the dispatch"))
    organ_name = forms.CharField(label=_("Issuer"), max_length=200, widget=_text(autocomplete="off"))
    parent_organ_name = forms.CharField(
        label=_("Parent agency"), max_length=200, required=False, widget=_text(autocomplete="off")
    )
    subject = forms.CharField(label=_("Subject"), max_length=500, widget=_text(rows=2))
    signer_authority = forms.ChoiceField(
        label=_("Signing mode"),
        choices=AUTHORITIES,
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    signer_name = forms.CharField(label=_("Signed by"), max_length=50, required=False, widget=_text(autocomplete="off"))
    signer_position = forms.CharField(
        label=_("Post of the signer"), max_length=100, required=False, widget=_text(autocomplete="off")
    )
    level = forms.TypedChoiceField(
        label=_("Secrecy"), coerce=Level.parse, widget=forms.Select(attrs={"class": "form-select"})
    )
    urgency = forms.TypedChoiceField(
        label=_("Urgency"), coerce=int, choices=URGENCY_CHOICES, widget=forms.Select(attrs={"class": "form-select"})
    )
    arrival_date = day_field(_("Arrival date"), required=False)
    arrival_time = forms.TimeField(
        label=_("Arrival time"),
        required=False,
        input_formats=["%H:%M", "%Hh%M", "%H.%M"],
        widget=forms.TimeInput(format="%H:%M", attrs={"class": "form-control num", "placeholder": "HH:MM"}),
    )
    to_places = forms.CharField(
        label=_("Unit or person it goes to"), max_length=1000, required=False, widget=_text(autocomplete="off")
    )
    issued_amount = forms.IntegerField(
        label=_("Number of copies"),
        required=False,
        min_value=1,
        widget=forms.NumberInput(attrs={"class": "form-control num"}),
    )
    due_date = day_field(_("Due"), required=False)
    description = forms.CharField(label=_("Note"), max_length=500, required=False, widget=_text())
    despite_duplicate = forms.BooleanField(
        label=_("I have compared the two: register this one as well"), required=False, widget=forms.HiddenInput()
    )
    files_seen = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput())

    def __init__(self, data: Any = None, *, draft: Record, levels: list[Level]) -> None:
        """Show the proposals of a draft; `levels` are those this clerk may confirm."""
        self.draft = draft
        self.guesses = guesses_of(draft)
        super().__init__(data, initial=self._proposed())
        choices = [(level.slug, level.label) for level in levels]
        self.fields["level"].choices = choices  # type: ignore[attr-defined]

    def _proposed(self) -> dict[str, Any]:
        values: dict[str, Any] = {name: guess.value for name, guess in self.guesses.items()}
        if "issued_date" in values:
            values["issued_date"] = _as_date(values["issued_date"])
        if "urgency" in values:
            values["urgency"] = int(Urgency.parse(values["urgency"]))
        now = timezone.localtime()
        arrived = {"arrival_date": now.date(), "arrival_time": now.time().replace(second=0, microsecond=0)}
        return values | arrived | {"level": Level(self.draft.level).slug, "direction": self.draft.direction}

    def clean(self) -> dict[str, Any]:
        """Refuse doubtful readings that nobody has looked at, and a symbol that cannot be split."""
        cleaned = super().clean() or {}
        confirmed = set(cast("QueryDict", self.data).getlist("confirmed")) if self.is_bound else set()
        for name, guess in self.guesses.items():
            unseen = name in self.fields and name not in self.changed_data and name not in confirmed
            if unseen and guess.confidence < SURE:
                self.add_error(
                    name,
                    _(
                        "The machine is not sure of this. Look at the page, then press Enter in the field or correct it."
                    ),
                )
        if cleaned.get("direction") == Direction.INCOMING and not cleaned.get("arrival_date"):
            self.add_error("arrival_date", _("Say when it arrived."))
        check_symbol(self, cleaned)
        return cleaned

    def readings(self, name: str) -> list[tuple[str, str]]:
        """Return the second readings of a field, each as the field takes it and in words.

        Without those that stand in it already and those that it cannot take.
        """
        choices = {str(value): str(word) for value, word in getattr(self.fields[name], "choices", ())}
        stands = self[name].value()
        shown = f"{stands:{DAY}}" if isinstance(stands, date) else str(stands)
        others = self.guesses[name].others if name in self.guesses else ()
        typed = dict.fromkeys(_as_typed(name, other) for other in others)
        return [(each, choices.get(each, each)) for each in typed if each != shown and (not choices or each in choices)]

    def entry(self) -> Entry:
        """Return the confirmed register line."""
        values = self.cleaned_data
        number, notation = numbers.split(values["symbol"].strip()) or ("", "")
        names = set(Entry.__dataclass_fields__) & set(values) - {"level"}
        if values["direction"] == Direction.OUTGOING:
            values |= {"arrival_date": None, "arrival_time": None}
        return Entry(level=values["level"], code_number=number, code_notation=notation, **{n: values[n] for n in names})


def check_symbol(form: forms.Form, cleaned: dict[str, Any]) -> None:
    """Note on a form whose number and symbol cannot be split how they are written."""
    symbol = cleaned.get("symbol", "").strip()
    if symbol and numbers.split(symbol) is None:
        said = _(
            "Write number and symbol as printed, such as 123/BC-BCH or 31-NQ/ĐU; leave it empty when there is none."
        )
        form.add_error("symbol", said)


def guesses_of(draft: Record) -> dict[str, Guess]:
    """Return the proposals by field of the form: number and symbol are one field there."""
    read = {name: Guess.from_json(kept) for name, kept in draft.proposal.items()}
    number, notation = read.pop("code_number", None), read.pop("code_notation", None)
    if secrecy := read.pop("secrecy", None):
        read["level"] = secrecy
    if number or notation:
        read["symbol"] = _joined(number, notation)
    return read


def _joined(number: Guess | None, notation: Guess | None) -> Guess:
    parts = [part for part in (number, notation) if part]
    boxes = [part.box for part in parts if part.box]
    box = (
        (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
        if boxes
        else None
    )
    value = numbers.join(number.value if number else "", notation.value if notation else "")
    sign = notation.value if notation else ""
    others = tuple(numbers.join(other, sign) for other in (number.others if number else ()))
    # A symbol without a number is never sure: the number is often written by hand.
    confidence = min(part.confidence for part in parts) if number else min(parts[0].confidence, SURE - 1)
    return Guess(value, confidence, parts[0].page, box, others)


def _as_typed(name: str, reading: str) -> str:
    """Return a reading as the field of the form takes it."""
    if name == "urgency":
        return str(int(Urgency.parse(reading)))
    if name == "issued_date":
        read = _as_date(reading)
        return f"{read:{DAY}}" if isinstance(read, date) else read
    return reading


def _as_date(value: str) -> date | str:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return value


class ReasonForm(forms.Form):
    """A reason in the person's own words."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=_text(rows=2))


def registers_for(draft: Record) -> QuerySet[Register]:
    """Return the open registers of the draft's unit."""
    return Register.objects.filter(unit=draft.unit, is_open=True)
