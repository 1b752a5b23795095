"""Marks in found text: plain text and spans become escaped text with <mark>, nothing else."""

from collections.abc import Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def marked(text: str, spans: Sequence[tuple[int, int]]) -> SafeString:
    """Return a text with its spans marked; every part is escaped."""
    parts: list[SafeString] = []
    at = 0
    for start, end in spans:
        parts += [format_html("{}", text[at:start]), format_html("<mark>{}</mark>", text[start:end])]
        at = end
    return format_html_join("", "{}", ((part,) for part in [*parts, format_html("{}", text[at:])]))


@register.filter
def bars_width(count: int) -> int:
    """Return the width of a row of bars, 64 units each."""
    return 64 * count + 4
