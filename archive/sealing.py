"""The sealed format: bytes in, ciphertext and digests out, and back, a chunk at a time.

A sealed file is `VKSO` 01 00 00 00 | object id (16) | salt (24) | commitment (32) | chunks.
From the salt on it is a c2sp.org/chunked-encryption v1 message (the Cobblestone-256 instance:
HKDF-Expand-SHA-512, AES-256-GCM, 16 KiB chunks, the last chunk always short); its context is
the first 24 bytes, so an object cannot pose as another. config/decisions/store.md writes the
format out for someone who has only a key and a file.

Pure: no settings, no disk, no key management. It never holds more than about 3 MiB of a file,
never hands out a byte whose chunk has not verified, and never ends a broken stream quietly.
"""

import hashlib
import hmac
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

MAGIC: Final = b"VKSO\x01\x00\x00\x00"
ID_BYTES: Final = 16
SALT_BYTES: Final = 24
COMMITMENT_BYTES: Final = 32
KEY_BYTES: Final = 32
CHUNK: Final = 16 * 1024
TAG: Final = 16
SEALED_CHUNK: Final = CHUNK + TAG
CONTEXT_BYTES: Final = len(MAGIC) + ID_BYTES
HEADER: Final = CONTEXT_BYTES + SALT_BYTES + COMMITMENT_BYTES
MAX_CHUNKS: Final = 2**38
RUN: Final = 64  # chunks handled at once: 1 MiB keeps the digests at full speed and memory flat

_LABEL: Final = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"
_NONCE_BYTES: Final = 12


class Broken(Exception):  # noqa: N818 - a finding about bytes, translated into a refusal by archive.store
    """The bytes are not what was sealed. `where` says which part, `chunk` which chunk if one is to blame."""

    def __init__(self, where: str, *, chunk: int | None = None) -> None:
        """Keep the place: "header", "identity", "key", "length", or "chunk" with its number."""
        super().__init__(where if chunk is None else f"{where} {chunk}")
        self.where = where
        self.chunk = chunk


@dataclass(frozen=True, slots=True)
class Digests:
    """What one pass over the bytes learned: sizes in bytes, SHA-256 as 64 hex digits."""

    size: int
    sha256: str
    sealed_size: int
    sealed_sha256: str


class _Cipher:
    """The derived keys of one message: encrypts or verifies single chunks by number."""

    __slots__ = ("_aead", "_nonce", "commitment")

    def __init__(self, *, key: bytes, salt: bytes, context: bytes) -> None:
        """Derive cipher key, base nonce and commitment (76 bytes) from the data key."""
        if len(key) != KEY_BYTES:
            raise ValueError("A data key has 32 bytes.")
        length = KEY_BYTES + _NONCE_BYTES + COMMITMENT_BYTES
        derived = HKDFExpand(algorithm=SHA512(), length=length, info=_LABEL + salt + context).derive(key)
        self._aead = AESGCM(derived[:KEY_BYTES])
        self._nonce = int.from_bytes(derived[KEY_BYTES : KEY_BYTES + _NONCE_BYTES], "big")
        self.commitment = derived[KEY_BYTES + _NONCE_BYTES :]

    def seal(self, number: int, plain: memoryview, out: memoryview) -> None:
        self._aead.encrypt_into(self._nonce_of(number), plain, None, out)

    def unseal(self, number: int, sealed: memoryview, out: memoryview) -> None:
        try:
            self._aead.decrypt_into(self._nonce_of(number), sealed, None, out)
        except InvalidTag:
            raise Broken("chunk", chunk=number) from None

    def _nonce_of(self, number: int) -> bytes:
        if number >= MAX_CHUNKS:
            raise Broken("length")
        return (self._nonce ^ number).to_bytes(_NONCE_BYTES, "big")


