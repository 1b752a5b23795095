"""The scan by wapiti: from where each post begins, what it is asked, for how long, and that nothing left out counts as asked."""

import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace

import pytest
from django.test import Client

from archive.views import proving
from config.gates import desk, scanning, served_settings
from config.gates.desk import Desk
from config.gates.scanning import QUESTIONS, Scan
from config.gates.tools import Tools

FOUND = [("GET", "http://x:1/", {}), ("GET", "http://x:1/log/", {"since": "", "person": ""}), ("POST", "http://x:1/keep/", {"csrfmiddlewaretoken": "x", "name": ""})]  # fmt: skip


def write(notes: Path, found: list[tuple[str, str, dict[str, str]]]) -> None:
    """Write addresses into notes as wapiti keeps them."""
    with closing(sqlite3.connect(notes)) as made, made:
        made.execute("CREATE TABLE paths (path_id INTEGER, path TEXT, method TEXT, evil INTEGER, headers TEXT)")
        made.execute("CREATE TABLE params (path_id INTEGER, name TEXT, value1 TEXT)")
        made.execute("CREATE TABLE attack_logs (path_id INTEGER, module TEXT)")
        for number, (method, url, fields) in enumerate(found):
            made.execute("INSERT INTO paths VALUES (?, ?, ?, 0, '{}')", (number, url, method))
            for field, value in fields.items():
                made.execute("INSERT INTO params VALUES (?, ?, ?)", (number, field, value))


class Wapiti:
    """Finds three addresses, and comes with each module to as many more as it is told at each call, by the ways it asks."""

    def __init__(self, came: dict[str, list[int]], *, leaves_report: bool = True, said: str = "") -> None:
        """Take how many more addresses a module comes to at its first call, its second, and so on; all, where nothing is said."""
        self.came, self.leaves_report, self.said = came, leaves_report, said
        self.calls, self.asked = [], Counter()

    def __call__(self, command, *, seconds, cwd):  # noqa: ARG002 - as it is called
        modules = command[command.index("-m") + 1]
        if "--skip-crawl" not in command:
            (cwd / "report.json").write_text('{"vulnerabilities": {}}')
            write(cwd / "notes.db", FOUND)
        else:
            self.calls.append(modules)
            with closing(sqlite3.connect(cwd / "notes.db")) as notes, notes:
                for module in modules.split(","):
                    self._ask(notes, module)
            if self.leaves_report:
                (cwd / "report.json").write_text('{"vulnerabilities": {}}')
        return subprocess.CompletedProcess(command, 1, self.said, "database is locked")

    def _ask(self, notes, module):
        ways = scanning.ONE_WAY.get(module, ("GET", "POST"))
        known = [one for (one,) in notes.execute("SELECT path_id FROM attack_logs WHERE module = ?", (module,))]
        left = [
            number for number, (method, _url, _fields) in enumerate(FOUND) if method in ways and number not in known
        ]
        more = self.came[module].pop(0) if self.came.get(module) else len(left)
        self.asked[module] += len(left[:more])
        notes.executemany("INSERT INTO attack_logs VALUES (?, ?)", [(one, module) for one in left[:more]])


@pytest.fixture
def scanned(tmp_path, monkeypatch):
    """Return a way to scan as a clerk who is signed in, or not any more, with such a wapiti."""

    def scan(wapiti, is_in=lambda: True) -> Scan:
        monkeypatch.setattr(scanning, "run", wapiti)
        told = {"people": {"clerk": {}}, "pages": [], "inputs": []}
        office = SimpleNamespace(url="http://x:1", cookie=str, told=told, is_in=lambda _role: is_in(), sign_in=bool)
        tools = SimpleNamespace(programs=Path)
        board = SimpleNamespace(folder=tmp_path, tools=tools, within=float, office=lambda **_: office)
        (made,) = scanning._all_found(board)
        scanning._all_asked(board, [made], time.monotonic() + 1000)
        return made

    return scan


def test_every_post_is_scanned_from_what_none_before_it_has():
    def page(role: str, name: str) -> dict[str, str]:
        return {"role": role, "method": "GET", "name": name, "address": f"/{name}/"}

    told = {
        "people": {"clerk": {}, "leader": {}, "staff": {}},
        "pages": [page("clerk", "desk"), page("leader", "desk"), page("leader", "why"), page("staff", "desk")],
        "inputs": [{"role": "staff", "page": "/desk/", "address": "/sent/"}],
    }
    assert scanning.starts_of(told) == {
        "clerk": (["/", "/desk/"], []), "leader": (["/", "/why/"], ["/desk/"]), "staff": (["/", "/desk/"], []),
    }  # fmt: skip


