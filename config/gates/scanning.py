"""wapiti, signed in as each post, from what that post has and no post before it: nothing of high weight.

A page is scanned once, as the first post that opens it, and again as a later one to whom it offers more: the way to the
others is shut for a scan, or most of its time would go to what every page links to. Between finding and asking, wapiti's
notes keep one address of a kind: the same page of a second person or dispatch runs the same lines. All addresses are found
first; then each post and module has the share of the time that its questions have of all that are left, and what was
cut goes on where it stopped in the time that others left. What a module did not come to is counted in wapiti's notes.
`--max-scan-time` is not given: with it 3.2.3 attacks nothing and says nothing; `--drop-set-cookie` drops the session too.
"""

import json
import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from config.gates.desk import Desk
from config.gates.office import Served
from config.gates.outcome import NoEnd, Outcome, judged, toothless
from config.gates.tools import run

TOGETHER: Final = "xss,permanentxss"  # the second looks for what the first sent in the same call
# Modules that are asked in one call (wapiti takes six seconds to begin and to end), and how often together 3.2.3 asks for
# each address and for each field of one: counted, one question after the other. No module has more than about half of them.
QUESTIONS: Final = {
    f"{TOGETHER},crlf,redirect,ssrf,csrf,cookieflags,csp,http_headers": (2, 6),
    "sql,xxe,ldap": (10, 36),
    "exec,file": (0, 136),
}
ONE_WAY: Final = {"redirect": ("GET",), "csrf": ("POST",)}  # what other modules ask, they ask by both
AT_ONCE: Final = 2  # posts; each has an office of its own
PLANTED: Final = ("SQL Injection", "Cross Site Scripting")
WHOLE: Final = 3600  # seconds of all posts together, as many times with --minutes
ROUNDS: Final = 3  # how often what was cut is taken up again while there is time
# Questions to a server of wapiti's makers, whether the office called it: none answers where there is no way out.
OUTSIDE: Final = {"ssrf": 1, "xxe": 1}
CRAWL: Final = 300  # seconds for finding the addresses of a post
STARTS: Final = 60  # seconds more for each call, which has to begin and to write its report
HIGH: Final = 2  # of wapiti's weights 0 to 4: script in a page has 2, SQL has 4
ANSWERED: Final = "SELECT path_id, path, method FROM paths WHERE evil = 0 AND headers IS NOT NULL"  # of wapiti's notes
CAME: Final = "SELECT module, count(DISTINCT path_id) FROM attack_logs GROUP BY module"
FORGOTTEN: Final = "csrfmiddlewaretoken"  # the one field that is not tried
# What the evaluation on a loopback address without TLS cannot have; production has it, and tests hold it.
WITHOUT_TLS: Final = {"HTTP Strict Transport Security (HSTS)", "Secure Flag cookie"}
NEVER: Final = ("/sign-out/", "/sign-in/", "/account/authenticator/remove/", "/account/password/", "/static/")


@dataclass
class Scan:
    """What one post is asked and what that came to: addresses found and kept, what weighs high, what less, what is not whole."""

    office: Served
    role: str
    place: Path
    command: list[str] = field(default_factory=list)
    crawled: int = 0
    addresses: dict[str, int] = field(default_factory=dict)  # kept ones by method
    fields: int = 0
    came: dict[str, int] = field(default_factory=dict)  # addresses each module came to
    high: set[str] = field(default_factory=set)
    lesser: set[str] = field(default_factory=set)
    cut: dict[str, str] = field(default_factory=dict)  # why a call of modules, or the whole scan, is not whole

    @property
    def notes(self) -> Path:
        """Return wapiti's notes."""
        return next(self.place.glob("*.db"))

    def questions(self, modules: str) -> int:
        """Return how many questions a call is, as the time is shared."""
        for_address, for_field = QUESTIONS[modules]
        return 1 + for_address * sum(self.addresses.values()) + for_field * self.fields

    def behind(self, modules: str) -> list[str]:
        """Return what modules did not come to."""
        due = {
            one: sum(self.addresses.get(way, 0) for way in ONE_WAY.get(one, ("GET", "POST")))
            for one in modules.split(",")
        }
        return [
            f"{one} came to {self.came.get(one, 0)} of {many}"
            for one, many in due.items()
            if self.came.get(one, 0) < many
        ]

    def told(self) -> str:
        """Return how far each module came, in a line."""
        came = ", ".join(f"{one} {self.came.get(one, 0)}" for modules in QUESTIONS for one in modules.split(","))
        kept = " and ".join(f"{many} {way}" for way, many in sorted(self.addresses.items()))
        return f"{self.role}: {kept} kept of {self.crawled} addresses, {self.fields} fields; came to {came}"


