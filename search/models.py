"""Queries that people keep, are told of, or asked lately. How far an index has followed the log is kept by the index itself."""

from django.db import models

from archive.models import Person
from archive.models.access import LEVEL_CHOICES
from archive.models.people import ROLE_CHOICES


class SavedSearch(models.Model):
    """A query kept by a person: its words, never its hits; it runs under the reader's rights of the day.

    Name and words may betray what they ask for, so they have a level of their own: nobody
    reads them without that clearance, its owner included (`search.saving.readable`).
    """

    person = models.ForeignKey(Person, models.PROTECT, related_name="saved_searches")
    name = models.CharField(max_length=120)
    text = models.CharField(max_length=1000, blank=True)
    filters = models.JSONField(default=dict)  # facet -> accepted values
    order = models.CharField(max_length=10, default="newest")
    level = models.SmallIntegerField(choices=LEVEL_CHOICES, default=0)
    shared_with = models.SmallIntegerField(choices=ROLE_CHOICES, null=True, blank=True)  # a role; null: its owner alone
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)
        constraints = [models.UniqueConstraint(fields=["person", "name"], name="saved_name_once")]
        indexes = [models.Index(fields=["shared_with", "level"], name="saved_shared")]  # what my role shares

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """A person wants to be told of what is new in a kept query: the place in the log up to which they looked.

    No hit is kept: what is new is asked at each look, under the rights of that moment
    (`search.news`). `seen` is the first place not looked at, `seen_at` about when it was written; `looked_at` is when the
    person looked last, for what a clearance, a mark, a post or a scope opened since.
    """

    person = models.ForeignKey(Person, models.PROTECT, related_name="search_alerts")
    search = models.ForeignKey(SavedSearch, models.CASCADE, related_name="alerts")
    seen = models.BigIntegerField()
    seen_at = models.DateTimeField()
    looked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "search"], name="alert_once")]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.search_id}"


class Asking(models.Model):
    """A question as it was asked, under an id that says nothing and stands in the address instead of its words.

    Answers only the person who asked, for a day, and not below the clearance that counted when they asked
    (`search.views.asking`); holds words, never hits.
    """

    token = models.CharField(max_length=24, primary_key=True)
    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    text = models.CharField(max_length=1001)  # one letter too many says that the end was cut off
    filters = models.JSONField(default=dict)
    order = models.CharField(max_length=10)
    level = models.SmallIntegerField(choices=LEVEL_CHOICES, default=0)
    asked_at = models.DateTimeField(db_index=True)  # forgetting what is older than a day

    def __str__(self) -> str:
        return self.token
