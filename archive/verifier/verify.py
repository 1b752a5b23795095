#!/usr/bin/env python3
"""Check an exported log of Văn Khố: one file, standard library only, Python 3.9 or newer.

    python3 verify.py EXPORT --key "NAME+HASH+KEY" [--kept OLD_CHECKPOINT]... [--details]
    python3 verify.py SELECTION.zip --key "NAME+HASH+KEY" [--kept CHECKPOINT]...
    python3 verify.py --proof ENTRY.tlog-proof --key "NAME+HASH+KEY"

KEY may be the log's newest key or an earlier one, and a kept head may be signed with either: the log names each key in
an entry `log.key`, whose reason ends in a proof. The key that is named signs the link (itself, the key before it, the leaf
before the entry), and the key before signs the same where it was at hand. From a newer key the links lead back to the
older ones; from an older key they lead on only over links that it, and each key after it, has signed.

EXPORT holds the log as C2SP tlog-tiles: `checkpoint` (a signed note), hash tiles and
bundles of entries. KEY is the log's public key as it was handed over on another way; the
copy inside an export proves nothing. OLD_CHECKPOINT is a head that the auditor kept: it is
what shows that history was rewritten and signed again by someone who holds the key.

Checked: the signature; that every entry's bytes have the leaf in its tile; every tile; the
root; each kept head as a prefix; that no place is missing; the chain of each object
(`object_seq`, `object_prev`); that details match their salted digests, and that those
missing were destroyed by an entry of the log; that the key is the one to which the links lead; that each kept head
is signed with the key of its time. An entry that names a key without a proof is believed by nobody and told last. The answer is OK, or the first bad entry and
what was done to it. A clock that was set back is told beside an OK: the order of the log is
that of its places. Entries whose own bytes are at fault (changed, or put in past the office)
are all named, and the rest is checked around them. A proof is one entry alone: its bytes, its
place, the way to a signed head. A selection is what an auditor's page showed: checked are the signature over its
manifest, the proof of each row, that the row says what its leaf says, and the digest of
every file. It does not prove that nothing was left out. Reads only; never asks a network.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import json
import sys
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any, NamedTuple

WIDTH = 256  # hashes in a full tile, entries in a full bundle
HASH = 32
KEY_BYTES = 32
SIGNATURE_BYTES = 64
KEY_ID_BYTES = 4
HEAD_LINES = 3  # origin, size, root
THOUSAND = 1000
BACKWARD_SECONDS = 2  # clocks may be set by so much without a word
FORGET = "log.forget"  # the act that destroys the details of one entry
KEY = "log.key"  # the act that names the key of signed heads
OF_KEY = ("log", "key")  # type and id of the object that these entries are about
KEY_PROOF = (
    "proof:"  # begins the last line of the reason of such an entry; then the key before, or -, and two signatures
)
LONGEST_KEY = (
    1_000  # characters of NAME+HASH+KEY; what is longer is no key, and many such rows need not fill the memory
)
PROOF = "c2sp.org/tlog-proof@v1"
ED25519 = b"\x01"
MOST_SIGNED = 1 << 22  # bytes of what is read before a signature over it is known to be good
MOST_FOUND = 1_000  # faults of single entries; who rewrote the whole log is not told a million times
ASIDE = "Take another copy of that file. If every copy says this, it is of another log, or this log was signed with another key"
CHANGED = "the entry's bytes were changed"
LARGER = "the entry's bytes were changed, or it is longer than an entry can be: it was put in past the office"
LONGEST_ENTRY = 65_535  # bytes: a bundle of C2SP tlog-tiles gives its length 16 bits
LONGEST_LINE = 1 << 24  # bytes: an entry has 64 KiB, its details and its way to the head some more
LONGEST_FILE = WIDTH * (2 + LONGEST_ENTRY) + 1  # bytes: of the largest that is read whole, a bundle, and one
SELECTION = "vankho log selection v1"  # the first line of what is signed over a manifest
ENTRIES, HEAD, MANIFEST, NOTE = "entries.jsonl", "checkpoint", "manifest.json", "manifest.note"
CELL_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run these: such a cell begins with an apostrophe


def printable(text: str) -> str:
    """Return a text with all that is no sign to be read as its number: words of a row must not move the reader's cursor."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


class Tampered(Exception):
    """The log is not what was signed: where (an index, or None) and what was done."""

    def __init__(self, what: str, index: int | None = None) -> None:
        what = printable(what)
        super().__init__(what if index is None else f"entry {index}: {what}")
        self.what = what
        self.index = index


class Unproven(Tampered):
    """All else is in order, but an entry names a key of the log and nothing proves it; what was found goes along."""

    def __init__(self, what: str, index: int | None, report: Report) -> None:
        super().__init__(what, index)
        self.report = report


class Several(Tampered):
    """Faults of single entries, in their order; all else was checked around them, and is in order but for the last of these."""

    def __init__(self, found: list[Tampered]) -> None:
        super().__init__(found[0].what, found[0].index)
        self.found = found


class Head(NamedTuple):
    """One signed head: how many entries, and the root over them."""

    origin: str
    size: int
    root: bytes


class Report(NamedTuple):
    """What was found in order."""

    head: Head
    entries: int
    objects: int
    details: int
    kept: int
    forgotten: int
    backward: list[tuple[int, float]]  # entries whose clock stood so many seconds before an earlier one's
    line: Line  # the keys of the log, as its entries name them


class Naming(NamedTuple):
    """An entry `log.key`: its place, the key that it names, the one before ("" for none), and what proves the link."""

    place: int | None
    key: str
    before: str
    link: bytes  # what is signed
    own: bytes  # the signature of the key that is named
    handed: bytes  # the signature of the key before; empty where that key was lost


