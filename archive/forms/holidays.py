"""Forms of the days that differ from the week: some days added, one taken back."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.forms.choosing import LongSelect
from archive.forms.clearing import reason_field
from archive.forms.days import day_field
from archive.forms.keeping import SELECT
from archive.forms.staffing import line
from archive.holidays import Days
from archive.models import Holiday


class AddDaysForm(forms.Form):
    """Days that differ from the week."""

    is_worked = forms.TypedChoiceField(
        label=_("What they are"),
        coerce=lambda value: value == "worked",
        choices=[("free", _("days off")), ("worked", _("days of rest worked instead"))],
        widget=forms.Select(attrs=SELECT),
    )
    first = day_field(_("First day"))
    last = day_field(_("Last day"), required=False, help_text=_("Empty: that one day."))
    name = line(_("Name"), 120)
    basis = line(_("Basis"), 300, help_text=_("Number, date and article of the text."))

    def days(self) -> Days:
        """Return the days."""
        given = self.cleaned_data
        return Days(**given | {"last": given["last"] or given["first"]})


class DayField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """Chooses one of the days to come."""

    def label_from_instance(self, obj: Any) -> str:
        """Return day and name."""
        return f"{obj.day:%d/%m/%Y} · {obj.name}"


class TakeBackForm(forms.Form):
    """Which day is taken back, and why."""

    row = DayField(
        Holiday.objects.none(), label=_("Which day"), empty_label=_("choose a day"), widget=LongSelect(attrs=SELECT)
    )
    reason = reason_field()

    def __init__(self, data: Any = None, **more: Any) -> None:
        """Offer the days that have not come."""
        super().__init__(data, **more)
        coming = Holiday.objects.filter(day__gt=timezone.localdate(), taken_back_at__isnull=True).order_by("day")
        self.fields["row"].queryset = coming  # type: ignore[attr-defined]
