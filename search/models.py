"""Queries that people keep or asked lately. How far an index has followed the log is kept by the index itself."""

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


class Asking(models.Model):
    """A question as it was asked, under an id that says nothing and stands in the address instead of its words.

    Answers only the person who asked, for a day (`search.views.asking`); holds words, never hits.
    """

    token = models.CharField(max_length=24, primary_key=True)
    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    text = models.CharField(max_length=1001)  # one letter too many says that the end was cut off
    filters = models.JSONField(default=dict)
    order = models.CharField(max_length=10)
    asked_at = models.DateTimeField(db_index=True)  # forgetting what is older than a day

    def __str__(self) -> str:
        return self.token
