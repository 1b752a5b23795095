"""The rows of the office: fields, constraints and names; nothing here writes or decides."""

from archive.models.access import (
    FOREVER,
    NO_DOSSIER,
    Access,
    Clearance,
    ClearanceMark,
    Grant,
    Mark,
    MarkGroup,
    Marking,
    MarkingMark,
    MarkRule,
    Source,
    UnitScope,
)
from archive.models.attachment import Attachment, AttachmentVoid
from archive.models.copies import Copy, CopyFate, CopyKind
from archive.models.dossier import Dossier, DossierItem, Hold, HoldItem, Shelf, ShelfPart
from archive.models.entry import AuditDetail, AuditEntry, AuditLeaf, AuditPending, AuditRow, AuditShown
from archive.models.leveling import (
    ChangeKind,
    LevelChange,
    LevelNotice,
    LevelProposal,
    ProposalState,
    ProtectionPeriod,
)
from archive.models.octets import Octets
from archive.models.paper import PaperPlace, PaperStub
from archive.models.people import Person, PersonRole, ServiceToken, SignsInBy, Unit
from archive.models.record import DigitalObject, Misplaced, ObjectRole, Page, Record, RecordState
from archive.models.register import Register, RegisterCounter, RegisterKind, RegisterNumber
from archive.models.restoration import PaperCheck, Restoration
from archive.models.route import Step, StepKind, StepState
from archive.models.schedule import Holiday, RecordClass, RetentionRule, RuleKind
from archive.models.second_factor import SecondFactor
from archive.models.session import OpenSession
from archive.models.tally import FirstAct, KeptLogFilter, Tally, TallyPlace

__all__ = [
    "FOREVER",
    "NO_DOSSIER",
    "Access",
    "Attachment",
    "AttachmentVoid",
    "AuditDetail",
    "AuditEntry",
    "AuditLeaf",
    "AuditPending",
    "AuditRow",
    "AuditShown",
    "ChangeKind",
    "Clearance",
    "ClearanceMark",
    "Copy",
    "CopyFate",
    "CopyKind",
    "DigitalObject",
    "Dossier",
    "DossierItem",
    "FirstAct",
    "Grant",
    "Hold",
    "HoldItem",
    "Holiday",
    "KeptLogFilter",
    "LevelChange",
    "LevelNotice",
    "LevelProposal",
    "Mark",
    "MarkGroup",
    "MarkRule",
    "Marking",
    "MarkingMark",
    "Misplaced",
    "ObjectRole",
    "Octets",
    "OpenSession",
    "Page",
    "PaperCheck",
    "PaperPlace",
    "PaperStub",
    "Person",
    "PersonRole",
    "ProposalState",
    "ProtectionPeriod",
    "Record",
    "RecordClass",
    "RecordState",
    "Register",
    "RegisterCounter",
    "RegisterKind",
    "RegisterNumber",
    "Restoration",
    "RetentionRule",
    "RuleKind",
    "SecondFactor",
    "ServiceToken",
    "Shelf",
    "ShelfPart",
    "SignsInBy",
    "Source",
    "Step",
    "StepKind",
    "StepState",
    "Tally",
    "TallyPlace",
    "Unit",
    "UnitScope",
]
