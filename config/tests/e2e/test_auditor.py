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


def test_the_auditor_has_no_door_to_a_dispatch(house, visit, story):
    key = story.registered("quan-so")
    auditor = visit(house, "auditor")
    for address in (f"/records/{key}/", f"/records/{key}/pages/1/image/", f"/records/{key}/original/"):
        assert auditor.context.request.get(address).status == 404
