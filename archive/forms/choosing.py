"""A select box that draws hundreds of choices at once; nothing else.

Django draws each option by a template of its own: 60 ms for 600 people. This one joins
them in one go, escaped alike.
"""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString


class LongSelect(forms.Select):
    """A select box for long lists without groups."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ARG002 - Django's signature
        """Draw the box."""
        chosen = {str(each) for each in self.format_value(value)}
        drawn = self.build_attrs(self.attrs, attrs)
        if self.allow_multiple_selected:
            drawn["multiple"] = True
        return format_html(
            '<select name="{}"{}>{}</select>', name, flatatt(drawn), options(self.choices, chosen=chosen)
        )


class LongSelectMultiple(LongSelect, forms.SelectMultiple):
    """The same for several choices."""

    allow_multiple_selected = True


def options(choices: Iterable[tuple[Any, Any]], *, chosen: set[str]) -> SafeString:
    """Return the options of a box."""
    drawn = ((conditional_escape(value), value, conditional_escape(label)) for value, label in choices)
    lines = (
        f'<option value="{shown}"{" selected" if str(value) in chosen else ""}>{label}</option>'
        for shown, value, label in drawn
    )
    # nosemgrep: unescaped - every part is escaped or a word of ours
    return SafeString("\n".join(lines))
