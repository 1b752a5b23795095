"""Words for the details of an entry: what stands under an act in the log, in the reader's language.

The log itself keeps its own short names; only the screen says them. A name without a
word is shown as it is: an auditor must never be shown less than what was kept, but for
words above their clearance, and then they are told so (`archive.views.control.log.line_of`).
"""

import re
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive.rules import action_words
from archive.rules.levels import LEVEL_LABELS, Level
from archive.rules.roles import ROLE_LABELS

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_RECEIVER: Final = re.compile(r"(unit|person) (\d+)")
_RECEIVERS: Final = {"unit": _("unit no. %(number)s"), "person": _("person no. %(number)s")}
_STEPS_GIVEN: Final = _("given")
WORDS: Final[dict[str, Promise]] = {
    "addresses": _("addresses"),
    "authenticator": _("authenticator taken off"),
    "alert": _("told of news"),
    "answer": _("answer"),
    "authority": _("decided by"),
    "backup": _("backup"),
    "basis": _("basis"),
    "batches": _("batches"),
    "book": _("kind of register"),
    "by": _("by whom"),
    "change": _("change"),
    "changed": _("changed settings"),
    "clearance": _("clearance no."),
    "closed": _("registers closed"),
    "code": _("code"),
    "columns": _("columns"),
    "compared": _("records compared"),
    "records": _("records indexed"),
    "contents": _("contents list"),
    "copy": _("copy no."),
    "count": _("lines shown"),
    "damaged": _("damaged files"),
    "day": _("day"),
    "days": _("days"),
    "decided_on": _("day of the decision"),
    "decision": _("decision"),
    "desk": _("at the desk"),
    "dossier": _("dossier"),
    "dropped": _("dropped"),
    "destroyed": _("files destroyed"),
    "due": _("deadline"),
    "ended_on": _("work ended"),
    "fate": _("what became of it"),
    "filters": _("filters"),
    "failed": _("what failed"),
    "differing": _("records that differed"),
    "unreadable": _("texts that cannot be read"),
    "misplaced": _("in the index of another level"),
    "mended": _("mended"),
    "file": _("attached file no."),
    "first": _("from number"),
    "flags": _("marks of the file"),
    "form": _("form"),
    "given": _("opening no."),
    "gone": _("taken away"),
    "halves": _("marks of the new key files"),
    "head": _("head of the office"),
    "holder": _("who keeps the paper"),
    "home": _("on the start page"),
    "late": _("later than the law asks"),
    "kept": _("last number in the archive"),
    "kind": _("kind"),
    "last": _("to number"),
    "level": _("level"),
    "level_keys": _("level keys"),
    "levels": _("of each level"),
    "left_out": _("lines left out: their period ended"),
    "lines": _("lines"),
    "list": _("list"),
    "listed": _("books listed"),
    "lost": _("entries lost"),
    "made": _("made"),
    "manifest": _("manifest"),
    "marks": _("compartment marks"),
    "missing": _("missing files"),
    "name": _("name"),
    "number": _("number"),
    "number_void": _("its number was voided"),
    "notice": _("notice no."),
    "old": _("level before"),
    "objects": _("stored files"),
    "officers": _("other security officers"),
    "on": _("covers"),
    "page": _("page"),
    "pages": _("pages"),
    "paper_only": _("on paper alone"),
    "part": _("part"),
    "period": _("retention period"),
    "passed": _("passed"),
    "place": _("where it lies"),
    "present": _("present at the machine"),
    "process": _("process"),
    "proposal": _("proposal no."),
    "protects": _("years of protection"),
    "extend_days": _("days before the end to extend"),
    "notice_days": _("days to tell the holders"),
    "proposed_by": _("proposed by"),
    "reason": _("reason"),
    "review": _("next review"),
    "record": _("dispatch"),
    "register": _("register"),
    "salt": _("salt of the secret settings"),
    "sealed_anew": _("files sealed anew, before and now"),
    "trailing_count": _("files that do not go with their rows"),
    "trailing": _("files that their rows do not follow since they were sealed anew"),
    "false_count": _("entries of the log that have another hash"),
    "false_entries": _("places of the log whose entry has another hash"),
    "seconds": _("seconds"),
    "settings": _("all settings"),
    "reply": _("reply"),
    "sha256": _("SHA-256"),
    "shredded": _("files without a key"),
    "size": _("entries in the log"),
    "shown": _("lines shown"),
    "signed_by": _("who signed for it"),
    "site_keys": _("marks of the key files"),
    "similar": _("similar ones shown"),
    "state": _("state"),
    "step": _("line of the thread"),
    "steps": _("lines of the thread"),
    "taken": _("taken at"),
    "text": _("asked"),
    "recipients": _("recipients"),
    "on_page": _("dispatches shown"),
    "to": _("to whom"),
    "office": _("office"),
    "statement": _("statement"),
    "old_place": _("from"),
    "new_place": _("to the place"),
    "copied": _("files copied"),
    "role": _("shared with"),
    "rows": _("rows of all tables"),
    "unusual": _("what stands out"),
    "seen": _("what a person saw"),
    "verified": _("files verified"),
    "faults": _("files at fault"),
    "removed": _("files removed"),
    "repaired": _("files repaired"),
    "total": _("found"),
    "offered": _("words offered"),
    "unfiled": _("not filed yet"),
    "until": _("until"),
    "volume": _("volume"),
    "who": _("who saw it"),
    "withdrawn": _("given up"),
    "year": _("year"),
    "years": _("years ahead"),
    "worked": _("worked instead"),
    "withheld": _("words withheld, clearance needed"),
    "group": _("group of marks"),
    "rule": _("rule of the group"),
    "keeps_level": _("the mark keeps the level"),
    "left": _("recovery codes left"),
    "taken_back": _("lines taken back"),
    "ended": _("lines ended"),
    "details": _("with the details"),
    "channel": _("way in"),
    "shared_with": _("shared with"),
    "declaration": _("declaration"),
    "key": _("key"),
    "signature": _("signature"),
    "limit": _("limit of the session"),
    "founded": _("founded as"),
    "people": _("people"),
    "way": _("signs in by"),
    "away": _("a sign-in server was away"),
    "before": _("before"),
    "now": _("now"),
    "outside_id": _("lasting name there"),
    "session": _("session"),
    "ip": _("address"),
    "agent": _("browser"),
    "post": _("post"),
    "since": _("from the time"),
    "instead_of": _("in the place of"),
    "delegations": _("delegations ended with it"),
    "unit": _("unit"),
    "units": _("units moved"),
    "under": _("under"),
    "terms_ended": _("posts and scopes ended"),
    "tokens_ended": _("tokens ended"),
    "steps_left": _("steps still in hand"),
    "hashed": _("password hashed"),
}
_WAYS: Final[dict[str, str | Promise]] = {
    "password": _("a password of this system"),
    "ldap": _("the office's directory (LDAP)"),
    "oidc": _("the office's sign-in server (OpenID Connect)"),
    "unknown": _("unknown name"),
}
VALUES: Final[dict[str, Promise]] = {
    "True": _("yes"),
    "False": _("no"),
}
# Short names that mean something only in their own detail.
OWN_VALUES: Final[dict[str, dict[str, str | Promise]]] = {
    "level": {level.slug: LEVEL_LABELS[level] for level in Level},
    "old": {level.slug: LEVEL_LABELS[level] for level in Level},
    "change": {
        "raise": _("Raised"),
        "lower": _("Lowered"),
        "declassify": _("Declassified"),
    },
    "role": {role.name.lower(): ROLE_LABELS[role] for role in ROLE_LABELS},
    "post": {role.name.lower(): ROLE_LABELS[role] for role in ROLE_LABELS},
    "process": {"serve": _("web and worker"), "work": _("worker"), "gunicorn": _("web server")},
    "hashed": {"anew": _("anew by the rules of today")},
    "fate": {"returned": _("Given back"), "destroyed": _("Destroyed")},
    "withheld": {level.slug: LEVEL_LABELS[level] for level in Level},
    "list": {
        "marks": _("compartment marks"),
        "grants": _("openings to people"),
        "direct": _("waiting for direction"),
        "papers": _("on paper alone"),
        "filing": _("dossiers to file into"),
        "replies": _("dispatches that may reply"),
        "facets": _("dossiers named beside hits"),
        "submit": _("to submit"),
        "mine": _("my work"),
        "unit": _("work of my unit"),
        "ends": _("End of protection"),
        "proposals": _("Waiting for confirmation"),
        "notices": _("Holders to be told"),
        "valid": _("In force"),
        "soon": _("Ending within 30 days"),
        "over": _("Ended or revoked"),
        "all": _("All"),
        "open": _("open"),
        "closed": _("closed"),
        "units": _("Units"),
        "holding": _("With a post"),
        "none": _("Without a post"),
    },
    "part": {
        "thread": _("the thread"),
        "card": _("route card"),
        "forward": _("forwarding"),
        "contents": _("contents list"),
        "filing": _("dossiers to file into"),
        "hints": _("suggestions while typing"),
        "meant": _("what may have been meant"),
        "kept": _("kept queries"),
        "bell": _("what is new, in the bell"),
    },
    "form": {
        "image": _("page image"),
        "thumb": _("small image"),
        "print": _("print"),
        "copy": _("paper copy"),
        "csv": "CSV",
        "json": "JSON",
        "pdf": "PDF",
        "xlsx": "XLSX",
    },
    "state": {
        "open": _("open"),
        "closed": _("closed"),
        "all": _("All"),
        "confirmed": _("Confirmed"),
        "refused": _("Refused"),
        "withdrawn": _("Withdrawn"),
    },
    "book": {
        "incoming": _("Incoming register"),
        "outgoing": _("Outgoing register"),
        "secret_incoming": _("Incoming register of state secrets"),
        "secret_outgoing": _("Outgoing register of state secrets"),
    },
    "limit": {"idle": _("left alone for too long"), "longest": _("open for too long")},
    "rule": {"all": _("all of them"), "any": _("any of them")},
    "kind": {
        "direct": _("to direct"),
        "lead": _("to lead"),
        "cooperate": _("to cooperate"),
        "inform": _("to know"),
    },
    "founded": {"evaluation": _("sample office"), "production": _("office of its own")},
    "way": _WAYS,
    "before": _WAYS,
    "now": _WAYS,
}
# What a filter of the log asks, by the name of its field, in the words of the form.
ASKED: Final[dict[str, Promise]] = {
    "person": _("Person"),
    "record": _("Dispatch"),
    "action": _("Act"),
    "unit": _("Unit"),
    "level": _("Level"),
    "hours": _("Hours"),
    "outcome": _("Outcome"),
    "since": _("From"),
    "until": _("To"),
    "before": _("before entry"),
}
ASKED_VALUES: Final[dict[str, dict[str, str | Promise]]] = {
    "action": {**action_words.WORDS, action_words.SEEN: action_words.SEEN_WORD},
    "outcome": {"ok": _("done"), "denied": _("refused"), "error": _("failed")},
    "hours": {"outside": _("out of hours")},
    "level": {str(int(level)): LEVEL_LABELS[level] for level in Level},
}


