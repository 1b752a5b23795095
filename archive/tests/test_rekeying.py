"""Changing keys: at every moment everything opens, whatever is killed when, and the old forms are gone at the end."""

import os
import shutil
from itertools import count

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from archive import audit, rekeying, store
from archive.models import AuditEntry
from archive.rules.errors import Forbidden
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.stores import keyrows
from archive.stores.custody import KeyFiles, make_key_files
from archive.stores.refusals import (
    KeyFileForeign,
    KeyFileMissing,
    KeysAwaited,
    KeysChanging,
    KeysInUse,
    KeysUnfit,
    KeysUnsettled,
    LevelKeyMissing,
    NoGroundForKeys,
    NothingAnnounced,
)
from archive.vault import Vault
from config.tests import dying
from config.tests.office import seal

GROUND = "Quyết định 12/QĐ: đồng chí A bàn giao cho đồng chí B"
KEPT = (Level.THUONG, Level.MAT, Level.TOI_MAT)


@pytest.fixture
def files(settings, tmp_path):
    """The old and the new key files of an installation of its own, as settings name them."""
    settings.VANKHO_HOME = tmp_path / "home"
    settings.SITE_KEY_FILES = old = (tmp_path / "a1.key", tmp_path / "a2.key")
    new = (tmp_path / "b1.key", tmp_path / "b2.key")
    make_key_files([*old, *new])
    yield old, new
    stop()


@pytest.fixture
def third(tmp_path):
    paths = (tmp_path / "c1.key", tmp_path / "c2.key")
    make_key_files(paths)
    return paths


@pytest.fixture
def kept(office, files):
    """One object of each level: (address, content)."""
    return [(seal(b"level %d" % level, level=level, role="original").address, b"level %d" % level) for level in KEPT]


def stop():
    """End every program of the office, as far as its vault can tell."""
    for each in store._configured.values():
        each.vault.close()
    store._configured.clear()


def start(settings, files):
    stop()
    settings.SITE_KEY_FILES = files


def whole(kept):
    return all(store.read(address) == content for address, content in kept)


def opens(settings, files, kept):
    """Say whether a program that is started now with these files reads everything."""
    place = settings.VANKHO_HOME / "keys" / "vault.sqlite3"
    try:
        vault = Vault(place, custodian=KeyFiles(files))
    except KeyFileForeign:
        return False
    try:
        return all(vault.get(bytes.fromhex(address)) for address, _content in kept)
    except LevelKeyMissing:
        return False
    finally:
        vault.close()


def acts():
    found = AuditEntry.objects.filter(action__startswith="keys.").order_by("object_seq")
    return list(found.values_list("action", flat=True))


def level_files(settings):
    return {path.name for path in (settings.VANKHO_HOME / "keys" / "levels").glob("*.key")}


def test_new_site_keys_take_the_place_of_old_ones_and_everything_opens_throughout(kept, files, office, settings):
    old, new = files
    forms = level_files(settings)
    rekeying.announce(new, reason=GROUND, actor=office.security)
    assert whole(kept)
    assert opens(settings, old, kept)
    assert opens(settings, new, kept)

    start(settings, new)
    assert whole(kept)
    assert rekeying.change(reason=GROUND, actor=office.security) == len(kept)

    assert whole(kept)
    assert opens(settings, new, kept)
    assert not opens(settings, old, kept)
    assert not level_files(settings) & forms
    assert {name[: len("0-")] for name in level_files(settings)} == {"0-", "1-", "2-", "3-"}
    assert acts() == [Action.KEYS_BEGIN, Action.KEYS_END]


def test_old_halves_open_no_level_key_that_is_left(kept, files, office, settings):
    """Also not past the vault's own question for its custodians: the files themselves do not open."""
    old, new = files
    rekeying.announce(new, reason=GROUND, actor=office.security)
    start(settings, new)
    rekeying.change(reason=GROUND, actor=office.security)
    vault = store.configured().vault
    vault.keys.forget(*Level)
    vault.keys._custodian = KeyFiles(old)
    for level, key_id in vault.level_keys().items():
        with pytest.raises(LevelKeyMissing):
            vault.keys.open(level, key_id)


def test_one_custodian_may_stay(kept, files, office, settings):
    old, new = files
    mixed = (old[0], new[1])
    rekeying.announce(mixed, reason=GROUND, actor=office.security)
    start(settings, mixed)
    rekeying.change(reason=GROUND, actor=office.security)
    assert whole(kept)
    assert not opens(settings, old, kept)


