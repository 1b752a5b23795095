"""Searching by API: paged, told what was understood, refused by its schema, and away with a problem of its own."""

import json

import pytest
from django.test import Client

from archive import tokens
from archive.models import Clearance, Person, PersonRole, UnitScope
from archive.rules.levels import Level
from archive.rules.roles import Role
from config.api import schema_file
from config.tests.office import LONG_AGO
from search import finding, follow
from search.engine import DEEPEST, EngineAway
from search.engines.embedded import Embedded


@pytest.fixture
def call(office):
    """Ask as a service account of the registry that is cleared to Mật."""
    person = Person(username="may-tim", full_name="Trạm tìm", unit=office.registry, is_service=True)
    person.set_unusable_password()
    person.save()
    PersonRole.objects.create(person=person, role=Role.CLERK, since=LONG_AGO)
    UnitScope.objects.create(person=person, unit=office.registry, since=LONG_AGO)
    Clearance.objects.create(person=person, level=Level.MAT, since=LONG_AGO, basis="QĐ 01")
    secret = tokens.give(person, name="trạm", until=None, actor=office.admin)
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    return lambda path, **asked: client.post(f"/api/v1{path}", json.dumps(asked), content_type="application/json")


@pytest.fixture
def filled(make_record, tmp_path, monkeypatch):
    """Twenty-one plain records and a secret one, indexed."""
    engine = Embedded(tmp_path / "index")
    monkeypatch.setattr(follow, "open_engine", lambda: engine)
    finding.engine.cache_clear()
    records = [make_record() for _ in range(21)]
    make_record(level=Level.TOI_MAT)
    follower = follow.Follower(engine)
    while follower.catch_up():
        continue
    follower.close()
    yield records
    engine.release()
    finding.engine.cache_clear()


def test_hits_are_paged_and_the_end_is_said(call, filled):
    first = call("/search", q="huan luyen").json()
    second = call("/search", q="huan luyen", offset=first["next_offset"]).json()
    assert (first["total"], first["next_offset"], second["next_offset"]) == (21, 20, None)
    found = {item["key"] for page in (first, second) for item in page["items"]}
    assert found == {record.key for record in filled}


def test_the_answer_says_what_was_understood_and_where_it_stands(call, filled):
    answer = call("/search", q="huan luyen nam:2026").json()
    assert [(piece["kind"], piece["without"]) for piece in answer["understood"]] == [
        ("words", "nam:2026"),
        ("year", "huan luyen"),
    ]
    item = answer["items"][0]
    assert item["pages"] == [[1, 1]]
    assert [item["passage"][start:end] for start, end in item["passage_marks"]] == ["huấn luyện"]
    assert {"type", "month", "level"} <= set(answer["facets"])


def test_what_is_not_in_the_schema_is_refused(call, filled):
    for asked in (
        {"filters": {"reach": ["1"]}},
        {"order": "score"},
        {"offset": -1},
        {"q": "a" * 1001},
        {"as": "admin"},
        {"filters": {"type": ["\ud800"]}},
        {"filters": {"type": ["a" * 301]}},
        {"filters": {"type": ["a"] * 101}},
    ):
        assert call("/search", **asked).status_code == 422


def test_suggestions_come_from_what_the_account_sees(call, filled):
    assert call("/search/suggestions", q="huan lu").json()[0]["count"] == 21
    assert call("/search/suggestions", q="").json() == []


@pytest.mark.parametrize("first", [0, 7])
def test_every_place_that_is_named_as_the_next_one_is_answered(call, monkeypatch, first):
    """Whoever begins at an odd place was sent to one near the deepest that was refused."""
    monkeypatch.setattr(finding, "find", lambda *_asked, **_page: finding.Answer([], DEEPEST + 9, {}))
    monkeypatch.setattr(finding, "is_late", lambda _person: False)
    offset = DEEPEST - 4 * finding.PER_PAGE + first
    for _page in range(5):
        answer = call("/search", q="so:1", offset=offset)
        assert answer.status_code == 200, answer.content
        if (offset := answer.json()["next_offset"]) is None:
            break
    assert offset is None


def test_an_engine_that_is_away_is_a_problem_with_a_code_and_a_time_to_come_back(call, monkeypatch):
    class Away:
        def __getattr__(self, name):
            raise EngineAway

    monkeypatch.setattr(finding, "engine", Away)
    for path in ("/search", "/search/suggestions"):
        answer = call(path, q="a")
        assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "SRC-001", "30")
    assert call("/search", q="a").json()["message"].startswith("Máy chủ tìm kiếm")


def test_the_description_names_every_answer():
    paths = schema_file()["paths"]
    for path in ("/api/v1/search", "/api/v1/search/suggestions"):
        assert {200, 503} <= {int(status) for status in paths[path]["post"]["responses"]}