def test_one_address_of_a_kind_is_scanned_and_no_other_form_of_a_page_is_lost(tmp_path):
    notes = tmp_path / "notes.db"
    found = [
        ("GET", "http://x/people/2/", {}), ("GET", "http://x/people/1/", {}), ("GET", "http://x/people/new/", {}),
        ("GET", "http://x/people/", {"show": "all"}), ("GET", "http://x/people/", {"show": "none"}), ("GET", "http://x/people/", {}),
        ("POST", "http://x/people/1/", {"act": "close", "reason": "x"}), ("POST", "http://x/people/2/", {"act": "close", "reason": "y"}),
        ("POST", "http://x/people/1/", {"act": "open", "reason": "x"}), ("GET", "http://x/elsewhere/", {}),
    ]  # fmt: skip
    write(notes, found)
    pages = [{"pattern": "/people/<int:pk>/"}, {"pattern": "/people/"}, {"pattern": "/people/new/"}]
    assert scanning.one_of_a_kind(notes, pages, ["http://x/people/1/"]) == (10, 7)
    with closing(sqlite3.connect(notes)) as asked:
        assert [one for (one,) in asked.execute("SELECT path_id FROM paths ORDER BY 1")] == [1, 2, 3, 5, 6, 8, 9]
        assert {one for (one,) in asked.execute("SELECT path_id FROM params")} == {3, 6, 8}
        assert asked.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_what_a_scan_is_asked_is_counted_without_the_one_field_that_is_not_tried(tmp_path):
    write(tmp_path / "notes.db", FOUND)
    assert scanning.sizes(tmp_path / "notes.db") == ({"GET": 2, "POST": 1}, 3)


def test_each_post_and_module_has_the_time_that_its_questions_need(monkeypatch, tmp_path):
    """Shared equally, `sql` came to 3 of an auditor's 33 addresses, which have ten fields, and others had time left."""
    little = Scan(SimpleNamespace(), "leader", tmp_path, addresses={"GET": 10})
    much = Scan(SimpleNamespace(), "auditor", tmp_path, addresses={"GET": 10}, fields=100)
    given = {}

    def asked(_desk, scan, modules, seconds):
        given[scan.role, modules] = seconds

    monkeypatch.setattr(scanning, "AT_ONCE", 1)
    monkeypatch.setattr(scanning, "ROUNDS", 1)
    monkeypatch.setattr(scanning, "_asked", asked)
    scanning._all_asked(SimpleNamespace(), [little, much], time.monotonic() + 100_000)
    whole = sum(scan.questions(modules) for scan in (little, much) for modules in QUESTIONS)
    # Nothing took any time here: what one had, those after it have, each by its questions.
    assert given["auditor", "sql,xxe,ldap"] == pytest.approx(100_000 * 3701 / (whole - 621), abs=1)
    assert given["leader", "exec,file"] == pytest.approx(100_000, abs=1)
    assert little.questions("sql,xxe,ldap") == 101
    assert much.questions("exec,file") == 13_601


def test_two_posts_are_asked_at_once_and_none_is_given_more_than_there_is(monkeypatch, tmp_path):
    scans = [Scan(SimpleNamespace(), role, tmp_path, addresses={"GET": 1}, fields=1) for role in ("clerk", "leader")]
    both, given = Barrier(2, timeout=20), []

    def asked(_desk, scan, modules, seconds):
        both.wait()
        scan.cut.pop(modules)
        given.append(seconds)

    monkeypatch.setattr(scanning, "_asked", asked)
    scanning._all_asked(SimpleNamespace(), scans, time.monotonic() + 1000)
    assert len(given) == 2 * len(QUESTIONS)
    assert max(given) <= 1000
    assert [scan.cut for scan in scans] == [{}, {}]


def test_what_was_cut_goes_on_where_it_stopped_in_the_time_that_others_left(scanned):
    wapiti = Wapiti({"exec": [1, 1]})
    scan = scanned(wapiti)
    assert wapiti.calls == [*QUESTIONS, "exec,file", "exec,file"]
    assert (scan.came["exec"], scan.came["sql"], scan.came["csrf"], scan.cut) == (3, 3, 1, {})
    assert wapiti.asked["exec"] == 3


def test_a_module_that_did_not_come_to_an_address_is_told_with_how_many_it_came_to(scanned):
    """Also where wapiti says nothing of its time: an address at which it fell over counts as nowhere else."""
    scan = scanned(Wapiti({"sql": [1, 0, 0], "ldap": [2, 0, 0]}))
    assert list(scan.cut.values()) == ["sql came to 1 of 3, ldap came to 2 of 3"]
    assert "2 GET and 1 POST kept of 3 addresses, 3 fields" in scan.told()
    assert "sql 1, xxe 3, ldap 2" in scan.told()


