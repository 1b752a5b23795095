"""Bad input: each kind has its own code and a sentence in both languages that says what to do; never half of a file."""

import io
import struct
import unicodedata
import zlib

import pikepdf
import pytest
from django.utils import translation

from archive import store
from archive.rules.levels import Level
from ingest import batches, intake, outcomes, worker
from ingest.models import ScanState
from ingest.tests.handing import bare_pdf, drop, open_batch, picture, read, text_pdf


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch):
    monkeypatch.setattr(worker, "RENEW_SECONDS", 3600)


def png_of(width, height, *, rows):
    """A PNG that claims a size and holds so many rows of it."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * ((width // 8 + 1) * rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def encrypted():
    return bare_pdf(encryption=pikepdf.Encryption(user="mat-khau", owner="chu"))


def bomb_pdf():
    """A page whose content is 4 GB of blanks packed four times over."""
    content = zlib.compress(zlib.compress(zlib.compress(b" " * 64_000_000, 9), 9), 9)
    held = pikepdf.new()
    held.add_blank_page(page_size=(595, 842))
    stream = pikepdf.Stream(held, content)
    stream.Filter = pikepdf.Array([pikepdf.Name.FlateDecode] * 3)
    held.pages[0].Contents = stream
    out = io.BytesIO()
    held.save(out, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return out.getvalue()


def looped_tiff():
    """A TIFF whose second page points back at the first."""
    single = picture("TIFF", size=(60, 80))
    looped = bytearray(single)
    (at,) = struct.unpack_from("<I", looped, 4)
    (entries,) = struct.unpack_from("<H", looped, at)
    struct.pack_into("<I", looped, at + 2 + entries * 12, at)
    return bytes(looped)


def cut_at_its_end():
    """A letter whose table of contents is lost, as after a broken transfer."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(text_pdf(pages=2))) as held:
        held.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable, deterministic_id=True)
    return out.getvalue()[: out.getvalue().rindex(b"xref\n0 ")]


