"""A dispatch has just the files and pages that acts gave it: what SQL moves to or from it shuts its door, and is named."""

import io
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.urls import reverse

from archive import access, adopting, attachments, capture, digests, manifests, pages, resealing
from archive.models import AuditRow, DigitalObject, Page, Record, Step, Unit
from archive.routing import acts
from archive.routing.moving import Task
from archive.rules.levels import Level
from archive.rules.proposal import Suggestion
from archive.rules.roles import Action
from archive.warrants import NotBorneOut
from config.tests.office import borne_out, pack_of, seal


@pytest.fixture
def plain(make_record):
    return make_record(pages=("Chúc mừng năm mới", "Trang hai"))


@pytest.fixture
def secret(make_record):
    return make_record(level=Level.MAT, pages=("Phương án tác chiến", "Trang hai"))


def is_open(person, record):
    try:
        access.open_record(person, Action.RECORD_READ, record.key)
    except NotBorneOut:
        return False
    return True


def named():
    return [str(fault) for fault in manifests.faults()]


def of(record):
    return Page.objects.filter(record=record)


def a_page_moves(secret, plain):
    of(plain).filter(number=1).update(number=9)
    of(secret).filter(number=1).update(record=plain)


def a_file_moves(secret, plain):
    DigitalObject.objects.filter(record=secret, role="original").update(record=plain)


def pages_change_places(_secret, plain):
    of(plain).filter(number=2).update(image_start=F("image_start") + 1)


def a_page_goes(_secret, plain):
    of(plain).filter(number=2).delete()


def a_page_comes_from_another_pack(secret, plain):
    of(plain).filter(number=1).update(pack=of(secret).first().pack)


def a_file_gets_another_name(_secret, plain):
    DigitalObject.objects.filter(record=plain, role="original").update(name="khac.pdf")


@pytest.mark.parametrize(
    "edit",
    [
        a_page_moves, a_file_moves, pages_change_places, a_page_goes, a_page_comes_from_another_pack,
        a_file_gets_another_name,
    ],
)  # fmt: skip
def test_what_sql_does_to_files_and_pages_shuts_the_door_and_is_named(office, plain, secret, edit):
    assert is_open(office.clerk, plain)
    assert named() == []
    edit(secret, plain)
    assert not is_open(office.clerk, plain)
    assert f"record {plain.key}: its files or pages were changed past the office" in named()
    with pytest.raises(CommandError, match="changed past the office"):
        call_command("verify_log", stdout=io.StringIO())


def test_no_door_shows_a_page_that_was_moved_from_a_secret_dispatch(office, plain, secret, signed_in):
    a_page_moves(secret, plain)
    for name in ("clerk", "staff", "archivist"):
        browser = signed_in(name)
        for part in ("archive:page-image", "archive:page-thumb"):
            answer = browser.get(reverse(part, args=[plain.key, 1]))
            assert answer.status_code in (404, 409)
        assert "tác chiến" not in browser.get(reverse("archive:record", args=[plain.key])).content.decode()


def test_a_manifest_that_was_written_along_is_told_by_the_digest_of_its_row(office, plain, secret):
    a_file_moves(secret, plain)
    for record in (plain, secret):
        ((_pk, _kept, now),) = manifests._read([record.pk])
        Record.objects.filter(pk=record.pk).update(manifest=now)
        assert not is_open(office.clerk, record)
    assert named() == []
    assert {str(fault) for fault in digests.of_kind("record")} == {
        f"record {record.key}: changed past the office (manifest)" for record in (plain, secret)
    }


def test_a_manifest_that_was_taken_away_opens_nothing(office, plain, secret):
    a_file_moves(secret, plain)
    Record.objects.update(manifest=None)
    assert not is_open(office.clerk, plain)
    assert not is_open(office.clerk, secret)


def test_acts_on_files_keep_the_door_open(office, plain, joined):
    assert is_open(office.clerk, plain)
    assert len(list(pages.texts(plain))) == 3
    attachments.void(plain, 1, reason="nhầm", actor=office.clerk)
    assert is_open(office.clerk, plain)
    assert named() == []


@pytest.fixture
def joined(office, plain):
    pack, ranges = pack_of(("Phụ lục",), level=0)
    nothing = Suggestion(Level.THUONG, Level.THUONG, Level.THUONG)
    original = seal(b"%PDF-1.4 annex", level=0, role="attachment")
    handed = attachments.Handed(office.clerk, datetime(2026, 11, 1, tzinfo=UTC), "thêm")
    return attachments.join(
        plain, capture.Captured(plain.unit, nothing, original, pack, ranges), handed=handed, actor=office.clerk
    )


