"""The steps of a backup, a restore and a drill stand in the order that lets nothing be lost (SECURITY.md, section 6)."""

import contextlib
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from config.backup import checking, examining, making, restoring, snapshot
from config.backup.restoring import Media


@pytest.fixture
def steps(monkeypatch):
    """Put steps in the place of parts: steps(module, name=answer, ...); return the names in the order they were taken."""
    taken = []

    def put(module, **answers):
        for name, answer in answers.items():
            monkeypatch.setattr(module, name, step(name, answer))
        return taken

    def step(name, answer):
        def take(*_given, **_named):
            taken.append(name)
            return answer

        return take

    return put


def test_a_backup_publishes_a_head_freezes_copies_files_then_vault_and_signs_last(
    steps, monkeypatch, tmp_path, settings
):
    settings.VANKHO_HOME = tmp_path / "home"
    told, copied = SimpleNamespace(name="made"), SimpleNamespace(fresh=0)
    monkeypatch.setattr(making, "_alone", lambda _target: contextlib.nullcontext())
    monkeypatch.setattr(making.signing, "own_key", lambda _home: None)
    taken = steps(making.publishing, publish=None)
    steps(making.vaulting, require_own=None)
    steps(
        making,
        _newest=None,
        _freeze=SimpleNamespace(taken_at=None),
        _earlier=None,
        _copy=(copied, []),
        _copy_vault=("vault", []),
        _manifest=told,
        _finish=None,
        _record=None,
    )
    making.make(making.Places(tmp_path / "main", tmp_path / "vault"))
    assert taken == [
        "_newest", "require_own", "publish", "_freeze", "_earlier", "_copy", "_copy_vault", "_manifest", "_finish", "_record",
    ]  # fmt: skip


def test_a_restore_goes_from_manifest_to_index_and_opens_last(steps, monkeypatch, tmp_path, settings):
    """Manifest, database, files, newest vault without what was destroyed since, log, registers and banner, index, open."""
    settings.VANKHO_HOME = tmp_path
    head = SimpleNamespace(size=3)
    backup = SimpleNamespace(manifest=SimpleNamespace(name="one", log=head), listed=lambda: iter(()))
    sound = checking.Sound(backup, [], None)
    taken = steps(restoring.checking, read=sound, serving=(SimpleNamespace(), []))
    steps(restoring.vaulting, place=None)
    steps(restoring.publishing, publish=None)
    steps(restoring.follow, rebuild=0)
    steps(restoring.resealing, catch_up=[])
    steps(restoring.marker, remove=None)
    steps(
        restoring,
        _require_form=None,
        _sealed_anew={},
        _require_keys=None,
        _begin={"newest_size": None},
        _fill_database=None,
        _put_back=0,
        _require_log=None,
        _record=0,
    )
    restoring.restore(Media(Path("a"), Path("b")), checking.Outside())
    assert taken == [
        "read", "_require_form", "serving", "_sealed_anew", "_require_keys", "_begin",
        "_fill_database", "_put_back", "place", "_require_log", "catch_up", "_record", "publish", "rebuild", "remove",
    ]  # fmt: skip


def test_a_drill_asks_every_question_of_the_decision():
    """Every digest, a sample of each level, a head kept elsewhere, the log, numbers, searches, one destroyed object."""
    asked = [question.__name__.strip("_") for question in examining.QUESTIONS]
    assert asked == ["digests", "unsealed", "head", "log", "numbers", "searches", "gone"]
    assert examining.SAMPLES == 3


def test_a_drill_without_a_head_kept_elsewhere_has_not_passed():
    assert not examining._head(SimpleNamespace(proven=0)).passed
    assert "--heads" in examining._head(SimpleNamespace(proven=0)).seen
    assert examining._head(SimpleNamespace(proven=2)).passed


def test_sqlite_is_frozen_in_one_step(monkeypatch, tmp_path):
    """In steps a busy writer starves the copy: 16,538 restarts in 20 s."""
    pages = []

    class Watched(sqlite3.Connection):
        def backup(self, target, **given):
            pages.append(given["pages"])
            super().backup(target, **given)

    real = sqlite3.connect
    real(tmp_path / "live.sqlite3").execute("CREATE TABLE t (a)")
    monkeypatch.setattr(snapshot.sqlite3, "connect", lambda *given, **named: real(*given, factory=Watched, **named))
    snapshot._copy_sqlite(tmp_path / "live.sqlite3", tmp_path / "copy.sqlite3")
    assert pages == [-1]