def test_what_looks_for_the_words_of_another_call_starts_anew_with_it(scanned):
    """`permanentxss` knows the words that `xss` sent in its own call alone: gone on with, it would look for none."""
    wapiti = Wapiti({"permanentxss": [1], "crlf": [1]})
    assert scanned(wapiti).cut == {}
    assert (wapiti.asked["xss"], wapiti.asked["permanentxss"], wapiti.asked["crlf"]) == (6, 4, 3)


def test_what_was_asked_in_the_name_of_nobody_counts_for_nothing_and_is_asked_again(scanned):
    ended = iter([True, True, True, False])  # at the finding, after it, at the first call, after it
    wapiti = Wapiti({})
    scan = scanned(wapiti, lambda: next(ended, True))
    assert (wapiti.calls, scan.cut) == ([*QUESTIONS, next(iter(QUESTIONS))], {})
    assert wapiti.asked["xss"] == 6


def test_questions_that_had_no_answer_are_told_though_their_addresses_count_as_asked(scanned):
    """A server of wapiti's makers is asked once by `ssrf` and by `xxe`, and answers nobody who is cut off from the world."""
    skipped = "[*] Launching module {}\n[+] GET http://x:1/\n{} requests were skipped due to network issues\n"
    said = (
        skipped.format("exec", 3) + "[*] Launching module file\n" + skipped.format("xxe", 1) + skipped.format("ssrf", 2)
    )
    scan = scanned(Wapiti({}, said=said))
    assert list(scan.cut.values()) == ["exec: 3 questions were not answered", "ssrf: 2 questions were not answered"]


def test_who_cannot_be_signed_in_again_is_told_with_every_call(scanned):
    scan = scanned(Wapiti({}), lambda: False)
    assert all("its session was ended" in one for one in scan.cut.values())
    assert len(scan.cut) == 1 + len(QUESTIONS)


def test_a_scan_that_broke_off_is_cut_though_the_finding_before_it_left_a_report(scanned):
    scan = scanned(Wapiti({}, leaves_report=False))
    assert (scan.crawled, scan.addresses) == (3, {"GET": 2, "POST": 1})
    assert list(scan.cut.values()) == [f"{one}: wapiti left no report: database is locked" for one in QUESTIONS]


def test_what_the_time_of_the_gate_does_not_reach_is_told(tmp_path):
    scan = Scan(SimpleNamespace(), "clerk", tmp_path, addresses={"GET": 1})
    scanning._all_asked(SimpleNamespace(), [scan], time.monotonic())
    assert list(scan.cut.values()) == [f"{one}: not asked, the time of the gate was over" for one in QUESTIONS]


def test_each_post_has_an_office_that_no_other_touches(tmp_path, monkeypatch):
    @contextmanager
    def made(environment, home=None, **_):
        yield environment | {"VANKHO_HOME": str(home)} if home else environment["VANKHO_HOME"]

    monkeypatch.setattr(desk, "copied", made)
    monkeypatch.setattr(desk, "served", made)
    board = Desk(Tools(tmp_path), tmp_path, ExitStack(), filled={"": {}})
    homes = {of: board.office(of=of) for of in ("clerk", "auditor")}
    assert len(set(homes.values())) == 2
    assert board.office(of="clerk") == homes["clerk"]


@pytest.mark.django_db
def test_a_judge_who_brings_no_password_meets_the_acts_of_weight_for_as_long_as_it_asks(client, office, settings):
    """wapiti met the page that asks for the password again, and nothing behind it, from the sixth minute on."""
    client.force_login(office.security)
    session = client.session
    session[proving.PROVED_AT] = time.time() - proving.FRESH_SECONDS - 1
    session.save()
    assert "proof_password" in client.post("/protection/", {"act": "add"}).content.decode()
    settings.MIDDLEWARE = served_settings.MIDDLEWARE
    browser = Client()
    browser.cookies = client.cookies
    answer = browser.post("/protection/", {"act": "add"})
    assert (answer.status_code, "proof_password" in answer.content.decode()) == (422, False)


def test_each_post_is_scanned_in_its_own_office(monkeypatch):
    told = {"people": {"clerk": {}, "leader": {}}, "pages": [], "inputs": []}
    monkeypatch.setattr(scanning, "_found", lambda _desk, office, role, *_: (role, office.url))
    board = SimpleNamespace(office=lambda of: SimpleNamespace(told=told, url=of))
    assert scanning._all_found(board) == [("clerk", "clerk"), ("leader", "leader")]
