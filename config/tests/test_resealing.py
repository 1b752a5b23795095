"""Files sealed anew: new key, new address, all that named the old one follows, and the office goes on meanwhile."""

import io
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from archive import resealing, store
from archive.leveling import keys
from archive.models import Attachment, AuditEntry, DigitalObject, Misplaced, Page, PersonRole, Record
from archive.rules.errors import Forbidden
from archive.rules.levels import Level
from archive.rules.roles import Action, Role
from archive.rules.sizes import MIB
from archive.stores import inuse
from archive.stores.port import object_id
from archive.stores.refusals import MissingObject, Shredded
from archive.stores.resealed import Resealed
from archive.tests.test_log_foreign import put_in
from config.tests.office import LONG_AGO, borne_out
from config.tests.resealed import ANNEX, GROUND, addresses, agrees, content, on_a_folder, reseal
from ingest.models import Scan
from ingest.tests.handing import drop

pytest_plugins = ("config.tests.resealed_office",)


def test_all_files_of_a_dispatch_are_sealed_anew_and_everything_agrees(record, office):
    before, old = content(record), addresses(record)
    keys_before = {address: store.configured().vault.get(object_id(address)) for address in old}
    done = reseal(office, record)

    assert (done.files, done.records, done.left) == (len(old), 1, [])
    assert len(old) == 4
    assert not addresses(record) & old
    assert content(record) == before
    assert agrees(record)
    assert not {store.configured().vault.get(object_id(one)) for one in addresses(record)} & set(keys_before.values())
    for address in old:
        with pytest.raises(MissingObject):
            store.configured().driver.open(address)
        with pytest.raises(Shredded):
            store.configured().vault.get(object_id(address))
    entry = AuditEntry.objects.get(action=Action.RECORD_RESEAL)
    assert (entry.actor, entry.object_id, entry.outcome) == (office.security, record.key, "ok")
    assert {line.split(" → ")[0] for line in entry.detail.payload["sealed_anew"]} == old


def test_every_kind_of_row_that_names_an_object_names_the_new_one(record, office):
    main = record.sealed_objects.get(role="original")
    Scan.objects.filter(pk=drop(office, b"1").pk).update(
        original=main, pack=Page.objects.filter(record=record).first().pack
    )
    Misplaced.objects.create(object=main)
    named = [
        (each.related_model, each.field.name)
        for each in DigitalObject._meta.get_fields(include_hidden=True)
        if each.auto_created
    ]
    assert {f"{model.__name__}.{name}" for model, name in named} == {
        "Attachment.original", "Attachment.pack", "Page.pack", "Misplaced.object", "Scan.original", "Scan.pack",
    }  # fmt: skip
    old = addresses(record)
    reseal(office, record)
    for model, name in named:
        rows = set(model.objects.filter(**{f"{name}__record": record}).values_list(name, flat=True))
        assert rows
        assert not rows & old
        assert not model.objects.filter(**{f"{name}__in": old}).exists()


def test_one_file_is_sealed_anew_and_no_other(record, office):
    attached, before, old = Attachment.objects.get(record=record), content(record), addresses(record)
    done = reseal(office, record, attached.original_id)
    assert done.files == 1
    assert old - addresses(record) == {attached.original_id}
    attached.refresh_from_db()
    assert store.read(attached.original_id) == ANNEX
    assert content(record) == before
    assert agrees(record)


def test_a_file_that_was_sealed_anew_is_passed_over_by_the_same_command(record, office):
    old = Attachment.objects.get(record=record).original_id
    reseal(office, record, old)
    now = addresses(record)
    assert reseal(office, record, old).files == 0
    assert addresses(record) == now


