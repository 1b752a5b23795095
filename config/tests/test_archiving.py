"""The way back to a moment on PostgreSQL: who runs the machine learns when the server's log is not kept."""

import os
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.test import Client
from django.utils import timezone, translation

from config import archiving, parts
from config.tests import clusters

NOW = datetime(2026, 11, 27, 5, 0, tzinfo=UTC)  # noon on the wall
SEGMENT = 16 * 1024 * 1024


@pytest.fixture
def told(monkeypatch):
    """Let the server say: told(kept=moment, failed=moment, pieces=n, since=moment)."""

    def say(*, kept=None, failed=None, pieces=1, since=NOW):
        name = f"0000000100000000{0x10:08X}" if kept else None
        row = (kept, failed, since, name, f"0000000100000000{0x10 + pieces:08X}", SEGMENT)
        monkeypatch.setattr(archiving, "_row", lambda: row)

    return say


def words(language="en"):
    with translation.override(language):
        return archiving.words(archiving.standing())


def test_a_server_that_keeps_its_log_is_no_news(told):
    told(kept=NOW, failed=NOW - timedelta(days=1), pieces=2)
    assert words() == ""
    assert archiving.standing().waiting == 1


def test_a_refused_piece_is_told_with_its_hour_and_the_way_out(told):
    told(kept=NOW - timedelta(hours=2), failed=NOW)
    assert words().startswith(
        "the server refused to keep the last piece of its log at 27/11/2026 12:00: there is no way back"
    )
    assert "archive_command" in words()
    assert words("vi").startswith("máy chủ không lưu được đoạn nhật ký cuối lúc 27/11/2026 12:00")


def test_a_server_that_never_could_is_failing_too(told):
    told(failed=NOW)
    assert archiving.standing().is_failing


def test_pieces_that_pile_up_are_told(told):
    told(kept=NOW, pieces=4)
    assert words() == ""
    told(kept=NOW, pieces=5)
    assert words().startswith("4 pieces of the server's log wait to be kept")
    assert words("vi").startswith("4 đoạn nhật ký của máy chủ")


def test_nothing_kept_within_the_first_hour_is_told(told):
    told(since=timezone.now() - timedelta(minutes=59))
    assert words() == ""
    told(since=timezone.now() - timedelta(minutes=61))
    assert words().startswith("no piece of the server's log was kept since")


def test_a_quiet_night_is_no_fault(told):
    told(kept=NOW - timedelta(days=3), pieces=1)
    assert words() == ""


@pytest.mark.django_db
def test_the_page_and_the_figures_say_it(told, office, signed_in):
    def said():
        parts.forget()
        return signed_in("admin").get("/machine/status/").content.decode(), Client().get("/metrics").content.decode()

    assert "archive_command" not in said()[0]
    told(kept=NOW, failed=NOW + timedelta(minutes=1), pieces=7)
    page, figures = said()
    assert "máy chủ không lưu được đoạn nhật ký cuối lúc 27/11/2026 12:01" in page
    assert "vankho_archiver_fails 1.0" in figures
    assert "vankho_archiver_waiting_pieces 6.0" in figures


@pytest.mark.django_db
def test_where_nothing_is_archived_neither_speaks_of_it(monkeypatch, office, signed_in):
    monkeypatch.setattr(archiving, "_row", lambda: None)
    parts.forget()
    assert "archiver" not in Client().get("/metrics").content.decode()
    assert "cơ sở dữ liệu lưu đến" not in signed_in("admin").get("/machine/status/").content.decode()


@pytest.mark.engine
def test_a_real_server_tells_a_plain_role_that_its_log_is_refused_and_kept_again(monkeypatch):
    if clusters.programs() is None:
        (pytest.fail if os.environ.get("VANKHO_TEST_REQUIRE") == "1" else pytest.skip)(
            "no PostgreSQL is installed here"
        )
    place = Path(tempfile.mkdtemp(prefix="vankho-kept-", dir="/tmp"))  # a socket's path must be short
    place.chmod(0o711)
    cluster, data = clusters.Cluster(place), place / "data"
    cluster.found(data)
    cluster.start(data)
    try:
        cluster.sql("CREATE ROLE app LOGIN", database="postgres")
        address = cluster.address("postgres").replace("owner@", "app@")
        monkeypatch.setattr(archiving, "_row", lambda: asked(address))

        piece(cluster)
        kept = until(lambda now: now.kept_at is not None)
        assert (kept.is_failing, kept.is_late, archiving.words(kept)) == (False, False, "")
        wal = cluster.archive / "wal"
        wal.rename(place / "away")
        wal.touch()  # the folder is not mounted
        piece(cluster)
        until(lambda now: now.is_failing and now.waiting == 1)
        wal.unlink()
        (place / "away").rename(wal)
        piece(cluster)  # a server that was refused three times sleeps for a minute, or until there is another piece
        until(lambda now: not now.is_failing and now.waiting == 0)
    finally:
        cluster.stop(data, mode="immediate")
        shutil.rmtree(place)


def asked(address):
    with psycopg.connect(address) as connection:
        return connection.execute(archiving._ASKED).fetchone()


def piece(cluster):
    """Let the server write something and begin a new piece of its log."""
    cluster.sql("SELECT pg_logical_emit_message(false, 'test', 'written'); SELECT pg_switch_wal()", database="postgres")
    cluster.sql("SELECT pg_logical_emit_message(false, 'test', 'the next piece is begun')", database="postgres")


def until(is_so, seconds=30):
    """Return how archiving stands as soon as it is so."""
    end = time.monotonic() + seconds
    while not is_so(now := archiving.standing()):
        assert time.monotonic() < end, now
        time.sleep(0.2)
    return now
