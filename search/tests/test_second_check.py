"""The index says yes, the database says no: nothing is shown, and no count tells that there was something."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from archive import access, audit, sequencing
from archive.models import Access, AuditEntry, AuditLeaf, Clearance, Grant, Marking, Record
from archive.rules.levels import Level
from archive.rules.roles import Action
from search import finding, follow, lagging, offering
from search.entry import Order
from search.query import parse

WORD = "sao băng"


@pytest.fixture
def two(office, make_record, indexed):
    """A record that stays open and one about to be closed, both in the index."""
    kept = make_record(subject="Kế hoạch huấn luyện", pages=("Kế hoạch huấn luyện chiến sĩ mới",))
    closed = make_record(subject="Chiến dịch Sao Băng", pages=("Chiến dịch sao băng huấn luyện",))
    indexed()
    return kept, closed


def learned(person) -> list[object]:
    """Return everything the person is told through `finding`, values alone."""
    told: list[object] = []
    for text in (WORD, "huấn luyện", "", "sao", "bang", "Kế hoạch"):
        for order in Order:
            answer = finding.find(parse(text), person, filters={}, order=order, offset=0)
            told.append(([one.record.pk for one in answer.found], answer.total, answer.facets))
            told.append([one.excerpt for one in answer.found])
        told.append(offering.meant(parse(text), person))
        every = finding.every(parse(text), person, filters={}, order=Order.NEWEST, limit=50)
        told.append([one.record.pk for one in every])
        told.append([(one.text, one.count) for one in offering.suggestions(text, person)])
    told += [[one.pk for one in finding.similar(record, person)] for record in Record.objects.order_by("pk")]
    return told


def behind(office) -> list[int]:
    """Return the records that have changed since the index was written."""
    return finding._backlog().records(finding.engine(), access.visible_to(office.archivist))[0]


def shown(person, text: str) -> tuple[list[int], int]:
    answer = finding.find(parse(text), person, filters={}, order=Order.NEWEST, offset=0)
    return [one.record.pk for one in answer.found], answer.total


def close(record, office, how: str) -> None:
    """Close a record to the clerk in the database, as acts do: the rows, and an entry of the log."""
    rows = Access.objects.filter(record=record)
    match how:
        case "level":
            Record.objects.filter(pk=record.pk).update(level=Level.TOI_MAT)
            rows.update(level=Level.TOI_MAT)
        case "marking":
            marking = Marking.objects.create(name="Riêng")
            Record.objects.filter(pk=record.pk).update(marking=marking)
            rows.update(marking=marking.pk)
        case "need to know":
            rows.delete()
    audit.write(Action.RECORD_LEVEL, subject=record, actor=office.clerk, details={})


@pytest.mark.parametrize("how", ["level", "marking", "need to know"])
def test_a_record_closed_since_the_index_was_written_might_as_well_not_be_there(office, two, indexed, how):
    kept, closed = two
    assert shown(office.archivist, WORD) == ([closed.pk], 1)
    close(closed, office, how)
    stale = learned(office.archivist)
    assert shown(office.archivist, WORD) == ([], 0)
    assert shown(office.archivist, "") == ([kept.pk], 1)
    indexed()
    assert learned(office.archivist) == stale


def test_a_record_closed_before_many_other_changes_is_left_out_all_the_same(office, two, indexed, monkeypatch):
    """The search server was away for long: a level was raised, then more changed than a search asks of the database."""
    monkeypatch.setattr(lagging, "MOST", 2)
    monkeypatch.setattr(lagging, "READ", 3)
    kept, closed = two
    before = behind(office)
    close(closed, office, "level")
    for _ in range(10):
        audit.write(Action.COPY_END, subject=kept, actor=office.clerk, details={})
        audit.write(Action.RECORD_READ, subject=kept, actor=office.clerk, details={})
    others = [Record.objects.create(level=0, initial_level=0, declared_level=0, proposed_level=0, unit=office.registry,
              created_at=timezone.now(), created_by=office.clerk) for _ in range(5)]  # fmt: skip
    for other in others:
        audit.write(Action.RECORD_DETACH, subject=other, actor=office.clerk, details={})
    sequencing.place()  # what has no place yet is asked about whatever it is
    assert shown(office.archivist, WORD) == ([], 0)
    assert shown(office.archivist, "") == ([kept.pk], 1)
    assert before == []
    assert set(behind(office)) == {
        closed.pk,
        others[-1].pk,
        others[-2].pk,
    }
    indexed()
    assert behind(office) == []


@pytest.mark.parametrize("missing", [1, 10])
def test_a_record_closed_beyond_places_that_are_missing_is_left_out_all_the_same(office, two, monkeypatch, missing):
    """No act leaves a place out, SQL can; the index follows beyond it, so the search must."""
    monkeypatch.setattr(lagging, "READ", 3)
    kept, closed = two
    audit.write(Action.COPY_END, subject=kept, actor=office.clerk, details={})
    sequencing.place()
    last = AuditLeaf.objects.order_by("idx").last()
    beyond = AuditEntry.objects.get(pk=last.entry_id)
    beyond.pk, beyond.object_seq = uuid4(), beyond.object_seq + 1
    beyond.save(force_insert=True)
    AuditLeaf.objects.create(idx=last.idx + missing + 1, entry=beyond)
    for _ in range(3):
        audit.write(Action.RECORD_READ, subject=kept, actor=office.clerk, details={})
    close(closed, office, "level")
    sequencing.place()
    assert closed.pk in behind(office)


def test_every_act_that_writes_need_to_know_anew_may_have_closed_a_record():
    """What `access.derive` is called in is never among the acts that are known to leave a dispatch open."""
    closing = {
        Action.RECORD_REGISTER, Action.RECORD_RETURN, Action.RECORD_ATTACHED, Action.RECORD_LEVEL, Action.RECORD_MARK,
        Action.NUMBER_VOID, Action.GRANT, Action.GRANT_END, Action.STEP_FORWARD, Action.STEP_DIRECT, Action.STEP_END,
        Action.STEP_RECEIVE, Action.STEP_ANSWER, Action.STEP_APPROVE, Action.STEP_RETURN,
    }  # fmt: skip
    assert not closing & lagging.LEAVES_OPEN
    assert not closing & follow.SKIPPED


@pytest.mark.parametrize("how", ["level", "marking", "need to know"])
def test_an_index_that_is_wrong_is_not_believed(office, two, indexed, how, monkeypatch):
    """Nothing in the log tells of the change: the page is checked record by record and counted again."""
    kept, closed = two
    close(closed, office, how)
    monkeypatch.setattr("search.lagging.Backlog.records", lambda _self, engine, *_beside: ([], {}, engine.reached()))
    assert shown(office.archivist, WORD) == ([], 0)
    assert shown(office.archivist, "huấn luyện") == ([kept.pk], 1)
    assert WORD not in [one.text.lower() for one in offering.suggestions("sao", office.archivist)]
    assert closed not in finding.similar(kept, office.archivist)
    assert finding.similar(closed, office.archivist) == []


def test_an_index_that_goes_on_being_wrong_is_not_believed_at_all(office, two, monkeypatch):
    monkeypatch.setattr("search.finding._opened", lambda _ids, _person: {})
    answer = finding.find(parse(""), office.clerk, filters={}, order=Order.BEST, offset=0)
    assert (list(answer.found), answer.total, dict(answer.facets)) in [
        ([], 0, {}),
        ([], 0, dict.fromkeys(answer.facets, ())),
    ]


def test_a_clearance_that_has_ended_closes_at_once(office, make_record, indexed):
    make_record(subject="Chiến dịch Sao Băng", level=Level.MAT)
    indexed()
    assert shown(office.clerk, WORD)[1] == 1
    Clearance.objects.filter(person=office.clerk).update(revoked_at="2020-01-02T00:00Z")
    assert shown(office.clerk, WORD) == ([], 0)


def test_a_grant_that_has_ended_closes_at_once(office, make_record, indexed):
    record = make_record(subject="Chiến dịch Sao Băng")
    indexed()
    assert shown(office.stranger, WORD) == ([], 0)
    before = learned(office.stranger)
    given = access.grant(
        record, to=office.stranger, until=timezone.now() + timedelta(days=2), reason="Thanh tra", actor=office.leader
    )
    indexed()
    assert shown(office.stranger, WORD) == ([record.pk], 1)
    access.end_grant(Grant.objects.get(pk=given.pk), actor=office.leader)
    assert shown(office.stranger, WORD) == ([], 0)
    assert learned(office.stranger) == before
    indexed()
    assert learned(office.stranger) == before


def test_records_that_are_hidden_from_a_person_change_nothing_for_them(office, make_record, indexed):
    make_record(subject="Kế hoạch huấn luyện")
    indexed()
    assert shown(office.archivist, "")[1] == 1
    before = learned(office.archivist)
    for number in range(3):
        make_record(subject=f"Chiến dịch Sao Băng {number}", level=Level.TOI_MAT, pages=("sao băng kế hoạch",))
    assert learned(office.archivist)[: len(before)] == before
    indexed()
    assert learned(office.archivist)[: len(before)] == before


def test_hits_say_that_they_are_not_all_once_the_index_is_behind_for_long(
    two, indexed, make_record, signed_in, monkeypatch
):
    """A folder that was lost, a worker that is dead: not found is no answer then."""
    words = "Kết quả tìm chưa đủ"

    def page():
        answer = signed_in("archivist").post("/search/", {"q": WORD}, follow=True)
        assert answer.status_code == 200
        return answer.content.decode()

    assert words not in page()
    make_record(subject="Sao băng mật", level=Level.TOI_MAT)
    sequencing.place_all()
    with monkeypatch.context() as late:
        late.setattr(lagging, "LATE", timedelta(0))
        assert lagging.is_late(finding.engine())
        assert words not in page()  # only what is hidden from this reader waits
    make_record(subject="Văn bản mới", pages=("Sao băng",))
    sequencing.place_all()
    assert words not in page()  # a moment behind, as always
    monkeypatch.setattr(lagging, "LATE", timedelta(0))
    assert words in page()
    indexed()
    assert words not in page()


def test_reading_and_a_dossier_with_nothing_in_it_leave_nothing_waiting(two, office, indexed):
    """The follower passes them without a commit: the position of a quiet office stays where it was."""
    audit.write(Action.RECORD_READ, subject=two[0], actor=office.clerk, details={})
    audit.write(Action.DOSSIER_CLOSE, subject=audit.Subject("dossier", "none"), actor=office.archivist, details={})
    audit.write(Action.SIGN_IN, actor=office.clerk, subject=office.clerk)
    sequencing.place_all()
    assert lagging.waiting_since(finding.engine()) is None
    audit.write(Action.RECORD_LEVEL, subject=two[0], actor=office.clerk, details={})
    sequencing.place_all()
    assert lagging.waiting_since(finding.engine()) is not None
