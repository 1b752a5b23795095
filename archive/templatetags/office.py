"""Template words of the office: icons, marks of secrecy and urgency, dates, numbers.

What a page needs to say the same thing the same way everywhere. Nothing here reads
the database, decides about access or knows an address; every value that came from a
dispatch leaves here escaped.
"""

import json
import logging
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from html import escape  # Django's own does the same four times slower
from pathlib import Path
from typing import Any, Final

from django import template
from django.conf import settings
from django.forms.boundfield import BoundWidget
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext

from archive.routing.lists import CAP
from archive.rules.levels import Level, Urgency

register = template.Library()
log = logging.getLogger("vankho.face")

ICONS: Final = Path(__file__).resolve().parent.parent / "static" / "archive" / "vendor" / "tabler-icons"
GROUP: Final = {"vi": "\u00a0", "en": ","}
GROUPED: Final = 1_000  # figures below it look alike in both languages
POINT: Final = {"vi": ",", "en": "."}
STATE_ICONS: Final = {
    "open": "circle-dashed",
    "doing": "progress",
    "soon": "clock-hour-4",
    "late": "alert-triangle",
    "done": "circle-check",
    "refused": "ban",
}
URGENCY_ICONS: Final = {Urgency.KHAN: "chevron-up", Urgency.THUONG_KHAN: "chevrons-up", Urgency.HOA_TOC: "flame"}
NOTE_ICONS: Final = {
    "": "info-circle",
    "good": "circle-check",
    "warn": "alert-triangle",
    "bad": "alert-circle",
}
NOTE_OF_TAG: Final = {"success": "good", "warning": "warn", "error": "bad"}
# Unicode categories whose members change how a line reads without being seen.
UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cn", "Zl", "Zp"})
SPOKEN: Final = {
    "\u200b": "ZWSP",
    "\u200c": "ZWNJ",
    "\u200d": "ZWJ",
    "\u200e": "LRM",
    "\u200f": "RLM",
    "\u202a": "LRE",
    "\u202b": "RLE",
    "\u202c": "PDF",
    "\u202d": "LRO",
    "\u202e": "RLO",
    "\u2066": "LRI",
    "\u2067": "RLI",
    "\u2068": "FSI",
    "\u2069": "PDI",
    "\u00ad": "SHY",
    "\ufeff": "BOM",
}


class UnknownIcon(LookupError):  # noqa: N818 - says what it is
    """A template names an icon that is not among the vendored ones."""


@lru_cache(maxsize=512)
def _strokes(name: str) -> str:
    """Return the paths of one vendored icon without Tabler's empty bounding path."""
    path = ICONS / f"{name}.svg"
    if not re.fullmatch(r"[a-z0-9-]+", name) or not path.is_file():
        raise UnknownIcon(name)
    # nosemgrep: files - a vendored icon, its name checked above
    inner = re.search(r"<svg[^>]*>(.*)</svg>", path.read_text(encoding="utf-8"), re.DOTALL)
    if inner is None:
        raise UnknownIcon(name)
    return re.sub(r'\s*<path stroke="none"[^>]*/>\s*|\n\s*', "", inner.group(1))


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """Draw a Tabler icon by name, hidden from screen readers (the word beside it speaks).

    Raises:
        UnknownIcon: in development and under test; a running office gets a plain circle and a line in its log.
    """
    try:
        return _drawn(name, extra)
    except UnknownIcon:
        if settings.DEBUG or "PYTEST_VERSION" in os.environ:
            raise
        log.exception("icon %s is not vendored", name)
        return _drawn("circle", extra)


@lru_cache(maxsize=512)  # a page draws fifty
def _drawn(name: str, extra: str) -> SafeString:
    return format_html(
        '<svg class="{}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
        'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{}</svg>',
        f"ic {extra}".strip(),
        # nosemgrep: unescaped - our own vendored file, named by [a-z0-9-]+
        mark_safe(_strokes(name)),  # noqa: S308 - our own vendored file, named by [a-z0-9-]+
    )


def _level(value: Level | int | str) -> Level:
    return Level.parse(value) if isinstance(value, str) else Level(value)


def _urgency(value: Urgency | int | str) -> Urgency:
    return Urgency.parse(value) if isinstance(value, str) else Urgency(value)


