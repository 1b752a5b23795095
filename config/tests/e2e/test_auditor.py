"""The auditor: who did and read all of this, by person, dispatch and outcome, on the page and as files."""

import csv
import io
import json

import pytest

from config.tests.e2e import story as told

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]


def test_who_did_and_read_a_dispatch_is_seen_filtered_and_exported(house, visit, story):
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
    said = auditor.text("table")
    for name in ("Lê Thị Mai Hương", "Phạm Văn Thành", "Đỗ Ngọc Ánh"):
        assert name in said

    page.select_option("[name=person]", label="Đỗ Ngọc Ánh")
    auditor.send("form.card [type=submit]")
    rows = auditor.text("table tbody")
    assert "Đỗ Ngọc Ánh" in rows
    assert "Lê Thị Mai Hương" not in rows

    exported = {}
    for form in ("csv", "json"):
        with page.expect_download() as waiting:
            page.click(f"a[href*='export.{form}']")
        exported[form] = waiting.value.path().read_text(encoding="utf-8-sig")
    lines = list(csv.reader(io.StringIO(exported["csv"])))
    assert len(lines) > 3
    entries = (
        json.loads(exported["json"])
        if exported["json"].startswith("[")
        else list(map(json.loads, exported["json"].splitlines()))
    )
    assert len(entries) >= len(lines) - 1
    assert any(symbol in json.dumps(entry, ensure_ascii=False) for entry in entries)


def test_refusals_stand_apart_and_reading_the_log_is_logged(house, visit):
    auditor = visit(house, "auditor")
    auditor.go("/log/?outcome=denied")
    auditor.fair()
    auditor.go("/log/refused/")
    auditor.fair()
    auditor.go("/log/?outcome=ok")
    assert "Bùi Đức Thuận" in auditor.text("table")


def test_the_auditor_has_no_door_to_a_dispatch(house, visit, story):
    key = story.registered("quan-so")
    auditor = visit(house, "auditor")
    for address in (f"/records/{key}/", f"/records/{key}/pages/1/image/", f"/records/{key}/original/"):
        assert auditor.context.request.get(address).status == 404
