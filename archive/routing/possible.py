"""Which acts a person may do on a step now: what screens offer. The acts ask again when they are done."""

from typing import Final

from django.utils import timezone

from archive.models import Person, Step
from archive.models.route import LIVE_STATES
from archive.routing.moving import came_back, stands
from archive.rules.roles import Action, allows
from archive.rules.steps import Act, Kind, Side, State, open_acts
from archive.standing import standing

ACTIONS: Final = {
    Act.RECEIVE: Action.STEP_RECEIVE,
    Act.DIRECT: Action.STEP_DIRECT,
    Act.ASSIGN: Action.STEP_FORWARD,
    Act.ANSWER: Action.STEP_ANSWER,
    Act.RETURN: Action.STEP_RETURN,
    Act.APPROVE: Action.STEP_APPROVE,
    Act.SEND_BACK: Action.STEP_RETURN,
    Act.END: Action.STEP_END,
}


def possible(step: Step, person: Person) -> tuple[Act, ...]:
    """Return the acts open to a person on a step, in the order of the table; none on a closed step."""
    if step.state not in LIVE_STATES:
        return ()
    roles = standing(person, timezone.now()).roles
    kind, state = Kind(step.kind), State(step.state)
    found: list[Act] = []
    for side in Side:
        if stands(step, side, person):
            found += [act for act in open_acts(kind, state, side) if allows(roles, ACTIONS[act])]
    if step.answered_by_id == person.pk and Act.APPROVE in found:
        found.remove(Act.APPROVE)
    return tuple(act for act in found if act not in came_back(step))
