"""Make the leaves of a query from pieces of text: words, numbers, days, named values.

Each function returns None when the piece is not what it looks for; none raises.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from search import dates, fields
from search.nodes import Choice, Dates, Leaf, Number, Span, Within, Words, Year
from search.text import exact_words, vi_fold
from search.text import words as cut

MIN_PREFIX: Final = 2
MIN_FUZZY: Final = 3
# 123/BC-BCH, 123a/QĐ-UBND, 45/QĐ*, 12-CV/TU (the party's form)
_NUMBER: Final = re.compile(r"\d{1,6}[a-zđ]?/[^\W_][\w/.&-]*\*?|\d{1,6}-[^\W\d_]{2,6}/[^\W_][\w/.-]*\*?", re.IGNORECASE)
_DASHED: Final = re.compile(r"\d{1,6}[a-zđ]?(?:-[^\W\d_]{1,6}\d{0,2}){1,4}", re.IGNORECASE)  # 123-bc-bch
_ANY_NUMBER: Final = re.compile(r"\d{1,6}[a-zđ]?(?:[/-][\w/.&-]*)?\*?", re.IGNORECASE)
_LAST_SIGN: Final = re.compile(r"(?<!\.)[.,;]$")  # of the sentence; "2024.." is an open span
_FUZZY: Final = re.compile(r"~\d?$")


def word_leaf(text: str, span: Span, *, is_quoted: bool = False) -> Words | None:
    """Return the words of a piece of text, or None if it has none."""
    tokens = tuple(cut(text))
    if not tokens:
        return None
    typed = tuple(exact_words(text))
    bare = not is_quoted and text
    is_prefix = bool(bare and bare.endswith("*") and _can_begin(tokens[-1]))
    is_fuzzy = bool(bare and _FUZZY.search(bare) and len(tokens[0]) >= MIN_FUZZY)
    if is_fuzzy:
        tokens, typed = tokens[:1], typed[:1]  # the figure after "~" is no word
    return Words(tokens, typed, span, is_quoted=is_quoted, is_prefix=is_prefix, is_fuzzy=is_fuzzy)


def _can_begin(token: str) -> bool:
    """Return whether a word is enough of a beginning: of figures the first tells more than one letter does."""
    return len(token) >= MIN_PREFIX or token.isdigit()


def number_leaf(text: str, span: Span) -> Number | None:
    """Return a dispatch number written in one piece, or None; one that could be a month ("5/2026") means that as well."""
    bare = text.rstrip(".,;:")
    tokens = number_tokens(bare)
    is_dashed = _DASHED.fullmatch(bare) and all(map(fields.looks_like_notation, tokens[1:]))
    if not (is_dashed or _NUMBER.fullmatch(bare)):
        return None
    month = _month(bare, span)
    return Number(tokens, bare.upper(), span, is_prefix=bare.endswith("*"), written=tokens, month=month)


def _month(text: str, span: Span) -> Dates | None:
    first, last = (re.fullmatch(r"\d{1,2}/\d{4}", text) and dates.span(text)) or (None, None)
    return month_leaf(first, last, span) if first and last else None


def number_tokens(text: str) -> tuple[str, ...]:
    """Return the words of a dispatch number; leading zeros of the number say nothing.

    >>> number_tokens("045/BC-BCH")
    ('45', 'bc', 'bch')
    """
    tokens = cut(text)
    if tokens and tokens[0].isdigit():
        tokens[0] = tokens[0].lstrip("0") or "0"
    return tuple(tokens)


def year_leaf(text: str, span: Span) -> Year | None:
    """Return a year said as a bare figure: of the register, or in the text; None for another figure."""
    the_year = dates.year(text)
    return Year(the_year, the_year, span, (text,)) if the_year else None


def spoken_leaf(found: dates.Span, typed: Sequence[str], span: Span) -> Dates | Year:
    """Return a day, a month or a year that was typed in these words, or a text that says it."""
    first, last = found[0] or date.min, found[1] or date.max
    if first == last:
        return day_leaf(first, " ".join(typed), span)
    if (first.month, last.month) == (1, 12):
        return Year(first.year, last.year, span, tuple(exact_words(" ".join(typed))))
    return month_leaf(first, last, span)


def range_leaf(found: tuple[date, date], typed: Sequence[str], span: Span) -> Dates | Year:
    """Return a span of days, months or years that was typed in these words, or a text that says it in the same ones."""
    first, last = found
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
        return Year(first.year, last.year, span, tuple(exact_words(" ".join(typed))))
    return Dates(first, last, span, written=(tuple(cut(" ".join(typed))),))


def month_leaf(first: date, last: date, span: Span) -> Dates:
    """Return one month, with the ways a text may say it."""
    year = str(first.year)
    months = {str(first.month), f"{first:%m}"}
    written = {form for month in months for form in (("thang", month, "nam", year), ("thang", month, year))}
    return Dates(first, last, span, written=tuple(sorted(written)))


def day_leaf(the_day: date, text: str, span: Span) -> Dates:
    """Return one day, with the ways a text may say it."""
    day, month, year = str(the_day.day), str(the_day.month), str(the_day.year)
    written = {
        tuple(cut(text)),
        (day, month, year),
        (day.zfill(2), month.zfill(2), year),
        ("ngay", day, "thang", month, "nam", year),
        ("ngay", day.zfill(2), "thang", month.zfill(2), "nam", year),
    }
    return Dates(the_day, the_day, span, written=tuple(sorted(written)))


def field_leaf(name: str, value: str, span: Span, *, is_quoted: bool = False) -> Leaf | None:
    """Return what `name:value` asks for, or None if the field has no such value."""
    value = value.strip() if is_quoted else _LAST_SIGN.sub("", value)
    match name:
        case "number":
            return _named_number(value, span)
        case "day" | "arrived":
            found = dates.span(value)
            return Dates(*found, span, name) if found else None
        case "since":
            found = dates.span(value)
            return Dates(found[0], None, span) if found and found[0] else None
        case "until":
            found = dates.span(value)
            return Dates(None, found[1], span) if found and found[1] else None
        case "year":
            return _years(value, span)
        case "level" | "urgency" | "direction":
            chosen = fields.CHOICES[name].get(re.sub(r"[-_\s]", "", vi_fold(value)).rstrip(".,;"))
            return None if chosen is None else Choice(name, chosen, span)
        case "register":
            place = _within(name, value, span, is_quoted=is_quoted)
            return place and _without_zeros(place)
        case _:
            return _within(name, value, span, is_quoted=is_quoted)


def _named_number(value: str, span: Span) -> Number | None:
    bare = value.strip()
    if not _ANY_NUMBER.fullmatch(bare):
        return None
    tokens = number_tokens(bare)
    return Number(tokens, bare.upper(), span, is_prefix=bare.endswith("*"), in_text=False)


def _years(value: str, span: Span) -> Year | None:
    found = dates.span(value)
    if not found:
        return None
    first, last = found
    return Year(first.year if first else 0, last.year if last else 9999, span)


def _within(name: str, value: str, span: Span, *, is_quoted: bool) -> Within | None:
    words = word_leaf(value, span, is_quoted=is_quoted)
    return Within(name, words, span) if words else None


def _without_zeros(found: Within) -> Within:
    """Return a place in a book as it is indexed: "077" is 77."""
    tokens = number_tokens(" ".join(found.words.tokens))
    return replace(found, words=replace(found.words, tokens=tokens, typed=tokens))
