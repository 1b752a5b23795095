"""The sealed format: committed vectors, three readers that agree, and nothing changed gets through."""

import hashlib
import io
import json
import random
import tracemalloc
from pathlib import Path

import pytest
from cryptography import cobblestone
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import sealing
from archive.sealing import Broken, Digests, Sealer, Unsealed, seal
from archive.tests import sealed_reader

VECTORS = json.loads((Path(__file__).parent / "vectors" / "sealed.json").read_text(encoding="ascii"))
KEY = bytes.fromhex(VECTORS["key"])
OBJECT_ID = bytes.fromhex(VECTORS["object_id"])
SALT = bytes.fromhex(VECTORS["salt"])


def plaintext(length):
    """Return the bytes the vectors speak of: SHA-256 of 0, 1, 2 ... as 8 bytes big-endian, joined and cut."""
    blocks = (hashlib.sha256(i.to_bytes(8, "big")).digest() for i in range(length // 32 + 1))
    return b"".join(blocks)[:length]


def sealed_bytes(plain, *, key=KEY, object_id=OBJECT_ID, salt=SALT):
    out = bytearray()
    seal(io.BytesIO(plain), out.extend, object_id=object_id, key=key, salt=salt)
    return bytes(out)


def unseal(blob, *, key=KEY, object_id=OBJECT_ID):
    return Unsealed(io.BytesIO(blob), object_id=object_id, key=key).readall()


def by_cobblestone(blob, key=KEY):
    """Return what the cipher library's own recipe makes of the part after the context."""
    opener = cobblestone.Cobblestone256Decryptor(key, blob[:24])
    return opener.update(blob[24:]) + opener.finalize()


class Trickle(io.RawIOBase):
    """A source that answers every read with fewer bytes than asked, as pipes and sockets do."""

    def __init__(self, data):
        super().__init__()
        self._inner, self._random = io.BytesIO(data), random.Random(1)

    def seek(self, offset, whence=0):
        return self._inner.seek(offset, whence)

    def read(self, size=-1):
        return self._inner.read(self._random.randint(1, max(1, size)))


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda v: str(v["length"]))
class TestVectors:
    def test_sealing_gives_the_committed_bytes(self, vector):
        blob = sealed_bytes(plaintext(vector["length"]))

        assert len(blob) == vector["sealed_size"]
        assert hashlib.sha256(blob).hexdigest() == vector["sealed_sha256"]
        assert blob[48:80].hex() == vector["commitment"]
        assert blob.hex() == vector.get("sealed", blob.hex())

    def test_three_readers_agree(self, vector):
        plain = plaintext(vector["length"])
        blob = sealed_bytes(plain)

        assert hashlib.sha256(plain).hexdigest() == vector["sha256"]
        assert unseal(blob) == plain
        assert sealed_reader.unseal(blob, KEY, OBJECT_ID) == plain
        assert by_cobblestone(blob) == plain


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda v: v["name"])
def test_refused_vectors_are_refused_by_every_reader(vector):
    blob = b"".join(
        bytes.fromhex(piece) if isinstance(piece, str) else sealed_bytes(plaintext(piece[0]))[piece[1] : piece[2]]
        for piece in vector["pieces"]
    )
    assert hashlib.sha256(blob).hexdigest() == vector["sealed_sha256"]
    key = bytes.fromhex(vector.get("key", VECTORS["key"]))
    object_id = bytes.fromhex(vector.get("object_id", VECTORS["object_id"]))

    with pytest.raises(Broken):
        unseal(blob, key=key, object_id=object_id)
    assert sealed_reader.unseal(blob, key, object_id) is None
    if blob[:8] == sealing.MAGIC and blob[8:24] == object_id:  # the library takes any context
        with pytest.raises((InvalidTag, ValueError)):
            by_cobblestone(blob, key)


def test_the_library_seals_what_we_read():
    sealer = cobblestone.Cobblestone256Encryptor(KEY, sealing.MAGIC + OBJECT_ID)
    blob = sealing.MAGIC + OBJECT_ID + sealer.update(plaintext(40_000)) + sealer.finalize()

    assert unseal(blob) == plaintext(40_000)


def _mutate(blob, chance):
    """Return a changed copy by one of the ways storage or a forger changes files."""
    kind = chance.choice(["flip", "cut", "swap", "repeat", "drop", "append", "splice", "zero"])
    a, b = sorted(chance.sample(range(len(blob) + 1), 2))
    chunk = sealing.SEALED_CHUNK
    if kind == "flip":
        at = chance.randrange(len(blob))
        return blob[:at] + bytes([blob[at] ^ (1 << chance.randrange(8))]) + blob[at + 1 :]
    if kind == "swap":
        i, j = 80, 80 + chunk
        return blob[:i] + blob[j : j + chunk] + blob[i:j] + blob[j + chunk :]
    if kind == "zero":
        return blob[:a] + bytes(b - a) + blob[b:]
    return {
        "cut": blob[:a],
        "repeat": blob[:b] + blob[a:b] + blob[b:],
        "drop": blob[:a] + blob[b:],
        "append": blob + chance.randbytes(chance.choice([1, 16, 100, chunk])),
        "splice": blob[:a] + chance.randbytes(b - a) + blob[b:],
    }[kind]


def test_of_3000_random_mutations_none_is_accepted():
    chance = random.Random(20261126)
    blobs = [sealed_bytes(plaintext(length)) for length in (0, 1, 700, 16_384, 33_000)]
    accepted = 0
    for _ in range(3000):
        blob = chance.choice(blobs)
        changed = _mutate(blob, chance)
        if changed == blob:
            continue
        try:
            unseal(changed)
        except Broken:
            continue
        accepted += 1
    assert accepted == 0


