"""What machines may ask: does it live, is it ready, how is it doing. Nothing about what it holds."""

import os
import re
import threading
import time
from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from archive import audit, logkey, publishing, sequencing, store
from archive.rules.levels import Level
from archive.rules.roles import Action
from config import VERSION, metrics, parts, status
from config.tests.doors import without_token
from config.tests.test_documentation import ROOT
from search.engine import EngineAway


@pytest.fixture(autouse=True)
def _nothing_kept():
    parts.forget()
    yield
    parts.forget()


@pytest.fixture
def away(monkeypatch):
    """Take parts away: away("search", EngineAway())."""

    def take(name, fault):
        def ask():
            raise fault

        monkeypatch.setitem(parts.PARTS, name, ask)

    return take


def figures(browser=None, **extra):
    """Return the figures as {name with labels: value}."""
    # Set by whoever loads gunicorn's settings past the fixture of that name: from then on nothing is counted here.
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ
    answer = (browser or Client()).get("/metrics", **extra)
    assert answer.status_code == 200
    lines = [line for line in answer.content.decode().splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_a_process_that_lives_says_so_without_asking_the_database():
    answer = Client(SERVER_NAME="an-unknown-name").get("/healthz")  # no `db` fixture: a query would fail the test
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_an_installation_with_all_its_parts_is_ready():
    answer = Client(SERVER_NAME="an-unknown-name").get("/readyz")
    told = {"status": "ok", "database": "ok", "store": "ok", "vault": "ok", "search": "ok"}
    assert (answer.status_code, answer.json()) == (200, told)


@pytest.mark.django_db
@pytest.mark.parametrize("part", ["database", "store", "vault"])
def test_without_a_part_that_pages_need_it_is_not_ready_and_never_says_why(away, part):
    away(part, DatabaseError("connection to 10.1.2.3 as app failed: password wrong"))
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "fault", "database": "ok", "store": "ok", "vault": "ok", "search": "ok"} | {
        part: "fault"
    }


@pytest.mark.django_db
def test_search_being_away_is_degraded_and_not_unready(away):
    away("search", EngineAway())
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["search"]) == ("degraded", "fault")


@pytest.mark.django_db
def test_a_database_older_than_the_program_is_not_ready(monkeypatch):
    monkeypatch.setattr(parts.MigrationExecutor, "migration_plan", lambda *_args: [("a", False)])
    assert Client().get("/readyz").json()["database"] == "fault"


@pytest.mark.django_db
def test_a_missing_vault_is_not_ready(monkeypatch):
    def no_vault():
        raise store.VaultMissing(path="/somewhere")

    monkeypatch.setattr(store, "configured", no_vault)
    assert Client().get("/readyz").json()["vault"] == "fault"


@pytest.mark.django_db
def test_a_part_that_hangs_delays_the_answer_no_longer_than_the_limit(monkeypatch):
    ends = threading.Event()
    monkeypatch.setitem(parts.PARTS, "store", ends.wait)
    monkeypatch.setattr(parts, "LIMIT_SECONDS", 0.3)
    began = time.monotonic()
    answer = Client().get("/readyz")
    ends.set()
    assert answer.json()["store"] == "fault"
    assert time.monotonic() - began < 3


@pytest.mark.django_db
def test_strangers_who_ask_often_make_the_parts_answer_once(monkeypatch):
    asked = []
    monkeypatch.setitem(parts.PARTS, "store", lambda: asked.append(1))
    monkeypatch.setattr(parts, "KEPT_SECONDS", 60)
    for _ in range(20):
        Client().get("/readyz")
    assert asked == [1]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("203.0.113.9", {}),
        ("10.0.0.5", {}),
        ("", {}),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", {"X-Forwarded-Proto": "https"}),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", {"X-Real-IP": "127.0.0.1"}),
    ],
)
def test_to_others_the_figures_are_an_address_that_does_not_exist(address, headers):
    asked, missing = (Client(REMOTE_ADDR=address).get(path, headers=headers) for path in ("/metrics", "/metricz"))
    assert asked.status_code == missing.status_code == 404
    assert without_token(asked.content) == without_token(missing.content).replace(b"/metricz", b"/metrics")


