"""The log's formats against what others published: RFC 9162 trees and proofs, signed notes, a real head, tiles of Go's tlog."""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path

import pytest

from archive import merkle, tiles
from archive.verifier import verify

VECTORS = json.loads((Path(__file__).parent / "vectors/log.json").read_text(encoding="utf-8"))
TREE, NOTES, HEAD, TLOG = (VECTORS[part] for part in ("merkle", "notes", "checkpoint", "tlog"))
LEAVES = [verify.leaf(bytes.fromhex(text)) for text in TREE["leaves"]]


def hashes(texts):
    return [bytes.fromhex(text) for text in texts]


def test_every_node_and_root_of_the_published_tree():
    for height, row in enumerate(TREE["nodes"]):
        width = 1 << height
        for index, wanted in enumerate(row):
            assert merkle.root(LEAVES[index * width : (index + 1) * width]).hex() == wanted
    for size, wanted in enumerate(TREE["roots"], start=1):
        tree = verify.Tree()
        for leaf in LEAVES[:size]:
            tree.add(leaf)
        assert tree.root().hex() == merkle.root(LEAVES[:size]).hex() == wanted


@pytest.mark.parametrize("one", TREE["inclusion"], ids=str)
def test_published_proofs_of_inclusion(one):
    index, size, proof = one["leaf"] - 1, one["size"], hashes(one["proof"])
    if index < 0:
        assert not merkle.is_included(bytes(32), index, size, merkle.root([]), proof)
        return
    root = merkle.root(LEAVES[:size])
    assert merkle.inclusion(LEAVES[:size], index) == proof
    for is_included in (merkle.is_included, verify.is_included):
        assert is_included(LEAVES[index], index, size, root, proof)
        assert not is_included(LEAVES[index], index, size, root, [*proof, bytes(32)])


@pytest.mark.parametrize("one", TREE["consistency"], ids=str)
def test_published_proofs_of_consistency(one):
    old, size, proof = one["old"], one["size"], hashes(one["proof"])
    assert merkle.consistency(LEAVES[:size], old) == proof
    assert merkle.is_prefix(old, merkle.root(LEAVES[:old]), size, merkle.root(LEAVES[:size]), proof)


def test_the_published_note_is_signed_with_its_key_and_no_other_text_is():
    _name, key_id, public = verify.parse_key(NOTES["key"])
    blob = base64.b64decode(NOTES["signature"])
    assert blob[:4] == key_id
    assert verify.is_signed(public, NOTES["text"].encode(), blob[4:])
    assert not verify.is_signed(public, NOTES["text"].encode() + b"\n", blob[4:])
    assert base64.b64encode(verify.leaf(NOTES["record"].encode())).decode() == NOTES["record_hash"]


@pytest.mark.parametrize("key", NOTES["bad_keys"])
def test_published_keys_that_are_none_are_refused(key):
    with pytest.raises(ValueError, match=r"."):
        verify.parse_key(key)


def test_a_head_that_the_checksum_database_of_go_signed_is_opened():
    head = verify.open_note(HEAD["note"].encode(), HEAD["key"])
    assert (head.origin, head.size) == (HEAD["origin"], HEAD["size"])
    with pytest.raises(verify.Tampered, match="not signed with this key"):
        verify.open_note(HEAD["note"].replace("35225469", "35225468").encode(), HEAD["key"])


@cache
def go_leaves():
    return [verify.leaf(f"leaf {number}".encode()) for number in range(TLOG["size"])]


def test_tiles_roots_and_proofs_are_those_of_the_tlog_of_go(tmp_path):
    ours = tiles.Tiles(tmp_path)
    size = 0
    for end in sorted(map(int, TLOG["roots"])):  # grown step by step, as a log is
        size = ours.extend(size, go_leaves()[size:end])
        assert ours.root(size).hex() == TLOG["roots"][str(size)]
    for path, wanted in TLOG["tiles_sha256"].items():
        assert hashlib.sha256((tmp_path / path).read_bytes()).hexdigest() == wanted, path
    for one in TLOG["inclusion"]:
        index, of, proof = one["index"], one["size"], hashes(one["proof"])
        root = bytes.fromhex(TLOG["roots"][str(of)])
        assert verify.is_included(go_leaves()[index], index, of, root, proof)
        if of == size:
            assert ours.proof(index, of) == proof
    for one in TLOG["consistency"]:
        old, new = (bytes.fromhex(TLOG["roots"][str(one[part])]) for part in ("old", "size"))
        assert merkle.is_prefix(one["old"], old, one["size"], new, hashes(one["proof"]))


def test_paths_of_tiles_are_those_of_the_tlog_of_go():
    assert {number: verify.tile_path("0", int(number)) for number in TLOG["paths"]} == TLOG["paths"]