@settings(max_examples=150, deadline=None)
@given(
    length=st.one_of(st.integers(0, 70_000), st.sampled_from([16_383, 16_384, 16_385, 32_768, 49_152])),
    start=st.integers(0, 80_000),
    want=st.one_of(st.none(), st.integers(0, 80_000)),
)
def test_a_range_is_the_same_slice_of_the_plaintext(length, start, want):
    plain = plaintext(length)
    stop = None if want is None else start + want

    opened = Unsealed(io.BytesIO(sealed_bytes(plain)), object_id=OBJECT_ID, key=KEY, start=start, length=want)

    assert opened.size() == len(plain[start:stop])
    assert opened.read() == plain[start:stop]
    assert opened.read(1) == b""


@given(pieces=st.lists(st.integers(1, 40_000), max_size=8))
@settings(max_examples=60, deadline=None)
def test_the_cutting_of_the_input_does_not_change_the_output(pieces):
    plain = plaintext(sum(pieces))
    out, at = bytearray(), 0
    sealer = Sealer(out.extend, object_id=OBJECT_ID, key=KEY, salt=SALT)
    for piece in pieces:
        sealer.update(plain[at : at + piece])
        at += piece
    digests = sealer.finish()

    assert bytes(out) == sealed_bytes(plain)
    assert digests == Digests(
        len(plain), hashlib.sha256(plain).hexdigest(), len(out), hashlib.sha256(bytes(out)).hexdigest()
    )


def test_a_source_of_short_reads_is_read_whole():
    plain = plaintext(2_500_000)
    out = bytearray()
    seal(Trickle(plain), out.extend, object_id=OBJECT_ID, key=KEY, salt=SALT)

    assert Unsealed(Trickle(bytes(out)), object_id=OBJECT_ID, key=KEY).read() == plain


def test_seek_and_tell_stay_inside_the_range():
    plain = plaintext(50_000)
    opened = Unsealed(io.BytesIO(sealed_bytes(plain)), object_id=OBJECT_ID, key=KEY, start=100, length=30_000)

    assert opened.seek(-10, io.SEEK_END) == 29_990
    assert opened.read() == plain[30_090:30_100]
    assert opened.seek(-5) == 0
    assert opened.seek(10**9) == 30_000
    opened.seek(16_000)
    assert opened.read(500) == plain[16_100:16_600]
    assert opened.tell() == 16_500


def test_a_cut_file_is_refused_before_its_first_byte():
    blob = sealed_bytes(plaintext(100_000))
    for length in range(0, len(blob), 977):
        with pytest.raises(Broken):
            Unsealed(io.BytesIO(blob[:length]), object_id=OBJECT_ID, key=KEY)


def test_a_range_past_the_end_of_a_cut_file_is_refused_not_shortened():
    blob = sealed_bytes(plaintext(50_000))[:-20_000]

    for start, length in [(40_000, 5_000), (25_000, 10_000), (90_000, 10), (0, None)]:
        with pytest.raises(Broken):
            Unsealed(io.BytesIO(blob), object_id=OBJECT_ID, key=KEY, start=start, length=length).read()


def test_a_stream_that_breaks_late_raises_and_goes_on_raising():
    blob = bytearray(sealed_bytes(plaintext(100_000)))
    blob[80 + 4 * sealing.SEALED_CHUNK + 5] ^= 1
    opened = Unsealed(io.BytesIO(bytes(blob)), object_id=OBJECT_ID, key=KEY)

    assert opened.read(4 * sealing.CHUNK) == plaintext(100_000)[: 4 * sealing.CHUNK]
    for _ in range(3):
        with pytest.raises(Broken) as found:
            opened.read(1)
        assert found.value.chunk == 4


def test_nothing_of_a_broken_chunk_reaches_the_readers_buffer():
    blob = bytearray(sealed_bytes(plaintext(10_000)))
    blob[80 + 9_999] ^= 1  # the first 9,999 bytes still decrypt to the true text
    buffer = bytearray(5_000)

    opened = Unsealed(io.BytesIO(bytes(blob)), object_id=OBJECT_ID, key=KEY, length=5_000)
    with pytest.raises(Broken):
        opened.readinto(memoryview(buffer))

    assert buffer == bytes(5_000)


def test_a_negative_range_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="negative"):
        Unsealed(io.BytesIO(sealed_bytes(b"x")), object_id=OBJECT_ID, key=KEY, start=-1)


def test_two_seals_of_the_same_bytes_share_nothing_but_the_header():
    one, two = bytearray(), bytearray()
    for out in (one, two):
        seal(io.BytesIO(bytes(1000)), out.extend, object_id=OBJECT_ID, key=KEY)

    assert one[:24] == two[:24]
    assert one[24:] != two[24:]
    assert not {bytes(one[i : i + 16]) for i in range(24, 1064, 16)} & {
        bytes(two[i : i + 16]) for i in range(24, 1064, 16)
    }


def test_memory_stays_flat_however_long_the_file():
    class Long:
        """96 MiB of zeros, made as they are read."""

        left = 96 * 2**20

        def read(self, size):
            size = min(size, self.left)
            self.left -= size
            return bytes(size)

    tracemalloc.start()
    digests = seal(Long(), lambda _: None, object_id=OBJECT_ID, key=KEY)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert digests.size == 96 * 2**20
    assert peak < 5 * 2**20
