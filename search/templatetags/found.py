"""Marks in found text (plain text and spans become escaped text with <mark>, nothing else) and options of the builder."""

from collections.abc import Mapping, Sequence
from typing import Final

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
SELECTED: Final = mark_safe(" selected")


@register.simple_tag
def marked(text: str, spans: Sequence[tuple[int, int]]) -> SafeString:
    """Return a text with its spans marked; every part is escaped."""
    parts: list[SafeString] = []
    at = 0
    for start, end in spans:
        parts += [format_html("{}", text[at:start]), format_html("<mark>{}</mark>", text[start:end])]
        at = end
    return format_html_join("", "{}", ((part,) for part in [*parts, format_html("{}", text[at:])]))


@register.simple_tag
def options(choices: Mapping[str, object], chosen: str) -> SafeString:
    """Return the options of a select; drawn here because the builder has dozens on every page of hits."""
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((value, SELECTED if value == chosen else "", label) for value, label in choices.items()),
    )
