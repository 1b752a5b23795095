"""People and units: made by the administrator with nothing in hand, closed with everything ended, moved by who gives scopes."""

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from archive import (
    access,
    accounts,
    digests,
    identity,
    posting,
    routing,
    second_factor,
    sequencing,
    sessions,
    staffing,
    tokens,
    units,
)
from archive.models import AuditEntry, Person, PersonRole, Register, SecondFactor, ServiceToken, SignsInBy, Step, Unit
from archive.routing import Task
from archive.rules.errors import Forbidden
from archive.rules.roles import Action, Role
from archive.rules.steps import Kind
from archive.staffing import Newcomer, Particulars
from archive.standing import standing, units_in_scope
from archive.units import Called
from config import status
from config.tests.office import LONG_AGO


@pytest.fixture(autouse=True)
def quick_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def second_admin(office):
    PersonRole.objects.create(person=office.stranger, role=Role.ADMIN, since=LONG_AGO)
    PersonRole.objects.filter(person=office.stranger, role=Role.STAFF).delete()
    return office.stranger


def add(office, username="moi", **more):
    new = Newcomer(username, more.pop("full_name", "Nguyễn Văn Mới"), more.pop("unit", office.other_unit), **more)
    return staffing.add(new, actor=office.admin)


def close(office, person, **more):
    return staffing.close(person, reason="Nghỉ hưu", actor=more.pop("actor", office.admin), **more)


def test_a_new_account_holds_nothing_and_its_first_password_opens_one_page(office, client, last_entry):
    person, password = add(office, title="Trợ lý")
    assert (last_entry().action, last_entry().object_id) == ("person.add", str(person.pk))
    assert digests.holds(person)
    assert password not in str(last_entry().detail.payload)
    assert standing(person, timezone.now()).roles == frozenset()
    assert client.post("/sign-in/", {"username": "moi", "password": password}).status_code == 302
    for address in ("/", "/account/", "/search/", "/register/"):
        assert client.get(address).headers["Location"] == "/account/password/", address
    same = {"old_password": password, "new_password1": password, "new_password2": password}
    assert client.post("/account/password/", same).status_code == 422
    own = same | {"new_password1": "ba con vịt ngoài ao", "new_password2": "ba con vịt ngoài ao"}
    assert client.post("/account/password/", own).status_code == 302
    assert client.get("/account/").status_code == 200
    person.refresh_from_db()
    assert not person.has_first_password
    assert digests.holds(person)


def test_who_signs_in_elsewhere_and_a_machine_have_no_password_here(office):
    for more in ({"signs_in_by": SignsInBy.LDAP}, {"is_service": True}):
        person, password = add(office, username=str(more), **more)
        assert password == ""
        assert not person.has_usable_password()
        assert not person.has_first_password
        with pytest.raises(staffing.PasswordElsewhere):
            staffing.first_password(person, reason="Quên", actor=office.admin)


@pytest.mark.parametrize("name", ["clerk", "leader", "staff", "archivist", "auditor", "security", "stranger"])
def test_nobody_but_the_administrator_makes_changes_or_closes_accounts_and_units(office, name):
    actor, person, unit = getattr(office, name), Person.objects.exclude(username=name).first(), office.other_unit
    for act in (
        lambda: staffing.add(Newcomer("moi", "Mới", unit), actor=actor),
        lambda: staffing.change(person, Particulars("Mới", "", unit), reason="x", actor=actor),
        lambda: staffing.close(person, reason="x", actor=actor),
        lambda: staffing.reopen(person, reason="x", actor=actor),
        lambda: units.add(Called("MOI", "Ban Mới"), under=unit, actor=actor),
        lambda: units.rename(unit, Called("MOI", "Ban Mới"), reason="x", actor=actor),
        lambda: units.close(unit, reason="x", actor=actor),
        lambda: units.reopen(unit, reason="x", actor=actor),
    ):
        with pytest.raises(Forbidden):
            act()


