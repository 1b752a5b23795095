"""The text an index keeps of each record for passages, made short with what the texts beside it have in common.

Each text is compressed by itself, so that one can be read without another; but a page is too
short to learn from itself what it repeats. So each begins where another ends: with what every
office writes (`search/data/frequent.txt`), or, in an index that was built from records already
there, with the pairs of words that many texts of this level have. These lie beside the index of
their level, and none stands there that fewer than COMMON texts share: no text can be read out
of them, nor can that of a record which has been destroyed since. Their digest lies beside them:
where they are lost or damaged nothing is written any more with what is left, and a text that
leans on them is told to be damaged, never read as another.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

from backports import zstd
from backports.zstd import CompressionParameter

from search.engine import IndexBroken
from search.packing import FREQUENT, unpacked, whole

LEAST: Final = 100  # texts from which is learned
COMMON: Final = 10  # texts that have a pair of words before it is learned
READ: Final = 4096  # bytes of each of them
_BYTES: Final = 16_384  # of pairs; twice as many make texts a fiftieth shorter, and every process reads them
_TABLES: Final = 2048  # bytes beside them, for how often each sign stands in the texts
FILE: Final = "common"
DIGEST: Final = "common.sha256"
_LEVEL: Final = 3
_OPTIONS: Final[dict[int, int]] = {
    CompressionParameter.compression_level: _LEVEL,
    CompressionParameter.dict_id_flag: 0,
    CompressionParameter.checksum_flag: 1,  # the engine's own does not know what a text leans on; 4 bytes
}
_DAMAGED: Final = "what the texts of an index have in common is damaged or lost: run manage.py rebuild_index"


class Keeping:
    """How the texts of one level's index are kept and read."""

    def __init__(self, folder: Path) -> None:
        """Take what was learned when the index began, or what every office writes. Damage is told by what needs it."""
        learned_first, digest = _content(folder / FILE), _content(folder / DIGEST)
        # Of an index that was begun before there were digests only its texts tell.
        self._is_whole = digest is None or (learned_first is not None and _digest(learned_first) == digest)
        self._common: zstd.ZstdDict | None = None
        try:
            common = zstd.ZstdDict(FREQUENT, is_raw=True) if learned_first is None else zstd.ZstdDict(learned_first)
            self._press = zstd.ZstdCompressor(options=_OPTIONS, zstd_dict=common.as_digested_dict)
        except (ValueError, zstd.ZstdError):
            return
        self._common = common

    def kept(self, text: str, packed: bytes | None) -> bytes:
        """Return a text, packed already if it can be, in the form in which it is kept.

        Raises:
            IndexBroken: the list of this index is damaged.
        """
        if self._common is None or not self._is_whole:
            raise IndexBroken(_DAMAGED)
        return self._press.compress(whole(text, packed), self._press.FLUSH_FRAME)

    def read(self, stored: bytes) -> str:
        """Return a text that was kept.

        Raises:
            IndexBroken: it, or what it leans on, is not what it was.
        """
        if self._common is None:
            raise IndexBroken(_DAMAGED)
        try:
            return unpacked(zstd.decompress(stored, zstd_dict=self._common))
        except zstd.ZstdError as error:
            raise IndexBroken(_DAMAGED) from error

    def is_sound(self, stored: Iterable[bytes]) -> bool:
        """Return whether the list is as it was laid, and these texts can be read with it."""
        with suppress(IndexBroken):
            return self._is_whole and all(self.read(text) is not None for text in stored)
        return False


def files(common: bytes) -> dict[str, bytes]:
    """Return what is laid beside an index that is about to begin, by name: what was learned, then its digest."""
    return {FILE: common, DIGEST: _digest(common)}


def learned(texts: Sequence[bytes]) -> bytes:
    """Return what these (packed) texts have in common, to be laid in FILE before the first text is kept; b"" if they are too few."""
    if len(texts) < LEAST:
        return b""
    found = Counter(pair for text in texts for pair in set(pairwise(text.split(b" "))))
    common = [
        (count * len(first + second), first + b" " + second)
        for (first, second), count in found.items()
        if count >= COMMON
    ]
    # What saves most stands last, where it is nearest to the text.
    content = b" ".join([FREQUENT, *(pair for _, pair in sorted(common))])[-_BYTES:]
    size = len(content) + _TABLES
    return zstd.finalize_dict(zstd.ZstdDict(content, is_raw=True), texts, dict_size=size, level=_LEVEL).dict_content


def _content(file: Path) -> bytes | None:
    # nosemgrep: files - of the index itself, beside what was written with it
    return file.read_bytes() if file.exists() else None


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