def test_alone_the_command_changes_the_level_keys_and_nothing_else(kept, files, office, settings, capsys):
    before = level_files(settings)
    call_command("rotate_keys", "--as", "security", "--reason", GROUND)
    assert whole(kept)
    assert opens(settings, files[0], kept)
    assert not level_files(settings) & before
    assert acts() == [Action.KEYS_BEGIN, Action.KEYS_END]
    told = AuditEntry.objects.get(action=Action.KEYS_END).detail.payload
    assert (told["objects"], told["withdrawn"]) == (len(kept), False)


def test_a_program_that_still_runs_with_the_old_files_is_not_left_without_keys(kept, files, office, settings):
    old, new = files
    rekeying.announce(new, reason=GROUND, actor=office.security)
    still = Vault(settings.VANKHO_HOME / "keys" / "vault.sqlite3", custodian=KeyFiles(old))
    start(settings, new)
    with pytest.raises(KeysInUse):
        rekeying.change(reason=GROUND, actor=office.security)
    assert all(still.get(bytes.fromhex(address)) for address, _content in kept)
    still.close()
    rekeying.change(reason=GROUND, actor=office.security)
    assert acts() == [Action.KEYS_BEGIN, Action.KEYS_END]


def test_a_change_waits_for_the_new_files_to_be_named(kept, files, office, settings):
    rekeying.announce(files[1], reason=GROUND, actor=office.security)
    with pytest.raises(KeysAwaited) as refusal:
        rekeying.change(reason=GROUND, actor=office.security)
    assert "VANKHO_SITE_KEY_FILES" in str(refusal.value)
    assert whole(kept)


def test_a_change_that_is_given_up_leaves_nothing_of_it(kept, files, office, settings):
    old, new = files
    before = level_files(settings)
    call_command("rotate_keys", *(f"--new={path}" for path in new), "--as", "security", "--reason", GROUND)
    call_command("rotate_keys", "--withdraw", "--as", "security", "--reason", GROUND)
    assert opens(settings, old, kept)
    assert not opens(settings, new, kept)
    assert {name for name in level_files(settings) if not name.startswith("3-")} == before
    assert acts() == [Action.KEYS_BEGIN, Action.KEYS_END]
    with pytest.raises(NothingAnnounced):
        rekeying.withdraw(reason=GROUND, actor=office.security)


def test_what_is_missing_is_said_and_changes_nothing(kept, files, office, settings, tmp_path):
    old, new = files
    before = level_files(settings)
    for asked, refusal in (
        ((tmp_path / "none.key", new[1]), KeyFileMissing),
        (new[:1], KeysUnfit),
        (old, KeysUnfit),
        (old[::-1], KeysUnfit),
        ((new[0], new[0]), KeysUnfit),
    ):
        with pytest.raises(refusal):
            rekeying.announce(asked, reason=GROUND, actor=office.security)
    with pytest.raises(NoGroundForKeys):
        rekeying.change(reason=" ", actor=office.security)
    with pytest.raises(Forbidden):
        rekeying.change(reason=GROUND, actor=office.admin)
    with pytest.raises(CommandError, match="STO-025"):
        call_command("rotate_keys", "--as", "security")
    assert (level_files(settings), acts()) == (before, [])


def test_two_changes_at_once_are_one(kept, files, office):
    vault = store.configured().vault
    with rekeying._alone(vault), pytest.raises(KeysChanging):
        rekeying.change(reason=GROUND, actor=office.security)


def test_a_second_change_is_begun_only_after_the_first_was_ended(kept, files, office, third):
    rekeying.announce(files[1], reason=GROUND, actor=office.security)
    with pytest.raises(KeysAwaited):
        rekeying.announce(third, reason=GROUND, actor=office.security)


def adopted(files, office, settings):
    """Let new key files be in use before any level was rotated, as a kill in `change` leaves them."""
    rekeying.announce(files[1], reason=GROUND, actor=office.security)
    start(settings, files[1])
    store.configured().vault.adopt()


