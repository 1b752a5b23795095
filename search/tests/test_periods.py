"""How long its dossier is kept finds a dispatch, however it is said, and is counted and exported as it is said."""

from datetime import date

import pytest

from archive import dossiers
from archive.models import RecordClass, RetentionRule
from search import exporting, finding, periods
from search.entry import Order
from search.query import parse

KEPT = {
    "permanent": ("permanent", None),
    "years-10": ("years", 10),
    "years-20": ("years", 20),
    "event_years-5": ("event_years", 5),
    "until_superseded": ("until_superseded", None),
}
TYPED = [
    ("thbq:vinh-vien", {"permanent"}),
    ("thbq:vĩnh-viễn", {"permanent"}),
    ('thbq:"vĩnh viễn"', {"permanent"}),
    ('thbq:"vinh vien"', {"permanent"}),
    ("retention:permanent", {"permanent"}),
    ("thbq:20", {"years-20"}),
    ('thbq:"20 năm"', {"years-20"}),
    ("thbq:20-nam", {"years-20"}),
    ('retention:"20 years"', {"years-20"}),
    ('thbq:"10 năm"', {"years-10"}),
    ("thbq:10", {"years-10"}),
    ("thbq:5", {"event_years-5"}),
    ('thời hạn bảo quản:"hết hiệu lực"', {"until_superseded"}),
    ("thbq:70", set()),
    ("thbq:huy", set()),
    ("thbq:1", set()),
]
WORDS = {
    "permanent": "Vĩnh viễn",
    "years-10": "10 năm",
    "years-20": "20 năm",
    "event_years-5": "5 năm kể từ sự kiện",
    "until_superseded": "Đến khi hết hiệu lực",
}


@pytest.fixture
def filed(office, make_record, indexed):
    """One dispatch under a rule of each period; the group's title says another one than its rule."""
    made = {}
    for number, (slug, (kind, years)) in enumerate(KEPT.items(), start=1):
        code = f"{number:02}"
        rule = RetentionRule.objects.create(
            code=code, title="Hồ sơ lưu 70 năm, hủy 70", kind=kind, years=years, basis="x", valid_from="2020-01-01"
        )
        line = RecordClass.objects.create(code=code, title="x", rule=rule, year=2026)
        cover = dossiers.Cover(f"{code}.VT", "Diễn tập", line, rule, office.registry, date(2026, 1, 5))
        made[slug] = make_record(code_number=str(number))
        dossiers.file(made[slug], dossier=dossiers.begin(cover, actor=office.archivist), actor=office.archivist)
    indexed()
    return made


def found(person, text, **filters):
    answer = finding.find(parse(text), person, filters=filters, order=Order.NEWEST, offset=0)
    return {hit.record.pk for hit in answer.found}, answer


def test_a_period_is_found_as_people_say_it_and_a_title_is_no_period(office, filed):
    told = {typed: found(office.archivist, typed) for typed, _ in TYPED}
    assert {typed: ids for typed, (ids, _) in told.items()} == {
        typed: {filed[slug].pk for slug in slugs} for typed, slugs in TYPED
    }
    assert [answer.total for _, answer in told.values()] == [len(slugs) for _, slugs in TYPED]


def test_a_period_is_a_value_of_the_facet_and_narrows(office, filed):
    _, answer = found(office.archivist, "")
    assert {bucket.value: (bucket.count, bucket.label) for bucket in answer.facets["retention"]} == {
        slug: (1, words) for slug, words in WORDS.items()
    }
    for slug, record in filed.items():
        assert found(office.archivist, "", retention=[slug])[0] == {record.pk}


def test_a_list_that_is_taken_out_says_the_period(office, filed):
    wanted = exporting.Wanted("", {}, Order.NUMBER, exporting.Form.CSV, columns=["retention"])
    rows = exporting.rows_for(wanted, office.archivist)
    assert sorted(cell for line in exporting.lines(rows, wanted.columns, office.archivist) for cell in line) == sorted(
        WORDS.values()
    )


@pytest.mark.parametrize("odd", ["", "years-", "years-x", "70", "permanent-5x", "hai-5", "-"])
def test_what_is_no_period_stays_as_it_is(odd):
    assert periods.label(odd) == odd
