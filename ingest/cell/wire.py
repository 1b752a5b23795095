"""Frames on a pipe: how a cell answers. What is read here is untrusted until it fits.

A frame is two lengths, a JSON object and raw bytes. The reader never allocates more
than its limits allow, however large a length is claimed.
"""

import json
import os
import struct
from typing import Any, Final

LENGTHS: Final = struct.Struct("!IQ")
MAX_HEAD: Final = 16 * 1024 * 1024  # a dense page has 3,000 words of 60 bytes; this is 80 times that
CHUNK: Final = 1024 * 1024


class BadFrame(Exception):  # noqa: N818 - names what was received
    """The bytes on the pipe are no frame, or are more than was allowed."""


def send(pipe: int, head: dict[str, Any], blob: bytes | tuple[bytes | memoryview, ...] = b"") -> None:
    """Write one frame to a pipe; a blob in parts arrives as one."""
    parts = blob if isinstance(blob, tuple) else (blob,)
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    _write_all(pipe, LENGTHS.pack(len(text), sum(map(len, parts))) + text)
    for part in parts:
        _write_all(pipe, part)


def _write_all(pipe: int, content: bytes | memoryview) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(pipe, left) :]


class Inbox:
    """Collects bytes until a frame is whole."""

    def __init__(self, limit: int, *, largest: int) -> None:
        """Accept at most `limit` bytes over the life of the pipe, and frames of at most `largest`."""
        self.left = limit
        self.largest = largest
        self.held = bytearray()

    def add(self, content: bytes) -> None:
        """Take bytes that arrived.

        Raises:
            BadFrame: more than the limit in all.
        """
        self.left -= len(content)
        if self.left < 0:
            raise BadFrame("too much output")
        self.held += content

    def take(self) -> tuple[dict[str, Any], bytes] | None:
        """Return the next whole frame, or None if more bytes must come.

        Raises:
            BadFrame: lengths beyond the limit, or a head that is no JSON object.
        """
        if len(self.held) < LENGTHS.size:
            return None
        head_size, blob_size = LENGTHS.unpack_from(self.held)
        end = LENGTHS.size + head_size + blob_size
        if head_size > MAX_HEAD or end > min(self.largest, len(self.held) + self.left):
            raise BadFrame("claimed length beyond the limit")
        if len(self.held) < end:
            return None
        head = _parsed(bytes(self.held[LENGTHS.size : LENGTHS.size + head_size]))
        blob = bytes(memoryview(self.held)[LENGTHS.size + head_size : end])
        del self.held[:end]
        return head, blob


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        head = json.loads(text.decode())
    except (ValueError, RecursionError) as fault:
        raise BadFrame("head is not JSON") from fault
    if not isinstance(head, dict):
        raise BadFrame("head is not an object")
    return head
