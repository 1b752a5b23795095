"""What an installation can do and be told stands in the README, and nothing else does."""

import re
from pathlib import Path

from django.conf import settings

from config import env

ROOT = Path(settings.BASE_DIR)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_variable_is_documented_and_every_documented_one_exists():
    table = README.split("## Settings")[1].split("\n## ")[0]
    documented = set(re.findall(r"`(VANKHO_[A-Z_]+)`", table))
    assert documented == env.NAMES


def test_every_command_is_documented_and_every_documented_one_exists():
    documented = set(re.findall(r"`manage\.py ([a-z_]+)", README)) - {"check"}
    present = {path.stem for path in ROOT.glob("*/management/commands/*.py") if path.stem != "__init__"}
    assert documented == present


def test_every_target_named_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"make ([a-z-]+)", README)) | set(["setup", "demo", "serve", "test", "check", "browser", "bench"])
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert named <= targets


def test_every_runtime_part_has_its_reason():
    parts = (ROOT / "config/decisions/parts.md").read_text(encoding="utf-8")
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = pyproject.split("dependencies = [")[1].split("]")[0]
    names = re.findall(r'"([a-z0-9.-]+)', block)
    assert [name for name in names if name not in parts] == []
    assert len(names) <= 25
