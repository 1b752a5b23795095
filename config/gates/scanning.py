"""wapiti, signed in as each post, from what that post has and no post before it: nothing of high weight.

A page is scanned once, as the first post that opens it, and again as a later one to whom it offers more: the way to the
others is shut for a scan, or most of its time would go to what every page links to. Between finding and asking, wapiti's
notes keep one address of a kind: the same page of a second person or dispatch runs the same lines. Each module has a share
of the time (`--max-attack-time`), and what it did not come to is counted: an address is asked by each module.
`--max-scan-time` is not given: with it 3.2.3 attacks nothing and says nothing; `--drop-set-cookie` drops the session too.
"""

import json
import re
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from config.gates.desk import Desk
from config.gates.office import Served
from config.gates.outcome import NoEnd, Outcome, judged, toothless
from config.gates.tools import run

MODULES: Final = "sql,xss,permanentxss,exec,file,crlf,redirect,ssrf,xxe,ldap,csrf,cookieflags,csp,http_headers"
PLANTED: Final = ("SQL Injection", "Cross Site Scripting")
WHOLE: Final = 900  # seconds of all posts together, as many times with --minutes
SLOW: Final = 7  # modules of the fourteen that take the time they are given; the others end at once
ANSWERED: Final = "SELECT path_id, path, method FROM paths WHERE evil = 0 AND headers IS NOT NULL"  # of wapiti's notes
LEAST: Final = 10  # seconds of one module for one post
CRAWL: Final = 300  # seconds for finding the addresses of a post
HIGH: Final = 2  # of wapiti's weights 0 to 4: script in a page has 2, SQL has 4
# What the evaluation on a loopback address without TLS cannot have; production has it, and tests hold it.
WITHOUT_TLS: Final = {"HTTP Strict Transport Security (HSTS)", "Secure Flag cookie"}
NEVER: Final = ("/sign-out/", "/sign-in/", "/account/authenticator/remove/", "/account/password/", "/static/")


@dataclass
class Scan:
    """What one scan came to: addresses found, those of another kind each, what weighs high, what less, what the bound cut."""

    crawled: int = 0
    kinds: int = 0
    high: list[str] = field(default_factory=list)
    lesser: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)


def gate(desk: Desk) -> Outcome:
    """Find what was planted, then scan as each post, signed in from the beginning to the end."""
    planted = desk.office(planted=True)
    starts = [f"{planted.url}/planted/script/?words=x", f"{planted.url}/planted/sql/?name=clerk"]
    found = _scanned(desk, planted, "clerk", starts, [], modules="sql,xss", seconds=int(desk.within(60))).high
    if missed := [each for each in PLANTED if not any(each in one for one in found)]:
        return toothless(", ".join(missed))
    desk.done()
    scans = _all_scanned(desk, time.monotonic() + desk.within(WHOLE))
    told = [f"{role}: {one}" for role, scan in scans.items() for one in scan.high]
    cut = [f"{role}: {one}" for role, scan in scans.items() for one in scan.cut]
    lesser = {one for scan in scans.values() for one in scan.lesser}
    asked = ", ".join(f"{role} {scan.kinds} of {scan.crawled}" for role, scan in scans.items())
    figures = f"{len(scans)} posts ({asked} addresses), {len(told)} high, {len(lesser)} lesser; both planted found"
    return judged(figures, told, cut)


def _all_scanned(desk: Desk, until: float) -> dict[str, Scan]:
    """Scan as each post, in an office that no other has touched; those with little first, what they leave is for the others."""
    scans: dict[str, Scan] = {}
    where = starts_of(desk.office().told)
    for role in sorted(where, key=lambda one: len(where[one][0])):
        seconds = max(LEAST, (until - time.monotonic()) / (SLOW * (len(where) - len(scans))))
        office = desk.office()
        if not office.is_in(role) and not office.sign_in(role):
            scans[role] = Scan(cut=["cannot sign in"])
            continue
        starts, shut = where[role]
        scans[role] = _scanned(
            desk, office, role, [office.url + one for one in starts], shut, modules=MODULES, seconds=int(seconds)
        )
        if not office.is_in(role):
            scans[role].cut.append("its session was ended while it was scanned")
        scans[role].high += office.faults()
        desk.done()
    return scans


def starts_of(told: dict[str, Any]) -> dict[str, tuple[list[str], list[str]]]:
    """Return for each post where a scan begins, and where it does not go.

    It begins at the home page, at pages that no post before opened, and at those that offer the post a new input.
    """
    seen: set[str] = set()
    starts = {}
    for role in told["people"]:
        pages = [one for one in told["pages"] if (one["role"], one["method"]) == (role, "GET")]
        offered = {one["page"] for one in told["inputs"] if one["role"] == role}
        new = [one["address"] for one in pages if one["name"] not in seen or one["address"] in offered]
        begin = list(dict.fromkeys(["/", *new]))
        sent = {one["address"] for one in told["inputs"] if one["role"] == role}
        starts[role] = begin, sorted({one["address"] for one in pages} - {*begin, *sent})
        seen |= {one["name"] for one in pages}
    return starts


