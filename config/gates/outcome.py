"""What a gate answers: its figures and whether it is passed; a gate that cannot run says so and is never passed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PASSED, FAILED, NOT_RUN = "passed", "FAILED", "not run"


@dataclass(frozen=True)
class Outcome:
    """The answer of one gate; `findings` are told one a line when it failed."""

    state: str
    figures: str
    findings: Sequence[str] = field(default_factory=tuple)


class NotRun(Exception):  # noqa: N818 - an answer, no fault
    """A gate cannot run here; its words say why."""


def judged(figures: str, findings: Sequence[str]) -> Outcome:
    """Return the answer of a gate that wants no finding at all."""
    return Outcome(FAILED if findings else PASSED, figures, findings)


def toothless(planted: str) -> Outcome:
    """Return the answer of a gate that did not find the fault planted for it: what it says of the product is worth nothing."""
    return Outcome(FAILED, f"did not find the planted fault: {planted}", (f"planted and not found: {planted}",))
