from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from archive import access, routing
from archive.models import Clearance
from archive.routing import lists
from archive.rules.levels import Level
from archive.rules.roles import Role
from archive.templatetags import office as office_tags
from archive.views import shell


def lines(office, name, path="/"):
    request = RequestFactory().get(path)
    request.user = getattr(office, name)
    drawn = shell.shell(request)["rail"]
    return {line["url"]: line for group in drawn for line in group["items"]}


@pytest.mark.parametrize("role", Role)
def test_every_address_of_the_rail_exists(role):
    items = [item for _label, group in shell.RAIL[role] for item in group]
    assert all(reverse(item.name) for item in items)
    assert len(items) <= 10


def test_drafts_are_counted_in_brass_and_only_those_one_may_see(office, make_draft):
    make_draft()
    make_draft(level=Level.TOI_MAT)
    office.clerk.clearances.update(until=timezone.now())
    Clearance.objects.create(person=office.clerk, level=Level.MAT, since=timezone.now(), basis="QĐ 02")
    waiting = lines(office, "clerk")[reverse("archive:register")]
    assert (waiting["count"], waiting["attention"]) == (1, True)


def test_nothing_waiting_shows_no_figure(office):
    assert lines(office, "clerk")[reverse("archive:register")]["count"] == 0
    assert lines(office, "leader")[reverse("archive:work")]["attention"] is False


def test_a_leader_sees_what_waits_for_direction(office, make_record):
    from archive import routing

    routing.forward(make_record(), routing.Task(office.leader), actor=office.clerk)
    assert lines(office, "leader")[reverse("archive:work")]["count"] == 1
    assert lines(office, "staff")[reverse("archive:work")]["count"] == 0


def test_a_count_stops_at_its_cap(office, make_record, monkeypatch):
    """Neither the rail nor a list nor a desk counts further than it tells."""
    monkeypatch.setattr(lists, "CAP", 2)
    monkeypatch.setattr(office_tags, "CAP", 2)
    monkeypatch.setattr(lists, "_WRITTEN", {})  # what is kept was written with the cap of then
    for _ in range(4):
        routing.forward(make_record(), routing.Task(office.leader), actor=office.clerk)
    assert lines(office, "leader")[reverse("archive:work")]["count"] == 3
    direct, mine = lists.figures(office.leader, lists.to_direct, lists.mine)
    assert (direct.total, direct.late, direct.waiting) == (3, 0, 0)
    assert mine == direct
    assert office_tags.capped(3) == "2+"
    assert office_tags.capped(2) == "2"


def test_the_longest_address_that_fits_is_where_one_is(office):
    here = [url for url, line in lines(office, "auditor", "/log/refused/").items() if line["active"]]
    assert here == ["/log/refused/"]
    assert lines(office, "clerk", "/registers/3/")["/registers/"]["active"]
    assert not any(line["active"] for line in lines(office, "clerk", "/records/abc/").values())


def test_a_part_of_a_page_costs_no_count(office):
    request = RequestFactory().get("/")
    request.user = office.clerk
    with CaptureQueriesContext(
        connection,
    ) as asked:
        shell.shell(request)
    assert not any("archive_record" in query["sql"] for query in asked.captured_queries)


@pytest.mark.parametrize("name", ["clerk", "leader", "staff", "archivist", "auditor", "security", "admin"])
def test_a_phone_gets_at_most_four_tabs(office, name):
    assert 1 <= len([line for line in lines(office, name).values() if line["tab"]]) <= 4


def test_a_written_count_asks_with_the_minute_and_the_rights_of_now(office, make_record, monkeypatch):
    from archive import routing
    from archive.models import Access

    record, now = make_record(), timezone.now()
    routing.forward(record, routing.Task(office.leader), actor=office.clerk)
    waiting = partial(lists.glances, office.leader, ["to_direct"])
    assert waiting()["to_direct"].total == 1
    Access.objects.filter(record=record).update(until=access.minutes(now) + 5)
    assert waiting()["to_direct"].total == 1
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(minutes=6))
    assert waiting()["to_direct"].total == 0
