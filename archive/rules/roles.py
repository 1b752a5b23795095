"""Who may do which kind of act: roles, acts and the table between them.

A capability is necessary, never sufficient: a record must also be within the
person's clearance and need-to-know (`archive.access`). The administrator runs the
machine and has no door to a record; the auditor reads the log and nothing else.
"""

from enum import IntEnum, StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Role(IntEnum):
    """The posts of the office as the system knows them."""

    CLERK = 1
    LEADER = 2
    STAFF = 3
    ARCHIVIST = 4
    AUDITOR = 5
    SECURITY = 6
    ADMIN = 7

    @property
    def label(self) -> str | Promise:
        """The word a person reads."""
        return ROLE_LABELS[self]


ROLE_LABELS: Final = {
    Role.CLERK: _("Clerk"),
    Role.LEADER: _("Leader"),
    Role.STAFF: _("Staff"),
    Role.ARCHIVIST: _("Archivist"),
    Role.AUDITOR: _("Auditor"),
    Role.SECURITY: _("Security officer"),
    Role.ADMIN: _("Administrator"),
}


class Action(StrEnum):
    """Every act that the log can hold; the dotted name is what stands in an entry."""

    SIGN_IN = "session.sign_in"
    SIGN_IN_FAILED = "session.sign_in_failed"
    SIGN_OUT = "session.sign_out"
    SESSION_END = "session.end"
    SESSION_LIST = "session.list"
    PASSWORD = "session.password"  # noqa: S105 - the name of an act
    PROVED = "session.proved"
    PROOF_FAILED = "session.proof_failed"
    CODE_ENROL = "code.enrol"
    CODE_FAILED = "code.failed"
    CODE_USED = "code.used"
    CODE_RECOVERY = "code.recovery"
    CODE_REMOVE = "code.remove"
    CODE_RESET = "code.reset"
    CODE_RESEAL = "code.reseal"
    START = "system.start"
    STOP = "system.stop"
    SETTINGS = "system.settings"
    DECLARE = "system.declare"
    SYSTEM_READ = "system.read"
    BACKUP = "system.backup"
    RESTORE = "system.restore"
    RESTORE_SEEN = "system.restore_seen"
    DRILL = "system.drill"
    SCRUB = "system.scrub"
    REPAIR = "system.repair"
    STORE_MOVE = "system.store_move"
    STORE_PREPARE = "system.store_prepare"
    INDEX_CHECK = "system.index_check"
    INDEX_REBUILD = "system.index_rebuild"
    DATABASE_MOVE = "system.database_move"

    SCAN_UPLOAD = "scan.upload"
    SCAN_READ = "scan.read"
    SCAN_RETRY = "scan.retry"
    SCAN_OUTCOME = "scan.outcome"
    SCAN_DISMISS = "scan.dismiss"
    SCAN_APART = "scan.apart"

    RECORD_CAPTURE = "record.capture"
    RECORD_REGISTER = "record.register"
    RECORD_CORRECT = "record.correct"
    RECORD_RETURN = "record.return"
    RECORD_ATTACH = "record.attach"
    RECORD_ATTACHED = "record.attached"
    RECORD_DETACH = "record.detach"
    RECORD_RESEAL = "record.reseal"
    PAPER_MOVE = "paper.move"
    PAPER_END = "paper.end"
    RECORD_READ = "record.read"
    RECORD_LIST = "record.list"
    RECORD_PAGE = "record.page"
    RECORD_TEXT = "record.text"
    RECORD_ORIGINAL = "record.original"
    RECORD_PRINT = "record.print"
    RECORD_WHY = "record.why"
    COPY_END = "copy.end"
    RECORD_LEVEL = "record.level"
    RECORD_MARK = "record.mark"
    LEVEL_PROPOSE = "level.propose"
    LEVEL_CLOSE = "level.close"
    LEVEL_EXTEND = "level.extend"
    LEVEL_REVIEW = "level.review"
    LEVEL_NOTICE = "level.notice"
    LEVEL_READ = "level.read"
    NUMBER_VOID = "register.void"
    REGISTER_READ = "register.read"
    REGISTER_PRINT = "register.print"
    REGISTER_CONFIRM = "register.confirm"

    STEP_FORWARD = "step.forward"
    STEP_DIRECT = "step.direct"
    STEP_RECEIVE = "step.receive"
    STEP_ANSWER = "step.answer"
    STEP_RETURN = "step.return"
    STEP_APPROVE = "step.approve"
    STEP_END = "step.end"
    WORK_READ = "work.read"

    DOSSIER_READ = "dossier.read"
    DOSSIER_PRINT = "dossier.print"
    DOSSIER_OPEN = "dossier.open"
    DOSSIER_FILE = "dossier.file"
    DOSSIER_CLOSE = "dossier.close"
    DUE_READ = "retention.due_read"
    PLAN_READ = "plan.read"
    PLAN_BEGIN = "plan.begin"
    PLAN_ADD = "plan.add"
    PLAN_CHANGE = "plan.change"
    PLAN_CLOSE = "plan.close"
    PERIOD_ADD = "period.add"
    PERIOD_CHANGE = "period.change"
    PERIOD_CLOSE = "period.close"
    PERIOD_WITHDRAW = "period.withdraw"
    BOOK_READ = "book.read"
    BOOK_OPEN = "book.open"
    BOOK_RENAME = "book.rename"
    BOOK_CLOSE = "book.close"
    BOOK_REOPEN = "book.reopen"
    DAY_READ = "day.read"
    DAY_ADD = "day.add"
    DAY_TAKE_BACK = "day.take_back"
    HOLD_PLACE = "hold.place"
    HOLD_LIFT = "hold.lift"
    HOLD_READ = "hold.read"

    SEARCH_RUN = "search.run"
    SEARCH_SAVE = "search.save"
    SEARCH_SHARE = "search.share"
    SEARCH_EXPORT = "search.export"

    LOG_READ = "log.read"
    LOG_EXPORT = "log.export"
    LOG_KEEP = "log.keep"
    LOG_FORGET = "log.forget"
    ROWS_ADOPT = "log.adopt"
    LOG_PLACE = "log.place"
    LOG_KEY = "log.key"
    KEYS_BEGIN = "keys.begin"
    KEYS_END = "keys.end"

    GRANT = "access.grant"
    GRANT_END = "access.grant_end"
    CLEARANCE_GIVE = "clearance.give"
    CLEARANCE_SHORTEN = "clearance.shorten"
    CLEARANCE_EXTEND = "clearance.extend"
    CLEARANCE_REVOKE = "clearance.revoke"
    CLEARANCE_READ = "clearance.read"
    MARK_ADD = "mark.add"
    PROTECTION_READ = "protection.read"
    PROTECTION_ADD = "protection.add"
    PROTECTION_WITHDRAW = "protection.withdraw"
    FOUND = "system.found"
    PERSON_READ = "person.read"
    PERSON_ADD = "person.add"
    PERSON_CHANGE = "person.change"
    PERSON_CLOSE = "person.close"
    PERSON_REOPEN = "person.reopen"
    FIRST_PASSWORD = "person.first_password"  # noqa: S105 - the name of an act
    READMIT = "person.readmit"
    TOKEN_GIVE = "token.give"  # noqa: S105 - the name of an act
    UNIT_ADD = "unit.add"
    UNIT_CHANGE = "unit.change"
    UNIT_CLOSE = "unit.close"
    UNIT_REOPEN = "unit.reopen"
    UNIT_MOVE = "unit.move"
    POST_READ = "post.read"
    POST_GIVE = "post.give"
    POST_END = "post.end"
    SCOPE_GIVE = "scope.give"
    SCOPE_END = "scope.end"


