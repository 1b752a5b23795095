"""Forms of the file plan: a line, its other title, a retention period, its next version, its end."""

from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.fileplan import Line, Period
from archive.forms.choosing import LongSelect
from archive.forms.clearing import REASON, basis_field, reason_field
from archive.forms.days import day_field
from archive.forms.keeping import SELECT, TEXT, valid_rules
from archive.forms.staffing import line
from archive.models import RecordClass, RetentionRule, RuleKind

LONGEST: Final = 100  # years: the law knows 70


class BeginYearForm(forms.Form):
    """By which decision the plan of a year begins."""

    basis = basis_field()


class AddLineForm(forms.Form):
    """A new line of the plan of a year."""

    code = line(_("Number and symbol"), 30, help_text=_("For good: a code is never given twice in a year."))
    title = forms.CharField(label=_("Title"), max_length=300, widget=forms.Textarea(attrs=REASON))
    parent = forms.ModelChoiceField(
        RecordClass.objects.none(), label=_("Under the heading"), required=False,
        empty_label=_("none: at the top"), widget=LongSelect(attrs=SELECT),
    )  # fmt: skip
    rule = forms.ModelChoiceField(
        RetentionRule.objects.none(), label=_("Retention period"), required=False,
        empty_label=_("none: it is a heading"), widget=LongSelect(attrs=SELECT),
    )  # fmt: skip
    keeper = line(_("Keeper"), 120, required=False)
    basis = basis_field()

    def __init__(self, data: Any = None, *, year: int, **more: Any) -> None:
        """Offer the open headings of the year and the periods in force."""
        super().__init__(data, **more)
        self.year = year
        headings = RecordClass.objects.filter(year=year, rule__isnull=True, closed_on__isnull=True)
        self.fields["parent"].queryset = headings  # type: ignore[attr-defined]
        self.fields["rule"].queryset = valid_rules()  # type: ignore[attr-defined]

    def line(self) -> Line:
        """Return what stands in the line."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "basis"}
        return Line(year=self.year, **given)


class RenameLineForm(forms.Form):
    """Another title, or another keeper."""

    title = forms.CharField(label=_("Title"), max_length=300, widget=forms.Textarea(attrs=REASON))
    keeper = line(_("Keeper"), 120, required=False)
    reason = reason_field()

    def __init__(self, data: Any = None, *, row: RecordClass, **more: Any) -> None:
        """Begin with what is written now."""
        super().__init__(data, initial={"title": row.title, "keeper": row.keeper}, **more)


class PeriodForm(forms.Form):
    """How long is kept, from a day on, by which text."""

    title = forms.CharField(label=_("What it covers"), max_length=300, widget=forms.Textarea(attrs=REASON))
    kind = forms.ChoiceField(label=_("Counted"), choices=RuleKind.choices, widget=forms.Select(attrs=SELECT))
    years = forms.IntegerField(
        label=_("Years"), required=False, min_value=1, max_value=LONGEST,
        help_text=_("Only where years are counted."), widget=forms.NumberInput(attrs=TEXT | {"inputmode": "numeric"}),
    )  # fmt: skip
    basis = line(_("Basis"), 300, help_text=_("Number, date and article of the text."))
    valid_from = day_field(_("In force from"))

    def period(self) -> Period:
        """Return the period."""
        given = self.cleaned_data
        return Period(given["title"], RuleKind(given["kind"]), given["years"], given["basis"], given["valid_from"])


class AddPeriodForm(PeriodForm):
    """A new period."""

    code = line(_("Code"), 30)
    field_order = ("code", "title", "kind", "years", "basis", "valid_from")


class ChangePeriodForm(PeriodForm):
    """The next version of a period."""

    def __init__(self, data: Any = None, *, rule: RetentionRule, **more: Any) -> None:
        """Begin with the present version; the text it rests on is a new one."""
        now = {"title": rule.title, "kind": rule.kind, "years": rule.years, "valid_from": timezone.localdate()}
        super().__init__(data, initial=now, **more)


class ClosePeriodForm(forms.Form):
    """The last day of a period."""

    last_day = day_field(_("Last day"))
    reason = reason_field()
