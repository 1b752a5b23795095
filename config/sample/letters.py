"""The sample letters with their true register fields: what a perfect reader would read from each.

`dispatches` is deterministic: the same count, day and seed give the same letters. Arrived letters keep
the numbers of the bodies that wrote them; our own letters are numbered 1, 2, 3 ... by date in the
ordinary and in the secret series, so that registering them in the order given allots the same numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final

from archive.rules import types
from archive.rules.levels import Level, Urgency
from archive.rules.workdays import is_workday
from config.sample.correspondents import COMMAND, ORGANS, Organ, Signer, commune
from config.sample.prose import Block, Theme, themes

DAYS_BACK: Final = 120
INCOMING: Final = "incoming"
OUTGOING: Final = "outgoing"


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter: the fields of the register (named as in `FIELD_NAMES`) and what else stands on paper.

    `form` is "text_pdf" (made by an office program) or "scan". `to` is who is addressed, `copies` the list
    under "Nơi nhận". `arrived_on` is the day of the "ĐẾN" stamp, None on our own letters.
    """

    theme: str
    direction: str
    form: str
    code_number: str
    code_notation: str
    issued_date: date
    type_name: str
    subject: str
    urgency: Urgency
    secrecy: Level
    organ: Organ
    signer: Signer
    body: tuple[Block, ...]
    to: tuple[str, ...]
    copies: tuple[str, ...]
    arrived_on: date | None
    seed: str

    @property
    def organ_name(self) -> str:
        """The issuing body."""
        return self.organ.name

    @property
    def parent_organ_name(self) -> str:
        """The body above it, as the header names it."""
        return self.organ.parent_name

    @property
    def signer_name(self) -> str:
        """The signer without rank."""
        return self.signer.name

    @property
    def signer_authority(self) -> str:
        """TM., KT., TL., TUQ., or empty for a head who signs himself."""
        return f"{self.signer.mode}." if self.signer.mode else ""

    @property
    def is_stamped(self) -> bool:
        """Whether the paper carries the "ĐẾN" stamp: arrived paper does, but for one letter in four."""
        return self.form == "scan" and self.arrived_on is not None and int(self.code_number) % 4 != 0

    @property
    def symbol(self) -> str:
        """Number and symbol as printed: `15/KH-BCH`, or `214-CV/TU` in party bodies."""
        return f"{self.code_number}{'-' if self.organ.is_party else '/'}{self.code_notation}"

    def fields(self) -> dict[str, str]:
        """Return the true value of every register field, in the form a proposal has."""
        return {
            "code_number": self.code_number,
            "code_notation": self.code_notation,
            "issued_date": self.issued_date.isoformat(),
            "organ_name": self.organ_name,
            "parent_organ_name": self.parent_organ_name,
            "type_name": self.type_name,
            "subject": self.subject,
            "signer_name": self.signer_name,
            "signer_authority": self.signer_authority,
            "urgency": self.urgency.slug,
            "secrecy": self.secrecy.slug,
        }


def dispatches(count: int, *, today: date, seed: int = 9) -> list[Letter]:
    """Return letters of the last 120 days in the order in which an office would register them.

    No letter is top secret. Own letters are of the current year, because their number series is.
    """
    drafts = [_draft(index, today=today, seed=seed) for index in range(count)]
    drafts.sort(key=lambda letter: (letter.arrived_on or letter.issued_date, letter.seed))
    return list(_answered(list(_numbered(drafts))))


def vietnamese_date(day: date) -> str:
    """Return "ngày 05 tháng 01 năm 2026": leading zero for days under 10 and for January and February."""
    month = f"{day.month:02d}" if day.month <= 2 else str(day.month)  # noqa: PLR2004 - decree 30/2020, annex I
    return f"ngày {day.day:02d} tháng {month} năm {day.year}"


def _draft(index: int, *, today: date, seed: int) -> Letter:
    written = themes()
    turn, place = divmod(index, len(written))
    theme = written[place]
    rng = Random(f"{seed}/{theme.key}/{turn}")  # noqa: S311 - a sample, not a secret
    organ = commune(rng.randrange(100)) if theme.organ == "commune" else ORGANS[theme.organ]
    issued = _issued_on(theme, organ, today=today, rng=rng)
    fill = _Filling(theme, organ, issued, turn, rng)
    return Letter(
        theme=theme.key,
        direction=OUTGOING if organ is COMMAND else INCOMING,
        form=theme.form,
        code_number=_foreign_number(organ, issued, rng),
        code_notation=_notation(theme, organ),
        issued_date=issued,
        type_name=theme.type_name,
        subject=fill(theme.subject) + (f" (đợt {turn + 1})" if turn else ""),
        urgency=theme.urgency,
        secrecy=theme.level,
        organ=organ,
        signer=organ.signers[theme.signer % len(organ.signers)],
        body=tuple(replace(block, text=fill(block.text)) for block in theme.body),
        to=tuple(fill(one) for one in theme.to),
        copies=tuple(fill(one) for one in theme.copies),
        arrived_on=None if organ is COMMAND else _arrival(issued, theme.urgency, today=today, rng=rng),
        seed=f"{seed}/{theme.key}/{turn}",
    )


