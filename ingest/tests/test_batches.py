"""A batch on the intake desk: the sum closes for every reader, and nobody learns of what they may not see."""

import itertools
from datetime import date

import pytest
from django.utils import timezone

from archive import access, registration
from archive.models import Clearance, Person, PersonRole, Record, RecordState, UnitScope
from archive.rules.errors import Hidden
from archive.rules.levels import Level
from archive.rules.roles import Role
from config.tests.office import LONG_AGO
from ingest import batches, outcomes
from ingest.models import Scan, ScanState
from ingest.tests.handing import drop, open_batch

STATES = [
    (ScanState.WAITING, ""),
    (ScanState.ATTENTION, outcomes.FAILED),
    (ScanState.ATTENTION, outcomes.DUPLICATE),
    (ScanState.ATTENTION, outcomes.QUARANTINED),
    (ScanState.REFUSED, outcomes.BROKEN),
]


def put(scan, state, code=""):
    Scan.objects.filter(pk=scan.pk).update(state=state, code=code)


def total_of(batch, person):
    return batches.sum_of(batches.scans_of(batch, person))


@pytest.mark.parametrize(
    "states", [states for n in (0, 1, 3) for states in itertools.combinations_with_replacement(STATES, n)]
)
def test_the_sum_closes_in_every_mixture(office, states):
    batch = open_batch(office)
    for number, (state, code) in enumerate(states):
        put(drop(office, str(number).encode(), batch=batch), state, code)
    total = total_of(batch, office.clerk)
    assert total.closes
    assert total.handed_in == len(states)
    assert total.settled == sum(state != ScanState.WAITING for state, _ in states)


@pytest.fixture
def with_draft(office, make_draft):
    """A scan that needs attention and has a draft."""
    scan = drop(office, b"1")
    Scan.objects.filter(pk=scan.pk).update(state=ScanState.ATTENTION, code=outcomes.RAISED, record=make_draft())
    scan.refresh_from_db()
    return scan


def test_many_sums_are_those_of_each_batch(office, second_clerk):
    made = [open_batch(office) for _ in range(3)]
    for number, batch in enumerate(made[:2]):
        for content in range(number + 1):
            scan = drop(office, f"{number}{content}".encode(), batch=batch)
    Scan.objects.filter(pk=scan.pk).update(level=Level.MAT)
    for person in (office.clerk, second_clerk):
        assert batches.sums_of(made, person) == {batch.pk: total_of(batch, person) for batch in made}


def test_a_file_that_needed_a_look_counts_as_taken_in_once_its_dispatch_was_dealt_with(office, with_draft):
    assert total_of(with_draft.batch, office.clerk).attention == 1
    type(with_draft.record).objects.update(state=RecordState.REGISTERED, registered_at=timezone.now())
    total = total_of(with_draft.batch, office.clerk)
    assert (total.attention, total.filed, total.closes) == (0, 1, True)


def test_a_line_offers_only_what_can_be_done(office, with_draft):
    line = batches.line_of(with_draft)
    assert (line.can_register, line.can_retry, line.can_dismiss, line.is_open) == (True, False, False, True)
    scan = drop(office, b"2")
    for (state, code), offers in zip(STATES, [(0, 0), (1, 1), (1, 1), (0, 1), (0, 0)], strict=True):
        scan.state, scan.code = state, code
        line = batches.line_of(scan)
        assert (line.can_retry, line.can_dismiss) == tuple(map(bool, offers)), code
        assert not line.can_register


@pytest.fixture
def second_clerk(office):
    """A clerk of the same registry without clearance."""
    person = Person.objects.create(username="clerk2", full_name="Đồng chí B", unit=office.registry)
    PersonRole.objects.create(person=person, role=Role.CLERK, since=LONG_AGO)
    UnitScope.objects.create(person=person, unit=office.registry, since=LONG_AGO)
    return person


