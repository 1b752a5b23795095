"""What reading a file claims: order, bounds, distrust of what comes out of a cell."""

import os
import threading
import time

import numpy as np
import pytest

from archive.rules.page import PageText, Word
from ingest import reading
from ingest.sandbox import CellFailed, Frame
from ingest.stamps import StampFind

TEXT = "Bộ Chỉ huy Quân sự tỉnh báo cáo kết quả kiểm tra công tác quản lý hồ sơ, tài liệu năm 2024 tại các đơn vị. " * 3


def text_of(number, text=TEXT):
    first = text.split()[0] if text else ""
    words = (Word(first, 0, (10, 10, 90, 30), 95),) if first else ()
    return PageText(number, text, words, "ocr", 95)


def page_frame(number, *, pixels=True, layer=None, flags=()):
    raw = np.full((4, 3, 3), number, np.uint8).tobytes() if pixels else b""
    head = {
        "kind": "page", "number": number, "width": 30, "height": 40, "dpi": 150, "bits": 24,
        "layer": layer, "flags": list(flags), "image": 5, "thumb": 3, "pixels": len(raw),
        "pixels_width": 3, "pixels_height": 4, "pixels_dpi": 200,
    }  # fmt: skip
    return Frame(head, b"IMAGE" + b"thm" + raw)


def answer(number, text=TEXT):
    return Frame({"kind": "text", "stamps": [], "second": {}}, text_of(number, text).to_bytes())


class Drawing(reading.sandbox.Cell):
    """A drawing cell without a process."""

    def __init__(self, cells, first):
        self.cells, self.made = cells, cells.draw(first)

    def __next__(self):
        return next(self.made)

    def close(self):
        self.cells.is_closed = True


class Cells:
    """Stands for the cells: what is drawn, and how each page is read."""

    def __init__(self, frames, read=None):
        self.frames = frames
        self.read = read or (lambda args, _: [answer(args["number"])])
        self.drawn = self.busy = self.most_busy = 0
        self.lock = threading.Lock()

    def run(self, job, *, source, args, limits):
        if job == "ingest.pages:draw":
            self.is_closed = False
            return Drawing(self, args["first"])
        assert limits.programs
        return iter(self._read(args, os.pread(source, 1_000_000, 0)))

    def draw(self, first):
        yield Frame({"kind": "file", "pages": len(self.frames), "flags": ["signed"], "signatures": 1}, b"")
        for index, frame in enumerate(self.frames[first - 1 :], start=first - 1):
            if isinstance(frame, tuple):  # a fault, and what comes after it
                self.frames[index] = frame[1]
                raise frame[0]
            if isinstance(frame, Exception):
                raise frame
            self.drawn += 1
            yield frame

    def _read(self, args, raw):
        with self.lock:
            self.busy += 1
            self.most_busy = max(self.busy, self.most_busy)
        try:
            return self.read(args, raw)
        finally:
            with self.lock:
                self.busy -= 1


@pytest.fixture
def cells(monkeypatch):
    def install(frames, read=None):
        made = Cells(frames, read)
        monkeypatch.setattr(reading.sandbox, "run", made.run)
        return made

    return install


def read_all(**more):
    facts, pages = reading.read(0, type="application/pdf", **more)
    return facts, list(pages)


def test_pages_come_in_order_whatever_order_they_were_read_in(cells):
    def slow_first(args, raw):
        time.sleep(0.05 if args["number"] == 1 else 0)
        return [answer(args["number"])]

    cells([page_frame(n) for n in range(1, 8)], slow_first)
    told = []
    facts, pages = read_all(progress=lambda done, total: told.append((done, total)))
    assert [page.number for page in pages] == list(range(1, 8))
    assert told == [(n, 7) for n in range(1, 8)]
    assert (facts.pages, facts.flags, facts.signatures) == (7, ("signed",), 1)
    assert pages[0].image == b"IMAGE"
    assert pages[0].thumb == b"thm"


