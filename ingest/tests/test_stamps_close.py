"""Stamps that stand close, touch or overlap: a secrecy stamp may be doubtful, it is never gone."""

import cv2
import numpy as np
import pytest

from ingest import stamps
from ingest.tests import drawn

GRADES = {"mat": 1, "toi-mat": 2, "tuyet-mat": 3}
TOP, LEFT = 45, 60  # mm


def form(word):
    return stamps.WORDS[word][2], 20 if word == "ĐẾN" else 8


def pressed(secret, other, *, gap, side, lean=0):
    """A page with a secrecy stamp and another one beside, above or under it, `gap` millimetres away."""
    width, height = form(other)
    x, y = {
        "under": (LEFT, TOP + 8 + gap),
        "above": (LEFT, TOP - height - gap),
        "right": (LEFT + form(secret)[0] + gap, TOP),
        "left": (LEFT - width - gap, TOP),
    }[side]
    second = drawn.stamp(np.full_like(drawn.page(), 255), other, at_mm=(x, y), size_mm=(width, height))
    middle = ((x + width / 2) * drawn.MM, (y + height / 2) * drawn.MM)
    second = cv2.warpAffine(second, cv2.getRotationMatrix2D(middle, lean, 1), drawn.SIZE, borderValue=(255, 255, 255))
    first = drawn.stamp(drawn.page(), secret, at_mm=(LEFT, TOP), size_mm=form(secret))
    return (first.astype(np.uint16) * second // 255).astype(np.uint8)


def highest(page, *, kinds=("secrecy", "possible")):
    return max((GRADES[seen.slug] for seen in stamps.find(page, dpi=drawn.DPI) if seen.kind in kinds), default=0)


@pytest.mark.parametrize("gap", [0, 1.6, 4])
@pytest.mark.parametrize("side", ["under", "above", "right", "left"])
def test_a_secrecy_stamp_close_to_an_urgency_stamp_is_read(gap, side):
    page = pressed("MẬT", "KHẨN", gap=gap, side=side)
    assert highest(page, kinds=("secrecy",)) == GRADES["mat"]


@pytest.mark.parametrize("secret", ["MẬT", "TỐI MẬT", "TUYỆT MẬT"])
@pytest.mark.parametrize(
    ("other", "gap", "side", "lean"),
    [
        ("KHẨN", -2, "under", 8),
        ("HỎA TỐC", -2, "under", 8),
        ("HỎA TỐC", 1.6, "above", 3),
        ("THƯỢNG KHẨN", -3, "left", -6),
        ("ĐẾN", 0, "under", 0),
        ("ĐẾN", -3, "right", 9),
    ],
)
def test_a_secrecy_stamp_touched_by_another_is_never_gone_nor_graded_lower(secret, other, gap, side, lean):
    assert highest(pressed(secret, other, gap=gap, side=side, lean=lean)) >= GRADES[stamps.WORDS[secret][1]]


@pytest.mark.parametrize("size", [(20, 17), (30, 20), (48, 22), (60, 45)])
def test_red_ink_of_a_stamps_size_that_says_nothing_known_could_be_secrecy(size):
    page = drawn.stamp(drawn.page(), "", at_mm=(60, 45), size_mm=size)
    assert [seen.kind for seen in stamps.find(page, dpi=drawn.DPI)] == ["possible"]


@pytest.mark.parametrize("radius", [9, 18])  # of an electronic signature, of the round seal
def test_a_seal_in_the_head_is_a_seal(radius):
    page = drawn.page()
    cv2.circle(page, (1100, 500), round(radius * drawn.MM), (205, 30, 36), 6)
    cv2.circle(page, (1100, 500), round(radius * 0.6 * drawn.MM), (205, 30, 36), 3)
    assert {seen.kind for seen in stamps.find(page, dpi=drawn.DPI)} == {"seal"}


def test_an_urgency_stamp_alone_is_no_doubt():
    for word in ("KHẨN", "HỎA TỐC", "THƯỢNG KHẨN"):
        page = drawn.stamp(drawn.page(), word, at_mm=(60, 45), size_mm=form(word))
        assert [seen.kind for seen in stamps.find(page, dpi=drawn.DPI)] == ["urgency"]


def test_coloured_edges_of_print_are_no_stamp():
    page = drawn.page()
    cv2.line(page, (300, 500), (1300, 520), (255, 90, 90), 2)
    cv2.line(page, (300, 500), (300, 525), (255, 90, 90), 2)
    assert stamps.find(page, dpi=drawn.DPI) == []
