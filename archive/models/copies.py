"""Numbered copies of a dispatch: looks on a screen, prints, files taken out; and what became of each paper."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from archive.models.people import Person
from archive.models.record import Record


class CopyKind(models.TextChoices):
    """In which form a copy left the store."""

    VIEW = "view", _("Read on screen")
    PRINT = "print", _("Printed")
    DOWNLOAD = "download", _("Taken out as a file")


class CopyFate(models.TextChoices):
    """How a paper ended."""

    RETURNED = "returned", _("Given back")
    DESTROYED = "destroyed", _("Destroyed")


class Copy(models.Model):
    """One numbered copy; the row never goes, and only the end of a paper is written into it later."""

    record = models.ForeignKey(Record, models.PROTECT, related_name="copies", db_index=False)
    number = models.PositiveIntegerField()  # within the record, from 1, without gaps
    kind = models.CharField(max_length=8, choices=CopyKind)
    holder = models.ForeignKey(Person, models.PROTECT, related_name="copies", db_index=False)
    made_at = models.DateTimeField()
    day = models.DateField()  # local day: one number for all looks of a person on a day
    pages = models.CharField(max_length=20, blank=True)  # of a print: "1-3"; of a file: its place in the dispatch
    reason = models.CharField(max_length=300, blank=True)
    fate = models.CharField(max_length=9, choices=CopyFate, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    end_note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-number",)
        constraints = [
            models.UniqueConstraint(fields=["record", "number"], name="copy_number_once"),
            models.UniqueConstraint(
                fields=["record", "holder", "day"], condition=Q(kind="view"), name="copy_one_look_a_day"
            ),
            models.CheckConstraint(condition=Q(fate="") | Q(kind="print"), name="copy_only_paper_ends"),
            models.CheckConstraint(
                condition=Q(fate="", ended_at__isnull=True, ended_by__isnull=True)
                | (~Q(fate="") & Q(ended_at__isnull=False, ended_by__isnull=False)),
                name="copy_end_is_whole",
            ),
        ]
        indexes = [
            # What one person took out or printed within the last hour.
            models.Index(fields=["holder", "made_at"], condition=~Q(kind="view"), name="copy_taken"),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} / {self.number}"

    @property
    def is_out(self) -> bool:
        """Whether it is a paper that nobody has accounted for yet."""
        return self.kind == CopyKind.PRINT and not self.fate
