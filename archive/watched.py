"""Which rows lie under digests, which of their columns do not, and which acts may change which: data of `archive.digests`.

Every kind of row of the product stands here, or on the list of `config/tests/test_watched.py` with
the reason why it does not. A new kind comes with the acts that make it (`audit.write(made=...)`)
and change it (`rows=...`), with its columns in `CHANGING`, and with its lines in `archive.adopting`.
"""

from typing import Final

from django.db.models import Model

from archive.models import (
    Attachment,
    AttachmentVoid,
    Clearance,
    ClearanceMark,
    Copy,
    Dossier,
    DossierItem,
    Grant,
    Hold,
    HoldItem,
    Holiday,
    LevelChange,
    LevelNotice,
    LevelProposal,
    Mark,
    MarkGroup,
    Marking,
    MarkingMark,
    PaperCheck,
    PaperPlace,
    PaperStub,
    Person,
    PersonRole,
    ProtectionPeriod,
    Record,
    RecordClass,
    Register,
    RegisterNumber,
    Restoration,
    RetentionRule,
    SecondFactor,
    ServiceToken,
    Step,
    Unit,
    UnitScope,
)
from archive.rules.roles import Action

WATCHED: Final[dict[str, type[Model]]] = {
    model.__name__.lower(): model
    for model in (
        Unit,
        Person,
        Record,
        Step,
        Clearance,
        ClearanceMark,
        Grant,
        PersonRole,
        UnitScope,
        RegisterNumber,
        ServiceToken,
        SecondFactor,
        PaperStub,
        MarkGroup,
        Mark,
        Marking,
        MarkingMark,
        LevelChange,
        LevelProposal,
        LevelNotice,
        ProtectionPeriod,
        Copy,
        Attachment,
        AttachmentVoid,
        PaperPlace,
        Dossier,
        DossierItem,
        Hold,
        HoldItem,
        RetentionRule,
        RecordClass,
        Holiday,
        Register,
        PaperCheck,
        Restoration,
    )
}
# Rows that no act changes: a running role has no right to (`config.roles`), and nothing need be locked against one.
WRITTEN_ONCE: Final = frozenset(
    {"attachmentvoid", "paperplace", "holditem", "mark", "markgroup", "markingmark", "clearancemark"}
)
MARKS: Final = ("markgroup", "mark", "markingmark")  # small tables, which the door of a marked dispatch looks at whole
# Kept for lists only, and told by the steps that it follows from; the last sign-in moves with each, opens
# nothing, and stands in the log; when the keys of a change of level were settled is written after its act, and hides no level.
DERIVED: Final = frozenset({"is_handed", "last_login", "keys_at"})
# Acts that leave every watched column of a record as it was; an answer names the dispatch that it is given by.
LEAVING_ALONE: Final = ("step.", "dossier.", "hold.", "scan.", "search.", "log.", "system.", "work.", "level.")
BY_AN_ANSWER: Final = frozenset({"reply_to_id"})
# Which columns of a row an act changes, by the beginning of its name: all others stay as the act that made the row left
# them. Where no act is named, a row is written once.
CHANGING: Final[dict[str, dict[str, frozenset[str]]]] = {
    "unit": {
        Action.UNIT_CHANGE: frozenset({"code", "name"}),
        Action.UNIT_CLOSE: frozenset({"is_active"}),
        Action.UNIT_REOPEN: frozenset({"is_active"}),
        Action.UNIT_MOVE: frozenset({"path", "parent_id"}),
    },
    "person": {
        Action.PASSWORD: frozenset({"password", "has_first_password"}),
        Action.FIRST_PASSWORD: frozenset({"password", "has_first_password"}),
        Action.READMIT: frozenset({"password", "has_first_password"}),
        Action.PERSON_CHANGE: frozenset({"password", "signs_in_by", "outside_id", "full_name", "title", "unit_id"}),
        Action.PERSON_CLOSE: frozenset({"is_active"}),
        Action.PERSON_REOPEN: frozenset({"is_active", "password", "has_first_password"}),
    },
    "step": {
        "step.": frozenset(
            {
                "state",
                "received_at",
                "received_by_id",
                "answer",
                "answered_at",
                "answered_by_id",
                "closed_at",
                "closed_by_id",
                "note",
            }
        )
    },
    "secondfactor": {
        Action.CODE_USED: frozenset({"last_step"}),
        Action.CODE_RECOVERY: frozenset({"recovery"}),
        Action.CODE_RESEAL: frozenset({"sealed"}),
    },
    "marking": {},
    "levelchange": {},
    "levelproposal": {
        Action.LEVEL_CLOSE: frozenset({"state", "closed_by_id", "closed_at", "close_reason"}),
        Action.RECORD_LEVEL: frozenset({"state", "closed_by_id", "closed_at"}),
    },
    "levelnotice": {Action.LEVEL_NOTICE: frozenset({"told_on", "told_by_id", "how"})},
    "protectionperiod": {Action.PROTECTION_WITHDRAW: frozenset({"valid_to"})},
    "copy": {Action.COPY_END: frozenset({"fate", "ended_at", "ended_by_id", "end_note"})},
    "attachment": {Action.RECORD_RESEAL: frozenset({"original_id", "pack_id"})},
    "attachmentvoid": {},
    "paperplace": {},
    "dossier": {
        Action.DOSSIER_FILE: frozenset({"level"}),
        Action.DOSSIER_CLOSE: frozenset({"closed_at", "closed_by_id", "ended_on"}),
    },
    "dossieritem": {},
    "hold": {Action.HOLD_LIFT: frozenset({"lifted_at", "lifted_by_id", "lift_reason"})},
    "holditem": {},
    "retentionrule": {
        Action.PERIOD_CHANGE: frozenset({"valid_to"}),
        Action.PERIOD_CLOSE: frozenset({"valid_to"}),
        Action.PERIOD_WITHDRAW: frozenset({"valid_to"}),
    },
    "recordclass": {
        Action.PLAN_CHANGE: frozenset({"title", "keeper"}),
        Action.PLAN_CLOSE: frozenset({"closed_on"}),
    },
    "holiday": {Action.DAY_TAKE_BACK: frozenset({"taken_back_at"})},
    "register": {
        Action.BOOK_RENAME: frozenset({"name"}),
        Action.BOOK_CLOSE: frozenset({"is_open"}),
        Action.BOOK_REOPEN: frozenset({"is_open"}),
    },
    "papercheck": {Action.REGISTER_CONFIRM: frozenset({"on_paper", "confirmed_at", "confirmed_by_id"})},
    "restoration": {Action.RESTORE_SEEN: frozenset({"acknowledged_at", "acknowledged_by_id"})},
}
