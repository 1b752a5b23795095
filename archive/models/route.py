"""Routing steps: who has a dispatch in hand, for what, until when. Rows are never deleted.

An open step gives its unit or person need-to-know; its end ends that.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from archive.models.people import Person, Unit
from archive.models.record import Record


class StepKind(models.TextChoices):
    """What the receiver of a step is asked to do."""

    DIRECT = "direct", _("Give direction")
    LEAD = "lead", _("Lead")
    COOPERATE = "cooperate", _("Cooperate")
    INFORM = "inform", _("For information")


class StepState(models.TextChoices):
    """Where a step is. Only `open`, `received` and `answered` give need-to-know."""

    OPEN = "open", _("Not yet opened")
    RECEIVED = "received", _("In hand")
    ANSWERED = "answered", _("Answered, waiting for approval")
    DONE = "done", _("Done")
    RETURNED = "returned", _("Returned")


LIVE_STATES = (StepState.OPEN, StepState.RECEIVED, StepState.ANSWERED)


class Step(models.Model):
    """One hand-over of a dispatch from a person to a unit or a person."""

    record = models.ForeignKey(Record, models.PROTECT, related_name="steps", db_index=False)
    order = models.PositiveIntegerField()  # 1, 2, 3 within the record: the line of the thread
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children", db_index=False)
    kind = models.CharField(max_length=10, choices=StepKind)
    from_person = models.ForeignKey(Person, models.PROTECT, related_name="steps_given", db_index=False)
    to_unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="steps")
    to_person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="steps")
    instruction = models.CharField(max_length=2000, blank=True)
    due_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=StepState, default=StepState.OPEN)
    created_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True, blank=True)
    received_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    answer = models.CharField(max_length=4000, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    note = models.CharField(max_length=2000, blank=True)  # the closing word: approval note or reason of return

    class Meta:
        ordering = ("order",)
        constraints = [
            models.UniqueConstraint(fields=["record", "order"], name="step_order_once"),
            models.CheckConstraint(
                condition=Q(to_unit__isnull=True) ^ Q(to_person__isnull=True), name="step_one_receiver"
            ),
            models.CheckConstraint(condition=~Q(state="returned") | ~Q(note=""), name="step_return_has_reason"),
        ]
        indexes = [
            # My open work and my unit's, soonest due first.
            models.Index(fields=["to_person", "due_on"], condition=Q(closed_at__isnull=True), name="step_open_person"),
            models.Index(fields=["to_unit", "due_on"], condition=Q(closed_at__isnull=True), name="step_open_unit"),
            # What is due this week among all that a desk may see: the soonest five, not all of them sorted.
            models.Index(fields=["due_on"], condition=Q(closed_at__isnull=True), name="step_open_due"),
            # The answers that wait for a decision, the longest waiting first (routing.lists.waiting).
            models.Index(
                fields=["answered_at"], condition=Q(closed_at__isnull=True, state="answered"), name="step_open_answered"
            ),
            # What waits for a direction, few among all open steps (routing.lists.to_direct).
            models.Index(
                fields=["created_at"], condition=Q(closed_at__isnull=True, kind="direct"), name="step_open_direct"
            ),
            # The answers to a step. Without those that have no parent: a planner took them for as few.
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="step_children"),
            # What I gave to others and is not finished (routing.lists.of_unit); what came back to me (returned_to).
            models.Index(fields=["from_person", "due_on"], condition=Q(closed_at__isnull=True), name="step_open_from"),
            models.Index(
                fields=["from_person"], condition=Q(state="returned", parent__isnull=True), name="step_returned"
            ),
            # My newest direction, while it may be taken back (routing.lists.desk).
            models.Index(
                fields=["closed_by", "closed_at"], condition=Q(kind="direct", state="done"), name="step_directed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id}/{self.order} {self.kind}"