def test_nobody_acts_on_their_own_account(office):
    own = Particulars("Mới", "", office.command)
    for act in (
        lambda: staffing.change(office.admin, own, reason="x", actor=office.admin),
        lambda: close(office, office.admin),
        lambda: staffing.reopen(office.admin, reason="x", actor=office.admin),
        lambda: staffing.first_password(office.admin, reason="x", actor=office.admin),
    ):
        with pytest.raises(Forbidden):
            act()


def test_a_name_is_given_once_capitals_apart(office):
    add(office, username="Hoa.NV")
    with pytest.raises(staffing.NameTaken):
        add(office, username=" hoa.nv")
    with pytest.raises(staffing.Incomplete):
        add(office, username=" ")


def test_a_person_moves_to_another_unit_and_keeps_posts_and_scopes(office, last_entry):
    before = standing(office.clerk, timezone.now()), units_in_scope(office.clerk, timezone.now())
    to = Particulars("Lê Thị Mai Hương", "Đại úy, nhân viên", office.other_unit)
    staffing.change(office.clerk, to, reason="QĐ 20", actor=office.admin)
    office.clerk.refresh_from_db()
    assert (office.clerk.full_name, office.clerk.title, office.clerk.unit) == (to.full_name, to.title, to.unit)
    assert (standing(office.clerk, timezone.now()), units_in_scope(office.clerk, timezone.now())) == before
    assert last_entry().detail.payload["before"] == "Đồng chí clerk, , Văn thư"
    with pytest.raises(staffing.WithoutReason):
        staffing.change(office.clerk, to, reason=" ", actor=office.admin)
    Unit.objects.filter(pk=office.staff_unit.pk).update(is_active=False)
    shut = Particulars("x", "", Unit.objects.get(pk=office.staff_unit.pk))
    with pytest.raises(staffing.UnitNotInUse):
        staffing.change(office.clerk, shut, reason="x", actor=office.admin)


def test_a_closed_account_has_nothing_left_and_what_was_in_hand_is_named(office, make_record, signed_in, last_entry):
    record = make_record()
    step = routing.forward(record, Task(office.leader, Kind.DIRECT), actor=office.clerk)
    browser = signed_in("leader")
    assert browser.get("/").status_code == 200
    close(office, office.leader)
    entry = last_entry()
    assert entry.action == "person.close"
    assert entry.detail.payload == {"terms_ended": 2, "tokens_ended": 0, "steps_left": [step.pk]}
    assert browser.get("/").status_code == 302
    assert sessions.open_now(office.leader) == []
    assert Step.objects.get(pk=step.pk).state == "open"
    office.leader.refresh_from_db()
    assert not access.may(office.leader, Action.RECORD_READ, record).allowed
    assert list(digests.faults()) == []
    with pytest.raises(staffing.AccountClosed):
        close(office, office.leader)


def test_the_tokens_of_a_closed_machine_open_nothing(office):
    machine, _none = add(office, username="may-quet", is_service=True)
    secret = tokens.give(machine, name="máy quét", until=None, actor=office.admin)
    assert tokens.holder(secret) == machine
    close(office, machine)
    assert tokens.holder(secret) is None
    staffing.reopen(machine, reason="Lắp lại", actor=office.admin)
    assert tokens.holder(secret) is None


def test_a_reopened_account_holds_nothing_until_it_is_given_anew(office, signed_in):
    close(office, office.clerk)
    password = staffing.reopen(office.clerk, reason="Trở lại", actor=office.admin)
    office.clerk.refresh_from_db()
    assert office.clerk.is_active
    assert office.clerk.has_first_password
    assert office.clerk.check_password(password)
    assert standing(office.clerk, timezone.now()).roles == frozenset()
    assert units_in_scope(office.clerk, timezone.now()) == []
    with pytest.raises(staffing.AccountOpen):
        staffing.reopen(office.clerk, reason="x", actor=office.admin)


