"""Bars of a chart as plain shapes: what was done and what was refused, by hour or by day, and the same in a sentence.

No script draws them and no colour alone speaks: the page puts sentence and figures beside
them. Pure but for the language of the words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

STEP: Final = 10  # of a bar and the gap after it
HEIGHT: Final = 100
LEAST: Final = 2  # so that one entry is seen beside thousands


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour or day: its figures, and the two shapes one upon the other."""

    label: str
    done: int
    refused: int
    x: int
    done_height: int
    refused_height: int
    url: str = ""

    @property
    def title(self) -> str:
        """What is shown when a pointer rests on it."""
        return _("%(label)s: %(done)s done, %(refused)s refused or failed") % {
            "label": self.label, "done": self.done, "refused": self.refused,
        }  # fmt: skip

    @property
    def top(self) -> int:
        """Where the lower shape begins, from above."""
        return HEIGHT - self.done_height

    @property
    def refused_top(self) -> int:
        """Where the upper shape begins."""
        return self.top - self.refused_height


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, the marks under them, the head of their table, and what they say."""

    bars: list[Bar]
    marks: list[str]
    head: str
    said: str

    @property
    def width(self) -> int:
        """How wide the drawing is, in its own measure."""
        return STEP * len(self.bars)


def by_hour(entries: Sequence[tuple[datetime, str]]) -> Chart | None:
    """Return entries (moment, outcome) by the local hour of the day; None for none."""
    counts = [[0, 0] for _hour in range(24)]
    for moment, outcome in entries:
        counts[timezone.localtime(moment).hour][outcome != "ok"] += 1
    labels = [f"{hour}:00–{hour + 1}:00" for hour in range(24)]
    marks = [f"{hour}:00" for hour in range(0, 25, 6)]
    return _chart(labels, counts, [""] * 24, marks, _("Hour")) if entries else None


def by_day(counts: Mapping[date, tuple[int, int]], since: date, until: date) -> Chart | None:
    """Return acts and refusals of each day of a span, each leading to its entries; None when there are none."""
    if not counts:
        return None
    days = [since + timedelta(days=each) for each in range((until - since).days + 1)]
    urls = [reverse("archive:log", query={"since": day.isoformat(), "until": day.isoformat()}) for day in days]
    marks = [f"{day:%d/%m}" for day in (days[0], days[len(days) // 2], days[-1])]
    labels = [f"{day:%d/%m/%Y}" for day in days]
    return _chart(labels, [list(counts.get(day, (0, 0))) for day in days], urls, marks, _("Day"))


def _chart(labels: list[str], counts: list[list[int]], urls: list[str], marks: list[str], head: str) -> Chart:
    highest = max(sum(each) for each in counts) or 1
    bars = [
        Bar(label, done, refused, STEP * place, _height(done, highest), _height(refused, highest), url)
        for place, (label, (done, refused), url) in enumerate(zip(labels, counts, urls, strict=True))
    ]
    busiest = max(bars, key=lambda bar: bar.done + bar.refused)
    said = _("Most: %(label)s with %(n)s.") % {"label": busiest.label, "n": busiest.done + busiest.refused}
    if worst := max((bar for bar in bars if bar.refused), key=lambda bar: bar.refused, default=None):
        said += " " + _("Most refused or failed: %(label)s with %(n)s.") % {"label": worst.label, "n": worst.refused}
    return Chart(bars, marks, head, said)


def _height(count: int, highest: int) -> int:
    return max(LEAST, round(count * (HEIGHT - LEAST) / highest)) if count else 0