class Line(NamedTuple):
    """How the keys of a log follow each other, up to one that is trusted."""

    links: list[Naming]  # from the first key that the log named to the trusted one
    lost: list[Naming]  # those among them that the key before has not signed
    answered: list[Naming]  # entries that name a key without a proof, with a link after them
    unproven: list[Naming]  # ... and those after the last link

    def at(self, size: int) -> str:
        """Return the key of the log when it had so many entries; "" where it names none."""
        then = [one for one in self.links if one.place is not None and one.place < size] or self.links[:1]
        return then[-1].key if then else ""


# --- Ed25519 (RFC 8032), verification only: secrets are not handled here, so time need not be constant -----------------

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)
_Point = tuple[int, int, int, int]


def _add(p: _Point, q: _Point) -> _Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % _P
    b = (p[1] + p[0]) * (q[1] + q[0]) % _P
    c = 2 * p[3] * q[3] * _D % _P
    d = 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _times(scalar: int, point: _Point) -> _Point:
    total: _Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _same(p: _Point, q: _Point) -> bool:
    return (p[0] * q[2] - q[0] * p[2]) % _P == 0 and (p[1] * q[2] - q[1] * p[2]) % _P == 0


def _decoded(data: bytes) -> _Point | None:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return (x, y, 1, x * y % _P)


_BASE = _decoded((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little"))


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether a signature of 64 bytes over the message was made with the key of 32 bytes."""
    if len(public) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    key, point = _decoded(public), _decoded(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or point is None or scalar >= _L or _BASE is None:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _L
    return _same(_times(scalar, _BASE), _add(point, _times(challenge, key)))


# --- signed notes and heads -------------------------------------------------------------------------------------------


def parse_key(text: str) -> tuple[str, bytes, bytes]:
    """Return (name, key id, public key) of `NAME+HASH+KEY` (C2SP signed-note). Raises ValueError."""
    name, _, rest = text.strip().partition("+")
    digest, _, encoded = rest.partition("+")
    raw = base64.b64decode(encoded, validate=True)
    key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:KEY_ID_BYTES]
    if not name or raw[:1] != ED25519 or len(raw) != 1 + KEY_BYTES or key_id.hex() != digest:
        raise ValueError("this is not a public key of a log; it reads NAME+HASH+KEY")
    return name, key_id, raw[1:]


def holds(key: str, message: bytes, signature: bytes) -> bool:
    """Say whether a signature is of this key (NAME+HASH+KEY)."""
    try:
        return is_signed(parse_key(key)[2], message, signature)
    except ValueError:
        return False


IsBy = Callable[[str, bytes, bytes], bool]  # (key, message, signature): `holds`, or one that says the same sooner


def open_note(note: bytes, key: str, is_by: IsBy = holds) -> Head:
    """Return the head of a signed note.

    Raises:
        Tampered: the note is malformed, or this key did not sign it.
    """
    return _open_note(note, [key], is_by)[0]


def _open_note(note: bytes, keys: list[str], is_by: IsBy) -> tuple[Head, str]:
    """Return the head of a note, and which of these keys signed it. Raises Tampered."""
    head = _head_of(note)
    signer = next((key for key in keys if is_signed_note(note, key, is_by)), None)
    if signer is None:
        raise Tampered("the checkpoint is not signed with this key")
    return head, signer


def _head_of(note: bytes) -> Head:
    """Return what a note says, whoever signed it. Raises Tampered."""
    text, gap, _signatures = note.partition(b"\n\n")
    lines = text.decode("utf-8", "replace").split("\n")
    if not gap or len(lines) < HEAD_LINES or not (lines[1].isascii() and lines[1].isdigit()):
        raise Tampered("the checkpoint is not a signed note")
    root = _unbased(lines[2])
    if len(root) != HASH:
        raise Tampered("the checkpoint's root is not a hash")
    return Head(lines[0], int(lines[1]), root)


def is_signed_note(note: bytes, key: str, is_by: IsBy = holds) -> bool:
    """Say whether one of the signatures under a note is of this key."""
    text, _gap, signatures = note.partition(b"\n\n")
    name, key_id, _public = parse_key(key)
    for line in signatures.decode("utf-8", "replace").split("\n"):
        mark, _, rest = line.partition(" ")
        signer, _, encoded = rest.partition(" ")
        if mark != "\u2014" or signer != name:
            continue
        blob = _unbased(encoded)
        if blob[:KEY_ID_BYTES] == key_id and is_by(key, text + b"\n", blob[KEY_ID_BYTES:]):
            return True
    return False


def _unbased(text: str) -> bytes:
    """Return the bytes of base64 in its one canonical form, none for anything else."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return data if base64.b64encode(data).decode() == text else b""


def _unhexed(text: str) -> bytes:
    """Return the bytes of hexadecimal text in its one canonical form. Raises ValueError."""
    data = bytes.fromhex(text)
    if data.hex() != text:
        raise ValueError("not in small letters")
    return data


# --- the tree ----------------------------------------------------------------------------------------------------------


def leaf(body: bytes) -> bytes:
    """Return the leaf hash of RFC 9162: SHA-256(0x00 || body)."""
    return hashlib.sha256(b"\x00" + body).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: list[bytes]) -> bytes:
    """Return the root over a power of two of hashes."""
    sha256 = hashlib.sha256
    while len(hashes) > 1:
        pairs = iter(hashes)
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs)]  # noqa: B905 - not in Python 3.9
    return hashes[0]


