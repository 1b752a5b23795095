"""Pages of a level's life: what they do, to whom they show it, what they never tell."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from archive import access, clearing
from archive.leveling import acts, keys
from archive.models import AuditEntry, ChangeKind, LevelNotice, LevelProposal, MarkRule, Record
from archive.rules.levels import Level
from archive.tests.test_leveling import order, second
from config.tests.office import LONG_AGO, borne_out

__all__ = ["second"]


def today(days=0):
    return f"{timezone.localdate() + timedelta(days=days):%d/%m/%Y}"


def said(**changed):
    wanted = {"authority": "Chỉ huy trưởng", "basis": "QĐ 45/QĐ-BCH", "decided_on": today(), "reason": "Hết mật"}
    return wanted | changed


def level_of(record):
    record.refresh_from_db()
    return Level(record.level)


def test_a_clerk_proposes_and_a_leader_declassifies(office, make_record, signed_in):
    record = make_record(level=Level.MAT)
    address = f"/records/{record.key}/level/"
    clerk, leader = signed_in("clerk"), signed_in("leader")
    wish = {"act": "propose", "change": "declassify:thuong"}
    assert clerk.post(address, said(**wish, basis="")).status_code == 422
    assert clerk.post(address, said(**wish)).status_code == 302
    assert clerk.post(address, {"act": "confirm"}).status_code == 422
    assert level_of(record) == Level.MAT
    page = leader.get(address).content.decode()
    assert "QĐ 45/QĐ-BCH" in page
    assert record.key in leader.get("/levels/?show=proposals").content.decode()
    assert leader.post(address, {"act": "confirm", "proposal": LevelProposal.objects.get().pk}).status_code == 302
    assert level_of(record) == Level.THUONG
    assert "Giải mật" in clerk.get(address).content.decode()


def test_a_leader_raises_at_once_and_the_next_page_of_others_is_closed(office, make_record, signed_in):
    record = make_record(level=Level.THUONG)
    archivist, leader = signed_in("archivist"), signed_in("leader")
    assert archivist.get(f"/records/{record.key}/level/").status_code == 200
    assert leader.post(f"/records/{record.key}/level/", said(act="raise", change="raise:toi-mat")).status_code == 302
    assert level_of(record) == Level.TOI_MAT
    for address in ("", "level/", "pages/1/image/", "original/"):
        assert archivist.get(f"/records/{record.key}/{address}").status_code == 404, address
    assert record.key not in archivist.get("/levels/?show=notices").content.decode()


def test_a_proposal_to_raise_beyond_a_readers_clearance_is_not_shown_to_them(office, make_record, signed_in):
    record = make_record(level=Level.MAT)
    asked = order(authority="", basis="", decided_on=None, reason="Saomaixanh")
    acts.propose(record, kind=ChangeKind.RAISE, to=Level.TOI_MAT, order=asked, actor=office.clerk)
    for address in (f"/records/{record.key}/level/", "/levels/?show=proposals"):
        assert "Saomaixanh" not in signed_in("archivist").get(address).content.decode()
        assert "Saomaixanh" in signed_in("leader").get(address).content.decode()


def test_an_end_of_protection_is_listed_for_who_sees_the_dispatch(office, make_record, signed_in):
    old = make_record(level=Level.TOI_MAT, issued_date=date(2001, 5, 1))
    assert old.key in signed_in("leader").get("/levels/").content.decode()
    assert old.key not in signed_in("archivist").get("/levels/").content.decode()


def test_protection_is_extended_and_reviewed_on_the_page(office, make_record, signed_in):
    record, leader = make_record(level=Level.MAT), signed_in("leader")
    address = f"/records/{record.key}/level/"
    assert leader.post(address, said(act="extend", until="01/01/2040")).status_code == 302
    assert leader.post(address, {"act": "review", "next_on": today(100), "reason": "Giữ"}).status_code == 302
    page = leader.get(address).content.decode()
    assert "01/01/2040" in page
    assert today(100) in page


def test_a_notice_is_written_down_once_and_only_on_its_own_dispatch(office, make_record, signed_in, later):
    record, other = make_record(level=Level.MAT), make_record(level=Level.MAT, code_number="9")
    access.grant(record, to=office.staff, until=later(60), reason="x", actor=office.leader)
    made = acts.propose(record, kind=ChangeKind.DECLASSIFY, to=Level.THUONG, order=order(), actor=office.clerk)
    acts.confirm(made, actor=office.leader)
    notice, clerk = LevelNotice.objects.get(), signed_in("clerk")
    told = {"act": "tell", "notice": notice.pk, "told_on": today(), "how": "TB 12"}
    assert clerk.post(f"/records/{other.key}/level/", told).status_code == 404
    assert clerk.post(f"/records/{record.key}/level/", told | {"how": ""}).status_code == 422
    assert clerk.post(f"/records/{record.key}/level/", told).status_code == 302
    assert clerk.post(f"/records/{record.key}/level/", told).status_code == 422
    assert "TB 12" in clerk.get(f"/records/{record.key}/level/").content.decode()


def test_a_proposal_is_withdrawn_by_its_maker_and_refused_by_a_leader(office, make_record, signed_in):
    record = make_record(level=Level.MAT)
    address = f"/records/{record.key}/level/"
    for name, state in (("clerk", "withdrawn"), ("leader", "refused")):
        made = acts.propose(record, kind=ChangeKind.DECLASSIFY, to=Level.THUONG, order=order(), actor=office.clerk)
        said = {"act": "close", "proposal": made.pk, "reason": "Chưa đủ căn cứ"}
        assert signed_in("archivist").post(address, said).status_code == 422
        assert signed_in(name).post(address, said).status_code == 302
        assert LevelProposal.objects.latest("pk").state == state


def test_marks_of_one_dispatch_are_set_on_its_page_and_foreign_ones_stay(office, make_record, signed_in):
    record = make_record(level=Level.THUONG)
    mine, foreign = (
        clearing.add_mark(name, group="a", rule=MarkRule.ANY, actor=office.security) for name in ("K1", "K2")
    )
    decision = clearing.Decision(Level.TOI_MAT, LONG_AGO, None, "QĐ 2", "x", (mine,))
    clearing.give(decision, to=office.leader, actor=office.security)
    Record.objects.filter(pk=record.pk).update(marking=clearing.combination({mine.pk, foreign.pk}))
    borne_out()
    record.refresh_from_db()
    access.derive(record)
    leader, address = signed_in("leader"), f"/records/{record.key}/marks/"
    assert leader.post(address, {"marks": [foreign.pk], "reason": "x"}).status_code == 422
    assert leader.post(address, {"marks": [mine.pk], "reason": ""}).status_code == 422
    assert leader.post(address, {"marks": [mine.pk], "reason": "Chuyên án"}).status_code == 302
    record.refresh_from_db()
    assert record.marking.name == "K1 + K2"
    assert signed_in("clerk").get(f"/records/{record.key}/").status_code == 404


@pytest.mark.parametrize("address", ["/levels/", "/levels/?show=proposals", "/levels/?show=notices", "/levels/?page=9"])
def test_the_lists_open_for_who_works_with_dispatches(office, signed_in, address):
    for name in ("clerk", "leader", "staff", "archivist", "stranger"):
        assert signed_in(name).get(address).status_code == 200, name
    for name in ("auditor", "security", "admin"):
        assert signed_in(name).get(address).status_code == 403, name


def test_a_kept_key_is_no_task_for_the_worker_twice(office, make_record):
    make_record(level=Level.MAT)
    assert keys.sweep() == 0


def test_who_confirms_or_refuses_does_it_to_what_they_had_before_their_eyes(office, second, make_record, signed_in):
    record, leader = make_record(level=Level.TOI_MAT), signed_in("leader")
    address = f"/records/{record.key}/level/"
    shown = acts.propose(record, kind=ChangeKind.LOWER, to=Level.MAT, order=order(), actor=second)
    assert f'name="proposal" value="{shown.pk}"' in leader.get(address).content.decode()
    acts.close(shown, reason="x", actor=second)
    other = acts.propose(record, kind=ChangeKind.DECLASSIFY, to=Level.THUONG, order=order(), actor=second)
    for act in ("confirm", "close"):
        for named in ({"proposal": shown.pk}, {}):
            assert leader.post(address, {"act": act, "reason": "x", **named}).status_code == 422, (act, named)
            assert AuditEntry.objects.filter(outcome="denied").latest("ts").body.find(b"LVL-005") > 0
    assert level_of(record) == Level.TOI_MAT
    other.refresh_from_db()
    assert other.state == "open"


@pytest.mark.parametrize("act", ["raise", "confirm", "close", "extend", "review", "tell", "other"])
def test_an_act_that_is_not_open_to_a_person_stands_in_the_log(office, make_record, signed_in, act):
    record = make_record(level=Level.MAT)
    before = AuditEntry.objects.filter(outcome="denied").count()
    answer = signed_in("archivist").post(f"/records/{record.key}/level/", said(act=act, change="raise:toi-mat"))
    assert answer.status_code == 422
    assert AuditEntry.objects.filter(outcome="denied", object_id=record.key).count() == before + 1


@pytest.mark.parametrize(("door", "action"), [("level", "level.read"), ("marks", "record.why")])
@pytest.mark.parametrize("sent", [{}, {"act": "raise"}, {"act": "x"}, {"reason": ""}])
def test_a_page_that_comes_back_with_an_error_is_read_like_any_other(
    office, make_record, signed_in, door, action, sent
):
    record = make_record(level=Level.MAT)
    assert signed_in("leader").post(f"/records/{record.key}/{door}/", sent).status_code in {200, 422}
    assert AuditEntry.objects.filter(action=action, object_id=record.key, outcome="ok").count() == 1


def test_a_mark_that_was_not_offered_is_a_door_tried(office, make_record, signed_in):
    record = make_record(level=Level.MAT)
    foreign = clearing.add_mark("K9", group="a", rule=MarkRule.ANY, actor=office.security)
    before = AuditEntry.objects.filter(outcome="denied").count()
    sent = {"marks": [foreign.pk], "reason": "x"}
    assert signed_in("leader").post(f"/records/{record.key}/marks/", sent).status_code == 422
    assert AuditEntry.objects.filter(outcome="denied").count() == before + 1


def test_words_written_at_a_higher_level_stay_there_when_a_dispatch_comes_down(office, second, make_record, signed_in):
    record = make_record(level=Level.MAT)
    words = order(reason="Saomaixanh", basis="QĐ 99", authority="Cục trưởng B")
    acts.raise_level(record, to=Level.TOI_MAT, order=words, actor=office.leader)
    down = order(reason="Hết tối mật", basis="QĐ 100")
    made = acts.propose(record, kind=ChangeKind.LOWER, to=Level.MAT, order=down, actor=second)
    acts.confirm(made, actor=office.leader)
    address = f"/records/{record.key}/level/"
    page = signed_in("archivist").get(address).content.decode()
    for word in ("Saomaixanh", "QĐ 99", "Cục trưởng B"):
        assert word not in page
        assert word in signed_in("leader").get(address).content.decode()
    assert "QĐ 100" in page
    assert "Hết tối mật" in page


def test_nothing_typed_into_a_decision_becomes_markup(office, make_record, signed_in):
    record, bad = make_record(level=Level.MAT), "<script>x</script>\"'>"
    sent = said(act="propose", change="declassify:thuong", authority=bad, basis=bad, reason=bad)
    address = f"/records/{record.key}/level/"
    assert signed_in("clerk").post(address, sent).status_code == 302
    leader = signed_in("leader")
    doors = (address, "/levels/?show=proposals")
    assert all("<script>x" not in leader.get(door).content.decode() for door in doors)
    assert leader.post(address, {"act": "confirm", "proposal": LevelProposal.objects.get().pk}).status_code == 302
    assert all("<script>x" not in leader.get(door).content.decode() for door in doors)
