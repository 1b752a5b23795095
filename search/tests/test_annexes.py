"""An annex is found like the letter it came with, on its own page, also when it was scanned into another pack."""

import pytest

from archive.models import DigitalObject, Page
from config.tests.office import pack_of
from search import finding
from search.entry import Order
from search.query import parse


@pytest.fixture
def with_annex(office, make_record, indexed):
    """A letter of one page with an annex of two pages, whose images and text lie in a pack of their own."""
    record = make_record(subject="Công văn về huấn luyện", pages=("Gửi kèm phụ lục.",))
    pack, ranges = pack_of(("Phụ lục I danh sách", "Thống kê đạn pháo binh theo đơn vị"), level=record.level)
    DigitalObject.objects.filter(pk=pack.pk).update(record=record)
    for page in ranges:
        Page.objects.create(
            record=record, number=1 + page.number, pack=pack, width=page.width, height=page.height,
            image_start=page.image[0], image_length=page.image[1], thumb_start=page.thumb[0],
            thumb_length=page.thumb[1], text_start=page.text[0], text_length=page.text[1],
            source=page.source, confidence=page.confidence,
        )  # fmt: skip
    indexed()
    return record


def test_a_hit_inside_an_annex_points_to_its_page_and_marks_the_words(office, with_annex):
    query = parse("dan phao binh")
    answer = finding.find(query, office.clerk, filters={}, order=Order.BEST, offset=0)
    assert [one.record.pk for one in answer.found] == [with_annex.pk]
    (hit,) = answer.found
    assert hit.excerpt.page == 3
    assert [page for page, _ in hit.excerpt.pages] == [3]
    assert [hit.excerpt.text[start:end] for start, end in hit.excerpt.spans] == ["đạn pháo binh"]
    boxes = finding.marks(query, with_annex)
    assert list(boxes) == [3]
    assert boxes[3]
