"""The tree of refusals: what happened, to what, why, and what to do next.

Every refusal has a stable code (shown to the reader, written to the log, listed in
the help page) and one sentence in the reader's language. Acts raise only from here.
"""

from functools import cache
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Refusal(Exception):  # noqa: N818 - a refusal is an answer of the office, not a fault of the program
    """Base of all refusals. Subclasses set `code` and `message`; parameters fill the message."""

    code: ClassVar[str] = "GEN-001"
    message: ClassVar[str | Promise] = _("This cannot be done now. Go back and try again.")

    def __init__(self, **parameters: object) -> None:
        """Keep the parameters that the message names."""
        super().__init__(self.code)
        self.parameters = parameters

    def __str__(self) -> str:
        """Return the sentence for the reader, in the language now active."""
        return str(self.message) % self.parameters if self.parameters else str(self.message)


def naming() -> frozenset[str]:
    """Return the codes of the refusals whose sentences name something; why a post does not include an act names nothing."""
    waiting, codes = [Refusal], set()
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if _is_naming(kind):
            codes.add(kind.code)
    return frozenset(codes)


@cache
def _is_naming(kind: type[Refusal]) -> bool:
    return "%(" in str(kind.message) and kind is not Forbidden


class Hidden(Refusal):
    """ACC-001: does not exist, or exists and must not be shown: the same answer for both."""

    code = "ACC-001"
    message = _("There is nothing at this address.")

    def __init__(self, *, object_type: str = "record", object_id: str = "") -> None:
        """Remember what was asked for; the reader is never told."""
        super().__init__()
        self.object_type = object_type
        self.object_id = object_id


class Forbidden(Refusal):
    """ACC-002: the person may see this, but not do that. `reason` says why in a sentence."""

    code = "ACC-002"
    message = _("You may not do this: %(reason)s.")

    def __init__(self, *, reason: str | Promise, object_type: str = "", object_id: str = "") -> None:
        """Keep the reason, and what it was about for the log."""
        super().__init__(reason=reason)
        self.object_type = object_type
        self.object_id = object_id
