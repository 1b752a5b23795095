"""The tree is the published one: vectors of the Certificate Transparency projects, and properties."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import merkle

INPUTS = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
LEAVES = [hashlib.sha256(b"\x00" + bytes.fromhex(text)).digest() for text in INPUTS]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
ONE_TO_EIGHT = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
SIX_TO_EIGHT = (
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
)


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size):
    assert merkle.root(LEAVES[:size]).hex() == ROOTS[size]


def test_proofs_are_the_published_ones():
    assert [step.hex() for step in merkle.consistency(LEAVES, 1)] == list(ONE_TO_EIGHT)
    assert [step.hex() for step in merkle.consistency(LEAVES, 6)] == list(SIX_TO_EIGHT)
    assert [step.hex() for step in merkle.inclusion(LEAVES, 0)] == list(ONE_TO_EIGHT)


leaves_of = st.integers(1, 70).map(lambda size: [hashlib.sha256(b"\x00" + bytes([n])).digest() for n in range(size)])


@settings(max_examples=60, deadline=None)
@given(leaves=leaves_of, data=st.data())
def test_every_prefix_is_proven_and_no_other_log_is(leaves, data):
    old = data.draw(st.integers(0, len(leaves)))
    proof, top, old_root = merkle.consistency(leaves, old), merkle.root(leaves), merkle.root(leaves[:old])
    assert merkle.is_prefix(old, old_root, len(leaves), top, proof)
    forged = merkle.root([*leaves[: old - 1], bytes(32)]) if old else bytes(32)
    if forged != old_root:
        assert not merkle.is_prefix(old, forged, len(leaves), top, proof)
    assert not merkle.is_prefix(old, old_root, len(leaves), top, [*proof, bytes(32)])


@settings(max_examples=60, deadline=None)
@given(leaves=leaves_of, data=st.data())
def test_every_leaf_is_proven_at_its_place_alone(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, top = merkle.inclusion(leaves, index), merkle.root(leaves)
    assert merkle.is_included(leaves[index], index, len(leaves), top, proof)
    assert not merkle.is_included(bytes(32), index, len(leaves), top, proof)
    if len(leaves) > 1:
        other = (index + 1) % len(leaves)
        assert not merkle.is_included(leaves[index], other, len(leaves), top, proof)
    assert not merkle.is_included(leaves[index], index, len(leaves), top, [*proof, bytes(32)])
