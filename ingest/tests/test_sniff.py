"""What is claimed of the first look at a file: bytes decide, names never do, two faces are refused."""

import os
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import outcomes, sniff
from ingest.sandbox import CellFailed
from ingest.tests import papers

ZIP = b"PK\x05\x06" + b"\0" * 18


@contextmanager
def opened(content):
    descriptor = os.memfd_create("paper")
    os.write(descriptor, content)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def sniffed(content):
    with opened(content) as paper:
        return sniff.sniff(paper)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (papers.pdf(), "application/pdf"),
        (papers.stored(papers.picture((200, 300)), "JPEG"), "image/jpeg"),
        (papers.stored(papers.picture((200, 300)), "PNG"), "image/png"),
        (papers.stored(papers.picture((200, 300)), "TIFF"), "image/tiff"),
    ],
)
def test_four_types_are_taken_in(content, media_type):
    found = sniffed(content)
    assert (found.type, found.refusal, found.marks) == (media_type, "", ())


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", outcomes.EMPTY),
        (b"\0" * 5000, outcomes.NOT_ACCEPTED),
        (b"GIF89a" + b"\0" * 40, outcomes.NOT_ACCEPTED),
        (b"MZ" + b"\0" * 200, outcomes.NOT_ACCEPTED),
        (b"<!DOCTYPE html><html><body>words</body></html>", outcomes.NOT_ACCEPTED),
        (b"<html><script>x</script></html>" + papers.pdf(), outcomes.TWO_FACED),
        (b"MZ\x90\0" + b"\0" * 60 + papers.pdf(), outcomes.TWO_FACED),
        (papers.pdf() + ZIP, outcomes.TWO_FACED),
        (papers.stored(papers.picture((200, 300)), "JPEG") + ZIP, outcomes.TWO_FACED),
        (b"\x89PNG\r\n\x1a\n%PDF-1.4" + b"\0" * 50, outcomes.TWO_FACED),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, outcomes.BROKEN),
        (b"II*\0" + b"\xff" * 60, outcomes.BROKEN),
    ],
)
def test_what_is_not_taken_in_is_refused_with_its_code(content, code):
    assert sniffed(content).refusal == code


def test_a_cell_that_sees_nothing_of_a_file_is_a_fault_of_ours(monkeypatch):
    monkeypatch.setattr(sniff, "_checked", lambda _head: sniff.Sniffed("application/x-empty", (), sniff.EMPTY))
    with pytest.raises(CellFailed):
        sniffed(papers.pdf())


def test_a_refused_type_is_named():
    found = sniffed(b"GIF89a" + b"\0" * 40)
    assert found.parameters == {"type": "image/gif"}
    assert outcomes.sentence(found.refusal, dict(found.parameters)).count("image/gif") == 1


@pytest.mark.parametrize(
    "lead", [b"\n \n", b"\xef\xbb\xbf", b"\x1b%-12345X@PJL JOB\n", b"% sent by a scanner\n", b"\0" * 12]
)
def test_harmless_bytes_before_a_pdf_are_marked_not_refused(lead):
    found = sniffed(lead + papers.pdf())
    assert (found.type, found.refusal, found.marks) == ("application/pdf", "", ("leading_bytes",))


def test_the_codes_are_those_of_the_outcomes():
    assert (sniff.EMPTY, sniff.NOT_ACCEPTED, sniff.BROKEN, sniff.TWO_FACED) == (
        outcomes.EMPTY, outcomes.NOT_ACCEPTED, outcomes.BROKEN, outcomes.TWO_FACED,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "media_type", "fits"),
    [
        ("công văn.pdf", "application/pdf", True),
        ("CV.PDF", "application/pdf", True),
        ("quet", "image/jpeg", True),
        (".quet", "image/jpeg", True),
        ("ban-do.jpg", "application/pdf", False),
        ("thu.pdf.exe", "application/pdf", False),
        ("a.TIFF", "image/tiff", True),
    ],
)
def test_a_name_that_lies_is_noticed(name, media_type, fits):
    assert sniff.name_fits(name, media_type) is fits


@given(
    st.dictionaries(st.sampled_from(["type", "marks", "refusal"]), st.one_of(st.none(), st.text(), st.lists(st.text())))
)
def test_whatever_a_captured_cell_answers_only_known_types_pass(head):
    found = sniff._checked(head)
    assert sniff.accept(found.type) or found.refusal


@given(st.binary(max_size=300), st.binary(max_size=100))
def test_the_look_never_fails(head, tail):
    media_type, marks, refusal = sniff.look(head, tail)
    assert sniff.accept(media_type) or refusal
    assert set(marks) <= {"leading_bytes"}