def shown(details: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the details worth a reader's eye as (word, value); empty ones say nothing."""
    return [
        (_word(name, value), _own(name, value) or _value(value))
        for name, value in details.items()
        if value not in ("", {}, [], None)
    ]


def _word(name: str, value: Any) -> str:
    """Return the word of a detail: "given" names an opening by its number, or lists the steps that were given."""
    return str(_STEPS_GIVEN if name == "given" and isinstance(value, list) else WORDS.get(name, name))


def _own(name: str, value: Any) -> str:
    """Return a value in the words of its own detail, "" if it has none."""
    if name == "levels" and isinstance(value, dict):
        return ", ".join(f"{_asked('level', level)} {value[level]}" for level in sorted(value, reverse=True))
    if name == "filters" and isinstance(value, dict):
        return ", ".join(f"{ASKED.get(key, key)}: {_asked(key, each)}" for key, each in value.items() if each)
    return str(OWN_VALUES.get(name, {}).get(str(value), ""))


def _asked(name: str, value: Any) -> str:
    return str(ASKED_VALUES.get(name, {}).get(str(value), "")) or _value(value)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{word}: {inner}" for word, inner in shown(value))
    if isinstance(value, (list, tuple)):
        between = "; " if any(isinstance(inner, dict) for inner in value) else ", "
        return between.join(_value(inner) for inner in value)
    if isinstance(value, str) and (receiver := _RECEIVER.fullmatch(value)):
        return str(_RECEIVERS[receiver[1]]) % {"number": receiver[2]}
    if isinstance(value, str) and _DAY.fullmatch(value):
        return f"{value[8:]}/{value[5:7]}/{value[:4]}"
    return str(VALUES.get(str(value), value))
