"""A dossier that a reader may not know of is named by no facet and chosen by nobody, though they see a dispatch in it."""

from datetime import date

import pytest
from django.db import transaction

from archive import audit, dossiers
from archive.models import Dossier, RecordClass, RetentionRule
from archive.rules.levels import Level
from archive.rules.roles import Action
from search import exporting, finding, news, offering, saving
from search.entry import Bucket, Order
from search.query import parse
from search.saving import Wanted

MINE, THEIRS = "01.VT Diễn tập", "02.CT Chiến dịch Sao Hôm"


def key_of(name):
    return Dossier.objects.get(code=name.split()[0]).key


def bucket(name):
    return Bucket(key_of(name), 1, name)


@pytest.fixture
def filed(office, make_record, indexed):
    """Two dispatches of the registry, one in a dossier of its own, one in another unit's."""
    rule = RetentionRule.objects.create(code="1", title="Lưu lâu", kind="permanent", basis="x", valid_from="2020-01-01")
    line = RecordClass.objects.create(code="01", title="x", rule=rule, year=2026)
    made = []
    for name, unit in ((MINE, office.registry), (THEIRS, office.other_unit)):
        code, title = name.split(maxsplit=1)
        cover = dossiers.Cover(code, title, line, rule, unit, date(2026, 1, 5))
        record = make_record(code_number=code[:2])
        dossiers.file(record, dossier=dossiers.begin(cover, actor=office.archivist), actor=office.archivist)
        made.append(record)
    indexed()
    return made


def test_a_dispatch_in_two_dossiers_is_found_under_each_that_a_reader_may_know_of(office, filed, indexed):
    """Filed a second time, now by another unit: neither place is lost, and the clerk learns nothing of the second."""
    mine, theirs = filed
    dossiers.file(mine, dossier=Dossier.objects.get(key=key_of(THEIRS)), actor=office.archivist)
    indexed()
    counted = {one.value: one.count for one in ask(office.archivist).facets["dossier"]}
    assert counted == {key_of(MINE): 1, key_of(THEIRS): 2}
    found = ask(office.archivist, dossier=[key_of(THEIRS)]).found
    assert {hit.record.pk for hit in found} == {mine.pk, theirs.pk}
    for words in ("hoso:dien", "hoso:sao"):
        found = finding.find(parse(words), office.archivist, filters={}, order=Order.BEST, offset=0).found
        assert mine.pk in {hit.record.pk for hit in found}
    assert ask(office.clerk).facets["dossier"] == (bucket(MINE),)
    assert ask(office.clerk, dossier=[key_of(THEIRS)]).total == 0
    assert finding.find(parse("hoso:sao"), office.clerk, filters={}, order=Order.BEST, offset=0).total == 0


def ask(person, *, offset=0, **filters):
    return finding.find(parse("huan luyen"), person, filters=filters, order=Order.BEST, offset=offset)


def test_the_facet_names_the_dossiers_that_a_reader_may_know_of(office, filed):
    assert set(ask(office.archivist).facets["dossier"]) == {bucket(MINE), bucket(THEIRS)}
    answer = ask(office.clerk)
    assert (answer.total, answer.facets["dossier"]) == (2, (bucket(MINE),))


def test_choosing_a_hidden_dossier_finds_what_choosing_none_finds(office, filed):
    mine, theirs = filed
    known, hidden = key_of(MINE), key_of(THEIRS)
    assert [hit.record.pk for hit in ask(office.archivist, dossier=[hidden]).found] == [theirs.pk]
    assert ask(office.clerk, dossier=[hidden]) == ask(office.clerk, dossier=["23456789abcd"])
    assert ask(office.clerk, dossier=[hidden]).total == 0
    assert [hit.record.pk for hit in ask(office.clerk, dossier=[known, hidden]).found] == [mine.pk]


@pytest.mark.parametrize("beside", [{}, {"offset": 20}, {"unit": ["99999"]}, {"type": ["Không có"], "offset": 20}])
def test_a_dossier_just_closed_is_like_none_while_the_index_is_behind(office, filed, beside):
    """Also where no hit is left on the page asked for: totals and facets would tell what lies in it."""
    closed = Dossier.objects.get(key=key_of(MINE))
    assert ask(office.clerk, dossier=[closed.key]).total == 1
    Dossier.objects.filter(pk=closed.pk).update(level=Level.TUYET_MAT)
    audit.write(Action.RECORD_LEVEL, subject=closed, actor=office.archivist, details={})
    assert ask(office.clerk, dossier=[closed.key], **beside) == ask(office.clerk, dossier=["23456789abcd"], **beside)


