"""axe on every page of the walk as every post that opens it, light and dark; lighthouse on ten of them.

axe asks for WCAG 2.1 A and AA, the whole set at a desk and on a phone in the light, and the whole set at a desk in the
dark. Sideways scroll is a fault too.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any, Final

from config.gates.desk import Desk
from config.gates.office import CSRF, Served
from config.gates.outcome import ROOT, NotRun, Outcome, judged, toothless
from config.gates.tools import run

AXE: Final = ROOT / "config" / "tests" / "vendor" / "axe-core" / "axe.min.js"
FLAGS: Final = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LOOKS: Final = (((1440, 900), "light"), ((1440, 900), "dark"), ((390, 844), "light"))
RUN: Final = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
  const found = await axe.run({runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]});
  return found.violations.map((one) => `${one.id}: ${one.nodes.slice(0, 2).map((node) => node.target.join(" ")).join(" | ")}`);
}"""
WAITING: Final = "!document.querySelector('.htmx-request, [hx-trigger=load]')"
STRANGERS: Final = ("/sign-in/", "/nothing/")
LEAST: Final = 95  # of 100, from lighthouse
TEN: Final = (
    ("", "/sign-in/"), ("clerk", "/"), ("clerk", "/intake/"), ("clerk", "archive:register-draft"), ("leader", "archive:record"),
    ("leader", "/work/"), ("staff", "archive:thread"), ("archivist", "/dossiers/"), ("auditor", "/log/"), ("clerk", "/search/"),
)  # fmt: skip


def axe(desk: Desk) -> Outcome:
    """Look at every page; the planted one must be found unfair."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=FLAGS)
        planted = desk.office(planted=True)
        seen = _looked_at(browser, planted, "clerk", ["/planted/unfair/"])
        if not all(any(rule in one for one in seen) for rule in ("color-contrast", "image-alt", "label")):
            return toothless(f"a page that few can read ({seen})")
        office, pages, told = desk.office(), 0, []
        for role in [*office.told["people"], ""]:
            addresses = _pages(office, role)
            told += [f"{role or 'stranger'} {one}" for one in _looked_at(browser, office, role, addresses)]
            pages += len(addresses)
        browser.close()
    figures = f"{pages} pages of {len(office.told['people'])} posts, light and dark, desk and phone: {len(told)} faults"
    return judged(
        f"{figures}; the planted page found; addresses that opened to nobody: {', '.join(office.told['closed']) or 'none'}",
        told,
    )


def chromium() -> str:
    """Return the machine's own browser. Raises NotRun."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise NotRun("no Chromium on this machine (config/packages-dev.txt)")
    return path


def _pages(office: Served, role: str) -> list[str]:
    """Return the pages of a post; what is a part of a page is seen with its page."""
    if not role:
        return list(STRANGERS)
    found = [one for one in office.told["pages"] if one["role"] == role and one["method"] == "GET" and one["is_page"]]
    return list(dict.fromkeys([one["address"] for one in found if one["is_whole"]] + ["/nothing/"]))


def _looked_at(browser: Any, office: Served, role: str, addresses: list[str]) -> list[str]:
    context = browser.new_context(base_url=office.url, locale="vi-VN", reduced_motion="reduce", bypass_csp=False)
    if role:
        session = office.told["people"][role]["session"]
        context.add_cookies(
            [
                {"name": name, "value": value, "url": office.url}
                for name, value in (("session", session), ("csrf", CSRF))
            ]
        )
    page, told = context.new_page(), []
    page.set_default_timeout(60_000)
    for address in addresses:
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(address, wait_until="load")
        if role and "/sign-in/" in page.url and not address.startswith("/sign-in/"):
            raise NotRun(f"{role} is not signed in: {address} showed the sign-in page")
        for _ in range(100):
            if page.evaluate(WAITING):
                break
            page.wait_for_timeout(100)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for (width, height), theme in LOOKS:
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            told += [f"{address} {width} {theme} {one}" for one in page.evaluate(RUN)]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                told.append(f"{address} {width} {theme} scrolls sideways")
    context.close()
    return told


def lighthouse(desk: Desk) -> Outcome:
    """Ask lighthouse about ten pages."""
    path = chromium()
    program = desk.tools.lighthouse()
    office, told, lowest = desk.office(), [], {"accessibility": 100, "best-practices": 100}
    for role, address in TEN:
        where = address if address.startswith("/") else _first(office, role, address)
        report = desk.folder / "lighthouse.json"
        report.unlink(missing_ok=True)
        headers = desk.folder / "headers.json"
        headers.write_text(json.dumps({"Cookie": office.cookie(role)} if role else {}), encoding="utf-8")
        command = [str(program), office.url + where, "--quiet", "--only-categories=accessibility,best-practices"]
        command += ["--output=json", f"--output-path={report}", f"--extra-headers={headers}", "--preset=desktop"]
        command += ["--chrome-flags=--headless=new --no-sandbox --disable-gpu", "--no-enable-error-reporting"]
        done = run(command, seconds=desk.within(240), env=_with_chrome(path, desk.folder))
        if not report.exists():
            raise NotRun(f"lighthouse ended without a report: {(done.stdout + done.stderr).strip()[-200:]}")
        seen = json.loads(report.read_text(encoding="utf-8"))
        if role and "/sign-in/" in seen["finalDisplayedUrl"]:
            raise NotRun(f"{role} is not signed in: {where} showed the sign-in page")
        for name, one in seen["categories"].items():
            score = round(100 * (one["score"] or 0))
            lowest[name] = min(lowest[name], score)
            if score < LEAST:
                told.append(f"{role} {where} {name}: {score}")
    figures = ", ".join(f"{name} at least {score}" for name, score in lowest.items())
    return judged(f"{len(TEN)} pages: {figures}", told)


def _with_chrome(path: str, folder: Path) -> dict[str, str]:
    return dict(os.environ) | {"CHROME_PATH": path, "HOME": str(folder), "TMPDIR": str(folder)}


def _first(office: Served, role: str, name: str) -> str:
    return next(str(one["address"]) for one in office.told["pages"] if (one["role"], one["name"], one["method"]) == (role, name, "GET"))  # fmt: skip
