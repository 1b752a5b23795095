"""The archivist at the search page: types without marks, narrows, drags, builds, opens a hit - and no address holds a word."""

import re

import pytest

from config.tests.e2e.visit import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]
LETTERS = ("huan-luyen", "chinh-sach", "quan-so", "thong-tin")


@pytest.fixture
def archivist(house, visit, story):
    """The archivist before an index that has followed the registering of some dispatches."""
    for name in LETTERS:
        story.registered(name)
    here = visit(house, "archivist")
    here.addresses = []
    here.page.on("request", lambda request: here.addresses.append((request.url, request.headers.get("referer", ""))))
    for _ in range(40):
        here.find("nam")
        if here.page.locator("article.hit").count() >= 3:
            break
        here.page.wait_for_timeout(500)
    return here


def total(visit):
    return int(re.search(r"\d+", visit.text(".found h2"))[0])


def test_words_without_marks_are_found_narrowed_and_opened(archivist):
    page = archivist.page
    archivist.find("huan luyen")
    archivist.fair()
    assert "không dấu" in archivist.text("#chips")
    everything = total(archivist)

    box = page.locator(".facet [name=level]").first
    count = int(box.locator("xpath=..").locator(".num").inner_text())
    with page.expect_navigation():
        box.check()
    archivist.settle()
    assert total(archivist) == count
    assert page.locator(".facet [name=level]:checked").count() == 1

    archivist.send("#chips [name=drop]")
    assert total(archivist) == everything
    assert page.locator("#chips [name=drop]").count() == 0

    archivist.send("article.hit h3 a")
    page.wait_for_selector("svg.over .hit")
    assert page.locator("[data-places]").inner_text() != "0"
    said = [part for pair in archivist.addresses for part in pair if "huan" in part or "luyen" in part]
    assert said == []
    assert page.evaluate("history.length") > 1
    assert "huan" not in page.url


def test_an_answer_stands_at_an_address_of_its_own_for_who_reloads_or_comes_back(archivist):
    """It comes with the form, without a second request; to reload is then to ask its address, and nothing is sent anew."""
    page, asked = archivist.page, []
    archivist.go("/search/")
    page.on("request", lambda request: asked.append(request.method) if request.is_navigation_request() else None)
    page.fill("#q", "huan luyen")
    archivist.send("#ask .btn-primary")
    assert asked == ["POST"]
    address, found = page.url, total(archivist)
    assert re.search(r"/search/asked/[\w-]{22}/", address)
    page.reload()
    archivist.settle()
    assert (asked, page.url, total(archivist)) == (["POST", "GET"], address, found)
    page.fill("#q", "ke hoach")
    archivist.send("#ask .btn-primary")
    other = page.url
    assert other != address
    archivist.send("article.hit h3 a")
    page.go_back()
    archivist.settle()
    assert (page.url, page.input_value("#q")) == (other, "ke hoach")
    page.go_back()
    archivist.settle()
    assert (page.url, page.input_value("#q"), total(archivist)) == (address, "huan luyen", found)
    assert asked.count("POST") == 2
    archivist.go("/dossiers/")
    asked.clear()
    page.fill(".find [name=q]", "huan luyen")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    archivist.settle()
    assert (asked, total(archivist)) == (["POST"], found)
    assert re.search(r"/search/asked/[\w-]{22}/", page.url)


def test_a_chip_is_taken_out_of_the_words(archivist):
    archivist.find("huan luyen khan:thuong")
    assert archivist.page.locator("#chips .chip").count() == 2
    archivist.send("#chips .chip >> nth=1")
    assert archivist.page.input_value("#q") == "huan luyen"


