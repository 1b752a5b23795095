"""Judges of the code: ruff's and bandit's security rules, and semgrep with the rules of this repository.

An exception names its rule and its reason in the line (`noqa: S...`, `nosemgrep: ...`); bandit accepts those of ruff,
which carries the same rules under the same numbers.
"""

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any, Final

from config.gates.desk import Desk
from config.gates.outcome import ROOT, NotRun, Outcome, judged, toothless
from config.gates.tools import run

PACKAGES: Final = ("archive", "ingest", "search", "config", "manage.py")
EACH: Final = 5  # seconds of one rule of semgrep for one file
RULES: Final = Path(__file__).parent / "rules"
SEEN_BY_RUFF: Final = {"B703": "S308", "B404": "S404"}  # of another number there; S404 is off for the whole house
# Words that are no secrets: a facet's key, an empty token.
NO_SECRETS: Final = {
    ("B105", "search/fields.py"),
    ("B106", "search/views/asking.py"),
    ("B105", "archive/rules/roles.py"),
}


def ruff(desk: Desk) -> Outcome:
    """Count what the S rules find, and the exceptions given to them."""
    program = Path(sys.executable).with_name("ruff")
    command = [str(program), "check", "--select", "S", "--output-format", "json"]
    found = json.loads(run([*command, "."], seconds=desk.within(120)).stdout)
    given = json.loads(run([*command, "--ignore-noqa", "."], seconds=desk.within(120)).stdout)
    told = [f"{one['filename']}:{one['location']['row']} {one['code']} {one['message']}" for one in found]
    return judged(f"{len(found)} findings, {len(given) - len(found)} exceptions with a reason", told)


def bandit(desk: Desk) -> Outcome:
    """Count what bandit finds beyond the exceptions given to ruff."""
    program = desk.tools.programs("tools") / "bandit"
    command = [str(program), "-q", "-r", *PACKAGES, "-x", "*/tests/*,*/bench/*,*/gates/*", "-f", "json"]
    found: list[dict[str, Any]] = json.loads(run(command, seconds=desk.within(300)).stdout)["results"]
    left = [one for one in found if not _is_excused(one)]
    told = [f"{one['filename']}:{one['line_number']} {one['test_id']} {one['issue_text']}" for one in left]
    return judged(f"{len(left)} findings, {len(found) - len(left)} exceptions with a reason", told)


def _is_excused(one: dict[str, Any]) -> bool:
    """Say whether the line, or the one before it, carries an exception to the same rule for ruff or semgrep."""
    rule, name = one["test_id"], one["filename"].removeprefix("./")
    if rule == "B404" or (rule, name) in NO_SECRETS or "/migrations/" in name:
        return True
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    near = "\n".join(lines[max(0, min(one["line_range"]) - 2) : max(one["line_range"])])
    same = SEEN_BY_RUFF.get(rule, f"S{rule[1:]}")
    if rule == "B308" and re.search(r'mark_safe\("[^"]*"\)', near):
        return True  # a fixed word
    return re.search(rf"noqa: [A-Z0-9, ]*\b{same}\b", near) is not None or (
        same in {"S308", "S608"} and "nosemgrep: " in near
    )


def semgrep(desk: Desk) -> Outcome:
    """Let every rule find the faults in its test file, then count what they find in the tree."""
    programs = desk.tools.programs("semgrep")
    if shutil.which("pysemgrep", path=programs) is None:
        raise NotRun("semgrep: the wheel for this machine has no program")
    home = desk.folder / "semgrep"
    home.mkdir(parents=True, exist_ok=True)
    quiet = {"SEMGREP_SEND_METRICS": "off", "SEMGREP_ENABLE_VERSION_CHECK": "0", "HOME": str(home)}
    quiet["PATH"] = f"{programs}:{os.environ['PATH']}"
    common = ["--metrics", "off", "--disable-version-check", "--config", str(RULES.relative_to(ROOT))]
    asked = {"seconds": desk.within(600), "env": os.environ | quiet}
    tried = run([str(programs / "semgrep"), "--test", "--json", *common, str(RULES.relative_to(ROOT))], **asked)
    rules = json.loads(tried.stdout)["results"]
    blind = [path for path, one in rules.items() if not one["checks"] or not all(each["passed"] for each in one["checks"].values())]  # fmt: skip
    if blind or len(rules) != len(list(RULES.glob("*.yaml"))):
        return toothless(", ".join(blind) or "a rule without a test")
    out = ["--timeout", str(int(desk.within(EACH)))]
    out += [word for each in ("/config/gates", "tests", "bench") for word in ("--exclude", each)]
    given = json.loads(
        run([str(programs / "semgrep"), "scan", "-q", "--json", *common, *out, *PACKAGES], **asked).stdout
    )
    told = [f"{one['path']}:{one['start']['line']} {one['check_id']}" for one in given["results"]]
    cut = [str(one.get("message"))[:200] for one in given["errors"] if one.get("type") == "Timeout"]
    told += [str(one.get("message"))[:200] for one in given["errors"] if one.get("type") != "Timeout"]
    scanned, excused = len(given["paths"]["scanned"]), _excuses()
    figures = f"{len(rules)} rules found what was planted; {len(told)} findings in {scanned} files, {excused} exceptions with a reason"
    return judged(figures, told, cut)


def _excuses() -> int:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "gates" not in path.parts]
    return sum(len(re.findall(r"# nosemgrep: [\w-]+ - \w", path.read_text(encoding="utf-8"))) for path in files)
