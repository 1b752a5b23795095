"""One entry of the log in a reader's words: what the pages show and what leaves the house says the same.

Words of people about what lies above the reader's clearance are withheld here, and nowhere
else: what was searched, how a file is named, why something was done. That it was done, by
whom, when and to which dispatch never is. Reads entries, never writes.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.models import AuditDetail, AuditEntry
from archive.rules import action_words, detail_words, door_words, errors, written
from archive.rules.levels import LEVEL_LABELS, Level
from archive.rules.roles import Action

# The words of these may tell of all that the asker may see.
ASKING: Final = frozenset({Action.SEARCH_RUN, Action.SEARCH_EXPORT})
TELLING: Final = frozenset(  # details in people's own words
    {
        "text", "filters", "name", "reason", "answer", "holder", "place", "signed_by", "authority", "decision",
        "recipients",
    }
)  # fmt: skip
OUTCOMES: Final = {"ok": _("done"), "denied": _("refused"), "error": _("failed")}
MACHINE: Final = _("the machine")
NO_PERSON: Final = -1
FOREIGN: Final = _("nobody: no program of this office wrote this row")
# A row of a signed export; the checker compares all but the last two with the entry's bytes.
COLUMNS: Final = {
    "index": _("Entry"),
    "at": _("When"),
    "person": _("Who"),
    "roles": _("Posts"),
    "address": _("From where"),
    "action": _("Act (code)"),
    "act": _("Act"),
    "object": _("Kind of thing"),
    "number": _("Number or key"),
    "level": _("Level then"),
    "outcome": _("Outcome"),
    "reason": _("Reason"),
    "details": _("Details (as kept)"),
    "said": _("Details in words"),
    "why": _("Why it stands out"),
}


def place_of(entry: AuditEntry) -> int | None:
    """Return the entry's place; None in the moments before the sequencer has given it one."""
    leaf = getattr(entry, "leaf", None)
    return leaf.idx if leaf else None


def line_of(entry: AuditEntry, cleared: Level) -> dict[str, Any]:
    """Return one entry as the screen and the exports show it to a reader cleared to a level: only what stands in the log.

    The reason of a refusal is its code, which tells nothing; of an act it is in people's words. The sentence of a
    refusal may name what its asker may see and the log's reader not: a file, another dispatch, a mark. A row that no
    program wrote is shown as such, and may tell of anything.
    """
    told = written.said(bytes(entry.body))
    body, level = told or _foreign(entry), Level(entry.level) if entry.level in list(Level) else max(Level)
    reason, details = body["reason"], _details(entry)
    answers = entry.outcome == "denied" and str(details.get("code")) in errors.naming()
    is_wide = told is None or answers or entry.action in ASKING
    needed = max(level, body["actor"]["clearance"] if is_wide else 0)
    words = bool(reason and entry.outcome == "ok")
    hides_reason = words and needed > cleared
    if needed > cleared and (hides_reason or TELLING & set(details)):
        details = {name: value for name, value in details.items() if name not in TELLING}
        details |= {"withheld": Level(needed).slug}
    return {
        "index": place_of(entry),
        "at": entry.ts,
        "person": body["actor"]["name"],
        "person_id": body["actor"]["id"],
        "is_machine": not body["actor"]["id"],
        "roles": body["actor"]["roles"],
        "address": body["src"]["ip"],
        "action": entry.action,
        "word": action_words.word(entry.action),
        "object": body["object"]["type"],
        "number": body["object"]["no"] or body["object"]["id"],
        "key": body["object"]["id"],
        "level": level,
        "is_foreign": told is None,
        "outcome": entry.outcome,
        "reason": "" if hides_reason else reason,
        "hides_reason": hides_reason,
        "details": details,
        "tells": needed if words or TELLING & set(details) else 0,
    }


def _foreign(entry: AuditEntry) -> dict[str, Any]:
    """Return what is said of a row that no program wrote: nothing but what its columns claim it to be about."""
    return {
        "actor": {"id": NO_PERSON, "name": str(FOREIGN), "roles": "", "clearance": int(max(Level))},
        "src": {"ip": ""},
        "object": {"type": entry.object_type, "no": "", "id": entry.object_id},
        "reason": "",
    }


def _details(entry: AuditEntry) -> dict[str, Any]:
    detail = getattr(entry, "detail", None)
    return detail.payload if detail and isinstance(detail.payload, dict) else {}


@dataclass(frozen=True, slots=True)
class Line:
    """A row to read, and of what it is shown from: the entry's bytes unless words of them are withheld, and its details."""

    row: dict[str, Any]
    leaf: bytes
    body: bytes | None
    detail: AuditDetail | None
    level: int  # of the words that stand in it


def taken_out(entry: AuditEntry, cleared: Level, words: dict[str, Any], why: str = "") -> Line:
    """Return an entry as a row of an export under these words, with what proves it as far as the reader may have that."""
    line = line_of(entry, cleared)
    withheld = "withheld" in line["details"]
    row = {name: line.get(name, "") for name in COLUMNS} | {
        "at": timezone.localtime(entry.ts).isoformat(timespec="microseconds"),
        "person": words["machine"] if line["is_machine"] else line["person"],
        "act": words["act"].get(entry.action, entry.action),
        "level": words["level"][str(int(line["level"]))],
        "outcome": words["outcome"].get(entry.outcome, entry.outcome),
        "said": "; ".join(f"{name}: {value}" for name, value in detail_words.shown(line["details"])),
        "why": why,
    }
    return Line(
        row,
        bytes(entry.leaf_hash),
        None if line["hides_reason"] or line["is_foreign"] else bytes(entry.body),
        None if withheld else getattr(entry, "detail", None),
        line["tells"],
    )


def words_of_rows() -> dict[str, Any]:
    """Return the words that rows use for codes, in the language now active: the checker reads them from the manifest."""
    return {
        "machine": str(MACHINE),
        "act": {
            act: action_words.word(act) for act in (*map(str, action_words.WORDS), *door_words.ACTS, *door_words.PAGES)
        },
        "level": {str(int(level)): str(label) for level, label in LEVEL_LABELS.items()},
        "outcome": {outcome: str(word) for outcome, word in OUTCOMES.items()},
    }
