"""What a call of the API names outside its address - in a query, a form or a body - is hidden like what an address names.

The walk (`test_walk`) goes by addresses. Here each post names things of every level and unit as a place in a list, as
the batch of an upload and as chosen values of a search; what it may not know of answers like what does not exist.
"""

import json
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from archive.models import AuditEntry, Dossier
from config.tests.walking import APART, NOBODYS, ROLES, furnish, knows
from search import finding, follow

pytestmark = pytest.mark.once

WORDS = ("", "huan luyen", "hoso:0.1 OR hoso:1.0", "-huan")


@pytest.fixture
def walked(office, request):
    """The office of the walk, followed by the index."""
    made = furnish(office, request.param)
    follower = follow.Follower(finding.engine())
    while follower.catch_up():
        continue
    follower.close()
    return request.param, made, made.caller()


def told(call):
    """What a caller can tell of an answer, and how many refusals it left; whatever it did is taken back."""
    before = AuditEntry.objects.filter(outcome="denied").count()
    with transaction.atomic():
        answer = call()
        denied = AuditEntry.objects.filter(outcome="denied").count() - before
        transaction.set_rollback(True)
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
    return (answer.status_code, answer.content, headers), denied


def upload(client, batch):
    form = {"level": "thuong", "batch": str(batch), "file": SimpleUploadedFile("x.pdf", b"%PDF-1.4 x")}
    return client.post("/api/v1/scans", form)


def search(client, words, **filters):
    body = {"q": words, "filters": filters, "order": "number"}
    return client.post("/api/v1/search", json.dumps(body), content_type="application/json")


@pytest.mark.parametrize("walked", ROLES, indirect=True)
def test_what_is_named_beside_an_address_is_hidden_like_what_does_not_exist(walked):
    role, made, client = walked
    ways = {
        "record": (lambda name: client.get("/api/v1/records", {"before": name["key"]}), {"key": NOBODYS}),
        "batch": (lambda name: upload(client, name["pk"]), {"pk": uuid.uuid4()}),
    }
    for kind, (ask, missing) in ways.items():
        nothing = told(lambda ask=ask, missing=missing: ask(missing))
        assert nothing[0][0] in {403, 404}
        for thing in made.things[kind]:
            seen = told(lambda ask=ask, thing=thing: ask(thing.named))
            if not knows(role, kind, thing):
                assert (seen[0][0], seen[0][1], seen[1]) == (nothing[0][0], nothing[0][1], 1), (kind, thing)
                assert seen[0][2] == nothing[0][2]


@pytest.mark.parametrize("walked", ROLES, indirect=True)
def test_a_chosen_value_that_may_not_be_known_finds_what_one_that_is_not_there_finds(walked):
    role, made, client = walked
    known = [thing for thing in made.things["dossier"] if knows(role, "dossier", thing)]
    hidden = [thing.named["key"] for thing in made.things["dossier"] if thing not in known]
    foreign = made.office.other_unit.pk
    for words in WORDS:
        nothing = told(lambda words=words: search(client, words, dossier=[NOBODYS]))
        assert nothing[0][0] == (403 if role in APART | {"security"} else 200), nothing
        for key in hidden:
            seen = told(lambda words=words, key=key: search(client, words, dossier=[key]))
            assert seen[0][1].replace(key.encode(), NOBODYS.encode()) == nothing[0][1]
            both = told(lambda words=words, key=key: search(client, words, dossier=[key, *known_keys(known)]))
            alone = told(lambda words=words: search(client, words, dossier=[NOBODYS, *known_keys(known)]))
            assert both[0][1].replace(key.encode(), NOBODYS.encode()) == alone[0][1]
        for facet, value in (("unit", foreign), ("unit", 987_654), ("register", 987_654)):
            assert told(lambda f=facet, v=value, w=words: search(client, w, **{f: [str(v)]}))[0][0] == nothing[0][0]
        units = [search(client, words, unit=[str(value)]).json() for value in (foreign, 987_654)]
        assert units[0].get("total") == units[1].get("total")
        assert units[0].get("facets") == units[1].get("facets")
    assert Dossier.objects.filter(key__in=hidden).count() == len(hidden)


def known_keys(known):
    return [thing.named["key"] for thing in known]
