"""How far the index has followed the log, and queries that people keep."""

from django.db import models

from archive.models import Person


class Cursor(models.Model):
    """The next sequence number a generation of an index has not seen yet."""

    generation = models.CharField(max_length=80, primary_key=True)
    position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.generation}: {self.position}"


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
