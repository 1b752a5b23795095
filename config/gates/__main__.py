"""`python -m config.gates [NAME ...]`: run the gates, print what each says as a table, leave nothing behind.

Exit status 0: no gate failed. A gate that cannot run says "not run" and why, one that its bound cut "not whole" and what;
with --all-must-run both are failures too.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Final

from config.gates import coding, deploying, fuzzing, injecting, parts, scanning, schema, seeing, wire
from config.gates.desk import Desk
from config.gates.outcome import FAILED, NOT_RUN, NOT_WHOLE, NotRun, Outcome
from config.gates.tools import Tools

GATES: Final[dict[str, Callable[[Desk], Outcome]]] = {
    "deploy": deploying.gate,
    "ruff": coding.ruff,
    "bandit": coding.bandit,
    "semgrep": coding.semgrep,
    "sbom": parts.bill,
    "licences": parts.licences,
    "audit": parts.audit,
    "schemathesis": schema.gate,
    "axe": seeing.axe,
    "lighthouse": seeing.lighthouse,
    "wapiti": scanning.gate,
    "sqlmap": injecting.gate,
    "sqlmap-postgresql": injecting.on_postgresql,
    "atheris": fuzzing.gate,
    "tls": wire.gate,
}


SESSIONS: Final = {"request.txt", "headers.json"}  # what a judge is signed in with


def main(words: list[str]) -> int:
    """Run the gates that were asked for, or all."""
    reader = argparse.ArgumentParser(prog="config.gates", description=__doc__)
    reader.add_argument("names", nargs="*", metavar="NAME", help=f"all, or some of: {', '.join(GATES)}")
    reader.add_argument(
        "--minutes", type=float, default=1.0, help="how thorough: of each fuzzed reader, and in proportion elsewhere"
    )
    reader.add_argument(
        "--patience", type=float, default=1.0, help="how many times as long each judge may take, on a busy machine"
    )
    reader.add_argument("--dispatches", type=int, default=24, help="how many letters the served office has")
    reader.add_argument("--tools", type=Path, help="keep the judges' environments here (a second run starts at once)")
    reader.add_argument("--keep", type=Path, help="keep what the judges said in this folder")
    reader.add_argument(
        "--all-must-run", action="store_true", help="a gate that could not run, or not to its end, is a failure"
    )
    given = reader.parse_args(words)
    if unknown := set(given.names) - set(GATES):
        reader.error(f"no such gate: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, _stop)
    with ExitStack() as until_the_end:
        folder = Path(tempfile.mkdtemp(prefix="vankho-gates-"))
        until_the_end.callback(shutil.rmtree, folder, ignore_errors=True)
        if given.keep:
            until_the_end.callback(_keep, folder, given.keep)
        tools = Tools((given.tools or folder / "tools").absolute())
        desk = Desk(tools, folder, until_the_end, given.minutes, given.dispatches, given.patience)
        answers = {name: _answer(name, desk) for name in given.names or GATES}
    _print(answers)
    bad = {FAILED, NOT_RUN, NOT_WHOLE} if given.all_must_run else {FAILED}
    return 1 if any(one.state in bad for one in answers.values()) else 0


def _answer(name: str, desk: Desk) -> Outcome:
    """Run one gate; one that falls over itself has failed."""
    began = time.monotonic()
    try:
        answer = GATES[name](desk)
    except NotRun as why:
        answer = Outcome(NOT_RUN, str(why))
    except Exception as fault:  # noqa: BLE001 - the other gates are still to be asked
        answer = Outcome(
            FAILED, f"the gate itself fell over: {type(fault).__name__}: {' '.join(str(fault).split())[-400:]}"
        )
    finally:
        desk.done()
    print(f"{name}: {answer.state} ({time.monotonic() - began:.0f} s): {answer.figures}", flush=True)
    for line in answer.findings:
        print(f"    {line}", flush=True)
    return answer


def _print(answers: dict[str, Outcome]) -> None:
    print("\n| gate | figures | |\n|---|---|---|")
    for name, one in answers.items():
        print(f"| {name} | {one.figures} | {one.state} |")


def _keep(folder: Path, kept: Path) -> None:
    """Keep what the judges said: their reports, not the office, its keys and sessions or the environments."""
    for path in folder.rglob("*"):
        about = path.relative_to(folder)
        if (
            path.is_file()
            and about.parts[0] not in {"whole", "own", "postgresql", "tools"}
            and path.name not in SESSIONS
        ):
            target = kept / about
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    sys.exit(main(sys.argv[1:]))
