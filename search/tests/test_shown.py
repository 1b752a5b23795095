"""Whoever is shown passages of a dispatch is named by "who saw it?": on every page of hits, by form, API and alert."""

import json
import zipfile

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from archive import audit, logkey, sequencing, showings
from archive.models import AuditEntry, AuditShown
from archive.rules import action_words
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.verifier import verify
from archive.views.control import concerning
from config.tests.office import fence_lifted
from search import saving
from search.tests.test_pages_api import call  # noqa: F401 - a fixture
from search.tests.test_pages_search import asked, index  # noqa: F401 - fixtures

PAGES = ("Kế hoạch huấn luyện sẵn sàng chiến đấu",)
SHOWN = "INSERT INTO archive_auditshown (entry_id, record_id, level, actor_id, ts)"


@pytest.fixture
def secret(office, make_record, index):  # noqa: F811 - a fixture
    """A dispatch of Mật whose text answers, and one below it."""
    made = make_record(subject="Sao Băng", level=Level.MAT, pages=PAGES, code_number="77")
    make_record(subject="Sao Mai", pages=PAGES, code_number="78")
    index()
    return made


def by_form(signed_in, called, secret):
    page, _address = asked(signed_in("clerk"), "chien dau")
    assert "chiến đấu" in next(hit for hit in page.context["hits"] if hit["record"].key == secret.key)["excerpt"].text


def by_api(signed_in, called, secret):
    assert secret.key in {one["key"] for one in called("/search", q="chien dau").json()["items"]}


def by_likeness(signed_in, called, secret):
    assert signed_in("clerk").get(f"/search/similar/{secret.key}/").status_code == 200


WAYS = {"form": (by_form, "clerk"), "api": (by_api, "may-tim"), "similar": (by_likeness, "clerk")}


@pytest.mark.parametrize("way", WAYS)
def test_a_page_of_hits_names_what_it_showed(office, secret, signed_in, call, way):  # noqa: F811
    ask, name = WAYS[way]
    ask(signed_in, call, secret)
    searches = AuditEntry.objects.filter(action=Action.SEARCH_RUN)
    (entry,) = [one for one in searches if "part" not in one.detail.payload]  # one, however many hits; offers aside
    assert (entry.actor.username, entry.level) == (name, Level.MAT)
    assert secret.key in entry.detail.payload["on_page"]
    assert (secret.pk, Level.MAT) in entry.shown.values_list("record_id", "level")
    sequencing.place_all()
    auditor = signed_in("auditor")
    for named in (secret.key, secret.symbol):
        seers = auditor.get("/log/who/", {"record": named}).context["seers"]
        (seer,) = [one for one in seers if one.person_id == entry.actor_id]
        assert seer.acts[Action.SEARCH_RUN] == 1
        rows = auditor.get("/log/", {"record": named, "person": entry.actor_id, "action": "seen"}).context["rows"]
        assert Action.SEARCH_RUN in {row["action"] for row in rows}
    looks = {one.key: one for one in auditor.get("/log/seen/", {"person": entry.actor_id}).context["looks"]}
    assert (looks[secret.key].acts, looks[secret.key].level) == ({Action.SEARCH_RUN: 1}, Level.MAT)
    found = auditor.get("/log/", {"level": int(Level.MAT), "action": str(Action.SEARCH_RUN)}).context["rows"]
    assert entry.leaf.idx in {row["index"] for row in found}


def test_older_pages_that_are_left_out_are_told_on_the_page_and_in_the_signed_file(
    office, secret, signed_in, monkeypatch, tmp_path, settings
):
    settings.VANKHO_HOME = tmp_path / "home"
    asked(signed_in("clerk"), "chien dau")
    asked(signed_in("archivist"), "chien dau")
    sequencing.place_all()
    auditor = signed_in("auditor")

    def told(most):
        """Return who is named, and whether page, manifest, README and checker say that pages were left out."""
        monkeypatch.setattr(concerning, "MOST_SHOWN", most)
        said, people = set(), set()
        for page in ("who/", ""):
            shown = auditor.get(f"/log/{page}", {"record": secret.key})
            taken = tmp_path / "taken.zip"
            taken.write_bytes(
                b"".join(auditor.get(f"/log/{page}export.json", {"record": secret.key}).streaming_content)
            )
            manifest = verify.verify_selection(str(taken), logkey.signer().public).manifest
            with zipfile.ZipFile(taken) as box:
                rows, readme = json.loads(box.read("log.json")), box.read("README.txt").decode()
            people |= {row["person"] for row in rows if row["act"] == action_words.WORDS[Action.SEARCH_RUN]}
            said |= {
                "chỉ xét 1 trang mới nhất" in words for words in (shown.content.decode(), manifest["left_out"], readme)
            }
        return people, said

    assert told(2) == ({str(office.clerk), str(office.archivist)}, {False})
    assert told(1) == ({str(office.archivist)}, {True})