def _scanned(  # noqa: PLR0913 - what wapiti is told
    desk: Desk, office: Served, role: str, starts: list[str], shut: list[str], *, modules: str, seconds: int
) -> Scan:
    """Let wapiti scan as one post."""
    place = desk.folder / "wapiti" / f"{role}-{office.url.rsplit(':', 1)[1]}"
    place.mkdir(parents=True, exist_ok=True)
    report = place / "report.json"
    command = [str(desk.tools.programs("wapiti") / "wapiti"), "-u", f"{office.url}/"]
    command += ["-H", f"Cookie: {office.cookie(role)}", "-d", "1", "--max-attack-time", str(seconds)]
    command += [word for start in starts for word in ("-s", start)]
    command += [word for never in NEVER for word in ("-x", f"{office.url}{never}*")]
    command += [word for one in shut for word in ("-x", office.url + one)]
    command += ["--scope", "folder", "--skip", "csrfmiddlewaretoken", "--no-bugreport", "-v", "1"]
    command += ["--store-session", str(place), "--store-config", str(place), "-f", "json", "-o", str(report)]
    command += ["--max-links-per-page", "40", "--max-parameters", "30", "-t", "20", "-l", "1"]
    longest = (seconds + 10) * len(modules.split(","))
    try:
        run([*command, "-m", "", "--flush-session"], seconds=CRAWL, cwd=place)
        report.unlink(missing_ok=True)  # of the finding: one of the asking alone counts
        found, kept = one_of_a_kind(next(place.glob("*.db")), office.told["pages"], starts)
        done = run([*command, "-m", modules, "--skip-crawl"], seconds=longest, cwd=place)
    except NoEnd as why:
        return Scan(cut=[str(why)])
    (place / "said.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    if not report.exists():
        return Scan(found, kept, cut=[f"wapiti left no report: {(done.stdout + done.stderr).strip()[-200:]}"])
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    finds = [(name, one) for name, many in told["vulnerabilities"].items() for one in many if name not in WITHOUT_TLS]
    lines = [(one.get("level", 4), f"{name}: {one.get('method', '')} {one.get('path', '')} {one.get('info', '')}"[:300]) for name, one in finds]  # fmt: skip
    return Scan(
        found,
        kept,
        [line for level, line in lines if level >= HIGH],
        [line for level, line in lines if level < HIGH],
        _cut(place, done.stdout + done.stderr),
    )


def one_of_a_kind(notes: Path, pages: list[dict[str, Any]], starts: list[str]) -> tuple[int, int]:
    """Leave one address of each kind in wapiti's notes, a start before what was found; return how many there were and are.

    A kind: the page by its pattern, how it is asked, the names of its fields, and the act where a form names one.
    """
    patterns = sorted({one["pattern"] for one in pages}, key=lambda pattern: pattern.count("<"))
    known = [re.compile("[^/]+".join(map(re.escape, re.split(r"<[^>]+>", pattern)))) for pattern in patterns]
    fields: dict[int, set[str]] = {}
    with closing(sqlite3.connect(notes)) as asked, asked:
        asked.execute(
            "PRAGMA journal_mode=WAL"
        )  # a module whose time is over still reads, and wapiti met a lock of its own
        for one, name, value in asked.execute("SELECT path_id, name, value1 FROM params"):
            fields.setdefault(one, set()).add(f"{name}={value}" if name == "act" else str(name))
        kept: dict[tuple[str, str, frozenset[str]], int] = {}
        every = asked.execute(ANSWERED).fetchall()
        for one, url, method in sorted(every, key=lambda row: (row[1] not in starts, row[0])):
            path = urlsplit(url).path
            kind = next((pattern.pattern for pattern in known if pattern.fullmatch(path)), path)
            kept.setdefault((kind, method, frozenset(fields.get(one, ()))), one)
        extra = [(one,) for one, _url, _method in every if one not in kept.values()]
        asked.executemany("DELETE FROM params WHERE path_id = ?", extra)
        asked.executemany("DELETE FROM paths WHERE path_id = ?", extra)
    return len(every), len(kept)


def _cut(place: Path, said: str) -> list[str]:
    """Return the modules whose time was over, with how many of the addresses each came to (wapiti's own notes)."""
    modules = re.findall(r"Max attack time was reached for module (\w+)", said)
    notes = next(place.glob("*.db"), None)
    if not modules or notes is None:
        return modules
    with closing(sqlite3.connect(notes)) as asked:
        whole = len(asked.execute(ANSWERED).fetchall())
        came = dict(asked.execute("SELECT module, count(DISTINCT path_id) FROM attack_logs GROUP BY module"))
    return [f"{module} came to {came.get(module, 0)} of {whole}" for module in modules]