class Sealer:
    """Seal bytes as they arrive: `update` any number of times, then `finish` once.

    Ciphertext leaves through `write`, at most about 1 MiB at a time, in order.
    """

    def __init__(
        self, write: Callable[[memoryview], object], *, object_id: bytes, key: bytes, salt: bytes | None = None
    ) -> None:
        """Write the header. `salt` is given only by the test vectors; a salt never repeats under one key."""
        if len(object_id) != ID_BYTES:
            raise ValueError("An object id has 16 bytes.")
        salt = os.urandom(SALT_BYTES) if salt is None else salt
        context = MAGIC + object_id
        self._cipher = _Cipher(key=key, salt=salt, context=context)
        self._write = write
        self._pending = bytearray()
        self._out = bytearray(RUN * SEALED_CHUNK)
        self._chunks = self._size = self._sealed_size = 0
        self._plain_digest, self._sealed_digest = hashlib.sha256(), hashlib.sha256()
        self._emit(memoryview(context + salt + self._cipher.commitment))

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes, of any length."""
        view = memoryview(data).cast("B")
        for start in range(0, len(view), RUN * CHUNK):
            piece = view[start : start + RUN * CHUNK]
            self._plain_digest.update(piece)
            self._size += len(piece)
            self._pending += piece
            if len(self._pending) >= CHUNK:
                self._flush(len(self._pending) // CHUNK)

    def finish(self) -> Digests:
        """Seal the short last chunk (it may be empty; being short is what ends the message)."""
        length = len(self._pending)
        out = memoryview(self._out)[: length + TAG]
        self._cipher.seal(self._chunks, memoryview(self._pending), out)
        self._emit(out)
        return Digests(self._size, self._plain_digest.hexdigest(), self._sealed_size, self._sealed_digest.hexdigest())

    def _flush(self, whole: int) -> None:
        """Seal the whole chunks that are pending, a run at a time."""
        with memoryview(self._pending) as pending, memoryview(self._out) as out:
            for first in range(0, whole, RUN):
                count = min(RUN, whole - first)
                for i in range(count):
                    plain = pending[(first + i) * CHUNK : (first + i + 1) * CHUNK]
                    self._cipher.seal(self._chunks + i, plain, out[i * SEALED_CHUNK : (i + 1) * SEALED_CHUNK])
                    plain.release()
                self._chunks += count
                self._emit(out[: count * SEALED_CHUNK])
        del self._pending[: whole * CHUNK]

    def _emit(self, sealed: memoryview) -> None:
        self._sealed_digest.update(sealed)
        self._sealed_size += len(sealed)
        self._write(sealed)


def seal(
    source: BinaryIO, write: Callable[[memoryview], object], *, object_id: bytes, key: bytes, salt: bytes | None = None
) -> Digests:
    """Seal a whole stream through `write` and return both digests; memory stays flat whatever the size."""
    sealer = Sealer(write, object_id=object_id, key=key, salt=salt)
    while data := source.read(RUN * CHUNK):
        sealer.update(data)
    return sealer.finish()


def plain_size(sealed_size: int) -> int:
    """Return the plaintext size that a sealed file of this size must have.

    Raises:
        Broken: no sealed file has this size, so this one was cut.
    """
    whole, rest = divmod(sealed_size - HEADER, SEALED_CHUNK)
    if sealed_size < HEADER + TAG or rest < TAG:
        raise Broken("length")
    return whole * CHUNK + rest - TAG


class Unsealed(io.RawIOBase):
    """A readable, seekable view of the plaintext of one sealed object, or of a range of it.

    Position 0 is byte `start` of the plaintext. Header and key commitment are verified on
    opening; so is the last chunk, which alone proves the length, unless the range lies wholly
    inside: a cut file is refused before its first byte is handed out. Closing closes the source.
    """

    def __init__(
        self, source: BinaryIO, *, object_id: bytes, key: bytes, start: int = 0, length: int | None = None
    ) -> None:
        """Verify the header, and the end if the range reaches it.

        Raises:
            Broken: not this object, not this key, or not whole.
            ValueError: a negative start or length.
        """
        if start < 0 or (length is not None and length < 0):
            raise ValueError("A range has no negative parts.")
        super().__init__()
        self._source = source
        self._size = plain_size(source.seek(0, io.SEEK_END))
        self._cipher = self._open_header(object_id, key)
        self._run_start, self._run = 0, memoryview(b"")
        if length is None or start + length > self._size:
            self._load(self._size // CHUNK, 1)
        self._start = min(start, self._size)
        self._stop = self._size if length is None else min(self._start + length, self._size)
        self._at = self._start

    def _open_header(self, object_id: bytes, key: bytes) -> _Cipher:
        self._source.seek(0)
        header = bytes(self._exactly(HEADER))
        if header[: len(MAGIC)] != MAGIC:
            raise Broken("header")
        if header[len(MAGIC) : CONTEXT_BYTES] != object_id:
            raise Broken("identity")
        salt = header[CONTEXT_BYTES : CONTEXT_BYTES + SALT_BYTES]
        cipher = _Cipher(key=key, salt=salt, context=MAGIC + object_id)
        if not hmac.compare_digest(header[-COMMITMENT_BYTES:], cipher.commitment):
            raise Broken("key")
        return cipher

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position within the range."""
        return self._at - self._start

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move within the range; positions outside are clamped to it."""
        base = {io.SEEK_SET: self._start, io.SEEK_CUR: self._at, io.SEEK_END: self._stop}[whence]
        self._at = max(self._start, min(base + offset, self._stop))
        return self.tell()

    def size(self) -> int:
        """Return how many bytes the range has in all."""
        return self._stop - self._start

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer, short only at the end of the range.

        Raises:
            Broken: a chunk did not verify; nothing of it was handed out.
        """
        target = memoryview(buffer).cast("B")
        wanted = min(len(target), self._stop - self._at)
        done = 0
        while done < wanted:
            piece = self._verified(wanted - done)
            target[done : done + len(piece)] = piece
            done += len(piece)
            self._at += len(piece)
        return done

    def readall(self) -> bytes:
        """Return the rest of the range."""
        rest = bytearray(self._stop - self._at)
        self.readinto(memoryview(rest))
        return bytes(rest)

    def close(self) -> None:
        """Close the source as well and drop the plaintext held."""
        if not self.closed:
            self._run = memoryview(b"")
            self._source.close()
        super().close()

    def _verified(self, wanted: int) -> memoryview:
        """Return at least one verified byte from the present position, at most `wanted`."""
        offset = self._at - self._run_start
        if not 0 <= offset < len(self._run):
            first = self._at // CHUNK
            last = (self._at + wanted - 1) // CHUNK
            self._load(first, min(RUN, last - first + 1))
            offset = self._at - self._run_start
        return self._run[offset : offset + wanted]

    def _load(self, first: int, count: int) -> None:
        """Read and verify chunks `first` .. `first + count - 1` into the run."""
        plain_bytes = min(count * CHUNK, self._size - first * CHUNK)
        self._source.seek(HEADER + first * SEALED_CHUNK)
        sealed = self._exactly(plain_bytes + count * TAG)
        # A fresh buffer each time: a run becomes visible only when every chunk in it has verified.
        plain = memoryview(bytearray(plain_bytes))
        for i in range(count):
            self._cipher.unseal(
                first + i,
                sealed[i * SEALED_CHUNK : (i + 1) * SEALED_CHUNK],
                plain[i * CHUNK : (i + 1) * CHUNK],
            )
        self._run_start, self._run = first * CHUNK, plain.toreadonly()

    def _exactly(self, length: int) -> memoryview:
        data = bytearray()
        while len(data) < length:
            piece = self._source.read(length - len(data))
            if not piece:
                raise Broken("length")
            if not data and len(piece) == length:
                return memoryview(piece)
            data += piece
        return memoryview(data)
