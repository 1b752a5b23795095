"""Forms of keeping: a new dossier, filing, closing, holds. Choices hold only what the person may see."""

from functools import cached_property
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import fileplan
from archive.access import level_of
from archive.dossiers import Cover, visible_dossiers
from archive.forms.choosing import LongSelect, LongSelectMultiple
from archive.forms.days import day_field
from archive.models import Dossier, Person, RecordClass, RetentionRule, Unit
from archive.rules.levels import Level
from archive.standing import units_in_scope

TEXT = {"class": "form-control"}
OFFERED = 300  # newest dossiers in the box of a hold; an older one has the button on its own page
SELECT = {"class": "form-select"}


def valid_rules() -> QuerySet[RetentionRule]:
    """Return the retention periods in force today."""
    today = timezone.localdate()
    return RetentionRule.objects.filter(valid_from__lte=today).exclude(valid_to__lt=today)


class DossierForm(forms.Form):
    """The cover of a new dossier."""

    code = forms.CharField(
        label=_("Number and symbol of the dossier"), max_length=40, widget=forms.TextInput(attrs=TEXT)
    )
    title = forms.CharField(label=_("Title"), max_length=500, widget=forms.Textarea(attrs=TEXT | {"rows": 2}))
    record_class = forms.ModelChoiceField(
        RecordClass.objects.none(), label=_("Line of the file plan"), widget=forms.Select(attrs=SELECT)
    )
    rule = forms.ModelChoiceField(
        RetentionRule.objects.none(),
        label=_("Retention period"),
        required=False,
        empty_label=_("as the line of the file plan"),
        widget=forms.Select(attrs=SELECT),
    )
    unit = forms.ModelChoiceField(Unit.objects.none(), label=_("Unit"), widget=forms.Select(attrs=SELECT))
    opened_on = day_field(_("Opened on"))
    description = forms.CharField(label=_("Note"), max_length=500, required=False, widget=forms.TextInput(attrs=TEXT))

    def __init__(self, data: Any = None, *, person: Person) -> None:
        """Offer the file plan of this year, the rules valid today, and the person's units."""
        today = timezone.localdate()
        super().__init__(data, initial={"opened_on": today, "unit": person.unit_id})
        plan = RecordClass.objects.filter(year=today.year, rule__isnull=False, closed_on__isnull=True)
        self.fields["record_class"].queryset = plan  # type: ignore[attr-defined]
        self.fields["rule"].queryset = valid_rules()  # type: ignore[attr-defined]
        units = Unit.objects.filter(pk__in=units_in_scope(person, timezone.now()))
        self.fields["unit"].queryset = units  # type: ignore[attr-defined]

    def cover(self) -> Cover:
        """Return what stands on the cover."""
        given = self.cleaned_data
        rule = given.pop("rule") or fileplan.in_force(given["record_class"].rule, timezone.localdate())
        return Cover(rule=rule, **given)


class FileForm(forms.Form):
    """Which open dossier a record goes into."""

    dossier = forms.ModelChoiceField(
        Dossier.objects.none(), label=_("Dossier"), empty_label=_("choose a dossier"), widget=LongSelect(attrs=SELECT)
    )

    def __init__(self, data: Any = None, *, person: Person, into: str = "") -> None:
        """Offer the open dossiers this person may see, one of them chosen beforehand."""
        super().__init__(data, initial={"dossier": into})
        field: Any = self.fields["dossier"]
        field.queryset = visible_dossiers(person).filter(closed_at__isnull=True).only("code", "title", "level")
        field.choices = self._choices

    @cached_property
    def offers(self) -> list[Dossier]:
        """The dossiers to choose from, read once: the page asks whether there are any, and then draws them."""
        return list(self.fields["dossier"].queryset)  # type: ignore[attr-defined]

    @property
    def page_level(self) -> Level:
        """The highest level among the dossiers that the form names: the page that draws it is as secret."""
        return level_of(self.offers)

    def keep_to(self, level: Level) -> bool:
        """Offer only what is no more secret than a page that is there for something else; return whether more was to offer."""
        every, self.offers = self.offers, [each for each in self.offers if each.level <= level]
        return len(self.offers) < len(every)

    def _choices(self) -> list[tuple[Any, Any]]:
        offered = [(dossier.pk, str(dossier)) for dossier in self.offers]
        return [("", self.fields["dossier"].empty_label), *offered]  # type: ignore[attr-defined]


class CloseForm(forms.Form):
    """The day on which the work of a dossier ended."""

    ended_on = day_field(_("The work ended on"))


class HoldForm(forms.Form):
    """A hold: its name, why, by whose order, and the dossiers it covers."""

    name = forms.CharField(label=_("Name of the hold"), max_length=200, widget=forms.TextInput(attrs=TEXT))
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs=TEXT | {"rows": 2}))
    mandate = forms.CharField(
        label=_("By whose order"), max_length=300, required=False, widget=forms.TextInput(attrs=TEXT)
    )
    dossiers = forms.ModelMultipleChoiceField(
        Dossier.objects.none(), label=_("Dossiers it covers"), widget=LongSelectMultiple(attrs=SELECT | {"size": 6})
    )

    def __init__(self, data: Any = None, *, person: Person, initial: Any = None) -> None:
        """Take the dossiers this person may see; list the newest of them, and the one a link asks for."""
        super().__init__(data, initial=initial)
        seen = visible_dossiers(person)
        field: Any = self.fields["dossiers"]
        field.queryset = seen
        named = seen.only("code", "title", "level")
        asked = list(named.filter(pk__in=self.initial.get("dossiers", ())))
        offered = [*asked, *(each for each in named[:OFFERED] if each not in asked)]
        field.widget.choices = [(dossier.pk, str(dossier)) for dossier in offered]
        self.page_level = level_of(offered)  # of what the form names: the page that draws it is as secret
