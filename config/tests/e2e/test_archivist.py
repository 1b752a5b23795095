"""The archivist: opens, fills, closes and holds a dossier; finds a dispatch by words of its third page without marks."""

import io
import re
from datetime import date

import pypdfium2
import pytest

from config.tests.e2e import story as told
from search.text import vi_fold

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]
SLACK = 60  # ten-thousandths of the page: half a letter and the frame around a box


def pages_of(content):
    """Return the text pages of a PDF, each with its size."""
    return [(page.get_textpage(), page.get_size()) for page in pypdfium2.PdfDocument(io.BytesIO(content))]


def only_on_page(pages, number):
    """Return four words that stand together on one line of one page, and on no other page."""
    texts = [re.sub(r"\s+", " ", text.get_text_range()) for text, _size in pages]
    others = vi_fold(" ".join(texts[: number - 1] + texts[number:]))
    for line in pages[number - 1][0].get_text_range().splitlines():
        for phrase in re.findall(r"\w+ \w+ \w+ \w+", line):
            if vi_fold(phrase) not in others and vi_fold(phrase) != phrase.lower():
                return phrase
    raise AssertionError("no words of this page stand on it alone")


def place_of(pages, number, phrase):
    """Return the box of a phrase on its page, per 10,000 from the upper left."""
    text, (width, height) = pages[number - 1]
    start, count = text.search(phrase).get_next()
    boxes = [text.get_charbox(at) for at in range(start, start + count)]
    left, bottom = min(b[0] for b in boxes), min(b[1] for b in boxes)
    right, top = max(b[2] for b in boxes), max(b[3] for b in boxes)
    return [10000 * x for x in (left / width, 1 - top / height, right / width, 1 - bottom / height)]


def test_words_of_the_third_page_are_found_without_marks_and_shown_where_they_stand(house, visit, story):
    key = story.registered("huan-luyen")
    pages = pages_of(told.as_pdf("huan-luyen"))
    phrase = only_on_page(pages, 3)
    typed = vi_fold(phrase)
    archivist = visit(house, "archivist")
    for _ in range(40):  # search follows the log within a moment
        archivist.find(f'"{typed}"')
        if archivist.page.locator("article.hit").count():
            break
        archivist.page.wait_for_timeout(500)
    assert archivist.page.locator("article.hit").count() == 1
    archivist.fair()
    archivist.send("article.hit h3 a")
    archivist.page.wait_for_selector("[data-sheet]:not([aria-busy]) img")
    assert key in archivist.page.url
    assert archivist.page.inner_text("[data-number]") == "3"
    archivist.page.wait_for_selector("svg.over .hit")
    left, top, right, bottom = place_of(pages, 3, phrase)
    marked = archivist.page.evaluate(
        """() => {
          const sheet = document.querySelector("[data-sheet] img").getBoundingClientRect();
          return [...document.querySelectorAll("svg.over .hit")].map((one) => {
            const box = one.getBoundingClientRect();
            return [(box.left - sheet.left) / sheet.width, (box.top - sheet.top) / sheet.height,
              (box.right - sheet.left) / sheet.width, (box.bottom - sheet.top) / sheet.height].map((x) => x * 10000);
          });
        }"""
    )
    assert marked
    for box in marked:  # every mark lies over the words
        assert box[0] >= left - SLACK, (box, phrase)
        assert box[1] >= top - SLACK, (box, phrase)
        assert box[2] <= right + SLACK, (box, phrase)
        assert box[3] <= bottom + SLACK, (box, phrase)
    covered = sum(box[2] - box[0] for box in marked)
    assert covered >= 0.8 * (right - left)  # and together they leave out only the blanks between
    archivist.fair()


def test_a_dossier_is_opened_filled_closed_explained_and_held(house, visit, story):
    key = story.registered("chinh-sach")
    archivist = visit(house, "archivist")
    page = archivist.page
    archivist.fair()
    archivist.go("/dossiers/new/")
    archivist.fair()
    page.fill("[name=code]", "01-TH")
    page.fill("[name=title]", "Hồ sơ thử nghiệm công tác chính sách")
    page.eval_on_selector("[name=record_class]", "box => { box.selectedIndex = 1; }")
    page.eval_on_selector("[name=unit]", "box => { box.selectedIndex = Math.max(1, box.selectedIndex); }")
    page.fill("[name=opened_on]", f"01/01/{date.today().year}")
    archivist.send()
    archivist.until_elsewhere("/new/")
    dossier = page.url
    archivist.fair()

    archivist.go("/dossiers/unfiled/")
    archivist.fair()
    page.select_option("[name=dossier]", index=1)
    archivist.send(f"[formaction='/records/{key}/file/']")
    archivist.go(dossier)
    assert told.letter("chinh-sach").subject in archivist.text()

    page.click("[data-dialog=close]")
    archivist.fair()
    page.fill("dialog[open] [name=ended_on]", f"{date.today():%d/%m/%Y}")
    archivist.send()
    archivist.until("!document.querySelector('[data-dialog=close]')")
    archivist.settle()
    archivist.fair()

    archivist.go("/due/?years=70")
    archivist.fair()
    assert "01-TH" in archivist.text()
    assert len(page.inner_text("tr:has-text('01-TH')").split()) > 20  # the period, from when it runs, on what it rests

    archivist.go("/holds/")
    archivist.fair()
    page.fill("[name=name]", "Thanh tra công tác văn thư")
    page.fill("[name=reason]", "Giữ nguyên phục vụ đoàn thanh tra")
    page.eval_on_selector("[name=dossiers]", "box => { box.options[0].selected = true; }")
    archivist.send()
    archivist.until("document.querySelectorAll('[data-dialog^=lift]').length === 1")
    archivist.settle()
    archivist.fair()
    archivist.go("/due/?years=70")
    assert page.locator("tr:has-text('01-TH') .state-soon").count() == 1
    for address in ("/dossiers/", "/dossiers/?state=closed", "/plan/"):
        archivist.go(address)
        archivist.fair()
