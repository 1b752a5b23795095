"""What is said of one mark on a page's image, and how it leaves the cell. Pure."""

from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from archive.rules.page import Box


@dataclass(frozen=True, slots=True)
class StampFind:
    """One mark found on a page.

    `kind`: "secrecy" and "urgency" (read: `slug` is the level or the grade), "possible" (a box like a secrecy
    stamp, unread: `slug` is the highest level its width allows), "arrival", "seal", "unclear" (the page has no
    colour: a stamp can neither be seen nor excluded). `score` 0-1. `box` in ten-thousandths of the page. `page` is 1-based.
    """

    kind: str
    word: str
    slug: str
    score: float
    box: Box
    page: int = 1

    def to_json(self) -> dict[str, Any]:
        """Return the form that leaves the cell."""
        return {**asdict(self), "box": list(self.box)}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """Read the cell's form back; it is untrusted, so every part is forced into its type.

        Raises:
            KeyError, TypeError, ValueError: the cell did not send a find.
        """
        left, top, right, bottom = (min(10_000, max(0, int(edge))) for edge in kept["box"])
        box = (left, top, right, bottom)
        score = min(1.0, max(0.0, float(kept["score"])))
        return cls(
            str(kept["kind"])[:20], str(kept["word"])[:40], str(kept["slug"])[:20], score, box, int(kept.get("page", 1))
        )


UNCLEAR: Final = StampFind("unclear", "", "", 0.0, (0, 0, 10_000, 10_000))