def test_reading_cells_never_outnumber_the_cores_and_few_pages_wait(cells):
    made = cells([page_frame(n) for n in range(1, 20)], lambda *_: time.sleep(0.01) or [])
    _, pages = reading.read(0, type="application/pdf")
    next(pages)
    assert made.drawn <= reading.cores() + reading.AHEAD + 1
    list(pages)
    assert made.most_busy <= reading.cores()


def test_the_reading_cell_gets_exactly_the_pixels_of_its_page(cells):
    got = {}

    def keep(args, raw):
        got[args["number"]] = raw
        return [answer(args["number"])]

    cells([page_frame(1), page_frame(2)], keep)
    read_all()
    assert got == {1: bytes([1] * 36), 2: bytes([2] * 36)}


def test_a_good_text_layer_is_used_without_reading(cells):
    layer = PageText(1, TEXT, (), "layer", 100).to_bytes().decode()
    made = cells([page_frame(1, pixels=False, layer=layer)], lambda *_: pytest.fail("must not be read"))
    _, [page] = read_all()
    assert (page.text.source, page.text.text) == ("layer", TEXT)
    assert made.drawn == 1


def test_an_invisible_layer_that_says_something_else_is_marked(cells):
    lie = PageText(1, "Payment of one million to the bearer of this note without any delay. " * 4, (), "layer", 100)
    poor = PageText(1, TEXT.replace("ộ", "o").replace("ả", "à"), (), "layer", 100)
    cells([page_frame(1, layer=lie.to_bytes().decode()), page_frame(2, layer=poor.to_bytes().decode())])
    _, pages = read_all()
    assert "hidden_text" in pages[0].flags
    assert "hidden_text" not in pages[1].flags
    assert pages[0].text.text == TEXT  # the page is trusted, not the layer


def test_a_page_whose_cell_dies_keeps_its_image_and_is_marked(cells):
    def dies(args, raw):
        if args["number"] == 2:
            raise CellFailed("memory")
        return [answer(args["number"])]

    cells([page_frame(n) for n in (1, 2, 3)], dies)
    _, pages = read_all()
    assert [page.text.source for page in pages] == ["ocr", "none", "ocr"]
    assert "low_confidence" in pages[1].text.flags
    assert pages[1].image == b"IMAGE"


@pytest.mark.parametrize("how", ["memory", "crash"])
def test_a_page_that_kills_its_drawing_cell_is_passed_over_and_the_rest_is_read(cells, how):
    cells([page_frame(1), CellFailed(how), page_frame(3), Frame({"kind": "unread", "number": 4}, b""), page_frame(5)])
    facts, pages = read_all()
    assert facts.pages == 5
    assert [page.number for page in pages] == [1, 3, 5]


@pytest.mark.parametrize("fault", [CellFailed("crash"), CellFailed("memory", "SIGKILL")])
def test_a_page_whose_drawing_cell_was_killed_once_is_not_passed_over(cells, fault):
    cells([(fault, page_frame(1)), page_frame(2), (fault, page_frame(3))])
    _, pages = read_all()
    assert [page.number for page in pages] == [1, 2, 3]


def test_a_drawing_that_always_dies_ends(cells):
    cells([CellFailed("cpu")] * 100)
    assert read_all()[1] == []


def test_a_refusal_of_the_drawing_cell_is_passed_on_with_its_parameters(monkeypatch):
    head = {"kind": "file", "pages": 9_000, "refusal": "ING-007", "parameters": {"pages": 9_000, "limit": 500}}
    monkeypatch.setattr(reading.sandbox, "run", lambda *_, **__: iter([Frame(head, b"")]))
    with pytest.raises(reading.Unreadable) as refusal:
        reading.read(0, type="application/pdf")
    assert (refusal.value.code, refusal.value.parameters) == ("ING-007", {"pages": 9_000, "limit": 500})


@pytest.mark.parametrize(("reason", "code"), [("memory", "ING-012"), ("cpu", "ING-012"), ("wall", "ING-012")])
def test_a_file_that_cannot_be_opened_says_why(monkeypatch, reason, code):
    def run(*_, **__):
        raise CellFailed(reason)
        yield

    monkeypatch.setattr(reading.sandbox, "run", run)
    with pytest.raises(reading.Unreadable) as refusal:
        reading.read(0, type="application/pdf")
    assert refusal.value.code == code


