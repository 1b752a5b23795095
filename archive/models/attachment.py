"""Files that lie beside the main file of a record: annexes and what came with it.

The main file is what the draft was made of and has no row here: it is never replaced. An
added file is a new row that says who, when and why. Its pages follow those before it, so
that a page has one number in its record whatever file it lies in.
"""

from django.db import models

from archive.models.people import Person
from archive.models.record import DigitalObject, Record


class Attachment(models.Model):
    """One file beside the main one; written once, but for the addresses of objects that are sealed anew (`archive.resealing`)."""

    record = models.ForeignKey(Record, models.PROTECT, related_name="attachments", db_index=False)
    ordinal = models.PositiveSmallIntegerField()  # from 1, in the order in which the files joined
    original = models.OneToOneField(DigitalObject, models.PROTECT, related_name="attachment")
    pack = models.OneToOneField(DigitalObject, models.PROTECT, null=True, related_name="+")
    first_page = models.PositiveIntegerField()  # number in the record of its first page; where it has none, of the next
    page_count = models.PositiveIntegerField()
    flags = models.JSONField(default=list)  # marks for a person, of this file alone
    reason = models.CharField(max_length=300)
    added_by = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    added_at = models.DateTimeField()  # when it was handed over; its pages join when they have been read

    class Meta:
        ordering = ("ordinal",)
        constraints = [models.UniqueConstraint(fields=["record", "ordinal"], name="attachment_once")]

    def __str__(self) -> str:
        return f"{self.record_id} / {self.ordinal}"

    @property
    def name(self) -> str:
        """The file's name as handed over."""
        return self.original.name

    def has_page(self, number: int) -> bool:
        """Say whether a page of the record lies in this file."""
        return self.first_page <= number < self.first_page + self.page_count


class AttachmentVoid(models.Model):
    """An attached file that did not belong there: its row, its bytes and the reason stay, nothing of it is shown any more."""

    attachment = models.OneToOneField(Attachment, models.PROTECT, primary_key=True, related_name="void")
    reason = models.CharField(max_length=300)
    voided_by = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    voided_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~models.Q(reason=""), name="attachment_void_has_reason")]

    def __str__(self) -> str:
        return f"{self.attachment_id}: void"
