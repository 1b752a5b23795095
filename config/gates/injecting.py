"""sqlmap on every input that the walk found: fields of forms, of addresses and of the API, and parts of addresses.

Boolean, error, union and stacked questions (`--level 1 --risk 1`): a planted statement that says nothing of its errors
is found by these. Questions by time are asked with `--minutes 5` or more: on a busy machine they tell nothing.
"""

import json
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import quote, urlencode

from config.gates.desk import Desk
from config.gates.office import CSRF, Served
from config.gates.outcome import NotRun, Outcome, judged, toothless
from config.gates.tools import run

AT_ONCE: Final = 2
PASSWORD: Final = "van-kho-mau"  # noqa: S105 - of the sample office; an act of weight asks for it again
# A secret is compared with its digest and never searched for; a file is bytes.
LEFT_OUT: Final = {"password", "new_password1", "new_password2", "file"}
API: Final[tuple[dict[str, Any], ...]] = (
    {"method": "GET", "address": "/api/v1/records", "query": {"state": "draft", "code_number": "7", "code_notation": "KH", "before": ""}},
    {"method": "POST", "address": "/api/v1/search", "body": {"q": "ke hoach", "order": "newest", "filters": {"type": ["x"]}}},
    {"method": "POST", "address": "/api/v1/search/suggestions", "body": {"q": "ke ho"}},
)  # fmt: skip


def on_postgresql(desk: Desk) -> Outcome:
    """Do the same on PostgreSQL."""
    address = os.environ.get("VANKHO_TEST_DATABASE_URL", "")
    if not address:
        raise NotRun("VANKHO_TEST_DATABASE_URL names no PostgreSQL server")
    return gate(desk, address)


def gate(desk: Desk, address: str = "") -> Outcome:
    """Find the planted statement, then try every input as the first post that has it."""
    planted = desk.office(planted=True, address=address)
    request = _request("GET", "/planted/sql/?name=clerk", planted, "clerk", "")
    if not _tried(desk, planted, request, ["name"], "planted"):
        return toothless("SQL built from a word of the address")
    office = desk.office(address=address)
    asked = [*_of_pages(office), *_of_api(office)]
    slow: list[str] = []
    with ThreadPoolExecutor(AT_ONCE) as crew:
        found = list(
            crew.map(lambda one: _within(slow, one[0], lambda: _tried(desk, office, one[1], one[2], one[0])), asked)
        )
    inputs = sum(len(one[2]) or one[1].count("*") for one in asked)
    told = [line for lines in found for line in lines] + office.faults()
    figures = f"{inputs} inputs of {len(asked)} requests, {len(told)} injectable; the planted one found"
    if slow and not told:
        raise NotRun(f"{figures}; no end in time: {', '.join(slow)}")
    return judged(figures, told)


def _within(slow: list[str], name: str, tried: Callable[[], list[str]]) -> list[str]:
    """Note a request that came to no end, and go on."""
    try:
        return tried()
    except NotRun:
        slow.append(name)
        return []


def _of_pages(office: Served) -> list[tuple[str, str, list[str]]]:
    """Return (name, request, fields) of every form and address of the walk."""
    made = []
    for number, one in enumerate(office.told["inputs"]):
        fields = [field for field in one["new"] if field not in LEFT_OUT]
        name, role = f"{number}-{one['name'].replace(':', '-')}-{one['method']}", one["role"]
        values = {key: value or "1" for key, value in one["fields"].items() if key != "csrfmiddlewaretoken"}
        if one["method"] == "GET":
            if fields:
                made.append((name, _request("GET", f"{one['address']}?{urlencode(values)}", office, role, ""), fields))
        elif fields:
            body = urlencode(values | {"csrfmiddlewaretoken": CSRF, "proof_password": PASSWORD})
            made.append((name, _request("POST", one["address"], office, role, body), fields))
        for place in one["places"]:  # a part of the address: asked where it may be guessed, by GET
            marked = one["address"].replace(quote(place), f"{quote(place)}*", 1)
            if one["method"] == "GET" and marked != one["address"]:
                made.append((f"{name}-{place[:8]}", _request("GET", marked, office, role, ""), []))
    return made


def _of_api(office: Served) -> list[tuple[str, str, list[str]]]:
    made = []
    for number, one in enumerate(API):
        address = one["address"] + (f"?{urlencode(one['query'])}" if "query" in one else "")
        body = json.dumps(one["body"]) if "body" in one else ""
        made.append((f"api-{number}", _request(one["method"], address, office, "clerk", body), []))
    return made


def _request(method: str, address: str, office: Served, role: str, body: str) -> str:
    """Return a request as sqlmap reads it."""
    host = office.url.removeprefix("http://")
    who = f"Cookie: {office.cookie(role)}"
    if address.startswith("/api/"):
        who = f"Authorization: Bearer {office.token(role)}"
    form = "application/json" if body.startswith("{") else "application/x-www-form-urlencoded"
    sent = f"Content-Type: {form}\n" if body else ""
    return f"{method} {address} HTTP/1.1\nHost: {host}\n{who}\n{sent}\n{body}"


def _tried(desk: Desk, office: Served, request: str, fields: list[str], name: str) -> list[str]:
    """Let sqlmap try one request; return what it can inject into."""
    place = desk.folder / "sqlmap" / office.database / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "request.txt").write_text(request, encoding="utf-8")
    slow = desk.minutes >= 5  # noqa: PLR2004 - a thorough run
    command = [
        str(desk.tools.programs("tools") / "sqlmap"),
        "-r",
        str(place / "request.txt"),
        "--batch",
        "--dbms",
        office.database,
    ]
    command += [
        "--technique",
        "BEUST" if slow else "BEUS",
        "--level",
        "1",
        "--risk",
        "1",
        "--threads",
        "2",
        "--timeout",
        "30",
    ]
    command += ["--output-dir", str(place), "--flush-session", "--disable-coloring", "--ignore-code", "*", "--skip-waf"]
    command += ["-p", ",".join(fields)] if fields else []
    done = run(command, seconds=600, cwd=place)
    (place / "said.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    return [f"{name}: {one}" for one in re.findall(r"^Parameter: .+", done.stdout, re.MULTILINE)]
