"""Acts that waited for a change of level: what they may do is asked after it, and not before. And two acts at once."""

import threading

import pytest
from django.db import connections
from django.db.models import QuerySet

from archive import access, audit, copies, lists_out, publishing
from archive.leveling import acts, notices, refusals
from archive.models import (
    Access,
    AuditEntry,
    ChangeKind,
    Clearance,
    Copy,
    CopyFate,
    LevelChange,
    LevelNotice,
    LevelProposal,
    Person,
    PersonRole,
    Record,
    UnitScope,
)
from archive.rules.errors import Hidden
from archive.rules.levels import Level
from archive.rules.roles import Action, Role
from archive.tests.test_leveling import order, second
from config.tests.office import LONG_AGO, borne_out

__all__ = ["second"]


@pytest.fixture
def middle(office):
    """A leader cleared to Mật."""
    person = Person.objects.create(username="middle", full_name="Đồng chí middle", unit=office.command)
    PersonRole.objects.create(person=person, role=Role.LEADER, since=LONG_AGO)
    UnitScope.objects.create(person=person, unit=office.command, since=LONG_AGO)
    Clearance.objects.create(person=person, level=Level.MAT, since=LONG_AGO, basis="QĐ 01")
    borne_out()
    return person


@pytest.fixture
def overtaken(monkeypatch):
    """Let a record be raised beyond Mật by somebody else in the moment in which an act asks for its lock."""
    real = QuerySet.select_for_update

    def late(rows, **how):
        if rows.model is Record and not Record.objects.filter(level=Level.TOI_MAT).exists():
            Record.objects.update(level=Level.TOI_MAT)
            for record in Record.objects.all():
                access.derive(record)
        return real(rows, **how)

    return lambda: monkeypatch.setattr(QuerySet, "select_for_update", late)


ACTS = {
    "raise": lambda record, _p, _n, who: acts.raise_level(record, to=Level.TOI_MAT, order=order(), actor=who),
    "propose": lambda record, _p, _n, who: acts.propose(
        record, kind=ChangeKind.DECLASSIFY, to=Level.THUONG, order=order(), actor=who
    ),
    "confirm": lambda _r, proposal, _n, who: acts.confirm(proposal, actor=who),
    "close": lambda _r, proposal, _n, who: acts.close(proposal, reason="x", actor=who),
    "extend": lambda record, _p, _n, who: acts.extend(record, until=order().decided_on, order=order(), actor=who),
    "review": lambda record, _p, _n, who: acts.review(record, next_on=order().decided_on, reason="x", actor=who),
    "tell": lambda _r, _p, notice, who: notices.tell(notice, how="x", told_on=order().decided_on, actor=who),
    "print": lambda record, _p, _n, who: copies.printed(record, pages="1-1", reason="x", actor=who),
    "take": lambda record, _p, _n, who: copies.taken_out(record, ordinal=0, sha256="0", reason="x", actor=who),
}


@pytest.mark.parametrize("name", ACTS)
def test_an_act_that_waited_for_a_raise_is_closed_by_it(office, make_record, middle, overtaken, name):
    record = make_record(level=Level.MAT)
    made = acts.propose(record, kind=ChangeKind.DECLASSIFY, to=Level.THUONG, order=order(), actor=office.clerk)
    change = LevelChange.objects.latest("pk")
    notice = LevelNotice.objects.create(change=change, record=record, unit=record.unit, due_on=change.done_at)
    overtaken()
    with pytest.raises(Hidden):
        ACTS[name](record, made, notice, middle)
    assert LevelProposal.objects.get().state == "open"
    assert LevelChange.objects.count() == 1
    assert not Copy.objects.exists()


def test_the_end_of_a_paper_waits_in_the_same_way(office, make_record, overtaken):
    record = make_record(level=Level.MAT)
    copies.printed(record, pages="1-1", reason="x", actor=office.leader)
    overtaken()
    with pytest.raises(Hidden):
        copies.end(record, 1, fate=CopyFate.RETURNED, note="x", actor=office.archivist)