class Tree:
    """The perfect trees over the leaves so far, largest first: enough for the root at any moment."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[tuple[int, bytes]] = []

    def add(self, top: bytes, size: int = 1) -> None:
        """Add a leaf, or a perfect tree of a power of two that fits on the right."""
        self.size += size
        while self._peaks and self._peaks[-1][0] == size:
            top = _node(self._peaks.pop()[1], top)
            size *= 2
        self._peaks.append((size, top))

    def root(self) -> bytes:
        """Return the root over everything added."""
        if not self._peaks:
            return hashlib.sha256().digest()
        top = self._peaks[-1][1]
        for _, peak in reversed(self._peaks[:-1]):
            top = _node(peak, top)
        return top


def tile_path(level: str, number: int, width: int = WIDTH) -> str:
    """Return the path of a tile or bundle: `tile/0/x001/x234/067`, with `.p/WIDTH` for one that is not full."""
    digits = f"{number % THOUSAND:03d}"
    while number >= THOUSAND:
        number //= THOUSAND
        digits = f"x{number % THOUSAND:03d}/{digits}"
    return f"tile/{level}/{digits}" + ("" if width == WIDTH else f".p/{width}")


def widths(size: int) -> Iterator[tuple[int, int]]:
    """Yield (number, width) of the tiles of one level that holds so many hashes."""
    for number in range(size // WIDTH):
        yield number, WIDTH
    if size % WIDTH:
        yield size // WIDTH, size % WIDTH


# --- the export ----------------------------------------------------------------------------------------------------------


class Export:
    """The files of one export, read as they are asked for."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, of one that is larger than any can be the beginning; None if it is not there."""
        try:
            with self._folder.joinpath(*path.split("/")).open("rb") as file:
                return file.read(LONGEST_FILE)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def tile(self, level: int, number: int, width: int) -> list[bytes]:
        """Return the hashes of a tile; a full tile serves for a part of it. Raises Tampered."""
        path = tile_path(str(level), number, width)
        data, held = self.read(path), width
        if data is None:
            data, held = self.read(tile_path(str(level), number)), WIDTH
        if data is None or len(data) != held * HASH:
            raise Tampered(f"the hash tile {path} is missing, or has not its length")
        return [data[at : at + HASH] for at in range(0, width * HASH, HASH)]

    def bundle(self, number: int, width: int) -> list[bytes]:
        """Return the entries of a bundle, as many as are there; what is cut off or too much counts as one more."""
        data, held = self.read(tile_path("entries", number, width)), None
        if data is None:
            data, held = self.read(tile_path("entries", number)) or b"", width
        found: list[bytes] = []
        at = 0
        while at < len(data) and len(found) <= width:
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            found.append(data[at + 2 : end])
            at = end
        return found[:held]

    def details(self) -> Iterator[tuple[str, bytes, Any]]:
        """Yield (entry id, salt, payload) of the details that travel with the export."""
        try:
            with self._folder.joinpath("details.jsonl").open("rb") as file:
                while line := file.readline(LONGEST_LINE):
                    kept = json.loads(line)  # of one that is longer the beginning, which is no JSON
                    yield str(kept["id"]), _unhexed(kept["salt"]), kept["payload"]
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Tampered("the file of details is not in its form") from None

    def has_details(self) -> bool:
        """Say whether details travel with the export."""
        return self._folder.joinpath("details.jsonl").is_file()


def verify(
    folder: str,
    key: str,
    kept: list[bytes] | dict[str, bytes] | None = None,
    *,
    details: bool = False,
    is_by: IsBy = holds,
) -> Report:
    """Check an export.

    Args:
        folder: the export.
        key: the log's public key, NAME+HASH+KEY, the newest or an earlier one.
        kept: older checkpoints, as kept, or these by the names of their files; signed with the key of their time.
        details: refuse an export from which the details were left out.
        is_by: says whether a signature is of a key; who has many heads brings one that is faster than this file's own.

    Raises:
        Tampered: what was found first; Unproven where nothing but an entry that names a key without a proof; Several where
            single entries, or kept checkpoints, are at fault.
        ValueError: the key is none.
    """
    export = Export(folder)
    chains = _Chains(told=export.has_details())
    files = kept if isinstance(kept, dict) else {f"number {at}": one for at, one in enumerate(kept or [], start=1)}
    try:
        report = _checked(export, _Brought(key.strip(), files, is_by), chains, details=details)
    except Tampered as fault:
        if not chains.found:
            raise
        raise Several([*chains.found, fault]) from fault
    if chains.found:
        raise Several(chains.found)
    return report


class _Brought(NamedTuple):
    """What whoever checks brings along: the key, kept heads by their names, and what says whose a signature is."""

    key: str
    kept: dict[str, bytes]
    is_by: IsBy


def _checked(export: Export, brought: _Brought, chains: _Chains, *, details: bool) -> Report:
    """Check an export, and gather the faults of single entries with the chains. Raises Tampered for any other."""
    head, signer, kept_by = _heads(export, brought, chains)
    old = deque(one for one, _signer in kept_by)  # those the tree has not grown to yet
    tree = Tree()
    _compare_kept(tree, old)
    tops: list[bytes] = []  # the roots of the full tiles so far
    for number, width in widths(head.size):
        leaves = export.tile(0, number, width)
        _compare(export.bundle(number, width), leaves, number * WIDTH, chains)
        _grow(tree, leaves, old, tops)
    _check_tiles(export, tops)
    if tree.root() != head.root:
        raise Tampered("the root of all entries is not the signed one: history was rewritten or cut")
    line = follow(chains.namings, signer, brought.is_by)
    for one, by in kept_by:
        if line.links and line.at(one.size) != by:
            raise Tampered(
                f"the kept checkpoint of {one.size} entries is signed with a key that was not the log's then"
            )
    if details and not export.has_details():
        raise Tampered("the details were left out of the export")
    told = _check_details(export, chains) if export.has_details() else 0
    report = Report(head, head.size, len(chains.ends), told, len(kept_by), len(chains.forgotten), chains.backward, line)
    for named in line.unproven:
        raise Unproven(
            f"the entry names a key of the log, and nothing proves it: {named.key[:80]}", named.place, report
        )
    return report


