"""The field of a day, one for every form: how an office types it, and what to do when it cannot be read."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

FORMATS: Final = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d")
AHEAD: Final = (*FORMATS, "%d/%m/%y")  # of a day to come: a short year is this century's


def day_field(
    label: Any, *, required: bool = True, help_text: Any = "", formats: tuple[str, ...] = FORMATS
) -> forms.DateField:
    """Return a field for a day typed as dd/mm/yyyy. With `AHEAD` the page completes a short day as it is left."""
    attrs = {"class": "form-control num", "placeholder": "dd/mm/yyyy", "inputmode": "numeric"}
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        input_formats=formats,
        widget=forms.DateInput(format="%d/%m/%Y", attrs=attrs | ({"data-day": ""} if formats == AHEAD else {})),
        error_messages={"invalid": _("Write the day as dd/mm/yyyy.")},
    )