def test_the_last_security_officer_and_administrator_stay(office, second_admin):
    with pytest.raises(posting.LastOfPost):
        close(office, office.security)
    second_admin.set_password("ba con vịt ngoài ao")
    second_admin.save()
    with pytest.raises(accounts.LastEntrance):  # the other one has no password of this system
        close(office, second_admin)
    second_admin.set_unusable_password()
    second_admin.save()
    close(office, second_admin)
    with pytest.raises(Forbidden):
        close(office, office.admin)


def test_who_gives_a_password_never_resets_the_authenticator_of_the_same_person(office):
    second = Person.objects.create(username="an2", full_name="An Ninh Hai", unit=office.command)
    PersonRole.objects.create(person=second, role=Role.SECURITY, since=LONG_AGO)
    for person in (office.leader, office.security):
        SecondFactor.objects.create(person=person, sealed=b"x", last_step=0, enrolled_at=timezone.now())
    pairs = [(office.leader, office.admin, office.security), (office.security, second, office.admin)]
    for person, gives, resets in pairs:
        with pytest.raises(Forbidden):
            staffing.first_password(person, reason="Quên", actor=resets)
        with pytest.raises(Forbidden):
            second_factor.reset(person, reason="Mất máy", actor=gives)
        assert person not in second_factor.resettable_by(gives)
        assert person in second_factor.resettable_by(resets)
        assert staffing.first_password(person, reason="Quên", actor=gives)
        second_factor.reset(person, reason="Mất máy", actor=resets)


def test_a_first_password_given_anew_ends_the_sessions(office, signed_in):
    browser = signed_in("leader")
    staffing.first_password(office.leader, reason="Quên", actor=office.admin)
    assert browser.get("/").status_code == 302


# --- units --------------------------------------------------------------------------------------------------


def test_a_unit_is_made_renamed_closed_and_reopened(office, last_entry):
    unit = units.add(Called("BTH", "Ban Tác huấn"), under=office.staff_unit, actor=office.admin)
    assert unit.path == f"{office.staff_unit.path}{unit.pk}/"
    assert unit.pk in units_in_scope(office.staff, timezone.now())
    with pytest.raises(units.CodeTaken):
        units.add(Called("bth", "Ban khác"), under=office.command, actor=office.admin)
    renamed = units.rename(unit, Called("TH", "Ban Tác huấn - Quân lực"), reason="QĐ 7", actor=office.admin)
    assert (renamed.code, renamed.name) == ("TH", "Ban Tác huấn - Quân lực")
    units.close(unit, reason="Giải thể", actor=office.admin)
    with pytest.raises(units.UnitClosed):
        units.add(Called("X", "X"), under=unit, actor=office.admin)
    with pytest.raises(units.UnitClosed):
        units.rename(unit, Called("X", "X"), reason="x", actor=office.admin)
    units.reopen(unit, reason="Lập lại", actor=office.admin)
    with pytest.raises(units.UnitOpen):
        units.reopen(unit, reason="x", actor=office.admin)
    assert digests.holds(Unit.objects.get(pk=unit.pk))
    with pytest.raises(units.UnitIncomplete):
        units.close(unit, reason=" ", actor=office.admin)


def test_a_unit_with_people_units_or_registers_is_not_closed(office):
    for unit in (office.command, office.registry, office.other_unit):
        with pytest.raises(units.UnitInUse):
            units.close(unit, reason="Giải thể", actor=office.admin)
    Person.objects.filter(unit=office.registry).update(unit=office.command)
    with pytest.raises(units.UnitInUse):
        units.close(office.registry, reason="Giải thể", actor=office.admin)
    Register.objects.update(is_open=False)
    units.close(office.registry, reason="Giải thể", actor=office.admin)


def test_a_unit_moves_with_all_below_it_and_scopes_follow(office, make_record):
    below = units.add(Called("BTH", "Ban Tác huấn"), under=office.staff_unit, actor=office.admin)
    moved = units.move(office.staff_unit, under=office.other_unit, reason="QĐ 9", actor=office.security)
    assert moved.path == f"{office.other_unit.path}{moved.pk}/"
    assert Unit.objects.get(pk=below.pk).path == f"{moved.path}{below.pk}/"
    assert {moved.pk, below.pk} <= set(units_in_scope(office.stranger, timezone.now()))
    for wrong in (office.staff_unit, below):
        with pytest.raises(units.UnderItself):
            units.move(office.staff_unit, under=wrong, reason="x", actor=office.security)
    with pytest.raises(units.UnderItself):
        units.move(office.command, under=below, reason="x", actor=office.security)