def test_a_run_of_several_dispatches_that_ended_half_way_goes_on_where_it_was(record, office, make_record, capsys):
    other, third = make_record(pages=("Một",)), make_record(pages=("Hai",))
    asked = ["reseal_files", *(f"--record={one.key}" for one in (record, other, third)), "--as", "security"]
    Record.objects.filter(pk=other.pk).update(subject="sửa ngoài hệ thống")
    subject = other.subject
    old = {one: addresses(one) for one in (record, other, third)}
    with pytest.raises(CommandError, match="STO-030"):
        call_command(*asked, "--reason", GROUND)
    done = addresses(record)
    assert not done & old[record]
    Record.objects.filter(pk=other.pk).update(subject=subject)  # the edit is undone

    call_command(*asked, "--reason", GROUND)

    assert "Đã niêm phong lại" in (said := capsys.readouterr().out)
    assert "1 văn bản hoặc tệp đang tiếp nhận đã được niêm phong lại" in said
    assert addresses(record) == done
    assert not (addresses(other) | addresses(third)) & (old[other] | old[third])


@pytest.mark.parametrize("another", ["reason", "officer", "day", "file", "vault", "row"])
def test_what_is_not_surely_of_the_same_run_is_sealed_once_more(record, office, another, monkeypatch):
    order, real = {"reason": GROUND, "actor": office.security}, Resealed.since
    resealing.reseal(records=[record.key], **order)
    done = addresses(record)
    if another == "reason":
        order["reason"] = GROUND + " khác"
    elif another == "officer":
        PersonRole.objects.create(person=office.leader, role=Role.SECURITY, since=LONG_AGO)
        borne_out()
        order["actor"] = office.leader
    elif another == "day":
        monkeypatch.setattr(resealing, "SAME_RUN", -timedelta(seconds=2))
    elif another == "file":
        monkeypatch.setattr(Resealed, "since", lambda notes, moment: set(sorted(real(notes, moment))[1:]))
    elif another == "row":  # that no program wrote: it is no order, and ends none
        order["reason"] = GROUND + " khác"
        put_in(b"x", action=Action.RECORD_RESEAL, object_id=record.key, actor=office.security)
    else:  # a row of the log alone proves no new key
        monkeypatch.setattr(Resealed, "since", lambda _notes, _moment: set())
    assert resealing.reseal(records=[record.key], **order).passed == 0
    assert not addresses(record) & done


def test_whoever_read_the_row_before_still_gets_the_content(record, office):
    """A page that is being answered, or a worker, holds an address of before."""
    old = Attachment.objects.get(record=record).original_id
    reseal(office, record)
    reseal(office, record)
    assert store.read(old) == ANNEX
    assert store.read(old, start=1, length=3) == b"PDF"


def test_what_vanishes_between_its_key_and_its_bytes_is_opened_as_what_it_is_now(record, office, monkeypatch):
    old, driver = Attachment.objects.get(record=record).original_id, store.configured().driver
    opened, asked = driver.open, []

    def vanishing(address):
        if address == old and not asked:
            asked.append(address)
            monkeypatch.setattr(driver, "open", opened)
            reseal(office, record)
        return opened(address)

    monkeypatch.setattr(driver, "open", vanishing)
    assert store.read(old) == ANNEX
    assert asked


@on_a_folder
def test_what_is_sealed_anew_in_the_middle_of_a_download_is_sent_to_its_end(own, monkeypatch):
    """Asked range by range, as a server is: what was removed answers nothing more, also to who began to read."""

    class Ranged(io.FileIO):
        def read(self, size=-1):
            self._ask()
            return super().read(size)

        def readinto(self, buffer):
            self._ask()
            return super().readinto(buffer)

        def _ask(self):
            if not Path(self.name).exists():
                raise MissingObject(address="0" * 32)

    def ranged(address):
        with opened(address) as source:
            return Ranged(source.name)

    driver, content = store.configured().driver, os.urandom(3 * MIB)
    opened = driver.open
    monkeypatch.setattr(driver, "open", ranged)
    old, new = (store.put(io.BytesIO(content), level=Level.THUONG) for _ in range(2))
    with store.open(old.address, start=5, length=len(content) - 9) as reader:
        begun = reader.read(70_000)
        store.configured().vault.resealed.note(
            object_id(old.address), object_id(new.address), sealed_sha256=new.sealed_sha256
        )
        store.shred(old.address)
        assert begun + reader.read() == content[5:-4]
        reader.seek(0)
        store.shred(new.address)
        with pytest.raises(Shredded):
            reader.read()


