"""The staff member: signs, answers before the deadline; when the leader approves, the need-to-know ends."""

import pytest

from config.tests.e2e import story as told

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]


def test_work_is_signed_for_answered_and_gone_when_approved(house, visit, story):
    key = story.directed("ngan-sach")
    staff = visit(house, "staff")
    staff.fair()
    staff.go("/work/")
    staff.fair()
    staff.go(f"/work/?at={key}")
    staff.fair()
    told.sign_for(staff, key)
    staff.go(f"/records/{key}/")
    staff.fair()
    told.answer(staff, key, "Đã thẩm định xong dự toán, kính trình đồng chí.")
    staff.fair()
    assert "Đã thẩm định xong" in staff.text()

    with story.at("leader") as leader:
        leader.go(f"/records/{key}/thread/")
        leader.page.fill("form[action*='/approve/'] [name=note]", "Đồng ý.")
        leader.send("form[action*='/approve/'] [type=submit]")

    for address in (f"/records/{key}/", f"/records/{key}/thread/", f"/records/{key}/pages/1/image/"):
        assert staff.context.request.get(address).status == 404
    staff.go(f"/records/{key}/", status=404)
    staff.fair()
    staff.go("/work/")
    assert key not in staff.page.content()


def test_a_page_of_another_post_is_refused_with_what_to_do(house, visit):
    staff = visit(house, "staff")
    staff.go("/log/", status=403)
    staff.fair()
    staff.go("/work/unit/")
    staff.fair()
