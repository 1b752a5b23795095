"""What forms and bodies may name, and what they may not carry: a hidden thing, a field of somebody else's, a wrong type.

The fields that point at a row are found by themselves; one of a kind with a level or an owner needs a way to be tried
here. A foreign one is refused like one that does not exist, and each try stands in the log.
"""

import importlib
import json
import pkgutil
import uuid
from itertools import product

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

import archive
import ingest
import search
from archive.models import AuditEntry, Dossier, Hold, Person, PersonRole, Record, Register
from archive.rules.levels import Level
from config.tests.doors import DOORS, addresses, filled, verbs
from config.tests.test_walk import FOUND, FRESH
from config.tests.walking import NOBODYS, furnish
from ingest.models import Batch, Scan
from search.models import SavedSearch

CONCEALED = (Record, Dossier, Hold, Register, Batch, Scan, SavedSearch)


def forms_of_the_office():
    """Yield every form that the packages define."""
    for package in (archive, ingest, search):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not {"tests", "migrations", "management", "verifier"} & set(module.name.split(".")):
                importlib.import_module(module.name)
    waiting = [forms.Form]
    while waiting:
        waiting += (found := waiting.pop()).__subclasses__()
        if found.__module__.startswith(("archive.", "ingest.", "search.")):
            yield found


def test_every_field_that_points_at_what_may_be_hidden_is_tried_below():
    pointing = {
        f"{form.__name__}.{name}"
        for form in forms_of_the_office()
        for name, field in form.base_fields.items()
        if isinstance(field, forms.ModelChoiceField) and issubclass(field.queryset.model, CONCEALED)
    }
    assert pointing == {"FileForm.dossier", "HoldForm.dossiers", "AnswerForm.reply", "PaperForm.register"}


def tried(client, address, body):
    """What a reader sees after sending a form, and how many refusals stand in the log for it."""
    before = AuditEntry.objects.filter(outcome="denied").count()
    with transaction.atomic():
        answer = client.post(address, body)
        shown = [str(each) for each in client.get(answer.headers["Location"]).context["messages"]] if answer.status_code == 302 else FRESH.sub(b"", answer.content)  # fmt: skip
        denied = AuditEntry.objects.filter(outcome="denied").count() - before
        transaction.set_rollback(True)
    return (answer.status_code, shown), denied


def pointed(walked, kind, model):
    """Return a thing that may be known, one that may not, and the row's key of the latter."""
    own, foreign = (next(each for each in walked.things[kind] if each.is_own is mine) for mine in (True, False))
    return own.named, model.objects.get(key=foreign.named["key"])


def test_a_dispatch_is_not_filed_into_a_dossier_that_may_not_be_known(office):
    walked = furnish(office, "archivist")
    record, _foreign = pointed(walked, "record", Record)
    _own, dossier = pointed(walked, "dossier", Dossier)
    door = f"/records/{record['key']}/file/"
    foreign, missing = ({"dossier": pk, "back": "record"} for pk in (dossier.pk, 999_999))
    assert tried(walked.browser(), door, foreign) == tried(walked.browser(), door, missing)
    assert tried(walked.browser(), door, foreign)[1] == 1


def test_a_hold_does_not_name_a_dossier_that_may_not_be_known(office):
    walked = furnish(office, "archivist")
    _own, dossier = pointed(walked, "dossier", Dossier)

    def hold(pk):
        seen, denied = tried(walked.browser(), "/holds/", {"name": "x", "reason": "x", "dossiers": [pk]})
        return (seen[0], seen[1].replace(str(pk).encode(), b"")), denied

    assert hold(dossier.pk) == hold(987_654)
    assert hold(dossier.pk)[1] == 1


def test_an_answer_does_not_name_a_reply_that_may_not_be_known(office):
    walked = furnish(office, "staff")
    record, foreign = pointed(walked, "record", Record)
    door = f"/records/{record['key']}/steps/1/answer/"

    def answer(key):
        (status, page), denied = tried(walked.browser(), door, {"text": "x", "reply": key})
        return status, page.replace(key.encode(), b""), denied

    assert answer(foreign.key) == answer(NOBODYS)
    assert answer(foreign.key)[2] == 1


