"""A damaged key or head is told by its file and what to do, and nothing is made in its place."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from archive import publishing
from archive.tests.test_log_key import home, wrote
from archive.verifier import verify
from config import settings as configured
from config import starting
from config.backup import signing
from config.backup.refusals import KeyDamaged

__all__ = ["home"]
PEM = {
    "empty": b"",
    "no key": b"\x00\xff" * 40,
    "cut off": Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())[:60],
    "locked": Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    ),
    "another kind": generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
}


@pytest.mark.parametrize("kind", PEM)
def test_a_damaged_key_of_backups_is_named(tmp_path, kind):
    path = tmp_path / "keys" / "backup.key"
    path.parent.mkdir()
    path.write_bytes(PEM[kind])
    with pytest.raises(KeyDamaged, match=str(path)):
        signing.own_key(tmp_path)
    assert path.read_bytes() == PEM[kind]


def test_a_damaged_key_of_sessions_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(configured, "VANKHO_HOME", tmp_path)
    monkeypatch.setattr(configured, "PROFILE", "evaluation")
    monkeypatch.delenv("VANKHO_SECRET_KEY", raising=False)
    whole = configured._secret_key()
    path = tmp_path / "keys" / "session.key"
    assert path.read_text() == whole
    path.write_bytes(b"\xff\x00")
    with pytest.raises(ImproperlyConfigured, match=str(path)):
        configured._secret_key()


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe\x00", b"vankho\nmany\n\n"])
def test_a_damaged_head_is_named_with_its_file(home, settings, tmp_path, damage):
    settings.LOG_SECOND_PLACE = str(tmp_path / "second")
    wrote()
    publishing.publish()
    (elsewhere,) = publishing.heads_elsewhere()
    for path in (publishing.folder() / "checkpoint", elsewhere):
        whole = path.read_bytes()
        path.write_bytes(damage)
        with pytest.raises(CommandError, match=rf"LOG-001: {path}: the checkpoint is not a signed note"):
            starting.require_log()
        with pytest.raises(CommandError, match=str(path)):
            call_command("verify_log")
        path.write_bytes(whole)
    starting.require_log()


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe\x00"])
def test_a_kept_head_that_is_damaged_is_named_and_the_others_are_compared(home, tmp_path, damage, capsys):
    publishing.publish()
    (tmp_path / "kept").write_bytes(damage)
    (tmp_path / "good").write_bytes((publishing.folder() / "checkpoint").read_bytes())
    kept = ["--kept", str(tmp_path / "kept"), "--kept", str(tmp_path / "good")]
    told = rf"the kept checkpoint {tmp_path}/kept was not compared: it is not a signed note\. Take another copy of that file"
    with pytest.raises(CommandError, match=rf"NOT OK: 1 faults; the first: {told}"):
        call_command("verify_log", *kept)
    publishing.export(tmp_path / "export", with_details=False)
    (tmp_path / "good").write_bytes(b"x")
    capsys.readouterr()
    assert verify.main([str(tmp_path / "export"), "--key", publishing.logkey.signer().public, *kept]) == 1
    assert capsys.readouterr().out.count("was not compared: it is not a signed note") == 2
