import re
from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from archive import access, dossiers, holding, retention
from archive.models import AuditEntry, RecordClass, RetentionRule
from archive.rules.errors import Forbidden, Hidden
from archive.rules.levels import Level


@pytest.fixture
def rule(db):
    return RetentionRule.objects.create(
        code="12.1-05b",
        title="Lưu văn bản đi",
        kind="years",
        years=10,
        basis="TT 10/2022/TT-BNV",
        valid_from=date(2023, 2, 15),
    )


@pytest.fixture
def make_dossier(office, rule):
    def make(code="01.TM", *, unit=None, opened_on=date(2026, 1, 5), rule=rule):
        line, _made = RecordClass.objects.get_or_create(
            year=2026, code="01", defaults={"title": "Huấn luyện", "rule": rule}
        )
        cover = dossiers.Cover(code, "Huấn luyện năm 2026", line, rule, unit or office.staff_unit, opened_on)
        return dossiers.begin(cover, actor=office.archivist)

    return make


def filed(office, make_dossier, make_record, **record):
    dossier = make_dossier()
    dossiers.file(make_record(**record), dossier=dossier, actor=office.archivist)
    dossier.refresh_from_db()
    return dossier


def test_a_dossier_is_never_below_what_lies_in_it(office, make_dossier, make_record):
    assert filed(office, make_dossier, make_record, level=Level.MAT).level == Level.MAT


def test_nothing_goes_into_a_closed_dossier(office, make_dossier, make_record):
    dossier = filed(office, make_dossier, make_record)
    dossiers.close(dossier, ended_on=date(2026, 5, 4), actor=office.archivist)
    with pytest.raises(dossiers.DossierClosed):
        dossiers.file(make_record(), dossier=dossier, actor=office.archivist)


def test_an_empty_dossier_is_not_closed(office, make_dossier):
    with pytest.raises(dossiers.NothingFiled):
        dossiers.close(make_dossier(), ended_on=date(2026, 5, 4), actor=office.archivist)


def test_years_run_from_the_end_of_the_year_of_closing(office, make_dossier, make_record):
    dossier = filed(office, make_dossier, make_record)
    dossiers.close(dossier, ended_on=date(2026, 5, 4), actor=office.archivist)
    (line,) = retention.due_list(office.archivist, until=date(2037, 1, 1))
    assert line.outcome.due_on == date(2037, 1, 1)
    assert "12.1-05b" in line.outcome.sentence
    assert retention.due_list(office.archivist, until=date(2036, 12, 31)) == []


def test_a_held_dossier_is_never_due(office, make_dossier, make_record):
    dossier = filed(office, make_dossier, make_record)
    dossiers.close(dossier, ended_on=date(2026, 5, 4), actor=office.archivist)
    hold = retention.place_hold(retention.Order("Thanh tra 2026", "Thanh tra"), on=[dossier], actor=office.archivist)
    (line,) = retention.due_list(office.archivist, until=date(2099, 1, 1))
    assert not line.outcome.is_due(date(2099, 1, 1))
    retention.lift_hold(hold, reason="Đã xong", actor=office.archivist)
    (line,) = retention.due_list(office.archivist, until=date(2099, 1, 1))
    assert line.outcome.is_due(date(2099, 1, 1))


def test_a_hold_on_one_record_holds_its_dossier(office, make_dossier, make_record):
    dossier = make_dossier()
    record = make_record()
    dossiers.file(record, dossier=dossier, actor=office.archivist)
    retention.place_hold(retention.Order("Khiếu nại", "Đơn 12"), on=[record], actor=office.archivist)
    assert retention.holds_on(dossier, office.archivist)
    assert holding.is_held(record)


