"""wapiti, signed in as each post, over the pages that the walk found: nothing of high weight.

Each module has its time (`--max-attack-time`); `--max-scan-time` is not given: with it 3.2.3 attacks nothing and says nothing;
`--drop-set-cookie` drops the session too.
"""

import json
from typing import Any, Final

from config.gates.desk import Desk
from config.gates.office import Served
from config.gates.outcome import NotRun, Outcome, judged, toothless
from config.gates.tools import run

ROLES: Final = ("clerk", "leader", "staff", "archivist", "auditor", "security", "admin")
MODULES: Final = "sql,xss,permanentxss,exec,file,crlf,redirect,ssrf,xxe,ldap,csrf,cookieflags,csp,http_headers"
HIGH: Final = 2  # of wapiti's weights 0 to 4: script in a page has 2, SQL has 4
# What the evaluation on a loopback address without TLS cannot have; production has it, and tests hold it.
WITHOUT_TLS: Final = {"HTTP Strict Transport Security (HSTS)", "Secure Flag cookie"}


def gate(desk: Desk) -> Outcome:
    """Find what was planted, then scan as each post."""
    planted = desk.office(planted=True)
    starts = [f"{planted.url}/planted/script/?words=x", f"{planted.url}/planted/sql/?name=clerk"]
    found = _scanned(desk, planted, "clerk", starts, modules="sql,xss", depth=1, seconds=60)[1]
    if missed := [each for each in ("SQL Injection", "Cross Site Scripting") if not any(each in one for one in found)]:
        return toothless(", ".join(missed))
    office = desk.office()
    asked, high, lesser = 0, [], []
    for role in ROLES:
        pages = [one for one in office.told["pages"] if one["role"] == role and one["method"] == "GET"]
        starts = [office.url + one["address"] for one in pages]
        crawled, told, low = _scanned(
            desk, office, role, starts, modules=MODULES, depth=1, seconds=max(10, int(30 * desk.minutes))
        )
        asked += crawled
        high += [f"{role}: {one}" for one in told]
        lesser += low
    high += office.faults()
    figures = f"{len(ROLES)} posts, {asked} addresses, {len(high)} high, {len(set(lesser))} lesser; both planted found"
    return judged(figures, high)


def _scanned(  # noqa: PLR0913 - what wapiti is told
    desk: Desk, office: Served, role: str, starts: list[str], *, modules: str, depth: int, seconds: int
) -> tuple[int, list[str], list[str]]:
    """Return how many addresses were crawled, what weighs high, and what weighs less."""
    place = desk.folder / "wapiti" / f"{role}-{office.url.rsplit(':', 1)[1]}"
    place.mkdir(parents=True, exist_ok=True)
    report = place / "report.json"
    command = [
        str(desk.tools.programs("wapiti") / "wapiti"),
        "-u",
        f"{office.url}/",
        "-H",
        f"Cookie: {office.cookie(role)}",
    ]
    for start in starts:
        command += ["-s", start]
    for never in ("/sign-out/", "/sign-in/", "/account/authenticator/remove/", "/account/password/", "/static/"):
        command += ["-x", f"{office.url}{never}*"]
    command += [
        "-m",
        modules,
        "-d",
        str(depth),
        "--max-attack-time",
        str(seconds),
    ]
    command += [
        "--scope",
        "folder",
        "--skip",
        "csrfmiddlewaretoken",
        "--flush-session",
        "--no-bugreport",
    ]
    command += ["--store-session", str(place), "--store-config", str(place), "-f", "json", "-o", str(report), "-v", "1"]
    command += ["--max-links-per-page", "40", "--max-parameters", "30", "-t", "20", "-l", "1"]
    done = run(command, seconds=seconds * 14 + 900, cwd=place)
    (place / "said.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    if not report.exists():
        raise NotRun(f"wapiti left no report: {(done.stdout + done.stderr).strip()[-200:]}")
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    found = [(name, one) for name, many in told["vulnerabilities"].items() for one in many if name not in WITHOUT_TLS]
    lines = [(one.get("level", 4), f"{name}: {one.get('method', '')} {one.get('path', '')} {one.get('info', '')}"[:300]) for name, one in found]  # fmt: skip
    crawled = told["infos"].get("crawled_pages_nbr") or len(starts)
    return (
        int(crawled),
        [line for level, line in lines if level >= HIGH],
        [line for level, line in lines if level < HIGH],
    )
