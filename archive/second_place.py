"""The second place of signed heads: a folder on another medium, with a marker that says whose it is.

An empty mount point takes files like the medium that belongs there, and nobody would miss
them before the day they are needed. So the place bears a marker with the key of this log. It
is written when the log is new, or where heads of this log lie already; afterwards a place
without it takes nothing, and heads wait until it is back or until the security officer takes
another one into use (`archive.placing`). Knows files, never an entry.
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from archive.tiles import write_file
from archive.verifier import verify

MARKER: Final = "vankho-log"


class NotThere(OSError):  # noqa: N818 - named for what is so, as refusals are
    """The second place is not the one that heads of this log are published to; they wait."""


class State(StrEnum):
    """What lies at the second place."""

    UNSET = "unset"
    READY = "ready"  # the marker of this log
    UNMARKED = "unmarked"  # heads of this log, from before there were markers
    EMPTY = "empty"  # nothing of any log: new, not mounted, or another medium
    FOREIGN = "foreign"  # marker or heads of another log


def state(key: str) -> State:
    """Return what lies at the second place, for the log of this public key (NAME+HASH+KEY). Raises OSError."""
    if not settings.LOG_SECOND_PLACE:
        return State.UNSET
    place = Path(settings.LOG_SECOND_PLACE)
    try:
        marker = (place / MARKER).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return _unmarked(place, key)
    return State.READY if marker.strip() == key else State.FOREIGN


def _unmarked(place: Path, key: str) -> State:
    heads = sorted(place.glob("checkpoint-*"))
    if not heads:
        return State.EMPTY
    try:
        verify.open_note(heads[-1].read_bytes(), key)
    except verify.Tampered:
        return State.FOREIGN
    return State.UNMARKED


def require(key: str, *, known: Path, is_new: Callable[[], bool]) -> None:
    """Return in silence if heads may be put into the second place, marking it the first time.

    Args:
        key: the public key of the log.
        known: where this machine remembers that it has seen the marker.
        is_new: whether the log is so young that nothing may have been published to the place yet.

    Raises:
        NotThere: with what to do.
    """
    found = state(key)
    if found is State.FOREIGN or (found is State.EMPTY and (known.exists() or not is_new())):
        raise NotThere(words(found))
    if found is not State.READY:
        mark(key)
    if not known.exists():
        write_file(known, f"{key}\n".encode())


def mark(key: str) -> None:
    """Write the marker of this log into the place. Raises OSError."""
    write_file(Path(settings.LOG_SECOND_PLACE) / MARKER, f"{key}\n".encode())


def words(found: State) -> str:
    """Return what is wrong with a place and what to do, "" for nothing."""
    told = {"place": settings.LOG_SECOND_PLACE}
    if found is State.EMPTY:
        return (
            _(
                "The second place of signed heads, %(place)s, lacks the marker of this log: its medium is not mounted, or it "
                "is another one. Heads wait here. Mount it; a new medium is taken into use by the security officer: manage.py "
                "log_place --take --as OFFICER --reason DECISION"
            )
            % told
        )
    if found is State.FOREIGN:
        return (
            _(
                "The second place of signed heads, %(place)s, bears the heads of another log. Heads wait here. Mount the right "
                "medium, or name a folder of its own in VANKHO_LOG_SECOND_PLACE."
            )
            % told
        )
    return ""