def gate(desk: Desk) -> Outcome:
    """Find what was planted, then scan as each post, signed in from the beginning to the end."""
    planted = desk.office(planted=True)
    starts = [f"{planted.url}/planted/script/?words=x", f"{planted.url}/planted/sql/?name=clerk"]
    first = _found(desk, planted, "clerk", starts, [])
    _asked(desk, first, "sql,xss", desk.within(60))
    if missed := [each for each in PLANTED if not any(each in one for one in first.high)]:
        return toothless(", ".join(missed))
    desk.done()
    until = time.monotonic() + desk.within(WHOLE)
    scans = _all_found(desk)
    _all_asked(desk, scans, until)
    told = [f"{scan.role}: {one}" for scan in scans for one in sorted(scan.high) + scan.office.faults()]
    cut = [f"{scan.role}: {one}" for scan in scans for one in scan.cut.values()]
    kept = sum(sum(scan.addresses.values()) for scan in scans)
    figures = f"{len(scans)} posts, {kept} addresses of a kind of {sum(scan.crawled for scan in scans)}, {sum(scan.fields for scan in scans)} fields"
    lesser = {one for scan in scans for one in scan.lesser}
    answer = judged(f"{figures}: {len(told)} high, {len(lesser)} lesser; both planted found", told, cut)
    return Outcome(answer.state, answer.figures, [*answer.findings, *(scan.told() for scan in scans)])


def _all_found(desk: Desk) -> list[Scan]:
    """Find the addresses of each post, each in an office that no other touches."""
    where = starts_of(desk.office(of="clerk").told)
    scans = []
    for role, (starts, shut) in where.items():
        office = desk.office(of=role)
        scans.append(_found(desk, office, role, [office.url + one for one in starts], shut))
    return scans


def _all_asked(desk: Desk, scans: list[Scan], until: float) -> None:
    """Ask as two posts at a time, who asks most first; take up what was cut while there is time."""
    for scan in scans:
        asked = QUESTIONS if scan.addresses else ()
        scan.cut |= {modules: f"{modules}: not asked, the time of the gate was over" for modules in asked}
    heavy_first = sorted(scans, key=lambda scan: -scan.questions("exec,file"))
    for _round in range(ROUNDS):
        left = {
            (one.role, modules): one.questions(modules) for one in scans for modules in QUESTIONS if modules in one.cut
        }
        with ThreadPoolExecutor(AT_ONCE) as crew:
            list(crew.map(lambda scan, left=left: _post_asked(desk, scan, left, until), heavy_first))


def _post_asked(desk: Desk, scan: Scan, left: dict[tuple[str, str], int], until: float) -> None:
    """Ask as one post, each call as long as its share of the questions that are left to all."""
    for modules in QUESTIONS:
        if (scan.role, modules) in left:
            at_once = min(AT_ONCE, len({role for role, _modules in list(left)}))
            share = at_once / sum(list(left.values())) * left.pop((scan.role, modules))
            seconds = (until - time.monotonic()) * min(1.0, share)
            if seconds >= 1:
                _asked(desk, scan, modules, seconds)


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


def _found(desk: Desk, office: Served, role: str, starts: list[str], shut: list[str]) -> Scan:
    """Let wapiti find the addresses of one post, and keep one of a kind."""
    scan = Scan(office, role, desk.folder / "wapiti" / f"{role}-{office.url.rsplit(':', 1)[1]}")
    scan.place.mkdir(parents=True, exist_ok=True)
    scan.command = [str(desk.tools.programs("wapiti") / "wapiti"), "-u", f"{office.url}/", "-d", "1"]
    scan.command += [word for start in starts for word in ("-s", start)]
    scan.command += [word for never in NEVER for word in ("-x", f"{office.url}{never}*")]
    scan.command += [word for one in shut for word in ("-x", office.url + one)]
    scan.command += ["--scope", "folder", "--skip", FORGOTTEN, "--no-bugreport", "-v", "1", "-t", "20", "-l", "1"]
    scan.command += ["--store-session", str(scan.place), "--store-config", str(scan.place)]
    scan.command += ["--max-links-per-page", "40", "--max-parameters", "30"]
    try:
        _call(scan, ["-m", "", "--flush-session"], desk.within(CRAWL))
    except NoEnd as why:
        scan.cut[""] = f"its addresses: {why}"
        return scan
    scan.crawled, _kept = one_of_a_kind(scan.notes, office.told["pages"], starts)
    scan.addresses, scan.fields = sizes(scan.notes)
    if not office.is_in(role):
        scan.cut[""] = "its session was ended while its addresses were found"
    return scan


