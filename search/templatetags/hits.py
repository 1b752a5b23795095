"""Hits, drawn here because a page has twenty: as nested templates they took a sixth of its time.

Every word of a dispatch leaves here escaped; what comes from outside shows its unseen signs (`office.plain`).
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext

from archive.models import RecordState
from archive.templatetags import office
from search.templatetags.found import marked

register = template.Library()
CHIPS: Final = 8  # pages of a hit that are named
FILE_NAME: Final = 28  # letters of a file's name beside a page

Hit = Mapping[str, Any]


@register.simple_tag
def hit_list(hits: Iterable[Hit]) -> SafeString:
    """Return hits as passages, one under the other."""
    page = escape(gettext("p."))
    # nosemgrep: unescaped - every part is escaped or a word of ours
    return mark_safe("".join(_hit(hit, page) for hit in hits))  # noqa: S308 - every part is escaped


@register.simple_tag
def subject(hit: Hit) -> str:
    """Return what a hit is called: its subject with what was found marked; a draft has none, and its key says nothing."""
    record = hit["record"]
    if record.subject:
        return marked(record.subject, hit["subject_marks"])
    if record.state == RecordState.DRAFT:
        return gettext("Not registered yet")
    return str(record.type_name or record.key)


def _hit(hit: Hit, page: str) -> str:
    url, record = escape(hit["url"]), hit["record"]
    return (
        f'<article class="hit" data-row>{_picture(hit, url)}<div>'
        f'<h3><a href="{url}">{conditional_escape(subject(hit))}</a></h3>\n'
        f'<p class="small text-secondary">{_facts(record)}</p>\n{_passage(hit, page)}'
        f'<div class="row-gap">{office.level(record.level)}{office.urgency(record.urgency)}{_pages(hit, page)}</div>'
        "</div></article>\n"
    )


def _picture(hit: Hit, url: str) -> str:
    if not hit["record"].page_amount:
        return "<span></span>"
    image = f'<img src="{escape(hit["thumb"])}" width="150" height="212" alt="" loading="lazy">'
    return f'<a href="{url}" tabindex="-1" aria-hidden="true">{image}</a>'


def _facts(record: Any) -> str:
    """Return type and symbol, issuer, day and unit, as far as they are known."""
    named = f'{office.plain(record.type_name)} <span class="num">{office.plain(record.symbol)}</span>'
    known = [office.plain(record.organ_name), office.when(record.issued_date)]
    said = [named, *(each for each in known if each)]
    is_bare = not (record.type_name or record.symbol or any(known))
    return " · ".join(said) + (" " if is_bare else " · ") + escape(str(record.unit))


def _passage(hit: Hit, page: str) -> str:
    """Return the passage found, or the name that was found where no text was."""
    name, excerpt, at = hit["name"], hit["excerpt"], hit["passage_at"]
    if name:
        label = f'<span class="text-secondary">{escape(str(name.label))}:</span> '
        return f"<p>{label}{marked(name.text, name.spans)}</p>\n"
    if not excerpt.text:
        return ""
    file = office.plain(at["file"])
    where = f'<span class="text-secondary">{office.icon("paperclip")} {file}, {page} {at["file_page"]}:</span> '
    return f"<p>{where if at['file'] else ''}{marked(excerpt.text, excerpt.spans)}</p>\n"


def _pages(hit: Hit, page: str) -> str:
    """Return the pages on which something was found, each a link, and how many are not named."""
    chips = "".join(_chip(one, page) for one in hit["pages"][:CHIPS])
    more = len(hit["pages"]) - CHIPS
    if more <= 0:
        return chips
    words = ngettext("and %(n)s more page", "and %(n)s more pages", more) % {"n": more}
    return f'{chips}<span class="small text-secondary">{escape(words)}</span>'


def _chip(one: Mapping[str, Any], page: str) -> str:
    file = (
        f"{office.icon('paperclip')} {office.plain(Truncator(one['file']).chars(FILE_NAME))}, " if one["file"] else ""
    )
    times = ngettext("%(n)s place", "%(n)s places", one["count"]) % {"n": one["count"]}
    spoken = f' <span class="visually-hidden">{escape(times)}</span>' if one["count"] > 1 else ""
    return f'<a class="chip chip-off num" href="{escape(one["url"])}">{file}{page} {one["file_page"]}{spoken}</a>'
