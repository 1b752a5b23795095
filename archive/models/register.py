"""Registers and their numbers: unique, gapless per register and year, never edited."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.models.people import Person, Unit
from archive.models.record import Record


class RegisterKind(models.TextChoices):
    """The books of the office; secret dispatches have their own number series."""

    INCOMING = "incoming", _("Incoming register")
    OUTGOING = "outgoing", _("Outgoing register")
    SECRET_INCOMING = "secret_incoming", _("Incoming register of state secrets")
    SECRET_OUTGOING = "secret_outgoing", _("Outgoing register of state secrets")


class Register(models.Model):
    """One book: kind and unit; it runs through the years with a new series each year."""

    kind = models.CharField(max_length=20, choices=RegisterKind)
    name = models.CharField(max_length=120)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="registers", db_index=False)
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["unit", "kind", "name"], name="register_once")]

    def __str__(self) -> str:
        return self.name


class RegisterCounter(models.Model):
    """The last number allotted in a register and year; the row is the lock."""

    register = models.ForeignKey(Register, models.PROTECT, related_name="counters", db_index=False)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["register", "year"], name="counter_once")]

    def __str__(self) -> str:
        return f"{self.register} {self.year}: {self.last}"


class RegisterNumber(models.Model):
    """One allotted number. A void number keeps its row, its record and the reason."""

    register = models.ForeignKey(Register, models.PROTECT, related_name="numbers", db_index=False)
    year = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    record = models.OneToOneField(Record, models.PROTECT, related_name="number")
    allotted_at = models.DateTimeField()
    allotted_by = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    void_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            # Fence against a double number, and the index of the book's pages.
            models.UniqueConstraint(fields=["register", "year", "number"], name="number_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="number_from_one"),
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True) | ~Q(void_reason=""), name="number_void_has_reason"
            ),
        ]
        ordering = ("register", F("year").desc(), F("number").desc())
        indexes = [
            # The numbers of the last days for a desk's chart, and a book's page of chosen days, not the whole year.
            models.Index(fields=["register", "allotted_at"], name="number_of_day"),
        ]

    def __str__(self) -> str:
        return f"{self.number}/{self.year}"
