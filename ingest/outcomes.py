"""Every way a file can end, each with its own code and sentence.

A sentence says what happened and what to do next. Codes are stable: they stand in the
log, the API, the command's output and the text file beside a refused file.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ingest.models import ScanState


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a file ends: its state, and the sentence; `retry` when trying again can help."""

    state: ScanState
    sentence: str | Promise
    retry: bool = False


EMPTY: Final = "ING-001"
NOT_ACCEPTED: Final = "ING-002"
TOO_LARGE: Final = "ING-003"
DISK_FULL: Final = "ING-004"
ABOVE_CEILING: Final = "ING-005"
BROKEN: Final = "ING-006"
TOO_MANY_PAGES: Final = "ING-007"
TOO_MANY_PIXELS: Final = "ING-008"
TWO_FACED: Final = "ING-009"
DUPLICATE: Final = "ING-010"
DISMISSED: Final = "ING-011"
TOO_HEAVY: Final = "ING-012"
ENCRYPTED: Final = "ING-013"
HARD_TO_READ: Final = "ING-014"
POSSIBLE_STAMP: Final = "ING-015"
RAISED: Final = "ING-016"
QUARANTINED: Final = "ING-017"
HIDDEN_TEXT: Final = "ING-018"
PARTLY_READ: Final = "ING-019"
FAILED: Final = "ING-020"
NOT_A_FILE: Final = "ING-021"
LEVEL_NOT_YOURS: Final = "ING-022"
LEFT_BEHIND: Final = "ING-024"
STORE_AWAY: Final = "ING-025"
STORE_AWAITED: Final = "ING-026"
HELD_SURE: Final = "ING-027"
HELD_DOUBT: Final = "ING-028"
HELD_CLOSED: Final = "ING-029"
HELD: Final = (HELD_SURE, HELD_DOUBT, HELD_CLOSED)  # of a file that was to join a record

_REFUSED, _ATTENTION = ScanState.REFUSED, ScanState.ATTENTION
_WAITING = ScanState.WAITING

