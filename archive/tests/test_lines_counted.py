"""The entry of a list stands at the highest level shown and says how many stood at each: of the rows that the page drew."""

from datetime import date

import pytest
from django.utils import timezone

from archive import audit, dossiers, log_lines, retention, routing, showings
from archive.models import AuditDetail, AuditEntry, AuditShown, Clearance, RecordClass, RetentionRule
from archive.routing import Kind, Task
from archive.rules import detail_words
from archive.rules.levels import Level
from archive.rules.roles import Action
from config.tests.office import fence_lifted

BOTH = {"1": 1, "0": 2}


@pytest.fixture
def three(make_record):
    """Return two dispatches that are open and one of Mật."""
    return [make_record(), make_record(code_number="124"), make_record(level=Level.MAT, code_number="9")]


@pytest.fixture
def filed(office, three):
    """Return a closed dossier with the three in it."""
    rule = RetentionRule.objects.create(code="1", title="x", kind="years", years=1, basis="x", valid_from="2020-01-01")
    line = RecordClass.objects.create(code="01", title="x", rule=rule, year=timezone.localdate().year)
    cover = dossiers.Cover("02.TM", "Phương án", line, rule, office.registry, date(2024, 1, 5))
    made = dossiers.begin(cover, actor=office.archivist)
    for record in three:
        dossiers.file(record, dossier=made, actor=office.archivist)
    dossiers.close(made, ended_on=date(2024, 5, 4), actor=office.archivist)
    return made


def told(action: Action) -> tuple[int, dict[str, int] | None]:
    """Return the level of the newest entry of an act, and what it counts."""
    entry = AuditEntry.objects.filter(action=action, outcome="ok").latest("ts")
    return entry.level, entry.detail.payload.get("levels")


@pytest.mark.parametrize(
    ("name", "address", "action"),
    [
        ("archivist", "/dossiers/unfiled/", Action.RECORD_LIST),
        ("clerk", "/work/", Action.WORK_READ),
    ],
)
def test_a_list_counts_what_it_shows_by_level(signed_in, three, make_record, name, address, action):
    page = signed_in(name).get(address)
    assert told(action) == (page.context["page_level"], BOTH)


def test_what_the_reader_may_not_see_is_counted_nowhere(office, signed_in, three, make_record):
    make_record(level=Level.TOI_MAT, code_number="8")
    Clearance.objects.filter(person=office.archivist).update(level=Level.MAT)
    signed_in("archivist").get("/dossiers/unfiled/")
    assert told(Action.RECORD_LIST) == (Level.MAT, BOTH)


def test_the_desk_of_a_post_counts_what_stands_on_it(office, signed_in, three, last_entry):
    for record in three:
        routing.forward(record, Task(office.leader, Kind.DIRECT), actor=office.clerk)
    page = signed_in("leader").get("/")
    assert told(Action.RECORD_LIST) == (page.context["page_level"], BOTH)


def test_a_list_of_steps_counts_the_dispatches_under_them(office, signed_in, three):
    for record in three:
        routing.forward(record, Task(office.staff_unit, Kind.INFORM), actor=office.clerk)
    page = signed_in("staff").get("/work/")
    assert told(Action.WORK_READ) == (page.context["page_level"], BOTH)


def test_the_intake_desk_counts_the_drafts_that_it_shows(signed_in, make_draft, monkeypatch):
    from archive.views.register import registering

    monkeypatch.setattr(registering, "SHOWN", 3)
    for level in (Level.THUONG, Level.MAT, Level.THUONG, Level.TOI_MAT, Level.MAT):
        make_draft(level=level)
    page = signed_in("clerk").get("/register/")
    assert len(page.context["drafts"]) == 3
    assert page.context["page_level"] == Level.MAT
    assert told(Action.RECORD_LIST) == (Level.MAT, BOTH)


def test_a_book_and_a_secret_book_count_their_lines(office, signed_in, three):
    for book, expected in ((office.incoming, (0, {"0": 2})), (office.secret_incoming, (1, {"1": 1}))):
        signed_in("clerk").get(f"/registers/{book.pk}/")
        assert told(Action.REGISTER_READ) == expected


