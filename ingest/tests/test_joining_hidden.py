"""What a clerk learns by adding a file: nothing of a held copy, of a hidden dossier, and the same bytes still join once."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from archive import attachments, dossiers, store
from archive.models import Attachment, Clearance, Dossier, Person, PersonRole, RecordState, UnitScope
from archive.rules.errors import Hidden
from archive.rules.levels import Level
from archive.rules.proposal import Suggestion
from archive.rules.roles import Role
from ingest import intake, joining, outcomes, pipeline
from ingest.models import Scan, ScanState
from ingest.tests.handing import read
from ingest.tests.test_joining import add, closed, signs  # noqa: F401 - a fixture


@pytest.fixture
def uncleared(office):
    """A second clerk of the same desk, cleared for nothing above the lowest level."""
    person = Person(username="clerk2", full_name="Đồng chí hai", unit=office.registry)
    person.set_unusable_password()
    person.save()
    since = datetime(2020, 1, 1, tzinfo=UTC)
    PersonRole.objects.create(person=person, role=Role.CLERK, since=since)
    UnitScope.objects.create(person=person, unit=office.registry, since=since)
    Clearance.objects.create(person=person, level=Level.THUONG, since=since, basis="QĐ 02")
    return person


@pytest.fixture
def held_twice(office, uncleared, make_record, signs):  # noqa: F811
    """A record for which two clerks handed over the same bytes; both copies are held."""
    record = make_record(pages=("Một",))
    signs(Level.MAT, sure=False)
    first = read(add(office, record, name="Sao Mai.pdf").scan)
    second = read(add(office, record, name="khac.pdf", actor=uncleared).scan)
    return record, first, second


def test_same_bytes_as_a_held_file_are_taken_like_new_ones_by_who_may_not_know(office, held_twice, uncleared):
    record, first, second = held_twice
    assert (second.state, second.code, second.level) == (ScanState.ATTENTION, outcomes.HELD_DOUBT, Level.MAT)
    assert second.sha256 == first.sha256
    assert set(joining.of_record(record, office.clerk)) == {first, second}
    assert list(joining.of_record(record, uncleared)) == []
    assert joining.handed_and_unseen(record, uncleared) == 1
    with pytest.raises(Hidden):
        joining.open_held(uncleared, first.pk)


def test_the_page_says_the_same_for_new_bytes_and_for_held_ones(office, uncleared, make_record, signs):  # noqa: F811
    record, untouched = make_record(), make_record(code_number="2")
    signs(Level.MAT, sure=False)
    read(add(office, record, name="Sao Mai.pdf").scan)
    answers = [joining_answer(add(office, each, name="a.pdf", actor=uncleared)) for each in (record, untouched)]
    assert answers[0] == answers[1] == (True, "a.pdf")


def joining_answer(added):
    return added.is_new, added.name


def test_ones_own_held_bytes_are_taken_once(office, make_record, uncleared, signs):  # noqa: F811
    record = make_record()
    signs(Level.MAT, sure=False)
    read(add(office, record, name="cua-toi.pdf", actor=uncleared).scan)
    again = add(office, record, name="lan-hai.pdf", actor=uncleared)
    assert (again.is_new, again.name) == (False, "lan-hai.pdf")
    assert add(office, record, name="cua-ai.pdf").name == "cua-toi.pdf"  # the cleared are told the truth
    assert Scan.objects.filter(joins=record).count() == 1


def test_who_sees_both_copies_joins_one_and_puts_the_other_aside(office, held_twice):
    record, first, second = held_twice
    joining.accept(first, why="Đã xem, không có dấu", actor=office.clerk)
    with pytest.raises(attachments.HasIt) as refusal:
        joining.accept(second, why="Đã xem", actor=office.clerk)
    assert "Sao Mai.pdf" in str(refusal.value)
    second.refresh_from_db()
    assert (second.state, second.code) == (ScanState.ATTENTION, outcomes.HELD_DOUBT)
    assert store.read(second.original_id) == store.read(first.original_id)
    intake.dismiss(second, reason="Trùng", actor=office.clerk)
    assert Attachment.objects.filter(record=record).count() == 1


def test_a_copy_that_is_read_after_the_first_was_joined_waits(office, uncleared, make_record, signs, monkeypatch):  # noqa: F811
    record = make_record()
    signs(Level.MAT, sure=False)
    first = read(add(office, record).scan)
    second = add(office, record, actor=uncleared).scan
    joining.accept(first, why="Đã xem", actor=office.clerk)
    monkeypatch.setattr(pipeline.classify, "suggest", lambda _pages, **more: _clean(more["declared"]))
    second = read(second)
    assert (second.state, second.code) == (ScanState.ATTENTION, outcomes.HELD_CLOSED)
    assert Attachment.objects.filter(record=record).count() == 1


def _clean(declared):
    return Suggestion(declared, declared, declared)


def test_one_of_two_who_decide_at_once_comes_too_late(office, held_twice):
    record, first, _second = held_twice
    opened = [joining.open_held(office.clerk, first.pk) for _ in range(2)]
    joining.accept(opened[0], why="Đã xem", actor=office.clerk)
    for late in (
        lambda: joining.accept(opened[1], why="Đã xem", actor=office.clerk),
        lambda: joining.part(opened[1], why="Riêng", actor=office.clerk),
        lambda: intake.dismiss(opened[1], reason="Nhầm", actor=office.clerk),
    ):
        with pytest.raises(intake.NothingToDo):
            late()
    assert Attachment.objects.filter(record=record).count() == 1


# --- a dossier that the clerk may not know of ------------------------------------------------------------


@pytest.fixture
def in_hidden(office, make_record):
    """A record of the clerk's that lies in a closed dossier of another unit."""
    record = make_record()
    closed(record, office)
    Dossier.objects.update(unit=office.other_unit)
    assert not dossiers.visible_dossiers(office.clerk).exists()
    return record


def test_a_closed_dossier_is_named_to_nobody_who_may_not_know_of_it(office, in_hidden, signed_in):
    with pytest.raises(attachments.TakesNoMore):
        add(office, in_hidden)
    assert isinstance(attachments.refusal(in_hidden, office.clerk), attachments.TakesNoMore)
    shown = signed_in("clerk").get(reverse("ingest:joining", args=[in_hidden.key])).content.decode()
    assert "hồ sơ" not in shown.lower().replace("mở hồ sơ", "")
    assert 'type="file"' not in shown


def test_a_file_read_too_late_says_nothing_of_the_dossier(office, make_record):
    record = make_record()
    scan = add(office, record).scan
    closed(record, office)
    Dossier.objects.update(unit=office.other_unit)
    scan = read(scan)
    assert (scan.state, scan.code) == (ScanState.ATTENTION, outcomes.HELD_CLOSED)
    assert "hồ sơ" not in outcomes.sentence(scan.code, scan.reason)
    assert record.state == RecordState.REGISTERED