def test_a_span_is_dragged_across_bars_or_chosen_by_keys(archivist):
    page = archivist.page
    archivist.find("nam")
    bars = page.locator(".bar")
    if bars.count() < 2:
        pytest.fail("the story's dispatches lie in one month: nothing to drag")
    counts = [int(label.rsplit(":", 1)[1]) for label in bars.evaluate_all("all => all.map(one => one.ariaLabel)")]
    first, second = bars.nth(0).bounding_box(), bars.nth(1).bounding_box()
    page.mouse.move(first["x"] + first["width"] / 2, first["y"] + first["height"] / 2)
    page.mouse.down()
    page.mouse.move(second["x"] + second["width"] / 2, second["y"] + second["height"] / 2, steps=6)
    assert page.locator(".bar.in-span").count() == 2
    with page.expect_navigation():
        page.mouse.up()
    archivist.settle()
    assert total(archivist) == counts[0] + counts[1]
    assert re.search(r"nam ngay:\d{4}-\d\d\.\.\d{4}-\d\d|nam nam:\d{4}\.\.\d{4}", page.input_value("#q"))

    archivist.find("nam")
    page.locator(".bar").nth(0).focus()
    page.keyboard.press("Shift+ArrowRight")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    archivist.settle()
    assert total(archivist) == counts[0] + counts[1]

    archivist.find("nam")
    archivist.send(".bar >> nth=1")
    assert total(archivist) == counts[1]


def test_the_builder_and_the_box_always_say_the_same(archivist):
    page = archivist.page
    archivist.find("huan luyen")
    page.click(".builder summary")
    archivist.fair()
    last = page.locator(".line").count() - 1
    page.select_option(f"#field-{last}", "type")
    archivist.until(f"document.querySelector('#field-{last}')?.value === 'type'")
    archivist.settle()
    page.locator(f"#value-{last}").press_sequentially("kế hoạch", delay=30)
    archivist.until("document.querySelector('#q').value === 'huan luyen loai:kế-hoạch'")
    archivist.until("document.querySelectorAll('#chips .chip').length === 2")
    page.click("[name=more]")
    archivist.until(f"document.querySelectorAll('.line').length === {last + 2}")
    page.click("[name=less] >> nth=0")
    archivist.until("document.querySelector('#q').value === 'loai:kế-hoạch'")
    page.fill("#q", "khan:khan")
    archivist.until("document.querySelector('#field-0')?.value === 'urgency'")
    archivist.settle()
    archivist.send("#ask .btn-primary")
    assert page.input_value("#q") == "khan:khan"


def test_suggestions_are_walked_by_keys(archivist):
    page = archivist.page
    archivist.go("/search/")
    page.locator("#q").press_sequentially("huan lu", delay=30)
    page.wait_for_selector("#hints [role=option]")
    archivist.fair()
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#q", "aria-activedescendant") == "hint-0"
    wanted = page.get_attribute("#hint-0", "data-text")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    archivist.settle()
    assert page.input_value("#q") == wanted


def test_who_types_on_is_offered_nothing_until_they_pause(archivist):
    """Each answered pause is an entry of the log: typing at the pace of an office is not full of them."""
    page = archivist.page
    archivist.go("/search/")
    archivist.addresses.clear()
    page.locator("#q").press_sequentially("huan luy", delay=200)
    page.wait_for_selector("#hints [role=option]")
    archivist.settle()
    assert len([url for url, _ in archivist.addresses if "hints" in url]) == 1


def test_the_bell_opens_within_a_narrow_screen(house, visit):
    here = visit(house, "archivist", size=PHONE)
    here.page.click("[aria-controls=notices]")
    box = here.page.locator("#notices").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE[0]
    here.fair()


def test_hits_are_shown_as_a_table_with_columns_of_choice(archivist):
    page = archivist.page
    archivist.find("nam")
    archivist.send("[name=show][value=table]")
    archivist.fair()
    page.click("[aria-controls=columns]")
    archivist.fair()
    page.check("#columns [value=signer]")
    assert page.is_visible("#columns")
    archivist.send("#columns [type=submit]")
    assert "Người ký" in archivist.text("thead")
    archivist.send("[name=show][value=list]")
    assert page.locator("article.hit").count()