def _heads(export: Export, brought: _Brought, chains: _Chains) -> tuple[Head, str, list[tuple[Head, str]]]:
    """Return the head of an export with the key that signed it, and the kept heads that are such, smallest first.

    Raises:
        Tampered: the head is none, or a kept one is not of a beginning of this log.
    """
    key, kept, is_by = brought
    note = export.read("checkpoint") or b""
    keys = [key]
    is_of_key = {name: is_signed_note(one, key, is_by) for name, one in kept.items()}
    if not (is_signed_note(note, key, is_by) and all(is_of_key.values())):
        keys = _keys(export, note, key, is_by)
    head, signer = _open_note(note, keys, is_by)
    old: list[tuple[Head, str]] = []
    for name, text in kept.items():
        try:
            old.append((_head_of(text), key) if is_of_key[name] else _open_note(text, keys, is_by))
        except Tampered as fault:
            chains.note(
                f"the kept checkpoint {name} was not compared: it {fault.what.removeprefix('the checkpoint ')}. {ASIDE}",
                None,
            )
    old.sort(key=lambda one: one[0].size)
    for one, _signer in old:
        if one.origin != head.origin:
            raise Tampered(f"the kept checkpoint is of another log ({one.origin})")
        if one.size > head.size:
            raise Tampered(f"the log was cut: {one.size} entries were signed once, now it has {head.size}", head.size)
    return head, signer, old


def _compare(bodies: list[bytes], leaves: list[bytes], first: int, chains: _Chains) -> None:
    """Compare the entries of one bundle with the leaves of its tile, and follow the chains."""
    hashes = [leaf(body) for body in bodies]
    for offset, wanted in enumerate(leaves):
        index = first + offset
        if offset >= len(hashes):
            raise Tampered("the entry is missing", index)
        if hashes[offset] == wanted:
            chains.follow(index, bodies[offset], wanted)
        elif (deed := _deed(hashes, leaves, offset)) == CHANGED:
            chains.pass_by(index, LARGER if len(bodies[offset]) == LONGEST_ENTRY else CHANGED, wanted)
        else:
            raise Tampered(deed, index)
    if len(hashes) > len(leaves):
        raise Tampered("an entry was put in here", first + len(leaves))


def _deed(hashes: list[bytes], leaves: list[bytes], at: int) -> str:
    """Say what was most likely done to the first entry that differs."""
    if at + 1 < len(hashes) and hashes[at] in leaves and leaves[at] in hashes:
        return "the entry stands in another's place (swapped)"
    if hashes[at] in leaves[at + 1 :]:
        return "an entry was removed here"
    if leaves[at] in hashes[at + 1 :]:
        return "an entry was put in here"
    return CHANGED


def _grow(tree: Tree, leaves: list[bytes], old: deque[Head], tops: list[bytes]) -> None:
    """Add the leaves of a tile, and compare the root wherever a head was kept: one inside the tile is grown up to."""
    if len(leaves) == WIDTH:
        tops.append(perfect_root(leaves))
    if len(leaves) == WIDTH and not (old and old[0].size < tree.size + WIDTH):
        tree.add(tops[-1], WIDTH)
        _compare_kept(tree, old)
        return
    for one in leaves:
        tree.add(one)
        _compare_kept(tree, old)


def _compare_kept(tree: Tree, old: deque[Head]) -> None:
    """Compare the heads of this size, the next ones of those that are left, and take them away."""
    while old and old[0].size == tree.size:
        head = old.popleft()
        if head.root != tree.root():
            raise Tampered(f"the first {head.size} entries are not those of the kept checkpoint: history was rewritten")


def _check_tiles(export: Export, tops: list[bytes]) -> None:
    """Compare every higher tile with the roots of the full tiles below it."""
    level = 1
    while tops:
        above: list[bytes] = []
        for number, width in widths(len(tops)):
            first = number * WIDTH
            for offset, stored in enumerate(export.tile(level, number, width)):
                if stored != tops[first + offset]:
                    raise Tampered("the hash tile above this entry was changed", (first + offset) * WIDTH**level)
            if width == WIDTH:
                above.append(perfect_root(tops[first : first + WIDTH]))
        tops, level = above, level + 1


def _check_details(export: Export, chains: _Chains) -> int:
    """Compare details with the salted digests in their entries; return how many there are."""
    waiting = dict(chains.digests)
    count = 0
    for entry, salt, payload in export.details():
        count += 1
        if entry not in waiting:
            index = chains.digests[entry][0] if entry in chains.digests else None
            chains.note(f"details of an entry {entry} that the log does not know, or twice", index)
            continue
        index, digest = waiting.pop(entry)
        text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if hashlib.sha256(salt + text.encode("utf-8", "surrogatepass")).hexdigest() != digest:
            chains.note("the details of the entry were changed", index)
        elif entry.replace("-", "") in chains.forgotten:
            chains.note("the details of the entry are there, though the log says that they were destroyed", index)
    for entry, (index, _digest) in waiting.items():
        if entry.replace("-", "") not in chains.forgotten:
            chains.note("the details of the entry are missing, and no act destroyed them", index)
    return count


