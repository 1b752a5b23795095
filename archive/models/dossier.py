"""Dossiers, what is filed in them, and holds. Hold rows are never deleted."""

from django.db import models
from django.db.models import F, Q

from archive.models.access import LEVEL_CHOICES
from archive.models.people import Person, Unit
from archive.models.record import Record, new_key
from archive.models.schedule import RecordClass, RetentionRule


class Dossier(models.Model):
    """A dossier (hồ sơ): its level is never below that of a record filed in it."""

    key = models.CharField(max_length=12, unique=True, default=new_key, editable=False)
    # Number and symbol, e.g. 01.TC. Once in a unit's year among what its opener may know of (`archive.dossiers.begin`): a
    # constraint over all would tell of a dossier that must not be shown.
    code = models.CharField(max_length=40)
    year = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=500)
    record_class = models.ForeignKey(RecordClass, models.PROTECT, related_name="dossiers", db_index=False)
    rule = models.ForeignKey(RetentionRule, models.PROTECT, related_name="dossiers", db_index=False)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="dossiers")
    level = models.SmallIntegerField(choices=LEVEL_CHOICES, default=0)
    opened_on = models.DateField()
    opened_by = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    ended_on = models.DateField(null=True, blank=True)  # the day the work ended: retention counts from its year
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    superseded_on = models.DateField(null=True, blank=True)  # the event that ends UNTIL_SUPERSEDED and its kin
    description = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-year", "code")
        indexes = [models.Index(F("year").desc(), F("code"), name="dossier_newest")]  # the list, a page at a time
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(ended_on__isnull=False), name="dossier_closed_has_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


class DossierItem(models.Model):
    """One record in one dossier; a record may lie in several without copying."""

    dossier = models.ForeignKey(Dossier, models.PROTECT, related_name="items", db_index=False)
    record = models.ForeignKey(Record, models.PROTECT, related_name="filings")
    doc_ordinal = models.PositiveIntegerField()
    filed_at = models.DateTimeField()
    filed_by = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)

    class Meta:
        ordering = ("doc_ordinal",)
        constraints = [
            models.UniqueConstraint(fields=["dossier", "record"], name="filed_once"),
            models.UniqueConstraint(fields=["dossier", "doc_ordinal"], name="ordinal_once"),
        ]

    def __str__(self) -> str:
        return f"{self.dossier_id}/{self.doc_ordinal}"


class Shelf(models.Model):
    """One distinct combination of units in whose dossiers a record lies; row 1 is "no dossier" (`archive.shelves`)."""

    name = models.CharField(max_length=64, unique=True)  # digest of its parts, "" of none

    def __str__(self) -> str:
        return self.name


class ShelfPart(models.Model):
    """One unit of a combination, with the lowest level of its dossiers that the record lies in."""

    shelf = models.ForeignKey(Shelf, models.PROTECT, related_name="parts", db_index=False)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", db_index=False)
    level = models.SmallIntegerField(choices=LEVEL_CHOICES)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shelf", "unit"], name="shelf_unit_once")]

    def __str__(self) -> str:
        return f"{self.shelf_id}/{self.unit_id}"


class Hold(models.Model):
    """A hold (freeze): nothing it covers may be destroyed until it is lifted, with a reason."""

    name = models.CharField(max_length=200)
    reason = models.CharField(max_length=500)
    mandate = models.CharField(max_length=300, blank=True)
    placed_at = models.DateTimeField()
    placed_by = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    lift_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True) | ~Q(lift_reason=""), name="hold_lift_has_reason"
            )
        ]

    def __str__(self) -> str:
        return self.name


class HoldItem(models.Model):
    """What a hold covers: a dossier with all its records, or a single record."""

    hold = models.ForeignKey(Hold, models.PROTECT, related_name="items", db_index=False)
    dossier = models.ForeignKey(Dossier, models.PROTECT, null=True, blank=True, related_name="hold_items")
    record = models.ForeignKey(Record, models.PROTECT, null=True, blank=True, related_name="hold_items")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(dossier__isnull=True) ^ Q(record__isnull=True), name="hold_one_thing"),
            models.UniqueConstraint(fields=["hold", "dossier"], name="hold_dossier_once"),
            models.UniqueConstraint(fields=["hold", "record"], name="hold_record_once"),
        ]

    def __str__(self) -> str:
        return f"{self.hold_id}: {self.dossier_id or self.record_id}"
