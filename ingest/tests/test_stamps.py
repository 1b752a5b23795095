"""What the eye for stamps claims."""

import cv2
import numpy as np
import pytest

from archive.rules.levels import Level
from ingest import stamps
from ingest.tests import drawn

FORMS = {word: form for word, (kind, _, form) in stamps.WORDS.items() if kind != "arrival"}


def look(page, **more):
    return stamps.find(page, dpi=drawn.DPI, **more)


@pytest.mark.parametrize("word", FORMS)
@pytest.mark.parametrize("name", ["tinos", "arimo"])
def test_a_red_stamp_is_read_with_its_own_grade(word, name):
    page = drawn.stamp(drawn.page(), word, at_mm=(35, 45), size_mm=(FORMS[word] + (name == "arimo") * 4, 8), name=name)
    [seen] = look(page)
    assert (seen.kind, seen.slug) == stamps.WORDS[word][:2]
    assert seen.score >= stamps.SURE
    assert seen.box[0] < 2_200 < seen.box[2]


def test_a_worn_tilted_stamp_is_still_read():
    page = drawn.stamp(drawn.page(), "TỐI MẬT", at_mm=(40, 45), size_mm=(30, 8), strength=0.35)
    turn = cv2.getRotationMatrix2D((827, 400), 4, 1)
    tilted = cv2.warpAffine(page, turn, drawn.SIZE, borderValue=(255, 255, 255))
    assert [seen.slug for seen in look(tilted)] == [Level.TOI_MAT.slug]


def test_a_page_without_red_has_no_finds():
    assert look(drawn.page()) == []


@pytest.mark.parametrize(
    ("width", "slug"), [(20, "mat"), (25, "toi-mat"), (30, "toi-mat"), (35, "tuyet-mat"), (41, "tuyet-mat")]
)
def test_an_unread_box_counts_as_the_highest_grade_its_width_allows(width, slug):
    page = drawn.stamp(drawn.page(), "", at_mm=(40, 45), size_mm=(width, 8))
    [seen] = look(page)
    assert (seen.kind, seen.slug) == ("possible", slug)


def test_two_stamps_side_by_side_are_two_finds():
    page = drawn.stamp(drawn.page(), "MẬT", at_mm=(35, 45), size_mm=(20, 8))
    page = drawn.stamp(page, "HỎA TỐC", at_mm=(59, 45), size_mm=(30, 8))
    assert {(seen.kind, seen.slug) for seen in look(page)} == {("secrecy", "mat"), ("urgency", "hoa-toc")}


def test_an_incoming_stamp_and_a_seal_are_no_secrecy_stamps():
    page = drawn.stamp(drawn.page(), "ĐẾN", at_mm=(140, 45), size_mm=(48, 20))
    cv2.circle(page, (1200, 1900), round(18 * drawn.MM), (205, 30, 36), 6)
    assert {seen.kind for seen in look(page)} == {"arrival", "seal"}


def test_a_page_of_one_bit_is_never_cleared():
    assert [seen.kind for seen in look(drawn.page(), bits=1)] == ["unclear"]


def test_a_gray_page_with_a_framed_word_is_read():
    page = drawn.stamp(drawn.page(), "TUYỆT MẬT", at_mm=(40, 45), size_mm=(40, 8))
    gray = cv2.cvtColor(cv2.cvtColor(page, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert "tuyet-mat" in {seen.slug for seen in look(gray, bits=8) if seen.kind in {"secrecy", "possible"}}


@pytest.mark.parametrize("seed", range(4))
def test_red_handwriting_and_any_pixels_do_not_stop_the_eye(seed):
    rng = np.random.default_rng(seed)
    page = drawn.page(lines=2)
    points = rng.integers(100, 1600, (12, 2)).astype(np.int32)
    cv2.polylines(page, [points], isClosed=False, color=(210, 30, 40), thickness=5)
    assert all(seen.kind in {"possible", "arrival", "seal", "secrecy", "urgency"} for seen in look(page))
    noise = rng.integers(0, 256, (300, 200, 3)).astype(np.uint8)
    assert isinstance(look(noise), list)
    assert look(np.full((40, 30, 3), 255, np.uint8)) == []


def test_what_leaves_the_cell_comes_back_the_same_and_is_forced_into_shape():
    seen = stamps.StampFind("secrecy", "MẬT", "mat", 0.8, (1, 2, 3, 4))
    assert stamps.StampFind.from_json(seen.to_json()) == seen
    wild = stamps.StampFind.from_json({**seen.to_json(), "box": [-5, 2, 99_999, 4], "score": 7})
    assert (wild.box, wild.score) == ((0, 2, 10_000, 4), 1.0)
    with pytest.raises(KeyError):
        stamps.StampFind.from_json({"kind": "secrecy"})


def test_a_grainy_gray_copy_is_never_cleared():
    grain = np.random.default_rng(5).normal(0, 12, drawn.page().shape[:2])[:, :, None]
    copy = np.clip(drawn.page().astype(np.float32) * 0.6 + 70 + grain, 0, 255).astype(np.uint8)
    assert [seen.kind for seen in look(copy, bits=8)] == ["unclear"]


def test_red_names_below_the_head_are_no_secrecy_stamps():
    page = drawn.stamp(drawn.page(), "", at_mm=(110, 220), size_mm=(37, 7))
    assert look(page) == []