def test_a_paper_is_not_registered_in_a_register_that_may_not_be_known(office, settings):
    walked = furnish(office, "clerk")
    settings.PAPER_STUBS, settings.SITE_MAX_LEVEL = True, Level.THUONG

    def paper(register):
        (status, page), denied = tried(walked.browser(), "/papers/new/", {"register": register, "level": "mat"})
        return status, page.replace(str(register).encode(), b""), denied

    kind = office.secret_incoming.kind
    foreign = Register.objects.create(pk=712_345, kind=kind, name="x", unit=office.other_unit)
    assert paper(foreign.pk) == paper(987_654)
    assert paper(987_654)[2] == 1


@pytest.mark.parametrize("by", ["page", "api"])
def test_a_file_does_not_join_a_batch_that_may_not_be_known(office, by):
    walked = furnish(office, "clerk")
    foreign = next(each for each in walked.things["batch"] if not each.is_own)
    client, door = (walked.browser(), "/intake/upload/") if by == "page" else (walked.caller(), "/api/v1/scans")

    def hand_in(batch):
        return tried(
            client, door, {"level": "thuong", "batch": batch, "file": SimpleUploadedFile("x.pdf", b"%PDF-1.4 x")}
        )

    assert hand_in(foreign.named["pk"]) == hand_in(uuid.uuid4())
    assert hand_in(foreign.named["pk"])[1] == 1


def test_a_list_does_not_go_on_after_a_dispatch_that_may_not_be_known(office):
    walked = furnish(office, "clerk")
    _own, foreign = pointed(walked, "record", Record)
    caller = walked.caller()
    first, second = (caller.get(f"/api/v1/records?before={key}") for key in (foreign.key, NOBODYS))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.status_code == 404


# --- fields that are not there, and wrong types -----------------------------------------------------------
FOREIGN = {"is_superuser": "true", "is_staff": "true", "level": "0", "initial_level": "0", "owner": "1", "unit": "1", "unit_id": "1", "state": "void", "role": "7", "roles": "7", "clearance": "3", "proposed_level": "0", "marking": "2"}  # fmt: skip
WRONG = [{"level": {"a": 1}}, {"level": True}, {"q": ["x"]}, {"q": 1}, {"offset": "1"}, {"filters": "x"}, [], "x", None]


def standing_of_all():
    """What an unasked field would change: levels, units and states of dispatches, posts and rights of people."""
    return (
        list(Record.objects.order_by("pk").values_list("level", "initial_level", "proposed_level", "unit", "marking")),
        list(Person.objects.order_by("pk").values_list("is_service", "is_active", "unit", "clearances__level")),
        list(PersonRole.objects.order_by("pk").values_list("person", "role")),
    )  # fmt: skip


@pytest.mark.parametrize("role", ["clerk", "leader", "staff", "archivist"])
def test_fields_that_a_form_does_not_name_change_nothing(office, role):
    walked = furnish(office, role)
    browser, before = walked.browser(), standing_of_all()
    for name, door in DOORS.items():
        pattern, view = FOUND[name]
        if "POST" in verbs(view) and not name.startswith("api:") and role in door.posts:
            with transaction.atomic():
                browser.post(filled(pattern, walked.things[door.of][0].named), FOREIGN).getvalue()
                assert standing_of_all() == before, name
                transaction.set_rollback(True)


def test_the_api_refuses_fields_it_does_not_name_and_types_it_does_not_expect(office):
    walked = furnish(office, "clerk")
    caller, before = walked.caller(), standing_of_all()
    posts = [pattern for name, pattern, view in addresses() if name.startswith("api:") and verbs(view) == ("POST",)]
    gets = [pattern for name, pattern, view in addresses() if name == "api:listed"]
    named = {"key": walked.things["record"][0].named["key"]}
    for pattern, body in product(posts, [*WRONG, FOREIGN]):
        address = filled(pattern.replace("<key>", "{key}"), named)
        answer = caller.generic("POST", address, json.dumps(body), content_type="application/json")
        assert answer.status_code in {400, 404, 405, 422}, (pattern, body)
    for pattern, extra in product(gets, FOREIGN):
        assert caller.get(f"{pattern}?{extra}=1").status_code == (200 if extra == "state" else 422), extra
    assert standing_of_all() == before