class _Chains:
    """The last link of every object, the last time, the digests of details where these travel along, and what is at fault."""

    def __init__(self, *, told: bool) -> None:
        self._told = told
        self.found: list[Tampered] = []
        self.ends: dict[tuple[str, str], tuple[int, str]] = {}
        self.digests: dict[str, tuple[int, str]] = {}
        self.forgotten: set[str] = set()
        self.namings: list[Naming] = []
        self.backward: list[tuple[int, float]] = []
        self._latest = ""
        self._strange: set[str] = set()  # leaves of entries not in their form or place: a chain may go on behind one

    def note(self, what: str, index: int | None) -> None:
        """Keep the fault of one entry, to be told with all others. Raises Tampered when there are too many."""
        self.found.append(Tampered(what, index))
        if len(self.found) == MOST_FOUND:
            raise Tampered(f"{MOST_FOUND} faults were found up to here; nothing after this was looked at", index)

    def pass_by(self, index: int, what: str, hashed: bytes) -> None:
        """Keep the fault of an entry that is not what its leaf says, says nothing, or does not stand in its place."""
        self.note(what, index)
        self._strange.add(hashed.hex())

    def follow(self, index: int, body: bytes, hashed: bytes) -> None:
        """Check one entry against what came before it."""
        try:
            entry = _parsed(body)
            thing = (entry["object"]["type"], entry["object"]["id"])
            number, before = entry["object_seq"], entry["object_prev"]
            stamp, entry_id, digest = entry["ts"], str(entry["id"]), entry["details_h"]
            act = (entry["action"], entry["outcome"])
            named = naming(entry, index) if act == (KEY, "ok") else None
            last = self.ends.get(thing, (0, "00" * HASH))
            follows = (number, before) == (last[0] + 1, last[1]) or (before in self._strange and number > last[0])
            if stamp < self._latest:
                self._note_backward(index, stamp)
        except (ValueError, KeyError, TypeError, RecursionError):
            self.pass_by(index, "the entry is not in the form of this log", hashed)
            return
        if not follows:
            what = "the chain of its object is broken: an entry before it is missing or was replaced"
            self.pass_by(index, what, hashed)
        if follows or number == last[0] + 1:
            self.ends[thing] = (number, hashed.hex())
        self._latest = max(self._latest, stamp)
        if entry_id in self.digests:  # else its details would stand for those of the other
            self.note(f"the entry bears the id of entry {self.digests[entry_id][0]}", index)
        elif digest and self._told:
            self.digests[entry_id] = (index, digest)
        if act == (FORGET, "ok"):
            self.forgotten.add(thing[1])
        if named:
            self.namings.append(named)

    def _note_backward(self, index: int, stamp: str) -> None:
        now = _seconds(stamp)
        try:
            back = _seconds(self._latest) - now
        except ValueError:  # an entry that was put in says no time: the next ones are held against each other
            self._latest = stamp
            return
        if back > BACKWARD_SECONDS:
            self.backward.append((index, back))


# --- the keys of a log ---------------------------------------------------------------------------------------------------


def key_link(key: str, before: str, after: str) -> bytes:
    """Return what is signed when a key is named: no head by its second line, and of one place in the chain alone."""
    return f"vankho log key\nnamed {key}\nbefore {before or '-'}\nafter {after}\n".encode()


def naming(entry: dict[str, Any], index: int | None) -> Naming:
    """Return what an entry `log.key` says: the key in the first line of its reason, the proof in the last."""
    said = str(entry["reason"]).encode("utf-8", "replace").decode()  # half a character can be neither signed nor shown
    first, *rest = said.split("\n")
    first = first[:LONGEST_KEY]
    words = rest[-1].split(" ") if rest else []
    about = (entry["object"]["type"], entry["object"]["id"])
    if len(words) != 4 or words[0] != KEY_PROOF or about != OF_KEY:  # noqa: PLR2004 - the parts of a proof
        return Naming(index, first, "", b"", b"", b"")
    before = "" if words[1] == "-" else words[1][:LONGEST_KEY]
    link = key_link(first, before, str(entry["object_prev"])[: 2 * HASH])
    return Naming(index, first, before, link, _unbased(words[2]), _unbased(words[3]))


def proofless(namings: list[Naming]) -> int:
    """Return how many entries stand before the first that bears a proof: so the log named its key before there were proofs."""
    return next((number for number, one in enumerate(namings) if one.link), len(namings))


def follow(namings: list[Naming], key: str, is_by: IsBy = holds) -> Line:
    """Follow the links of a log back from a key to the first that it named.

    An entry without a proof that names the key where no proof stands before it is the first: it was written before there
    were proofs, and says no more than the heads that this key signed. A signature that stood before is a copy, and proves
    nothing a second time.

    Args:
        namings: every entry that names a key, in the order of their chain.
        key: the key that is trusted.
        is_by: says whether a signature over a message is of a key.

    Raises:
        Tampered: this key is not named, or another one after it by its own signature; or a link was left out.
    """
    links: list[Naming] = []
    answered: list[Naming] = []  # newest first
    wanted, begun, newest = key, proofless(namings), len(namings)
    first = {one.own: number for number, one in reversed(list(enumerate(namings)))}
    for number, one in reversed(list(enumerate(namings))):
        if (
            wanted
            and one.key == wanted
            and (number < begun or (first[one.own] == number and is_by(wanted, one.link, one.own)))
        ):
            newest = newest if links else number
            links.insert(0, one)
            wanted = one.before
        elif links:
            answered.append(one)
    if not namings:
        return Line([], [], [], [])
    if not links:
        raise Tampered("the log names another key here than the one that signed: " + namings[-1].key, namings[-1].place)
    if wanted:
        raise Tampered(f"the key before this one is named nowhere: a link was left out ({wanted})", links[0].place)
    later = namings[newest + 1 :]
    for number, one in enumerate(later, start=newest + 1):
        if (
            one.before == key != one.key
            and first[one.own] == number
            and is_by(key, one.link, one.handed)
            and is_by(one.key, one.link, one.own)
        ):
            raise Tampered("the log names another key here than the one that signed: " + one.key, one.place)
    lost = [one for one in links if one.before not in {"", one.key} and not is_by(one.before, one.link, one.handed)]
    return Line(links, lost, answered[::-1], later)


def _keys(export: Export, note: bytes, key: str, is_by: IsBy) -> list[str]:
    """Return the keys of the log that a trusted one leads to: of its head first, then the others, each by its links.

    Raises:
        Tampered: none leads from the trusted key to the one that signed the head.
    """
    namings = list(_namings(export, note))
    signed = [key, *(one.key for one in reversed(namings))]
    signer = next((one for one in signed if _has_signed(note, one, is_by)), None)
    if signer is None:
        return [key]
    line = follow(namings, signer, is_by)
    keys = [one.key for one in line.links]
    if signer != key and key not in keys:
        return [key]
    since = len(keys) - keys[::-1].index(key) if signer != key else len(keys)
    for one in line.links[since:]:
        if one in line.lost:
            raise Tampered(
                "the key before has not signed this change of the key: from it alone nothing leads to the new one. "
                "Ask the office for its key on another way, and check with that",
                one.place,
            )
    return list(dict.fromkeys([signer, key, *keys]))


