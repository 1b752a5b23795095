"""The clerk adds an annex to a registered dispatch, follows it, finds its words; a secret one waits for a decision."""

import os
import re
from pathlib import Path

import pytest

from config.tests.e2e import story as told

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]
OWN_LETTER = "sinh-hoat"  # none of the story: the same bytes in one house are taken once
SHOTS = os.environ.get("VANKHO_TEST_SHOTS", "")


def paper(*lines: str) -> bytes:
    """Return a sheet of text as an office program saves it."""
    import weasyprint

    body = "".join(f"<p>{line}</p>" for line in lines)
    return bytes(weasyprint.HTML(string=f"<body style=\"font: 13pt Tinos, 'DejaVu Serif'\">{body}</body>").write_pdf())


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("annexes")
    (folder / "cong-van-chinh.pdf").write_bytes(told.as_pdf(OWN_LETTER))
    (folder / "phu-luc-phong-chay.pdf").write_bytes(
        paper("Phụ lục I", "Danh sách bình bọt chữa cháy theo từng kho", "Kho số 4: mười hai bình bọt loại lớn")
    )
    (folder / "phu-luc-mat.pdf").write_bytes(paper("MẬT", "Phụ lục II", "Sơ đồ bố trí kho"))
    return folder


def shoot(visit, name):
    """Keep pictures of a page at both widths and in both themes, where a folder is named for them."""
    if not SHOTS:
        return
    for width in (1440, 390):
        for theme in ("light", "dark"):
            visit.page.set_viewport_size({"width": width, "height": 900})
            visit.page.emulate_media(color_scheme=theme)
            visit.page.screenshot(path=str(Path(SHOTS) / f"{name}-{width}-{theme}.png"), full_page=True)
    visit.page.emulate_media(color_scheme="light")
    visit.page.set_viewport_size({"width": 1440, "height": 900})


def registered(clerk, path):
    """Hand a letter in, register it, and return its key."""
    page = clerk.page
    clerk.go("/intake/")
    page.select_option("[name=level]", "thuong")
    page.set_input_files("[type=file]", path)
    clerk.until("document.querySelectorAll('[data-upload-list] .state-done').length === 1")
    clerk.send("[data-upload-batch]")
    clerk.until("!document.querySelector('#live[hx-trigger]')", seconds=90)
    key = re.search(r"/register/(\w+)/", page.get_attribute("#live a[href*='/register/']", "href") or "")[1]
    told.register(clerk, key, told.letter(OWN_LETTER))
    return key


def add(clerk, key, path, why):
    """Add a file on the page of a record."""
    clerk.go(f"/records/{key}/")
    clerk.page.set_input_files("#file-added", path)
    clerk.page.fill("#why-added", why)
    clerk.send("#files form .btn")
    assert path.name in clerk.toast()


def test_an_annex_is_added_followed_and_found_and_a_secret_one_waits(house, visit, papers):
    clerk = visit(house, "clerk")
    page = clerk.page
    key = registered(clerk, papers / "cong-van-chinh.pdf")

    # Added on the page of the record, read, and part of it.
    add(clerk, key, papers / "phu-luc-phong-chay.pdf", "Phụ lục gửi kèm công văn")
    clerk.until("document.querySelector('#files')?.innerText.includes('đã có thêm tệp')", seconds=90)
    clerk.fair()
    clerk.send("#files [role=status] a")
    assert page.locator("#files > .list-group > .list-group-item").count() == 2
    page.click("#files [data-show-page='2']")
    clerk.until("document.querySelector('.viewer-file').innerText.includes('phu-luc-phong-chay.pdf')")
    clerk.fair()
    shoot(clerk, "record")

    # Its words are found; the hit names the file, and opens on its page with the words marked.
    clerk.find("bình bọt chữa cháy")
    assert "phu-luc-phong-chay.pdf, tr. 1" in clerk.text()
    shoot(clerk, "hit")
    clerk.send("article.hit .chip:last-of-type")
    clerk.until("document.querySelectorAll('.over .hit').length > 0")
    assert clerk.text("[data-number]") == "2"

    # A sure sign of secrecy: no part of the dispatch, and the clerk decides after looking.
    add(clerk, key, papers / "phu-luc-mat.pdf", "Phụ lục gửi sau")
    clerk.until("document.querySelector('#files')?.innerText.includes('Chưa thuộc văn bản')", seconds=90)
    clerk.fair()
    shoot(clerk, "held-card")
    clerk.send("#files a[href*='/held/']")
    clerk.fair()
    shoot(clerk, "held")
    page.fill("[name=why]", "Là văn bản mật riêng")
    clerk.send("button[formaction*='/part/']")
    assert "thành văn bản riêng" in clerk.toast()
    clerk.leave()