def test_a_hold_on_a_record_that_a_reader_may_not_know_of_shows_nowhere(office, make_dossier, make_record, signed_in):
    dossier, hidden = make_dossier(), make_record()
    dossiers.file(hidden, dossier=dossier, actor=office.archivist)
    dossiers.close(dossier, ended_on=date(2026, 5, 4), actor=office.archivist)
    before = signed_in("staff").get(reverse("archive:dossier", args=[dossier.key])).content.decode()
    retention.place_hold(retention.Order("Khiếu nại", "Đơn 12"), on=[hidden], actor=office.archivist)
    after = signed_in("staff").get(reverse("archive:dossier", args=[dossier.key])).content.decode()
    assert not access.visible_to(office.staff).opens([hidden.pk]).exists()
    assert plain(after) == plain(before)
    assert retention.holds_on(dossier, office.staff) == []
    assert retention._held(office.staff) == {}
    assert holding.is_held(hidden)  # what may destroy asks for every hold
    assert retention.holds_on(dossier, office.archivist)


def plain(page):
    """Return a page without what differs from one request to the next."""
    return re.sub(r"[A-Za-z0-9]{64}", "", page)


def test_a_hold_needs_a_reason_and_something_to_hold(office, make_dossier):
    with pytest.raises(retention.ReasonMissing):
        retention.place_hold(retention.Order("x", " "), on=[make_dossier()], actor=office.archivist)
    with pytest.raises(retention.NothingHeld):
        retention.place_hold(retention.Order("x", "y"), on=[], actor=office.archivist)


def test_lifting_one_of_two_holds_changes_nothing(office, make_dossier, make_record):
    dossier = filed(office, make_dossier, make_record)
    first = retention.place_hold(retention.Order("A", "a"), on=[dossier], actor=office.archivist)
    retention.place_hold(retention.Order("B", "b"), on=[dossier], actor=office.archivist)
    retention.lift_hold(first, reason="xong", actor=office.archivist)
    assert [hold.name for hold in retention.holds_on(dossier, office.archivist)] == ["B"]


def test_what_a_person_may_not_see_is_not_in_the_contents_they_get(office, make_dossier, make_record):
    dossier = make_dossier()
    dossiers.file(make_record(), dossier=dossier, actor=office.archivist)
    assert [item.doc_ordinal for item in dossiers.contents(dossier, office.archivist)] == [1]
    assert dossiers.contents(dossier, office.staff) == []


def test_a_dossier_above_the_clearance_is_hidden(office, make_dossier, make_record):
    dossier = filed(office, make_dossier, make_record, level=Level.MAT)
    assert dossier not in dossiers.visible_dossiers(office.stranger)
    assert dossier in dossiers.visible_dossiers(office.staff)


def test_staff_do_not_place_holds_and_strangers_see_no_dossier(office, make_dossier):
    dossier = make_dossier()
    with pytest.raises(Forbidden):
        retention.place_hold(retention.Order("x", "y"), on=[dossier], actor=office.staff)
    with pytest.raises(Hidden):
        dossiers.close(dossier, ended_on=timezone.localdate(), actor=office.stranger)


def test_each_act_of_keeping_writes_one_entry(office, make_dossier, make_record):
    before = AuditEntry.objects.count()
    dossier = make_dossier()
    record = make_record()
    start = AuditEntry.objects.count() - before
    dossiers.file(record, dossier=dossier, actor=office.archivist)
    dossiers.close(dossier, ended_on=date(2026, 5, 4), actor=office.archivist)
    hold = retention.place_hold(retention.Order("A", "a"), on=[dossier], actor=office.archivist)
    retention.lift_hold(hold, reason="xong", actor=office.archivist)
    assert AuditEntry.objects.count() - before - start == 4


def test_a_reader_without_that_post_is_not_told_why_a_dossier_is_held(office, make_dossier, make_record, signed_in):
    dossier = filed(office, make_dossier, make_record)
    order = retention.Order("Vụ việc Sao Mai", "Đơn tố cáo số 7")
    retention.place_hold(order, on=[dossier], actor=office.archivist)
    address = f"/dossiers/{dossier.key}/"
    assert "Sao Mai" in signed_in("archivist").get(address).content.decode()
    told = signed_in("staff").get(address)
    assert told.status_code == 200
    assert "Sao Mai" not in told.content.decode()
    assert "tố cáo" not in told.content.decode()
