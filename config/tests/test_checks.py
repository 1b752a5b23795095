import stat
from types import SimpleNamespace

import pytest

from archive.rules.levels import Level
from config import checks


def ids(found):
    return [fault.id for fault in found]


def test_an_evaluation_starts_without_preparation(settings):
    assert checks.production() == []


def test_production_refuses_debugging_a_weak_key_and_secrets(settings):
    settings.TOTP = "required"
    settings.PROFILE, settings.DEBUG, settings.SECRET_KEY, settings.SITE_MAX_LEVEL = (
        "production",
        True,
        "short",
        Level.MAT,
    )
    assert ids(checks.production()) == ["vankho.E001", "vankho.E002", "vankho.E003"]
    assert all(fault.hint for fault in checks.production())


@pytest.mark.parametrize(
    ("level", "papers", "expected"), [(Level.THUONG, False, 0), (Level.MAT, False, 1), (Level.THUONG, True, 1)]
)
def test_secret_levels_ask_for_more_than_a_password(settings, level, papers, expected):
    settings.PROFILE, settings.SITE_MAX_LEVEL, settings.TOTP = "independent-lan", level, "offered"
    settings.PAPER_STUBS = papers
    assert ids(checks.production()).count("vankho.E004") == expected
    settings.TOTP = "required"
    assert "vankho.E004" not in ids(checks.production())


def test_a_missing_model_is_named_with_its_package(monkeypatch):
    class Listed:
        stdout = "List of languages\neng\nvie\n"

    monkeypatch.setattr(checks.subprocess, "run", lambda *_args, **_kwargs: Listed)
    (fault,) = checks.tesseract()
    assert "Vietnamese" in fault.msg
    assert "tesseract-ocr-script-viet" in fault.hint


def test_a_missing_program_is_named_with_its_package(monkeypatch):
    monkeypatch.setattr(checks.shutil, "which", lambda _name: None)
    assert ids(checks.tesseract()) == ["vankho.E010"]
    assert ids(checks.fonts()) == ["vankho.W020"]


def test_a_missing_font_is_named_with_its_package(monkeypatch):
    class Listed:
        stdout = "DejaVu Sans\n"

    monkeypatch.setattr(checks.subprocess, "run", lambda *_args, **_kwargs: Listed)
    (fault,) = checks.fonts()
    assert "fonts-croscore" in fault.hint


@pytest.mark.parametrize(
    ("vault", "expected"),
    [
        ("", []),
        ("postgresql://owner:x@db/vault", []),
        ("postgresql://owner:x@vault/vankho", []),
        ("postgresql://owner:x@db/vankho", ["vankho.E061"]),
        ("postgresql://other:x@db:5432/vankho?sslmode=require", ["vankho.E061"]),
    ],
)
def test_the_vault_never_lies_in_the_main_database(monkeypatch, vault, expected):
    main = {"NAME": "vankho", "HOST": "db", "PORT": ""}
    monkeypatch.setattr(checks, "settings", SimpleNamespace(DATABASES={"default": main}, VAULT_URL=vault))
    assert ids(checks.vault_apart()) == expected


@pytest.mark.parametrize(
    ("content", "mode", "expected"),
    [
        (None, 0o400, ["vankho.E030"]),
        (b"x" * 32, 0o644, ["vankho.E031"]),
        (b"", 0o400, ["vankho.E032"]),
        (b"x" * 32, 0o400, []),
    ],
)
def test_a_bad_key_file_is_named(tmp_path, settings, content, mode, expected):
    path = tmp_path / "site.key"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
        assert stat.S_IMODE(path.stat().st_mode) == mode
    settings.PROFILE, settings.SITE_KEY_FILES = "production", (path,)
    assert ids(checks.keys()) == expected
