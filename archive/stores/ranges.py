"""A sealed object on an S3 server as a seekable stream: ranges are asked for as they are needed.

The first request brings the beginning and the size; after that a window is fetched around
the place that is read, growing while reading goes straight on, so that a page of a pack
costs two or three requests and a long file few. A connection cut in mid-body is taken up
from where it broke, a few times. Holds at most `LARGEST` bytes. Never interprets a byte.
"""

import io
import time
from collections.abc import Callable
from typing import Final

from minio.error import S3Error
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from archive.rules.sizes import MIB
from archive.stores import bucket
from archive.stores.refusals import MissingObject, StoreAway

FIRST: Final = 256 * 1024
LARGEST: Final = 4 * MIB
BLOCK: Final = 64 * 1024
TRIES: Final = 4  # of one window, each from where the last broke
PAUSE_SECONDS: Final = 0.1

Fetch = Callable[[int, int], BaseHTTPResponse]


class RangeStream(io.RawIOBase):
    """Reads one object through `fetch(offset, length)`, which answers one range request."""

    def __init__(self, fetch: Fetch, *, address: str) -> None:
        """Bring the beginning. Raises MissingObject, StoreAway."""
        super().__init__()
        self._fetch, self._address = fetch, address
        self._at, self._size = 0, -1
        self._window_start, self._window = 0, b""
        self._head = self._load(0, FIRST)

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; nothing is fetched yet."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill what the present window can give, at least one byte before the end. Raises StoreAway."""
        target = memoryview(buffer).cast("B")
        if self._at >= self._size or not target:
            return 0
        piece = self._piece(len(target))
        target[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _piece(self, wanted: int) -> memoryview:
        if self._at < len(self._head):
            return memoryview(self._head)[self._at : self._at + wanted]
        offset = self._at - self._window_start
        if not 0 <= offset < len(self._window):
            # Straight on: twice as much as last time. Anywhere else: what is asked for and a little more.
            goes_on = self._window and self._at == self._window_start + len(self._window)
            length = len(self._window) * 2 if goes_on else FIRST
            self._window = self._load(self._at, min(LARGEST, max(length, wanted)))
            self._window_start, offset = self._at, 0
        return memoryview(self._window)[offset : offset + wanted]

    def _load(self, start: int, length: int) -> bytes:
        """Return the bytes of a range, cut at the object's end."""
        body = bytearray()
        length = length if self._size < 0 else min(length, self._size - start)
        for turn in range(TRIES):
            if self._take(body, start, length):
                return bytes(body)
            time.sleep(PAUSE_SECONDS * turn)
        raise StoreAway(reason=bucket.CUT)

    def _take(self, body: bytearray, start: int, length: int) -> bool:
        """Append what comes; return whether the range is complete."""
        at = start + len(body)
        try:
            with bucket.asked(*bucket.ABSENT, "InvalidRange"):
                answer = self._fetch(at, length - len(body))
        except S3Error as error:
            if error.code != "InvalidRange":
                raise MissingObject(address=self._address) from None
            self._size = at  # an empty object has no first byte; one that was cut ends here
            return True
        try:
            self._size = _whole_size(answer, at)
            for block in answer.stream(BLOCK):
                body += block
        except (HTTPError, OSError):
            pass  # cut in mid-body: what came is kept, the rest is asked for again
        finally:
            answer.close()
            answer.release_conn()
        return len(body) >= min(length, self._size - start)


def _whole_size(answer: BaseHTTPResponse, at: int) -> int:
    """Return the object's size from "bytes 5-14/1000". Raises StoreAway when another range came."""
    unit, _, rest = answer.headers.get("content-range", "").partition(" ")
    span, _, size = rest.partition("/")
    if unit != "bytes" or not span.startswith(f"{at}-") or not size.isdigit():
        raise StoreAway(reason=bucket.NO_RANGE)
    return int(size)