def test_an_opening_given_or_ended_from_an_older_page_leaves_no_row_below_the_level(office, make_record, second, later):
    record = make_record(level=Level.THUONG)
    given = access.grant(record, to=office.leader, until=later(60), reason="x", actor=second)
    older = Record.objects.get(pk=record.pk)
    acts.raise_level(record, to=Level.TOI_MAT, order=order(), actor=office.leader)
    with pytest.raises(access.NotCleared):
        access.grant(older, to=office.archivist, until=later(60), reason="x", actor=office.leader)
    access.end_grant(given, actor=office.leader, reason="x")
    assert set(Access.objects.filter(record=record).values_list("level", flat=True)) == {Level.TOI_MAT}
    assert not access.visible_to(office.archivist).records().exists()
    assert access.visible_to(office.archivist).count() == 0


# --- two at once, on PostgreSQL: SQLite lets one writer in at a time ------------------------------------


@pytest.fixture
def no_heads(monkeypatch):
    """Sign nothing: the log of the test before is gone with its rows, and what was signed of it is not."""
    monkeypatch.setattr(publishing, "publish", lambda: None)


def at_once(*works):
    """Run these at the same time; return what each gave back or raised."""
    gave = {}

    def run(number, work):
        try:
            gave[number] = work()
        except Exception as fault:  # noqa: BLE001 - looked at by the test
            gave[number] = fault
        finally:
            connections.close_all()

    crew = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return [gave[number] for number in range(len(works))]


@pytest.mark.engine
@pytest.mark.usefixtures("postgresql", "no_heads")
@pytest.mark.django_db(transaction=True)
def test_two_confirmations_at_once_are_one(office, make_record, second):
    record = make_record(level=Level.MAT)
    made = acts.propose(record, kind=ChangeKind.DECLASSIFY, to=Level.THUONG, order=order(), actor=office.clerk)
    gave = at_once(*(lambda who=who: acts.confirm(made, actor=who) for who in (office.leader, second)))
    assert sorted(type(each).__name__ for each in gave) in (
        ["LevelChange", "NotInForce"],
        ["LevelChange", "ProposalOver"],
    )
    assert LevelChange.objects.filter(kind=ChangeKind.DECLASSIFY).count() == 1
    assert not any(isinstance(each, refusals.Moved) for each in gave)


@pytest.mark.engine
@pytest.mark.usefixtures("postgresql", "no_heads")
@pytest.mark.django_db(transaction=True)
def test_copies_of_two_people_at_once_have_each_their_number(office, make_record):
    record = make_record(level=Level.MAT)
    works = [
        lambda who=who: [copies.printed(record, pages="1-1", reason="x", actor=who).number for _ in range(5)]
        for who in (office.leader, office.clerk, office.leader)
    ]
    numbers = [number for gave in at_once(*works) for number in gave]
    assert sorted(numbers) == list(range(1, 16))


@pytest.mark.engine
@pytest.mark.usefixtures("postgresql", "no_heads")
@pytest.mark.django_db(transaction=True)
def test_a_print_and_a_raise_that_names_its_holder_do_not_wait_for_each_other(office, make_record, later, monkeypatch):
    record = make_record(level=Level.MAT)
    access.grant(record, to=office.clerk, until=later(60), reason="x", actor=office.leader)
    in_print, real = threading.Event(), copies._made

    def slow(*given, **told):
        in_print.set()
        threading.Event().wait(0.5)
        return real(*given, **told)

    monkeypatch.setattr(copies, "_made", slow)

    def raised():
        in_print.wait(5)
        return acts.raise_level(record, to=Level.TOI_MAT, order=order(), actor=office.leader)

    gave = at_once(lambda: copies.printed(record, pages="1-1", reason="x", actor=office.clerk), raised)
    assert [type(each).__name__ for each in gave] == ["Copy", "LevelChange"]


@pytest.mark.engine
@pytest.mark.usefixtures("postgresql", "no_heads")
@pytest.mark.django_db(transaction=True)
def test_lists_printed_at_once_have_each_their_number(office, make_record):
    records, about = [make_record(level=Level.MAT) for _ in range(3)], audit.Subject("dossier", "k", level=1)

    def print_list(who):
        told = {"actor": who, "reason": "x", "details": {}}
        return lists_out.printed(Action.DOSSIER_PRINT, about=about, lines=records, **told).copy

    people = [office.leader, office.clerk, office.archivist] * 3
    assert sorted(at_once(*(lambda who=who: print_list(who) for who in people))) == list(range(1, 10))
    lines = AuditEntry.objects.filter(action=Action.DOSSIER_PRINT, object_type="record")
    assert lines.count() == 9 * len(records)
