"""The life of a level: who may change it and how, what moves with it, what never does."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive import (
    access,
    audit,
    clearing,
    copies,
    digests,
    dossiers,
    explaining,
    registration,
    retention,
    routing,
    store,
)
from archive.leveling import acts, history, keys, lists, notices, refusals
from archive.leveling.moving import Order
from archive.models import (
    Access,
    AuditEntry,
    ChangeKind,
    Clearance,
    CopyFate,
    Dossier,
    Hold,
    LevelChange,
    LevelNotice,
    LevelProposal,
    MarkRule,
    Person,
    PersonRole,
    Record,
    RecordClass,
    RetentionRule,
    UnitScope,
)
from archive.rules.errors import Forbidden, Hidden, Refusal
from archive.rules.levels import Level
from archive.rules.protection import Stage
from archive.rules.roles import SYNCHRONOUS, Action, Role
from archive.stores.refusals import VaultAway
from config.tests.office import LONG_AGO, borne_out

DECLASSIFY, LOWER, RAISE = ChangeKind.DECLASSIFY, ChangeKind.LOWER, ChangeKind.RAISE


def order(**changed):
    wanted = {"authority": "Chỉ huy trưởng", "basis": "QĐ 45/QĐ-BCH", "decided_on": timezone.localdate(), "reason": "x"}
    return Order(**wanted | changed)


@pytest.fixture
def second(office):
    """A second leader, cleared like the first."""
    person = Person.objects.create(username="deputy", full_name="Đồng chí deputy", unit=office.command)
    PersonRole.objects.create(person=person, role=Role.LEADER, since=LONG_AGO)
    UnitScope.objects.create(person=person, unit=office.command, since=LONG_AGO)
    Clearance.objects.create(person=person, level=Level.TOI_MAT, since=LONG_AGO, basis="QĐ 01")
    borne_out()
    return person


def lower(office, record, to, *, proposer=None, **changed):
    kind = DECLASSIFY if to == Level.THUONG else LOWER
    made = acts.propose(record, kind=kind, to=to, order=order(**changed), actor=proposer or office.clerk)
    return acts.confirm(made, actor=office.leader)


def key_levels(record):
    vault = store.configured().vault
    return {vault.level_of(bytes.fromhex(each.address)) for each in record.sealed_objects.all()}


def test_a_level_is_raised_at_once_with_everything_that_hangs_on_it(office, make_record, last_entry, later):
    record = make_record(level=Level.THUONG)
    access.grant(record, to=office.stranger, until=later(60), reason="Phối hợp", actor=office.leader)
    row = acts.raise_level(record, to=Level.TOI_MAT, order=order(), actor=office.leader)
    record.refresh_from_db()
    assert (record.level, record.initial_level) == (Level.TOI_MAT, Level.THUONG)
    assert key_levels(record) == {Level.TOI_MAT}
    assert set(record.sealed_objects.values_list("level", flat=True)) == {2}
    assert set(Access.objects.filter(record=record).values_list("level", flat=True)) == {2}
    assert access.may(office.staff, Action.RECORD_READ, record).hidden
    assert record.grants.get().ended_at is not None
    assert (row.kind, row.from_level, row.to_level, row.done_by) == (RAISE, 0, 2, office.leader)
    entry = last_entry()
    assert (entry.action, entry.level) == ("record.level", 2)
    assert entry.detail.payload["decision"] == "QĐ 45/QĐ-BCH"
    assert Action.RECORD_LEVEL in SYNCHRONOUS
    assert not [fault for fault in digests.faults() if fault.kind in {"record", "grant"}]
    assert store.read(record.sealed_objects.get(role="original").address).startswith(b"%PDF")


@pytest.mark.parametrize("name", ["clerk", "staff", "archivist", "auditor", "security", "admin", "stranger"])
def test_nobody_but_a_leader_changes_a_level(office, make_record, name):
    record = make_record(level=Level.THUONG)
    with pytest.raises((Forbidden, Hidden)):
        acts.raise_level(record, to=Level.MAT, order=order(), actor=getattr(office, name))
    made = acts.propose(record, kind=RAISE, to=Level.MAT, order=order(), actor=office.leader)
    with pytest.raises((Forbidden, Hidden)):
        acts.confirm(made, actor=getattr(office, name))
    assert not LevelChange.objects.exists()


@pytest.mark.parametrize("missing", [{"authority": " "}, {"basis": ""}, {"decided_on": None}, {"reason": ""}])
def test_a_level_rests_on_authority_decision_day_and_reason(office, make_record, missing):
    record = make_record(level=Level.MAT)
    with pytest.raises(refusals.NoDecision):
        acts.raise_level(record, to=Level.TOI_MAT, order=order(**missing), actor=office.leader)
    with pytest.raises(refusals.NoDecision):
        lower(office, record, Level.THUONG, **missing)


def test_nobody_lowers_alone(office, make_record, second):
    record = make_record(level=Level.MAT)
    made = acts.propose(record, kind=DECLASSIFY, to=Level.THUONG, order=order(), actor=office.leader)
    with pytest.raises(refusals.NotByOneself):
        acts.confirm(made, actor=office.leader)
    row = acts.confirm(made, actor=second)
    assert (row.proposed_by, row.done_by, row.to_level) == (office.leader, second, 0)
    with pytest.raises(refusals.ProposalOver):
        acts.confirm(made, actor=second)


def test_lowering_never_reaches_unclassified_and_declassifying_reaches_nothing_else(office, make_record):
    record = make_record(level=Level.TOI_MAT)
    for kind, to in ((LOWER, Level.THUONG), (DECLASSIFY, Level.MAT), (LOWER, Level.TOI_MAT), (RAISE, Level.MAT)):
        with pytest.raises(refusals.WrongDirection):
            acts.propose(record, kind=kind, to=to, order=order(), actor=office.clerk)


def test_above_the_ceiling_of_person_or_site_nothing_rises(office, make_record, settings):
    record = make_record(level=Level.THUONG)
    for level in (Level.TUYET_MAT,):
        with pytest.raises(refusals.AboveCeiling):
            acts.raise_level(record, to=level, order=order(), actor=office.leader)
    with pytest.raises(refusals.AboveCeiling):
        acts.propose(record, kind=RAISE, to=Level.TOI_MAT, order=order(), actor=office.archivist)
    settings.SITE_MAX_LEVEL = Level.MAT
    with pytest.raises(refusals.AboveCeiling):
        acts.raise_level(record, to=Level.TOI_MAT, order=order(), actor=office.leader)
    assert (RAISE, Level.TOI_MAT) not in acts.offered(record, office.leader)


def test_a_proposal_that_time_has_overtaken_is_not_carried_out(office, make_record):
    record = make_record(level=Level.MAT)
    made = acts.propose(record, kind=DECLASSIFY, to=Level.THUONG, order=order(), actor=office.clerk)
    with pytest.raises(refusals.ProposalThere):
        acts.propose(record, kind=DECLASSIFY, to=Level.THUONG, order=order(), actor=office.archivist)
    acts.raise_level(record, to=Level.TOI_MAT, order=order(), actor=office.leader)
    with pytest.raises(refusals.Moved):
        acts.confirm(made, actor=office.leader)
    closed = acts.close(made, reason="Đã nâng", actor=office.leader)
    assert closed.state == "refused"


def test_a_proposal_to_raise_waits_for_the_decision_of_who_confirms(office, make_record):
    record = make_record(level=Level.THUONG)
    asked = order(authority="", basis="", decided_on=None, reason="Phụ lục có dấu Mật")
    made = acts.propose(record, kind=RAISE, to=Level.MAT, order=asked, actor=office.clerk)
    with pytest.raises(refusals.NoDecision):
        acts.confirm(made, actor=office.leader)
    row = acts.confirm(made, order=order(reason="khác"), actor=office.leader)
    assert (row.basis, row.reason) == ("QĐ 45/QĐ-BCH", "Phụ lục có dấu Mật")


def test_a_mark_can_forbid_lowering(office, make_record):
    record = make_record(level=Level.MAT)
    mark = clearing.add_mark("Cơ yếu", group="a", rule=MarkRule.ALL, keeps_level=True, actor=office.security)
    for person in (office.leader, office.clerk):
        decision = clearing.Decision(Level.TOI_MAT, LONG_AGO, None, "QĐ 2", "x", (mark,))
        clearing.give(decision, to=person, actor=office.security)
    clearing.mark(record, marks=[mark], reason="x", actor=office.leader)
    with pytest.raises(refusals.MarkKeepsLevel):
        lower(office, record, Level.THUONG)
    acts.raise_level(record, to=Level.TOI_MAT, order=order(), actor=office.leader)


def test_a_draft_has_no_acts_on_its_level(office, make_draft, second):
    draft = make_draft(level=Level.MAT)
    with pytest.raises(refusals.NotInForce):
        acts.propose(draft, kind=DECLASSIFY, to=Level.THUONG, order=order(), actor=office.clerk)


def test_a_dossier_rises_with_what_lies_in_it_and_never_falls(office, make_record):
    record = make_record(level=Level.THUONG)
    rule = RetentionRule.objects.create(code="1", title="x", kind="permanent", basis="x", valid_from="2020-01-01")
    line = RecordClass.objects.create(code="01", title="x", rule=rule, year=timezone.localdate().year)
    cover = dossiers.Cover("1", "x", line, rule, office.command, date(line.year, 1, 1))
    dossier = dossiers.begin(cover, actor=office.archivist)
    dossiers.file(record, dossier=dossier, actor=office.archivist)
    acts.raise_level(record, to=Level.MAT, order=order(), actor=office.leader)
    assert Dossier.objects.get().level == Level.MAT
    lower(office, record, Level.THUONG)
    assert Dossier.objects.get().level == Level.MAT
    # Filed by who read it just before somebody raised it.
    other = make_record(level=Level.MAT)
    acts.raise_level(Record.objects.get(pk=other.pk), to=Level.TOI_MAT, order=order(), actor=office.leader)
    Clearance.objects.create(person=office.archivist, level=Level.TOI_MAT, since=LONG_AGO, basis="QĐ 02")
    borne_out()
    dossiers.file(other, dossier=dossier, actor=office.archivist)
    assert Dossier.objects.get().level == Level.TOI_MAT


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(plan=st.lists(st.tuples(
    st.sampled_from(["raise", "propose", "confirm", "close", "extend", "review"]),
    st.sampled_from(["clerk", "leader", "deputy", "staff", "archivist", "security", "admin", "stranger"]),
    st.sampled_from(list(Level)), st.sampled_from([RAISE, LOWER, DECLASSIFY]),
    st.sampled_from([{}, {}, {}, {"authority": ""}, {"basis": " "}, {"decided_on": None}, {"reason": ""}]),
), max_size=12))  # fmt: skip
def test_no_sequence_of_acts_lowers_a_level_without_authority_decision_and_a_second_person(
    office, make_record, second, plan
):
    with transaction.atomic():
        record = make_record(level=Level.MAT)
        levels = [record.level]
        for act, name, to, kind, changed in plan:
            actor = second if name == "deputy" else getattr(office, name)
            try:
                with transaction.atomic():
                    _do(act, record, to, kind, order(**changed), actor)
            except (Refusal, LevelProposal.DoesNotExist):
                continue
            finally:
                record.refresh_from_db()
            levels.append(record.level)
        rows = list(LevelChange.objects.filter(record=record))
        assert [row.to_level for row in rows][-1] == record.level
        assert record.initial_level == Level.MAT
        for row in rows:
            if row.to_level < row.from_level:
                assert row.proposed_by_id not in {None, row.done_by_id}
                assert row.done_by in {office.leader, second}
                assert all(each.strip() for each in (row.authority, row.basis, row.reason))
                assert row.decided_on
        falls = sum(new < old for old, new in pairwise(levels))
        assert falls == sum(row.to_level < row.from_level for row in rows)
        assert not [fault for fault in digests.faults() if fault.row == record.key]
        transaction.set_rollback(True)


def _do(act, record, to, kind, wanted, actor):
    if act == "raise":
        acts.raise_level(record, to=to, order=wanted, actor=actor)
    elif act == "propose":
        acts.propose(record, kind=kind, to=to, order=wanted, actor=actor)
    elif act == "extend":
        acts.extend(record, until=timezone.localdate() + timedelta(days=4000), order=wanted, actor=actor)
    elif act == "review":
        acts.review(record, next_on=timezone.localdate() + timedelta(days=9), reason=wanted.reason, actor=actor)
    else:
        waiting = LevelProposal.objects.get(record=record, state="open")
        if act == "confirm":
            acts.confirm(waiting, order=wanted, actor=actor)
        else:
            acts.close(waiting, reason=wanted.reason, actor=actor)


# --- fences ---------------------------------------------------------------------------------------------


def test_levels_fence(office, make_record):
    record = make_record(level=Level.MAT)
    acts.raise_level(record, to=Level.TOI_MAT, order=order(), actor=office.leader)
    keys.sweep()
    row = LevelChange.objects.latest("pk")
    for act in (
        lambda: LevelChange.objects.filter(pk=row.pk).update(from_level=3),
        lambda: LevelChange.objects.filter(pk=row.pk).update(basis="khác"),
        lambda: LevelChange.objects.filter(pk=row.pk).update(keys_at=None),
        lambda: LevelChange.objects.filter(pk=row.pk).delete(),
        lambda: Record.objects.filter(pk=record.pk).update(initial_level=0),
    ):
        with pytest.raises(DatabaseError, match=r"append-only|never changes"), transaction.atomic():
            act()


@pytest.mark.parametrize("changed", [{"proposed_by": None}, {"basis": ""}, {"authority": ""}, {"decided_on": None}])
def test_the_database_refuses_a_lowering_that_one_person_made(office, make_record, changed):
    record = make_record(level=Level.MAT)
    wanted = {
        "record": record, "kind": "declassify", "from_level": 1, "to_level": 0, "authority": "a", "basis": "b",
        "decided_on": timezone.localdate(), "reason": "r", "proposed_by": office.clerk, "done_by": office.leader,
        "done_at": timezone.now(),
    }  # fmt: skip
    for wrong in (changed, {"done_by": office.clerk}, {"to_level": 1}, {"kind": "lower"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LevelChange.objects.create(**wanted | wrong)
    LevelChange.objects.create(**wanted)


# --- keys: the vault is a database of its own ---------------------------------------------------------------


def test_a_raise_that_is_cut_off_before_its_commit_leaves_no_key_below_its_record(office, make_record, monkeypatch):
    record = make_record(level=Level.MAT)

    def killed(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(audit, "write", killed)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        acts.raise_level(record, to=Level.TOI_MAT, order=order(), actor=office.leader)
    record.refresh_from_db()
    assert (record.level, key_levels(record)) == (Level.MAT, {Level.TOI_MAT})
    assert store.read(record.sealed_objects.get(role="original").address).startswith(b"%PDF")
    assert not LevelChange.objects.filter(kind=RAISE).exists()


def test_a_vault_that_is_away_stops_a_raise_before_anything_moved(office, make_record, monkeypatch):
    record = make_record(level=Level.MAT)

    def away(*_args, **_kwargs):
        raise VaultAway

    monkeypatch.setattr(store, "relevel", away)
    with pytest.raises(VaultAway):
        acts.raise_level(record, to=Level.TOI_MAT, order=order(), actor=office.leader)
    record.refresh_from_db()
    assert (record.level, key_levels(record)) == (Level.MAT, {Level.MAT})


def test_a_declassification_cut_off_after_its_commit_is_ended_by_the_worker(office, make_record):
    """Inside a test nothing commits: what follows the commit has not run, as after a kill."""
    record = make_record(level=Level.MAT)
    lower(office, record, Level.THUONG)
    record.refresh_from_db()
    assert (record.level, key_levels(record)) == (Level.THUONG, {Level.MAT})
    assert store.read(record.sealed_objects.get(role="original").address).startswith(b"%PDF")
    assert keys.sweep() == 1
    assert key_levels(record) == {Level.THUONG}
    assert keys.sweep() == 0


@pytest.mark.django_db(transaction=True)
def test_after_the_commit_the_keys_come_down_and_a_head_is_signed(office, make_record, monkeypatch):
    from archive import publishing

    record, signed = make_record(level=Level.TOI_MAT), []
    monkeypatch.setattr(publishing, "publish", lambda: signed.append(1))
    lower(office, record, Level.MAT)
    assert key_levels(record) == {Level.MAT}
    assert not LevelChange.objects.filter(keys_at__isnull=True).exists()
    assert signed


@pytest.mark.django_db(transaction=True)
def test_a_vault_away_after_the_commit_keeps_the_act_and_the_head(office, make_record, monkeypatch):
    from archive import publishing

    record, signed = make_record(level=Level.MAT), []
    monkeypatch.setattr(publishing, "publish", lambda: signed.append(1))
    made = acts.propose(record, kind=DECLASSIFY, to=Level.THUONG, order=order(), actor=office.clerk)

    def away(*_args, **_kwargs):
        raise VaultAway

    with monkeypatch.context() as broken:
        broken.setattr(store, "relevel", away)
        acts.confirm(made, actor=office.leader)
    record.refresh_from_db()
    assert (record.level, key_levels(record), signed) == (Level.THUONG, {Level.MAT}, [1])
    assert keys.sweep() == 1
    assert key_levels(record) == {Level.THUONG}


# --- days ---------------------------------------------------------------------------------------------


def test_protection_runs_from_the_day_of_the_dispatch_by_dated_data(office, make_record):
    for level, years in ((Level.MAT, 10), (Level.TOI_MAT, 20)):
        record = make_record(level=level, issued_date=date(2026, 11, 2))
        assert history.latest(record).protected_until == date(2026 + years, 11, 1)
    assert history.latest(make_record(level=Level.THUONG)) is None


def test_an_end_of_protection_makes_a_task_for_who_may_see_it_and_changes_nothing(office, make_record):
    old = make_record(level=Level.MAT, issued_date=date(2010, 5, 1), arrival_date=date(2010, 5, 3))
    make_record(level=Level.TOI_MAT, issued_date=timezone.localdate())
    shown = lists.endings(office.leader)
    assert [(each.record, each.stands.stage) for each in shown] == [(old, Stage.ENDED)]
    assert lists.endings(office.stranger) == []
    old.refresh_from_db()
    assert old.level == Level.MAT
    lower(office, old, Level.THUONG)
    assert lists.endings(office.leader) == []


def test_protection_is_extended_before_its_end_by_no_more_than_its_period(office, make_record):
    today = timezone.localdate()
    record = make_record(level=Level.MAT, issued_date=today.replace(year=today.year - 10, day=1) + timedelta(days=32))
    ends = history.latest(record).protected_until
    for until in (ends, ends.replace(year=ends.year + 11)):
        with pytest.raises(refusals.WrongEnd):
            acts.extend(record, until=until, order=order(), actor=office.leader)
    row = acts.extend(record, until=ends + timedelta(days=365), order=order(), actor=office.leader)
    assert row.protected_until == ends + timedelta(days=365)
    over = make_record(level=Level.MAT, issued_date=date(2010, 5, 1))
    with pytest.raises(refusals.NothingProtected):
        acts.extend(over, until=today + timedelta(days=9), order=order(), actor=office.leader)


def test_a_late_extension_says_so_in_the_log(office, make_record, last_entry):
    today = timezone.localdate()
    record = make_record(level=Level.MAT, issued_date=(today + timedelta(days=20)).replace(year=today.year - 10))
    assert lists.endings(office.leader)[0].stands.stage == Stage.LATE
    ends = history.latest(record).protected_until
    acts.extend(record, until=ends + timedelta(days=365), order=order(), actor=office.leader)
    assert last_entry().detail.payload["late"] is True


def test_a_review_is_due_again_on_its_day(office, make_record):
    record = make_record(level=Level.MAT)
    today = timezone.localdate()
    with pytest.raises(refusals.WrongDay):
        acts.review(record, next_on=today, reason="x", actor=office.leader)
    row = acts.review(record, next_on=today + timedelta(days=365), reason="Giữ nguyên", actor=office.leader)
    assert (row.protected_until, row.review_on) == (date(2036, 11, 1), today + timedelta(days=365))


def test_holders_are_told_within_fifteen_days(office, make_record, later, last_entry):
    record = make_record(level=Level.MAT)
    access.grant(record, to=office.staff, until=later(60), reason="x", actor=office.leader)
    audit.read(Action.RECORD_ORIGINAL, actor=office.archivist, subject=record)
    lower(office, record, Level.THUONG)
    told = {notice.person: notice for notice in LevelNotice.objects.all()}
    assert set(told) == {office.staff, office.archivist}
    assert {notice.due_on for notice in told.values()} == {timezone.localdate() + timedelta(days=15)}
    assert list(lists.notices(office.clerk)) == list(LevelNotice.objects.order_by("due_on", "pk"))
    one = told[office.staff]
    with pytest.raises(refusals.NoWay):
        notices.tell(one, how=" ", told_on=timezone.localdate(), actor=office.clerk)
    notices.tell(one, how="TB 12, trao tay, đã đóng dấu", told_on=timezone.localdate(), actor=office.clerk)
    assert last_entry().action == "level.notice"
    with pytest.raises(refusals.ToldAlready):
        notices.tell(one, how="x", told_on=timezone.localdate(), actor=office.clerk)


def test_holders_of_copies_are_told_which_to_mark_anew(office, make_record, signed_in, last_entry):
    record = make_record(level=Level.MAT)
    printed = {"pages": "1-1", "reason": "Họp"}
    copies.printed(record, actor=office.leader, **printed)
    copies.taken_out(record, ordinal=0, sha256="0" * 64, reason="Trình", actor=office.leader)
    copies.printed(record, actor=office.leader, **printed)
    copies.printed(record, actor=office.archivist, **printed)
    copies.looked(record, actor=office.clerk)
    for number in (3, 4):
        copies.end(record, number, fate=CopyFate.RETURNED, note="Đã nhận lại", actor=office.clerk)
    lower(office, record, Level.THUONG)
    told = {notice.person: notice.copies for notice in LevelNotice.objects.all()}
    assert told == {office.leader: "1, 2"}  # whose paper is back, and who only looked, holds nothing to mark
    for page in (f"/records/{record.key}/level/", "/levels/?show=notices"):
        assert "bản số 1, 2" in signed_in("clerk").get(page).content.decode(), page
    notices.tell(LevelNotice.objects.get(), how="TB 12", told_on=timezone.localdate(), actor=office.clerk)
    assert last_entry().detail.payload["copy"] == "1, 2"


def test_why_on_a_past_day_uses_the_level_of_that_day(office, make_record):
    record = make_record(level=Level.MAT)
    Record.objects.filter(pk=record.pk).update(registered_at=LONG_AGO, created_at=LONG_AGO)
    borne_out()
    before = timezone.now()
    lower(office, record, Level.THUONG)
    record.refresh_from_db()
    assert history.level_at(record, before) == Level.MAT
    Clearance.objects.filter(person=office.staff).update(revoked_at=LONG_AGO)
    reader = office.archivist
    Clearance.objects.filter(person=reader).update(revoked_at=LONG_AGO)
    assert access.may(reader, Action.RECORD_READ, record).allowed
    assert explaining.why(reader, record).allowed
    assert not explaining.why(reader, record, at=before).allowed
    assert AuditEntry.objects.filter(action="record.level").exists()


# --- what stops a change, and what it leaves ---------------------------------------------------------------


def test_under_a_hold_a_level_only_rises(office, second, make_record):
    record = make_record(level=Level.MAT)
    waiting = acts.propose(record, kind=DECLASSIFY, to=Level.THUONG, order=order(), actor=office.clerk)
    hold = retention.place_hold(retention.Order("Thanh tra", "x"), on=[record], actor=office.archivist)
    with pytest.raises(refusals.HeldLevel) as refused:
        acts.confirm(waiting, actor=office.leader)
    assert "Thanh tra" not in str(refused.value)
    acts.close(waiting, reason="x", actor=office.leader)
    with pytest.raises(refusals.HeldLevel):
        lower(office, record, Level.THUONG)
    acts.raise_level(record, to=Level.TOI_MAT, order=order(), actor=office.leader)
    ended = {"lifted_at": timezone.now(), "lifted_by": office.archivist, "lift_reason": "x"}
    Hold.objects.filter(pk=hold.pk).update(**ended)  # the archivist of this office is not cleared for it any more
    assert lower(office, record, Level.MAT).to_level == Level.MAT


def test_a_raise_that_rolls_back_is_brought_down_by_the_worker(office, make_record, monkeypatch):
    record = make_record(level=Level.THUONG)
    with transaction.atomic():
        acts.raise_level(record, to=Level.TOI_MAT, order=order(), actor=office.leader)
        transaction.set_rollback(True)
    assert key_levels(record) == {Level.TOI_MAT}
    monkeypatch.setattr(keys._Place, "after", "")
    assert keys.look_over(most=10_000) == record.sealed_objects.count()
    assert key_levels(record) == {Level.THUONG}
    assert store.read(record.sealed_objects.get(role="original").address).startswith(b"%PDF")
    assert keys.look_over(most=10_000) == 0


def test_a_key_that_a_recovered_database_finds_too_low_goes_up_again(make_record, monkeypatch):
    record = make_record(level=Level.MAT)
    for address in record.sealed_objects.values_list("address", flat=True):
        store.relevel(address, to=Level.THUONG)  # lowered after the moment to which the database went back
    monkeypatch.setattr(keys._Place, "after", "")
    assert keys.look_over(most=10_000) == record.sealed_objects.count()
    assert key_levels(record) == {Level.MAT}


def test_a_key_that_does_not_come_down_stops_no_other(office, make_record, monkeypatch, caplog):
    first, other = make_record(level=Level.MAT), make_record(level=Level.MAT)
    for record in (first, other):
        lower(office, record, Level.THUONG)  # settled after the commit, which a test never sees
    bring, broken = keys._bring, {first.pk}

    def failing(record):
        if record.pk in broken:
            raise VaultAway(address="x", reason="x")
        bring(record)

    monkeypatch.setattr(keys, "_bring", failing)
    monkeypatch.setattr(keys, "look_over", lambda: 0)
    with pytest.raises(VaultAway):
        keys.sweep()
    assert (key_levels(first), key_levels(other)) == ({Level.MAT}, {Level.THUONG})
    assert "1 changes, tried again" in caplog.text
    broken.clear()
    assert keys.sweep() == 1
    assert key_levels(first) == {Level.THUONG}


def test_a_void_number_closes_what_was_proposed_about_its_dispatch(office, make_record, last_entry):
    record = make_record(level=Level.MAT)
    made = acts.propose(record, kind=DECLASSIFY, to=Level.THUONG, order=order(), actor=office.leader)
    registration.void(record, reason="Ghi nhầm sổ", actor=office.clerk)
    made.refresh_from_db()
    assert (made.state, made.closed_by, made.close_reason) == ("refused", office.clerk, "Ghi nhầm sổ")
    assert (last_entry().action, last_entry().detail.payload["proposal"]) == ("level.close", made.pk)
    assert last_entry().detail.payload["number_void"] is True


def test_a_proposal_beyond_a_persons_clearance_does_not_stop_theirs(office, make_record):
    record = make_record(level=Level.MAT)
    hidden = acts.propose(record, kind=RAISE, to=Level.TOI_MAT, order=order(), actor=office.leader)
    UnitScope.objects.create(person=office.staff, unit=office.registry, since=LONG_AGO)
    borne_out()
    made = acts.propose(record, kind=DECLASSIFY, to=Level.THUONG, order=order(), actor=office.staff)
    assert list(lists.proposals(office.staff, of=record)) == [made]
    with pytest.raises(refusals.ProposalThere):
        acts.propose(record, kind=DECLASSIFY, to=Level.THUONG, order=order(), actor=office.staff)
    with pytest.raises(refusals.ProposalThere):  # who sees one that waits makes none
        acts.propose(record, kind=RAISE, to=Level.TOI_MAT, order=order(), actor=office.clerk)
    assert list(lists.proposals(office.leader, of=record)) == [hidden, made]


def test_words_of_a_higher_level_stay_there_on_copies_steps_openings_and_notices(
    office, second, make_record, signed_in, later
):
    record = make_record(level=Level.MAT)
    acts.raise_level(record, to=Level.TOI_MAT, order=order(), actor=office.leader)
    record.refresh_from_db()
    copies.printed(record, pages="1-1", reason="in-khi-cao", actor=office.clerk)
    routing.forward(record, routing.Task(office.leader, instruction="chuyen-khi-cao"), actor=office.clerk)
    access.grant(record, to=second, until=later(60), reason="mo-khi-cao", actor=office.leader)
    Clearance.objects.create(person=office.archivist, level=Level.TOI_MAT, since=LONG_AGO, basis="QĐ 02")
    borne_out()
    words = retention.Order("giu", "giu-khi-cao", "lenh-khi-cao")
    hold = retention.place_hold(words, on=[record], actor=office.archivist)
    retention.lift_hold(hold, reason="tha-khi-cao", actor=office.archivist)
    notice = LevelNotice.objects.filter(record=record).first()
    notice = notice or LevelNotice.objects.create(
        record=record, change=LevelChange.objects.latest("pk"), unit=office.command, due_on=timezone.localdate()
    )
    notices.tell(notice, how="bao-khi-cao", told_on=timezone.localdate(), actor=office.clerk)
    made = acts.propose(record, kind=LOWER, to=Level.MAT, order=order(), actor=office.clerk)
    acts.confirm(made, actor=second)
    said = ("in-khi-cao", "chuyen-khi-cao", "bao-khi-cao", "giu-khi-cao", "lenh-khi-cao", "tha-khi-cao")
    addresses = [
        reverse(f"archive:{name}", args=[record.key]) for name in ("copies", "thread", "record-level", "grants")
    ]

    def read(name, many):
        browser, person = signed_in(name), getattr(office, name)
        shown = "".join(browser.get(address).content.decode() for address in addresses[:many])
        shown += "".join(each.said for each in explaining.why(second, record, reader=person).conditions)
        return shown + "".join(
            f"{each.name} {each.reason} {each.mandate} {each.lift_reason}" for each in retention.told_to(person)
        )

    told = read("leader", 4)
    assert all(word in told for word in (*said, "mo-khi-cao"))
    # The same leader, whose clearance is now Mật: what was written above it keeps to itself.
    Clearance.objects.filter(person=office.leader).update(revoked_at=LONG_AGO)
    Clearance.objects.create(person=office.leader, level=Level.MAT, since=LONG_AGO, basis="QĐ 09")
    borne_out()
    hushed = read("leader", 4)
    assert not [word for word in (*said, "mo-khi-cao") if word in hushed]
    assert hushed.count("nội dung không hiển thị") >= len(said)
