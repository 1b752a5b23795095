"""What the clean-up claims: it repairs what is measured, leaves the rest alone, and knows the way back."""

import cv2
import numpy as np
import pytest

from ingest import clean
from ingest.tests import drawn


def turned(page, degrees):
    height, width = page.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(page, matrix, (width, height), borderValue=(255, 255, 255)), matrix


def test_a_clean_page_is_left_alone():
    recipe = clean.choose(clean.measure(drawn.page(lines=25)))
    assert recipe == clean.PLAIN


@pytest.mark.parametrize("degrees", [-3.0, -0.8, 1.5, 4.0])
def test_a_leaning_page_is_straightened(degrees):
    page, _ = turned(drawn.page(lines=25), degrees)
    found = clean.measure(page)
    assert found.slope == pytest.approx(-degrees, abs=0.25)
    again = clean.clean(page, clean.choose(found)).gray
    assert abs(clean.measure(np.repeat(again[:, :, None], 3, axis=2)).slope) <= 0.25


def test_a_box_found_on_the_straightened_copy_lies_on_the_untouched_page():
    page = np.full((drawn.SIZE[1], drawn.SIZE[0], 3), 255, np.uint8)
    leaning, matrix = turned(page, 2.5)
    cleaned = clean.clean(leaning, clean.Recipe(slopes=(-2.5,)))
    box = cleaned.to_page((400, 500, 480, 530))
    x, y = matrix @ np.array([440, 515, 1])
    middle = ((box[0] + box[2]) / 2 * drawn.SIZE[0] / 10_000, (box[1] + box[3]) / 2 * drawn.SIZE[1] / 10_000)
    assert middle == pytest.approx((x, y), abs=3)


def test_a_photographed_page_gets_its_lines_straight_from_top_to_foot():
    page = drawn.page(lines=28)
    height, width = page.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    leaning = np.array([[60, 70], [width - 40, 10], [width - 90, height - 10], [20, height - 90]], np.float32)
    photo = cv2.warpPerspective(
        page, cv2.getPerspectiveTransform(corners, leaning), (width, height), borderValue=(90, 90, 90)
    )
    found = clean.measure(photo)
    assert abs(found.keystone) > 2
    straight = clean.clean(photo, clean.choose(found)).gray
    assert abs(clean.measure(np.repeat(straight[:, :, None], 3, axis=2)).keystone) < 1.2


def test_a_hard_shadow_is_evened_out_without_losing_ink():
    page = drawn.page(lines=25)
    dark = page.astype(np.float32)
    dark[1000:] *= 0.45
    found = clean.measure(dark.astype(np.uint8))
    assert found.spread > clean.EVEN_PAPER
    gray = clean.clean(dark.astype(np.uint8), clean.choose(found)).gray
    assert gray[1600, 100] > 240
    assert np.percentile(gray[1050:1900], 2) < 120


def test_red_over_black_leaves_the_black():
    page = drawn.page(lines=3)
    before = page[:, :, 0].copy()
    for x in range(300, 1300, 300):
        page = drawn.stamp(page, "", at_mm=(x / drawn.MM, 79), size_mm=(30, 8))
    found = clean.measure(page)
    assert clean.choose(found).drop_red
    gray = clean.clean(page, clean.choose(found)).gray
    assert gray[before < 60].mean() < 120
    assert gray[before > 250].mean() > 250


def test_noise_is_softened_only_where_it_is_measured():
    rng = np.random.default_rng(1)
    page = drawn.page(lines=25).astype(np.float32) * 0.6 + 70
    noisy = np.clip(page + rng.normal(0, 11, page.shape[:2])[:, :, None], 0, 255).astype(np.uint8)
    assert clean.choose(clean.measure(noisy)).blur > 0
    assert clean.choose(clean.measure(drawn.page(lines=25))).blur == 0


@pytest.mark.parametrize("shape", [(8, 8), (40, 2000), (2000, 40)])
def test_any_shape_of_page_is_measured_and_cleaned(shape):
    page = np.random.default_rng(2).integers(0, 256, (*shape, 3)).astype(np.uint8)
    assert clean.clean(page, clean.choose(clean.measure(page))).gray.shape == shape


def test_a_page_on_its_side_is_known_as_such():
    assert clean.measure(clean.turn(drawn.page(lines=25), 1)).is_sideways
    assert not clean.measure(drawn.page(lines=25)).is_sideways
