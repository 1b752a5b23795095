"""An act that is killed at one of its durable steps, in a child of this process."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connections


def killed(act: Callable[[], object], arm: Callable[[], object]) -> bool:
    """Run an act in a child that `arm` has made deadly; return whether it was killed, and fail if the act did."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            arm()
            act()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - told by the exit code
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def deadly(real: Callable[..., Any], steps: Iterator[int], at: int) -> Callable[..., Any]:
    """Return a step that kills this process where it is the n-th of all that count together, and else does its work."""

    def step(*given: Any, **named: Any) -> Any:
        if next(steps) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **named)

    return step
