"""Forms of the acts on a secrecy level, and of the marks of one dispatch. Choices hold only what the person may ask for."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.forms.clearing import REASON, reason_field
from archive.forms.days import day_field
from archive.forms.keeping import SELECT, TEXT
from archive.leveling.moving import Order
from archive.models import ChangeKind, Mark
from archive.rules.levels import Level

VERBS = {
    ChangeKind.RAISE: _("Raise to %(level)s"),
    ChangeKind.LOWER: _("Lower to %(level)s"),
    ChangeKind.DECLASSIFY: _("Declassify"),
}
Offer = tuple[ChangeKind, Level]


def words_of(kind: ChangeKind, level: Level) -> str:
    """Return what a change asks for, in words."""
    return str(VERBS[kind]) % {"level": level.label}


class OrderForm(forms.Form):
    """What every decision about a level rests on."""

    authority = forms.CharField(
        label=_("Decided by (post and name)"), max_length=200, widget=forms.TextInput(attrs=TEXT)
    )
    basis = forms.CharField(label=_("Number of the decision"), max_length=200, widget=forms.TextInput(attrs=TEXT))
    decided_on = day_field(_("Day of the decision"))
    reason = forms.CharField(label=_("Reasons"), max_length=500, widget=forms.Textarea(attrs=REASON))

    def order(self) -> Order:
        """Return what was decided."""
        given = self.cleaned_data
        return Order(given["authority"], given["basis"], given["decided_on"], given.get("reason", ""))


class ChangeForm(OrderForm):
    """Another level: what is wished, and the decision; for a wish to raise the decision may come later."""

    change = forms.TypedChoiceField(label=_("What is asked"), widget=forms.Select(attrs=SELECT))
    field_order = ("change", "authority", "basis", "decided_on", "reason")

    def __init__(self, data: Any = None, *, offers: Sequence[Offer] = (), asks: bool = False, **more: Any) -> None:
        """Offer these changes; `asks`: a second person decides."""
        super().__init__(data, **more)
        self.offers, self.asks = {f"{kind}:{level.slug}": (kind, level) for kind, level in offers}, asks
        box: Any = self.fields["change"]
        box.choices = [(name, words_of(*offer)) for name, offer in self.offers.items()]
        if asks:
            for name in ("authority", "basis", "decided_on"):
                self.fields[name].required = False

    def offer(self) -> Offer:
        """Return the chosen change."""
        return self.offers[self.cleaned_data["change"]]


class ConfirmForm(OrderForm):
    """The decision that a proposal to raise still lacks; the reasons stand on the proposal."""

    def __init__(self, data: Any = None, *, known: Order | None = None, **more: Any) -> None:
        """Ask only for what the proposal does not say."""
        super().__init__(data, **more)
        del self.fields["reason"]
        for name in ("authority", "basis", "decided_on"):
            if known is not None and getattr(known, name):
                del self.fields[name]

    def order(self) -> Order:
        """Return what was filled in."""
        given = self.cleaned_data
        return Order(given.get("authority", ""), given.get("basis", ""), given.get("decided_on"), "")


class CloseForm(forms.Form):
    """Why a proposal is refused or withdrawn."""

    reason = reason_field()


class LongerForm(OrderForm):
    """A later end of protection."""

    until = day_field(_("New last day of protection"))
    field_order = ("until", "authority", "basis", "decided_on", "reason")


class ReviewForm(forms.Form):
    """The level stays; when it is looked at again."""

    next_on = day_field(_("Next review"))
    reason = reason_field()


class TellForm(forms.Form):
    """A holder was told."""

    notice = forms.IntegerField(widget=forms.HiddenInput)
    told_on = day_field(_("Told on"))
    how = forms.CharField(
        label=_("Notice and way"),
        max_length=300,
        widget=forms.TextInput(attrs=TEXT),
        help_text=_("Number of the notice, how it went, and that the copy is re-marked."),
    )

    def __init__(self, data: Any = None, **more: Any) -> None:
        """Begin with today."""
        today: date = timezone.localdate()
        super().__init__(data, initial={"told_on": today}, **more)


class RecordMarksForm(forms.Form):
    """The compartment marks on one dispatch: those that the person holds can be set and taken off."""

    marks = forms.ModelMultipleChoiceField(
        Mark.objects.none(), label=_("Compartment marks"), required=False, widget=forms.CheckboxSelectMultiple
    )
    reason = reason_field()

    def __init__(self, data: Any = None, *, held: Sequence[int], on_it: Sequence[int]) -> None:
        """Offer the marks held."""
        super().__init__(data, initial={"marks": [each for each in on_it if each in held]})
        box: Any = self.fields["marks"]
        box.queryset = Mark.objects.filter(pk__in=held).select_related("group").order_by("group__name", "name")