def _asked(desk: Desk, scan: Scan, modules: str, seconds: float) -> None:
    """Let wapiti ask with some modules as one post, from where they stopped."""
    scan.cut.pop(modules, None)
    report, each = scan.place / "report.json", max(1, int(seconds / 2))
    report.unlink(missing_ok=True)
    words = ["-m", modules, "--skip-crawl", "--max-attack-time", str(each), "-f", "json", "-o", str(report)]
    try:
        said = _call(scan, words, each * len(modules.split(",")) + desk.within(STARTS))
    except NoEnd as why:
        scan.cut[modules] = f"{modules}: {why}"
        return
    with (scan.place / "said.txt").open("a", encoding="utf-8") as kept:
        kept.write(said)
    if not report.exists():
        scan.cut[modules] = f"{modules}: wapiti left no report: {said.strip()[-200:]}"
        return
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    for name, one in ((name, one) for name, many in told["vulnerabilities"].items() for one in many):
        line = f"{name}: {one.get('method', '')} {one.get('path', '')} {one.get('info', '')}"[:300]
        if name not in WITHOUT_TLS:
            (scan.high if one.get("level", 4) >= HIGH else scan.lesser).add(line)
    scan.cut |= {f"{one}: unanswered": f"{one}: {many} questions were not answered" for one, many in unanswered(said)}
    _counted(scan, modules)


def _counted(scan: Scan, modules: str) -> None:
    """Count what modules came to; what was asked in the name of nobody, or looks for what another call sent, starts anew."""
    is_in = scan.office.is_in(scan.role)
    with closing(sqlite3.connect(scan.notes)) as asked, asked:
        scan.came |= {one: many for one, many in asked.execute(CAME) if one in modules.split(",")}
        behind = scan.behind(modules)
        anew = TOGETHER if TOGETHER in modules and scan.behind(TOGETHER) else ""
        forgotten = [(one,) for one in (anew if is_in else modules).split(",")]
        asked.executemany("DELETE FROM attack_logs WHERE module = ?", forgotten)
    if not is_in:
        scan.cut[modules] = f"{modules}: its session was ended while it was scanned"
    elif behind:
        scan.cut[modules] = ", ".join(behind)


def unanswered(said: str) -> list[tuple[str, int]]:
    """Return the modules that had no answer to some questions of the office, with how many; they are not asked again."""
    parts = re.split(r"Launching module (\w+)", said)
    skipped = [re.search(r"(\d+) requests were skipped", words) for words in parts[2::2]]
    known = [(one, int(found[1])) for one, found in zip(parts[1::2], skipped, strict=True) if found]
    return [(one, many) for one, many in known if many > OUTSIDE.get(one, 0)]


def _call(scan: Scan, words: list[str], seconds: float) -> str:
    """Call wapiti as the post, signed in again where its session was ended; return what it said. Raises NoEnd."""
    if not scan.office.is_in(scan.role):
        scan.office.sign_in(scan.role)
    cookie = ["-H", f"Cookie: {scan.office.cookie(scan.role)}"]
    done = run([*scan.command, *cookie, *words], seconds=seconds, cwd=scan.place)
    return done.stdout + done.stderr


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


def sizes(notes: Path) -> tuple[dict[str, int], int]:
    """Return how many addresses of each method are in wapiti's notes, and how many fields of them are tried."""
    with closing(sqlite3.connect(notes)) as asked:
        methods = {one: method for one, _path, method in asked.execute(ANSWERED)}
        fields = [one for one, name in asked.execute("SELECT path_id, name FROM params") if name != FORGOTTEN]
    addresses = {way: list(methods.values()).count(way) for way in set(methods.values())}
    return addresses, sum(one in methods for one in fields)
