"""Which rows lie under digests, which of their columns do not, and which acts may change which: data of `archive.digests`.

A new kind comes with the acts that make it (`audit.write(made=...)`) and change it (`rows=...`),
with its columns in `CHANGING`, and with its lines in `archive.adopting`.
"""

from typing import Final

from django.db.models import Model

from archive.models import (
    Clearance,
    ClearanceMark,
    Grant,
    Mark,
    MarkGroup,
    MarkingMark,
    PaperStub,
    Person,
    PersonRole,
    Record,
    RegisterNumber,
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
        MarkingMark,
    )
}
MARKS: Final = ("markgroup", "mark", "markingmark")  # small tables, which the door of a marked dispatch looks at whole
# Kept for lists only, and told by the steps and dossiers that they follow from; the last step of an authenticator moves
# with every code, and decides for a minute and a half whether one counts twice; the last sign-in moves with each, opens
# nothing, and stands in the log.
DERIVED: Final = frozenset({"is_handed", "is_filed", "last_step", "last_login"})
# Acts that leave every watched column of a record as it was; an answer names the dispatch that it is given by.
LEAVING_ALONE: Final = ("step.", "dossier.", "hold.", "scan.", "search.", "log.", "system.", "work.", "level.")
BY_AN_ANSWER: Final = frozenset({"reply_to_id"})
# Which columns of a row an act changes, by the beginning of its name: all others stay as the act that made the row left
# them. A unit changes in none.
CHANGING: Final[dict[str, dict[str, frozenset[str]]]] = {
    "unit": {},
    "person": {
        Action.PASSWORD: frozenset({"password"}),
        Action.PERSON_CHANGE: frozenset({"password", "signs_in_by", "outside_id"}),
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
}