REFUSED = {
    "empty": (b"", "ING-001"),
    "no pages": (b"%PDF-1.7\n%%EOF\n", "ING-006"),
    "cut in its first kilobyte": (text_pdf()[:900], "ING-006"),
    "a cut picture head": (picture("PNG")[:20], "ING-006"),
    "an office file named pdf": (b"PK\x03\x04" + b"\0" * 60 + b"word/document.xml", "ING-002"),
    "a program named pdf": (b"MZ\x90\0" + b"\0" * 200, "ING-002"),
    "a web page named pdf": (b"<!doctype html><html><body>x</body></html>", "ING-002"),
    "plain words": ("Kính gửi: Bộ Chỉ huy".encode(), "ING-002"),
    "two formats at once": (b"<html><script>1</script>" + bare_pdf(), "ING-009"),
    "10,000 pages": (bare_pdf(pages=10_000), "ING-007"),
    "too many pixels": (png_of(60_000, 60_000, rows=10), "ING-008"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_taken_in_is_refused_whole_with_its_own_code(office, kind):
    content, code = REFUSED[kind]
    before = set(store.addresses())
    scan = read(drop(office, content))
    assert (scan.state, scan.code) == (ScanState.REFUSED, code)
    assert (scan.original, scan.pack, scan.record) == (None, None, None)
    assert set(store.addresses()) == before
    assert_said(scan)


KEPT = {
    "encrypted": (encrypted(), {"ING-013"}),
    "a bomb in a page": (bomb_pdf(), {"", "ING-012", "ING-014", "ING-015", "ING-019"}),
    "a looped TIFF": (looped_tiff(), {"", "ING-014", "ING-015", "ING-019"}),
    "cut at its end": (cut_at_its_end(), {"", "ING-015", "ING-019"}),
}


@pytest.mark.parametrize("kind", KEPT)
def test_what_is_odd_but_a_dispatch_is_kept_whole(office, kind):
    content, codes = KEPT[kind]
    scan = read(drop(office, content))
    assert scan.state in {ScanState.FILED, ScanState.ATTENTION}
    assert scan.code in codes
    assert store.read(scan.original_id) == content
    assert_said(scan)


def test_a_file_with_a_password_is_marked_kept_and_never_opened(office):
    scan = read(drop(office, encrypted()))
    assert "encrypted" in scan.flags
    assert (scan.state, scan.record.page_amount) == (ScanState.ATTENTION, 0)


def assert_said(scan):
    """The clerk reads what happened and what to do, in both languages, with nothing left to fill in."""
    if not scan.code:
        return
    said = {}
    for language in ("vi", "en"):
        with translation.override(language):
            said[language] = outcomes.sentence(scan.code, scan.reason)
    assert said["vi"] != said["en"]
    assert not any("%(" in sentence or "{" in sentence for sentence in said.values())
    assert all(sentence.count(".") >= 1 and len(sentence) > 40 for sentence in said.values())


PARAMETERS = {
    "type": "text/html", "limit": "512 MB", "ceiling": "thuong", "clearance": "mat", "pages": 9, "name": "a.pdf",
    "day": "01/11/2026", "person": "A", "reason": "b", "confidence": 40, "page": 3, "level": "mat", "declared": "thuong",
    "failed": 2, "times": 4, "why": "cpu",
}  # fmt: skip


@pytest.mark.parametrize("code", outcomes.OUTCOMES)
def test_every_code_has_a_sentence_of_its_own_in_both_languages(code):
    said = []
    for language in ("vi", "en"):
        with translation.override(language):
            said.append(outcomes.sentence(code, PARAMETERS))
            others = [outcomes.sentence(other, PARAMETERS) for other in outcomes.OUTCOMES if other != code]
        assert said[-1] not in others
        assert "%(" not in said[-1]
    assert said[0] != said[1]


@pytest.mark.parametrize("code", outcomes.OUTCOMES)
def test_a_sentence_names_levels_as_the_reader_does(code):
    with translation.override("vi"):
        assert "toi-mat" not in outcomes.sentence(code, PARAMETERS | {"level": "toi-mat", "ceiling": "toi-mat"})


@pytest.mark.parametrize(
    "name",
    [
        unicodedata.normalize("NFD", "Công văn số 12.pdf"),
        "../../../etc/cron.d/x.pdf",
        "a\u202egpj.pdf",
        "a" * 1000 + ".pdf",
        "CON.pdf",
        "a\x00.pdf",
        "'; DROP TABLE scans; --.pdf",
        "<img src=x onerror=alert(1)>.pdf",
        "\ud83d\ude00.pdf",
    ],
)
def test_a_hostile_name_is_taken_in_harmless(office, name):
    scan = drop(office, name.encode("utf-8", "surrogatepass"), name=name)
    assert scan.state == ScanState.WAITING
    assert unicodedata.is_normalized("NFC", scan.name)
    assert "/" not in scan.name
    assert not any(unicodedata.category(sign) in {"Cc", "Cf", "Cs"} for sign in scan.name)
    assert len(scan.name) <= 255


def test_the_same_bytes_twice_are_kept_twice_and_a_person_is_asked(office):
    first, again = drop(office, text_pdf(), name="lan 1.pdf"), drop(office, text_pdf(), name="lan 2.pdf")
    assert again.code == outcomes.DUPLICATE
    assert first.original_id != again.original_id
    assert_said(again)


def test_a_full_disk_takes_nothing_in_and_loses_nothing(office, settings):
    before = set(store.addresses())
    settings.FREE_DISK_FLOOR = 2**62
    scan = drop(office, text_pdf())
    assert (scan.state, scan.code) == (ScanState.REFUSED, outcomes.DISK_FULL)
    assert set(store.addresses()) == before
    assert_said(scan)


def test_a_disk_that_fills_up_while_reading_keeps_the_original_and_is_tried_again(office, monkeypatch):
    scan = drop(office, text_pdf())
    put = store.put

    def full(*_args, **_more):
        raise store.StoreFull

    monkeypatch.setattr("ingest.pipeline.store.put", full)
    worker.work_once()
    scan.refresh_from_db()
    assert (scan.state, scan.stage) == (ScanState.WAITING, "read")
    assert store.read(scan.original_id) == text_pdf()
    monkeypatch.setattr("ingest.pipeline.store.put", put)
    type(scan).objects.update(not_before=scan.created_at)
    assert read(scan).state == ScanState.FILED


def test_a_disk_that_stays_full_costs_the_file_no_try_and_it_is_read_when_there_is_room(office, monkeypatch):
    scan = drop(office, text_pdf())
    put = store.put

    def full(*_args, **_more):
        raise store.StoreFull

    monkeypatch.setattr("ingest.pipeline.store.put", full)
    for _ in range(worker.TRIES + 1):
        type(scan).objects.update(not_before=scan.created_at)
        worker.work_once()
    scan.refresh_from_db()
    assert (scan.state, scan.attempts) == (ScanState.WAITING, 0)
    assert store.read(scan.original_id) == text_pdf()
    monkeypatch.setattr("ingest.pipeline.store.put", put)
    type(scan).objects.update(not_before=scan.created_at)
    assert read(scan).state == ScanState.FILED


def test_a_file_after_a_bad_one_is_read_all_the_same(office):
    batch = open_batch(office, level=Level.THUONG)
    bad = drop(office, bomb_pdf(), batch=batch)
    good = drop(office, text_pdf(), batch=batch)
    read(bad)
    good.refresh_from_db()
    assert good.state == ScanState.FILED
    total = batches.sum_of(batches.scans_of(batch, office.clerk))
    assert total.closes
    assert (total.handed_in, total.waiting) == (2, 0)


def test_too_large_says_the_limit(office, monkeypatch):
    monkeypatch.setattr(intake, "MAX_FILE_BYTES", 2 * 1024 * 1024)
    scan = drop(office, b"x" * (2 * 1024 * 1024 + 1))
    assert (scan.state, scan.code) == (ScanState.REFUSED, outcomes.TOO_LARGE)
    assert "2 MB" in outcomes.sentence(scan.code, scan.reason)
    assert_said(scan)