@pytest.mark.django_db
def test_a_listed_network_may_read_the_figures(settings):
    import ipaddress

    settings.METRICS_CLIENTS = [ipaddress.ip_network("10.0.0.0/24")]
    assert Client(REMOTE_ADDR="10.0.0.7").get("/metrics").status_code == 200
    assert Client(REMOTE_ADDR="10.0.1.7").get("/metrics").status_code == 404


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_a_probe_changes_nothing_and_takes_no_form(path, db):
    assert Client().post(path).status_code in {403, 404}


def test_each_answer_is_counted_by_view_and_status(office, make_record, signed_in):
    name = 'vankho_answers_total{status="200",view="archive:record"}'
    before = figures().get(name, 0)
    signed_in("clerk").get(f"/records/{make_record().key}/")
    after = figures()
    assert after[name] == before + 1
    assert after['vankho_answer_seconds_count{view="archive:record"}'] >= 1


def test_failed_sign_ins_are_counted(office):
    name = 'vankho_failed_sign_ins_total{why="wrong"}'
    before = figures().get(name, 0)
    Client().post("/sign-in/", {"username": "clerk", "password": "wrong"})
    assert figures()[name] == before + 1


def test_a_wrong_code_after_the_right_password_is_counted_apart(office, settings):
    """Who guesses codes has the password already."""
    name = 'vankho_failed_sign_ins_total{why="code"}'
    before = figures().get(name, 0)
    for method, answered in (("POST", 401), ("POST", 302), ("GET", 200)):
        metrics.answered("archive:sign-in-code", method, answered, 0.01)
    assert figures()[name] == before + 1
    assert resolve("/sign-in/code/").view_name == metrics.SIGN_IN_CODE
    assert resolve("/sign-in/").view_name == metrics.SIGN_IN


def test_the_state_of_the_office_is_read_at_the_moment_of_asking(office, make_record):
    make_record()
    told = figures()
    assert told['vankho_part_up{part="database"}'] == 1
    assert told['vankho_queue_files{state="waiting"}'] == 0
    assert told["vankho_queue_oldest_seconds"] == 0
    assert told["vankho_store_free_bytes"] > told["vankho_store_floor_bytes"]
    assert told["vankho_follower_lag_entries"] >= 0
    assert told["vankho_sequencer_lag_entries"] >= 0
    assert [name for name in told if name.startswith("vankho_build_info")]


def test_files_that_wait_are_counted_and_the_oldest_tells_its_age(office):
    from datetime import timedelta

    from django.utils import timezone

    from ingest.models import Batch, Scan

    long_ago = timezone.now() - timedelta(minutes=10)
    batch = Batch.objects.create(
        channel="web", unit=office.registry, declared_level=0, actor=office.clerk, created_at=long_ago
    )
    Scan.objects.create(
        batch=batch, order=1, name="x", declared_level=0, level=0, created_at=long_ago, not_before=long_ago
    )
    told = figures()
    assert told['vankho_queue_files{state="waiting"}'] == 1
    assert 600 <= told["vankho_queue_oldest_seconds"] < 660


@pytest.mark.parametrize(("through", "expected"), [([], 1), (["read /etc"], 0)])
def test_a_cell_that_does_not_hold_is_told(office, through, expected):
    from django.db import transaction

    from archive import audit

    with transaction.atomic():
        audit.write(Action.START, actor=None, details={"cell": "cell", "through": through})
    assert figures()["vankho_cell_holds"] == expected


def test_a_part_that_is_away_takes_only_its_own_figures_with_it(office, monkeypatch):
    class Away:
        def position(self):
            raise EngineAway

    monkeypatch.setattr(metrics.finding, "engine", Away)
    told = figures()
    assert "vankho_follower_lag_entries" not in told
    assert "vankho_queue_oldest_seconds" in told


def test_the_administrators_page_says_that_search_is_away(office, signed_in, monkeypatch):
    class Away:
        def position(self):
            raise EngineAway

        def is_damaged(self):
            return False

    monkeypatch.setattr(status.finding, "engine", Away)
    answer = signed_in("admin").get("/machine/status/")
    assert answer.status_code == 200
    assert "máy tìm kiếm không trả lời" in answer.content.decode()