def test_who_is_shown_only_what_is_theirs_leaves_no_word_of_the_rest(office, secret, make_record, index, signed_in):  # noqa: F811
    hidden = make_record(subject="Sao Hôm", level=Level.TOI_MAT, pages=PAGES, code_number="79")
    index()
    asked(signed_in("archivist"), "chien dau")
    entry = AuditEntry.objects.filter(action=Action.SEARCH_RUN).latest("ts")
    assert entry.level == Level.MAT
    assert secret.key in entry.detail.payload["on_page"]
    assert hidden.key not in entry.detail.payload["on_page"]


def test_what_is_new_in_a_kept_search_is_named_too(office, secret, make_record, index, signed_in):  # noqa: F811
    kept = saving.keep(saving.Wanted("x", "chien dau", Level.MAT), actor=office.archivist)
    saving.watch(kept, actor=office.archivist)
    new = make_record(subject="Sao Hôm", level=Level.MAT, pages=PAGES, code_number="79")
    index()
    page = signed_in("archivist").get(f"/search/saved/{kept.pk}/new/")
    assert new in page.context["records"]
    assert AuditShown.objects.filter(entry__action=Action.SEARCH_RUN, record_id=new.pk).count() == 1


def test_a_search_that_shows_nothing_is_nothing_seen(office, index, signed_in):  # noqa: F811
    asked(signed_in("clerk"), "khongcogi")
    sequencing.place_all()
    assert signed_in("auditor").get("/log/seen/", {"person": office.clerk.pk}).context["looks"] == []


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM archive_auditshown",
        "UPDATE archive_auditshown SET record_id = record_id + 1",
        "UPDATE archive_auditshown SET actor_id = actor_id + 1",
        "UPDATE archive_auditshown SET ts = '2020-01-01 00:00:00'",
        "UPDATE archive_auditshown SET level = level + 1",
        "UPDATE archive_auditshown SET level = level - 1",
        f"{SHOWN} SELECT entry_id, record_id, 0, actor_id, ts FROM archive_auditshown",  # noqa: S608 - our own words
        f"{SHOWN} SELECT id, 1, 0, actor_id, ts FROM archive_auditentry WHERE actor_id IS NOT NULL",  # noqa: S608 - our own words
    ],
)
def test_what_was_shown_is_held_against_the_entry(office, secret, signed_in, change):
    asked(signed_in("clerk"), "chien dau")
    assert not list(showings.faults())
    with fence_lifted(), connection.cursor() as cursor:
        cursor.execute(change)
    assert list(showings.faults())
    with pytest.raises(CommandError, match="dispatch"):
        call_command("verify_log")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE archive_auditshown SET actor_id = actor_id + 1",
        "UPDATE archive_auditshown SET ts = '2020-01-01 00:00:00'",
        "UPDATE archive_auditshown SET level = level + 1",
        "UPDATE archive_auditshown SET level = level - 1",
        f"{SHOWN} SELECT id, 1, 0, actor_id, ts FROM archive_auditentry WHERE action = 'log.read'",  # noqa: S608 - our own words
    ],
)
def test_person_and_moment_are_held_where_no_details_are_left_to_ask(office, secret, signed_in, change):
    asked(signed_in("clerk"), "chien dau")
    audit.read(Action.LOG_READ, actor=office.auditor)
    with fence_lifted():
        AuditEntry.objects.get(action=Action.SEARCH_RUN).detail.delete()
    assert not list(showings.faults())
    with fence_lifted(), connection.cursor() as cursor:
        cursor.execute(change)
        assert cursor.rowcount
    assert list(showings.faults())
