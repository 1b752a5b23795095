"""The way of a dispatch through the office: who hands it to whom, for what, until when.

Reading order: `archive.rules.steps` (the table), `moving` (rows), `receivers` (who can
take a step), `deadlines` (working days), `acts` (one transaction each), `lists` (who
has what to do), `story` (the thread of one dispatch), `refusals` (RTE codes).
"""

from archive.routing.acts import (
    Direction,
    answer,
    approve,
    assign,
    direct,
    end,
    forward,
    receive,
    return_step,
    send_back,
    take_back,
)
from archive.routing.moving import Task
from archive.routing.refusals import (
    DuePassed,
    NamedTwice,
    NobodyNamed,
    NotRegistered,
    NotYours,
    OnPaper,
    OwnAnswer,
    ReplyTaken,
    StepClosed,
    TooLate,
    Unsuitable,
    WordsMissing,
)
from archive.rules.steps import Kind, NotNow

__all__ = [
    "Direction",
    "DuePassed",
    "Kind",
    "NamedTwice",
    "NobodyNamed",
    "NotNow",
    "NotRegistered",
    "NotYours",
    "OnPaper",
    "OwnAnswer",
    "ReplyTaken",
    "StepClosed",
    "Task",
    "TooLate",
    "Unsuitable",
    "WordsMissing",
    "answer",
    "approve",
    "assign",
    "direct",
    "end",
    "forward",
    "receive",
    "return_step",
    "send_back",
    "take_back",
]
