"""A proxy in front of a real HTTP server that can be told to misbehave, for tests and the bench of faults.

    with Unsteady("http://127.0.0.1:7070") as proxy:
        client = connect(proxy.url)
        proxy.wrong(Fault("cut_answer", on="GET", after=20_000))   # the connection is reset in mid-body
        ...
        proxy.heal()

Each connection carries one request (the server is asked to close it), so a fault can be aimed at one kind of request
by a piece of its first line. `seen` lists the first lines that came by. Runs in a thread of its own; needs no right.
"""

import asyncio
import contextlib
import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

BLOCK: Final = 16_384
LIMIT: Final = 1024 * 1024  # of one request's or answer's head
KINDS: Final = ("refuse", "slow", "silent", "cut_request", "cut_answer", "lose_answer", "answer", "wrong_length")


@dataclass(slots=True)
class Fault:
    """One way to misbehave.

    Kinds: `refuse` (reset at once), `slow` (wait before passing the request on), `silent` (take everything, answer
    nothing), `cut_request` / `cut_answer` (reset after so many bytes of the body), `lose_answer` (the server does the
    work, the answer is cut off), `answer` (a status of our own instead of the server's), `wrong_length` (the answer
    promises `after` bytes more than it has, and the connection ends politely).
    """

    kind: str
    on: str = ""  # a piece of the request's first line; empty: every request
    times: int | None = None  # None: until healed
    after: int = 0
    seconds: float = 0.0
    status: int = 503
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a kind that nobody would carry out."""
        if self.kind not in KINDS:
            raise ValueError(self.kind)


@dataclass(frozen=True, slots=True)
class _Exchange:
    """The two ends of one request on its way."""

    line: str
    head: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    fault: Fault | None


class Unsteady:
    """The proxy; a context manager."""

    def __init__(self, target: str) -> None:
        """Take the address of the real server, `http://host:port` or `http://account:password@host:port`."""
        parts = urlsplit(target)
        self._account = parts.netloc.rpartition("@")[0]
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._faults: list[Fault] = []
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="unsteady", daemon=True)
        self._held: set[asyncio.Task[Any] | None] = set()  # the loop itself holds its tasks only weakly
        self.seen: list[str] = []
        self.port = 0

    @property
    def url(self) -> str:
        """Return the address that clients under test are given, with the account of the real server's."""
        return f"http://{self._account + '@' if self._account else ''}127.0.0.1:{self.port}"

    def wrong(self, *faults: Fault) -> None:
        """Misbehave from now on; the first fault that fits a request is carried out."""
        self._faults = list(faults)

    def heal(self) -> None:
        """Behave again."""
        self._faults = []

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        self._started.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop and drop what is under way."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LIMIT))
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        while under_way := self._under_way():
            for task in under_way:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*under_way, return_exceptions=True))
        self._loop.close()

    def _under_way(self) -> set[asyncio.Task[Any]]:
        """Return the requests that are not done; a connection taken just now first begins its own."""
        self._loop.run_until_complete(asyncio.sleep(0.01))
        return asyncio.all_tasks(self._loop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._held.add(asyncio.current_task())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            line = head.split(b"\r\n", 1)[0].decode("latin-1")
            self.seen.append(line)
            await self._exchange(_Exchange(line, head, reader, writer, self._fault_for(line)))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one end has gone; the other is told below
        finally:
            writer.close()
            self._held.discard(asyncio.current_task())

    def _fault_for(self, line: str) -> Fault | None:
        for fault in self._faults:
            if fault.on in line and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    async def _exchange(self, one: _Exchange) -> None:
        kind = one.fault.kind if one.fault else ""
        if kind == "refuse":
            _reset(one.writer)
        elif kind == "silent":
            while await one.reader.read(BLOCK):
                pass
        elif kind == "answer":
            await _answer(one)
        else:
            if one.fault and kind == "slow":
                await asyncio.sleep(one.fault.seconds)
            await self._pass(one, kind)

    async def _pass(self, one: _Exchange, kind: str) -> None:
        """Carry the request to the server and its answer back."""
        there, to_server = await asyncio.open_connection(*self._target, limit=LIMIT)
        try:
            to_server.write(_closing(one.head))
            length, after = _length(one.head), one.fault.after if one.fault else 0
            await _copy(one.reader, to_server, min(length, after) if kind == "cut_request" else length)
            if kind == "cut_request":
                _reset(to_server)
                _reset(one.writer)
                return
            head = await there.readuntil(b"\r\n\r\n")
            if kind == "lose_answer":
                _reset(one.writer)
                return
            one.writer.write(_closing(_longer(head, after) if kind == "wrong_length" else head))
            await _copy(there, one.writer, after if kind == "cut_answer" else None)
            if kind == "cut_answer":
                _reset(one.writer)
        finally:
            to_server.close()


async def _answer(one: _Exchange) -> None:
    """Take the whole request and answer in the server's place."""
    assert one.fault is not None
    with contextlib.suppress(asyncio.IncompleteReadError):
        await one.reader.readexactly(_length(one.head))
    fields = {"Content-Type": "application/xml", **one.fault.headers}
    lines = [f"HTTP/1.1 {one.fault.status} Told", "Connection: close", f"Content-Length: {len(one.fault.body)}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    one.writer.write("\r\n".join([*lines, "", ""]).encode() + one.fault.body)
    await one.writer.drain()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter, most: int | None) -> None:
    """Copy to the end, or so many bytes."""
    left = most
    while left is None or left > 0:
        block = await source.read(BLOCK if left is None else min(BLOCK, left))
        if not block:
            return
        target.write(block)
        await target.drain()
        left = None if left is None else left - len(block)


def _closing(head: bytes) -> bytes:
    """Return the head of a request or an answer that says the connection ends with it."""
    kept = re.sub(rb"(?im)^connection:[^\r]*\r\n", b"", head)
    return kept[:-2] + b"Connection: close\r\n\r\n"


def _length(head: bytes) -> int:
    found = re.search(rb"(?im)^content-length: *(\d+)", head)
    return int(found[1]) if found else 0


def _longer(head: bytes, by: int) -> bytes:
    return re.sub(rb"(?im)^(content-length: *)\d+", lambda found: found[1] + b"%d" % (_length(head) + by), head)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a crashed machine does: the other side reads "connection reset", not an end."""
    if (opened := writer.get_extra_info("socket")) is not None:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
