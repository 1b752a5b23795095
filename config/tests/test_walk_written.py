"""A walk through every page that names a dispatch or a dossier: what is shown of it stands in the log, under its name."""

import pytest
from django.db import transaction
from django.db.models import Q

from archive.models import AuditEntry, Record
from config.tests.doors import DOORS, addresses, filled, verbs
from config.tests.walking import CLEARED, furnish

FOUND = {name: (pattern, view) for name, pattern, view in addresses()}
LEAST = {"clerk": 20, "leader": 15, "staff": 13, "archivist": 14}  # doors that show something to a post


def written(client, address, key):
    """Return the status of a page, and whether it left an entry that names what it is about."""
    known = set(AuditEntry.objects.values_list("pk", flat=True))
    with transaction.atomic():  # a page that renews itself writes once in a while: each door meets the same log
        status = client.get(address).status_code
        named = Q(object_id=key) | Q(shown__record_id__in=Record.objects.filter(key=key).values("pk"))
        new = AuditEntry.objects.filter(named, outcome="ok").exclude(pk__in=known).exists()
        transaction.set_rollback(True)
    return status, new


@pytest.mark.parametrize("role", LEAST)
def test_every_page_that_shows_something_of_a_dispatch_says_so_in_the_log(office, role):
    walked = furnish(office, role)
    browser, caller = walked.browser(), walked.caller()
    shown, silent = set(), set()
    for name, door in DOORS.items():
        pattern, view = FOUND[name]
        if "GET" not in verbs(view):
            continue
        for thing in walked.things[door.of]:
            if "key" not in thing.named or not thing.is_own or thing.level != CLEARED:
                continue
            client = caller if name.startswith("api:") else browser
            status, is_written = written(client, filled(pattern, thing.named), thing.named["key"])
            if status == 200:
                shown.add(name)
                silent |= set() if is_written else {name}
    assert not silent
    assert len(shown) >= LEAST[role], sorted(shown)