@pytest.mark.parametrize(
    ("address", "action", "expected"),
    [
        ("/dossiers/?state=closed", Action.DOSSIER_READ, {"1": 1}),
        ("/dossiers/{dossier}/", Action.DOSSIER_READ, BOTH),
        ("/due/?years=5", Action.DUE_READ, {"1": 1}),
        ("/holds/", Action.HOLD_READ, {"1": 1}),
    ],
)
def test_the_lists_of_keeping_count_too(office, signed_in, filed, address, action, expected):
    retention.place_hold(retention.Order("Thanh tra", "Giữ"), on=[filed], actor=office.archivist)
    signed_in("archivist").get(address.format(dossier=filed.key))
    assert told(action) == (Level.MAT, expected)


def test_a_list_without_a_line_counts_nothing(office, signed_in):
    signed_in("clerk").get("/")
    assert told(Action.RECORD_LIST) == (Level.THUONG, None)


def test_the_auditor_reads_the_levels_in_words_and_finds_the_list_at_its_level(office, signed_in, three):
    signed_in("archivist").get("/dossiers/unfiled/")
    entry = AuditEntry.objects.filter(action=Action.RECORD_LIST).latest("ts")
    rows = signed_in("auditor").get("/log/", {"level": "1", "action": str(Action.RECORD_LIST)}).context["rows"]
    assert [row["key"] for row in rows] == ["office"]
    shown = dict(detail_words.shown(log_lines.line_of(entry, Level.THUONG)["details"]))
    assert shown["theo độ mật"] == "Mật 1, Thường 2"


@pytest.mark.parametrize(
    ("edit", "is_told"), [("level = 1 - level WHERE level < 2", True), ("level = level WHERE level < 2", False)]
)
def test_the_level_of_each_dispatch_on_a_page_is_held_by_its_entry(office, make_record, edit, is_told):
    """Both stay within the highest level of the entry: nothing but what the details say tells of the edit."""
    from django.db import connection

    shown = [
        make_record(),
        make_record(level=Level.TOI_MAT),
        make_record(level=Level.MAT),
        make_record(level=Level.MAT),
    ]
    entry = audit.read(Action.SEARCH_RUN, actor=office.archivist, records=shown, text="x")
    assert entry.detail.payload["levels"] == {"2": 1, "1": 2, "0": 1}
    assert list(showings.faults()) == []
    with fence_lifted(), connection.cursor() as cursor:
        cursor.execute("UPDATE archive_auditshown SET " + edit)  # noqa: S608 - words of this test
    assert AuditShown.objects.filter(entry=entry).count() == len(shown)
    assert [fault.row for fault in showings.faults()] == ([str(entry.pk)] if is_told else [])


@pytest.mark.parametrize(
    "edit",
    [
        {"on_page": None},
        {"on_page": 7},
        {"on_page": {"x": 1}},
        {"on_page": [["x"], 1]},
        {"levels": None},
        {"levels": [2, 1]},
        {"levels": {"x": 1}},
        {"levels": {"2": "1"}},
        {"levels": {"2": 10**6}},
        {"levels": {"2": -1, "1": 3}},
        {"levels": {"9" * 5000: 2}},
        {"levels": {}},
    ],
)
def test_details_that_no_program_wrote_are_named_and_end_no_check(office, make_record, edit):
    shown = [make_record(), make_record(level=Level.MAT)]
    entry, other = (audit.read(Action.SEARCH_RUN, actor=office.archivist, records=shown, text="x") for _ in range(2))
    detail = AuditDetail.objects.get(entry=entry)
    with fence_lifted():
        AuditDetail.objects.filter(pk=detail.pk).update(payload=detail.payload | edit)
        AuditShown.objects.filter(entry=other, level=Level.MAT).update(level=Level.THUONG)
    assert {fault.row for fault in showings.faults()} == {str(entry.pk), str(other.pk)}
