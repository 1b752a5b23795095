"""A second checker of exports, written from RFC 9162 and C2SP alone in another style: both say the same of any export."""

import base64
import hashlib
import json
import random
import shutil
from collections import defaultdict

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import transaction

from archive import audit, logkey, naming, publishing, sequencing
from archive.logkey import Signer
from archive.models import AuditLeaf
from archive.rules.roles import Action
from archive.verifier import verify
from config.bench import export_tampers

SIZE = 600
WORDS = {"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False}


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def mth(hashes):
    """RFC 9162, 2.1.1, by its own recursion."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha()
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha(b"\x01", mth(hashes[:k]), mth(hashes[k:]))


def exact(text):
    data = base64.b64decode(text, validate=True)
    assert base64.b64encode(data).decode() == text
    return data


def head(note, key):
    text, signature = note.decode().split("\n\n")
    name, number, encoded = key.split("+", 2)
    origin, size, root = text.split("\n")
    dash, signer, blob = signature.removesuffix("\n").split(" ")
    blob = exact(blob)
    assert (dash, signer, blob[:4].hex(), origin) == ("—", name, number, name)
    Ed25519PublicKey.from_public_bytes(exact(encoded)[1:]).verify(blob[4:], f"{text}\n".encode())
    return int(size), exact(root)


def blocks(folder, kind, amount):
    for first in range(0, amount, 256):
        part = f".p/{amount - first}" if amount - first < 256 else ""
        yield first, (folder / f"tile/{kind}/{first // 256:03d}{part}").read_bytes()


def entries(folder, size):
    for first, data in blocks(folder, "entries", size):
        at = there = 0
        while at < len(data):
            begins = at + 2
            at, there = begins + int.from_bytes(data[at:begins], "big"), there + 1
            assert at <= len(data)
            yield data[begins:at]
        assert there == min(256, size - first)


def is_by(key, statement, signature):
    try:
        Ed25519PublicKey.from_public_bytes(exact(key.split("+", 2)[2])[1:]).verify(exact(signature), statement.encode())
    except (ValueError, IndexError, AssertionError, InvalidSignature):
        return False
    return True


def way(said, key):
    """Return (place, key, whether the key before signed) of every change up to this key, which is the last one named."""
    stated = [(place, one) for place, one in enumerate(said) if (one["action"], one["outcome"]) == ("log.key", "ok")]
    found, wanted = [], key
    for place, one in reversed(stated):
        named, *_ground, proof = one["reason"].split("\n")
        word, before, own, handed = proof.split(" ")
        statement = f"vankho log key\nnamed {named}\nbefore {before}\nafter {one['object_prev']}\n"
        if (named, word) == (wanted, "proof:") and is_by(named, statement, own):
            found.insert(0, (place, named, before == named or is_by(before, statement, handed)))
            wanted = before
    assert not stated or (wanted == "-" and found[-1][0] == stated[-1][0])
    return found


def signer(note, said, trusted):
    """Return the key of a newest head, and how its log came to it from one that is trusted."""
    for key in [trusted, *{one["reason"].split("\n")[0] for one in said if one["action"] == "log.key"}]:
        try:
            head(note, key)
        except (AssertionError, ValueError, InvalidSignature):
            continue
        steps = way(said, key)
        if key != trusted:
            at = max(at for at, step in enumerate(steps) if step[1] == trusted)
            assert all(handed for _place, _key, handed in steps[at + 1 :])
        return key, steps
    raise AssertionError


def in_order(folder, key, kept):
    """Assert everything that an export promises."""
    note = (folder / "checkpoint").read_bytes()
    told_size = int(note.split(b"\n")[1])
    newest, steps = signer(note, [json.loads(body) for body in entries(folder, told_size)], key)
    size, root = head(note, newest)
    then = int(kept.split(b"\n")[1])
    old_size, old_root = head(
        kept, ([one for at, one, _ in steps[::-1] if at < then] or [one for _, one, _ in steps] or [key])[0]
    )
    bodies = list(entries(folder, size))
    leaves = [sha(b"\x00", body) for body in bodies]
    assert old_size <= size
    assert (mth(leaves[:old_size]), mth(leaves)) == (old_root, root)
    level, hashes = 0, leaves
    while hashes:
        assert b"".join(data for _first, data in blocks(folder, level, len(hashes))) == b"".join(hashes)
        hashes = [mth(hashes[at : at + 256]) for at in range(0, len(hashes) - 255, 256)]
        level += 1
    chains = defaultdict(lambda: [(0, "00" * 32)])
    wanted = {}
    for body, leaf in zip(bodies, leaves, strict=True):
        said = json.loads(body)
        chain = chains[said["object"]["type"], said["object"]["id"]]
        assert chain[-1] == (said["object_seq"] - 1, said["object_prev"])
        chain.append((said["object_seq"], leaf.hex()))
        assert said["id"] not in wanted
        wanted |= {said["id"]: said["details_h"]} if said["details_h"] else {}
    told = [json.loads(line) for line in (folder / "details.jsonl").read_text().splitlines()]
    assert all(bytes.fromhex(one["salt"]).hex() == one["salt"] for one in told)
    found = {
        one["id"]: sha(bytes.fromhex(one["salt"]), json.dumps(one["payload"], **WORDS).encode()).hex() for one in told
    }
    assert (len(found), found) == (len(told), wanted)


def second(folder, key, kept):
    try:
        in_order(folder, key, kept)
    except (AssertionError, ValueError, KeyError, TypeError, OSError, InvalidSignature):
        return False
    return True


def ours(folder, key, kept):
    try:
        verify.verify(str(folder), key, [kept], details=True)
    except verify.Tampered:
        return False
    return True


@pytest.fixture
def export(office, settings, tmp_path):
    settings.VANKHO_HOME = tmp_path / "home"
    sequencing.place_all()
    with transaction.atomic():
        for number in range(SIZE - AuditLeaf.objects.count()):
            audit.write(Action.SYSTEM_READ, actor=None, details={"n": number} if number % 7 == 0 else None)
    publishing.export(tmp_path / "export", with_details=True)
    return tmp_path / "export"


def test_both_checkers_agree_on_logs_that_changed_their_key(
    office, settings, tmp_path, django_capture_on_commit_callbacks
):
    settings.VANKHO_HOME, settings.LOG_SECOND_PLACE = tmp_path / "home", ""
    sequencing.place_all()
    with transaction.atomic():
        naming.founded()
    heads = []
    for number, is_lost in enumerate([False, False, True, False]):
        with transaction.atomic():
            audit.write(Action.SYSTEM_READ, actor=None)
        publishing.publish()
        heads.append((logkey.signer().public, (publishing.folder() / "checkpoint").read_bytes()))
        before = (tmp_path / "home" / "keys" / "log.key").rename(tmp_path / f"{number}.key")
        with django_capture_on_commit_callbacks(execute=True):
            naming.take(reason="x", actor=office.security, before=None if is_lost else before, is_lost=is_lost)
        publishing.export(tmp_path / str(number), with_details=True)
        for trusted in [*(key for key, _note in heads), logkey.signer().public]:
            for _key, note in heads:
                said = second(tmp_path / str(number), trusted, note), ours(tmp_path / str(number), trusted, note)
                # Of four keys the third was lost: the first three lead to the third, no further.
                assert said == ((number < 2 or trusted not in [key for key, _note in heads[:3]]),) * 2
    stranger = Signer(tmp_path / "stranger.key", origin="vankho")
    size, root = head(heads[0][1], heads[0][0])
    for note in (stranger.note(size, root), stranger.note(size + 1, root), heads[0][1].replace(b"vankho", b"vankha")):
        assert (second(tmp_path / "3", heads[3][0], note), ours(tmp_path / "3", heads[3][0], note)) == (False, False)


def test_both_checkers_agree_on_a_good_export_and_on_every_changed_one(export, tmp_path):
    key, kept = logkey.signer().public, (export / "checkpoint").read_bytes()
    assert second(export, key, kept)
    assert ours(export, key, kept)
    chance = random.Random(9162)
    for kind in sorted(export_tampers.FILES) * 5:
        changed = tmp_path / "changed"
        shutil.copytree(export, changed)
        export_tampers.FILES[kind](changed, chance)
        assert (kind, second(changed, key, kept), ours(changed, key, kept)) == (kind, False, False)
        shutil.rmtree(changed)


# RFC 8032, 7.1: public key, message, signature.
SIGNED = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), SIGNED)
def test_published_signatures_are_known_and_changed_ones_are_not(public, message, signature):
    parts = [bytes.fromhex(part) for part in (public, message, signature)]
    assert verify.is_signed(*parts)
    assert not verify.is_signed(parts[0], parts[1] + b"x", parts[2])


def test_roots_of_tiles_are_those_of_the_rfc():
    leaves = [verify.leaf(bytes([number])) for number in range(256)]
    assert verify.perfect_root(leaves) == mth(leaves)