def _namings(export: Export, note: bytes) -> Iterator[Naming]:
    """Yield what an export says of its keys before any of it is known to be good; what is not in its form is told later."""
    size = note.split(b"\n")[1:2]
    for number, width in widths(int(size[0]) if size and size[0].isdigit() else 0):
        bodies = export.bundle(number, width)
        for index, body in enumerate(bodies, start=number * WIDTH):
            if KEY.encode() not in body:
                continue
            with suppress(ValueError, KeyError, TypeError, RecursionError):
                entry = _parsed(body)
                if (entry["action"], entry["outcome"]) == (KEY, "ok"):
                    yield naming(entry, index)
        if len(bodies) < width:
            return


def _has_signed(note: bytes, key: str, is_by: IsBy) -> bool:
    try:
        return is_signed_note(note, key, is_by)
    except ValueError:
        return False


_decode = json.JSONDecoder().raw_decode


def _parsed(body: bytes) -> Any:
    """Return the JSON value of an entry: as `json.loads`, without its guesses at an encoding and at blanks around."""
    text = body.decode()
    value, end = _decode(text)
    if end != len(text):
        raise ValueError("something follows the entry")
    return value


def _seconds(stamp: str) -> float:
    return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


# --- the proof for one entry ---------------------------------------------------------------------------------------------


