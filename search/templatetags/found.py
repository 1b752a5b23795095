"""Marks in found text (plain text and spans become escaped text with <mark>, nothing else), and lists too long for a template."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from archive.templatetags import office

register = template.Library()
SELECTED: Final = mark_safe(" selected")
CHECKED: Final = mark_safe(" checked")


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


@register.simple_tag
def facet_values(facet: str, values: Iterable[Mapping[str, Any]]) -> SafeString:
    """Return the boxes of a facet's values; drawn here because a page of hits has hundreds, a third of its time as a template."""
    return format_html_join(
        "",
        '<li><label><input class="form-check-input m-0" type="checkbox" form="ask" name="{}" value="{}" data-submit{}>{}'
        '<span class="num">{}</span></label></li>',
        (
            (facet, one["value"], CHECKED if one["is_chosen"] else "", _value(facet, one), office.number(one["count"]))
            for one in values
        ),
    )


def _value(facet: str, one: Mapping[str, Any]) -> SafeString | str:
    if facet == "level":
        return office.level(one["value"])
    mark = office.urgency(one["value"]) if facet == "urgency" else ""
    return mark or format_html('<span class="words">{}</span>', office.plain(one["label"]))