READING: Final = frozenset(
    {
        Action.RECORD_READ,
        Action.RECORD_LIST,
        Action.RECORD_PAGE,
        Action.RECORD_TEXT,
        Action.RECORD_ORIGINAL,
        Action.RECORD_PRINT,
        Action.SEARCH_RUN,
        Action.SEARCH_SAVE,
        Action.SEARCH_SHARE,
        Action.SEARCH_EXPORT,
        Action.DOSSIER_READ,
        Action.DOSSIER_PRINT,
    }
)
# Whoever works with dispatches sees how a level came to be and may ask for another one; a leader decides.
LEVELS: Final = frozenset({Action.LEVEL_READ, Action.LEVEL_PROPOSE})

# By these somebody saw a dispatch, or took it or its line out: what the auditor asks of a person.
SEEING: Final = frozenset(
    {
        Action.RECORD_READ,
        Action.RECORD_PAGE,
        Action.RECORD_TEXT,
        Action.RECORD_PRINT,
        Action.RECORD_ORIGINAL,
        Action.REGISTER_PRINT,
        Action.DOSSIER_PRINT,
        Action.SEARCH_EXPORT,
        Action.SEARCH_RUN,  # its hits show passages of text
    }
)

# Attempts that stand in the log as refused: their entry is written by whoever refuses, as an act of its own.
FAILING: Final = frozenset({Action.SIGN_IN_FAILED, Action.PROOF_FAILED, Action.CODE_FAILED})

# Acts that are done only when a signed head stands for their entry (`archive.audit.write`).
SYNCHRONOUS: Final = frozenset({
    Action.RECORD_LEVEL, Action.CLEARANCE_GIVE, Action.CLEARANCE_SHORTEN, Action.CLEARANCE_EXTEND,
    Action.CLEARANCE_REVOKE, Action.POST_GIVE, Action.POST_END, Action.SCOPE_GIVE, Action.SCOPE_END,
    Action.UNIT_MOVE, Action.PROTECTION_ADD, Action.PROTECTION_WITHDRAW, Action.LOG_FORGET, Action.ROWS_ADOPT,
    Action.LOG_PLACE, Action.LOG_KEY, Action.KEYS_BEGIN, Action.KEYS_END, Action.DECLARE, Action.READMIT,
})  # fmt: skip

