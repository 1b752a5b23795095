"""A plain proxy between the installation and a server, for slow and cut networks. Knows nothing of what it carries."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

PIECE = 16 * 1024


class Between:
    """Listens on a loopback port of its own and carries every connection to one server."""

    def __init__(self, target: int) -> None:
        """Name the server's port; nothing listens yet."""
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._guard = threading.Lock()
        self._delay = 0.0
        self._is_cut = False

    @property
    def port(self) -> int:
        """Where the installation connects."""
        return int(self._listening.getsockname()[1])

    def start(self) -> Self:
        """Carry from now on."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def stop(self) -> None:
        """Close everything."""
        self._listening.close()
        self._drop()

    @contextmanager
    def slow(self, *, chunk_seconds: float) -> Iterator[None]:
        """Hold every piece back for a while."""
        self._delay = chunk_seconds
        try:
            yield
        finally:
            self._delay = 0.0

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Break every connection where it is, in the middle of what it carries, and refuse new ones."""
        self._is_cut = True
        self._drop()
        try:
            yield
        finally:
            self._is_cut = False

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        if self._is_cut:
            near.close()
            return
        try:
            far = socket.create_connection(("127.0.0.1", self._target), timeout=10)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        pair = (near, far)
        with self._guard:
            self._pairs.add(pair)
        back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
        back.start()
        self._pump(near, far)
        back.join()
        with self._guard:
            self._pairs.discard(pair)
        for end in pair:
            end.close()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(PIECE):
                if self._delay:
                    time.sleep(self._delay)
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _drop(self) -> None:
        with self._guard:
            pairs = list(self._pairs)
        for pair in pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
