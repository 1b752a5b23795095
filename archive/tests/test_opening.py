"""The second check of a page: what it opens is what the scope opens, with what a list shows, and it keeps nothing of a reader."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive import access, opening
from archive.models import Access, Record
from archive.rules.levels import Level


def as_model(pk):
    return Record.objects.select_related("unit", "number__register").get(pk=pk)


@pytest.mark.parametrize("name", ["clerk", "leader", "staff", "archivist", "auditor", "stranger"])
def test_it_opens_what_the_scope_opens(office, make_record, make_draft, name):
    records = [make_record(), make_record(level=Level.MAT), make_record(level=Level.TOI_MAT), make_draft()]
    pks = [record.pk for record in records]
    scope = access.visible_to(getattr(office, name))
    assert set(opening.opened(scope, pks)) == set(scope.opens(pks).values_list("pk", flat=True))


def test_what_is_shown_is_what_the_model_says(office, make_record):
    record = make_record(subject="Kế hoạch huấn luyện", arrival_date=date(2026, 3, 9))
    shown = opening.opened(access.visible_to(office.clerk), [record.pk])[record.pk]
    kept = as_model(record.pk)
    assert shown.arrival_date == date(2026, 3, 9)
    assert isinstance(shown.issued_date, date)
    for name in opening.Shown.__dataclass_fields__.keys() - {"unit", "number", "has_attached"}:
        assert getattr(shown, name) == getattr(kept, name), name
    assert (shown.symbol, shown.unit, shown.has_attached) == (kept.symbol, kept.unit.name, False)
    assert shown.number == (kept.number.number, kept.number.register.name)


def test_a_draft_has_no_number(office, make_draft):
    draft = make_draft()
    assert opening.opened(access.visible_to(office.clerk), [draft.pk])[draft.pk].number is None


def test_a_closed_record_among_many_is_left_out_and_the_rest_stay(office, make_record):
    records = [make_record() for _ in range(3)]
    Access.objects.filter(record=records[1]).delete()
    asked = [*(record.pk for record in records), *range(10_000, 10_450)]
    assert sorted(opening.opened(access.visible_to(office.clerk), asked)) == [records[0].pk, records[2].pk]
    assert opening.opened(access.visible_to(office.clerk), []) == {}


def test_two_readers_are_asked_by_one_text_with_values_of_their_own(office, make_record):
    record, told = make_record(), []
    opening._written.cache_clear()
    for name in ("clerk", "archivist"):
        scope = access.visible_to(getattr(office, name))
        with CaptureQueriesContext(connection) as captured:
            opening.opened(scope, [record.pk])
        told.append([one["sql"] for one in captured.captured_queries])
        assert all(str(principal) in told[-1][0] for principal in scope.principals)
    assert [len(queries) for queries in told] == [1, 1]
    kept = opening._written(connection.vendor, 20, *map(len, (scope.markings, scope.principals)))
    assert not {each for each in scope.principals if each >= access.PERSON} & set(kept.values)
