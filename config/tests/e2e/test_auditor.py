"""The auditor: who did and read all of this, by person, dispatch and outcome, on the page and as files."""

import zipfile

import pytest

from archive.verifier import verify
from config.tests.e2e import story as told

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]


def test_who_did_and_read_a_dispatch_is_seen_filtered_and_exported(house, visit, story, tmp_path):
    story.answered("nop-luu")
    symbol = told.letter("nop-luu").symbol
    auditor = visit(house, "auditor")
    page = auditor.page
    auditor.fair()
    auditor.go("/log/")
    auditor.fair()
    page.fill("[name=record]", symbol)
    auditor.send("form.card [type=submit]")
    auditor.fair()
    said = auditor.text("table.fold")
    for name in ("Lê Thị Mai Hương", "Phạm Văn Thành", "Đỗ Ngọc Ánh"):
        assert name in said

    page.select_option("[name=person]", label="Đỗ Ngọc Ánh")
    auditor.send("form.card [type=submit]")
    rows = auditor.text("table.fold tbody")
    assert "Đỗ Ngọc Ánh" in rows
    assert "Lê Thị Mai Hương" not in rows

    for form in ("csv", "json", "pdf"):
        with page.expect_download() as waiting:
            page.click(f"a[href*='export.{form}']")
        place = tmp_path / f"{form}.zip"
        waiting.value.save_as(place)
        key = page.text_content("details.card pre").split('"')[1]  # the auditor's own note of it, taken from the page
        found = verify.verify_selection(str(place), key)
        assert found.rows > 3
        with zipfile.ZipFile(place) as box:
            readable = box.read("log.csv" if form == "csv" else "log.json").decode()
        assert symbol in readable


def test_refusals_stand_apart_and_reading_the_log_is_logged(house, visit):
    auditor = visit(house, "auditor")
    auditor.go("/log/?outcome=denied")
    auditor.fair()
    auditor.go("/log/refused/")
    auditor.fair()
    auditor.go("/log/?outcome=ok")
    assert "Bùi Đức Thuận" in auditor.text("table.fold")


class Clicks:
    """A person who counts: a click on what is seen counts, typing and the key that sends do not."""

    def __init__(self, visit):
        self.visit, self.count = visit, 0

    def __call__(self, selector):
        self.count += 1
        self.visit.send(selector)

    def choose(self, selector, label):
        self.count += 1
        self.visit.page.select_option(selector, label=label)


@pytest.fixture
def desk(house, visit, story):
    """The auditor at the desk of an office in which a dispatch was answered."""
    story.answered("nop-luu")
    auditor = visit(house, "auditor")
    auditor.go("/")
    return auditor


def test_who_saw_this_takes_three_clicks_at_most(desk):
    click = Clicks(desk)
    click("nav a[href='/log/who/']")
    desk.page.fill("[name=record]", told.letter("nop-luu").symbol)
    click("form.card [type=submit]")
    desk.fair()
    assert "Đỗ Ngọc Ánh" in desk.text("table.fold")
    assert click.count <= 3


def test_what_did_she_see_last_month_takes_three_clicks_at_most(desk):
    click = Clicks(desk)
    click("nav a[href='/log/seen/']")
    click.choose("[name=person]", "Đỗ Ngọc Ánh")
    click("form.card [type=submit]")
    desk.fair()
    assert told.letter("nop-luu").symbol in desk.text("table.fold")
    assert click.count <= 3


def test_who_was_refused_takes_three_clicks_at_most(desk):
    assert desk.context.request.get("/records/khong-co/").status == 404  # refused, and in the log
    click = Clicks(desk)
    click("nav a[href='/log/refused/']")
    desk.fair()
    assert "Bùi Đức Thuận" in desk.text("table.fold")
    assert click.count <= 3


@pytest.mark.parametrize("page", ["who/", "seen/", "unusual/", "outside/"])
def test_the_pages_of_oversight_are_fair(desk, page):
    desk.go(f"/log/{page}")
    desk.fair()


def test_the_auditor_has_no_door_to_a_dispatch(house, visit, story):
    key = story.registered("quan-so")
    auditor = visit(house, "auditor")
    for address in (f"/records/{key}/", f"/records/{key}/pages/1/image/", f"/records/{key}/original/"):
        assert auditor.context.request.get(address).status == 404
