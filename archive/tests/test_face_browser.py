"""The face in a real browser, under the policy the office sends: no server, no network, no database.

Every request of the page is answered here, from the repository's own files; what is
asked for is counted, because a page image sent is a page read in the log.
"""

import mimetypes
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django import forms
from django.contrib.staticfiles import finders
from django.template import Context, Template
from django.test import RequestFactory

from archive.rules.levels import Level
from archive.rules.proposal import Guess
from config.middleware import CSP

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SITE = "http://office.test"
PIXEL = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="620" height="877" viewBox="0 0 620 877">'
    b'<rect width="620" height="877" fill="white"/><text x="60" y="80">1187/KH-BTL</text></svg>'
)
SHELL = {
    "rail": [
        {"label": "", "items": [{"url": "/", "icon": "home", "label": "Desk", "active": True}]},
        {"label": "Find", "items": [{"url": "/found", "icon": "search", "label": "Search", "chord": "s"}]},
    ],
    "office": {"parent": "QUÂN KHU 9", "name": "BỘ CHQS TỈNH VĨNH LONG"},
    "site": {"profile": "evaluation", "ceiling": Level.TOI_MAT},
    "person": "Lê Thị Mai Hương",
    "page_level": Level.MAT,
}
HEAD = '{% extends "archive/base.html" %}{% load office static %}{% block main %}'
LIST = (
    HEAD + '<h1>Đến</h1><a id="n" href="#intake" data-key="n">N</a><button data-dialog="void">Hủy</button>'
    '{% include "archive/kit/confirm.html" with id="void" title="Hủy?" action="/void" verb="Hủy số" %}'
    '<form data-bulk><table class="table office" data-rows><tbody>{% for n in "123" %}<tr><td><input type="checkbox"></td>'
    '<td class="wide"><a href="#r{{ n }}">Dòng {{ n }}</a></td></tr>{% endfor %}</tbody></table>'
    "<div data-bulk-bar hidden><b data-bulk-count></b></div></form>{% endblock %}"
)
VIEW = (
    HEAD + '{% include "archive/kit/viewer.html" %}{% endblock %}'
    "{% block scripts %}<script src=\"{% static 'archive/viewer.js' %}\" defer></script>{% endblock %}"
)
DESK = (
    HEAD
    + '<div class="cols c-desk">{% include "archive/kit/viewer.html" with thumbs=False %}<form class="card" data-desk>'
    '{% for f in fields %}{% include "archive/kit/field.html" with field=f.0 n=forloop.counter guess=f.1 others=f.2 %}{% endfor %}'
    '{% include "archive/kit/desk_words.html" %}</form></div>{% endblock %}'
    "{% block scripts %}<script src=\"{% static 'archive/viewer.js' %}\" defer></script>"
    "<script src=\"{% static 'archive/desk.js' %}\" defer></script>{% endblock %}"
)
HAND_IN = (
    HEAD + '{% include "archive/kit/upload.html" with action="/hand-in" %}{% endblock %}'
    "{% block scripts %}<script src=\"{% static 'archive/upload.js' %}\" defer></script>{% endblock %}"
)


class Reading(forms.Form):
    number = forms.CharField(initial="1187/KH-BTL", widget=forms.TextInput(attrs={"class": "form-control"}))
    subject = forms.CharField(initial="Diễn tập", widget=forms.TextInput(attrs={"class": "form-control"}))


def paper(number: int, hits: list[list[int]] | None = None) -> dict[str, object]:
    return {
        "number": number,
        "image_url": f"/page/{number}.svg",
        "width": 620,
        "height": 877,
        "boxes": [],
        "hits": hits or [],
    }