@pytest.fixture
def older(make_record, monkeypatch):
    """A dispatch whose digest knows nothing of manifests."""

    def forget():
        digests.fields_of.cache_clear()
        digests._statement.cache_clear()

    with monkeypatch.context() as before:
        before.setattr(digests, "DERIVED", digests.DERIVED | {"manifest"})
        forget()
        record = make_record()
    forget()
    return record


def test_a_dispatch_older_than_manifests_is_open_and_comes_under_one_by_an_officer(office, older):
    old = older
    Record.objects.filter(pk=old.pk).update(manifest=None)
    assert "manifest" not in AuditRow.objects.filter(kind="record", row_id=old.pk).latest("pk").columns
    assert access.open_record(office.clerk, Action.RECORD_READ, old.key)
    (found,) = [each for each in adopting.found() if each.kind == "record"]
    assert found.rows == (old.pk,)
    assert list(adopting.adopt(found, reason="QĐ 3: đã đối chiếu", actor=office.security)) == [1]
    assert [each.rows for each in adopting.found() if each.kind == "record"] == [()]
    old.refresh_from_db()
    assert old.manifest
    assert [*digests.of_kind("record"), *manifests.faults()] == []
    a_page_goes(None, old)
    of(old).delete()
    assert named() == [f"record {old.key}: its files or pages were changed past the office"]


def test_a_dispatch_older_than_manifests_that_an_act_met_comes_under_one_all_the_same(office, older):
    Record.objects.filter(pk=older.pk).update(manifest=None)
    acts.forward(older, Task(office.leader), actor=office.clerk)
    assert "manifest" in AuditRow.objects.filter(kind="record", row_id=older.pk).latest("pk").columns
    (found,) = [each for each in adopting.found() if each.kind == "record"]
    assert found.rows == (older.pk,)
    assert list(adopting.adopt(found, reason="QĐ 3: đã đối chiếu", actor=office.security)) == [1]
    older.refresh_from_db()
    assert older.manifest
    assert [*digests.of_kind("record"), *manifests.faults()] == []


def test_a_manifest_that_was_taken_away_is_not_adopted_anew(plain):
    Record.objects.filter(pk=plain.pk).update(manifest=None)
    (found,) = [each for each in adopting.found() if each.kind == "record"]
    assert (found.rows, [one.pk for one in found.refused]) == ((), [plain.pk])


def test_to_seal_files_of_an_old_dispatch_anew_gives_it_no_manifest(office, older):
    Record.objects.filter(pk=older.pk).update(manifest=None)
    assert resealing.reseal(records=[older.key], reason="QĐ 1", actor=office.security).files == 2
    older.refresh_from_db()
    assert older.manifest is None


def test_an_old_row_that_was_changed_since_is_not_adopted(older):
    old = older
    Record.objects.filter(pk=old.pk).update(manifest=None, subject="Khác")
    (found,) = [each for each in adopting.found() if each.kind == "record"]
    assert found.rows == ()
    assert [(one.pk, one.why) for one in found.refused] == [(old.pk, "not what its digest says")]


def test_a_step_put_in_by_sql_opens_no_secret(office, secret):
    borne_out()
    assert not _knows(office.staff, secret)
    step = Step.objects.create(
        record=secret, order=7, kind="inform", from_person=office.leader, to_person=office.staff, state="open",
        created_at=secret.created_at,
    )  # fmt: skip
    access.derive(secret)
    assert access.may(office.staff, Action.RECORD_READ, secret).allowed  # the policy alone is deceived
    assert not is_open(office.staff, secret)
    borne_out()
    assert is_open(office.staff, secret)
    Step.objects.filter(pk=step.pk).update(to_person=office.archivist)
    assert not is_open(office.staff, secret)


def _knows(person, record):
    return access.may(person, Action.RECORD_READ, record).allowed


def test_a_unit_hung_elsewhere_by_sql_opens_no_secret(office, secret):
    borne_out()
    assert not _knows(office.staff, secret)
    Unit.objects.filter(pk=secret.unit_id).update(path=f"{office.staff_unit.path}{secret.unit_id}/")
    assert _knows(office.staff, secret)  # the policy alone is deceived
    assert not is_open(office.staff, secret)
    assert not is_open(office.clerk, secret)  # nothing bears out where the unit hangs
