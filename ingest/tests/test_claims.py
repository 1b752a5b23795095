"""Claims of many workers on PostgreSQL: nobody waits for another, nobody gets what another has."""

import multiprocessing
import time

import pytest
from django.db import connection, connections, transaction

from ingest import worker
from ingest.models import Scan
from ingest.tests.handing import drop, open_batch

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("postgresql"), pytest.mark.django_db(transaction=True)]
FORK = multiprocessing.get_context("fork")


def test_a_scan_that_another_worker_is_taking_is_passed_over(office):
    batch = open_batch(office)
    first, second = (drop(office, content, batch=batch) for content in (b"1", b"2"))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            other.set_autocommit(False)
            cursor.execute("SELECT 1 FROM ingest_scan WHERE id = %s FOR UPDATE", [first.pk])
            began = time.monotonic()
            assert worker.claim().scan_id == second.pk
            assert worker.claim() is None
            assert time.monotonic() - began < 1
        other.rollback()
    finally:
        other.close()
    assert worker.claim().scan_id == first.pk


def test_an_idle_worker_opens_no_writing_transaction(office, monkeypatch):
    def never(*_given, **_more):
        raise AssertionError

    monkeypatch.setattr(transaction, "atomic", never)
    assert worker.claim() is None


def claim_all(pipe):
    """A worker process: claim until nothing waits, say what it got."""
    got = []
    while claimed := worker.claim():
        got.append(claimed.scan_id)
    pipe.send(got)
    connections.close_all()


def test_of_many_worker_processes_each_scan_has_one(office):
    batch = open_batch(office)
    for number in range(60):
        drop(office, str(number).encode(), batch=batch)
    connections.close_all()  # a child must not inherit a conversation with the server
    ways = []
    for _ in range(6):
        here, there = FORK.Pipe(duplex=False)
        child = FORK.Process(target=claim_all, args=(there,))
        child.start()
        ways.append((here, child))
    got = [scan for way, _child in ways for scan in way.recv()]
    for _way, child in ways:
        child.join()
    # Who found only rows that others were taking ended early; whatever is left is there for the next look.
    while claimed := worker.claim():
        got.append(claimed.scan_id)
    assert len(got) == len(set(got)) == 60
    assert not Scan.objects.exclude(fence=1).exists()
