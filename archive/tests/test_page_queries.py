"""Every list and detail page asks at most twelve questions of the database, whoever reads."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive import dossiers, retention, routing
from archive.models import RecordClass, Register, RetentionRule
from archive.routing import Direction, Task
from archive.rules.levels import Level
from archive.rules.steps import Kind

LIMIT = 12
TURNS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")  # no work for the database
PAGES = {
    "clerk": [
        "/", "/work/", "/register/", "/registers/", "/registers/{book}/", "/registers/{book}/?below=2",
        "/registers/{book}/?above=1&order=number", "/dossiers/", "/records/{key}/", "/records/{key}/thread/",
    ],
    "leader": ["/", "/work/", "/levels/", "/levels/?show=notices", "/records/{key}/level/", "/records/{key}/marks/", "/work/unit/", "/work/unit/?only=waiting", "/registers/{book}/?below=2", "/registers/{secret}/", "/records/{key}/thread/"],
    "staff": ["/", "/work/", "/work/unit/", "/work/unit/?only=waiting", "/dossiers/"],
    "archivist": ["/", "/dossiers/", "/dossiers/unfiled/", "/dossiers/{dossier}/", "/dossiers/{closed}/", "/due/", "/holds/", "/plan/", "/plan/{line}/", "/plan/periods/{period}/", "/registers/{book}/?below=2", "/records/{key}/"],
    "auditor": ["/", "/log/", "/log/?before=9", "/log/?person={person}&before=9", "/log/refused/", "/log/outside/", "/log/who/?record={key}", "/log/seen/?person={person}", "/log/unusual/"],
    "admin": ["/", "/people/", "/people/{person}/", "/units/", "/units/{unit}/", "/shelves/", "/shelves/{book}/", "/holidays/"],
    "security": ["/", "/protection/", "/posts/", "/posts/{person}/", "/units/", "/units/{unit}/"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "address"), [(name, each) for name, pages in PAGES.items() for each in pages])
def test_a_page_asks_at_most_twelve_questions(office, make_record, signed_in, name, address):
    records = [make_record() for _ in range(3)]
    routing.forward(records[0], Task(office.leader, Kind.DIRECT), actor=office.clerk)
    routing.forward(records[1], Task(office.staff_unit, Kind.INFORM), actor=office.clerk)
    given = routing.forward(records[2], Task(office.leader, Kind.DIRECT), actor=office.clerk)
    routing.direct(given, Direction("Nghiên cứu", office.staff_unit), actor=office.leader)
    make_record(level=Level.MAT)
    for held in records:
        retention.place_hold(retention.Order("Thanh tra", "Giữ nguyên"), on=[held], actor=office.archivist)
    rule = RetentionRule.objects.create(code="1", title="x", kind="permanent", basis="x", valid_from="2020-01-01")
    line = RecordClass.objects.create(code="01", title="x", rule=rule, year=timezone.localdate().year)
    today = timezone.localdate()
    begun = [
        dossiers.begin(dossiers.Cover(code, "x", line, rule, office.registry, today), actor=office.archivist)
        for code in ("01", "02")
    ]
    for each in begun:
        dossiers.file(records[0], dossier=each, actor=office.archivist)
    dossiers.close(begun[1], ended_on=today, actor=office.archivist)
    book = Register.objects.get(numbers__record=records[0]).pk
    known = {
        "key": records[1].key,
        "book": book,
        "secret": office.secret_incoming.pk,
        "person": office.clerk.pk,
        "unit": office.registry.pk,
        "line": line.pk,
        "dossier": begun[0].key,
        "closed": begun[1].key,
        "period": rule.pk,
    }
    asked_for = address.format(**known)
    browser = signed_in(name)
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(asked_for).status_code == 200
    asked = [one["sql"] for one in captured.captured_queries if not one["sql"].lstrip().startswith(TURNS)]
    assert len(asked) <= LIMIT, "\n".join(asked)
