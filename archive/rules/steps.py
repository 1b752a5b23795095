"""The office's route as one table: which act may follow, what it makes of a step, whose act it is.

Pure words and a table: no row, no clock, no person. `archive.routing` asks here before
it writes, screens ask here which buttons to show, and a test walks the table: every
live state has a way out, a closed one has none. The words equal those of
`archive.models.route` (a test compares them). Source: decree 30/2020/ND-CP articles
20 to 24 (submit, direct, resolve, follow up).
"""

from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive.rules.errors import Refusal


class Kind(StrEnum):
    """What the receiver of a step is asked to do."""

    DIRECT = "direct"
    LEAD = "lead"
    COOPERATE = "cooperate"
    INFORM = "inform"


class State(StrEnum):
    """Where a step is."""

    OPEN = "open"
    RECEIVED = "received"
    ANSWERED = "answered"
    DONE = "done"
    RETURNED = "returned"


class Act(StrEnum):
    """What can be done to a step."""

    RECEIVE = "receive"
    DIRECT = "direct"
    ASSIGN = "assign"
    ANSWER = "answer"
    RETURN = "return"
    APPROVE = "approve"
    SEND_BACK = "send_back"
    END = "end"

    @property
    def label(self) -> str | Promise:
        """The verb a person reads."""
        return ACT_LABELS[self]


class Side(StrEnum):
    """Whose act it is: of the one the step is addressed to, or of the one who gave it."""

    RECEIVER = "receiver"
    GIVER = "giver"


ACT_LABELS: Final = {
    Act.RECEIVE: _("Sign for it"),
    Act.DIRECT: _("Direct it"),
    Act.ASSIGN: _("Assign"),
    Act.ANSWER: _("Answer it"),
    Act.RETURN: _("Return it"),
    Act.APPROVE: _("Approve"),
    Act.SEND_BACK: _("Ask for rework"),
    Act.END: _("Withdraw"),
}
STATE_LABELS: Final = {
    State.OPEN: _("Not yet opened"),
    State.RECEIVED: _("In hand"),
    State.ANSWERED: _("Answered, waiting for approval"),
    State.DONE: _("Done"),
    State.RETURNED: _("Returned"),
}
LIVE: Final = frozenset({State.OPEN, State.RECEIVED, State.ANSWERED})
WORK: Final = frozenset({Kind.LEAD, Kind.COOPERATE})  # these are answered, and their answer is approved

_WORK = (Kind.LEAD, Kind.COOPERATE)
_READ = (Kind.DIRECT,)
_KNOW = (Kind.INFORM,)
_ROWS: Final = (
    # kinds  state           act            becomes         whose act
    (_READ, State.OPEN, Act.RECEIVE, State.RECEIVED, Side.RECEIVER),
    (_READ, State.OPEN, Act.DIRECT, State.DONE, Side.RECEIVER),
    (_READ, State.RECEIVED, Act.DIRECT, State.DONE, Side.RECEIVER),
    (_READ, State.OPEN, Act.RETURN, State.RETURNED, Side.RECEIVER),
    (_READ, State.RECEIVED, Act.RETURN, State.RETURNED, Side.RECEIVER),
    (_READ, State.OPEN, Act.END, State.DONE, Side.GIVER),
    (_READ, State.RECEIVED, Act.END, State.DONE, Side.GIVER),
    (_WORK, State.OPEN, Act.RECEIVE, State.RECEIVED, Side.RECEIVER),
    (_WORK, State.OPEN, Act.ASSIGN, State.RECEIVED, Side.RECEIVER),
    (_WORK, State.RECEIVED, Act.ASSIGN, State.RECEIVED, Side.RECEIVER),
    (_WORK, State.OPEN, Act.ANSWER, State.ANSWERED, Side.RECEIVER),
    (_WORK, State.RECEIVED, Act.ANSWER, State.ANSWERED, Side.RECEIVER),
    (_WORK, State.OPEN, Act.RETURN, State.RETURNED, Side.RECEIVER),
    (_WORK, State.RECEIVED, Act.RETURN, State.RETURNED, Side.RECEIVER),
    (_WORK, State.ANSWERED, Act.APPROVE, State.DONE, Side.GIVER),
    (_WORK, State.ANSWERED, Act.SEND_BACK, State.RETURNED, Side.GIVER),
    (_WORK, State.OPEN, Act.END, State.DONE, Side.GIVER),
    (_WORK, State.RECEIVED, Act.END, State.DONE, Side.GIVER),
    (_KNOW, State.OPEN, Act.RECEIVE, State.DONE, Side.RECEIVER),
    (_KNOW, State.OPEN, Act.END, State.DONE, Side.GIVER),
)
ROUTE: Final[dict[tuple[Kind, State, Act], tuple[State, Side]]] = {
    (kind, state, act): (target, side) for kinds, state, act, target, side in _ROWS for kind in kinds
}


class NotNow(Refusal):
    """RTE-001: the step is live, but this act does not follow on where it is."""

    code = "RTE-001"
    message = _("“%(act)s” is not possible now: the step is “%(state)s”. Possible: %(open)s.")


def follow(kind: Kind, state: State, act: Act) -> tuple[State, Side]:
    """Return what an act makes of a step, and whose act it is.

    Raises:
        NotNow: the act does not follow on this state; the refusal lists those that do.

    >>> follow(Kind.INFORM, State.OPEN, Act.RECEIVE)
    (<State.DONE: 'done'>, <Side.RECEIVER: 'receiver'>)
    """
    found = ROUTE.get((kind, state, act))
    if found is None:
        possible = ", ".join(str(other.label) for other in open_acts(kind, state))
        raise NotNow(act=act.label, state=STATE_LABELS[state], open=possible or "–")
    return found


def open_acts(kind: Kind, state: State, side: Side | None = None) -> tuple[Act, ...]:
    """Return the acts that may follow, in the order of the table; those of one side when it is given."""
    return tuple(
        act for (of, at, act), (_to, whose) in ROUTE.items() if of is kind and at is state and side in {None, whose}
    )
