"""Proposals that end with the number of their record: nobody can confirm them any more, and none stays open."""

from dataclasses import replace

from django.utils import timezone

from archive import audit
from archive.models import LevelProposal, Person, ProposalState, Record
from archive.rules.roles import Action


def about(record: Record, proposal: LevelProposal) -> audit.Subject:
    """Return what an entry about a proposal says of it: its words belong to the higher of the two levels.

    Whoever is not cleared for the level that it asks for does not know of it on any page.
    """
    told = audit.subject_of(record)
    return replace(told, level=max(told.level, proposal.to_level))


def close_all(record: Record, *, reason: str, actor: Person) -> None:
    """Close every proposal about a record whose number is void, in that act's transaction; each has its entry.

    The actor need not know of them: a proposal may go above their clearance, and they are not told of it here either.
    """
    for waiting in LevelProposal.objects.filter(record=record, state=ProposalState.OPEN).order_by("pk"):
        waiting.state, waiting.closed_by, waiting.closed_at = ProposalState.REFUSED, actor, timezone.now()
        waiting.close_reason = reason.strip()
        waiting.save(update_fields=["state", "closed_by", "closed_at", "close_reason"])
        details = {"proposal": waiting.pk, "state": str(ProposalState.REFUSED), "number_void": True}
        audit.write(
            Action.LEVEL_CLOSE,
            actor=actor,
            subject=about(record, waiting),
            reason=reason,
            details=details,
            rows=[record, waiting],
        )
