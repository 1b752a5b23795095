"""A refusal costs the same whether something hidden is there or nothing: the same statements, and as many rows made of their answers.

`config.bench.hidden` measures the time; this holds what the time comes from, at each door that the walk finds.
"""

from collections import Counter
from itertools import product

from django.db import transaction

from archive.views import proving
from config.bench.hidden import FIRST
from config.tests.doors import DOORS, addresses, filled, verbs
from config.tests.walking import Walked, body_of, furnish, knows, person_of_post, work


def work_of(client, method, address):
    """Return status and work of an answer; what the door wrote is taken back, so that each meets the same office."""
    with transaction.atomic():
        with work() as done:
            given = client.post(address, body_of(address)) if method == "POST" else client.get(address)
        transaction.set_rollback(True)
    return given.status_code, done


def test_hidden_and_missing_cost_the_same_at_every_door(office, monkeypatch):
    monkeypatch.setattr(proving, "NOTED_SECONDS", 86_400)  # a busy machine takes longer: the note is a statement more
    everything = furnish(office, FIRST[0])
    walked = {role: Walked(office, person_of_post(office, role), everything.things) for role in FIRST[1:]}
    walked[FIRST[0]] = everything
    callers = {role: each.caller() for role, each in walked.items()}
    browsers = {role: each.browser() for role, each in walked.items()}
    views, faults = {name: (pattern, view) for name, pattern, view in addresses()}, []
    for (name, door), method in product(DOORS.items(), ("GET", "POST")):
        pattern, view = views[name]
        role = next(each for each in FIRST if each in door.posts)
        client = (callers if name.startswith("api:") else browsers)[role]
        # one of another unit, and one of the own unit above the clearance
        hidden = {thing.is_own: thing for thing in everything.things[door.of] if not knows(role, door.of, thing)}
        if method not in verbs(view):
            continue
        status, nothing = work_of(client, method, filled(pattern, hidden[True].missing))
        if status == 405:
            continue
        assert status == 404, (name, method, status)
        for thing in hidden.values():
            seen, done = work_of(client, method, filled(pattern, thing.named))
            if (seen, done) != (404, nothing):
                more = Counter(done)
                more.subtract(nothing)
                faults.append((name, method, thing.level.slug, seen, {each: n for each, n in more.items() if n}))
    assert not faults, "\n".join(map(str, faults))
