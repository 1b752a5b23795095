"""What the acts on a level refuse, each with what to do next."""

from django.utils.translation import gettext_lazy as _

from archive.rules.errors import Refusal


class NoDecision(Refusal):
    """LVL-001: a level rests on authority, decision, its day and reasons."""

    code = "LVL-001"
    message = _("Fill in who decided, the number and day of the decision, and the reasons: the level rests on them.")


class WrongDirection(Refusal):
    """LVL-002: raise goes up, lower goes down but never to the lowest, declassify alone reaches it."""

    code = "LVL-002"
    message = _(
        "The dispatch is %(level)s: that is not possible from there. Lowering ends above unclassified; only "
        "declassifying reaches it."
    )


class AboveCeiling(Refusal):
    """LVL-003: above what the person or this installation may hold; top secret never has a file here."""

    code = "LVL-003"
    message = _(
        "%(level)s is above what you or this installation may hold (%(ceiling)s). Tell the security officer; the paper "
        "goes by hand."
    )


class NotByOneself(Refusal):
    """LVL-004: a second person confirms."""

    code = "LVL-004"
    message = _("You proposed this yourself: somebody else with authority must confirm it.")


class ProposalOver(Refusal):
    """LVL-005: confirmed, refused or withdrawn meanwhile."""

    code = "LVL-005"
    message = _("This proposal has been closed already. Open the page again.")


class Moved(Refusal):
    """LVL-006: the level changed after it was proposed."""

    code = "LVL-006"
    message = _("The level has changed since this was proposed. Refuse the proposal and make a new one.")


class ProposalThere(Refusal):
    """LVL-007: one proposal at a time."""

    code = "LVL-007"
    message = _("Another proposal about this dispatch waits already. It is confirmed or refused first.")


class MarkKeepsLevel(Refusal):
    """LVL-008: some marks forbid lowering altogether."""

    code = "LVL-008"
    message = _("The mark “%(mark)s” forbids lowering. The mark must be taken off first, by somebody who holds it.")


class NotInForce(Refusal):
    """LVL-009: only registered dispatches have a level that acts change."""

    code = "LVL-009"
    message = _("Only a registered dispatch changes its level in this way; on the intake desk the clerk confirms it.")


class NothingProtected(Refusal):
    """LVL-010: unclassified, so nothing runs; or its period has ended."""

    code = "LVL-010"
    message = _(
        "There is no protection to extend: the dispatch is unclassified, or the period has ended. After the end its "
        "level is decided anew: declassify, lower or raise."
    )


class WrongEnd(Refusal):
    """LVL-011: each extension is later than the end and no longer than the period of the level."""

    code = "LVL-011"
    message = _("The new last day must lie after %(end)s and not after %(latest)s (%(basis)s).")


class WrongDay(Refusal):
    """LVL-012: decisions are not of the future, reviews not of the past."""

    code = "LVL-012"
    message = _("The day of the decision cannot lie in the future, and the next review must.")


class ToldAlready(Refusal):
    """LVL-013: somebody has written it meanwhile."""

    code = "LVL-013"
    message = _("This holder has been told already.")


class NoWay(Refusal):
    """LVL-014: how a holder was told is the proof."""

    code = "LVL-014"
    message = _("Say how the holder was told: number of the notice, the way it went, and that copies are re-marked.")


class HeldLevel(Refusal):
    """LVL-015: under a hold nothing of a dispatch changes but for the safer; that there is one is not for everybody to know."""

    code = "LVL-015"
    message = _(
        "The level of this dispatch may be raised now, not lowered. Whoever keeps it in the archive can tell you more."
    )
