"""Limits of time on PostgreSQL: a blocked lock or a stuck statement ends in an answer, never in a wait without end."""

import time
from contextlib import contextmanager
from datetime import date

import pytest
from django.db import OperationalError, connection, transaction

from archive import registration
from archive.models import RegisterCounter, RegisterNumber
from archive.rules.levels import Level
from config import api

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("postgresql"), pytest.mark.django_db(transaction=True)]


@contextmanager
def held_by_another(statement, *values):
    """Another connection that has a lock and does not give it back."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            other.set_autocommit(False)
            cursor.execute(statement, values)
            yield
        other.rollback()
    finally:
        other.close()


@contextmanager
def in_five_seconds():
    began = time.monotonic()
    yield
    assert 4.5 < time.monotonic() - began < 8


def register(office, draft):
    entry = registration.Entry(
        level=Level.THUONG, code_number="1", code_notation="BC-BCH", issued_date=date(2026, 11, 1),
        organ_name="UBND", type_name="Báo cáo", subject="Báo cáo", arrival_date=date(2026, 11, 2),
    )  # fmt: skip
    return registration.register(draft, entry, register=office.incoming, actor=office.clerk)


def test_every_connection_has_the_limits():
    with connection.cursor() as cursor:
        for name, value in {
            "statement_timeout": "30s",
            "lock_timeout": "5s",
            "idle_in_transaction_session_timeout": "1min",
            "synchronous_commit": "on",
        }.items():
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone() == (value,)
    given = connection.get_connection_params()
    assert (given["connect_timeout"], given["tcp_user_timeout"]) == (5, 35_000)


def test_a_clerk_behind_a_stuck_register_is_refused_in_five_seconds_and_no_number_is_lost(office, make_draft):
    draft = make_draft()
    RegisterCounter.objects.create(register=office.incoming, year=2026)
    with held_by_another("UPDATE archive_registercounter SET last = last + 7"):
        with in_five_seconds(), pytest.raises(OperationalError):
            register(office, draft)
    register(office, draft)
    assert list(RegisterNumber.objects.values_list("number", flat=True)) == [1]


def test_a_page_behind_a_stuck_lock_is_a_clear_503(signed_in, make_record):
    make_record()
    browser = signed_in("clerk")
    browser.raise_request_exception = False
    assert browser.get("/").status_code == 200
    with held_by_another("LOCK TABLE archive_record IN ACCESS EXCLUSIVE MODE"), in_five_seconds():
        answer = browser.get("/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert "Cơ sở dữ liệu đang bận" in answer.content.decode()
    assert browser.get("/").status_code == 200


def test_a_statement_that_takes_too_long_is_ended_by_the_server():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '200ms'")
        with pytest.raises(OperationalError, match="statement timeout"):
            cursor.execute("SELECT pg_sleep(5)")
        transaction.set_rollback(True)


def test_the_api_says_503_with_a_code(rf):
    answer = api.busy(rf.get("/api/v1/records"), OperationalError())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert b"DB-005" in answer.content
