"""What a gate answers: its figures and whether it is passed.

A gate that cannot run says so, one that was cut by its bound is "not whole" and says what was cut: neither is passed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PASSED, FAILED, NOT_RUN, NOT_WHOLE = "passed", "FAILED", "not run", "not whole"


@dataclass(frozen=True)
class Outcome:
    """The answer of one gate; `findings`, or what its bound cut, are told one a line."""

    state: str
    figures: str
    findings: Sequence[str] = field(default_factory=tuple)


class NotRun(Exception):  # noqa: N818 - an answer, no fault
    """A gate cannot run here; its words say why."""


class NoEnd(NotRun):
    """A judge came to no end within its time."""


def judged(figures: str, findings: Sequence[str], cut: Sequence[str] = ()) -> Outcome:
    """Return the answer of a gate that wants no finding at all; `cut` is what its bound left out."""
    if findings:
        return Outcome(FAILED, figures, findings)
    return Outcome(NOT_WHOLE, figures, cut) if cut else Outcome(PASSED, figures)


def toothless(planted: str) -> Outcome:
    """Return the answer of a gate that did not find the fault planted for it: what it says of the product is worth nothing."""
    return Outcome(FAILED, f"did not find the planted fault: {planted}", (f"planted and not found: {planted}",))