def test_refusals_change_nothing(record, office, monkeypatch):
    old = addresses(record)
    given = {"records": [record.key], "reason": GROUND, "actor": office.security}
    for other, refusal in (
        ({"actor": office.admin}, Forbidden),
        ({"actor": office.archivist}, Forbidden),
        ({"reason": " "}, resealing.NoGround),
        ({"records": ["none"]}, resealing.NoSuchFile),
        ({"files": ["0" * 32]}, resealing.NoSuchFile),
        ({"files": ["../x"]}, resealing.NoSuchFile),
        ({"files": ["0" * 64]}, resealing.NoSuchFile),
    ):
        with pytest.raises(refusal):
            resealing.reseal(**given | other)
    with inuse.alone(store.configured().vault.keys.folder, [resealing.LOCK]), pytest.raises(resealing.Underway):
        resealing.reseal(**given)
    assert addresses(record) == old
    assert not AuditEntry.objects.filter(action=Action.RECORD_RESEAL).exists()


def test_pages_moved_past_the_office_are_not_covered(record, office):
    old = addresses(record)
    Page.objects.filter(record=record, number=1).update(image_start=0, image_length=1)
    with pytest.raises(resealing.NotAsLeft):
        reseal(office, record)
    assert addresses(record) == old
    assert resealing.catch_up() == []
    assert set(store.configured().addresses()) == old


def test_another_content_under_the_row_is_not_covered(record, office):
    row = Attachment.objects.get(record=record).original
    DigitalObject.objects.filter(pk=row.pk).update(sha256="0" * 64)
    with pytest.raises(resealing.NotAsLeft):
        reseal(office, record, row.address)
    assert not AuditEntry.objects.filter(action=Action.RECORD_RESEAL).exists()


def test_a_level_that_rises_while_the_content_is_sealed_takes_the_new_key_along(record, office, monkeypatch):
    sealed = resealing._sealed

    def raised(kept, row):
        form = sealed(kept, row)
        record.sealed_objects.update(level=Level.MAT)
        return form

    monkeypatch.setattr(resealing, "_sealed", raised)
    reseal(office, record, Attachment.objects.get(record=record).original_id)
    now = Attachment.objects.get(record=record).original_id
    assert store.configured().vault.level_of(object_id(now)) == Level.MAT


@pytest.mark.parametrize("row", [Record, Attachment])
def test_a_row_that_was_changed_past_the_office_is_not_covered(record, office, row):
    old, column = addresses(record), "subject" if row is Record else "reason"
    row.objects.update(**{column: "sửa ngoài hệ thống"})
    with pytest.raises(resealing.NotAsLeft):
        reseal(office, record)
    assert addresses(record) == old


def test_a_dispatch_that_is_refused_leaves_no_old_key_of_those_before_it(record, office, make_record):
    other, old, vault = make_record(), addresses(record), store.configured().vault
    Record.objects.filter(pk=other.pk).update(subject="sửa ngoài hệ thống")
    with pytest.raises(resealing.NotAsLeft, match=other.key):
        resealing.reseal(records=[record.key, other.key], reason=GROUND, actor=office.security)
    assert not addresses(record) & old
    assert not any(vault.has(object_id(address)) for address in old)
    assert vault.count() == DigitalObject.objects.count()


def test_a_file_that_changed_hands_meanwhile_is_left_alone(record, office, monkeypatch):
    sealed, row = resealing._sealed, Attachment.objects.get(record=record).original

    def gone(kept, one):
        form = sealed(kept, one)
        DigitalObject.objects.filter(pk=row.pk).update(record=None)
        return form

    monkeypatch.setattr(resealing, "_sealed", gone)
    with pytest.raises(resealing.NotAsLeft):
        reseal(office, record, row.address)
    assert store.read(row.address) == ANNEX


def test_keys_that_are_looked_over_meanwhile_may_vanish(record, office):
    old = Attachment.objects.get(record=record).original_id
    reseal(office, record, old)
    assert keys._level_out(old) is False
