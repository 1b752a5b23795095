"""What the log adds up to, day by day: derived from it, for finding what stands out. Never evidence.

The rows can be dropped and counted anew from the log at any time (`archive.tallies.recount`).
"""

from typing import Final

from django.db import models

from archive.models.access import LEVEL_CHOICES
from archive.models.people import Person

HOURS = 24


def no_hours() -> list[int]:
    """Return the counts of a day on which nothing was done."""
    return [0] * HOURS


# From here on a day may stand out: the index of such days holds few rows. Changed, the counts are taken anew.
MANY_A_DAY: Final = 20
MANY_REFUSED: Final = 5


class Tally(models.Model):
    """One person on one local day: all acts, refusals, and dispatches opened or taken out."""

    day = models.DateField()
    person = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    acts = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    handled = models.PositiveIntegerField(default=0)
    handled_by_hour = models.JSONField(default=no_hours)  # 24 counts, by the hour of the local day
    # What follows from the counts, for finding (`sum_up`).
    is_much = models.BooleanField(default=False)
    busiest = models.PositiveIntegerField(default=0)  # most handled within one hour
    earliest = models.SmallIntegerField(null=True)  # the first and the last hour in which something was handled
    latest = models.SmallIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "person"], name="tally_once")]
        indexes = [
            models.Index(fields=["is_much", "day"], name="tally_much"),  # the days on which somebody did much
            # What was done on each day, and what is usual for a person: told by this index alone.
            models.Index(fields=["day", "person", "acts", "refused", "handled"], name="tally_days"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.person_id}: {self.acts}"

    def sum_up(self) -> None:
        """Set what follows from the counts."""
        hours = [hour for hour, count in enumerate(self.handled_by_hour) if count]
        self.is_much = self.handled >= MANY_A_DAY or self.refused >= MANY_REFUSED
        self.busiest = max(self.handled_by_hour)
        self.earliest, self.latest = (hours[0], hours[-1]) if hours else (None, None)


class FirstAct(models.Model):
    """The first time that a person did one kind of act at one level."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    action = models.CharField(max_length=40)
    level = models.SmallIntegerField(choices=LEVEL_CHOICES)
    ts = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "action", "level"], name="first_act_once")]
        indexes = [models.Index(fields=["ts"], name="first_act_ts")]  # what was done for the first time this week

    def __str__(self) -> str:
        return f"{self.ts:%Y-%m-%d} {self.person_id} {self.action}"


class TallyPlace(models.Model):
    """How far the log has been added up: one row."""

    upto = models.BigIntegerField(default=0)  # the place of the first entry that has not been counted

    def __str__(self) -> str:
        return str(self.upto)


class KeptLogFilter(models.Model):
    """A filter of the log that an auditor keeps under a name, for themself."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=80)
    asked = models.CharField(max_length=600)  # the query of the address, without a place

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "name"], name="log_filter_once")]

    def __str__(self) -> str:
        return self.name
