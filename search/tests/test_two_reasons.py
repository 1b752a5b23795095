"""A second reason to know of the same changes nothing: scopes of two units, one below the other, a step, an opening by name."""

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone

from archive import access, dossiers, routing
from archive.models import Person, PersonRole, RecordClass, RetentionRule, UnitScope
from archive.routing import Direction, Task
from archive.rules.levels import Level
from archive.rules.roles import Action, Role
from config.tests.by_hand import LONG_AGO, borne_out
from config.tests.doors import without_token
from search import finding
from search.entry import Order
from search.query import parse
from search.tests.test_pages_search import index  # noqa: F401 - a fixture

PAGES = {
    "leader": ["/", "/work/", "/work/unit/", "/registers/", "/dossiers/", "/levels/", "/papers/"],
    "staff": ["/", "/work/", "/work/unit/", "/dossiers/", "/levels/"],
    "archivist": ["/", "/dossiers/", "/dossiers/unfiled/", "/due/", "/holds/", "/levels/"],
    "clerk": ["/", "/work/", "/register/", "/registers/", "/dossiers/"],
}


@pytest.fixture
def busy(office, make_record):
    """An office with work in hand, filed and not filed, of two levels."""
    rule = RetentionRule.objects.create(code="1", title="x", kind="permanent", basis="x", valid_from="2020-01-01")
    line = RecordClass.objects.create(code="01", title="x", rule=rule, year=2026)
    made = [
        dossiers.begin(dossiers.Cover(f"0{n}", "Tập", line, rule, unit, date(2026, 1, 5)), actor=office.archivist)
        for n, unit in enumerate((office.registry, office.staff_unit))
    ]
    records = [make_record(level=Level(n % 2)) for n in range(6)]
    for record in records[:4]:
        step = routing.forward(record, Task(office.leader), actor=office.clerk)
        routing.direct(step, Direction("Nghiên cứu", office.staff_unit), actor=office.leader)
    dossiers.file(records[0], dossier=made[0], actor=office.archivist)
    dossiers.file(records[0], dossier=made[1], actor=office.archivist)
    dossiers.file(records[1], dossier=made[1], actor=office.archivist)
    return records


def seen(browser, person, pages):
    """Return what pages say, what is found and counted, and what may be opened."""
    said = [re.sub(rb"nonce=\S+", b"", without_token(browser.get(page).content)) for page in pages]
    found = [finding.find(parse("huan luyen"), person, filters={}, order=order, offset=0) for order in Order]
    hits = [([hit.record.pk for hit in one.found], one.total, one.facets) for one in found]
    scope = access.visible_to(person)
    return said, hits, scope.count(), scope.capped(3), sorted(scope.records().values_list("pk", flat=True))


@pytest.mark.parametrize("name", PAGES)
def test_who_has_two_reasons_to_know_sees_each_dispatch_once(office, busy, signed_in, index, name):  # noqa: F811
    person, browser = getattr(office, name), signed_in(name)
    index()
    for page in PAGES[name]:
        browser.get(page)
    before = seen(browser, person, PAGES[name])
    assert before[2]
    scope = UnitScope.objects.filter(person=person).first()
    below = office.staff_unit if scope.unit == office.command else scope.unit
    for unit in (scope.unit, below):
        UnitScope.objects.create(person=person, unit=unit, since=LONG_AGO)
    visible = access.visible_to(person).records().first()
    if name != "leader":
        access.grant(visible, to=person, until=timezone.now() + timedelta(days=9), reason="x", actor=office.leader)
    borne_out()
    index()
    person = Person.objects.get(pk=person.pk)
    assert seen(browser, person, PAGES[name]) == before


def test_who_stands_in_for_a_post_has_it_everywhere_and_loses_it_everywhere(
    office,
    busy,
    index,  # noqa: F811 - a fixture
    monkeypatch,
):
    """By delegation: one policy for acts, lists, hits and counts, to its last moment."""
    until = timezone.now() + timedelta(hours=1)
    standin = office.admin
    PersonRole.objects.filter(person=standin).delete()
    UnitScope.objects.create(person=standin, unit=office.staff_unit, since=LONG_AGO, until=until)
    PersonRole.objects.create(
        person=standin,
        role=Role.LEADER,
        since=LONG_AGO,
        until=until,
        instead_of=office.leader,
        granted_by=office.security,
    )
    borne_out()
    index()

    def told(person):
        scope, records = access.visible_to(person), [*busy]
        may = [record.pk for record in records if access.may(person, Action.RECORD_READ, record).allowed]
        found = finding.find(parse("huan luyen"), person, filters={}, order=Order.NEWEST, offset=0)
        return may, scope.count(), found.total, [hit.record.pk for hit in found.found]

    def person():
        return Person.objects.get(pk=standin.pk)

    may, count, total, hits = told(person())
    assert may == sorted(hits)
    assert len(may) == count == total == 2  # the lower level alone: a delegation clears nobody
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(hours=2))
    assert told(person()) == ([], 0, 0, [])
