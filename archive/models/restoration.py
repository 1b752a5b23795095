"""What a restore leaves behind: the restore itself, and the question what the last number on paper is."""

from django.db import models
from django.db.models import F, Q

from archive.models.people import Person
from archive.models.register import Register


class Restoration(models.Model):
    """One restore of this installation; its banner stays until an administrator acknowledges it."""

    restored_at = models.DateTimeField()
    taken_at = models.DateTimeField()  # when the backup was taken
    size = models.PositiveBigIntegerField()  # entries in the backup's log
    newest_size = models.PositiveBigIntegerField(null=True)  # entries in the newest head kept elsewhere, if shown
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+", db_index=False)

    def __str__(self) -> str:
        return f"{self.restored_at:%Y-%m-%dT%H:%M:%S}"

    @property
    def lost(self) -> int | None:
        """How many entries of the log the backup did not know; None when that cannot be known."""
        return None if self.newest_size is None else max(0, self.newest_size - self.size)


class PaperCheck(models.Model):
    """A register and year that is closed until its last number on paper is confirmed.

    Once confirmed, the numbers from `kept` + 1 to `on_paper` are void: they were given on
    paper or lost with the restore, and are never given again.
    """

    register = models.ForeignKey(Register, models.PROTECT, related_name="paper_checks", db_index=False)
    year = models.PositiveSmallIntegerField()
    asked_at = models.DateTimeField()
    kept = models.PositiveIntegerField()  # last number in the restored database
    on_paper = models.PositiveIntegerField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            # One open question per book; also the index of "is this register closed".
            models.UniqueConstraint(
                fields=["register", "year"], condition=Q(confirmed_at__isnull=True), name="paper_check_open_once"
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True) | Q(on_paper__gte=F("kept")), name="paper_check_never_back"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.register} {self.year}"