CAPABILITIES: Final[dict[Role, frozenset[Action]]] = {
    Role.CLERK: READING
    | LEVELS
    | {
        Action.LEVEL_NOTICE,
        Action.SCAN_UPLOAD,
        Action.SCAN_READ,
        Action.SCAN_RETRY,
        Action.SCAN_DISMISS,
        Action.SCAN_APART,
        Action.RECORD_CAPTURE,
        Action.RECORD_REGISTER,
        Action.RECORD_CORRECT,
        Action.RECORD_RETURN,
        Action.RECORD_ATTACH,
        Action.RECORD_DETACH,
        Action.PAPER_MOVE,
        Action.PAPER_END,
        Action.NUMBER_VOID,
        Action.COPY_END,
        Action.REGISTER_READ,
        Action.REGISTER_PRINT,
        Action.REGISTER_CONFIRM,
        Action.STEP_FORWARD,
        Action.STEP_END,
        Action.WORK_READ,
    },
    Role.LEADER: READING
    | LEVELS
    | {
        Action.RECORD_LEVEL,
        Action.LEVEL_EXTEND,
        Action.LEVEL_REVIEW,
        Action.LEVEL_NOTICE,
        Action.STEP_FORWARD,
        Action.STEP_DIRECT,
        Action.STEP_RECEIVE,
        Action.STEP_RETURN,
        Action.STEP_APPROVE,
        Action.STEP_END,
        Action.WORK_READ,
        Action.REGISTER_READ,
        Action.RECORD_WHY,
        Action.RECORD_MARK,
        Action.GRANT,
        Action.GRANT_END,
    },
    Role.STAFF: READING
    | LEVELS
    | {
        Action.STEP_RECEIVE,
        Action.STEP_ANSWER,
        Action.STEP_FORWARD,
        Action.STEP_RETURN,
        Action.STEP_END,
        Action.WORK_READ,
    },
    Role.ARCHIVIST: READING
    | LEVELS
    | {
        Action.REGISTER_READ,
        Action.COPY_END,
        Action.DOSSIER_OPEN,
        Action.DOSSIER_FILE,
        Action.DOSSIER_CLOSE,
        Action.DUE_READ,
        Action.PLAN_READ,
        Action.PLAN_BEGIN,
        Action.PLAN_ADD,
        Action.PLAN_CHANGE,
        Action.PLAN_CLOSE,
        Action.PERIOD_ADD,
        Action.PERIOD_CHANGE,
        Action.PERIOD_CLOSE,
        Action.PERIOD_WITHDRAW,
        Action.HOLD_PLACE,
        Action.HOLD_LIFT,
        Action.HOLD_READ,
    },
    Role.AUDITOR: frozenset({Action.LOG_READ, Action.LOG_EXPORT}),
    Role.SECURITY: frozenset(
        {
            Action.CODE_RESET,
            Action.FIRST_PASSWORD,
            Action.SESSION_END,
            Action.CLEARANCE_READ,
            Action.CLEARANCE_GIVE,
            Action.CLEARANCE_SHORTEN,
            Action.CLEARANCE_EXTEND,
            Action.CLEARANCE_REVOKE,
            Action.MARK_ADD,
            Action.PROTECTION_READ,
            Action.PROTECTION_ADD,
            Action.PROTECTION_WITHDRAW,
            Action.RECORD_WHY,
            Action.POST_READ,
            Action.POST_GIVE,
            Action.POST_END,
            Action.SCOPE_GIVE,
            Action.SCOPE_END,
            Action.UNIT_MOVE,
            Action.LOG_FORGET,
            Action.ROWS_ADOPT,
            Action.LOG_PLACE,
            Action.LOG_KEY,
            Action.KEYS_BEGIN,
            Action.RECORD_RESEAL,
            Action.DECLARE,
        }
    ),
    Role.ADMIN: frozenset(
        {
            Action.SYSTEM_READ,
            Action.RESTORE_SEEN,
            Action.PERSON_READ,
            Action.PERSON_ADD,
            Action.PERSON_CHANGE,
            Action.PERSON_CLOSE,
            Action.PERSON_REOPEN,
            Action.FIRST_PASSWORD,
            Action.TOKEN_GIVE,
            Action.UNIT_ADD,
            Action.UNIT_CHANGE,
            Action.UNIT_CLOSE,
            Action.UNIT_REOPEN,
            Action.BOOK_READ,
            Action.BOOK_OPEN,
            Action.BOOK_RENAME,
            Action.BOOK_CLOSE,
            Action.BOOK_REOPEN,
            Action.DAY_READ,
            Action.DAY_ADD,
            Action.DAY_TAKE_BACK,
            Action.CODE_RESET,
            Action.SESSION_END,
        }
    ),
}

# Whoever watches the others, or runs the machine, has no door to a record, whatever other posts they hold.
APART: Final = frozenset({Role.AUDITOR, Role.ADMIN})


def allows(roles: frozenset[Role] | set[Role], action: Action) -> bool:
    """Return whether any of the roles has the capability for an act."""
    return any(action in CAPABILITIES[role] for role in roles)
