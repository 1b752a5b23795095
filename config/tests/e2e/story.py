"""Sample dispatches and how far they have come: handed in, registered, submitted, directed, answered.

Each test names the dispatches it needs by theme, so that no test waits for another. The acts are done on the pages, by
the people whose acts they are; the tests of a role look closer at that role's own.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

from archive.rules.levels import Level
from config.sample import ageing, paper
from config.sample.letters import Letter, dispatches
from config.tests.e2e.house import House, manage
from config.tests.e2e.visit import Visit

# Handed in before the first journey. Text PDFs but one: reading scans is measured elsewhere and takes its time.
TOLD = (
    "dien-tap",
    "quan-so",
    "sot-xuat-huyet",
    "nop-luu",
    "chinh-sach",
    "giay-moi",
    "ngan-sach",
    "thong-tin",
    "huan-luyen",
)


def letter(theme: str) -> Letter:
    """Return the sample letter of a theme."""
    return next(each for each in dispatches(40, today=date.today(), seed=9) if each.theme == theme)


def as_pdf(theme: str) -> bytes:
    """Return a letter as an office program saves it."""
    return paper.draw(letter(theme))


def as_scan(theme: str) -> bytes:
    """Return a letter as a tired scanner leaves it: the reader will not be sure of all of it."""
    return ageing.as_pdf(list(ageing.sheets(as_pdf(theme), rng=Random(theme), strength="tired")))


class Story:
    """The dispatches of one house."""

    def __init__(self, browser: Any, house: House, folder: Path) -> None:
        self.browser = browser
        self.house = house
        self.folder = folder
        self.reached: dict[tuple[str, str], str] = {}

    @contextmanager
    def at(self, user: str) -> Iterator[Visit]:
        """Let somebody sit down at a browser of their own."""
        visit = Visit(self.browser, self.house, user)
        try:
            yield visit
        finally:
            visit.context.close()
        assert visit.complaints == [], "\n".join(visit.complaints)

    @cached_property
    def drafts(self) -> dict[str, str]:
        """Hand the told letters in, each under the level that stands on it; theme to key of its draft."""
        keys = {}
        for level in Level.THUONG, Level.MAT:
            paths = [self._saved(theme) for theme in TOLD if letter(theme).secrecy == level]
            words = ["ingest", *map(str, paths), "--level", level.slug, "--as", "clerk", "--wait", "--json"]
            for line in map(json.loads, manage(self.house.home, *words).splitlines()):
                assert line["record"], line
                keys[Path(line["source"]).stem] = line["record"]
        return keys

    def _saved(self, theme: str) -> Path:
        path = self.folder / f"{theme}.pdf"
        path.write_bytes(as_pdf(theme))
        return path

    def _once(self, act: str, theme: str, do: Any) -> str:
        if (act, theme) not in self.reached:
            do()
            self.reached[act, theme] = self.drafts[theme]
        return self.reached[act, theme]

    def registered(self, theme: str) -> str:
        """Have the clerk give it a number; return its key."""

        def do() -> None:
            with self.at("clerk") as clerk:
                register(clerk, self.drafts[theme], letter(theme))

        return self._once("register", theme, do)

    def submitted(self, theme: str) -> str:
        """Have the clerk submit it to the leader."""
        key = self.registered(theme)

        def do() -> None:
            with self.at("clerk") as clerk:
                submit(clerk, key, "Kính trình đồng chí xem xét, chỉ đạo.")

        return self._once("submit", theme, do)

    def directed(self, theme: str) -> str:
        """Have the leader direct it to the staff's unit."""
        key = self.submitted(theme)

        def do() -> None:
            with self.at("leader") as leader:
                direct(leader, key, words="Phòng Tham mưu chủ trì, báo cáo đúng hạn.", lead="PTM")

        return self._once("direct", theme, do)

    def answered(self, theme: str) -> str:
        """Have the staff member sign for it and answer it."""
        key = self.directed(theme)

        def do() -> None:
            with self.at("staff") as staff:
                sign_for(staff, key)
                answer(staff, key, "Đã thực hiện xong, kính trình đồng chí.")

        return self._once("answer", theme, do)


# --- acts on the pages ------------------------------------------------------------------------------


def doubtful(visit: Visit) -> list[str]:
    """Return the names of the fields that the desk asks to look at again."""
    return list(
        visit.page.eval_on_selector_all(
            '[data-field][data-state="doubt"]', "rows => rows.map(row => row.dataset.field)"
        )
    )


def fill_what_was_not_read(visit: Visit, true: Letter) -> None:
    """Type what the reader left empty, as it stands on the paper."""
    known = {
        "type_name": true.type_name,
        "issued_date": f"{true.issued_date:%d/%m/%Y}",
        "organ_name": true.organ_name,
        "subject": true.subject,
    }
    for name, value in known.items():
        if not visit.page.input_value(f"[name={name}]"):
            visit.page.fill(f"[name={name}]", value)


def register(visit: Visit, key: str, true: Letter) -> None:
    """Confirm what is doubtful, by keys, and take the number."""
    visit.go(f"/register/{key}/")
    fill_what_was_not_read(visit, true)
    for name in doubtful(visit):
        visit.page.focus(f"[name={name}]")
        visit.page.keyboard.press("Enter")
    visit.send()
    visit.until_elsewhere(key)


def submit(visit: Visit, key: str, words: str) -> None:
    """Hand a dispatch to the head of the command for direction."""
    visit.go(f"/records/{key}/forward/")
    visit.page.check("[name=kind][value=direct]")
    visit.page.select_option("[name=to]", "p:leader")
    visit.page.fill("[name=instruction]", words)
    visit.send()
    visit.until_elsewhere("/forward/")


def direct(visit: Visit, key: str, *, words: str, lead: str, cooperating: Sequence[str] = (), due: str = "") -> None:
    """Direct the dispatch on the leader's page."""
    visit.go(f"/work/?at={key}")
    visit.page.fill("[name=instruction]", words)
    visit.page.check(f"[name=lead][value={lead}]")
    for code in cooperating:
        visit.page.check(f"[name=cooperating][value={code}]")
    if due:
        visit.page.fill("[name=due_on]", due)
    visit.page.click("#direct [type=submit]")
    visit.until_elsewhere(key)


def sign_for(visit: Visit, key: str) -> None:
    """Sign for a dispatch in one's unit's hands."""
    visit.go(f"/records/{key}/thread/")
    visit.send("form[action*='/receive/'] [type=submit]")


def answer(visit: Visit, key: str, words: str) -> None:
    """Answer a dispatch one has signed for."""
    visit.go(f"/records/{key}/thread/")
    visit.page.fill("form[action*='/answer/'] [name=text]", words)
    visit.send()