@pytest.mark.parametrize("name", ["clerk", "leader", "auditor", "admin"])
def test_nobody_but_the_security_officer_changes_what_scopes_reach(office, name):
    with pytest.raises(Forbidden):
        units.move(office.staff_unit, under=office.other_unit, reason="x", actor=getattr(office, name))


def test_every_act_leaves_its_entry_and_rows_that_the_log_bears_out(office):
    person, _password = add(office)
    unit = units.add(Called("BTH", "Ban Tác huấn"), under=office.staff_unit, actor=office.admin)
    staffing.change(person, Particulars("Mới", "", unit), reason="x", actor=office.admin)
    units.move(unit, under=office.other_unit, reason="x", actor=office.security)
    staffing.first_password(person, reason="x", actor=office.admin)
    close(office, person)
    units.close(unit, reason="x", actor=office.admin)
    units.reopen(unit, reason="x", actor=office.admin)
    staffing.reopen(person, reason="x", actor=office.admin)
    units.rename(unit, Called("BTH2", "Ban"), reason="x", actor=office.admin)
    sequencing.place_all()
    assert list(digests.faults()) == []
    assert digests.holds(Person.objects.get(pk=person.pk))
    assert digests.holds(Unit.objects.get(pk=unit.pk))
    done = [entry.action for entry in AuditEntry.objects.order_by("leaf__idx")][1:]
    assert done == [
        "person.add", "unit.add", "person.change", "unit.move", "person.first_password", "person.close",
        "unit.close", "unit.reopen", "person.reopen", "unit.change",
    ]  # fmt: skip


def test_a_password_put_in_by_sql_is_taken_over_by_no_change_of_title_or_way(office):
    person, _password = add(office)
    Person.objects.filter(pk=person.pk).update(password=make_password("mat-khau-cua-nguoi-la"))
    with pytest.raises(identity.AccountMoved):
        staffing.change(person, Particulars("Mới", "", office.command), reason="QĐ 5", actor=office.admin)
    with pytest.raises(identity.AccountMoved):
        accounts.sign_in_by(person, SignsInBy.PASSWORD, reason="QĐ 5", actor=office.admin)
    assert digests.is_moved(person)
    staffing.first_password(person, reason="Bị sửa ngoài chương trình", actor=office.admin)
    assert not digests.is_moved(person)
    staffing.change(person, Particulars("Mới", "", office.command), reason="QĐ 5", actor=office.admin)
    Person.objects.filter(pk=person.pk).update(password=make_password("mat-khau-cua-nguoi-la"))
    close(office, person)
    assert staffing.reopen(person, reason="Cấp lại", actor=office.admin)
    assert not digests.is_moved(person)


def test_a_token_or_an_account_that_was_moved_opens_nothing_and_is_told_once_in_a_while(office, time_machine):
    machine, _none = add(office, username="may-quet", is_service=True)
    secret = tokens.give(machine, name="máy quét", until=None, actor=office.admin)
    ServiceToken.objects.update(name="của tôi")
    for _each in range(3):
        assert tokens.holder(secret) is None
    (entry,) = AuditEntry.objects.filter(outcome="denied")
    assert (entry.action, entry.object_id, entry.detail.payload["code"]) == ("api.token", str(machine.pk), "ACC-007")
    assert status.facts()["doors_shut"] == 1
    time_machine.move_to(timezone.now() + tokens.TOLD_EVERY + timedelta(seconds=1))
    assert tokens.holder(secret) is None
    assert AuditEntry.objects.filter(outcome="denied", action="api.token").count() == 2
    assert tokens.holder("vk_wrong") is None
    assert AuditEntry.objects.filter(outcome="denied").count() == 2
