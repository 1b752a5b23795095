"""The plain addresses: who opens each, and that nobody from the street opens any; a new one without a rule fails.

What names a thing - a dispatch, a file, a dossier - is walked in `test_walk`.
"""

import re
import uuid

import pytest
from django.test import Client

from archive.models import AuditEntry
from archive.rules.levels import Level
from config.tests.doors import addresses

OPEN_TO_ALL = {"/sign-in/provider/", "/oidc/callback/", "/sign-in/", "/sign-in/code/", "/language/"}
ROLES = ("clerk", "leader", "staff", "archivist", "auditor", "security", "admin", "stranger")
# Who may at least open the page behind an address without a record, by name of the address.
RULES = {
    "archive:home": set(ROLES),
    "archive:register": {"clerk"},
    "archive:registers": {"clerk", "leader", "archivist"},
    "archive:work": {"clerk", "leader", "staff", "stranger"},
    "archive:work-unit": {"clerk", "leader", "staff", "stranger"},
    "archive:dossiers": {"clerk", "leader", "staff", "archivist", "stranger"},
    "archive:dossier-new": {"archivist"},
    "archive:dossiers-unfiled": {"archivist"},
    "archive:due": {"archivist"},
    "archive:retention": {"archivist"},
    "archive:holds": {"archivist"},
    "archive:account": set(ROLES),
    "archive:password": set(ROLES),
    "archive:second-factor": set(ROLES),
    "archive:code-reset": {"security", "admin"},
    "archive:sessions": {"security", "admin"},
    "archive:ways": {"admin"},
    "archive:clearances": {"security"},
    "archive:people": {"admin"},
    "archive:units": {"admin", "security"},
    "archive:posts": {"security"},
    "archive:shelves": {"admin"},
    "archive:protection": {"security"},
    "archive:holidays": {"admin"},
    "archive:papers": {"clerk", "leader", "staff", "archivist", "stranger"},
    "archive:paper-new": {"clerk"},
    "archive:levels": {"clerk", "leader", "staff", "archivist", "stranger"},
    "archive:marks": {"security"},
    "archive:log": {"auditor"},
    "archive:log-refused": {"auditor"},
    "archive:log-outside": {"auditor"},
    "archive:log-unusual": {"auditor"},
    "archive:log-who": {"auditor"},
    "archive:log-seen": {"auditor"},
    "ingest:desk": {"clerk"},
    "search:search": {"clerk", "leader", "staff", "archivist", "stranger"},
    "search:saved": {"clerk", "leader", "staff", "archivist", "stranger"},
    "search:notices": {"clerk", "leader", "staff", "archivist", "stranger"},
    "config:status": {"admin"},
}
POST_ONLY = {405}


def filled(pattern, **known):
    """Return an address with its parameters filled from what is known."""

    def value(match):
        kind, name = (match.group(1) or "str:")[:-1], match.group(2)
        fallback = {"uuid": str(uuid.uuid4()), "int": "1", "str": "nothinghere"}.get(kind, "1")
        return str(known.get(name, fallback))

    return re.sub(r"<((?:str|int|uuid|path|slug):)?(\w+)>", value, pattern).replace("//", "/")


ALL = sorted((name, pattern) for name, pattern, _view in addresses())
PLAIN = [(name, pattern) for name, pattern in ALL if "<" not in pattern and not name.startswith("api:")]


def test_the_walk_finds_the_addresses():
    assert len(ALL) > 40
    assert {"archive:record", "archive:page-image", "search:open", "ingest:batch"} <= {name for name, _ in ALL}


@pytest.mark.parametrize(("name", "pattern"), ALL)
def test_a_stranger_from_the_street_gets_nothing(office, make_record, name, pattern):
    address = filled(pattern, key=make_record().key, number=1, form="csv")
    if address in OPEN_TO_ALL:
        return
    for answer in (Client().get(address), Client().post(address)):
        assert answer.status_code in {302, 401, 403, 404, 405}, address
        if answer.status_code == 302:
            assert "/sign-in/" in answer.headers["Location"]


def test_every_plain_address_has_a_rule():
    asked = {name for name, _ in PLAIN} - {
        "archive:sign-in",
        "archive:sign-in-code",
        "archive:sign-out",
        "archive:sign-in-provider",
        "archive:provider-back",
        "set_language",
    }
    posts = {
        "search:save",
        "search:hints",
        "search:meant",
        "search:build",
        "ingest:upload",
        "archive:restore-seen",
        "archive:log-keep",
        "archive:second-factor-remove",
        "archive:session-end",
    }
    posts |= {"search:export"}  # without a question it sends to the search page
    assert asked - posts - set(RULES) == set()


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_what_its_post_includes_and_nothing_else(office, make_record, signed_in, settings, role):
    settings.PAPER_STUBS, settings.SITE_MAX_LEVEL = True, Level.MAT  # or nobody opens the form of a paper
    make_record()
    browser = signed_in(role)
    opened = {name for name, pattern in PLAIN if name in RULES and browser.get(filled(pattern)).status_code == 200}
    assert opened == {name for name, roles in RULES.items() if role in roles}


def test_the_log_says_of_which_dispatch_an_act_was_refused_to_who_may_see_it(
    office, make_record, signed_in, last_entry
):
    record = make_record()
    assert signed_in("leader").post(f"/intake/records/{record.key}/files/add/").status_code == 403
    entry = last_entry()
    assert (entry.outcome, entry.object_type, entry.object_id, entry.record_id) == (
        "denied",
        "record",
        record.key,
        record.pk,
    )


def test_the_page_of_a_refusal_never_names_what_was_refused(office, make_record, signed_in):
    record = make_record(level=Level.MAT, subject="Diễn tập bí danh Sao Mai")
    page = signed_in("stranger").get(f"/records/{record.key}/").content.decode()
    assert "Sao Mai" not in page


def test_every_answer_closes_the_page(office, signed_in):
    answer = signed_in("clerk").get("/")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_forwarded_address_from_an_untrusted_machine_is_ignored(office, signed_in, last_entry):
    signed_in("clerk").get("/", headers={"X-Forwarded-For": "203.0.113.9"})
    assert b"203.0.113.9" not in bytes(last_entry().body)


def test_an_attempt_to_guess_is_locked_out_and_written_down(office):
    browser = Client()
    for _ in range(11):
        answer = browser.post("/sign-in/", {"username": "clerk", "password": "wrong"})
    assert answer.status_code == 429
    assert AuditEntry.objects.filter(action="session.sign_in_failed").count() >= 10
