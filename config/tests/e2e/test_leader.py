"""The leader: directs on the phone, later approves what was answered."""

import pytest

from config.tests.e2e import story as told
from config.tests.e2e.visit import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]


def test_a_dispatch_is_directed_on_the_phone(house, visit, story):
    key = story.submitted("sot-xuat-huyet")
    leader = visit(house, "leader", size=PHONE)
    leader.fair()
    leader.go(f"/work/?at={key}")
    leader.page.wait_for_selector("[data-sheet]:not([aria-busy]) img")
    leader.fair()
    told.direct(
        leader,
        key,
        words="Phòng Hậu cần - Kỹ thuật chủ trì, báo cáo kết quả.",
        lead="PHCKT",
        cooperating=["PTM", "VP"],
        due="31/12/2099",
    )
    leader.fair()
    leader.go(f"/records/{key}/thread/")
    said = leader.text()
    for part in ("Phòng Hậu cần - Kỹ thuật", "Phòng Tham mưu", "Văn phòng", "31/12/2099", "báo cáo kết quả"):
        assert part in said
    leader.fair()


def test_an_answer_is_approved_and_a_step_is_sent_back_with_its_reason(house, visit, story):
    key = story.answered("nop-luu")
    leader = visit(house, "leader")
    leader.go("/work/unit/")
    leader.fair()
    leader.go(f"/records/{key}/thread/")
    leader.fair()
    assert "Đã thực hiện xong" in leader.text()
    # A dialog keeps the focus and gives it back.
    leader.page.click("[data-dialog^=send_back]")
    assert leader.page.evaluate("document.activeElement.name") == "reason"
    leader.fair()
    for _ in range(8):
        leader.page.keyboard.press("Tab")
        assert leader.page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog[open]')"
        )
    leader.page.keyboard.press("Escape")
    assert leader.page.evaluate("document.activeElement.dataset.dialog || ''").startswith("send_back")
    leader.page.fill("form[action*='/approve/'] [name=note]", "Đồng ý.")
    leader.send("form[action*='/approve/'] [type=submit]")
    leader.go(f"/records/{key}/thread/")
    assert "Đồng ý." in leader.text()
    assert leader.page.locator("form[action*='/approve/']").count() == 0
