from datetime import date

import pytest
from django.db import transaction
from django.utils import timezone

from archive import access, capture, registration, store
from archive.models import AuditEntry, RegisterNumber
from archive.rules.errors import Forbidden, Hidden
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.stores.port import object_id


def entry(**changes):
    line = {
        "level": Level.THUONG,
        "code_number": "15",
        "code_notation": "GM-VP",
        "issued_date": date(2026, 10, 9),
        "organ_name": "Văn phòng",
        "type_name": "Giấy mời",
        "subject": "Họp giao ban",
        "arrival_date": date(2026, 10, 10),
    }
    return registration.Entry(**(line | changes))


def test_numbers_of_a_register_run_without_gap(office, make_record):
    numbers = [make_record().number.number for _ in range(4)]
    assert numbers == [1, 2, 3, 4]
    assert registration.expected_number(office.incoming) == 5


def test_a_failed_registration_takes_no_number(office, make_draft):
    with pytest.raises(registration.MissingFields):
        registration.register(make_draft(), entry(subject=""), register=office.incoming, actor=office.clerk)
    assert registration.expected_number(office.incoming) == 1
    assert not RegisterNumber.objects.exists()


def test_a_dispatch_is_registered_once(office, make_draft):
    draft = make_draft()
    registration.register(draft, entry(), register=office.incoming, actor=office.clerk)
    with pytest.raises(registration.NotADraft):
        registration.register(draft, entry(), register=office.incoming, actor=office.clerk)


def test_a_void_number_stays_and_is_never_given_again(office, make_record):
    record = make_record()
    voided = registration.void(record, reason="Ghi nhầm sổ", actor=office.clerk)
    assert voided.void_reason == "Ghi nhầm sổ"
    assert make_record().number.number == 2


def test_a_secret_dispatch_does_not_fit_the_ordinary_register(office, make_draft):
    with pytest.raises(registration.WrongRegister):
        registration.register(
            make_draft(level=Level.MAT), entry(level=Level.MAT), register=office.incoming, actor=office.clerk
        )


def test_a_clerk_never_lowers_a_level(office, make_draft):
    with pytest.raises(registration.LevelTooLow):
        registration.register(make_draft(level=Level.MAT), entry(), register=office.incoming, actor=office.clerk)


def test_a_clerk_settles_a_doubt_downwards_to_what_was_declared(office, make_draft):
    draft = make_draft(level=Level.THUONG, plausible=Level.MAT)
    assert draft.level == Level.MAT
    record = registration.register(draft, entry(), register=office.incoming, actor=office.clerk)
    assert record.level == Level.THUONG
    assert {row.level for row in record.access.all()} == {Level.THUONG}


def test_the_same_number_symbol_and_issuer_warns(office, make_draft):
    registration.register(make_draft(), entry(), register=office.incoming, actor=office.clerk)
    with pytest.raises(registration.LooksRegistered):
        registration.register(make_draft(), entry(), register=office.incoming, actor=office.clerk)


def test_a_draft_is_seen_by_the_intake_desk_alone(office, make_draft):
    draft = make_draft()
    seen = {
        name
        for name in ("clerk", "leader", "staff", "archivist", "stranger", "auditor", "admin")
        if access.may(getattr(office, name), Action.RECORD_READ, draft).allowed
    }
    assert seen == {"clerk"}


def test_a_stranger_is_told_nothing_of_a_draft(office, make_draft):
    with pytest.raises(Hidden):
        registration.register(make_draft(), entry(), register=office.incoming, actor=office.stranger)


def test_a_leader_may_read_but_not_register(office, make_record):
    record = make_record()
    with pytest.raises(Forbidden):
        registration.void(record, reason="x", actor=office.leader)


def test_each_act_writes_one_entry(office, make_draft):
    draft = make_draft()
    registration.register(draft, entry(), register=office.incoming, actor=office.clerk)
    registration.void(draft, reason="Ghi nhầm", actor=office.clerk)
    acts = list(AuditEntry.objects.filter(record_id=draft.pk).order_by("object_seq").values_list("action", flat=True))
    assert acts == ["record.capture", "record.register", "register.void"]


def test_numbers_begin_anew_each_year(office, make_record):
    first = make_record()
    RegisterNumber.objects.filter(record=first).update(year=timezone.localdate().year - 1)
    office.incoming.counters.update(year=timezone.localdate().year - 1)
    assert make_record().number.number == 1


def test_a_key_goes_up_before_the_commit_and_down_after_it(office, make_draft, django_capture_on_commit_callbacks):
    draft = make_draft(level=Level.THUONG)
    addresses = list(draft.sealed_objects.values_list("address", flat=True))

    def keys():
        return {store.configured().vault.level_of(object_id(address)) for address in addresses}

    def to(level):
        draft.level = level
        capture.relevel(draft)

    with transaction.atomic():
        to(Level.MAT)
        assert keys() == {Level.MAT}
        transaction.set_rollback(True)  # the power fails before the commit
    assert set(draft.sealed_objects.values_list("level", flat=True)) == {Level.THUONG}
    assert all(store.read(address) for address in addresses)
    to(Level.MAT)
    with django_capture_on_commit_callbacks() as after:
        to(Level.THUONG)
        assert keys() == {Level.MAT}
    for step in after:
        step()
    assert keys() == {Level.THUONG}