@register.simple_tag
def level(value: Level | int | str | None) -> SafeString | str:
    """Draw the square mark of a secrecy level: bars by CSS, always with its word."""
    if value is None or value == "":
        return ""
    known = _level(value)
    # nosemgrep: unescaped - every part is escaped or a word of ours
    return SafeString(f'<span class="level level-{known.slug}">{escape(str(known.label))}</span>')


@register.simple_tag
def urgency(value: Urgency | int | str | None) -> SafeString | str:
    """Draw the round mark of an urgency; a routine dispatch has none."""
    if value is None or value == "" or _urgency(value) is Urgency.THUONG:
        return ""
    known = _urgency(value)
    word = escape(str(known.label))
    # nosemgrep: unescaped - every part is escaped or a word of ours
    return SafeString(f'<span class="urgent urgent-{known.slug}">{icon(URGENCY_ICONS[known])}{word}</span>')


@register.simple_tag
def marks(level_value: Level | int | str | None, urgency_value: Urgency | int | str | None = None) -> SafeString:
    """Draw level, then urgency, in the one column that tables give them."""
    # nosemgrep: unescaped - every part is escaped or a word of ours
    return SafeString(f'<span class="marks">{level(level_value)}{urgency(urgency_value)}</span>')


@register.simple_tag
def state(kind: str, words: object, icon_name: str = "") -> SafeString:
    """Draw a state as shape and word; `kind` is open (or empty), doing, soon, late, done or refused."""
    shape = icon_name or STATE_ICONS[kind or "open"]
    shown = {"open": "", "refused": "late"}.get(kind, kind)
    css = f"state state-{shown}" if shown else "state"
    return format_html('<span class="{}">{}{}</span>', css, icon(shape), words)


@register.filter
def box(choice: BoundWidget) -> SafeString:
    """Draw the box of one choice, to be ticked: a template of Django's each, three for a unit, were half of a page."""
    known = {name: choice.data[name] for name in ("type", "name", "value")} | choice.data["attrs"]
    shown = {name: value for name, value in known.items() if value is not None and value is not False}
    attributes = (name if value is True else f'{name}="{escape(str(value))}"' for name, value in shown.items())
    # nosemgrep: unescaped - names are Django's, every value is escaped
    return SafeString(f"<input {' '.join(attributes)}>")


@register.simple_tag
def confidence(score: int | None, sure: int = 90) -> SafeString:
    """Draw how sure a reading is: the word first (match, look again, not read), the figure second."""
    if score is None:
        return state("open", gettext("Not read"))
    if score >= sure:
        return state("done", gettext("Match %(score)s%%") % {"score": score})
    return state("soon", gettext("Look again %(score)s%%") % {"score": score}, "alert-triangle")


@register.filter
def note_kind(tags: str) -> str:
    """Return the kind of note (good, warn, bad or plain) for a Django message's tags."""
    return next((kind for tag, kind in NOTE_OF_TAG.items() if tag in tags.split()), "")


@register.filter
def note_icon(kind: str) -> str:
    """Return the icon of a kind of note."""
    return NOTE_ICONS.get(kind or "", "info-circle")


def _moment(value: date | datetime | str | None) -> date | datetime | None:
    """Return a local moment, a plain day, or None for what cannot be read as either."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if "T" in value or " " in value else date.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime) and timezone.is_aware(value):
        return timezone.localtime(value)
    return value


@register.filter
def vndate(value: date | datetime | str | None) -> str:
    """Return the day as dd/mm/yyyy in the office's time zone; nothing for nothing."""
    moment = _moment(value)
    return f"{moment:%d/%m/}{moment.year:04d}" if moment else ""


@register.filter
def vntime(value: date | datetime | str | None) -> str:
    """Return the time of day as hh:mm in the office's time zone."""
    moment = _moment(value)
    return f"{moment:%H:%M}" if isinstance(moment, datetime) else ""


@register.filter
def vndatetime(value: date | datetime | str | None) -> str:
    """Return dd/mm/yyyy hh:mm in the office's time zone."""
    moment = _moment(value)  # once: it is told a thousand times on one page
    if not isinstance(moment, datetime):
        return vndate(moment)
    return f"{moment:%d/%m/}{moment.year:04d} {moment:%H:%M}"