WORDS = ("hoso:dien", 'hoso:"diễn tập"', "hoso:01*", "thbq:vinh-vien")


def learned(person):
    """What a reader learns of a dossier: by its words, by its key, by counts, by suggestions, by an export."""
    asked = [finding.find(parse(each), person, filters={}, order=Order.BEST, offset=0) for each in WORDS]
    wanted = exporting.Wanted("hoso:dien", {}, Order.NEWEST, exporting.Form.CSV)
    return [
        [(answer.total, answer.found) for answer in asked],
        ask(person).facets["dossier"],
        ask(person, dossier=[key_of(MINE)]).total,
        [each.text for each in offering.suggestions("dien", person)],
        exporting.rows_for(wanted, person).ids,
    ]


def test_a_dossier_that_rose_tells_nothing_of_what_lies_in_it_while_the_index_is_behind(office, filed, indexed):
    """A secret dispatch was filed in it a moment ago: its words, which the index still has, are the secret's now."""
    mine, theirs = filed
    assert [count for count, _found in learned(office.clerk)[0]] == [1] * len(WORDS)
    with transaction.atomic():
        dossiers.raise_to(Dossier.objects.get(key=key_of(MINE)), Level.MAT, office.archivist)
    behind = learned(office.clerk)
    assert [hit.record.pk for hit in ask(office.clerk).found] == [theirs.pk]
    assert behind[:4] == [[(0, [])] * len(WORDS), (), 0, []]
    assert not behind[4]
    indexed()
    assert learned(office.clerk) == behind
    assert {hit.record.pk for hit in ask(office.clerk).found} == {mine.pk, theirs.pk}


def test_what_lies_in_a_dossier_that_is_no_higher_is_found_while_the_index_is_behind(office, filed):
    with transaction.atomic():
        audit.write(Action.DOSSIER_FILE, actor=office.archivist, subject=Dossier.objects.get(key=key_of(MINE)))
    assert [count for count, _found in learned(office.clerk)[0]] == [1] * len(WORDS)


def test_neither_an_export_nor_an_alert_tells_what_lies_in_a_hidden_dossier(office, filed, make_record, indexed):
    filters = {"dossier": [key_of(THEIRS)]}
    for person, count in ((office.archivist, 1), (office.clerk, 0)):
        wanted = exporting.Wanted("huan luyen", filters, Order.NEWEST, exporting.Form.CSV)
        assert len(exporting.rows_for(wanted, person).ids) == count
        kept = saving.keep(Wanted("mới", "huan luyen", 0, filters), actor=person)
        alert = saving.watch(kept, actor=person)
        type(alert).objects.filter(pk=alert.pk).update(seen=0)
    indexed()
    assert [one.count for one in news.of(office.clerk)] == [0]


@pytest.mark.parametrize(
    "words", ["sao hom", "Sao Hôm", '"chiến dịch"', "hoso:sao", 'hoso:"sao hôm"', "hoso:02*", "hoso:02.CT"]
)
def test_no_words_of_a_hidden_dossier_find_what_lies_in_it(office, filed, words):
    answer = finding.find(parse(words), office.clerk, filters={}, order=Order.BEST, offset=0)
    assert (answer.total, answer.found) == (0, [])
    denied = finding.find(parse(f"huan luyen -({words})"), office.clerk, filters={}, order=Order.BEST, offset=0)
    assert denied.total == 2


@pytest.mark.parametrize("words", ["thbq:vinh-vien", 'thbq:"vĩnh viễn"', "retention:permanent"])
def test_words_of_a_period_find_only_what_lies_in_dossiers_that_a_reader_may_know_of(office, filed, words):
    mine, theirs = filed
    for person, records in ((office.clerk, {mine}), (office.archivist, {mine, theirs})):
        answer = finding.find(parse(words), person, filters={}, order=Order.BEST, offset=0)
        assert {hit.record.pk for hit in answer.found} == {record.pk for record in records}
        assert answer.total == len(records)


def test_a_dossier_is_found_by_its_words_by_whoever_may_know_of_it(office, filed):
    mine, theirs = filed
    for person, words, record in ((office.clerk, "hoso:dien", mine), (office.archivist, "hoso:sao", theirs)):
        answer = finding.find(parse(words), person, filters={}, order=Order.BEST, offset=0)
        assert [hit.record.pk for hit in answer.found] == [record.pk]
