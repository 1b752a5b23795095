"""A walk through every door of pages and API, found by itself, by each post: exactly what the policy says opens.

For each post, every thing of each level in the post's unit and in another: what may be known opens for the posts
of the door's rule and is refused to the others; what may not be known answers like what does not exist - status,
body, headers, number of statements - and each refusal stands in the log. A new address without a rule fails.
"""

import re
from itertools import product

import pytest
from django.db import connection, reset_queries, transaction
from django.test.utils import CaptureQueriesContext

from archive.models import AuditEntry
from archive.views import proving
from config.tests.doors import DOORS, ELSEWHERE, addresses, filled, verbs
from config.tests.walking import ROLES, Thing, body_of, furnish, knows

pytestmark = pytest.mark.once

FOUND = {name: (pattern, view) for name, pattern, view in addresses()}
FRESH = re.compile(rb'value="[A-Za-z0-9]{64}"|"X-CSRFToken": ?"[A-Za-z0-9]+"|content="[A-Za-z0-9]{64}"')


def test_every_address_that_names_something_has_a_rule():
    naming = {name for name, (pattern, _view) in FOUND.items() if "<" in pattern}
    assert naming == set(DOORS) | set(ELSEWHERE)


def answer_of(client, method, address):
    """What a reader can tell of an answer: status, body without the form token and the address typed, headers, work done for it."""
    client.cookies.pop("messages", None)  # what an earlier door said to this browser
    before = AuditEntry.objects.filter(outcome="denied").count()
    with transaction.atomic():  # whatever a door did is taken back: each one meets the same office
        reset_queries()
        with CaptureQueriesContext(connection) as asked:
            given = client.post(address, body_of(address)) if method == "POST" else client.get(address)
        body = FRESH.sub(b"", given.getvalue()).replace(address.encode(), b"address")
        denied = AuditEntry.objects.filter(outcome="denied").count() - before
        transaction.set_rollback(True)
    headers = {name: value for name, value in given.headers.items() if name != "Content-Length"}
    return (given.status_code, body, headers, len(asked)), denied


@pytest.mark.parametrize("role", ROLES)
def test_each_door_opens_exactly_where_the_policy_says(office, role, monkeypatch):
    monkeypatch.setattr(proving, "NOTED_SECONDS", 86_400)  # a busy machine takes longer: the note is a statement more
    walked = furnish(office, role)
    browser, caller, faults = walked.browser(), walked.caller(), []
    for (name, door), method in product(DOORS.items(), ("GET", "POST")):
        pattern, view = FOUND[name]
        if method not in verbs(view):
            continue
        client = caller if name.startswith("api:") else browser
        nothing = None
        for thing in walked.things[door.of]:
            seen, denied = answer_of(client, method, filled(pattern, thing.named))
            if seen[0] == 405:
                break
            nothing = nothing or answer_of(client, method, filled(pattern, thing.missing))
            if fault := fault_of(role, door, thing, seen, denied, nothing):
                faults.append((name, method, thing.level.slug, "own" if thing.is_own else "other", *fault))
    assert not faults, "\n".join(map(str, faults))


def fault_of(role: str, door, thing: Thing, seen, denied, nothing):
    """Return what is wrong with an answer; nothing when it is as the policy says."""
    if not knows(role, door.of, thing):
        # A post without the act may be told so before anything is looked up: for what is missing too, then.
        if seen != nothing[0] or seen[0] not in ({404} if role in door.posts else {403, 404}):
            return ("hidden, but unlike missing", seen[0], nothing[0][0])
        return None if denied == nothing[1] == 1 else ("hidden, and not once in the log", denied, nothing[1])
    if role not in door.posts:
        return None if seen[0] == 403 and denied == 1 else ("open to a post without it", seen[0], denied)
    opened = seen[0] < 400 or seen[0] in {409, 422} or (door.asks_more and seen[0] == 403)
    return None if opened else ("closed to a post that has it", seen[0])
