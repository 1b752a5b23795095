"""The auditor's list narrowed to one dispatch: by its number and symbol, or by its key, refusals of a hidden one too."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from archive import audit, planning, sequencing
from archive.models import AuditDetail, AuditEntry, FirstAct
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.views.control import log, oversight, seen
from config.tests.office import fence_lifted


@pytest.fixture
def about(signed_in):
    """Return which (act, outcome, key) the list tells of a dispatch."""

    def ask(record):
        page = signed_in("auditor").get("/log/", {"record": record})
        return {(line["action"], line["outcome"], line["key"]) for line in page.context["rows"]}

    return ask


def test_a_dispatch_is_found_by_its_number_and_by_its_key(office, make_record, about, signed_in):
    one, other = make_record(code_number="71", code_notation="KH-BCH"), make_record(code_number="72")
    signed_in("clerk").get(f"/records/{one.key}/")
    signed_in("clerk").get(f"/records/{other.key}/")
    by_key = about(one.key)
    assert {("record.read", "ok", one.key), ("record.register", "ok", one.key)} <= by_key
    assert about(one.symbol) == about(f" {one.key} ") == by_key
    assert about("99/KH-BCH") == about("khongcokhoa") == set()


def test_who_was_refused_a_dispatch_is_found_by_its_key(office, make_record, about, signed_in):
    record = make_record(level=Level.MAT)
    assert signed_in("stranger").get(f"/records/{record.key}/").status_code == 404
    assert signed_in("stranger").get("/records/khongcokhoa/").status_code == 404
    assert ("archive:record", "denied", record.key) in about(record.key)
    assert about("khongcokhoa") == {("archive:record", "denied", "khongcokhoa")}


def shown(office, *records):
    """Write the entry of a page of hits, and give it its place."""
    entry = audit.read(Action.SEARCH_RUN, actor=office.clerk, records=records)
    sequencing.place_all()
    return entry


def test_who_asked_for_a_key_before_its_dispatch_was_known_here_stands_beside_it(office, make_record, signed_in, about):
    record = make_record()
    lost = audit.Subject("record", record.key)  # as a door writes it while the dispatch is not in the database
    with transaction.atomic():
        audit._append("archive:record", actor=office.stranger, subject=lost, outcome="denied", reason="", details=None)
    sequencing.place_all()
    assert {("archive:record", "denied", record.key), ("record.register", "ok", record.key)} <= about(record.key)
    seers = signed_in("auditor").get("/log/who/", {"record": record.key}).context["seers"]
    assert {(one.person, one.refused) for one in seers} == {(str(office.stranger), 1), (str(office.clerk), 0)}


def test_a_page_of_hits_that_showed_two_of_one_number_is_one_line(office, make_record, signed_in):
    one, other = make_record(code_number="71"), make_record(code_number="71")
    entry = shown(office, one, other)
    page = signed_in("auditor").get("/log/", {"record": "71/KH-BCH", "action": str(Action.SEARCH_RUN)})
    assert [row["index"] for row in page.context["rows"]] == [entry.leaf.idx]
    assert page.context["total"] == 1


def test_a_page_of_hits_counts_only_where_what_is_asked_besides_the_dispatch_holds_for_it(
    office, make_record, signed_in
):
    record = make_record()
    shown(office, record)
    signed_in("clerk").get(f"/records/{record.key}/")
    every = signed_in("auditor").get("/log/", {"record": record.key}).context["total"]
    for asked, total in (
        ({"action": str(Action.RECORD_READ)}, 1),
        ({"action": str(Action.SEARCH_RUN)}, 1),
        ({"action": "seen"}, 2),
        ({"outcome": "denied"}, 0),
        ({"person": office.staff.pk}, 0),
        ({}, every),
    ):
        assert signed_in("auditor").get("/log/", {"record": record.key, **asked}).context["total"] == total


def test_the_list_of_a_dispatch_goes_on_page_by_page_through_all_its_ways(office, make_record, signed_in, monkeypatch):
    monkeypatch.setattr(log, "PAGE", 2)
    record = make_record()
    for _ in range(3):
        signed_in("clerk").get(f"/records/{record.key}/")
        shown(office, record)
    told, before = [], {}
    while before is not None:
        page = signed_in("auditor").get("/log/", {"record": record.key, **before})
        told += [row["index"] for row in page.context["rows"]]
        before = None if page.context["older"] is None else {"before": page.context["older"]}
    of_it = AuditEntry.objects.filter(record_id=record.pk) | AuditEntry.objects.filter(action=Action.SEARCH_RUN)
    assert told == list(of_it.order_by("-leaf__idx").values_list("leaf__idx", flat=True))
    assert len(told) == page.context["total"] > 6


def test_pages_after_the_counted_ones_are_the_same_list(office, make_record, signed_in, monkeypatch):
    """The lines of the first thousand are looked up by their moments, the rest by the place alone; a filter stays a filter."""
    monkeypatch.setattr(log, "PAGE", 2)
    record = make_record()
    for _ in range(4):
        signed_in("clerk").get(f"/records/{record.key}/")
        shown(office, record)
        signed_in("staff").get(f"/records/{record.key}/")
    for asked in (
        {"record": record.key},
        {"person": office.clerk.pk},
        {"unit": office.clerk.unit_id},
        {"record": record.key, "action": "seen"},
    ):
        lists = []
        for counted in (2, 4, 1000):
            monkeypatch.setattr(log, "COUNTED", counted)
            told, before = [], {}
            while before is not None:
                page = signed_in("auditor").get("/log/", {**asked, **before})
                told += [row["index"] for row in page.context["rows"]]
                before = None if page.context["older"] is None else {"before": page.context["older"]}
            lists.append(told)
        assert lists[0] == lists[1] == lists[2] == sorted(lists[0], reverse=True)
        assert len(lists[0]) > 7


def test_of_a_dispatch_read_without_end_the_newest_entries_are_told(office, make_record, signed_in, monkeypatch):
    record = make_record()
    signed_in("clerk").get(f"/records/{record.key}/")
    signed_in("staff").get(f"/records/{record.key}/")
    monkeypatch.setattr(oversight, "MOST_ENTRIES", 1)
    page = signed_in("auditor").get("/log/who/", {"record": record.key})
    assert page.context["more"]
    assert [one.person for one in page.context["seers"]] == [str(office.staff)]
    # The link under a name is a whole sentence: one that ended in three dots looked cut short.
    assert f'?person={office.staff.pk}">Người này còn xem gì?</a>' in page.text
    assert "…</a>" not in page.text
    monkeypatch.setattr(oversight, "MOST_ENTRIES", 20)
    page = signed_in("auditor").get("/log/who/", {"record": record.key})
    assert not page.context["more"]
    assert {one.person for one in page.context["seers"]} == {str(office.clerk), str(office.staff)}


def test_of_a_key_refused_without_end_it_is_told_that_only_the_newest_refusals_are_counted(
    office, make_record, signed_in, monkeypatch
):
    record = make_record(level=Level.MAT)
    key = "abcdefghijkm"
    for name in ("clerk", "staff", "staff"):
        signed_in(name).get(f"/records/{key}/")
    signed_in("stranger").get(f"/records/{record.key}/")
    told = "chỉ tính {} lần mới nhất"
    for most, people in ((3, {office.clerk, office.staff}), (2, {office.staff})):
        monkeypatch.setattr(oversight, "MOST_ENTRIES", most)
        page = signed_in("auditor").get("/log/who/", {"record": key})
        assert {one.person for one in page.context["seers"]} == {str(one) for one in people}
        assert (told.format(most) in page.content.decode()) == (most == 2)
    page = signed_in("auditor").get(
        "/log/who/", {"record": record.key}
    )  # that is there: its refusals are entries about it
    assert "chỉ tính" not in page.content.decode()
    assert len(signed_in("auditor").get("/log/", {"record": key}).context["rows"]) == 3


@pytest.mark.parametrize("many", range(6))
def test_a_moment_is_told_to_lie_in_one_of_many_spans(office, many):
    start = datetime(2026, 11, 2, tzinfo=UTC)
    spans = [(start + timedelta(hours=4 * each), start + timedelta(hours=4 * each + 2)) for each in range(many)]
    moments = [start + timedelta(minutes=30 * each) for each in range(-2, 48)]
    FirstAct.objects.bulk_create(
        FirstAct(person=office.clerk, action=f"a{place}", level=0, ts=moment) for place, moment in enumerate(moments)
    )
    found = FirstAct.objects.filter(planning.InSpans("ts", spans)).order_by("ts").values_list("ts", flat=True)
    assert list(found) == [moment for moment in moments if any(first <= moment < end for first, end in spans)]


def test_of_more_dispatches_than_are_shown_those_seen_last_are_told_whole(office, make_record, signed_in, monkeypatch):
    """Counted in the database for those shown alone: the answer is that of counting all."""
    monkeypatch.setattr(seen, "MOST_ROWS", 3)
    records = [make_record() for _ in range(8)]
    for showing in ((0, 1, 2), (3, 4), (0, 5, 6), (1, 7), (2,), (6,)):
        shown(office, *(records[each] for each in showing))
    for each in (5, 0):
        signed_in("clerk").get(f"/records/{records[each].key}/")
    sequencing.place_all()
    page = signed_in("auditor").get("/log/seen/", {"person": office.clerk.pk})
    assert page.context["more"]
    read = {str(Action.RECORD_READ): 1}
    assert [(look.key, look.acts) for look in page.context["looks"]] == [
        (records[0].key, read | {"search.run": 2}),
        (records[5].key, read | {"search.run": 1}),
        (records[6].key, {"search.run": 2}),
    ]
    monkeypatch.setattr(seen, "MOST_ROWS", 20)
    page = signed_in("auditor").get("/log/seen/", {"person": office.clerk.pk})
    pages = {look.key: look.acts["search.run"] for look in page.context["looks"] if "search.run" in look.acts}
    assert pages == {records[each].key: n for each, n in enumerate((2, 2, 2, 1, 1, 1, 2, 1))}


def test_of_a_person_who_saw_without_end_the_newest_entries_are_told(office, make_record, signed_in, monkeypatch):
    monkeypatch.setattr(seen, "MOST_ENTRIES", 2)
    first, second, third = (make_record() for _ in range(3))
    signed_in("clerk").get(f"/records/{first.key}/")
    shown(office, first, second)
    signed_in("clerk").get(f"/records/{third.key}/")
    page = signed_in("auditor").get("/log/seen/", {"person": office.clerk.pk})
    assert page.context["more"]
    looks = {look.key: look.acts for look in page.context["looks"]}
    assert looks == {third.key: {"record.read": 1}, first.key: {"search.run": 1}, second.key: {"search.run": 1}}
    monkeypatch.setattr(seen, "MOST_ENTRIES", 3)
    page = signed_in("auditor").get("/log/seen/", {"person": office.clerk.pk})
    assert not page.context["more"]
    looks = {look.key: look.acts for look in page.context["looks"]}
    assert looks[first.key] == {"record.read": 1, "search.run": 1}


def test_a_page_of_hits_with_two_dispatches_of_one_number_is_one_look(office, make_record, signed_in):
    both = [make_record(code_number="77"), make_record(code_number="77")]
    audit.read(Action.SEARCH_RUN, actor=office.clerk, records=both)
    sequencing.place_all()
    for named in (both[0].symbol, both[0].key):
        seers = signed_in("auditor").get("/log/who/", {"record": named}).context["seers"]
        assert [one.acts.get(Action.SEARCH_RUN) for one in seers] == [1]


def test_a_refusal_shows_its_code_once_and_still_where_its_details_are_gone(office, make_record, signed_in):
    signed_in("stranger").get(f"/records/{make_record().key}/")
    sequencing.place_all()
    auditor = signed_in("auditor")
    (row,) = auditor.get("/log/", {"outcome": "denied"}).context["rows"]
    assert auditor.get("/log/", {"outcome": "denied"}).text.count(row["reason"]) == 1
    with fence_lifted():
        AuditDetail.objects.filter(entry__leaf__idx=row["index"]).delete()
    assert auditor.get("/log/", {"outcome": "denied"}).text.count(row["reason"]) == 1