@register.simple_tag
def when(value: date | datetime | str | None, form: str = "auto") -> SafeString | str:
    """Draw a moment as a `time` element; `form` is date, time, datetime, or auto (a day has no hour)."""
    moment = _moment(value)
    if moment is None:
        return ""
    shapes = {"date": vndate, "time": vntime, "datetime": vndatetime}
    chosen = form if form != "auto" else ("datetime" if isinstance(moment, datetime) else "date")
    # nosemgrep: unescaped - every part is escaped or a word of ours
    return SafeString(f'<time class="num" datetime="{moment.isoformat()}">{shapes[chosen](moment)}</time>')


def _tongue() -> str:
    return "vi" if (get_language() or "vi").startswith("vi") else "en"


@register.filter
def number(value: float | str | None, places: int = 0) -> str:
    """Group a number as the reader's language does: 1 902 and 91,4 in Vietnamese, 1,902 and 91.4 in English."""
    if value is None or value == "":
        return ""
    if isinstance(value, int) and abs(value) < GROUPED and not places:
        return str(int(value))
    tongue = _tongue()
    shown = f"{float(value):,.{places}f}"
    return shown.translate({ord(","): GROUP[tongue], ord("."): POINT[tongue]})


@register.filter
def capped(value: int) -> str:
    """Say a figure that was counted no further than CAP + 1: 999+."""
    return f"{number(CAP)}+" if value > CAP else number(value)


@register.filter
def percent(value: float | None, places: int = 1) -> str:
    """Return a share of one hundred with its sign: 91,4 %."""
    return "" if value is None else f"{number(value, places)}\u00a0%"


@register.filter
def human_size(size: int | None) -> str:
    """Return a number of bytes in the unit a person would say."""
    if size is None:
        return ""
    amount, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 1024 or unit == "TB":  # noqa: PLR2004 - bytes in a kibibyte
            break
        amount /= 1024
    return f"{number(amount, 0 if unit in {'B', 'kB'} else 1)}\u00a0{unit}"


def _seen(character: str) -> SafeString | str:
    """Return a character that can be seen: itself, or its name in a small frame."""
    if character in "\n\t" or unicodedata.category(character) not in UNSEEN:
        return conditional_escape(character)
    name = SPOKEN.get(character, f"U+{ord(character):04X}")
    return format_html('<span class="unseen">{}</span>', name)


@register.filter
def plain(text: object) -> SafeString | str:
    """Show text from outside with its unseen signs made visible (a name may hide its true ending by U+202E)."""
    shown = "" if text is None else str(text)
    if shown.isprintable():  # holds none of them; asking sign by sign took 10 ms of a register page
        # nosemgrep: unescaped - every part is escaped or a word of ours
        return shown if isinstance(shown, SafeString) else SafeString(escape(shown))
    if not any(unicodedata.category(sign) in UNSEEN and sign not in "\n\t" for sign in shown):
        return conditional_escape(shown)
    return format_html_join("", "{}", ((_seen(sign),) for sign in shown))


@register.filter
def person_initials(person: object) -> str:
    """Return two letters for the round face: middle and given name, as the office addresses people."""
    words = [word for word in str(person).split() if word[:1].isalpha()]
    return "".join(word[0] for word in words[-2:]).upper() or "?"


@register.filter
def given_name(person: object) -> str:
    """Return the last word of a Vietnamese name: the one people are addressed by."""
    return str(person).split()[-1] if str(person).split() else ""


@register.filter
def as_json(value: object) -> str:
    """Return compact JSON for a data attribute; text is taken to be JSON already."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@register.filter
def tabbar(rail: Iterable[Mapping[str, Any]] | None) -> list[Any]:
    """Return the four items of the phone's tab bar: those marked `tab`, else the first four of the rail."""
    items = [item for group in rail or () for item in _part(group, "items")]
    chosen = [item for item in items if _part(item, "tab")] or items
    return chosen[:4]


def _part(holder: object, name: str) -> Any:
    """Return a part of a mapping or of an object alike; None when it has no such part."""
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


@register.simple_tag
def rows_shown(first: int, last: int, total: int | str | None = None) -> str:
    """Return "1 to 25 of 63", without the total when counting it would cost or tell too much."""
    if not isinstance(total, int):  # a name that no view gave reaches a tag as empty text
        return gettext("%(first)s to %(last)s") % {"first": number(first), "last": number(last)}
    words = ngettext("%(first)s to %(last)s of %(total)s", "%(first)s to %(last)s of %(total)s", total)
    return words % {"first": number(first), "last": number(last), "total": number(total)}
