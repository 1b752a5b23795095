"""A walk over every address of the installation, found by itself: a new one without a rule fails here.

Anonymous visitors get nothing; people without need-to-know get the same answer for a
hidden record as for one that does not exist; every refusal is written to the log.
"""

import re
import uuid

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from archive.models import AuditEntry, Dossier, RecordClass, RetentionRule
from archive.rules.levels import Level

OPEN_TO_ALL = {"/sign-in/", "/language/"}
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
    "archive:clearances": {"security"},
    "archive:marks": {"security"},
    "archive:log": {"auditor"},
    "archive:log-refused": {"auditor"},
    "archive:log-outside": {"auditor"},
    "archive:log-unusual": {"auditor"},
    "archive:log-who": {"auditor"},
    "ingest:desk": {"clerk"},
    "search:search": {"clerk", "leader", "staff", "archivist", "stranger"},
    "search:saved": {"clerk", "leader", "staff", "archivist", "stranger"},
    "search:notices": {"clerk", "leader", "staff", "archivist", "stranger"},
    "config:status": {"admin"},
}
POST_ONLY = {405}


def addresses(resolver=None, prefix="/", namespace=""):
    """Yield (name, address pattern) of everything the installation answers."""
    for entry in (resolver or get_resolver()).url_patterns:
        pattern = prefix + str(entry.pattern).lstrip("^").rstrip("$")
        if isinstance(entry, URLResolver):
            inner = ":".join(part for part in (namespace, entry.namespace) if part)
            yield from addresses(entry, pattern, inner)
        elif isinstance(entry, URLPattern):
            yield f"{namespace}:{entry.name}" if namespace else str(entry.name), pattern


def filled(pattern, **known):
    """Return an address with its parameters filled from what is known."""

    def value(match):
        kind, name = (match.group(1) or "str:")[:-1], match.group(2)
        fallback = {"uuid": str(uuid.uuid4()), "int": "1", "str": "nothinghere"}.get(kind, "1")
        return str(known.get(name, fallback))

    return re.sub(r"<((?:str|int|uuid|path|slug):)?(\w+)>", value, pattern).replace("//", "/")


ALL = sorted(addresses())
OF_RECORDS = [
    (name, pattern) for name, pattern in ALL if ":key>" in pattern and "dossiers/" not in pattern and "api" not in name
]
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
    asked = {name for name, _ in PLAIN} - {"archive:sign-in", "archive:sign-out", "set_language"}
    posts = {
        "search:save",
        "search:hints",
        "search:meant",
        "search:build",
        "ingest:upload",
        "archive:restore-seen",
        "archive:log-keep",
    }
    posts |= {"search:export"}  # without a question it sends to the search page
    assert asked - posts - set(RULES) == set()


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_what_its_post_includes_and_nothing_else(office, make_record, signed_in, role):
    make_record()
    browser = signed_in(role)
    opened = {name for name, pattern in PLAIN if name in RULES and browser.get(filled(pattern)).status_code == 200}
    assert opened == {name for name, roles in RULES.items() if role in roles}


@pytest.mark.parametrize(("name", "pattern"), OF_RECORDS)
@pytest.mark.parametrize("role", ["staff", "stranger", "auditor", "security", "admin"])
def test_a_hidden_record_answers_like_one_that_does_not_exist(office, make_record, signed_in, role, name, pattern):
    record = make_record(level=Level.TOI_MAT)
    browser = signed_in(role)
    hidden, missing = filled(pattern, key=record.key, number=1), filled(pattern, number=1)
    for ask in (browser.get, browser.post):
        before = AuditEntry.objects.filter(outcome="denied").count()
        first, second = ask(hidden), ask(missing)
        assert first.status_code == second.status_code, hidden
        if first.status_code == 405:
            continue
        assert first.status_code == 404, hidden
        # The page holds the address the reader typed, for the language switch; nothing else may differ.
        assert without_token(first.content).replace(record.key.encode(), b"nothinghere") == without_token(
            second.content
        )
        assert sorted(first.headers) == sorted(second.headers)
        assert AuditEntry.objects.filter(outcome="denied").count() == before + 2


def without_token(page):
    """A page holds a fresh form token each time; nothing else may differ."""
    return re.sub(rb'value="[A-Za-z0-9]{64}"|"X-CSRFToken": ?"[A-Za-z0-9]+"|content="[A-Za-z0-9]{64}"', b"", page)


@pytest.mark.parametrize("name", ["archive:dossier", "archive:dossier-close"])
def test_a_hidden_dossier_answers_like_one_that_does_not_exist(office, signed_in, name):
    rule = RetentionRule.objects.create(code="1", title="x", kind="permanent", basis="x", valid_from="2020-01-01")
    line = RecordClass.objects.create(code="01", title="x", rule=rule, year=2026)
    dossier = Dossier.objects.create(
        code="01.TM",
        year=2026,
        title="x",
        record_class=line,
        rule=rule,
        unit=office.other_unit,
        level=Level.MAT,
        opened_on="2026-01-01",
        opened_by=office.archivist,
    )
    pattern = dict(ALL)[name]
    browser = signed_in("staff")
    first, second = browser.get(filled(pattern, key=dossier.key)), browser.get(filled(pattern))
    assert first.status_code == second.status_code
    assert without_token(first.content).replace(dossier.key.encode(), b"nothinghere") == without_token(second.content)


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
