"""Being told: what came since the last look, counted under the rights of that moment, and never a hidden record."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive import access, standing
from archive.models import Access, AuditEntry, Record
from archive.rules.levels import Level
from search import news, saving
from search.models import Alert, SavedSearch


@pytest.fixture
def kept(office):
    """A query of the clerk that the archivist is told of; the stranger may read it too."""
    made = saving.keep(saving.Wanted("Diễn tập", "diễn tập", Level.THUONG), actor=office.archivist)
    saving.watch(made, actor=office.archivist)
    return made


def counts(person):
    return [each.count for each in news.of(person)]


def fields_of(page):
    """Return what the button "I have looked" sends."""
    return dict(re.findall(r'name="(upto|at)" value="(\d+)"', page.content.decode()))


def look(kept, person):
    told = news.of_query(kept, person)
    saving.looked(told.alert, upto=told.upto, at=told.at)
    return told


def test_a_new_match_is_told_once(office, make_record, indexed, kept):
    make_record(subject="Diễn tập cũ, trước khi báo tin")
    indexed()
    look(kept, office.archivist)
    assert counts(office.archivist) == [0]
    record = make_record(subject="Diễn tập khu vực phòng thủ")
    make_record(subject="Công tác đoàn thanh niên")
    indexed()
    (told,) = news.of(office.archivist)
    assert (told.count, told.ids, told.is_capped) == (1, (record.pk,), False)
    assert news.records(told, office.archivist) == [record]
    look(kept, office.archivist)
    assert counts(office.archivist) == [0]


def test_what_stood_there_before_is_no_news(office, make_record, indexed):
    make_record(subject="Diễn tập từ lâu")
    indexed()
    made = saving.keep(saving.Wanted("Diễn tập", "diễn tập", Level.THUONG), actor=office.archivist)
    saving.watch(made, actor=office.archivist)
    assert counts(office.archivist) == [0]


def test_a_hidden_record_never_fires(office, make_record, indexed, kept):
    make_record(subject="Diễn tập bí danh Sao Băng", level=Level.TOI_MAT)
    other = make_record(subject="Diễn tập của đơn vị khác")
    Access.objects.filter(record=other).update(principal=office.other_unit.pk + 700)
    indexed()
    assert counts(office.archivist) == [0]


def test_a_hidden_record_is_asked_of_no_engine_however_wrong_the_index(office, make_record, indexed, kept):
    """The index still says open; the database says no: no count tells of it."""
    record = make_record(subject="Diễn tập vừa bị đóng")
    indexed()
    Record.objects.filter(pk=record.pk).update(level=Level.TOI_MAT)
    Access.objects.filter(record=record).update(level=Level.TOI_MAT)
    assert counts(office.archivist) == [0]


def test_access_that_ended_between_two_looks_takes_the_news_with_it(office, make_record, indexed, later):
    made = saving.keep(saving.Wanted("Diễn tập", "diễn tập", Level.THUONG), actor=office.stranger)
    record = make_record(subject="Diễn tập khu vực phòng thủ")
    indexed()
    saving.watch(made, actor=office.stranger)
    given = access.grant(record, to=office.stranger, until=later(60), reason="phối hợp", actor=office.leader)
    indexed()
    assert counts(office.stranger) == [1]
    access.end_grant(given, actor=office.leader)
    assert counts(office.stranger) == [0]
    assert news.records(news.of_query(made, office.stranger), office.stranger) == []


def test_clearance_that_ended_hides_query_and_news(office, make_record, indexed):
    made = saving.keep(saving.Wanted("Sao Băng", "diễn tập", Level.MAT), actor=office.archivist)
    saving.watch(made, actor=office.archivist)
    make_record(subject="Diễn tập")
    indexed()
    assert counts(office.archivist) == [1]
    office.archivist.clearances.update(revoked_at=timezone.now())
    assert counts(office.archivist) == []


def test_what_a_person_did_is_no_news_to_them(office, make_record, indexed):
    made = saving.keep(saving.Wanted("Diễn tập", "diễn tập", Level.THUONG), actor=office.clerk)
    saving.watch(made, actor=office.clerk)
    make_record(subject="Diễn tập do văn thư đăng ký")
    indexed()
    assert counts(office.clerk) == [0]


def test_what_the_index_has_not_followed_yet_is_told_at_the_next_look(office, make_record, indexed, kept):
    indexed()
    make_record(subject="Diễn tập vừa đăng ký")
    look(kept, office.archivist)  # the index does not hold it: the place may not pass it
    indexed()
    assert counts(office.archivist) == [1]


def test_a_place_never_goes_back_and_never_beyond_the_log(office, make_record, indexed, kept):
    make_record(subject="Diễn tập")
    indexed()
    alert = look(kept, office.archivist).alert
    alert.refresh_from_db()
    seen = alert.seen
    saving.looked(alert, upto=1, at=timezone.now())
    saving.looked(alert, upto=10**9, at=timezone.now() + timedelta(days=9))
    alert.refresh_from_db()
    assert alert.seen == seen
    assert alert.looked_at <= timezone.now()


def test_a_quiet_alert_is_moved_on(office, make_record, indexed, kept, monkeypatch):
    monkeypatch.setattr(news, "QUIET", 0)
    before = Alert.objects.get().seen
    make_record(subject="Công tác đoàn")
    indexed()
    assert counts(office.archivist) == [0]
    assert Alert.objects.get().seen > before


def test_more_than_is_looked_at_is_said_as_at_least(office, make_record, indexed, kept, monkeypatch):
    monkeypatch.setattr(news, "NEWEST", 2)
    for number in range(3):
        make_record(subject=f"Diễn tập {number}")
    indexed()
    (told,) = news.of(office.archivist)
    assert (told.count, told.is_capped) == (2, True)


def test_a_look_costs_few_queries_whatever_the_log_holds(
    office, make_record, indexed, kept, signed_in, django_assert_max_num_queries
):
    for number in range(5):
        make_record(subject=f"Diễn tập {number}")
    indexed()
    Alert.objects.update(seen_at=timezone.now() - timedelta(days=400))
    with standing.one_reading(), django_assert_max_num_queries(11):  # the log once for all acts
        assert counts(office.archivist) == [5]


def test_alerts_by_names_of_units_read_the_names_once(office, make_record, indexed):
    for number in range(3):
        saving.watch(
            saving.keep(
                saving.Wanted(f"Đơn vị {number}", f"donvi:van {number}*", Level.THUONG), actor=office.archivist
            ),
            actor=office.archivist,
        )
    make_record(subject="Diễn tập")
    indexed()
    with standing.one_reading(), CaptureQueriesContext(connection) as captured:
        counts(office.archivist)
    assert sum('"archive_unit"."name" AS "name" FROM' in one["sql"] for one in captured.captured_queries) == 1


# --- on the screen ---------------------------------------------------------------------------------
def test_the_bell_the_list_and_the_page_tell_the_same(office, make_record, indexed, kept, signed_in):
    browser = signed_in("archivist")
    assert 'class="dot"' not in browser.get("/search/notices/").content.decode()
    make_record(subject="Diễn tập khu vực phòng thủ", level=Level.MAT)
    indexed()
    assert 'class="dot"' in browser.get("/search/notices/").content.decode()
    assert f"/search/saved/{kept.pk}/new/" in browser.get("/search/saved/").content.decode()
    shown = browser.get(f"/search/saved/{kept.pk}/new/")
    assert "Diễn tập khu vực phòng thủ" in shown.content.decode()
    assert 'class="seal' in shown.content.decode()
    about = AuditEntry.objects.filter(action="search.run", object_type="query", object_id=str(kept.pk))
    assert [entry.detail.payload.get("part", "") for entry in about.order_by("ts")] == ["bell", ""]
    browser.post(f"/search/saved/{kept.pk}/new/", fields_of(shown))
    assert 'class="dot"' not in browser.get("/search/notices/").content.decode()


def test_the_bell_says_no_name_above_the_lowest_level(office, make_record, indexed, signed_in):
    made = saving.keep(saving.Wanted("Chiến dịch Sao Băng", "diễn tập", Level.MAT), actor=office.archivist)
    saving.watch(made, actor=office.archivist)
    make_record(subject="Diễn tập")
    indexed()
    bell = signed_in("archivist").get("/search/notices/").content.decode()
    assert 'class="dot"' in bell
    assert "level-mat" in bell
    assert "Sao Băng" not in bell


def test_what_the_bell_and_the_lists_tell_is_written_down_at_the_level_of_the_queries(
    office, make_record, indexed, signed_in, monkeypatch
):
    made = saving.keep(saving.Wanted("Chiến dịch Sao Băng", "diễn tập", Level.MAT), actor=office.archivist)
    saving.watch(made, actor=office.archivist)
    make_record(subject="Diễn tập")
    indexed()
    browser = signed_in("archivist")

    def told(address):
        before = set(AuditEntry.objects.values_list("pk", flat=True))
        assert browser.get(address).status_code == 200
        return [
            (entry.detail.payload["part"], entry.level)
            for entry in AuditEntry.objects.filter(action="search.run").exclude(pk__in=before)
        ]

    for address in ("/search/", "/search/saved/", f"/search/saved/{made.pk}/"):
        assert told(address) == [("kept", Level.MAT)]
    assert [told("/search/notices/") for _again in range(2)] == [[("bell", Level.MAT)], []]
    monkeypatch.setattr(saving, "BELL", timedelta(0))
    assert told("/search/notices/") == [("bell", Level.MAT)]


def test_without_an_engine_everything_else_of_the_pages_stands(office, make_record, indexed, kept, signed_in, away):
    away()
    browser = signed_in("archivist")
    bell = browser.get("/search/notices/").content.decode()
    assert "Máy tìm kiếm đang gián đoạn." in bell
    assert "chưa có gì mới" not in bell
    assert "Diễn tập" in browser.get("/search/saved/").content.decode()
    assert browser.get(f"/search/saved/{kept.pk}/new/").status_code == 503


def test_alerts_are_turned_on_and_off_and_written_down(office, signed_in, kept):
    browser = signed_in("archivist")
    for on in ("", "1"):
        assert browser.post(f"/search/saved/{kept.pk}/watch/", {"on": on}).status_code == 302
        assert Alert.objects.exists() is bool(on)
    said = AuditEntry.objects.filter(action="search.save", detail__payload__has_key="alert").order_by("ts")
    assert [entry.detail.payload["alert"] for entry in said] == [True, False, True]


def test_a_person_is_told_of_only_so_many(office, signed_in, kept, monkeypatch):
    monkeypatch.setattr(saving, "MOST_ALERTS", 1)
    more = saving.keep(saving.Wanted("Khác", "khác", Level.THUONG), actor=office.archivist)
    with pytest.raises(saving.TooMany):
        saving.watch(more, actor=office.archivist)
    answer = signed_in("archivist").post(f"/search/saved/{more.pk}/watch/", {"on": "1"}, follow=True)
    assert "giới hạn" in answer.content.decode() or "mức cao nhất" in answer.content.decode()


def test_a_query_that_is_not_theirs_any_more_takes_nobodys_place(office, monkeypatch):
    monkeypatch.setattr(saving, "MOST_ALERTS", 1)
    given, mine = (saving.keep(saving.Wanted(f"{n}", "x", Level.THUONG), actor=office.archivist) for n in (1, 2))
    saving.watch(given, actor=office.archivist)
    SavedSearch.objects.filter(pk=given.pk).update(level=Level.TUYET_MAT)
    assert saving.watch(mine, actor=office.archivist).search == mine
