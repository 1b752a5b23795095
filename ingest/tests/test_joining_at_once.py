"""Clerks who add or decide at the very same moment: the bytes join once, one decision stands, the pages stay in one row."""

import threading

import pytest
from django.db import connections

from archive.models import Attachment, AuditEntry, Page
from archive.rules.errors import Refusal
from archive.rules.levels import Level
from ingest import intake, joining
from ingest.models import Scan, ScanState
from ingest.tests.handing import read, text_pdf
from ingest.tests.test_joining import _unhurried, add, signs  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts):
    """Do the acts in threads that begin together; return what each gave, a refusal as such."""
    start, given = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        start.wait()
        try:
            given[place] = act()
        except Refusal as refusal:
            given[place] = refusal
        finally:
            connections.close_all()

    crew = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return given


@pytest.mark.parametrize("round_", range(3))
def test_the_same_bytes_handed_over_at_once_are_taken_once(office, make_record, round_):
    record = make_record()
    content = text_pdf("Phụ lục")
    given = at_once(
        *[lambda name=f"{round_}-{number}.pdf": add(office, record, content, name=name) for number in range(4)]
    )
    assert sorted(added.is_new for added in given) == [False, False, False, True]
    (scan,) = Scan.objects.filter(joins=record)
    assert {added.name for added in given} == {scan.name}
    read(scan)
    assert Attachment.objects.filter(record=record).count() == 1


def test_different_files_handed_over_at_once_all_join_and_share_no_page(office, make_record):
    record = make_record(pages=("Một",))
    contents = [text_pdf(f"Phụ lục {number}") for number in range(4)]
    assert all(added.is_new for added in at_once(*[lambda one=one: add(office, record, one) for one in contents]))
    read(Scan.objects.first())
    rows = list(Attachment.objects.filter(record=record).values_list("ordinal", "first_page"))
    assert rows == [(1, 2), (2, 3), (3, 4), (4, 5)]
    assert list(Page.objects.filter(record=record).values_list("number", flat=True)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("other", ["accept", "part", "aside"])
def test_of_two_decisions_about_a_held_file_at_once_one_stands(office, make_record, signs, other):  # noqa: F811
    record = make_record()
    signs(Level.MAT, sure=False)
    scan = read(add(office, record).scan)
    acts = {
        "accept": lambda: joining.accept(scan_of(scan), why="Đã xem", actor=office.clerk),
        "part": lambda: joining.part(scan_of(scan), why="Riêng", actor=office.clerk),
        "aside": lambda: intake.dismiss(scan_of(scan), reason="Nhầm", actor=office.clerk),
    }
    given = at_once(acts["accept"], acts[other])
    late = [one for one in given if isinstance(one, Refusal)]
    assert [type(one) for one in late] == [intake.NothingToDo]
    scan.refresh_from_db()
    joined = Attachment.objects.filter(record=record).count()
    assert (joined, scan.state) in {(1, ScanState.FILED), (0, ScanState.WAITING), (0, ScanState.REFUSED)}
    decided = AuditEntry.objects.filter(action__in=["record.attached", "scan.apart", "scan.dismiss"], outcome="ok")
    assert decided.count() == 1


def scan_of(scan):
    return Scan.objects.select_related("joins", "batch__actor", "original", "pack").get(pk=scan.pk)
