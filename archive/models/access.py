"""Clearance, scope, grants, and `Access`: the one table of need-to-know.

`Access` holds one row per record, principal and reason, written in the act that
gives the reason (`archive.access.derive`). A principal is an integer: unit id,
1,000,000 + person id, 2,000,000 + role, 3,000,000 + unit id for the intake desk of a
unit. Rows hold the direct unit only; the tree is expanded when asking.
"""

from typing import Final

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.models.people import Person, Unit
from archive.rules.levels import Level

FOREVER: Final = 2_147_483_647
NO_DOSSIER: Final = 1  # row 1 of Shelf
LEVEL_CHOICES = [(level.value, level.label) for level in Level]


class MarkRule(models.TextChoices):
    """What a reader must hold of the marks of one group on a record."""

    ALL = "all", _("every one of them")
    ANY = "any", _("one of them")


class MarkGroup(models.Model):
    """A group of compartment marks with its rule: a reader holds all, or any, of those on the record."""

    name = models.CharField(max_length=80, unique=True)
    rule = models.CharField(max_length=3, choices=MarkRule)

    def __str__(self) -> str:
        return self.name


class Mark(models.Model):
    """One compartment; who holds it stands on clearances, what lies in it on records. Never renamed, never removed."""

    group = models.ForeignKey(MarkGroup, models.PROTECT, related_name="marks", db_index=False)
    name = models.CharField(max_length=60, unique=True)
    keeps_level = models.BooleanField(default=False)  # what carries it is never lowered

    def __str__(self) -> str:
        return self.name


class Marking(models.Model):
    """One distinct combination of compartment marks; row 1 is "none"."""

    name = models.CharField(max_length=400, unique=True)
    marks = models.ManyToManyField(Mark, through="MarkingMark", related_name="+")

    def __str__(self) -> str:
        return self.name


class MarkingMark(models.Model):
    """One mark of a combination."""

    marking = models.ForeignKey(Marking, models.PROTECT, related_name="+", db_index=False)
    mark = models.ForeignKey(Mark, models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["marking", "mark"], name="marking_mark_once")]

    def __str__(self) -> str:
        return f"{self.marking_id}/{self.mark_id}"


class Clearance(models.Model):
    """The highest level a person may see and the marks they hold, for a time, given by somebody else.

    Append-only but for an earlier end: a trigger refuses every other change. What lasts longer is a new row.
    """

    person = models.ForeignKey(Person, models.PROTECT, related_name="clearances")
    level = models.SmallIntegerField(choices=LEVEL_CHOICES)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    basis = models.CharField(max_length=200)  # number and date of the decision
    reason = models.CharField(max_length=300, blank=True)
    marks = models.ManyToManyField(Mark, through="ClearanceMark", related_name="+")
    granted_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+", db_index=False)
    ended_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    end_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(person=F("granted_by")), name="clearance_two_people"),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.get_level_display()}"


class ClearanceMark(models.Model):
    """One mark held by a clearance, as long as the clearance is valid."""

    clearance = models.ForeignKey(Clearance, models.PROTECT, related_name="+", db_index=False)
    mark = models.ForeignKey(Mark, models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clearance", "mark"], name="clearance_mark_once")]

    def __str__(self) -> str:
        return f"{self.clearance_id}/{self.mark_id}"


class UnitScope(models.Model):
    """A subtree of units whose records a person may know of, by post or substitution; append-only."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="scopes")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", db_index=False)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    basis = models.CharField(max_length=200, blank=True)  # number and date of the decision
    granted_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+", db_index=False)
    ended_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    end_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(person=F("granted_by")), name="scope_two_people"),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.unit}"


class Grant(models.Model):
    """One record opened to one person for a time, with a reason; append-only but for its early end."""

    record = models.ForeignKey("archive.Record", models.PROTECT, related_name="grants")
    person = models.ForeignKey(Person, models.PROTECT, related_name="grants", db_index=False)
    since = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300)
    granted_by = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(person=F("granted_by")), name="grant_two_people"),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} -> {self.person}"


class Source(models.IntegerChoices):
    """Why a principal may know of a record."""

    OWNER = 1
    ADDRESSEE = 2
    STEP = 3
    GRANT = 4


class Access(models.Model):
    """Need-to-know: one row per record, principal and reason. Level and marking are the record's, copied.

    `shelf` says in which units' dossiers the record lies: what a reader takes for "not filed" hangs on which they know.
    """

    pk = models.CompositePrimaryKey("record_id", "principal", "source")
    record = models.ForeignKey("archive.Record", models.PROTECT, db_index=False, related_name="access")
    principal = models.IntegerField()
    source = models.SmallIntegerField(choices=Source)
    level = models.SmallIntegerField()
    marking = models.SmallIntegerField()
    since = models.IntegerField(default=0)  # minutes since 1970
    until = models.IntegerField(default=FOREVER)
    shelf = models.IntegerField(default=NO_DOSSIER)

    class Meta:
        indexes = [
            # What a reader knows in no dossier, of each principal and shelf by itself (dossiers.unfiled).
            models.Index(fields=["principal", "shelf", "level", "record"], name="access_shelf"),
            # Narrow lists, counts and the level facet are answered from this index alone.
            models.Index(fields=["principal", "record", "level", "marking", "since", "until"], name="access_who"),
        ]

    def __str__(self) -> str:
        return f"{self.record_id}/{self.principal}/{self.source}"