class Desk:
    """One page in the browser, with what it asked for and what it complained about."""

    def __init__(self, page):
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.answers: list[tuple[int, str]] = []
        page.route("**/*", self.answer)
        page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, source: str, **context: object) -> None:
        request = RequestFactory().get("/")
        self.html = Template(source).render(Context({"request": request, "csrf_token": "t", **SHELL, **context}))
        self.page.goto(f"{SITE}/")
        self.page.wait_for_selector("html.js", state="attached")

    def answer(self, route) -> None:
        where = urlsplit(route.request.url).path
        headers = {"Content-Security-Policy": CSP}
        if where.startswith("/static/"):
            found = Path(finders.find(where.removeprefix("/static/")))
            kind = mimetypes.guess_type(found.name)[0] or "application/octet-stream"
            return route.fulfill(body=found.read_bytes(), content_type=kind, headers=headers)
        if where.startswith("/search/"):  # the bell of the top bar asks for its notices: none here
            return route.fulfill(status=204)
        self.asked.append(where)
        if where.startswith("/page/"):
            return route.fulfill(body=PIXEL, content_type="image/svg+xml", headers=headers)
        if where == "/hand-in":
            status, body = self.answers.pop(0)
            return route.fulfill(status=status, body=body, content_type="application/json")
        return route.fulfill(body=self.html, content_type="text/html; charset=utf-8", headers=headers)

    def focused(self) -> str:
        return self.page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.name || ''")


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """Start the machine's own Chromium once."""
    if CHROMIUM is None:
        without = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        without("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = play.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def desk(chromium) -> Iterator[Desk]:
    """Give a fresh page; at the end nothing may have breached the policy or failed."""
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    seen = Desk(page)
    yield seen
    page.close()
    assert [words for words in seen.complaints if "status of 4" not in words and "status of 5" not in words] == []


def test_letters_act_only_outside_text(desk):
    desk.open(LIST)
    desk.page.keyboard.press("/")
    if desk.focused() == "q":
        desk.page.keyboard.type("nj")
        assert desk.page.input_value("[name=q]") == "nj"
        desk.page.keyboard.press("Escape")
    desk.page.keyboard.press("n")
    assert desk.page.url.endswith("#intake")


def test_rows_are_walked_and_ticked_by_keys(desk):
    desk.open(LIST)
    for key in "jjk":
        desk.page.keyboard.press(key)
    assert desk.focused() == "#r1"
    desk.page.keyboard.press("x")
    assert desk.page.inner_text("[data-bulk-count]") == "1"


def test_a_chord_follows_the_rail(desk):
    desk.open(LIST)
    desk.page.keyboard.press("g")
    desk.page.keyboard.press("s")
    desk.page.wait_for_url("**/found")


def test_a_dialog_starts_on_the_reason_and_gives_the_focus_back(desk):
    desk.open(LIST)
    desk.page.click("[data-dialog=void]")
    assert desk.focused() == "reason"
    desk.page.keyboard.press("Escape")
    assert desk.page.evaluate("document.activeElement.dataset.dialog") == "void"


def test_the_theme_chosen_is_there_before_the_first_paint(desk):
    desk.open(LIST)
    for _ in range(3):
        desk.page.click("[data-theme-switch]")
    desk.page.evaluate("office.setTheme('dark')")
    desk.page.reload()
    assert desk.page.evaluate("document.documentElement.dataset.bsTheme") == "dark"


@pytest.mark.parametrize("width", [1440, 820, 390])
def test_no_page_is_wider_than_its_screen(desk, width):
    desk.page.set_viewport_size({"width": width, "height": 844})
    for source, context in (
        (LIST, {}),
        (VIEW, {"pages": [paper(1)], "record": "x"}),
        (HAND_IN, {"levels": [Level.MAT]}),
    ):
        desk.open(source, **context)
        assert desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_only_pages_really_shown_are_asked_for_and_only_once(desk):
    desk.open(VIEW, pages=[paper(n) for n in (1, 2, 3)], record="1187/KH-BTL", current=2)
    desk.page.wait_for_selector("[data-sheet]:not([aria-busy]) img")
    for key in "[][":
        desk.page.keyboard.press(key)
        desk.page.wait_for_selector("[data-sheet]:not([aria-busy]) img")
    assert [where for where in desk.asked if where.startswith("/page/")] == ["/page/2.svg", "/page/1.svg"]


def test_g_goes_from_place_to_place_across_pages(desk):
    desk.open(
        VIEW, pages=[paper(1, [[100, 100, 900, 300]]), paper(2), paper(3, [[0, 0, 50, 50]])], record="x", found="x"
    )
    desk.page.keyboard.press("g")
    assert desk.page.inner_text("[data-places]") == "1 / 2"
    desk.page.keyboard.press("g")
    assert desk.page.inner_text("[data-number]") == "3"
    desk.page.keyboard.press("Shift+G")
    assert desk.page.inner_text("[data-number]") == "1"


def test_the_desk_confirms_by_enter_and_takes_another_reading(desk):
    form = Reading()
    guesses = [
        Guess("1187/KH-BTL", 71, 1, (900, 700, 3000, 1000)),
        Guess("Diễn tập", 80, 1, (900, 2000, 3000, 2300)),
    ]
    others = [[("1181/KH-BTL", "1181/KH-BTL")], []]
    fields = list(zip((form["number"], form["subject"]), guesses, others, strict=True))
    desk.open(DESK, pages=[paper(1)], record="x", fields=fields)
    desk.page.wait_for_selector("canvas[data-crop]:not([hidden])")
    assert desk.focused() == "number"
    desk.page.keyboard.press("Alt+2")
    assert desk.page.input_value("[name=number]") == "1181/KH-BTL"
    assert desk.page.inner_text("[data-reading]") == "1187/KH-BTL"
    desk.page.keyboard.press("Enter")
    assert desk.focused() == "subject"
    sent = desk.page.evaluate("new FormData(document.querySelector('form[data-desk]')).getAll('confirmed')")
    assert sent == ["number"]
    desk.page.keyboard.press("F2")
    assert desk.page.evaluate("document.activeElement.hasAttribute('data-paper')")
    assert [where for where in desk.asked if where.startswith("/page/")] == ["/page/1.svg"]


def files(*names: str) -> list[dict[str, object]]:
    return [{"name": name, "mimeType": "application/pdf", "buffer": b"%PDF-1.7"} for name in names]


def test_no_file_is_sent_before_the_level_is_declared(desk):
    desk.open(HAND_IN, levels=[Level.THUONG, Level.MAT])
    desk.page.click("[data-choose-files]")
    assert desk.page.is_visible("[data-upload-note]")
    assert "/hand-in" not in desk.asked


def test_a_lost_file_is_offered_again_and_a_refused_one_says_why(desk):
    desk.answers = [
        (201, '{"ok": true, "batch": "17", "batch_url": "/batch/17"}'),
        (415, '{"ok": false, "message": "Không phải PDF."}'),
        (503, "<h1>away</h1>"),
        (201, '{"ok": true, "batch": "17"}'),
    ]
    desk.open(HAND_IN, levels=[Level.THUONG, Level.MAT])
    desk.page.select_option("[name=level]", "mat")
    desk.page.set_input_files("[type=file]", files("a.pdf", "b.exe", "c.pdf"))
    desk.page.wait_for_selector("button[data-again]:not([hidden])")
    assert "Không phải PDF." in desk.page.inner_text("[data-upload-list]")
    desk.page.click("button[data-again]:not([hidden])")
    desk.page.wait_for_selector(":nth-match(.state-done, 2)")
    assert desk.page.get_attribute("[data-upload-batch]", "href") == "/batch/17"
