"""The words of the cell: limits, frames, usage, and the ways a job can fail.

Imported on both sides; holds no behaviour.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use. `wall_seconds` counts only while the caller waits for it.

    `output_mib` bounds all frames together, `frame_mib` what the caller holds of one before it is whole.
    """

    memory_mib: int = 1024
    cpu_seconds: int = 10
    wall_seconds: int = 30
    file_mib: int = 64
    output_mib: int = 512
    frame_mib: int = 128
    programs: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """One piece of a job's answer: a JSON object and raw bytes, both untrusted."""

    head: dict[str, Any]
    blob: bytes


@dataclass(frozen=True, slots=True)
class Usage:
    """What a finished job used."""

    cpu_ms: int
    rss_kib: int


class CellFailed(Exception):  # noqa: N818 - an ordinary outcome
    """A job did not come to its end.

    `reason`: "memory", "cpu", "wall", "crash" (a signal), "output" (too much or no frames), "parser" (it gave up).
    `detail` is for the log and never quotes the file.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        """Keep the reason."""
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
