"""Why a step is not handed on, answered or decided: codes RTE-001 (`rules.steps.NotNow`) and following."""

from django.utils.translation import gettext_lazy as _

from archive.rules.errors import Refusal


class StepClosed(Refusal):
    """RTE-002: somebody else decided first; nothing is overwritten."""

    code = "RTE-002"
    message = _("%(person)s closed this step at %(at)s (%(state)s). Open the thread again to see where it stands.")


class NotYours(Refusal):
    """RTE-003: the step is addressed to, or was given by, somebody else."""

    code = "RTE-003"
    message = _("This is for %(person)s to do, not for you. Ask them, or ask for the dispatch to be sent to you.")


class WordsMissing(Refusal):
    """RTE-004: a return without reason or an answer without words cannot be followed up."""

    code = "RTE-004"
    message = _("Write it in words first: %(name)s.")


class Unsuitable(Refusal):
    """RTE-005: the receiver could not open the dispatch, or not do what is asked."""

    code = "RTE-005"
    message = _("%(receiver)s cannot take this: %(reason)s. Choose somebody else.")


class NobodyNamed(Refusal):
    """RTE-006: a direction needs a lead unit, somebody to inform, or at least words."""

    code = "RTE-006"
    message = _("Name the lead unit, or units for information, or write what shall be done. Cooperating needs a lead.")


class NamedTwice(Refusal):
    """RTE-007: one unit has one part in a direction."""

    code = "RTE-007"
    message = _("%(unit)s is named twice. Leave it in one place: lead, cooperating or for information.")


class DuePassed(Refusal):
    """RTE-008: a deadline lies today or later."""

    code = "RTE-008"
    message = _("The deadline %(due)s has passed. Give today or a later day.")


class NotRegistered(Refusal):
    """RTE-009: only a registered dispatch is handled (decree 30/2020, article 22)."""

    code = "RTE-009"
    message = _("Only a registered dispatch is handed on. Register it first, or see why its number is void.")


class OwnAnswer(Refusal):
    """RTE-010: nobody approves what they answered themselves."""

    code = "RTE-010"
    message = _("You wrote this answer. Another leader approves it.")


class TooLate(Refusal):
    """RTE-012: a direction is taken back only while nobody has signed for any part of it."""

    code = "RTE-012"
    message = _("%(receiver)s has signed for it already. Withdraw the steps one by one, or wait for the answer.")


class ReplyTaken(Refusal):
    """RTE-011: the reply chosen answers another dispatch."""

    code = "RTE-011"
    message = _("%(reply)s already answers another dispatch. Choose the right one, or answer in words only.")


class OnPaper(Refusal):
    """RTE-013: words about a dispatch above the ceiling do not go through this installation either."""

    code = "RTE-013"
    message = _(
        "This dispatch is kept on paper alone: it goes by hand, and directions to it are written on paper. Write on its page "
        "who signed for it."
    )
