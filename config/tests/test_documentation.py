"""What an installation can do and be told stands in the README, and nothing else does."""

import re
from pathlib import Path

from django.conf import settings

from config import env
from config.tests.compose import load

ROOT = Path(settings.BASE_DIR)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_variable_is_documented_and_every_documented_one_exists():
    table = README.split("## Settings")[1].split("\n## ")[0]
    documented = set(re.findall(r"`(VANKHO_[A-Z0-9_]+)`", table))
    assert documented == env.NAMES


def test_every_command_is_documented_and_every_documented_one_exists():
    documented = set(re.findall(r"`manage\.py ([a-z_]+)", README)) - {"check"}
    present = {path.stem for path in ROOT.glob("*/management/commands/*.py") if path.stem != "__init__"}
    assert documented == present


def test_every_target_named_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"make ([a-z-]+)", README)) | set(
        ["setup", "demo", "serve", "test", "check", "browser", "bench"]
    )
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert named <= targets


def test_every_runtime_part_has_its_reason():
    parts = (ROOT / "config/decisions/parts.md").read_text(encoding="utf-8")
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = pyproject.split("dependencies = [")[1].split("]")[0]
    names = re.findall(r'"([a-z0-9.-]+)', block)
    assert [name for name in names if name not in parts] == []
    assert len(names) <= 25


def test_the_default_container_needs_no_other_service():
    services = load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    assert [name for name, one in services.items() if one["profiles"] == ["alone"]] == ["vankho"]
    alone = services["vankho"]
    assert "depends_on" not in alone
    assert alone["ports"] == ["127.0.0.1:8000:8000"]
    assert alone["environment"]["VANKHO_PROFILE"] == "${VANKHO_PROFILE:-production}"
    given = {name if name in env.NAMES else name.removesuffix("_FILE") for name in alone["environment"]}
    assert given <= env.NAMES


def test_one_list_names_the_system_packages():
    dockerfile = (ROOT / "config/docker/Dockerfile").read_text(encoding="utf-8")
    setup = (ROOT / "config/setup").read_text(encoding="utf-8")
    assert "config/packages.txt" in dockerfile
    assert "config/packages.txt" in setup
    assert "config/packages.txt" in README
    assert not re.search(r"tesseract-ocr|fonts-", dockerfile)