def test_a_reader_counts_only_what_they_may_see_and_their_sum_closes(office, second_clerk):
    batch = open_batch(office)
    seen, hidden = drop(office, b"1", batch=batch), drop(office, b"2", batch=batch)
    Scan.objects.filter(pk=hidden.pk).update(level=Level.MAT)
    mine, theirs = total_of(batch, office.clerk), total_of(batch, second_clerk)
    assert (mine.handed_in, theirs.handed_in) == (2, 1)
    assert mine.closes
    assert theirs.closes
    assert list(batches.scans_of(batch, second_clerk)) == [seen]
    with pytest.raises(Hidden):
        batches.open_scan(second_clerk, hidden.pk)


def test_a_batch_of_hidden_files_is_not_in_the_list(office, second_clerk):
    batch = open_batch(office, level=Level.MAT)
    drop(office, b"1", batch=batch)
    assert list(batches.visible_batches(second_clerk)) == []
    with pytest.raises(Hidden):
        batches.open_batch_of(second_clerk, batch.pk)
    assert list(batches.visible_batches(office.clerk)) == [batch]


def test_who_hands_in_sees_their_own_batch_until_their_post_ends(office):
    batch = open_batch(office)
    assert batches.open_batch_of(office.clerk, batch.pk) == batch
    UnitScope.objects.filter(person=office.clerk).update(until=timezone.now())
    with pytest.raises(Hidden):
        batches.open_batch_of(office.clerk, batch.pk)


@pytest.mark.parametrize("name", ["staff", "stranger", "auditor", "security", "admin"])
def test_other_units_see_no_batch(office, name):
    batch = open_batch(office)
    drop(office, b"1", batch=batch)
    with pytest.raises(Hidden):
        batches.open_batch_of(getattr(office, name), batch.pk)


def test_losing_the_clearance_hides_what_was_visible_a_moment_ago(office):
    scan = drop(office, b"1", level=Level.MAT)
    assert batches.open_scan(office.clerk, scan.pk) == scan
    Clearance.objects.filter(person=office.clerk).update(revoked_at=timezone.now())
    with pytest.raises(Hidden):
        batches.open_scan(office.clerk, scan.pk)


def test_a_returned_draft_no_longer_needs_attention(office, with_draft):
    registration.return_draft(with_draft.record, reason="nộp nhầm", actor=office.clerk)
    total = total_of(with_draft.batch, office.clerk)
    assert (total.attention, total.closes) == (0, True)


@pytest.mark.parametrize("way", ["level", "unit"])
def test_a_scan_is_not_known_any_more_to_who_may_not_know_of_the_dispatch_it_became(
    office, second_clerk, make_draft, way
):
    """Registered above the level at which the file was read, or taken over by another unit: it still says what it read."""
    scan = drop(office, b"one and the same")
    draft = make_draft()
    Scan.objects.filter(pk=scan.pk).update(
        record=draft, state=ScanState.FILED, proposal={"subject": {"value": "Diễn tập Sao Mai"}}
    )
    assert batches.open_scan(second_clerk, scan.pk) == scan
    if way == "level":
        line = {"type_name": "Kế hoạch", "organ_name": "Quân khu 9", "subject": "Diễn tập Sao Mai"}
        line |= {"issued_date": date(2026, 11, 2), "arrival_date": date(2026, 11, 3)}
        entry = registration.Entry(level=Level.MAT, **line)
        registration.register(draft, entry, register=office.secret_incoming, actor=office.clerk)
    else:
        Record.objects.filter(pk=draft.pk).update(unit=office.other_unit)
        access.derive(Record.objects.get(pk=draft.pk))
    with pytest.raises(Hidden):
        batches.open_scan(second_clerk, scan.pk)
    with pytest.raises(Hidden):
        batches.open_batch_of(second_clerk, scan.batch_id)
    assert total_of(scan.batch, second_clerk).handed_in == 0
    again = drop(office, b"one and the same", batch=open_batch(office, actor=second_clerk), actor=second_clerk)
    assert (again.code, again.duplicate_of) == ("", None)
