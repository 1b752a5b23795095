"""Forms of clearances, compartment marks, openings by name, and the question why."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.clearing import Decision
from archive.forms.choosing import LongSelect
from archive.forms.days import day_field
from archive.forms.keeping import SELECT, TEXT
from archive.models import Mark, MarkRule, Person
from archive.rules.levels import Level

REASON = TEXT | {"rows": 2}
WITH_MARKS_ALONE = (Level.THUONG.value, _("Unclassified, for its marks"))


def start_of(day: date) -> datetime:
    """Return the first moment of a local day."""
    return timezone.make_aware(datetime.combine(day, time.min))


def end_of(day: date) -> datetime:
    """Return the first moment after a local day: what lasts "until" it ends there."""
    return start_of(day + timedelta(days=1))


def reason_field() -> forms.CharField:
    """Return a field for a reason."""
    return forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs=REASON))


def basis_field() -> forms.CharField:
    """Return a field for the number of a decision."""
    return forms.CharField(
        label=_("Number and date of the decision"), max_length=200, widget=forms.TextInput(attrs=TEXT)
    )


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """Chooses one of the people in use by name and title, drawn in one go."""

    def __init__(self, label: Any) -> None:
        """Offer everybody; the form narrows."""
        super().__init__(
            Person.objects.none(), label=label, empty_label=_("choose a person"), widget=LongSelect(attrs=SELECT)
        )

    def label_from_instance(self, obj: Any) -> str:
        """Return name, title and unit."""
        return " · ".join(part for part in (obj.full_name, obj.title, obj.unit.name) if part)


def people(*, without: Iterable[int]) -> Any:
    """Return the people in use but for some, by name."""
    return Person.objects.filter(is_active=True).exclude(pk__in=without).select_related("unit").order_by("full_name")


class GiveForm(forms.Form):
    """A new clearance."""

    person = PersonField(_("Person"))
    level = forms.TypedChoiceField(
        label=_("Up to level"), coerce=lambda value: Level(int(value)), widget=forms.Select(attrs=SELECT)
    )
    since = day_field(_("From"))
    until = day_field(_("Until, that day included"))
    basis = basis_field()
    reason = reason_field()
    marks = forms.ModelMultipleChoiceField(
        Mark.objects.none(), label=_("Compartment marks"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Any = None, *, actor: Person) -> None:
        """Offer everybody but the giver, and the marks there are."""
        super().__init__(data, initial={"since": timezone.localdate(), "level": Level.MAT.value})
        chosen: Any = self.fields["person"]
        chosen.queryset = people(without=[actor.pk]).filter(is_service=False)
        marks: Any = self.fields["marks"]
        marks.queryset = Mark.objects.select_related("group").order_by("group__name", "name")
        if not marks.queryset.exists():
            del self.fields["marks"]
        levels = [(level.value, level.label) for level in Level if level > Level.THUONG]
        if "marks" in self.fields:
            levels.insert(0, WITH_MARKS_ALONE)
        self.fields["level"].choices = levels  # type: ignore[attr-defined]

    def decision(self) -> Decision:
        """Return what was decided; a clearance of today begins now."""
        given = self.cleaned_data
        since = max(start_of(given["since"]), min(timezone.now(), end_of(given["since"])))
        marks = tuple(given.get("marks", ()))
        return Decision(given["level"], since, end_of(given["until"]), given["basis"], given["reason"], marks)


class ShortenForm(forms.Form):
    """An earlier end."""

    until = day_field(_("New last day"))
    reason = reason_field()


class ExtendForm(forms.Form):
    """A later end, by a decision of its own."""

    until = day_field(_("New last day"))
    basis = basis_field()
    reason = reason_field()


class RevokeForm(forms.Form):
    """Why it ends at once."""

    reason = reason_field()


class MarkForm(forms.Form):
    """A new compartment mark."""

    name = forms.CharField(label=_("Mark"), max_length=60, widget=forms.TextInput(attrs=TEXT))
    group = forms.CharField(label=_("Group"), max_length=80, widget=forms.TextInput(attrs=TEXT))
    rule = forms.ChoiceField(
        label=_("Of the marks of the group on a dispatch, a reader holds"),
        choices=MarkRule.choices,
        widget=forms.Select(attrs=SELECT),
    )
    keeps_level = forms.BooleanField(
        label=_("What carries it is never lowered"),
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )


class GrantForm(forms.Form):
    """One dispatch opened to one person."""

    person = PersonField(_("Person"))
    until = day_field(_("Until, that day included"))
    reason = reason_field()

    def __init__(self, data: Any = None, *, actor: Person) -> None:
        """Offer everybody but the giver."""
        super().__init__(data)
        chosen: Any = self.fields["person"]
        chosen.queryset = people(without=[actor.pk]).filter(is_service=False)


class WhyForm(forms.Form):
    """Whose access is asked about, and on which day."""

    person = PersonField(_("Person"))
    on = day_field(_("On a past day"), required=False, help_text=_("Empty: now. Otherwise noon of that day."))

    def __init__(self, data: Any = None) -> None:
        """Offer everybody, closed accounts too: the past is asked about."""
        super().__init__(data)
        chosen: Any = self.fields["person"]
        chosen.queryset = Person.objects.select_related("unit").order_by("full_name")

    def clean_on(self) -> date | None:
        """Refuse a day that is not past."""
        day: date | None = self.cleaned_data["on"]
        if day is not None and day >= timezone.localdate():
            raise forms.ValidationError(_("Choose a day before today, or leave it empty for now."))
        return day

    def moment(self) -> datetime | None:
        """Return noon of the day asked for, None for now."""
        day = self.cleaned_data["on"]
        return start_of(day) + timedelta(hours=12) if day else None