def is_included(leaf_hash: bytes, index: int, size: int, root: bytes, proof: list[bytes]) -> bool:
    """Say whether the proof shows that the tree of this size and root holds the leaf at this place (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf_hash
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = _node(step, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = _node(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def open_proof(text: bytes, key: str) -> tuple[int, bytes, Head]:
    """Return place, bytes and head of a proven entry (C2SP tlog-proof; `extra` holds the entry).

    Raises:
        Tampered: the proof is malformed, not signed with this key, or does not lead to its head.
    """
    above, gap, note = text.partition(b"\n\n")
    lines = above.decode("utf-8", "replace").split("\n")
    if not gap or lines[0] != PROOF or len(lines) < HEAD_LINES or not lines[1].startswith("extra "):
        raise Tampered("this is not the proof of an entry")
    place = lines[2].partition(" ")[2]
    if lines[2].partition(" ")[0] != "index" or not (place.isascii() and place.isdigit()):
        raise Tampered("this is not the proof of an entry")
    body, steps = _unbased(lines[1].partition(" ")[2]), [_unbased(line) for line in lines[3:]]
    head, index = open_note(note, key), int(place)
    if any(len(step) != HASH for step in steps) or not is_included(leaf(body), index, head.size, head.root, steps):
        raise Tampered("the proof does not lead from this entry to the signed head", index)
    return index, body, head


# --- a selection of the log ----------------------------------------------------------------------------------------------


class Selected(NamedTuple):
    """What was found in order in a selection."""

    head: Head
    form: str
    rows: int
    withheld: int  # rows of which words are told by the signature alone
    undetailed: int  # rows whose details were destroyed: only their digest is left
    manifest: dict[str, Any]
    compared: int  # kept heads of the same size


class _Box:
    """The files of a selection, in a zip or taken out of it; no name twice."""

    def __init__(self, place: str) -> None:
        self._folder = Path(place)
        self._zip: zipfile.ZipFile | None = None
        if self._folder.is_dir():
            self.names = [
                path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*") if path.is_file()
            ]
            return
        try:
            self._zip = zipfile.ZipFile(place)
        except (zipfile.BadZipFile, NotImplementedError, ValueError):
            raise Tampered("the file is cut off or broken: it is no zip") from None
        self.names = self._zip.namelist()
        if any(one.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for one in self._zip.infolist()):
            raise Tampered("the file is broken: it is packed in a way that these files never are")
        if len(set(self.names)) != len(self.names):
            raise Tampered("two files in it have the same name")

    def open(self, name: str) -> IO[bytes]:
        """Return a file to read. Raises Tampered."""
        if name not in self.names:
            raise Tampered(f"{name} is missing")
        return self._zip.open(name) if self._zip else self._folder.joinpath(*name.split("/")).open("rb")

    def read(self, name: str) -> bytes:
        """Return a file's bytes, whoever made it: not more than such a file has. Raises Tampered."""
        with self.open(name) as file:
            data = file.read(MOST_SIGNED + 1)
        if len(data) > MOST_SIGNED:
            raise Tampered(f"{name} is larger than such a file can be")
        return data

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a file, none longer than a row can be. Raises Tampered."""
        rest = b""
        with self.open(name) as file:
            while piece := file.read(1 << 20):
                *whole, rest = (rest + piece).split(b"\n")
                for line in whole:
                    yield line + b"\n"
                if len(rest) > LONGEST_LINE:
                    raise Tampered(f"{name} has a line longer than a row can be")
        if rest:
            yield rest

    def digest(self, name: str, size: int) -> str:
        """Return the SHA-256 of a file, "" if it is longer than what was signed. Raises Tampered."""
        found = hashlib.sha256()
        with self.open(name) as file:
            while piece := file.read(1 << 20):
                found.update(piece)
                size -= len(piece)
                if size < 0:
                    return ""
        return found.hexdigest()


def cell(value: Any) -> str:
    """Return a cell of a table that no spreadsheet takes for a formula."""
    shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return f"'{shown}" if shown.startswith(CELL_STARTS) else shown


def verify_selection(place: str, key: str, kept: list[bytes] | None = None) -> Selected:
    """Check a selection: a zip, or the folder it was taken out into.

    Args:
        place: the file or folder.
        key: the log's public key, NAME+HASH+KEY.
        kept: checkpoints as kept; one of the same size must have the same root.

    Raises:
        Tampered: what was found first.
        ValueError: the key is none.
    """
    try:
        return _selected(_Box(place), key, kept or [])
    except (zipfile.BadZipFile, zlib.error, EOFError, csv.Error, UnicodeDecodeError, NotImplementedError, RuntimeError):
        raise Tampered("the file is broken, or not in its form") from None


def _selected(box: _Box, key: str, kept: list[bytes]) -> Selected:
    manifest = _open_manifest(box, key)
    head = open_note(box.read(HEAD), key)
    try:
        named = Head(manifest["origin"], manifest["head"]["size"], _unbased(manifest["head"]["root"]))
        form, count, files = manifest["form"], manifest["rows"], manifest["files"]
        columns, words = manifest["columns"], manifest["words"]
    except (KeyError, TypeError):
        raise Tampered("the manifest is not in its form") from None
    if head != named:
        raise Tampered(f"the head of {head.size} entries is not the one that the manifest names ({named.size})")
    compared = _compare_heads(head, [open_note(note, key) for note in kept])
    rows = _csv_rows(box, columns) if form == "csv" else _json_rows(box)
    seen, withheld, undetailed = _compare_rows(rows, _lines(box), head, words, count)
    for name in files:
        if box.digest(name, files[name]["bytes"]) != files[name]["sha256"]:
            raise Tampered(f"{name} was changed after it was signed")
    if extra := set(box.names) - set(files) - {MANIFEST, NOTE}:
        raise Tampered(f"a file was put in: {min(extra)}")
    return Selected(head, form, seen, withheld, undetailed, manifest, compared)


def _open_manifest(box: _Box, key: str) -> dict[str, Any]:
    note, text = box.read(NOTE), box.read(MANIFEST)
    if not note.startswith(f"{SELECTION}\nsha256 ".encode()) or not is_signed_note(note, key):
        raise Tampered("the manifest is not signed with this key")
    if note.partition(b"\n\n")[0] != f"{SELECTION}\nsha256 {hashlib.sha256(text).hexdigest()}".encode():
        raise Tampered("the manifest was changed after it was signed")
    manifest: dict[str, Any] = json.loads(text)
    return manifest


def _compare_heads(head: Head, kept: list[Head]) -> int:
    for one in kept:
        if one.origin != head.origin:
            raise Tampered(f"the kept checkpoint is of another log ({one.origin})")
        if one.size == head.size and one.root != head.root:
            raise Tampered("the kept checkpoint of the same size has another root: history was rewritten")
    return sum(one.size == head.size for one in kept)


def _lines(box: _Box) -> Iterator[dict[str, Any]]:
    for line in box.lines(ENTRIES):
        yield _row_of(line, "the file of entries is not in its form")


def _row_of(text: bytes, otherwise: str) -> dict[str, Any]:
    """Return what a line says by name. Raises Tampered."""
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise Tampered(otherwise)
    return row


def _json_rows(box: _Box) -> Iterator[dict[str, Any]]:
    """Yield the rows of a list that is written a row to a line."""
    for line in box.lines("log.json"):
        text = line.strip().rstrip(b",")
        if text not in {b"[", b"]", b"", b"[]"}:
            yield _row_of(text, "log.json is not in its form: a row to a line")


def _csv_rows(box: _Box, columns: list[str]) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(1 << 24)
    table = csv.reader(
        line.decode("utf-8-sig" if not place else "utf-8") for place, line in enumerate(box.lines("log.csv"))
    )
    next(table, None)
    for cells in table:
        if len(cells) != len(columns):
            raise Tampered("a row of log.csv has not as many cells as its head")
        yield dict(zip(columns, cells))  # noqa: B905 - not in Python 3.9


def _compare_rows(
    rows: Iterator[dict[str, Any]], lines: Iterator[dict[str, Any]], head: Head, words: dict[str, Any], count: int
) -> tuple[int, int, int]:
    """Check row by row; return how many there are, with words withheld, and with details destroyed."""
    seen = withheld = undetailed = 0
    steps: list[bytes] = []
    for line in lines:
        row = next(rows, None)
        index = line.get("index")
        if not isinstance(index, int) or isinstance(index, bool):
            raise Tampered("the file of entries is not in its form")
        if row is None or str(row.get("index")) != str(index):
            raise Tampered("the row of this entry is missing, or was put elsewhere", index)
        steps = _compare_proof(index, line, steps, head)
        hides, lost = _compare_row(row, line, index, words)
        seen, withheld, undetailed = seen + 1, withheld + hides, undetailed + lost
    if extra := next(rows, None):
        raise Tampered(f"a row was put in that no leaf stands for (entry {extra.get('index')})")
    if seen != count:
        raise Tampered(f"{count} rows were signed, {seen} are here")
    return seen, withheld, undetailed


def _compare_proof(index: int, line: dict[str, Any], before: list[bytes], head: Head) -> list[bytes]:
    """Check the way from a leaf to the head; its last steps may be those of the line before. Return the steps."""
    try:
        hashed = leaf(line["body"].encode()) if "body" in line else _unhexed(line["leaf"])
        same = line["same"]
        steps = [_unbased(step) for step in line["proof"]] + before[len(before) - same :]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Tampered("the proof of this entry is not in its form", index) from None
    if any(len(step) != HASH for step in steps) or not is_included(hashed, index, head.size, head.root, steps):
        raise Tampered("the proof does not lead from this entry to the signed head", index)
    return steps


def _compare_row(row: dict[str, Any], line: dict[str, Any], index: int, words: dict[str, Any]) -> tuple[bool, bool]:
    """Check that a row says what its leaf says; return whether words are withheld, and whether details were destroyed."""
    try:
        details = _details_of(row)
        if "body" not in line:
            if "withheld" not in details:
                raise Tampered("the bytes of the entry were taken out", index)
            return True, False
        entry = _parsed(line["body"].encode())
        for name, said in _said(entry, words).items():
            if row[name] not in {said, cell(said)}:
                raise Tampered(f"the row does not say what its leaf says ({name})", index)
        if _moment(row["at"]) != _moment(entry["ts"]):
            raise Tampered("the row does not say what its leaf says (at)", index)
        if "details" in line:
            _compare_details(details, line["details"], entry["details_h"], index)
            return False, False
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise Tampered("the row is not in its form", index) from None
    if "withheld" in details:
        return True, False
    if details:
        raise Tampered("the row tells details that nothing proves", index)
    return False, bool(entry["details_h"])


def _compare_details(shown: Any, kept: dict[str, Any], digest: str, index: int) -> None:
    text = json.dumps(kept["payload"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if hashlib.sha256(_unhexed(kept["salt"]) + text.encode("utf-8", "surrogatepass")).hexdigest() != digest:
        raise Tampered("the details of the entry were changed", index)
    if shown != kept["payload"]:
        raise Tampered("the row does not say what its leaf says (details)", index)


def _details_of(row: dict[str, Any]) -> Any:
    return json.loads(row["details"]) if isinstance(row["details"], str) else row["details"]


def _said(entry: dict[str, Any], words: dict[str, Any]) -> dict[str, str]:
    """Return what the row of an entry has to say, by column; codes in the words that the manifest gives them."""
    actor, thing = entry["actor"], entry["object"]
    return {
        "person": actor["name"] if actor["id"] else words["machine"],
        "roles": actor["roles"],
        "address": entry["src"]["ip"],
        "action": entry["action"],
        "act": words["act"].get(entry["action"], entry["action"]),
        "object": thing["type"],
        "number": thing["no"] or thing["id"],
        "level": words["level"][str(thing["level"])],
        "outcome": words["outcome"].get(entry["outcome"], entry["outcome"]),
        "reason": entry["reason"],
    }


def _moment(stamp: str) -> datetime:
    text = f"{stamp[:-1]}+00:00" if stamp.endswith("Z") else stamp
    return datetime.fromisoformat(text).astimezone(timezone.utc)  # noqa: UP017 - not in Python 3.9


def main(arguments: list[str] | None = None) -> int:
    """Check, print what was found, return 0 for OK, 1 for a log that was tampered with, 2 for wrong use."""
    parser = argparse.ArgumentParser(
        description="Check an exported log, a signed selection, or the proof of one entry."
    )
    parser.add_argument("export", nargs="?", help="folder of the export, or the zip of a selection")
    parser.add_argument(
        "--key",
        required=True,
        help="the log's public key NAME+HASH+KEY, the newest or an earlier one, or a file that holds it",
    )
    parser.add_argument("--kept", action="append", default=[], help="an older checkpoint that you kept (repeatable)")
    parser.add_argument("--details", action="store_true", help="insist on the values behind the salted digests")
    parser.add_argument("--proof", help="a file .tlog-proof instead of an export")
    given = parser.parse_args(arguments)
    if bool(given.export) == bool(given.proof):
        parser.error("name the folder of an export, the zip of a selection, or a proof")
    try:
        key = Path(given.key).read_text(encoding="utf-8") if Path(given.key).is_file() else given.key
        if given.proof:
            _tell_proof(*open_proof(Path(given.proof).read_bytes(), key))
            return 0
        files = {one: Path(one).read_bytes() for one in given.kept}
        kept = list(files.values())
        if Path(given.export).is_file() or Path(given.export, MANIFEST).is_file():
            _tell_selection(verify_selection(given.export, key, kept), len(kept))
        else:
            _tell(verify(given.export, key, files, details=given.details))
    except Tampered as fault:
        for one in fault.found if isinstance(fault, Several) else [fault]:
            _say(f"NOT OK: {one}")
        if isinstance(fault, Unproven):
            _say("All else is in order; the heads are signed with the key whose links hold.")
        return 1
    except (ValueError, OSError) as fault:
        _say(f"cannot check: {fault}")
        return 2
    return 0


def _say(text: str) -> None:
    """Print a line on whatever terminal there is: what its alphabet has no sign for as its number."""
    alphabet = sys.stdout.encoding or "utf-8"
    print(printable(text).encode(alphabet, "backslashreplace").decode(alphabet))


def _tell_proof(index: int, body: bytes, head: Head) -> None:
    _say(f"OK: {head.origin}, entry {index} of {head.size} stands in the signed log:")
    _say(body.decode("utf-8", "replace"))


def _tell_selection(found: Selected, kept: int) -> None:
    manifest = found.manifest
    _say(
        f"OK: {found.head.origin}, {found.rows} rows ({found.form}), each stands in the signed log of {found.head.size} entries."
    )
    _say(f"Asked: {'; '.join(manifest['asked']) or 'everything'}. Taken out by {manifest['by']}, {manifest['made']}.")
    if manifest.get("left_out"):
        _say(manifest["left_out"])
    if found.form == "pdf":
        _say(
            "log.pdf is the one that was signed; log.json beside it holds the same rows and was compared with the leaves."
        )
    if found.withheld:
        _say(
            f"{found.withheld} rows have words withheld: of those the place is proven, the rest is told by the signature alone."
        )
    if found.undetailed:
        _say(f"{found.undetailed} rows have no details any more: they were destroyed.")
    if kept > found.compared:
        _say("A kept checkpoint of another size cannot be compared with a selection; compare it with the whole log.")
    _say("This does not prove that nothing was left out. For that take the whole log (manage.py export_log).")


def _tell(report: Report) -> None:
    root = base64.b64encode(report.head.root).decode()
    _say(f"OK: {report.head.origin}, {report.entries} entries about {report.objects} objects, root {root}")
    _say(
        f"{report.details} details match, {report.forgotten} were destroyed by an act, "
        f"{report.kept} kept heads are prefixes of this one."
    )
    for index, seconds in report.backward[:10]:
        _say(f"Note: the clock of entry {index} stood {seconds:.0f} s before that of an earlier entry.")
    for one in report.line.lost:
        _say(f"Note: entry {one.place} names a new key that the key before has not signed: it was lost.")
    for one in report.line.answered:
        _say(f"Note: entry {one.place} names a key that nothing proves; the log's key was named again after it.")
    if not report.kept:
        _say("No older checkpoint was compared: keep this one, so that a rewritten history can be seen next time.")


if __name__ == "__main__":
    sys.exit(main())
