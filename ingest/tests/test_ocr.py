"""What the reader of pixels claims. Runs the real Tesseract."""

import io
import shutil
import unicodedata
from dataclasses import replace

import cv2
import numpy as np
import pytest

from archive.rules.page import PageText
from ingest import clean, layout, ocr
from ingest.tests import drawn

pytestmark = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract-ocr is not installed")


@pytest.fixture(scope="module")
def read():
    page = drawn.page()
    return ocr.read_page(ocr.Sheet(page, number=3))[0]


def test_the_words_stand_where_their_offsets_say(read):
    assert read.number == 3
    assert read.source == "ocr"
    assert all(read.text[word.start : word.start + len(word.text)] == word.text for word in read.words)
    assert unicodedata.is_normalized("NFC", read.text)


def test_a_clean_page_is_read_with_confidence(read):
    assert read.confidence >= ocr.SURE_ENOUGH
    assert read.flags == ()
    assert "Thực hiện kế hoạch công tác năm" in read.text


def test_the_two_columns_of_the_head_stay_apart(read):
    left = read.text.index("Số: 123/BC-PTM")
    assert read.text.index("PHÒNG THAM MƯU") < left < read.text.index("CỘNG HÒA XÃ HỘI")
    assert (
        read.text.index("CỘNG HÒA XÃ HỘI") < read.text.index("ngày 05 tháng 11 năm 2024") < read.text.index("BÁO CÁO")
    )


def test_boxes_lie_on_the_untouched_page_even_when_it_leans():
    page = drawn.page()
    matrix = cv2.getRotationMatrix2D((827, 1169), 2.0, 1)
    leaning = cv2.warpAffine(page, matrix, drawn.SIZE, borderValue=(255, 255, 255))
    text = ocr.read_page(ocr.Sheet(leaning))[0]
    word = next(word for word in text.words if word.text.startswith("123/BC"))
    x, y = matrix @ np.array([300 + 130, 265 + 18, 1])
    left, top, right, bottom = word.box
    assert left <= x / drawn.SIZE[0] * 10_000 <= right
    assert top <= y / drawn.SIZE[1] * 10_000 <= bottom


@pytest.mark.parametrize("quarters", [1, 2])
def test_a_page_the_wrong_way_up_is_turned_and_says_so(quarters):
    page = clean.turn(drawn.page(lines=12), quarters)
    source = io.BytesIO(page.tobytes())
    args = {"width": page.shape[1], "height": page.shape[0], "dpi": 200, "bits": 24, "number": 1}
    frames = list(ocr.job(source, args))
    text = PageText.from_bytes(frames[0][1])
    assert "Thực hiện kế hoạch" in text.text
    assert f"turned_{(4 - quarters) % 4 * 90}" in text.flags
    head, images = frames[1]
    assert head["kind"] == "turned"
    shown = cv2.imdecode(np.frombuffer(images[: -head["thumb"]], np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape[:2] == (head["height"], head["width"])
    assert head["height"] > head["width"]


def test_an_empty_page_has_no_text_and_no_complaint():
    text = ocr.read_page(ocr.Sheet(np.full((800, 600, 3), 255, np.uint8)))[0]
    assert (text.text, text.words, text.source, text.flags) == ("", (), "none", ())


def test_a_page_that_cannot_be_read_well_is_marked_for_a_person():
    rng = np.random.default_rng(3)
    page = cv2.GaussianBlur(drawn.page(), (0, 0), 4).astype(np.float32)
    ruined = np.clip(page + rng.normal(0, 60, page.shape), 0, 255).astype(np.uint8)
    text = ocr.read_page(ocr.Sheet(ruined))[0]
    assert len(text.words) < ocr.FEW_WORDS or "low_confidence" in text.flags


def test_a_foot_is_read_column_by_column():
    words = [
        ("Nơi nhận:", 1500, 7000, 1),
        ("CHỈ HUY TRƯỞNG", 6200, 7000, 1),
        ("- Như trên;", 1500, 7150, 2),
        ("Đại tá Lê Hữu Nghĩa", 6100, 8200, 4),
        ("- Lưu: VT.", 1500, 7300, 3),
    ]
    pieces = [layout.Piece(text, (x, y, x + 300, y + 110), 95, 1, (1, 1, line)) for text, x, y, line in words]
    text = layout.page_text(pieces, number=1, shape=1.414)
    assert text.text.split("\n") == [
        "Nơi nhận:",
        "- Như trên;",
        "- Lưu: VT.",
        "",
        "CHỈ HUY TRƯỞNG",
        "Đại tá Lê Hữu Nghĩa",
    ]


def test_justified_lines_of_the_body_are_not_cut():
    pieces = [layout.Piece(f"chữ{x}", (x, 5000, x + 500, 5100), 95, 1, (1, 1, 1)) for x in range(1500, 9000, 700)]
    assert "\n" not in layout.page_text(pieces, number=1, shape=1.414).text


def row(text, confidence, *, line=1, left=100):
    return "\t".join(["5", "1", "1", "1", str(line), "1", str(left), "10", "50", "20", str(confidence), text])


def test_a_doubtful_short_word_among_clear_ones_is_kept_and_alone_it_is_dirt():
    table = "\n".join(["head", row("-", 92), row("Lưu:", 93), row("VT,", 12), row("HC.", 96), row("ii", 12, line=2)])
    assert [word.text for word in ocr._rows(table)] == ["-", "Lưu:", "VT,", "HC."]


def test_words_of_one_row_found_in_two_lines_are_read_side_by_side():
    words = [
        ("Nơi nhận:", 1500, 7000, 1),
        ("B12.", 2700, 7150, 3),
        ("- Lưu:", 1500, 7160, 2),
        ("Đại tá", 6200, 7300, 4),
    ]
    pieces = [layout.Piece(text, (x, y, x + 300, y + 110), 95, 1, (1, 1, line)) for text, x, y, line in words]
    text = layout.page_text(pieces, number=1, shape=1.414)
    assert text.text.split("\n") == ["Nơi nhận:", "- Lưu: B12.", "", "Đại tá"]


def test_the_head_is_read_a_second_time_on_its_own():
    text, reading = ocr.read_page(ocr.Sheet(drawn.page()))
    doubtful = PageText(text.number, text.text, tuple(replace(word, confidence=70) for word in text.words), "ocr", 70)
    second = ocr.second_readings(doubtful, reading.cleaned)
    assert "Số: 123/BC-PTM" in second["left"].text
    assert "ngày 05 tháng 11 năm 2024" in second["right"].text
    number = next(word for word in second["left"].words if word.text.startswith("123"))
    first = next(word for word in text.words if word.text.startswith("123"))
    assert all(abs(one - other) < 60 for one, other in zip(number.box, first.box, strict=True))
