"""What a page of hits with all its facets asks of the database, for a reader who knows units, registers and dossiers."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive import dossiers
from archive.models import RecordClass, RetentionRule
from search.tests.test_pages_search import asked, away, index  # noqa: F401 - fixtures

MOST = 12
CLEARED = ("clerk", "leader", "staff", "archivist")


@pytest.fixture
def filed(office, make_record, index):  # noqa: F811 - a fixture
    """A page of hits in two dossiers of the registry; return the key of each, and of one that has none of them."""
    rule = RetentionRule.objects.create(code="1", title="Lâu", kind="permanent", basis="x", valid_from="2020-01-01")
    line = RecordClass.objects.create(code="01", title="x", rule=rule, year=2026)
    made = [
        dossiers.begin(
            dossiers.Cover(f"0{n}.VT", f"Diễn tập {n}", line, rule, office.registry, date(2026, 1, 5)),
            actor=office.archivist,
        )
        for n in range(3)
    ]
    for n in range(21):
        dossiers.file(make_record(), dossier=made[n % 2], actor=office.archivist)
    index()
    return [one.key for one in made]


UNKNOWN = "23456789abcd"
WORDS = {
    "words": "huan luyen",
    "a name": "donvi:van",
    "a name and what has a correction": "donvi:van huan luyn",
    "a denied name": "huan luyen -donvi:doi",
}
CHOSEN = {
    "nothing": lambda _office, _keys: {},
    "a dossier": lambda _office, keys: {"dossier": keys[:1]},
    "a unit": lambda office, _keys: {"unit": [str(office.registry.pk)]},
    "an unknown dossier": lambda _office, _keys: {"dossier": [UNKNOWN]},
    "a dossier beside an unknown one": lambda _office, keys: {"dossier": [keys[0], UNKNOWN]},
    "what no hit has": lambda office, keys: {
        "unit": [str(office.registry.pk), str(office.other_unit.pk)],
        "register": [str(office.outgoing.pk), str(office.incoming.pk)],
        "dossier": [keys[0], keys[2]],
    },
}


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("name", CLEARED)
def test_a_page_with_facets_costs_no_more_than_any_page(office, filed, signed_in, name, words):
    browser = signed_in(name)
    for chosen, values in CHOSEN.items():
        page, address = asked(browser, q=WORDS[words], **values(office, filed))
        is_found = chosen != "an unknown dossier" and "correction" not in words
        assert page.context["answer"].total or name == "staff" or not is_found
        at_most(lambda: browser.get(address), chosen)  # noqa: B023 - called at once
    offered = at_most(lambda: browser.post("/search/meant/", {"q": WORDS[words]}), "what was meant")
    assert offered.context["meant"] or name == "staff" or "correction" not in words


def at_most(ask, what):
    with CaptureQueriesContext(connection) as captured:
        page = ask()
    assert page.status_code == 200
    queries = [one["sql"] for one in captured.captured_queries if "SAVEPOINT" not in one["sql"]]
    assert len(queries) <= MOST, what + "\n" + "\n".join(queries)
    return page
