"""The form of a new protection period: how long, around which days, by which text, from when."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.forms.clearing import reason_field
from archive.forms.days import day_field
from archive.forms.keeping import SELECT, TEXT
from archive.forms.staffing import line
from archive.leveling.periods import Term
from archive.models import ProtectionPeriod
from archive.models.schedule import STANDING
from archive.rules.levels import Level


def whole(label: Any, most: int, *, help_text: Any = "") -> forms.IntegerField:
    """Return a field for a whole number from 1."""
    box = forms.NumberInput(attrs=TEXT | {"inputmode": "numeric"})
    return forms.IntegerField(label=label, min_value=1, max_value=most, help_text=help_text, widget=box)


class AddTermForm(forms.Form):
    """How long a level protects from a day on."""

    level = forms.TypedChoiceField(
        label=_("Level"), coerce=lambda value: Level(int(value)), widget=forms.Select(attrs=SELECT),
        choices=[("", _("choose a level")), *((level.value, level.label) for level in Level if level > Level.THUONG)],
    )  # fmt: skip
    years = whole(_("Years"), 100)
    extend_days = whole(
        _("An extension is decided at the latest"), 366, help_text=_("Days before the end of protection.")
    )
    notice_days = whole(_("Holders are told within"), 366, help_text=_("Days after a decision about the level."))
    basis = line(_("Basis"), 300, help_text=_("Number, date and article of the text."))
    valid_from = day_field(_("In force from"))

    def __init__(self, data: Any = None, **more: Any) -> None:
        """Begin today."""
        super().__init__(data, initial={"valid_from": timezone.localdate()}, **more)

    def term(self) -> Term:
        """Return the period."""
        return Term(**self.cleaned_data)


def to_come() -> QuerySet[ProtectionPeriod]:
    """Return the periods whose day has not come."""
    return ProtectionPeriod.objects.filter(STANDING, valid_from__gt=timezone.localdate())


class PeriodField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """A choice of periods, each by its level, years and first day."""

    def label_from_instance(self, obj: ProtectionPeriod) -> str:
        """Return how a period is named."""
        said = _("%(level)s: %(years)s years, from %(day)s")
        return said % {"level": obj.get_level_display(), "years": obj.years, "day": f"{obj.valid_from:%d/%m/%Y}"}


class WithdrawForm(forms.Form):
    """Which period is withdrawn before its day, and why."""

    period = PeriodField(
        ProtectionPeriod.objects.none(), label=_("Period"), empty_label=_("choose a period"),
        widget=forms.Select(attrs=SELECT),
    )  # fmt: skip
    reason = reason_field()

    def __init__(self, data: Any = None, **more: Any) -> None:
        """Offer the periods whose day has not come."""
        super().__init__(data, **more)
        self.fields["period"].queryset = to_come()  # type: ignore[attr-defined]
