"""The bill of parts of what is shipped, and their licences."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any, Final

from config.gates.desk import Desk
from config.gates.outcome import ROOT, NotRun, Outcome, judged, toothless
from config.gates.tools import run

LOCK: Final = ROOT / "requirements.lock"
FREE: Final = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|LGPL|Lesser General|Unlicense|Zlib|HPND|CC0|"
    r"Historical Permission)\b|BSD-|MIT-|Apache-|MPL-|LGPL|LGPLv3|public domain",
    re.IGNORECASE,
)
BOUND: Final = re.compile(r"AGPL|Affero|SSPL|Business Source|Commons Clause|Proprietary", re.IGNORECASE)
COPYLEFT: Final = re.compile(r"(?<!L)(?<!Lesser )\bGPL|(?<!Lesser )General Public License", re.IGNORECASE)
PLANTED: Final = {"planted-agpl": "AGPL-3.0-or-later", "planted-gpl": "GPL-3.0-only", "planted-unknown": ""}


def bill(desk: Desk) -> Outcome:
    """Write the CycloneDX bill of the running product and hold it against the lock file."""
    target = desk.folder / "sbom.json"
    program = desk.tools.programs("tools") / "cyclonedx-py"
    command = [str(program), "environment", sys.executable, "--pyproject", "pyproject.toml", "--output-reproducible"]
    run([*command, "--of", "JSON", "-o", str(target), "--validate"], seconds=desk.within(300))
    told = json.loads(target.read_text(encoding="utf-8"))
    locked = locked_versions()
    shipped = [one for one in told["components"] if _plain(one["name"]) in locked]
    told["components"] = shipped
    target.write_text(json.dumps(told, indent=1, sort_keys=True), encoding="utf-8")
    listed = {_plain(one["name"]): one["version"] for one in shipped}
    wrong = [f"{name} {version}: {listed.get(name, 'missing')} in the bill" for name, version in locked.items() if listed.get(name) != version]  # fmt: skip
    return judged(f"{len(shipped)} parts of {len(locked)} locked, CycloneDX {told['specVersion']}", wrong)


def licences(desk: Desk) -> Outcome:
    """Refuse a part under AGPL, under GPL alone or under no known licence; three such parts are planted first."""
    plant(desk.folder / "parts")
    caught = {fault.split(":")[0] for fault in faults(_asked(desk, beside=desk.folder / "parts"), set(PLANTED))}
    if caught != set(PLANTED):
        return toothless(", ".join(sorted(set(PLANTED) - caught)))
    known = _asked(desk)
    locked = set(locked_versions())
    missing = [f"{name}: not asked" for name in locked - {_plain(one["Name"]) for one in known}]
    told = [*missing, *faults(known, locked)]
    return judged(f"{len(PLANTED)} planted parts refused; {len(told)} of {len(locked)} shipped parts", told)


def audit(_desk: Desk) -> Outcome:
    """Say why it is not run: pip-audit asks a service outside, and calls a part that it could not ask about clean."""
    raise NotRun("pip-audit needs the internet: without it, it passes every part it could not ask about")


def plant(folder: Path) -> None:
    """Put parts with bad licences into a folder."""
    for name, licence in PLANTED.items():
        place = folder / f"{name.replace('-', '_')}-1.0.dist-info"
        place.mkdir(parents=True, exist_ok=True)
        line = f"License-Expression: {licence}\n" if licence else ""
        (place / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{line}", encoding="utf-8")


def _asked(desk: Desk, *, beside: Path | None = None) -> list[dict[str, Any]]:
    program = desk.tools.programs("tools") / "pip-licenses"
    command = [str(program), "--format", "json", "--from", "all", "--with-system"]
    command += [] if beside else ["--python", sys.executable]
    environment = os.environ | ({"PYTHONPATH": str(beside)} if beside else {})
    found: list[dict[str, Any]] = json.loads(run(command, seconds=desk.within(120), env=environment).stdout)
    return found


def faults(known: list[dict[str, Any]], names: set[str]) -> list[str]:
    """Return what is wrong with the licences of the parts named."""
    return [
        f"{_plain(one['Name'])}: {words or 'no licence given'}"
        for one in known
        if _plain(one["Name"]) in names and not is_free(words := licence_of(one))
    ]


def licence_of(one: dict[str, Any]) -> str:
    """Return the words of a part's licence: its expression, else classifier and field."""
    said = [str(one.get(key) or "") for key in ("License-Expression", "License-Classifier", "License-Metadata")]
    known = [words for words in said if words not in {"", "UNKNOWN"}]
    return known[0] if said[0] in known[:1] else "; ".join(known)


def is_free(words: str) -> bool:
    """Say whether a licence lets the product be shipped: every joined part of it, or one of those to choose from."""
    joined = re.split(r"\bAND\b", words)
    if ";" in words and BOUND.search(words):  # classifiers do not say whether they are to choose from
        return False
    return bool(words) and all(any(_is_free_alone(one) for one in re.split(r"\bOR\b|;", each)) for each in joined)


def _is_free_alone(words: str) -> bool:
    if BOUND.search(words):
        return False
    if "LGPL" in words or "Lesser" in words:
        return True
    return FREE.search(words) is not None and COPYLEFT.search(words) is None


def locked_versions() -> dict[str, str]:
    """Return name and version of every part of the lock file of the running product."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    return {_plain(name): version for name, version in found}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
