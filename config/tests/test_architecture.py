"""The shape of the house is a test, because a convention that is not tested decays."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PACKAGES = ("archive", "ingest", "search", "config")


def sources(*packages: str) -> list[Path]:
    found = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts and "tests" not in path.parts]


def test_the_import_contracts_hold():
    result = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("library", "owner"), [("pytesseract", "ingest/ocr.py"), ("tantivy", "search/engines")])
def test_one_module_drives_each_outside_program(library, owner):
    users = [
        path.relative_to(ROOT).as_posix()
        for path in sources(*PACKAGES)
        if re.search(rf"^\s*(import|from) {library}\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert users
    assert all(user.startswith((owner, "config/bench")) for user in users), users


PURE = (
    "archive/rules",
    "archive/sealing.py",
    "archive/merkle.py",
    "ingest/sandbox.py",
    "ingest/sniff.py",
    "ingest/pages.py",
    "ingest/ocr.py",
    "ingest/clean.py",
    "ingest/stamps.py",
    "ingest/fields.py",
    "ingest/classify.py",
    "ingest/legacy.py",
    "search/text.py",
    "search/query.py",
    "search/marking.py",
    "search/entry.py",
)


@pytest.mark.parametrize("place", PURE)
def test_pure_rooms_know_of_django_only_how_to_translate(place):
    files = [ROOT / place] if place.endswith(".py") else list((ROOT / place).rglob("*.py"))
    assert files
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            outside = [name for name in names if name.split(".")[0] == "django" and not name.startswith("django.utils")]
            assert outside == [], path


def test_every_module_opens_with_its_contract():
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in sources(*PACKAGES)
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


ONE_FILE = {"archive/verifier/verify.py"}  # an auditor takes it home: one file is its promise


def test_no_file_grows_beyond_four_hundred_lines():
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in sources(*PACKAGES)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long.keys() <= ONE_FILE


def test_nothing_is_fetched_from_elsewhere():
    """No template, style or script of ours names another host (licence texts and name spaces aside)."""
    allowed = ("http://www.w3.org/", "http://127.0.0.1")
    guilty = []
    for path in ROOT.glob("*/templates/**/*"):
        if path.is_file():
            guilty += [
                (path.name, url)
                for url in re.findall(r"https?://[^\s\"'<>)]+", path.read_text(encoding="utf-8"))
                if not url.startswith(allowed)
            ]
    for path in ROOT.glob("*/static/*/*"):
        if path.suffix in {".css", ".js", ".svg"}:
            guilty += [
                (path.name, url)
                for url in re.findall(r"https?://[^\s\"'<>)]+", path.read_text(encoding="utf-8"))
                if not url.startswith(allowed)
            ]
    assert guilty == []


def test_no_template_carries_script_or_style_of_its_own():
    """The content policy allows neither inline script nor inline style."""
    guilty = []
    for path in ROOT.glob("*/templates/**/*.html"):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"{% comment %}.*?{% endcomment %}", "", text, flags=re.DOTALL)
        if re.search(r"\sstyle=|\son[a-z]+=\"|<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style", text):
            guilty.append(path.relative_to(ROOT).as_posix())
        if re.search(r"\|\s*safe\b|{%\s*autoescape off", text):
            guilty.append(f"{path.relative_to(ROOT).as_posix()}: safe")
    printed = ("printing/", "print/")  # paper forms are drawn on the server and never reach a browser
    assert [name for name in guilty if not any(mark in name for mark in printed)] == []


def test_there_is_no_signal_and_no_overridden_save():
    guilty = []
    for path in sources(*PACKAGES):
        text = path.read_text(encoding="utf-8")
        if re.search(r"\bpost_save\b|\bpre_save\b|@receiver|def save\(self", text):
            guilty.append(path.relative_to(ROOT).as_posix())
    assert guilty == []


def test_nothing_in_the_repository_names_a_machine_or_a_package_index():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    # Put together from halves, so that this test does not name them itself.
    halves = (
        ("pyp", "i.org"),
        ("python", "hosted"),
        ("registry.", "npmjs"),
        ("deb.", "debian"),
        ("repo1.", "maven"),
        ("proxy.", "golang"),
    )
    hosts = re.compile("|".join(re.escape(first + rest) for first, rest in halves))
    guilty = []
    for name in filter(None, listed):
        path = ROOT / name
        if path.suffix in {".png", ".woff2", ".pdf", ".jpg", ".bin"} or not path.is_file():
            continue
        if hosts.search(path.read_text(encoding="utf-8", errors="ignore")):
            guilty.append(name)
    assert guilty == []