def _issued_on(theme: Theme, organ: Organ, *, today: date, rng: Random) -> date:
    """Return a working day of the last 120; answers lie in the last quarter, what they answer before it."""
    if theme.urgency >= Urgency.THUONG_KHAN:
        back = rng.randint(1, 4)
    elif theme.answers:
        back = rng.randint(2, DAYS_BACK // 4)
    elif any(other.answers == theme.key for other in themes()):
        back = rng.randint(DAYS_BACK // 3, DAYS_BACK)
    else:
        back = rng.randint(2, DAYS_BACK)
    day = today - timedelta(days=back)
    if organ is COMMAND:
        day = max(day, date(today.year, 1, 1))
    while not is_workday(day) and (organ is not COMMAND or day > date(today.year, 1, 1)):
        day -= timedelta(days=1)
    return day


def _arrival(issued: date, urgency: Urgency, *, today: date, rng: Random) -> date:
    day = issued + timedelta(days=0 if urgency >= Urgency.THUONG_KHAN else rng.randint(1, 4))
    while not is_workday(day):
        day += timedelta(days=1)
    return min(day, today)


def _foreign_number(organ: Organ, issued: date, rng: Random) -> str:
    """Return a number that this body may have reached by this day of its year."""
    reached = organ.yearly * issued.timetuple().tm_yday / 366
    return f"{max(1, round(reached * rng.uniform(0.97, 1.0))):02d}"


def _notation(theme: Theme, organ: Organ) -> str:
    if organ.is_party:
        known = (
            types.by_sign("CV", is_party=True) if theme.type_name == types.LETTER else types.by_name(theme.type_name)
        )
        return f"{known.sign if known else ''}/{organ.sign}"
    if theme.type_name == types.LETTER:
        return f"{organ.sign}-{theme.drafted}"
    known = types.by_name(theme.type_name)
    return f"{known.sign if known else ''}-{organ.sign}"


def _numbered(letters: Sequence[Letter]) -> Iterator[Letter]:
    """Give our own letters their place in the two series, and part equal numbers of other bodies."""
    series = {False: 0, True: 0}
    taken: set[tuple[str, str]] = set()
    for letter in letters:
        number = int(letter.code_number)
        if letter.direction == OUTGOING:
            is_secret = letter.secrecy > Level.THUONG
            series[is_secret] += 1
            number = series[is_secret]
        while letter.direction == INCOMING and (letter.organ_name, str(number)) in taken:
            number += 1
        taken.add((letter.organ_name, str(number)))
        yield replace(letter, code_number=f"{number:02d}")


def _answered(letters: Sequence[Letter]) -> Iterator[Letter]:
    """Put number, date and issuer of the letter answered where the answer names them."""
    last = {letter.theme: letter for letter in letters}
    answers = {theme.key: theme.answers for theme in themes()}
    for letter in letters:
        asked = last.get(answers[letter.theme])
        cited = _cited(asked) if asked and asked.issued_date <= letter.issued_date else "chỉ đạo của cấp trên"
        yield replace(letter, body=tuple(replace(b, text=b.text.replace("[answered]", cited)) for b in letter.body))


def _cited(letter: Letter) -> str:
    day = f"{letter.issued_date:%d/%m/%Y}"
    return f"{letter.type_name} số {letter.symbol} ngày {day} của {letter.organ_name}"


class _Filling:
    """Fills the names in braces of one letter; numbers come out the same for the same letter."""

    def __init__(self, theme: Theme, organ: Organ, issued: date, turn: int, rng: Random) -> None:
        other = commune(rng.randrange(100))
        self._values: dict[str, str] = {
            "year": str(issued.year),
            "next_year": str(issued.year + 1),
            "last_year": str(issued.year - 1),
            "month": f"{issued.month:02d}/{issued.year}",
            "quarter": ["I", "II", "III", "IV"][(issued.month - 1) // 3],
            "commune": organ.lines[0].removeprefix("Ban CHQS ") if theme.organ == "commune" else other.lines[0][9:],
            "issued": f"{issued:%d/%m/%Y}",
            "turn": str(turn + 1),
        }
        for days in (2, 5, 7, 10, 15, 20, 30, 45, 60):
            self._values[f"in{days}"] = f"{issued + timedelta(days=days):%d/%m/%Y}"
            self._values[f"ago{days}"] = f"{issued - timedelta(days=days):%d/%m/%Y}"
        for name, low, high in (("few", 3, 9), ("tens", 12, 48), ("many", 110, 480), ("thousands", 1200, 8900)):
            for which in "abcd":
                self._values[f"{name}_{which}"] = f"{rng.randint(low, high):02d}"
        for which in "abcd":
            self._values[f"percent_{which}"] = f"{rng.randint(862, 998) / 10:.1f}".replace(".", ",")

    def __call__(self, text: str) -> str:
        filled = text.format_map(self._values)
        return filled[:1].upper() + filled[1:] if text.startswith("{") else filled
