"""schemathesis on `/api/v1`, with the token of every post: no server error, nothing otherwise than described."""

import json
import re
from pathlib import Path
from typing import Any, Final

from config.gates.desk import Desk
from config.gates.office import DIRECT, Served
from config.gates.outcome import Outcome, judged, toothless
from config.gates.tools import run

ROLES: Final = ("clerk", "leader", "staff", "archivist", "auditor", "security", "admin")
CHECKS: Final = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "negative_data_rejection,missing_required_header,unsupported_method,ignored_auth"
)
PLANTED: Final = {
    "openapi": "3.1.0",
    "info": {"title": "planted", "version": "1"},
    "paths": {
        "/api/planted/{number}": {
            "get": {
                "parameters": [{"in": "path", "name": "number", "required": True, "schema": {"type": "string", "minLength": 1}}],
                "responses": {"200": {"description": "x", "content": {"application/json": {"schema": {
                    "type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}}}}},
            }
        }
    },
}  # fmt: skip
WANTED: Final = {
    "ST101": "a server error",
    "ST108": "an answer unlike its schema",
    "ST204": "an undeclared method that is answered",
}


def gate(desk: Desk) -> Outcome:
    """Find the planted faults, then ask every route of the API with the token of each post."""
    planted = desk.folder / "planted.json"
    planted.write_text(json.dumps(PLANTED), encoding="utf-8")
    found = _asked(desk, desk.office(planted=True), planted, "clerk", examples=20)[1]
    if missed := [words for code, words in WANTED.items() if not any(code in one for one in found)]:
        return toothless(", ".join(missed))
    office = desk.office()
    described = desk.folder / "openapi.json"
    described.write_text(json.dumps(_described(office)), encoding="utf-8")
    cases, faults, cut = 0, [], []
    for role in ROLES:
        asked, told = _asked(desk, office, described, role, examples=max(10, int(40 * desk.minutes)))
        cases += asked
        faults += [f"{role}: {one}" for one in told]
        cut += [] if office.takes_token(role) else [f"{role}: its token counted no more at the end"]
    faults += office.faults()
    return judged(f"{len(ROLES)} tokens, {cases:,} requests, {len(faults)} faults", faults, cut)


def _described(office: Served) -> dict[str, Any]:
    """Return the description as a signed-in person gets it from the office."""
    import urllib.request

    asked = urllib.request.Request(f"{office.url}/api/v1/openapi.json", headers={"Cookie": office.cookie("admin")})
    told: dict[str, Any] = json.loads(DIRECT.open(asked, timeout=60).read())
    return told


def _asked(desk: Desk, office: Served, described: Path, role: str, *, examples: int) -> tuple[int, set[str]]:
    """Return how many requests were made and the faults found."""
    report = desk.folder / f"schemathesis-{role}-{described.stem}.xml"
    program = desk.tools.programs("tools") / "schemathesis"
    command = [str(program), "--config-file", str(_settings(desk)), "run", str(described), "--url", office.url]
    command += ["-H", f"Authorization: Bearer {office.token(role)}", "--checks", CHECKS, "-n", str(examples)]
    command += ["--phases", "examples,coverage,fuzzing", "--seed", "7", "--continue-on-failure", "--no-shrink"]
    command += [
        "--suppress-health-check",
        "all",
        "--warnings",
        "off",
        "--report",
        "junit",
        "--report-junit-path",
        str(report),
    ]
    command += ["--request-timeout", str(desk.within(10))]
    done = run(command, seconds=desk.within(1200), cwd=desk.folder)
    (desk.folder / f"schemathesis-{role}-{described.stem}.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    cases = re.search(r"([\d,]+) generated", done.stdout)
    blocks = re.split(r"^_{3,} (\S+ \S+) _{3,}$", done.stdout, flags=re.MULTILINE)
    faults = {
        f"{door} {words}"
        for door, block in zip(blocks[1::2], blocks[2::2], strict=True)
        for words in re.findall(r"^- (ST\d+ .+)$", block, re.MULTILINE)
    }
    if done.returncode and not faults:
        faults = {(done.stdout + done.stderr).strip()[-300:]}
    return int(cases.group(1).replace(",", "")) if cases else 0, faults


def _settings(desk: Desk) -> Path:
    path = desk.folder / "schemathesis.toml"
    path.write_text("", encoding="utf-8")
    return path
