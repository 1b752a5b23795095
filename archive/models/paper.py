"""Dispatches that the archive holds on paper alone, and where each paper lies.

A stub is a record without file, page, abstract and note: what the register may say of a
dispatch above the ceiling of the site, and of every top secret one. Triggers on both
databases keep files and words off it while it is open. A row of a place is written once.
"""

from django.db import models
from django.db.models import Q

from archive.models.people import Person
from archive.models.record import Record


class PaperStub(models.Model):
    """Says of a record that only its paper is kept; it ends when its level came down and the office takes it in."""

    record = models.OneToOneField(Record, models.PROTECT, primary_key=True, related_name="stub")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    end_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, end_reason="")
                | (Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(end_reason="")),
                name="stub_end_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id}: paper"


class PaperPlace(models.Model):
    """Who keeps the paper of a record, where, in how many copies, and who signed for it when; the newest row holds."""

    record = models.ForeignKey(Record, models.PROTECT, related_name="papers", db_index=False)
    copies = models.PositiveSmallIntegerField()
    holder = models.CharField(max_length=200)  # person or unit that answers for the paper
    place = models.CharField(max_length=200)  # safe, cabinet, box
    signed_by = models.CharField(max_length=100)  # who signed for it, as in the paper register
    signed_on = models.DateField()
    written_by = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    written_at = models.DateTimeField()

    class Meta:
        ordering = ("-pk",)
        indexes = [models.Index(fields=["record", "-id"], name="paper_of_record")]  # the newest place, and the story
        constraints = [models.CheckConstraint(condition=Q(copies__gte=1), name="paper_of_one_copy_at_least")]

    def __str__(self) -> str:
        return f"{self.record_id}: {self.holder}"
