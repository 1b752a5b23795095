"""A person at a browser, and what every page must keep: axe-core, the policy, the width of its screen.

`fair()` looks at the page as it stands: at a desk and on a phone, light and dark. `leave()` fails when anything
breached the policy or was complained about on the way.
"""

from pathlib import Path
from typing import Any

from config.tests.e2e.house import PASSWORD, House

AXE = (Path(__file__).resolve().parents[1] / "vendor" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
DESK, PHONE = (1440, 900), (390, 844)
# The whole set once per width; in the dark only colours can differ.
LOOKS = (
    (DESK, "light", None),
    (DESK, "dark", "color-contrast"),
    (PHONE, "light", None),
    (PHONE, "dark", "color-contrast"),
)
RUN_AXE = """async (rule) => {
  const asked = rule ? {runOnly: {type: "rule", values: [rule]}} : {};
  const found = await axe.run({...asked, resultTypes: ["violations"]});
  return found.violations.filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target + " " + node.failureSummary).slice(0, 3).join(" | ")}`);
}"""
UNSEEN = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle === "none" && style.boxShadow === "none";
}"""

# Words that run beyond the edge of a box they stand in; what is cut by "..." or scrolls, and words for a screen reader only, is meant.
RUN_OUT = """() => {
  const found = [];
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const text = words.currentNode;
    if (!text.data.trim() || !text.parentElement.checkVisibility() || text.parentElement.closest("option, .visually-hidden")) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const {left, right, width} = range.getBoundingClientRect();
    for (let box = text.parentElement; width && box && box !== document.body; box = box.parentElement) {
      const style = getComputedStyle(box);
      if (style.textOverflow === "ellipsis" || /auto|scroll/.test(style.overflowX) || style.position === "absolute") break;
      const edge = box.getBoundingClientRect();
      if (style.display !== "inline" && style.display !== "contents" && (right > edge.right + 1 || left < edge.left - 1)) {
        found.push(text.data.trim());
        break;
      }
    }
  }
  return found.slice(0, 5);
}"""

# A box of one line that would cut its words in the middle of a letter, and an item of the phone's bar that would not stand under its icon.
SHORN = """() => {
  const seen = (asked) => [...document.querySelectorAll(asked)].filter((box) => box.checkVisibility());
  const cut = seen(".form-select, .form-control:not(textarea)").filter((box) => getComputedStyle(box).textOverflow !== "ellipsis");
  const askew = seen(".tabbar a").filter((item) => getComputedStyle(item).textAlign !== "center");
  return [...cut, ...askew].map((box) => box.name || box.innerText);
}"""


class Visit:
    """One person signed in at one browser."""

    def __init__(self, browser: Any, house: House, user: str | None, *, size: tuple[int, int] = DESK) -> None:
        self.house = house
        self.size = size
        self.looked_at = False
        self.complaints: list[str] = []
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="vi-VN", reduced_motion="reduce", base_url=house.url
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.page.on("console", lambda message: message.type == "error" and self.complain(message.text))
        self.page.on("pageerror", lambda error: self.complain(str(error)))
        if user:
            self.sign_in(user)

    def complain(self, words: str) -> None:
        """Keep what the browser complained about; an answer 403, 404, 409 or 422 is an answer.

        axe-core itself sets styles while it looks; the policy forbids them, as it should.
        """
        if "status of 4" not in words and not (self.looked_at and "Applying inline style" in words):
            self.complaints.append(f"{self.page.url}: {words}")

    def sign_in(self, user: str) -> None:
        self.go("/sign-in/")
        self.page.fill("#id_username", user)
        self.page.fill("#id_password", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{self.house.url}/")

    def go(self, address: str, *, status: int = 200) -> None:
        """Open an address and wait until all its parts are there."""
        answer = self.page.goto(address, wait_until="load")
        assert answer is not None
        assert answer.status == status, f"{address}: {answer.status}"
        self.settle()

    def settle(self) -> None:
        """Wait until the page has its script and no htmx part is on its way."""
        self.until("document.documentElement.classList.contains('js')")
        self.until("!document.querySelector('.htmx-request, [hx-trigger=load]')")

    def until(self, claim: str, *, seconds: float = 60) -> None:
        """Wait until a claim in the page's own language holds.

        Asked from here: a claim that the page itself asks again and again is evaluated inside it, which its policy forbids.
        Between two pages there is a document without a root: nothing holds of it.
        """
        for _ in range(int(seconds * 10)):
            if self.page.evaluate(f"document.documentElement !== null && ({claim})"):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{self.page.url}: never came true: {claim}\n{self.text('body')[:3000]}")

    def send(self, button: str = "") -> None:
        """Send the page's main form by its key, or press a button or link, and wait for the page that answers.

        Who only waits for the page to settle after a click may wait on the page that is being left.
        """
        with self.page.expect_navigation():
            if button:
                self.page.click(button)
            else:
                self.page.keyboard.press("Control+Enter")
        self.settle()

    def find(self, words: str) -> None:
        """Search for words by the form of the search page, and wait for the answer."""
        self.go("/search/")
        self.page.fill("#q", words)
        self.send("#ask .btn-primary")

    def until_elsewhere(self, left: str) -> None:
        """Wait until the address no longer contains some words."""
        self.page.wait_for_url(lambda address: left not in address)
        self.settle()

    def text(self, selector: str = "main") -> str:
        return str(self.page.inner_text(selector))

    def toast(self) -> str:
        """Return what was just said at the edge of the page."""
        return str(self.page.inner_text("#toasts, [data-toast]"))

    def fair(self) -> None:
        """Nothing serious or critical for axe-core, no sideways scroll, no words out of their box or cut, at both widths and in both themes."""
        found: list[str] = []
        self.looked_at = True
        for (width, height), theme, rule in LOOKS:
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            if not self.page.evaluate("'axe' in window"):
                self.page.evaluate(AXE)
            found += [f"{width} {theme} {each}" for each in self.page.evaluate(RUN_AXE, rule)]
            if self.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"{width} {theme} scrolls sideways")
            found += [f"{width} {theme} words run out of their box: {each}" for each in self.page.evaluate(RUN_OUT)]
            found += [
                f"{width} {theme} words would be cut or stand askew: {each}" for each in self.page.evaluate(SHORN)
            ]
        self.looked_at = False
        self.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        self.page.set_viewport_size({"width": self.size[0], "height": self.size[1]})
        assert found == [], f"{self.page.url}\n" + "\n".join(found)

    def leave(self) -> None:
        self.context.close()
        assert self.complaints == [], "\n".join(self.complaints)
