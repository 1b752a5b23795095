"""File plan and retention periods: dated data with a citation, never constants in code."""

from typing import Final

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

# A dated row that was withdrawn before its day has an end before its beginning, and counts for nothing.
STANDING: Final = Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from"))


class RuleKind(models.TextChoices):
    """How a retention period is counted."""

    PERMANENT = "permanent", _("Permanent")
    YEARS = "years", _("Years from the end of the work")
    UNTIL_SUPERSEDED = "until_superseded", _("Until no longer in force")
    LIFE_OF_ASSET = "life_of_asset", _("Life of the work or asset")
    EVENT_YEARS = "event_years", _("Years from an event")


class RetentionRule(models.Model):
    """One row of a retention table, valid for a time, with the text it rests on."""

    code = models.CharField(max_length=30)
    title = models.CharField(max_length=300)
    kind = models.CharField(max_length=20, choices=RuleKind)
    years = models.PositiveSmallIntegerField(null=True, blank=True)
    basis = models.CharField(max_length=300)  # citation shown to the reader
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ("code", "valid_from")
        constraints = [
            models.UniqueConstraint(fields=["code", "valid_from"], condition=STANDING, name="rule_version_once"),
            models.CheckConstraint(
                condition=(Q(kind__in=["years", "event_years"]) & Q(years__gte=1))
                | (~Q(kind__in=["years", "event_years"]) & Q(years__isnull=True)),
                name="rule_years_match_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was withdrawn before its day came."""
        return self.valid_to is not None and self.valid_to < self.valid_from


class RecordClass(models.Model):
    """One line of the file plan (danh mục hồ sơ): a heading, or a class with a retention rule."""

    code = models.CharField(max_length=30)
    title = models.CharField(max_length=300)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children", db_index=False)
    rule = models.ForeignKey(
        RetentionRule, models.PROTECT, null=True, blank=True, related_name="classes", db_index=False
    )
    year = models.PositiveSmallIntegerField()  # a new list is approved each year; old dossiers keep theirs
    keeper = models.CharField(max_length=120, blank=True)
    closed_on = models.DateField(null=True, blank=True)  # no dossier is opened under it any more

    class Meta:
        ordering = ("year", "code")
        constraints = [models.UniqueConstraint(fields=["year", "code"], name="class_code_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


class Holiday(models.Model):
    """A day that differs from the week when deadlines are counted: free, or a day of rest that is worked instead."""

    day = models.DateField()
    name = models.CharField(max_length=120)
    basis = models.CharField(max_length=300)
    is_worked = models.BooleanField(default=False)
    taken_back_at = models.DateTimeField(null=True, blank=True)  # before its day came: it never counted

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day"], condition=Q(taken_back_at__isnull=True), name="holiday_once"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"
