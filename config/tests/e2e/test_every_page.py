"""What holds on every page: English as well, a skip link first, a focus that is seen."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]
ENGLISH = {
    "clerk": ("/", "/intake/", "/register/", "/registers/", "/work/", "/search/", "/nothing/"),
    "leader": ("/work/", "/work/unit/"),
    "archivist": ("/dossiers/", "/due/?years=70", "/holds/", "/plan/"),
    "auditor": ("/log/",),
    "security": ("/sessions/", "/account/", "/protection/"),
    "admin": ("/sessions/ways/", "/holidays/", "/shelves/"),
}


def speak_english(visit):
    visit.send("header.top form[action='/language/'] button[value=en]")


@pytest.mark.parametrize("user", ENGLISH)
def test_the_english_pages_are_fair_too(house, visit, story, user):
    story.submitted("ngan-sach")
    here = visit(house, user)
    speak_english(here)
    for address in ENGLISH[user]:
        here.go(address, status=404 if address == "/nothing/" else 200)
        assert here.page.get_attribute("html", "lang") == "en"
        here.fair()
    if user == "clerk":
        here.find("ke hoach")
        here.fair()


def test_the_door_is_fair_and_says_who_lives_here(house, visit):
    guest = visit(house)
    guest.go("/sign-in/")
    guest.fair()
    assert "staff2" in guest.text()
    guest.page.fill("#id_username", "clerk")
    guest.page.fill("#id_password", "sai mật khẩu")
    guest.page.keyboard.press("Enter")
    guest.page.wait_for_selector("[role=alert]")
    guest.fair()


@pytest.mark.parametrize(
    ("user", "address"), [("clerk", "/"), ("clerk", "/register/"), ("leader", "/work/"), ("auditor", "/log/")]
)
def test_the_skip_link_is_first_and_every_stop_of_the_tab_key_is_seen(house, visit, story, user, address):
    story.submitted("ngan-sach")
    here = visit(house, user)
    here.go(address)
    here.page.evaluate("document.activeElement.blur()")
    here.page.keyboard.press("Tab")
    assert here.page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    seen = set()
    for _ in range(60):
        here.page.keyboard.press("Tab")
        stop = here.page.evaluate(
            """() => {
              const on = document.activeElement;
              if (on === document.body) return null;
              const style = getComputedStyle(on);
              return {
                name: on.outerHTML.slice(0, 160),
                marked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 || style.boxShadow !== "none",
                shown: on.checkVisibility(),
              };
            }"""
        )
        if stop is None or (stop["name"] in seen and len(seen) > 50):
            break
        seen.add(stop["name"])
        assert stop["shown"], stop
        assert stop["marked"], stop
    assert len(seen) > 5
