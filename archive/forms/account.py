"""Forms of one's own account: password, codes; and of the reset of somebody else's authenticator."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.utils.translation import gettext_lazy as _

from archive import second_factor
from archive.forms.clearing import PersonField, reason_field
from archive.forms.keeping import SELECT
from archive.models import Person, SignsInBy

CODE: Final = {"class": "form-control num", "autocomplete": "one-time-code", "spellcheck": "false"}


class PasswordForm(PasswordChangeForm):
    """Asks for the old password and, twice, a new one of at least 12 characters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Give the fields the office's look and words."""
        super().__init__(*args, **kwargs)
        words: dict[str, tuple[Any, Any]] = {
            "old_password": (_("Present password"), ""),
            "new_password1": (
                _("New password"),
                _(
                    "At least 12 characters; a sentence is easiest to keep in mind. Not a common one, no name of yours or the office."
                ),
            ),
            "new_password2": (_("New password again"), ""),
        }
        for name, (label, hint) in words.items():
            field = self.fields[name]
            field.label, field.help_text = label, hint
            field.widget.attrs |= {"class": "form-control", "maxlength": "256", "autofocus": False}

    def clean_new_password1(self) -> str:
        """Refuse the present password: a first one is known to who gave it."""
        given: str = self.cleaned_data["new_password1"]
        if given and given == self.data.get("old_password"):
            raise forms.ValidationError(_("This is the present password. Choose another one."))
        return given


class CodeForm(forms.Form):
    """Asks for the six figures of an authenticator, or (at sign-in) a recovery code."""

    code = forms.CharField(label=_("Six-figure code"), max_length=40, widget=forms.TextInput(attrs=CODE))


class ResetForm(forms.Form):
    """Asks whose authenticator is reset, and why."""

    person = PersonField(_("Person"))
    reason = reason_field()

    def __init__(self, *args: Any, actor: Person, **kwargs: Any) -> None:
        """Offer whose authenticator the actor may reset."""
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = second_factor.resettable_by(actor)  # type: ignore[attr-defined]


class EndSessionsForm(forms.Form):
    """Asks whose sessions are ended, and why."""

    person = PersonField(_("Person"))
    reason = reason_field()

    def __init__(self, *args: Any, people: Sequence[int], **kwargs: Any) -> None:
        """Offer whoever has a session open."""
        super().__init__(*args, **kwargs)
        offered = Person.objects.filter(pk__in=people).select_related("unit").order_by("full_name")
        self.fields["person"].queryset = offered  # type: ignore[attr-defined]


class SignInByForm(forms.Form):
    """Asks who signs in by which driver from now on, and why."""

    person = PersonField(_("Person"))
    by = forms.ChoiceField(label=_("Signs in by"), widget=forms.Select(attrs=SELECT))
    reason = reason_field()

    def __init__(self, *args: Any, actor: Person, ways: Sequence[str], **kwargs: Any) -> None:
        """Offer everybody else, and the drivers that are set."""
        super().__init__(*args, **kwargs)
        people = Person.objects.filter(is_active=True, is_service=False).exclude(pk=actor.pk)
        self.fields["person"].queryset = people.select_related("unit").order_by("full_name")  # type: ignore[attr-defined]
        self.fields["by"].choices = [each for each in SignsInBy.choices if each[0] in ways]  # type: ignore[attr-defined]