@pytest.mark.parametrize("known", ["nothing", "an older announcement"])
def test_forms_that_are_all_the_halves_in_use_can_open_are_not_destroyed_whatever_the_log_says(
    kept, files, office, settings, third, monkeypatch, known
):
    """A main database that went back to a moment forgot that the change was begun, or knows one that was given up."""
    if known != "nothing":
        rekeying.announce(third, reason=GROUND, actor=office.security)
        older = rekeying._begun()
        rekeying.withdraw(reason=GROUND, actor=office.security)
    adopted(files, office, settings)
    before = level_files(settings)
    vault = store.configured().vault
    with monkeypatch.context() as forgotten:
        forgotten.setattr(rekeying, "_begun", lambda: None if known == "nothing" else older)
        told = len(acts())
        with pytest.raises(KeysUnsettled) as refusal:
            rekeying.announce(third, reason=GROUND, actor=office.security)
        assert "rotate_keys --as OFFICER" in str(refusal.value)
        with pytest.raises(KeysUnsettled):
            vault.withdraw()
        assert (level_files(settings), len(acts())) == (before, told)
        assert opens(settings, files[1], kept)

        rekeying.change(reason=GROUND, actor=office.security)  # the way out that the refusal names
    assert opens(settings, files[1], kept)
    assert not level_files(settings) & before
    rekeying.announce(third, reason=GROUND, actor=office.security)
    assert opens(settings, third, kept)


def test_a_form_to_come_outlives_a_lost_form_in_use(kept, files, office, settings):
    rekeying.announce(files[1], reason=GROUND, actor=office.security)
    vault = store.configured().vault
    lost = vault.keys.file(Level.MAT, vault.level_keys()[Level.MAT])
    lost.unlink()
    with pytest.raises(LevelKeyMissing):
        rekeying.withdraw(reason=GROUND, actor=office.security)
    start(settings, files[1])
    assert whole(kept)


def test_the_look_says_what_waits(kept, files, office, capsys):
    rekeying.announce(files[1], reason=GROUND, actor=office.security)
    call_command("rotate_keys")
    said = capsys.readouterr().out
    assert "Tối mật" in said
    assert len(said.splitlines()) == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("step", "every"), [("announce", 1), ("change", 3), ("withdraw", 1)])
def test_a_run_killed_at_any_step_leaves_everything_open_and_is_ended_by_the_next(
    kept, files, office, settings, step, every
):
    """`change` dies at every third of its steps here: each level goes the same way."""
    old, new = files
    mine = new if step == "change" else old
    told = {"reason": GROUND, "actor": office.security}
    act = {
        "announce": lambda: rekeying.announce(new, **told),
        "change": lambda: rekeying.change(**told),
        "withdraw": lambda: rekeying.withdraw(**told),
    }[step]
    prepared(settings, old, new, step=step, told=told)

    for at in count(1, every):
        start(settings, mine)
        is_killed = killed(act, at)
        assert opens(settings, mine, kept)
        assert opens(settings, old, kept) or step == "change"
        if not is_killed or (step != "announce" and acts()[-1] == Action.KEYS_END):
            break
        act()
        assert whole(kept)
        assert opens(settings, old, kept) is (step != "change")
        assert opens(settings, new, kept) is (step != "withdraw")
        if step != "announce":
            assert acts()[-2:] == [Action.KEYS_BEGIN, Action.KEYS_END]
            assert len(level_files(settings)) == 4
        again(settings, old, new, step=step, told=told)

    assert at > 5
    pairs = [Action.KEYS_BEGIN, Action.KEYS_END] * len(acts())
    assert acts() == pairs[: len(acts())]


def prepared(settings, old, new, *, step, told):
    """Bring the office to where the step begins, and keep how its keys lie then."""
    start(settings, old)
    if step != "announce":
        rekeying.announce(new, **told)
    stop()
    shutil.copytree(settings.VANKHO_HOME / "keys", settings.VANKHO_HOME / "keys-before")


def again(settings, old, new, *, step, told):
    """Put the keys back to where the step begins; the log goes on."""
    if step == "announce":
        rekeying.withdraw(**told)
    stop()
    shutil.rmtree(settings.VANKHO_HOME / "keys")
    shutil.copytree(settings.VANKHO_HOME / "keys-before", settings.VANKHO_HOME / "keys")
    if step != "announce":
        start(settings, old)
        rekeying.announce(new, **told)


def killed(act, at):
    """Run an act in a child that is killed at its n-th durable step; return whether it was."""
    stop()
    return dying.killed(act, lambda: deadly(at))


def deadly(at):
    """Die before the n-th sync, removal, emptying of the vault's log, or entry of the office's log in this process."""
    steps = count(1)
    for owner, name in ((os, "fsync"), (os, "unlink"), (keyrows.SqliteRows, "flush"), (audit, "write")):
        setattr(owner, name, dying.deadly(getattr(owner, name), steps, at))
