"""An annex is found like the letter it came with: on its own page, by its name, with the words marked."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from archive import attachments, capture
from archive.rules.levels import Level
from archive.rules.proposal import Suggestion
from config.tests.office import pack_of, seal
from search import finding
from search.entry import Order
from search.query import parse

NAME = "phu-luc-sung-phao.pdf"


@pytest.fixture
def with_annex(office, make_record, indexed):
    """A letter of one page with an annex of two pages, whose images and text lie in a pack of their own."""
    record = make_record(subject="Công văn về huấn luyện", pages=("Gửi kèm phụ lục.",))
    join(office, record, ("Phụ lục I danh sách", "Thống kê đạn pháo binh theo đơn vị"))
    indexed()
    return record


def join(office, record, texts, *, name=NAME):
    pack, ranges = pack_of(texts, level=record.level)
    level = Level(record.level)
    original = seal(f"%PDF-1.4 {name}".encode(), level=level, role="original", name=name)
    captured = capture.Captured(
        unit=record.unit, suggestion=Suggestion(level, level, level), original=original, pack=pack, pages=ranges
    )
    handed = attachments.Handed(office.clerk, datetime.now(UTC), "Kèm công văn")
    return attachments.join(record, captured, handed=handed)


def found(office, words, *, name="clerk"):
    person = getattr(office, name)
    return finding.find(parse(words), person, filters={}, order=Order.BEST, offset=0).found


def test_a_hit_inside_an_annex_points_to_its_page_and_marks_the_words(office, with_annex):
    (hit,) = found(office, "dan phao binh")
    assert hit.record.pk == with_annex.pk
    assert hit.excerpt.page == 3
    assert [page for page, _ in hit.excerpt.pages] == [3]
    assert [hit.excerpt.text[start:end] for start, end in hit.excerpt.spans] == ["đạn pháo binh"]
    boxes = finding.marks(parse("dan phao binh"), with_annex)
    assert list(boxes) == [3]
    assert boxes[3]


def test_a_hit_inside_an_annex_names_the_file_and_the_page_in_it(office, with_annex, signed_in):
    (hit,) = found(office, "dan phao binh")
    assert (hit.file_of(1), hit.file_of(3).name) == (None, NAME)
    page = signed_in("clerk").post(reverse("search:search"), {"q": "đạn pháo binh"}, follow=True).content.decode()
    assert f"{NAME}, tr. 2" in page


def test_a_hit_in_the_main_file_names_no_annex(office, with_annex, signed_in):
    page = signed_in("clerk").post(reverse("search:search"), {"q": '"gửi kèm phụ lục"'}, follow=True).content.decode()
    assert "tr. 1" in page
    assert NAME not in page


def test_an_annex_is_found_by_its_name(office, with_annex):
    assert [hit.record.pk for hit in found(office, "phu luc sung phao")] == [with_annex.pk]


def test_a_file_that_joins_later_is_found_without_a_rebuild(office, with_annex, indexed):
    assert not found(office, "khí tượng thủy văn")
    join(office, with_annex, ("Bản tin khí tượng thủy văn",), name="ban-tin.pdf")
    indexed()
    (hit,) = found(office, "khí tượng thủy văn")
    assert (hit.excerpt.page, hit.file_of(4).name) == (4, "ban-tin.pdf")


def test_of_a_voided_file_no_word_is_shown_even_before_the_index_has_followed(office, with_annex, indexed):
    join(office, with_annex, ("Bản tin khí tượng thủy văn về đạn pháo binh",), name="ban-tin.pdf")
    indexed()
    attachments.void(with_annex, 1, reason="Nhầm", actor=office.clerk)
    (hit,) = found(office, "dan phao binh")  # found on pages 3, which is void, and 4
    assert ("Thống kê" in hit.excerpt.text, [page for page, _count in hit.excerpt.pages]) == (False, [4])
    (hit,) = found(office, "phụ lục I danh sách")
    assert (hit.excerpt.text, hit.excerpt.spans, [page for page, _count in hit.excerpt.pages]) == ("", (), [1])
    indexed()
    assert not found(office, "phụ lục I danh sách")
    (hit,) = found(office, "dan phao binh")
    assert (hit.excerpt.page, hit.file_of(4).name) == (4, "ban-tin.pdf")


def test_the_api_says_in_which_file_a_hit_lies(office, with_annex, signed_in):
    from search.api import _hit

    (hit,) = found(office, "dan phao binh")
    assert _hit(hit)["attached_pages"] == [{"page": 3, "file": 1, "name": NAME, "file_page": 2}]


@pytest.mark.parametrize("name", ["stranger", "auditor", "security", "admin"])
def test_an_annex_is_found_by_nobody_who_may_not_see_its_record(office, with_annex, name):
    assert not found(office, "đạn pháo binh", name=name)
    assert not found(office, "phu luc sung phao", name=name)
