"""The engine and the database are one policy: random offices, each driver asked as each person, against the policy by hand."""

import random

import pytest

from archive import access, audit
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.tests import world
from search.finding import engine as the_engine
from search.finding import terms_of
from search.tests.make import ask


@pytest.mark.parametrize("seed", range(4))
def test_the_engine_shows_exactly_what_the_policy_allows(office, make_record, make_draft, indexed, seed):
    """Marks of all and of any, dated scopes, clearances and grants, steps: hits and counts of the engine itself, unchecked."""
    levels = [Level.THUONG, Level.THUONG, Level.MAT, Level.TOI_MAT]
    records = [*(make_record(level=level) for level in levels), make_draft(), make_draft(level=Level.MAT)]
    drawn = world.draw(office, records, random.Random(seed))
    for record in records:
        audit.write(Action.RECORD_MARK, actor=office.leader, subject=record, details={})
    indexed()
    for name in world.PEOPLE:
        person = getattr(office, name)
        expected = {record.pk for index, record in enumerate(records) if world.may_know(drawn, name, index)}
        terms = terms_of(person)
        assert {hit.id for hit in ask(the_engine(), "", terms).hits} == expected, name
        assert the_engine().count(terms) == len(expected), name
        assert set(access.visible_to(person).records().values_list("pk", flat=True)) == expected, name