def test_the_status_page_tells_of_store_and_vault_and_of_what_is_not_of_this_machine(office, signed_in, settings, away):
    page = signed_in("admin").get("/machine/status/").content.decode()
    assert "thư mục trên máy này" in page
    assert "chưa nhận và chưa mở được" not in page
    parts.forget()
    settings.STORE_DRIVER = "s3"
    away("store", OSError())
    away("vault", OSError())
    page = signed_in("admin").get("/machine/status/").content.decode()
    assert "máy chủ S3" in page
    assert page.count("chưa nhận và chưa mở được") == 2
    assert "máy chủ S3 không cho biết chỗ trống" in page


def test_the_status_page_says_in_whose_name_the_folder_hands_in(office, signed_in, settings):
    assert "thư mục không nhận tệp nào" not in signed_in("admin").get("/machine/status/").content.decode()
    settings.INBOX_USER = "nobody"
    assert "thư mục không nhận tệp nào" in signed_in("admin").get("/machine/status/").content.decode()


def test_an_index_that_was_lost_or_is_not_followed_for_long_is_no_search_that_is_ok(
    office, make_record, signed_in, away
):
    """An index without a change of five minutes ago says "not found" of what is there."""
    make_record()
    sequencing.place_all()
    ask = parts.PARTS["search"]
    ask()  # behind by a moment
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        with pytest.raises(parts.Late):
            ask()
        assert "tìm kiếm chưa đủ" in signed_in("admin").get("/machine/status/").content.decode()
    away("search", parts.Late())
    parts.forget()
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["status"], answer.json()["search"]) == (200, "degraded", "fault")


def test_hidden_records_change_no_figure_and_no_label_names_anything_of_a_record(office, make_record):
    def of_the_office():
        live = ("vankho_answer", "vankho_sequencer", "vankho_follower", "vankho_store_free")
        return {name: value for name, value in figures().items() if not name.startswith(live)}

    parts.states()
    before = of_the_office()
    for _ in range(3):
        make_record(level=Level.TOI_MAT)
    assert of_the_office() == before
    labels = {label for name in figures() for label in re.findall(r'[{,](\w+)="', name)}
    assert labels <= {"view", "status", "le", "why", "version", "django", "python", "part", "state"}


def test_the_version_told_is_the_one_of_the_package():
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def _entry():
    with transaction.atomic():
        audit.write(Action.SYSTEM_READ, actor=None)
    sequencing.place_all()


def test_the_status_page_says_when_signed_heads_wait(office, settings, tmp_path):
    settings.LOG_SECOND_PLACE = tmp_path / "second"
    _entry()
    publishing.publish()
    assert (status.facts()["log_signed"], status.facts()["is_head_late"]) == (status.facts()["log_entries"], False)
    _entry()
    assert status.facts()["is_head_late"] is False
    with time_machine.travel(timezone.now() + timedelta(minutes=4)):
        assert status.facts()["is_head_late"] is True
    next(iter(publishing.heads_elsewhere())).write_bytes(b"something else")
    assert status.facts()["log_signed"] is None


def test_the_status_page_says_when_the_log_does_not_continue_what_was_signed(office, signed_in, settings, tmp_path):
    settings.VANKHO_HOME = tmp_path
    _entry()
    head = publishing.publish()
    assert status.facts()["is_log_broken"] is False
    (tmp_path / "log/checkpoint").write_bytes(logkey.signer().note(head.size + 1000, head.root))
    assert status.facts()["is_log_broken"] is True
    assert "không nối tiếp mốc đã ký" in signed_in("admin").get("/machine/status/").content.decode()


def test_the_status_page_says_when_a_restore_was_last_drilled_and_how_it_ended(office, signed_in):
    def told(failed, *, days):
        with time_machine.travel(timezone.now() - timedelta(days=days)), transaction.atomic():
            audit.write(Action.DRILL, actor=None, details={"backup": "one", "passed": [], "failed": failed})
        facts = status.facts()
        return facts["has_drill_failed"], facts["is_drill_late"]

    assert (status.facts()["drilled_at"], status.facts()["is_drill_late"]) == (None, True)
    assert "manage.py drill" in signed_in("admin").get("/machine/status/").content.decode()
    assert told({}, days=40) == (False, True)
    assert told({"log": "wrong"}, days=2) == (True, False)
    assert "đã không đạt" in signed_in("admin").get("/machine/status/").content.decode()
    assert told({}, days=0) == (False, False)
    assert "manage.py drill" not in signed_in("admin").get("/machine/status/").content.decode()
