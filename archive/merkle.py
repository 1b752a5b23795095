"""The Merkle tree of the log (RFC 9162, the same tree as RFC 6962): roots and proofs, pure.

Works on leaf hashes, in order; the leaf hash itself, SHA-256(0x00 || body), is made where
an entry is written. Never touches the database. A proof is a list of 32-byte hashes; who
holds two heads and a proof needs no leaf to see that the older log is a prefix of the newer.

>>> root([]).hex()[:16]
'e3b0c44298fc1c14'
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

HASH_BYTES: Final = 32


def as_hash(stored: bytes) -> bytes:
    """Return the hash that a row holds; of a row that holds none, put in past the office, one that its entry cannot have.

    Heads and chains go on over such a row, and who checks the log finds that its entry has another hash.
    """
    return stored if len(stored) == HASH_BYTES else hashlib.sha256(stored).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes read once, in memory of one hash per level of the tree."""
    peaks: list[tuple[int, bytes]] = []  # (size, hash) of the perfect trees so far, largest first
    for leaf in leaves:
        size, top = 1, leaf
        while peaks and peaks[-1][0] == size:
            top = node(peaks.pop()[1], top)
            size *= 2
        peaks.append((size, top))
    if not peaks:
        return hashlib.sha256().digest()
    top = peaks.pop()[1]
    while peaks:
        top = node(peaks.pop()[1], top)
    return top


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the proof that the leaf at `index` is in the tree. Raises IndexError outside of it."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    if len(leaves) == 1:
        return []
    half = _split(len(leaves))
    if index < half:
        return [*inclusion(leaves[:half], index), root(leaves[half:])]
    return [*inclusion(leaves[half:], index - half), root(leaves[:half])]


def is_included(leaf: bytes, index: int, size: int, top: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether the proof shows that the tree of this size and root holds the leaf at `index`."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node(step, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == top


def consistency(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """Return the proof that the first `old_size` leaves are a prefix of the tree. Raises IndexError outside of it."""
    if not 0 <= old_size <= len(leaves):
        raise IndexError(old_size)
    if old_size in {0, len(leaves)}:
        return []
    return _prefix(leaves, old_size, whole=True)


def _prefix(leaves: Sequence[bytes], old_size: int, *, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 9162, 2.1.4.1; `whole`: the old root is known to whoever checks."""
    if old_size == len(leaves):
        return [] if whole else [root(leaves)]
    half = _split(len(leaves))
    if old_size <= half:
        return [*_prefix(leaves[:half], old_size, whole=whole), root(leaves[half:])]
    return [*_prefix(leaves[half:], old_size - half, whole=False), root(leaves[:half])]


def is_prefix(old_size: int, old_root: bytes, size: int, top: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether the proof shows that the old head's log is a prefix of the new head's (RFC 9162, 2.1.4.2)."""
    if not 0 <= old_size <= size:
        return False
    if old_size == size:
        return not proof and old_root == top
    if old_size == 0:
        return not proof and old_root == root([])
    steps = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    return bool(steps) and _climb(old_size - 1, size - 1, steps) == (old_root, top)


def _climb(place: int, last: int, steps: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Return the old and the new root that the steps lead to, None if they do not fit the sizes."""
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = node(step, old), node(step, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node(new, step)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