@pytest.mark.parametrize("fault", [("crash", "SIGSEGV"), ("output", ""), ("memory", "SIGKILL"), ("parser", "")])
def test_a_cell_that_crashed_or_was_killed_is_never_damage_of_the_file(monkeypatch, fault):
    def run(*_, **__):
        raise CellFailed(*fault)
        yield

    monkeypatch.setattr(reading.sandbox, "run", run)
    with pytest.raises(CellFailed):
        reading.read(0, type="application/pdf")


def test_a_page_whose_cell_was_killed_gets_a_second_one(cells):
    killed = []

    def dies_once(args, raw):
        if args["number"] == 2 and not killed:
            killed.append(args["number"])
            raise CellFailed("crash")
        return [answer(args["number"])]

    cells([page_frame(n) for n in (1, 2, 3)], dies_once)
    _, pages = read_all()
    assert [page.text.source for page in pages] == ["ocr"] * 3


@pytest.mark.parametrize(
    "stored",
    [
        b"not json",
        PageText(1, "abc", (Word("xyz", 0, (0, 0, 1, 1), 9),), "ocr", 9).to_bytes(),
        PageText(1, "abc", (Word("abc", 0, (0, 0, 1, 20_000), 9),), "ocr", 9).to_bytes(),
        PageText(1, "a" * 300_000, (), "ocr", 9).to_bytes(),
    ],
)
def test_what_a_cell_sends_is_not_believed(cells, stored):
    cells([page_frame(1)], lambda *_: [Frame({"kind": "text", "stamps": [], "second": {}}, stored)])
    _, [page] = read_all()
    assert "unread" in page.text.flags


def test_a_page_scanned_upside_down_is_shown_as_it_is_read(cells):
    def turned(args, raw):
        text = Frame({"kind": "text", "stamps": [], "second": {}, "turned": 2}, text_of(1).to_bytes())
        return [text, Frame({"kind": "turned", "width": 70, "height": 90, "thumb": 2}, b"UPRIGHTok")]

    cells([page_frame(1)], turned)
    _, [page] = read_all()
    assert (page.width, page.height, page.image, page.thumb) == (70, 90, b"UPRIGHT", b"ok")


def test_stamps_and_second_readings_survive_being_kept_with_the_scan(cells):
    find = StampFind("secrecy", "MẬT", "mat", 0.9, (1, 2, 3, 4))
    left = text_of(2, "Số: 123/BC-BCH").to_bytes().decode()

    def read(args, raw):
        second = {"left": left} if args["number"] == 2 else {}
        head = {"kind": "text", "stamps": [find.to_json()], "second": second}
        return [Frame(head, text_of(args["number"]).to_bytes())]

    cells([page_frame(1), page_frame(2)], read)
    _, pages = read_all()
    kept = [{"second": dict(page.second), "stamps": [one.to_json() for one in page.stamps]} for page in pages]
    assert reading.second_readings(kept)["left"].text == "Số: 123/BC-BCH"
    assert [one.page for page in kept for one in reading.stamp_finds(page["stamps"])] == [1, 2]


def test_leaving_early_stops_the_drawing(cells):
    made = cells([page_frame(n) for n in range(1, 50)])
    _, pages = reading.read(0, type="application/pdf")
    next(pages)
    pages.close()
    assert made.drawn < 10
    assert made.is_closed


@pytest.mark.parametrize(
    "head", [{}, {"kind": "page", "number": "x"}, {"kind": "page", "number": 2, "layer": {"a": 1}}]
)
def test_a_broken_page_frame_is_dropped_and_the_file_goes_on(cells, head):
    cells([page_frame(1), Frame({"kind": "page", **head}, b""), page_frame(3)])
    _, pages = read_all()
    assert [page.number for page in pages] == [1, 3]
