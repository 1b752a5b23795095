"""Forms of numbered copies: which pages to print, and what became of a paper."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from archive.models import CopyFate, Record
from archive.rules.levels import Level

FIGURE: Final = {"class": "form-control num", "inputmode": "numeric"}
WORDS: Final = {"class": "form-control", "rows": 2}
MOST: Final = 100  # pages of one print: drawing takes about 70 ms of processor for each


class PrintForm(forms.Form):
    """Which pages, and why; above the lowest level the reason is demanded."""

    first = forms.IntegerField(label=_("From page"), min_value=1, widget=forms.TextInput(attrs=FIGURE))
    last = forms.IntegerField(label=_("To page"), min_value=1, widget=forms.TextInput(attrs=FIGURE))
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs=WORDS))

    def __init__(self, data: Any = None, *, record: Record, numbers: Sequence[int]) -> None:
        """Offer all pages of the record; where a file was voided their numbers have a gap."""
        first = numbers[0] if numbers else 1
        last = max((number for number in numbers if number < first + MOST), default=0)
        super().__init__(data, initial={"first": first, "last": last})
        self.numbers = numbers
        self.fields["reason"].required = record.level > Level.THUONG

    def clean(self) -> dict[str, Any]:
        """Demand pages that are there, in order, and not more than are drawn at once."""
        given: dict[str, Any] = super().clean() or {}
        first, last = given.get("first"), given.get("last")
        if first is None or last is None:
            return given
        if not first <= last <= max(self.numbers, default=0) or not {first, last} <= set(self.numbers):
            self.add_error("last", self._said())
        elif last - first >= MOST:
            self.add_error("last", _("At most %(n)s pages are printed at once.") % {"n": MOST})
        return given

    def _said(self) -> str:
        """Say which pages there are: of most dispatches all from the first to the last."""
        if not self.numbers or self.numbers[-1] == len(self.numbers):
            return _("The dispatch has %(n)s pages; choose from the first to the last of them.") % {"n": len(self.numbers)}  # fmt: skip
        return _("The dispatch has the pages %(which)s; those of a voided file are gone. Begin and end with one of them.") % {"which": runs(self.numbers)}  # fmt: skip


def runs(numbers: Sequence[int]) -> str:
    """Return numbers as people write them.

    >>> runs([1, 2, 3, 6, 8, 9])
    '1-3, 6, 8-9'
    """
    there = set(numbers)
    ends = [(number, number + 1 not in there) for number in numbers if {number - 1, number + 1} - there]
    said = "".join(f"{number}{', ' if is_last else '-'}" for number, is_last in ends)
    return said.removesuffix(", ")


class EndForm(forms.Form):
    """How a paper ended, with a note for whoever checks the papers."""

    fate = forms.ChoiceField(
        label=_("The paper was"), choices=CopyFate.choices, widget=forms.Select(attrs={"class": "form-select"})
    )
    note = forms.CharField(
        label=_("Note"), max_length=300, help_text=_("Who took it back, or minutes of the destruction."),
        widget=forms.Textarea(attrs=WORDS),
    )  # fmt: skip
