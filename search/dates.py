"""Read the ways an office writes a day, a month, a year or a span of them. Pure; never raises.

Days come before months ("12/3/2024" is 12 March). A span includes both ends; None is
an open end. Years outside 1900-2100 are not years here but numbers, and no span begins or ends beyond them.
"""

import calendar
import re
from datetime import date, timedelta
from typing import Final

Span = tuple[date | None, date | None]

LONGEST: Final = 6  # words of a day: "ngày 22 tháng 10 năm 2026"
LONGEST_RANGE: Final = 3 + 2 * LONGEST  # "từ ... đến hết ..."
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2100

_DAY: Final = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_ISO_DAY: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_MONTH: Final = re.compile(r"(\d{1,2})[/.-](\d{4})")
_ISO_MONTH: Final = re.compile(r"(\d{4})-(\d{1,2})")
_YEAR: Final = re.compile(r"(\d{4})")
_YEARS: Final = re.compile(r"(\d{4})-(\d{4})")
# In words, folded: "ngay 22 thang 10 nam 2026", "ngay 22/10 nam 2026", "thang 5/2026", "nam 2022", "nam 2022-2023"
_END: Final = r"(?=[.,;:]*(?: |$))"
_SPOKEN_DAY: Final = re.compile(rf"(?:ngay )?(\d{{1,2}})(?: thang |[/.-])(\d{{1,2}})(?: nam |[/.-])(\d{{4}}){_END}")
_SPOKEN_ISO: Final = re.compile(rf"(?:ngay )?(\d{{4}}-\d{{1,2}}-\d{{1,2}}){_END}")
_SPOKEN_MONTH: Final = re.compile(rf"thang (\d{{1,2}})(?: nam |[ /.-])(\d{{4}}){_END}")
_SPOKEN_YEAR: Final = re.compile(rf"nam (\d{{4}}(?:-\d{{4}})?){_END}")
# "tu ngay 1/3/2024 den ngay 5/3/2024"; what the beginning leaves out it has from the end: "tu thang 3 den thang 5 nam 2024"
_FROM: Final = re.compile(
    r"tu (?:(?:ngay )?(?P<day>\d{1,2})(?:(?: thang |[/.-])(?P<of>\d{1,2})(?:(?: nam |[/.-])(?P<in>\d{4}))?)?"
    r"|thang (?P<month>\d{1,2})(?:(?: nam |[ /.-])(?P<year>\d{4}))?|(?:nam )?(?P<alone>\d{4})),? (?:den|toi) (?:het )?"
)
_BARE_YEAR: Final = re.compile(rf"(\d{{4}}){_END}")


def day(text: str) -> date | None:
    """Return the one day that a text names, or None."""
    if found := _DAY.fullmatch(text):
        return _date(int(found[3]), int(found[2]), int(found[1]))
    if found := _ISO_DAY.fullmatch(text):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    return None


def year(text: str) -> int | None:
    """Return the year that a text names, or None."""
    return int(text) if _YEAR.fullmatch(text) and FIRST_YEAR <= int(text) <= LAST_YEAR else None


def span(text: str) -> Span | None:
    """Return (first, last) of "2024", "05/2024", "12/3/2024", "a..b", ">=a", "<a", or None.

    >>> span("2024..2025")
    (datetime.date(2024, 1, 1), datetime.date(2025, 12, 31))
    """
    if found := _YEARS.fullmatch(text):
        return _between(found[1], found[2])
    if ".." in text:
        return _between(*text.split("..", 1))
    sign = re.match(r"[<>]=?", text)
    if not sign:
        return _one(text)
    one = _one(text[sign.end() :])
    return one and _beyond(sign[0], one)


def spoken(text: str) -> tuple[str, int] | None:
    """Return what folded words begin with, if it is a day, a month or a year in words, and how many words say it.

    It is said as `span` reads it.

    >>> spoken("ngay 22 thang 10 nam 2026 va"), spoken("thang 5/2026"), spoken("nam hoc")
    (('22/10/2026', 6), ('5/2026', 2), None)
    """
    for form in (_SPOKEN_DAY, _SPOKEN_ISO, _SPOKEN_MONTH, _SPOKEN_YEAR):
        if found := form.match(text):
            said = "/".join(found.groups())
            return (said, found[0].count(" ") + 1) if span(said) else None
    return None


def spoken_range(text: str) -> tuple[tuple[date, date], int] | None:
    """Return what folded words begin with, if it is a span of days, months or years in words, and how many words say it.

    >>> spoken_range("tu thang 3 den thang 5 nam 2024")
    ((datetime.date(2024, 3, 1), datetime.date(2024, 5, 31)), 8)
    """
    begin = _FROM.match(text)
    if begin is None:
        return None
    after = text[begin.end() :]
    alone = _BARE_YEAR.match(after)
    end = (alone[1], 1) if alone else spoken(after)
    last = _one(end[0]) if end else None
    first = last and _one(_whole(begin, last[1]))
    if not (end and first and last) or first[0] > last[1]:
        return None
    return (first[0], last[1]), begin[0].count(" ") + end[1]


def _whole(begin: re.Match[str], end: date) -> str:
    """Return the beginning of a span as `span` reads it; month and year that it does not say are those of the end."""
    said = begin.groupdict()
    if said["day"]:
        return f"{said['day']}/{said['of'] or end.month}/{said['in'] or end.year}"
    return f"{said['month']}/{said['year'] or end.year}" if said["month"] else said["alone"]


def _between(left: str, right: str) -> Span | None:
    start, end = _one(left), _one(right)
    if (left and start is None) or (right and end is None) or not (left or right):
        return None
    if start and end and start[0] > end[1]:  # a span has two ends, whichever was typed first
        start, end = end, start
    return start and start[0], end and end[1]


def _beyond(sign: str, one: tuple[date, date]) -> Span | None:
    """Turn ">2024" into "from 1 January 2025", and the like; None where that day could not be written again."""
    match sign:
        case ">=":
            return one[0], None
        case "<=":
            return None, one[1]
        case ">":
            first = one[1] + timedelta(days=1)
            return (first, None) if first.year <= LAST_YEAR else None
        case _:
            last = one[0] - timedelta(days=1)
            return (None, last) if last.year >= FIRST_YEAR else None


def _one(text: str) -> tuple[date, date] | None:
    """Return the first and last day of one day, month or year."""
    if the_day := day(text):
        return the_day, the_day
    if found := _MONTH.fullmatch(text):
        return _month(int(found[2]), int(found[1]))
    if found := _ISO_MONTH.fullmatch(text):
        return _month(int(found[1]), int(found[2]))
    the_year = year(text)
    return (date(the_year, 1, 1), date(the_year, 12, 31)) if the_year else None


def _month(of_year: int, month: int) -> tuple[date, date] | None:
    first = _date(of_year, month, 1)
    return None if first is None else (first, first.replace(day=calendar.monthrange(of_year, month)[1]))


def _date(of_year: int, month: int, of_month: int) -> date | None:
    try:
        return date(of_year, month, of_month) if FIRST_YEAR <= of_year <= LAST_YEAR else None
    except ValueError:
        return None