OUTCOMES: Final[dict[str, Outcome]] = {
    EMPTY: Outcome(_REFUSED, _("The file is empty (0 bytes). Scan the paper again or ask the sender for the file.")),
    NOT_ACCEPTED: Outcome(
        _REFUSED,
        _(
            "This is %(type)s by its content, whatever its name says. PDF, TIFF (several pages), JPEG and PNG are "
            "accepted: print it to PDF or scan the paper, then hand it in again."
        ),
    ),
    TOO_LARGE: Outcome(
        _REFUSED, _("The file is larger than %(limit)s. Split it, or scan at 200 dpi, then hand the parts in.")
    ),
    DISK_FULL: Outcome(
        _REFUSED,
        _("The store has no room left, so nothing was taken in. Tell the administrator, then hand it in again."),
    ),
    STORE_AWAY: Outcome(
        _REFUSED,
        _(
            "The place where files are kept does not answer, so nothing was taken in. Hand it in again in a few minutes."
        ),
    ),
    STORE_AWAITED: Outcome(
        _WAITING,
        _(
            "Taken in and safe. It is read as soon as the place where files are kept answers again and has room; nothing "
            "needs to be done here."
        ),
    ),
    ABOVE_CEILING: Outcome(
        _REFUSED,
        _(
            "This installation may hold content up to %(ceiling)s only (state-secrets law 117/2025/QH15). Keep the paper "
            "as the secrets rules say and register it in the paper book."
        ),
    ),
    LEVEL_NOT_YOURS: Outcome(
        _REFUSED,
        _("You are cleared up to %(clearance)s. Hand the paper to somebody who is cleared for its level."),
    ),
    BROKEN: Outcome(
        _REFUSED,
        _("The file is damaged: no page of it can be opened. Ask the sender for a new copy or scan the paper."),
    ),
    TOO_MANY_PAGES: Outcome(
        _REFUSED,
        _("The file has %(pages)s pages; at most %(limit)s are taken in at once. Split it and hand the parts in."),
    ),
    TOO_MANY_PIXELS: Outcome(
        _REFUSED, _("A page of this file is too large a picture. Scan it at 200 to 300 dpi and hand it in again.")
    ),
    TWO_FACED: Outcome(
        _REFUSED,
        _("The file poses as two formats at once. Open it, print it to a clean PDF, and hand that in."),
    ),
    NOT_A_FILE: Outcome(
        _REFUSED, _("This is not an ordinary file (a link, a pipe or a device). Copy the file itself into the folder.")
    ),
    LEFT_BEHIND: Outcome(
        _REFUSED,
        _(
            "A power cut or a crash lost what was known of this file. Put it back into the folder of its level to hand "
            "it in again."
        ),
    ),
    DUPLICATE: Outcome(
        _ATTENTION,
        _(
            "The same bytes were handed in before as “%(name)s” on %(day)s. Compare the two; take this one in only if it is needed."
        ),
    ),
    DISMISSED: Outcome(_REFUSED, _("Put aside by %(person)s: %(reason)s")),
    TOO_HEAVY: Outcome(
        _ATTENTION,
        _(
            "Reading it needs more time or memory than a dispatch ever should. The original is kept; print it and scan the paper."
        ),
    ),
    ENCRYPTED: Outcome(
        _ATTENTION,
        _("The file has a password. The original is kept as it is; remove the password and hand the open copy in."),
    ),
    HARD_TO_READ: Outcome(
        _ATTENTION,
        _("The picture is poor (%(confidence)s %% read). Scan again at 200 dpi or more, or type the fields by hand."),
    ),
    POSSIBLE_STAMP: Outcome(
        _ATTENTION,
        _(
            "There may be a secrecy stamp on page %(page)s (up to %(level)s). Look at the paper and confirm its level when registering."
        ),
    ),
    RAISED: Outcome(
        _ATTENTION,
        _(
            "A %(level)s sign was seen on page %(page)s; %(declared)s was declared. The level has been raised; confirm it when registering."
        ),
    ),
    QUARANTINED: Outcome(
        _ATTENTION,
        _(
            "A %(level)s sign was seen; this installation may hold %(ceiling)s at most. The file is sealed and shown to "
            "nobody. Keep the paper as the secrets rules say and tell the security officer."
        ),
    ),
    HIDDEN_TEXT: Outcome(
        _ATTENTION,
        _(
            "The text inside the file differs from what its pages show (page %(page)s). Trust the page; check the fields."
        ),
    ),
    PARTLY_READ: Outcome(
        _ATTENTION,
        _(
            "%(failed)s of %(pages)s pages could not be read. The original is kept; look at the pages and type the fields."
        ),
    ),
    HELD_SURE: Outcome(
        _ATTENTION,
        _(
            "A %(level)s sign was seen on page %(page)s; the dispatch is %(record)s. The file is sealed at its own level and "
            "is no part of the dispatch: raise the dispatch first, make a dispatch of its own of the file, or put it aside."
        ),
    ),
    HELD_DOUBT: Outcome(
        _ATTENTION,
        _(
            "There may be a secrecy stamp on page %(page)s (up to %(level)s); the dispatch is %(record)s. The file is sealed "
            "at the higher level and joins the dispatch only when a person has looked at it."
        ),
    ),
    HELD_CLOSED: Outcome(
        _ATTENTION,
        _(
            "When this file had been read, the dispatch did not take it any more. Make a dispatch of its own of it, or "
            "put it aside."
        ),
    ),
    FAILED: Outcome(
        _ATTENTION,
        _(
            "Reading failed %(times)s times (%(why)s). The original is kept. Try again; if it fails once more, scan the paper."
        ),
        retry=True,
    ),
}


def sentence(code: str, parameters: dict[str, Any]) -> str:
    """Return the sentence of a code in the reader's language; empty for no code."""
    outcome = OUTCOMES.get(code)
    if outcome is None:
        return ""
    return str(outcome.sentence) % _Parameters({name: _shown(value) for name, value in parameters.items()})


class _Parameters(dict[str, Any]):
    """What fills a sentence; a row that lacks a value must not take its whole batch page down."""

    def __missing__(self, name: str) -> str:
        return "…"


def _shown(value: Any) -> Any:
    """Return level slugs as the reader's word; everything else as it is."""
    from archive.rules.levels import LEVEL_LABELS, Level

    try:
        return LEVEL_LABELS[Level.parse(value)]
    except (KeyError, TypeError):
        return value


CHANGED: Final = _("Someone else has dealt with this file in the meantime. Open the batch again.")
