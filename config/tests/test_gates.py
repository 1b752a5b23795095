"""What the gates rest on: pinned judges, rules that are tried, licences told apart, readers that no byte upsets."""

import base64
import io
import json
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from config.gates import asking, coding, deploying, filling, injecting, parts, reading
from config.gates.__main__ import GATES
from config.gates.answers import papers
from config.gates.asking import Asked
from config.gates.desk import Desk
from config.gates.office import PASSWORD, Served
from config.gates.outcome import FAILED, NOT_WHOLE, PASSED, ROOT, NoEnd, judged
from config.gates.tools import Tools, run
from config.tests.doors import DOORS, addresses
from config.tests.office import borne_out

HERE = ROOT / "config" / "gates"
FINDS = (Path(__file__).parent / "fuzz_finds.txt").read_text(encoding="ascii").split("\n")


@pytest.mark.parametrize("lock", sorted((HERE / "locks").glob("*.lock")), ids=lambda path: path.stem)
def test_every_judge_is_pinned_with_its_digests_and_comes_from_no_named_place(lock):
    said = lock.read_text(encoding="utf-8")
    named = re.findall(r"^[A-Za-z0-9][^\n]*", said, re.MULTILINE)
    assert named
    assert [line for line in named if not re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+( ;.*)? \\$", line)] == []
    assert len(re.findall(r"\\\n    --hash=sha256:", said)) >= len(named)
    assert "://" not in said


def test_the_npm_judge_is_pinned_and_names_no_registry():
    said = (HERE / "lighthouse" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in said
    assert "registry" not in said
    assert said.count('"integrity"') > 100


def test_no_part_of_the_npm_judge_is_whatever_is_the_latest():
    lock = json.loads((HERE / "lighthouse" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    chosen = json.loads((HERE / "lighthouse" / "package.json").read_text(encoding="utf-8"))["overrides"]
    moving = {
        name for one in lock.values() for name, wanted in one.get("dependencies", {}).items() if wanted == "latest"
    }
    assert {name: lock[f"node_modules/{name}"]["version"] for name in moving} == chosen


@pytest.mark.parametrize("rule", sorted((HERE / "rules").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_rule_has_a_planted_fault_and_a_fair_neighbour(rule):
    planted = next(path for path in rule.parent.glob(f"{rule.stem}.*") if path.suffix != ".yaml")
    said = planted.read_text(encoding="utf-8")
    assert f"id: {rule.stem}\n" in rule.read_text(encoding="utf-8")
    assert f"ruleid: {rule.stem}" in said
    assert f"ok: {rule.stem}" in said


def test_every_exception_to_a_rule_has_its_reason():
    bare = [
        f"{path}: {line.strip()}"
        for package in ("archive", "ingest", "search", "config")
        for path in (ROOT / package).rglob("*.py")
        if "gates" not in path.parts and "tests" not in path.parts
        for line in path.read_text(encoding="utf-8").splitlines()
        if "nosemgrep" in line and not re.search(r"# nosemgrep: [a-z-]+ - \w", line)
    ]
    assert bare == []


@pytest.mark.parametrize(
    ("words", "is_free"),
    [
        ("MIT", True),
        ("LGPL-3.0-only", True),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("GNU General Public License v2 or later (GPLv2+); GNU Lesser General Public License v2 or later (LGPLv2+)", True),
        ("GPL-3.0-only", False),
        ("GNU General Public License v3 (GPLv3)", False),
        ("MIT AND GPL-2.0-or-later", False),
        ("GNU Affero General Public License v3", False),
        ("MIT License; GNU Affero General Public License v3", False),
        ("AGPL-3.0-or-later", False),
        ("SSPL-1.0", False),
        ("", False),
    ],
)  # fmt: skip
def test_a_licence_that_binds_the_office_is_told_apart(words, is_free):
    assert parts.is_free(words) is is_free


def test_a_part_without_a_known_licence_is_a_fault():
    silent = {
        "Name": "x",
        "License-Expression": "UNKNOWN",
        "License-Classifier": "UNKNOWN",
        "License-Metadata": "UNKNOWN",
    }
    assert parts.faults([silent], {"x"}) == ["x: no licence given"]
    assert parts.faults([silent], {"y"}) == []


@pytest.mark.parametrize("name", reading.READERS)
def test_no_bytes_upset_a_reader(name):
    for seed in (b"", b"\0", b"\xff" * 40, *reading.SEEDS[name], *(base64.b64decode(one) for one in FINDS if one)):
        reading.READERS[name](seed)


def test_production_passes_the_checks_of_a_deployment():
    answer = deploying.gate(SimpleNamespace(within=float))
    assert (answer.state, list(answer.findings)) == (PASSED, [])


def test_the_page_of_the_gates_names_each():
    page = (ROOT / "config" / "decisions" / "gates.md").read_text(encoding="utf-8")
    assert [name for name in GATES if f"`{name}`" not in page] == []


def test_what_a_bound_cut_is_not_passed_and_a_find_counts_all_the_same():
    assert judged("x", [], ["late"]).state == NOT_WHOLE
    assert judged("x", ["found"], ["late"]).state == FAILED
    assert judged("x", []).state == PASSED


def test_a_judge_without_an_end_is_ended_with_all_that_it_started():
    began = time.monotonic()
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; print(1, flush=True); time.sleep(60)'])"
    with pytest.raises(NoEnd):
        run([sys.executable, "-c", child], seconds=1)
    assert time.monotonic() - began < 20


def _paper(pages: int) -> bytes:
    """Return a PDF of pictures, never the same twice."""
    sheets, out = [Image.effect_noise((60, 80), 64) for _page in range(pages)], io.BytesIO()
    sheets[0].save(out, "PDF", save_all=True, append_images=sheets[1:])
    return out.getvalue()


def _in_words(page: bytes, kind: str = "application/pdf") -> bytes:
    told, _headers, _code = papers.postprocess(page, {"Content-Type": kind}, 200)
    return bytes(told)


def test_two_prints_of_one_dispatch_are_one_answer_and_one_page_more_is_another():
    first, second = _paper(1), _paper(1)
    assert first != second
    assert _in_words(first) == _in_words(second)
    assert len(_in_words(_paper(2)).splitlines()) == len(_in_words(first).splitlines()) + 1


def test_a_row_more_in_a_drawn_book_is_another_answer_and_a_page_is_left_as_it_is():
    weasyprint = pytest.importorskip("weasyprint")
    book = [weasyprint.HTML(string="<p>row</p>" * rows).write_pdf() for rows in (1, 2)]
    assert _in_words(book[0]) != _in_words(book[1])
    assert _in_words(b"<p>1</p>", "text/html; charset=utf-8") == b"<p>1</p>"


@pytest.mark.parametrize(
    ("said", "found", "is_cut"),
    [
        (injecting.ENDED, [], False),
        ("Parameter: q (GET)\n", ["x: Parameter: q (GET)"], False),
        ("[CRITICAL] unable to connect to the target URL", [], True),
        (f"{injecting.ENDED}\n403 (Forbidden) - 62 times", [], True),
    ],
)
def test_what_sqlmap_did_not_try_is_never_counted_as_tried(tmp_path, monkeypatch, said, found, is_cut):
    monkeypatch.setattr(injecting, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, said, ""))
    desk = SimpleNamespace(folder=tmp_path, minutes=1.0, tools=SimpleNamespace(programs=Path))
    office = SimpleNamespace(database="SQLite", url="http://x", cookie=lambda _role: "session=x")
    answer = injecting._tried(desk, office, Asked("x", "clerk", "GET", "/"), 9)
    assert (answer.found, bool(answer.cut)) == (found, is_cut)


def test_requests_that_the_time_of_the_gate_does_not_reach_are_told(monkeypatch):
    asked = [Asked(method, "clerk", method, "/") for method in ("GET", "POST")]
    monkeypatch.setattr(injecting, "_tried", lambda *_: injecting.Answer([]))
    desk, office = SimpleNamespace(within=float), SimpleNamespace(is_in=lambda _role: True)
    assert [one.cut for one in injecting._all_tried(desk, office, asked, time.monotonic() + 60)] == ["", ""]
    assert all("not asked" in one.cut for one in injecting._all_tried(desk, office, asked, time.monotonic()))


def test_every_judge_gets_its_seconds_from_the_desk_so_that_a_busy_machine_can_be_waited_for(tmp_path):
    desk = Desk(Tools(tmp_path), tmp_path, ExitStack(), patience=20)
    assert desk.within(300) == 6000
    bare = [
        path.name for path in HERE.glob("*.py") if re.search(r"seconds\"?[=:] ?\d", path.read_text(encoding="utf-8"))
    ]
    assert bare == []


@pytest.mark.parametrize(("kind", "state"), [("Timeout", NOT_WHOLE), ("Syntax error", FAILED)])
def test_a_file_for_which_semgrep_had_no_time_is_no_finding_and_not_clean_either(tmp_path, monkeypatch, kind, state):
    rules = {str(path): {"checks": {"x": {"passed": True}}} for path in (HERE / "rules").glob("*.yaml")}
    error = {"type": kind, "message": "raw-sql on archive/vault.py"}
    answers = iter(({"results": rules}, {"results": [], "errors": [error], "paths": {"scanned": ["archive/vault.py"]}}))
    monkeypatch.setattr(
        coding, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, json.dumps(next(answers)), "")
    )
    monkeypatch.setattr(coding.shutil, "which", lambda *_, **__: "semgrep")
    desk = SimpleNamespace(folder=tmp_path, within=float, tools=SimpleNamespace(programs=Path))
    answer = coding.semgrep(desk)
    assert (answer.state, list(answer.findings)) == (state, [error["message"]])


def test_nothing_is_asked_in_the_name_of_who_is_not_signed_in(monkeypatch):
    monkeypatch.setattr(injecting, "_tried", lambda *_: injecting.Answer([]))
    office = SimpleNamespace(is_in=lambda _role: False, sign_in=lambda role: role == "clerk")
    asked = [Asked(role, role, "GET", "/") for role in ("clerk", "leader")]
    answers = injecting._all_tried(SimpleNamespace(within=float), office, asked, time.monotonic() + 60)
    assert [one.cut for one in answers] == ["", "leader cannot sign in"]


@pytest.mark.django_db
def test_the_token_of_a_post_opens_what_the_post_opens(client, office, make_record):
    record = make_record(level=1)
    tokens = filling.tokens_of({role: getattr(office, role) for role in ("clerk", "admin")})
    address = f"/api/v1/records/{record.key}"
    answers = {role: client.get(address, headers={"authorization": f"Bearer {one}"}) for role, one in tokens.items()}
    assert (answers["clerk"].status_code, answers["clerk"].json()["key"]) == (200, record.key)
    assert answers["admin"].status_code in {403, 404}


@pytest.mark.parametrize(
    "line", ["Traceback (most recent call last):", "x ERROR y", "x CRITICAL a dispatch stays closed"]
)
def test_what_the_office_complains_of_is_a_fault_and_a_warning_is_none(tmp_path, line):
    log = tmp_path / "web.log"
    log.write_text(f"x WARNING y\n{line}\n", encoding="utf-8")
    assert Served("", tmp_path, {}, log).faults() == [line]


@pytest.mark.django_db
def test_an_ended_session_is_seen_and_a_new_one_opened(client, office, monkeypatch):
    def asked(_self, method, address, cookie, form=""):
        client.cookies.load(cookie)
        kind = {"content_type": "application/x-www-form-urlencoded"} if form else {}
        answer = client.generic(method, address, form, **kind)
        given = [one.OutputString() for one in answer.cookies.values()]
        return SimpleNamespace(status=answer.status_code, headers=SimpleNamespace(get_all=lambda _name: given))

    monkeypatch.setattr(Served, "_asked", asked)
    served = Served("", Path(), {"people": {role: {"session": "ended"} for role in ("clerk", "archivist")}}, Path())
    office.clerk.set_password(PASSWORD)
    office.clerk.save()
    borne_out()
    assert not served.is_in("clerk")
    assert served.sign_in("clerk")
    assert not served.sign_in("archivist")


def test_the_walk_knows_a_thing_for_every_address_that_names_one():
    """Six pages of people, units, registers and the plan were opened by nobody, and their forms asked by no judge."""
    named = {name for name, pattern, _view in addresses() if "<" in pattern and not name.startswith("api:")}
    known = {*DOORS, *filling.ABOUT, "search:asked"}
    assert {name for name in named - known if name.split(":")[0] in {"archive", "search", "ingest"}} == {
        "archive:log-who-export", "archive:log-unusual-export",  # by the word "form" in their pattern
    }  # fmt: skip


def test_a_button_that_sends_its_form_elsewhere_is_an_input_there():
    reader = filling.Inputs("/here/")
    reader.feed(
        '<form method="post"><input name="why"><button formaction="/join/">x</button><textarea name="more"></textarea></form>'
        '<form method="post" action="/here/"><input name="a"><button>x</button><button formaction="/there/">x</button></form>'
        """<div hx-post="/hints/" hx-vals='{"by": "text"}' hx-trigger="input from:#q"></div>"""
    )
    found = {(one["method"], one["address"]): list(one["fields"]) for one in reader.found}
    asked = {"/join/": ["why", "more"], "/here/": ["a"], "/there/": ["a"], "/hints/": ["by", "q"]}
    assert found == {("POST", address): fields for address, fields in asked.items()}


def test_a_choice_that_nobody_made_is_the_first_that_says_something():
    reader = filling.Inputs("/")
    reader.feed('<form><select name="level"><option value="">?</option><option value="mat">M</option><option value="x">X</option></select>'
                '<select name="fate"><option value="a">A</option><option value="b" selected>B</option></select></form>')  # fmt: skip
    assert reader.found[0]["fields"] == {"level": "mat", "fate": "b"}


def test_a_form_with_a_file_is_sent_in_parts():
    from django.test import RequestFactory

    body = asking.in_parts({"level": "mat", "file": "1"})
    request = RequestFactory().post("/", body.encode(), content_type=asking.FORMS["-"])
    assert (request.POST["level"], request.FILES["file"].name) == ("mat", "1.pdf")
    request.close()


def test_an_act_that_takes_a_thing_away_comes_last():
    names = [
        ("7-archive-number-void-POST", "clerk"),
        ("8-archive-grants-POST", "leader"),
        ("9-archive-marks-POST", "security"),
    ]
    assert [Asked(name, role, "POST", "/").is_last for name, role in names] == [True, False, True]


def test_a_file_made_to_wait_is_read_as_one_that_came_in():
    from archive.models import Page
    from ingest.captured import ranges_of

    page = Page(number=1, width=2, height=3, image_start=4, image_length=5, thumb_start=6, thumb_length=7, text_start=8, text_length=9, source="ocr", confidence=90)  # fmt: skip
    told = ranges_of(filling.as_read(page))
    assert (told.number, told.image, told.thumb, told.text, told.source) == (1, (4, 5), (6, 7), (8, 9), "ocr")
