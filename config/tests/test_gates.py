"""What the gates rest on: pinned judges, rules that are tried, licences told apart, readers that no byte upsets."""

import base64
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from config.gates import deploying, parts, reading
from config.gates.__main__ import GATES
from config.gates.outcome import PASSED, ROOT

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
    answer = deploying.gate(SimpleNamespace())
    assert (answer.state, list(answer.findings)) == (PASSED, [])


def test_the_page_of_the_gates_names_each():
    page = (ROOT / "config" / "decisions" / "gates.md").read_text(encoding="utf-8")
    assert [name for name in GATES if f"`{name}`" not in page] == []
