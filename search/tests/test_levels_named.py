"""What names a dossier is as secret as the dossier: pages of hits, kept queries, files, also where every dispatch on them is open."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from archive import dossiers, showings
from archive.models import (
    Access,
    AuditEntry,
    Dossier,
    Record,
    RecordClass,
    RetentionRule,
)
from archive.rules.levels import Level
from search import exporting, labels, saving
from search.entry import Order
from search.exporting import Form, ReasonNeeded, Wanted
from search.models import Asking
from search.tests.test_pages_api import call  # noqa: F401 - a fixture

TITLE = "Chiến dịch Sao Hôm"


@pytest.fixture
def risen(office, make_record, indexed):
    """An open invitation in a dossier that rose with a confidential plan; the dossier."""
    rule = RetentionRule.objects.create(code="1", title="x", kind="permanent", basis="x", valid_from="2020-01-01")
    line = RecordClass.objects.create(year=2026, code="01", title="x", rule=rule)
    cover = dossiers.Cover("01.TM", TITLE, line, rule, office.staff_unit, date(2026, 1, 5))
    made = dossiers.begin(cover, actor=office.archivist)
    for record in (make_record(subject="Giấy mời dự họp"), make_record(subject="Phương án kín", level=Level.MAT)):
        dossiers.file(record, dossier=made, actor=office.archivist)
    indexed()
    made.refresh_from_db()
    return made


def wanted(text="giấy mời", filters=None, columns=("subject", "dossier"), reason=""):
    return Wanted(text, filters or {}, Order.NEWEST, Form.CSV, columns, reason)


def page(browser, person, filters, text=""):
    token = f"named{person.pk:017d}"
    Asking.objects.create(
        token=token, person=person, text=text, filters=filters, order="newest", asked_at=timezone.now()
    )
    return browser.get(f"/search/asked/{token}/")


# --- files ------------------------------------------------------------------------------------------
def test_a_file_that_names_a_classified_dossier_bears_its_level_and_wants_a_reason(office, risen):
    rows = exporting.rows_for(wanted(), office.archivist)
    assert (rows.level, rows.secret) == (Level.MAT, ())
    with pytest.raises(ReasonNeeded):
        exporting.begin(wanted(), rows, actor=office.archivist)
    made = exporting.begin(wanted(reason="Họp"), rows, actor=office.archivist)
    assert made.is_marked
    assert AuditEntry.objects.filter(action="search.export").latest("ts").level == Level.MAT
    assert TITLE in str(list(exporting.lines(rows, ("dossier",), office.archivist)))


def test_a_file_that_names_no_dossier_is_as_open_as_its_lines(office, risen):
    rows = exporting.rows_for(wanted(columns=("subject",)), office.archivist)
    assert rows.level == Level.THUONG


def test_a_chosen_dossier_stands_on_the_file_too(office, risen, make_record, indexed):
    other = Dossier.objects.create(
        code="02", year=2026, title="Thường", rule=risen.rule, record_class=risen.record_class, unit=risen.unit,
        opened_on="2026-01-05", opened_by=office.archivist,
    )  # fmt: skip
    dossiers.file(make_record(subject="Giấy mời khác"), dossier=other, actor=office.archivist)
    indexed()
    chosen = {"dossier": (risen.key, other.key)}
    rows = exporting.rows_for(wanted(filters=chosen, columns=("subject",)), office.archivist)
    assert (len(rows.ids), rows.secret, rows.level) == (1, (), Level.MAT)


def test_a_dossier_that_rose_while_the_file_was_made_is_not_named(office, risen):
    Dossier.objects.update(level=Level.THUONG)
    rows = exporting.rows_for(wanted(), office.archivist)
    Dossier.objects.update(level=Level.MAT)
    assert list(exporting.lines(rows, ("dossier",), office.archivist)) == [[""]]


def test_a_dispatch_raised_while_the_file_was_made_is_left_out_where_no_entry_names_it(office, risen):
    ask = wanted(text="", columns=("subject",), reason="Họp", filters={"type": ("Kế hoạch",)})
    rows = exporting.rows_for(ask, office.archivist)
    exporting.begin(ask, rows, actor=office.archivist)
    open_one = Record.objects.get(subject="Giấy mời dự họp")
    assert len(list(exporting.lines(rows, ask.columns, office.archivist))) == 2
    Record.objects.filter(pk=open_one.pk).update(level=Level.MAT)
    Access.objects.filter(record=open_one).update(level=Level.MAT)
    assert list(exporting.lines(rows, ask.columns, office.archivist)) == [["Phương án kín"]]
    assert not AuditEntry.objects.filter(action="search.export", record_id=open_one.pk).exists()


def test_the_page_before_a_file_is_a_search_and_written_down(office, risen, signed_in):
    token = Asking.objects.create(
        token="x" * 22,
        person=office.archivist,
        text="giấy mời",
        order="newest",
        asked_at=timezone.now() - timedelta(1, -9),
    ).token
    assert signed_in("archivist").get(f"/search/export/?asked={token}").context["total"] == 1
    entry = AuditEntry.objects.filter(action="search.run", actor=office.archivist).latest("ts")
    assert (entry.detail.payload["text"], entry.detail.payload["total"]) == ("giấy mời", 1)


# --- pages ------------------------------------------------------------------------------------------
def test_a_facet_that_names_a_dossier_raises_the_seal_of_the_page(office, risen, make_record, indexed, signed_in):
    for number in range(20):
        make_record(subject=f"Thông báo {number}")
    indexed()
    shown = page(signed_in("archivist"), office.archivist, {"type": ["Kế hoạch"]})
    assert {found.record.level for found in shown.context["answer"].found} == {Level.THUONG}
    assert TITLE in shown.content.decode()
    assert shown.context["page_level"] == Level.MAT
    assert AuditEntry.objects.filter(action="search.run").latest("ts").level == Level.THUONG
    assert AuditEntry.objects.filter(action="dossier.read").latest("ts").level == Level.MAT
    assert list(showings.faults()) == []


def test_the_api_notes_dossiers_above_its_hits_as_the_page_does(office, risen, call, monkeypatch):  # noqa: F811
    noted = []
    monkeypatch.setattr(
        labels, "note", lambda said, hits, person: noted.append((said.level, len(hits), person.username))
    )
    assert len(call("/search", q="họp").json()["items"]) == 1
    assert noted == [(Level.THUONG, 1, "may-tim")]


def test_a_chosen_dossier_raises_the_seal_where_nothing_is_found(office, risen, signed_in, away):
    shown = page(signed_in("archivist"), office.archivist, {"dossier": [risen.key]}, "khongcogi")
    assert (TITLE in shown.content.decode(), shown.context["page_level"]) == (True, Level.MAT)


def test_what_is_named_while_search_is_away_or_before_a_file_stands_in_the_log_at_its_level(
    office, risen, signed_in, away
):
    browser, chosen = signed_in("archivist"), {"dossier": [risen.key]}

    def told(action):
        return list(AuditEntry.objects.filter(action=action, level=Level.MAT, actor=office.archivist))

    token = Asking.objects.create(
        token="f" * 22, person=office.archivist, text="mời", filters=chosen, order="newest", asked_at=timezone.now()
    ).token
    assert TITLE in browser.get(f"/search/export/?asked={token}").content.decode()
    assert len(told("dossier.read")) == 1

    kept = saving.keep(saving.Wanted("Sao Hôm", "mời", Level.MAT, {}), actor=office.archivist)
    saving.watch(kept, actor=office.archivist)
    before = len(told("search.run"))
    away()
    shown = page(browser, office.archivist, chosen, "mời")
    assert (shown.status_code, TITLE in shown.content.decode()) == (503, True)
    assert len(told("dossier.read")) == 2

    shown = browser.get(f"/search/saved/{kept.pk}/new/")
    assert (shown.status_code, "Sao Hôm" in shown.content.decode()) == (503, True)
    assert [entry.detail.payload["part"] for entry in told("search.run")[before:]].count("kept") == 1
    assert "facets" in [entry.detail.payload.get("list") for entry in told("dossier.read")]


def test_a_kept_query_that_chose_a_dossier_raises_the_seal(office, risen, signed_in):
    kept = saving.keep(saving.Wanted("Họp", "", Level.THUONG, {"dossier": [risen.key]}), actor=office.archivist)
    for address in ("/search/saved/", f"/search/saved/{kept.pk}/"):
        shown = signed_in("archivist").get(address)
        assert (TITLE in shown.content.decode(), shown.context["page_level"]) == (True, Level.MAT), address


def test_who_may_not_know_of_the_dossier_gets_an_open_page(office, risen, signed_in):
    shown = page(signed_in("stranger"), office.stranger, {"dossier": [risen.key]})
    assert (TITLE in shown.content.decode(), shown.context["page_level"]) == (False, Level.THUONG)


def test_a_query_written_for_one_reader_has_no_value_of_theirs_for_the_next(office, risen):
    """Queries for names are kept with signs in the place of values; one that is written as a sign is a value all the same."""
    labels._written.cache_clear()
    signs = labels._signs("dossier", 10)
    chosen = {"dossier": (signs[1], risen.key, signs[0]), "unit": (str(risen.unit_id),)}
    readers = (office.archivist, office.stranger, office.archivist)
    assert [dict(labels.of(chosen, person)["dossier"]) for person in readers] == [
        {risen.key: f"{risen.code} {TITLE}"},
        {},
        {risen.key: f"{risen.code} {TITLE}"},
    ]
    kept = labels._written.cache_info()
    assert (kept.misses, kept.hits) == (1, 2)
    values = labels._written(connection.vendor, unit=10, register=0, dossier=10, own=10).values
    said = {"unit", "dossier", " ", "", 0, labels._LEVEL}
    assert set(values) <= said | {sign for name in labels._SIGNS for sign in labels._signs(name, 10)}
