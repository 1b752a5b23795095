"""The forms of a query that PostgreSQL's planner is told, asked of its own estimates."""

import json

import pytest
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from archive.models import Step
from archive.models.route import LIVE_STATES
from archive.planning import Restated
from archive.rules.steps import Kind

OPEN, DONE = 400, 20_000


@pytest.fixture
def steps(office, make_record):
    """Few open steps among many that are done, of one dispatch."""
    about = {"record": make_record(), "kind": Kind.LEAD, "from_person": office.leader, "to_person": office.staff}
    now = timezone.now()
    ends = [("open", None)] * OPEN + [("done", now)] * DONE
    Step.objects.bulk_create(
        Step(order=order, state=state, closed_at=at, created_at=now, **about)
        for order, (state, at) in enumerate(ends, start=1)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE archive_step")
    return Step.objects.filter(closed_at__isnull=True)


def expected(rows):
    return json.loads(rows.explain(format="json"))[0]["Plan"]["Plan Rows"]


@pytest.mark.engine
@pytest.mark.usefixtures("postgresql")
def test_what_is_said_twice_is_not_counted_twice(steps):
    said_twice = Q(state__in=LIVE_STATES)
    assert expected(steps.filter(said_twice)) < OPEN / 10  # why there is such a form
    assert expected(steps.filter(Restated(said_twice))) > OPEN / 3


def test_the_rows_are_the_same_in_every_form(steps):
    Step.objects.filter(order=1).update(state="done")
    plain, restated = (steps.filter(each) for each in (Q(state__in=LIVE_STATES), Restated(Q(state__in=LIVE_STATES))))
    assert set(restated.values_list("order")) == set(plain.values_list("order")) == {(n,) for n in range(2, OPEN + 1)}
