"""sqlmap on every input that the walk found: fields of forms, of addresses and of the API, and parts of addresses.

Boolean, error, union and stacked questions (`--level 1 --risk 1`): a planted statement that says nothing of its errors
is found by these. Questions by time are asked with `--minutes 5` or more: on a busy machine they tell nothing.
"""

import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from config.gates import asking
from config.gates.asking import Asked
from config.gates.desk import Desk
from config.gates.office import Served
from config.gates.outcome import NoEnd, NotRun, Outcome, judged, toothless
from config.gates.tools import run

AT_ONCE: Final = 2
EACH: Final = 60  # seconds of one request, as many times with --minutes; most end within ten
PLANTED: Final = 300  # seconds for a planted one
FIELD: Final = 20  # seconds more for each of its fields
WHOLE: Final = 2400  # seconds of all requests together, as many times with --minutes
THOROUGH: Final = 5  # minutes from which questions by time are asked
PAPERS: Final = Path(__file__).parent / "answers" / "papers.py"
ENDED: Final = "all tested parameters do not appear to be injectable"
SHUT: Final = ("403", "405")  # nothing behind the door was asked
GONE: Final = ("404", "409")  # an act that can be done once: what it asks about is gone, or has moved on
MANY: Final = 10  # of the thirty or so questions to a field
SIGNING_IN: Final = Lock()


@dataclass(frozen=True)
class Answer:
    """What sqlmap can inject into, why it did not come to an end, and whether the act could be done only once or not at all."""

    found: list[str]
    cut: str = ""
    is_gone: bool = False


def on_postgresql(desk: Desk) -> Outcome:
    """Do the same on PostgreSQL."""
    address = os.environ.get("VANKHO_TEST_DATABASE_URL", "")
    if not address:
        raise NotRun("VANKHO_TEST_DATABASE_URL names no PostgreSQL server")
    return gate(desk, address)


def gate(desk: Desk, address: str = "") -> Outcome:
    """Find the planted statements, then try every input as the first post that has it, within the bound."""
    planted = desk.office(planted=True, address=address)
    for one in asking.planted():
        if not _tried(desk, planted, one, desk.within(PLANTED)).found:
            return toothless(f"SQL built from a word of {one.address}")
    office = desk.office(address=address)
    asked = asking.all_of(office)
    answers = _all_tried(desk, office, asked, time.monotonic() + desk.within(WHOLE))
    cut = [f"{one.name}: {answer.cut}" for one, answer in zip(asked, answers, strict=True) if answer.cut]
    told = [line for answer in answers for line in answer.found] + office.faults()
    inputs = sum(one.inputs for one in asked)
    ended = sum(one.inputs for one, answer in zip(asked, answers, strict=True) if not answer.cut)
    figures = f"{ended} of {inputs} inputs, {len(asked) - len(cut)} of {len(asked)} requests: {len(told)} injectable"
    gone = sum(answer.is_gone for answer in answers)
    return judged(f"{figures}; {gone} acts met a thing that was gone; the three planted ones found", told, cut)


def _all_tried(desk: Desk, office: Served, asked: list[Asked], until: float) -> list[Answer]:
    """Try every request: questions side by side, then acts one after the other, which change what the next one meets."""

    def tried(one: Asked) -> Answer:
        seconds = min(desk.within(EACH + FIELD * one.inputs), until - time.monotonic())
        if seconds <= 1:
            return Answer([], "not asked: the time of the gate was over")
        return _tried(desk, office, one, seconds) if _is_in(office, one) else Answer([], f"{one.role} cannot sign in")

    answers: dict[str, Answer] = {}
    for is_act, at_once in ((False, AT_ONCE), (True, 1)):
        part = [one for one in asked if one.is_act is is_act]
        with ThreadPoolExecutor(at_once) as crew:
            answers |= zip((one.name for one in part), crew.map(tried, part), strict=True)
    return [answers[one.name] for one in asked]


def _is_in(office: Served, one: Asked) -> bool:
    """Sign in again where an act before has ended the session: behind the sign-in page there is nothing to find."""
    with SIGNING_IN:
        return one.is_api or office.is_in(one.role) or office.sign_in(one.role)


def _tried(desk: Desk, office: Served, one: Asked, seconds: float) -> Answer:
    """Let sqlmap try one request for so many seconds; return what it can inject into, and why it came to no end."""
    place = desk.folder / "sqlmap" / office.database / one.name
    place.mkdir(parents=True, exist_ok=True)
    request = place / "request.txt"
    request.write_bytes(one.as_text(office).encode())
    technique = "BEUST" if desk.minutes >= THOROUGH else "BEUS"
    command = [str(desk.tools.programs("tools") / "sqlmap"), "-r", str(request), "--batch", "--dbms", office.database]
    command += [
        "--technique",
        technique,
        "--level",
        "1",
        "--risk",
        "1",
        "--timeout",
        "30",
        "--postprocess",
        str(PAPERS),
    ]
    command += ["--output-dir", str(place), "--flush-session", "--disable-coloring", "--ignore-code", "*", "--skip-waf"]
    command += ["-p", ",".join(one.fields)] if one.fields else []
    try:
        said = run(command, seconds=seconds, cwd=place).stdout
    except NoEnd:
        return Answer([], f"no end within {seconds:.0f} s")
    (place / "said.txt").write_text(said, encoding="utf-8")
    found = [f"{one.name}: {line}" for line in re.findall(r"^Parameter: .+", said, re.MULTILINE)]
    if not found and ENDED not in said:
        return Answer([], f"not tried: {' '.join(said.split()[-30:])}")
    met = {code: int(times) for code, times in re.findall(r"^(\d{3}) \([^)]*\) - (\d+) times", said, re.MULTILINE)}
    if shut := next((code for code in SHUT if met.get(code, 0) >= MANY), None):
        return Answer(found, f"not reached: answered {shut} {met[shut]} times")
    return Answer(found, is_gone=one.is_act and any(met.get(code, 0) >= MANY for code in GONE))
