"""What the machine proposes for the register, field by field, for a person to confirm.

Field names are those of the data dictionary (annex VI of decree 30/2020/ND-CP in
snake case). A proposal is never a saved value: it stands beside the form.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Self

from archive.rules.levels import Level
from archive.rules.page import Box

FIELD_NAMES: Final = (
    "code_number",
    "code_notation",
    "issued_date",
    "organ_name",
    "parent_organ_name",
    "type_name",
    "subject",
    "signer_name",
    "signer_authority",
    "urgency",
    "secrecy",
)
SURE: Final = 90  # two readings agree, or one very clear reading: shown as a match; below: look again


@dataclass(frozen=True, slots=True)
class Guess:
    """One proposed value with 0-100 confidence, the 1-based page and the box it was read from.

    `value` is text; dates are ISO "2026-11-18", urgency and secrecy are slugs.
    `others` are second readings a person may take instead.
    """

    value: str
    confidence: int
    page: int | None = None
    box: Box | None = None
    others: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the form kept in the database and shown by the API."""
        return {
            "value": self.value,
            "confidence": self.confidence,
            "page": self.page,
            "box": list(self.box) if self.box else None,
            "others": list(self.others),
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """Read the kept form back."""
        box = kept.get("box")
        return cls(
            kept["value"],
            kept["confidence"],
            kept.get("page"),
            tuple(box) if box else None,
            tuple(kept.get("others", ())),
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sign of secrecy found by machine: what, how sure, where. It may raise a level, never lower it.

    `kind` is "stamp" (read), "possible_stamp" (red box not read), "text" (a whole line
    or a label in the text) or "unclear" (a page no machine can clear, such as a 1-bit scan).
    """

    kind: str
    level: Level
    confidence: int
    page: int
    box: Box | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the form kept in the database."""
        return {
            "kind": self.kind,
            "level": self.level.slug,
            "confidence": self.confidence,
            "page": self.page,
            "box": list(self.box) if self.box else None,
        }


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The proposed level and what speaks for it.

    `level` = max(declared, sure evidence). `plausible` >= `level` is the highest level
    the doubtful evidence allows: who may see the draft follows it until a person confirms.
    """

    declared: Level
    level: Level
    plausible: Level
    evidence: tuple[Evidence, ...] = field(default=())

    @property
    def needs_person(self) -> bool:
        """Whether doubt is left that only a person can settle."""
        return self.plausible > self.level
