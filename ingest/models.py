"""The queue: one `Scan` row per file handed in, one `Batch` per hand-over.

The row is the queue entry, the progress, the retry and the history. In every batch
in = filed + waiting + needs attention + refused, always (a duplicate is one of those
that need attention: a person compares). Only `worker` and `pipeline` change states,
by conditional updates.
"""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from archive.models import DigitalObject, Person, Record, Unit
from archive.models.access import LEVEL_CHOICES


class Channel(models.TextChoices):
    """How a file came in."""

    WEB = "web", _("Web upload")
    FOLDER = "folder", _("Watched folder")
    COMMAND = "command", _("Command")
    API = "api", _("API")
    RECORD = "record", _("Added to a dispatch")


class Batch(models.Model):
    """Files handed in together, under one declared level."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.CharField(max_length=10, choices=Channel)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", db_index=False)  # the intake desk that sees it
    declared_level = models.SmallIntegerField(choices=LEVEL_CHOICES)
    actor = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-created_at",)
        indexes = [models.Index(fields=["unit", "-created_at"], name="batch_recent")]  # the intake desk

    def __str__(self) -> str:
        return str(self.id)


class ScanState(models.TextChoices):
    """Where a scan is; the four words of the sum."""

    WAITING = "waiting", _("Waiting or being read")
    FILED = "filed", _("Taken in")
    ATTENTION = "attention", _("Needs attention")
    REFUSED = "refused", _("Refused")


class Scan(models.Model):
    """One file on its way to a draft record."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="scans", db_index=False)
    order = models.PositiveIntegerField()
    name = models.CharField(max_length=255)  # as handed over, NFC, path removed
    declared_level = models.SmallIntegerField(choices=LEVEL_CHOICES)
    level = models.SmallIntegerField(choices=LEVEL_CHOICES)  # highest plausible so far: who may see the row
    original = models.OneToOneField(DigitalObject, models.PROTECT, null=True, related_name="+")
    pack = models.OneToOneField(DigitalObject, models.PROTECT, null=True, related_name="+")
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0)
    media_type = models.CharField(max_length=100, blank=True)

    state = models.CharField(max_length=10, choices=ScanState, default=ScanState.WAITING)
    stage = models.CharField(max_length=10, default="sniff")  # the next stage to run
    code = models.CharField(max_length=20, blank=True)  # code of the sentence that explains the outcome
    reason = models.JSONField(default=dict)  # parameters of that sentence
    duplicate_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)
    flags = models.JSONField(default=list)
    page_count = models.PositiveIntegerField(default=0)
    pages_read = models.PositiveIntegerField(default=0)
    reading = models.JSONField(default=dict)  # page ranges of the pack and stamp finds, between `read` and `file`
    proposal = models.JSONField(default=dict)
    suggested_level = models.SmallIntegerField(choices=LEVEL_CHOICES, null=True)
    record = models.OneToOneField(Record, models.PROTECT, null=True, related_name="scan")  # the draft it became
    joins = models.ForeignKey(
        Record, models.PROTECT, null=True, related_name="joining", db_index=False
    )  # or joins as a file
    why = models.CharField(max_length=300, blank=True)  # it was added to that record, in the person's own words

    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()  # back-off
    lease_until = models.DateTimeField(null=True)  # a worker has it until then
    owner = models.CharField(max_length=80, blank=True)  # "host:pid" of that worker: freed at once when it is dead
    fence = models.PositiveIntegerField(default=0)  # grows with each claim: a late worker's write finds another number

    class Meta:
        ordering = ("batch", "order")
        constraints = [
            models.UniqueConstraint(fields=["batch", "order"], name="scan_order_once"),
            models.CheckConstraint(
                condition=~Q(state="filed") | Q(record__isnull=False) | Q(joins__isnull=False),
                name="scan_filed_has_record",
            ),
            models.CheckConstraint(condition=Q(record__isnull=True) | Q(joins__isnull=True), name="scan_one_record"),
            models.CheckConstraint(condition=~Q(state="refused") | ~Q(code=""), name="scan_refused_has_reason"),
        ]
        indexes = [
            # The worker's claim: the oldest waiting scan whose time has come.
            models.Index(fields=["not_before", "created_at"], condition=Q(state="waiting"), name="scan_claim"),
            models.Index(fields=["sha256"], name="scan_digest"),  # the same bytes twice
            # The files of a record that are not part of it yet; few scans join one.
            models.Index(fields=["joins", "created_at"], condition=Q(joins__isnull=False), name="scan_joining"),
        ]

    def __str__(self) -> str:
        return self.name
