"""Marks in found text (plain text and spans become escaped text with <mark>, nothing else), and lists too long for a template."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape  # Django's own does the same four times slower: a page has five hundred parts
from typing import Any, Final

from django import template
from django.utils.safestring import SafeString, mark_safe

from archive.templatetags import office

register = template.Library()
SELECTED: Final = mark_safe(" selected")
CHECKED: Final = mark_safe(" checked")


@register.simple_tag
def marked(text: str, spans: Sequence[tuple[int, int]]) -> SafeString:
    """Return a text with its spans marked; every part is escaped."""
    parts: list[str] = []
    at = 0
    for start, end in spans:
        parts += [escape(text[at:start]), "<mark>", escape(text[start:end]), "</mark>"]
        at = end
    # nosemgrep: unescaped - every part is escaped or a word of ours
    return SafeString("".join([*parts, escape(text[at:])]))


@register.simple_tag
def options(choices: Mapping[str, object], chosen: str) -> SafeString:
    """Return the options of a select; drawn here because the builder has dozens on every page of hits."""
    drawn = (
        f'<option value="{escape(value)}"{SELECTED if value == chosen else ""}>{escape(str(label))}</option>'
        for value, label in choices.items()
    )
    # nosemgrep: unescaped - every part is escaped or a word of ours
    return mark_safe("".join(drawn))  # noqa: S308 - every part is escaped


@register.simple_tag
def facet_values(facet: str, values: Iterable[Mapping[str, Any]]) -> SafeString:
    """Return the boxes of a facet's values; drawn here because a page of hits has hundreds, a third of its time as a template."""
    box = f'<li><label><input class="form-check-input m-0" type="checkbox" form="ask" name="{escape(facet)}" value="'
    drawn = (
        f'{box}{escape(one["value"])}" data-submit{CHECKED if one["is_chosen"] else ""}>{_value(facet, one)}'
        f'<span class="num">{office.number(one["count"])}</span></label></li>'
        for one in values
    )
    # nosemgrep: unescaped - every part is escaped or a word of ours
    return mark_safe("".join(drawn))  # noqa: S308 - every part is escaped


def _value(facet: str, one: Mapping[str, Any]) -> str:
    """Return what stands beside a box, as markup."""
    if facet == "level":
        return office.level(one["value"])
    mark = office.urgency(one["value"]) if facet == "urgency" else ""
    return mark or f'<span class="words">{office.plain(one["label"])}</span>'
