"""Many writers, one log: the chain of an object and the sequence of all stay whole, whoever is killed when."""

import hashlib
import json
import multiprocessing
import os
import random
import signal
import threading
import time

import pytest
from django.db import connections, transaction

from archive import audit, registration, sequencing
from archive.models import AuditEntry, AuditLeaf, AuditPending, RegisterNumber
from archive.rules.levels import Level
from archive.rules.roles import Action

pytestmark = [
    pytest.mark.engine,
    pytest.mark.usefixtures("postgresql"),
    pytest.mark.django_db(transaction=True),
]
FORK = multiprocessing.get_context("fork")
OBJECTS = [audit.Subject("office", "office"), audit.Subject("record", "shared"), audit.Subject("record", "other")]


def write_entry(number):
    with transaction.atomic():
        return audit.write(
            Action.RECORD_READ, actor=None, subject=OBJECTS[number % len(OBJECTS)], details={"n": number}
        )


def check_log():
    """Everything that an outsider would check, and that nothing waits any more."""
    entries = list(AuditEntry.objects.select_related("leaf").order_by("leaf__idx"))
    assert [entry.leaf.idx for entry in entries] == list(range(len(entries)))
    assert not AuditPending.objects.exists()
    ends = {}
    for entry in entries:
        key = (entry.object_type, entry.object_id)
        seq, previous = ends.get(key, (0, bytes(32)))
        body = json.loads(bytes(entry.body))
        assert (body["object_seq"], body["object_prev"]) == (seq + 1, previous.hex())
        ends[key] = (seq + 1, hashlib.sha256(b"\x00" + bytes(entry.body)).digest())
    return entries


def at_once(count, work):
    faults = []

    def run(number):
        try:
            work(number)
        except Exception as fault:  # noqa: BLE001 - shown by the assertion below
            faults.append(fault)
        finally:
            connections.close_all()

    crew = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    assert faults == []


def test_writers_on_one_object_never_break_its_chain():
    stop = threading.Event()
    placer = threading.Thread(target=lambda: (place_until(stop), connections.close_all()))
    placer.start()
    at_once(6, lambda number: [write_entry(number + n) for n in range(25)])
    stop.set()
    placer.join()
    sequencing.place_all()
    assert len(check_log()) == 150


def place_until(stop):
    while not stop.is_set():
        sequencing.place(limit=7)


def test_two_sequencers_at_once_give_no_place_twice():
    for number in range(60):
        write_entry(number)
    at_once(4, lambda _: [sequencing.place(limit=3) for _ in range(30)])
    sequencing.place_all()
    assert len(check_log()) == 60


def test_an_act_that_waits_holds_up_no_other_object():
    with transaction.atomic():
        audit.write(Action.RECORD_READ, actor=None, subject=OBJECTS[1])
        at_once(1, lambda _: (write_entry(2), sequencing.place_all()))
        assert AuditLeaf.objects.count() == 1


def write_and_say(pipe):
    """A child: write entries one after the other, say each one's id only when it is committed."""
    number = 0
    while True:
        pipe.send(str(write_entry(number).pk))
        number += 1


def place_and_say(pipe):
    """A child: place entries, a few at a time."""
    while True:
        sequencing.place(limit=random.randint(1, 5), wait=True)
        pipe.send("")


def test_no_kill_loses_an_entry_or_its_order():
    acknowledged = set()
    for _ in range(20):
        acknowledged |= run_and_kill((write_and_say, write_and_say, place_and_say))
    sequencing.place_all()
    entries = check_log()
    assert len(acknowledged) > 20
    assert acknowledged <= {str(entry.pk) for entry in entries}


def run_and_kill(works):
    connections.close_all()  # a child must not inherit a conversation with the server
    ways, crew = [], []
    for work in works:
        here, there = FORK.Pipe(duplex=False)
        crew.append(FORK.Process(target=work, args=(there,)))
        crew[-1].start()
        there.close()
        ways.append(here)
    until = time.monotonic() + random.uniform(0.1, 0.4)
    said = set()
    while time.monotonic() < until or not said:
        said |= {way.recv() for way in ways if way.poll(0.01)}
    for child in crew:
        os.kill(child.pid, signal.SIGKILL)
    for child in crew:
        child.join()
    return (said | {word for way in ways for word in rest(way)}) - {""}


def rest(way):
    try:
        while way.poll(0):
            yield way.recv()
    except (EOFError, OSError):
        return


def test_twenty_clerks_at_once_get_numbers_without_gap_or_double(office, make_draft):
    from datetime import date

    drafts = [make_draft() for _ in range(20)]

    def register(number):
        entry = registration.Entry(
            level=Level.THUONG, code_number=str(number), code_notation="BC-BCH", issued_date=date(2026, 11, 1),
            organ_name="UBND", type_name="Báo cáo", subject="Báo cáo", arrival_date=date(2026, 11, 2),
        )  # fmt: skip
        registration.register(drafts[number], entry, register=office.incoming, actor=office.clerk)

    at_once(20, register)
    assert sorted(RegisterNumber.objects.values_list("number", flat=True)) == list(range(1, 21))
    sequencing.place_all()
    check_log()
