"""The clerk: files dropped, watched while they are read, registered by keys alone, submitted."""

import base64
import shutil
from pathlib import Path

import pytest

from config.tests.e2e import story as told

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]
DROP = """([names, types, contents]) => {
  const carried = new DataTransfer();
  contents.forEach((content, at) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    carried.items.add(new File([bytes], names[at], {type: types[at]}));
  });
  const place = document.querySelector("form[data-upload]");
  for (const name of ["dragenter", "dragover", "drop"]) {
    place.dispatchEvent(new DragEvent(name, {dataTransfer: carried, bubbles: true, cancelable: true}));
  }
}"""


def drop(visit, files):
    """Let files fall on the page, as from a file manager."""
    names, contents = zip(*files.items(), strict=True)
    kinds = ["application/pdf" if name.endswith("pdf") else "application/octet-stream" for name in names]
    visit.page.evaluate(DROP, [list(names), kinds, [base64.b64encode(each).decode() for each in contents]])


def wait_until_read(visit):
    visit.until("!document.querySelector('#live[hx-trigger]')", seconds=90)
    visit.settle()


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """A scan the reader is not sure of, a clean letter, and a file that is no paper at all."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "0091.pdf").write_bytes(told.as_scan("tuoi-17"))
    (folder / "kinh-phi.pdf").write_bytes(told.as_pdf("kinh-phi"))
    return folder


def test_files_are_dropped_watched_registered_by_keys_and_submitted(house, visit, papers):
    clerk = visit(house, "clerk")
    page = clerk.page
    clerk.go("/intake/")
    clerk.fair()

    # The level first: nothing is taken before it is declared.
    drop(clerk, {"0091.pdf": (papers / "0091.pdf").read_bytes()})
    assert page.is_visible("[data-upload-note]")
    page.select_option("[name=level]", "thuong")
    drop(clerk, {"0091.pdf": (papers / "0091.pdf").read_bytes(), "bai-hat.mp3": b"ID3\x04" + b"\0" * 2000})
    page.set_input_files("[type=file]", papers / "kinh-phi.pdf")
    clerk.until("document.querySelectorAll('[data-upload-list] .state-done').length === 3")
    clerk.fair()

    # The batch is watched until every file is read; the sum closes.
    page.click("[data-upload-batch]")
    clerk.fair()
    wait_until_read(clerk)
    clerk.fair()
    figures = [
        int(words) for words in page.eval_on_selector_all(".figures b", "all => all.map(one => one.textContent)")
    ]
    assert figures[0] == 3 == sum(figures[1:])
    assert figures[4] == 1
    assert "PDF, TIFF" in page.inner_text("tr.late:has-text('bai-hat.mp3')")  # the reason says what is accepted

    # The scan on the registering desk: boxes over the page, doubtful fields confirmed by Enter, F2 to the box and back.
    clerk.send("tr:has-text('0091.pdf') a[href*='/register/']")
    page.wait_for_selector("[data-sheet]:not([aria-busy]) img")
    assert page.locator("svg.over rect[data-field]").count() >= 3
    clerk.fair()
    letter = told.letter("tuoi-17")
    told.fill_what_was_not_read(clerk, letter)
    left = told.doubtful(clerk)
    if left:
        page.focus(f"[name={left[0]}]")
        page.keyboard.press("F2")
        assert page.evaluate("document.activeElement.hasAttribute('data-paper')")
        page.keyboard.press("F2")
        assert page.evaluate("document.activeElement.name") == left[0]
    for _ in range(len(left)):
        page.keyboard.press("Enter")
    assert told.doubtful(clerk) == []
    here = page.url
    clerk.send()
    assert page.url != here
    assert "/register/" in page.url  # the next draft stands on the desk
    assert "Sổ đăng ký" in clerk.toast()


def test_a_doubtful_field_that_nobody_looked_at_is_not_saved(house, visit, story):
    clerk = visit(house, "clerk")
    clerk.go(f"/register/{story.drafts['giay-moi']}/")
    clerk.page.eval_on_selector_all("[data-confirmed]", "all => all.forEach(one => one.disabled = true)")
    clerk.page.fill("[name=subject]", "")
    clerk.send()
    assert clerk.page.locator(".field .bad").count() >= 1
    clerk.fair()
    assert clerk.page.input_value("[name=organ_name]")  # nothing typed or read was cleared


def test_a_registered_dispatch_is_submitted_to_the_leader(house, visit, story):
    key = story.registered("quan-so")
    clerk = visit(house, "clerk")
    clerk.go("/work/")
    clerk.fair()
    assert key in clerk.page.content()
    clerk.go(f"/records/{key}/")
    clerk.fair()
    clerk.page.keyboard.press("c")
    clerk.page.wait_for_url("**/forward/")
    clerk.settle()
    clerk.fair()
    told.submit(clerk, key, "Kính trình đồng chí.")
    clerk.go(f"/records/{key}/thread/")
    assert "Phạm Văn Thành" in clerk.text()
    clerk.fair()


def test_a_file_laid_into_the_watched_folder_appears_on_the_desk(house, visit, tmp_path):
    laid: Path = house.home / "inbox" / "thuong" / "phan-cong.pdf"
    (tmp_path / "phan-cong.pdf").write_bytes(told.as_pdf("phan-cong"))
    laid.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(tmp_path / "phan-cong.pdf", laid)
    clerk = visit(house, "clerk")
    for _ in range(60):
        clerk.go("/register/")
        if "phan-cong.pdf" in clerk.text():
            break
        clerk.page.wait_for_timeout(500)
    assert "phan-cong.pdf" in clerk.text()
    clerk.fair()
    assert not laid.exists()


def test_the_registers_keep_what_was_numbered(house, visit, story):
    key = story.registered("quan-so")
    clerk = visit(house, "clerk")
    clerk.go("/registers/")
    clerk.fair()
    clerk.send("main a[href*='/registers/']")
    clerk.fair()
    assert key in clerk.page.content()
