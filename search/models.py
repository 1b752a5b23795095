"""Queries that people keep. How far an index has followed the log is kept by the index itself."""

from django.db import models

from archive.models import Person


class SavedSearch(models.Model):
    """A query kept by a person: its words, never its hits; it runs under the reader's rights of the day."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="saved_searches")
    name = models.CharField(max_length=120)
    text = models.CharField(max_length=1000)
    order = models.CharField(max_length=10, default="newest")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)
        constraints = [models.UniqueConstraint(fields=["person", "name"], name="saved_name_once")]

    def __str__(self) -> str:
        return self.name
