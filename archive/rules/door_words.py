"""What the door is called at which somebody was refused: the log keeps its address's name, which tells a reader nothing.

An address for one act has the act's words. A page of several is named as a page: which of them was tried the log does
not say, so no act is named. `config/tests/test_door_words.py` holds that every address has words.
"""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from archive.rules.roles import Action

ACTS: Final[dict[str, Action]] = {
    "api.token": Action.SIGN_IN_FAILED,
    "session.prove": Action.PROOF_FAILED,
    "archive:attached": Action.RECORD_ATTACHED,
    "archive:code-reset": Action.CODE_RESET,
    "archive:copy-end": Action.COPY_END,
    "archive:dossier-close": Action.DOSSIER_CLOSE,
    "archive:dossier-new": Action.DOSSIER_OPEN,
    "archive:dossier-print": Action.DOSSIER_PRINT,
    "archive:file-void": Action.RECORD_DETACH,
    "archive:grant-end": Action.GRANT_END,
    "archive:hold-lift": Action.HOLD_LIFT,
    "archive:log-drop": Action.LOG_KEEP,
    "archive:log-export": Action.LOG_EXPORT,
    "archive:log-keep": Action.LOG_KEEP,
    "archive:log-unusual-export": Action.LOG_EXPORT,
    "archive:log-who-export": Action.LOG_EXPORT,
    "archive:number-void": Action.NUMBER_VOID,
    "archive:original": Action.RECORD_ORIGINAL,
    "archive:page-image": Action.RECORD_PAGE,
    "archive:page-thumb": Action.RECORD_PAGE,
    "archive:password": Action.PASSWORD,
    "archive:record-file": Action.DOSSIER_FILE,
    "archive:record-forward": Action.STEP_FORWARD,
    "archive:record-print": Action.RECORD_PRINT,
    "archive:register-confirm": Action.REGISTER_CONFIRM,
    "archive:register-print": Action.REGISTER_PRINT,
    "archive:register-return": Action.RECORD_RETURN,
    "archive:restore-seen": Action.RESTORE_SEEN,
    "archive:second-factor": Action.CODE_ENROL,
    "archive:second-factor-remove": Action.CODE_REMOVE,
    "archive:session-end": Action.SESSION_END,
    "archive:sign-out": Action.SIGN_OUT,
    "archive:step-answer": Action.STEP_ANSWER,
    "archive:step-approve": Action.STEP_APPROVE,
    "archive:step-direct": Action.STEP_DIRECT,
    "archive:step-end": Action.STEP_END,
    "archive:step-receive": Action.STEP_RECEIVE,
    "archive:step-return": Action.STEP_RETURN,
    "archive:why": Action.RECORD_WHY,
    "ingest:add-file": Action.RECORD_ATTACH,
    "ingest:dismiss": Action.SCAN_DISMISS,
    "ingest:retry": Action.SCAN_RETRY,
    "ingest:retry-failed": Action.SCAN_RETRY,
    "ingest:upload": Action.SCAN_UPLOAD,
    "search:export": Action.SEARCH_EXPORT,
}
_SIGN_IN: Final = _("Sign in")
_SEARCH: Final = _("Search")
_SAVED: Final = _("Saved queries")
_INTAKE: Final = _("Intake, scanning")
_ROUTE: Final = _("Route")
_CLEARANCES: Final = _("Clearances")
_DOSSIERS: Final = _("Dossiers")
_LOG: Final = _("Log")
_MARKS: Final = _("Compartment marks")
_PAPERS: Final = _("On paper alone")
_PEOPLE: Final = _("People")
_PLAN: Final = _("File plan and retention")
_POSTS: Final = _("Posts and scopes")
_REGISTER: Final = _("Register")
_REGISTERS: Final = _("Registers")
_SHELVES: Final = _("Registers of the units")
_DISPATCH: Final = _("Dispatch")
_LEVELS: Final = _("Secrecy levels")
_UNITS: Final = _("Units")
PAGES: Final[dict[str, Promise]] = {
    "archive:account": _("My account"),
    "archive:clearance": _CLEARANCES,
    "archive:clearances": _CLEARANCES,
    "archive:copies": _DISPATCH,
    "archive:dossier": _DOSSIERS,
    "archive:dossiers": _DOSSIERS,
    "archive:dossiers-unfiled": _("Not filed yet"),
    "archive:due": _("Due list"),
    "archive:grants": _("Opened by name"),
    "archive:holder": _POSTS,
    "archive:holds": _("Holds"),
    "archive:holidays": _("Holidays and working days"),
    "archive:home": _("Desk"),
    "archive:levels": _LEVELS,
    "archive:log": _LOG,
    "archive:log-outside": _LOG,
    "archive:log-refused": _LOG,
    "archive:log-seen": _("Who saw what?"),
    "archive:log-unusual": _("What stands out"),
    "archive:log-who": _("Who saw it?"),
    "archive:marks": _MARKS,
    "archive:paper-new": _("Register a paper"),
    "archive:papers": _PAPERS,
    "archive:people": _PEOPLE,
    "archive:person": _PEOPLE,
    "archive:plan-line": _PLAN,
    "archive:plan-period": _PLAN,
    "archive:posts": _POSTS,
    "archive:protection": _("Protection periods"),
    "archive:provider-back": _SIGN_IN,
    "archive:record": _DISPATCH,
    "archive:record-level": _("Secrecy level"),
    "archive:record-marks": _MARKS,
    "archive:record-paper": _("The paper"),
    "archive:register": _REGISTER,
    "archive:register-book": _REGISTERS,
    "archive:register-draft": _REGISTER,
    "archive:registers": _REGISTERS,
    "archive:retention": _PLAN,
    "archive:sessions": _("Open sessions"),
    "archive:shelf": _SHELVES,
    "archive:shelves": _SHELVES,
    "archive:sign-in": _SIGN_IN,
    "archive:sign-in-code": _SIGN_IN,
    "archive:sign-in-provider": _SIGN_IN,
    "archive:step-assign": _ROUTE,
    "archive:step-rework": _ROUTE,
    "archive:step-take-back": _ROUTE,
    "archive:thread": _ROUTE,
    "archive:thread-card": _ROUTE,
    "archive:unit": _UNITS,
    "archive:units": _UNITS,
    "archive:ways": _("How people sign in"),
    "archive:work": _("My work"),
    "archive:work-unit": _("Work of my unit"),
    "config:status": _("Status"),
    "ingest:batch": _INTAKE,
    "ingest:desk": _INTAKE,
    "ingest:held": _INTAKE,
    "ingest:held-again": _INTAKE,
    "ingest:held-aside": _INTAKE,
    "ingest:held-join": _INTAKE,
    "ingest:held-page": _INTAKE,
    "ingest:held-part": _INTAKE,
    "ingest:joining": _INTAKE,
    "search:asked": _SEARCH,
    "search:build": _SEARCH,
    "search:change": _SAVED,
    "search:forget": _SAVED,
    "search:hints": _SEARCH,
    "search:meant": _SEARCH,
    "search:new": _SAVED,
    "search:notices": _SAVED,
    "search:open": _SEARCH,
    "search:run": _SAVED,
    "search:save": _SAVED,
    "search:saved": _SAVED,
    "search:search": _SEARCH,
    "search:similar": _SEARCH,
    "search:unshare": _SAVED,
    "search:watch": _SAVED,
    "set_language": _("Language"),
}


def page(door: str) -> str:
    """Return the words of a door that is no single act; of a program's interface and of a command with its name."""
    if door in PAGES:
        return gettext("On the page “%(page)s”") % {"page": PAGES[door]}
    kind, _colon, name = door.partition(":")
    if kind == "api":
        return gettext("Interface for programs: %(door)s") % {"door": name}
    if kind == "command":
        return gettext("Command %(door)s") % {"door": name}
    return door
