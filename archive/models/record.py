"""Records, their sealed objects and their pages.

After registering, content and the fields of capture do not change; the original is
immutable from the first byte. No page text lies in the database: a `Page` row holds
ranges of the sealed pack in which its image, thumbnail and text stand.
"""

import secrets

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.models.access import LEVEL_CHOICES, Marking
from archive.models.people import Person, Unit
from archive.rules.levels import Urgency

URGENCY_CHOICES = [(urgency.value, urgency.label) for urgency in Urgency]
KEY_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def new_key() -> str:
    """Return a random name for addresses: gaps between keys tell nothing about hidden records."""
    return "".join(secrets.choice(KEY_ALPHABET) for _ in range(12))


class RecordState(models.TextChoices):
    """Where a record is in its life (first form; disposal states come with disposal)."""

    DRAFT = "draft", _("On the intake desk")
    REGISTERED = "registered", _("Registered")
    VOID = "void", _("Number void")
    RETURNED = "returned", _("Returned to sender")


class Direction(models.TextChoices):
    """Whether a dispatch came in or goes out."""

    INCOMING = "incoming", _("Incoming")
    OUTGOING = "outgoing", _("Outgoing")


class Record(models.Model):
    """One dispatch: the register fields of annex VI, its level, its state."""

    key = models.CharField(max_length=12, unique=True, default=new_key, editable=False)
    state = models.CharField(max_length=12, choices=RecordState, default=RecordState.DRAFT)
    direction = models.CharField(max_length=8, choices=Direction, default=Direction.INCOMING)
    level = models.SmallIntegerField(choices=LEVEL_CHOICES)
    initial_level = models.SmallIntegerField(choices=LEVEL_CHOICES)
    declared_level = models.SmallIntegerField(choices=LEVEL_CHOICES)
    # max(declared, sure evidence): a clerk confirms this or more; while a draft, `level` is the highest plausible one
    proposed_level = models.SmallIntegerField(choices=LEVEL_CHOICES)
    marking = models.ForeignKey(Marking, models.PROTECT, default=1, db_index=False)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="records")  # owning unit: need-to-know "own unit"

    code_number = models.CharField(max_length=11, blank=True)
    code_notation = models.CharField(max_length=60, blank=True)
    issued_date = models.DateField(null=True, blank=True)
    organ_name = models.CharField(max_length=200, blank=True)
    parent_organ_name = models.CharField(max_length=200, blank=True)
    type_name = models.CharField(max_length=100, blank=True)
    subject = models.CharField(max_length=500, blank=True)
    signer_name = models.CharField(max_length=50, blank=True)
    signer_position = models.CharField(max_length=100, blank=True)
    signer_authority = models.CharField(max_length=10, blank=True)
    urgency = models.SmallIntegerField(choices=URGENCY_CHOICES, default=Urgency.THUONG)
    language = models.CharField(max_length=30, default="Tiếng Việt")
    page_amount = models.PositiveIntegerField(default=0)
    manifest = models.CharField(max_length=64, null=True, editable=False)  # of its files and pages: `archive.manifests`
    description = models.CharField(max_length=500, blank=True)
    to_places = models.CharField(max_length=1000, blank=True)
    arrival_date = models.DateField(null=True, blank=True)
    arrival_time = models.TimeField(null=True, blank=True)
    due_date = models.DateField(null=True, blank=True)
    medium = models.CharField(max_length=20, default="paper")
    channel = models.CharField(max_length=20, blank=True)
    issued_amount = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    reply_to = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="replies")
    # Written by the acts that make it true, for the partial index below: "has no step" walked every dispatch.
    is_handed = models.BooleanField(default=False)  # has been handed to somebody: a step exists

    proposal = models.JSONField(default=dict)  # {field: Guess.to_json()}: what the machine read; never a saved value
    evidence = models.JSONField(default=list)  # [Evidence.to_json()]: signs of secrecy
    flags = models.JSONField(default=list)  # marks for a person: encrypted, signed, active, hidden_text, low_confidence
    field_origin = models.JSONField(default=dict)  # {field: "machine" | "person"}: who gave each saved value

    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    registered_at = models.DateTimeField(null=True, blank=True)
    registered_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    return_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "id"], name="record_state"),  # the intake desk
            models.Index(fields=["issued_date", "id"], name="record_issued"),  # lists by date
            models.Index(fields=["code_notation", "code_number"], name="record_symbol"),  # duplicate warning
            # What the desk has to submit, urgent ones first (routing.lists.to_forward).
            models.Index(
                F("urgency").desc(),
                F("registered_at"),
                condition=Q(state="registered", direction="incoming", is_handed=False),
                name="record_to_forward",
            ),
            # The newest dispatches that may be named as a reply (forms.route.AnswerForm).
            models.Index(
                F("registered_at").desc(),
                condition=Q(state="registered", direction="outgoing", reply_to__isnull=True),
                name="record_replies",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="draft") | Q(state="returned") | Q(registered_at__isnull=False),
                name="record_registered_at",
            ),
            # Top secret never has an abstract (decree 63/2026/ND-CP).
            models.CheckConstraint(condition=~Q(level=3) | Q(subject=""), name="record_top_secret_no_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.type_name} {self.symbol}".strip() or self.key

    @property
    def symbol(self) -> str:
        """Return number and symbol as printed, "123/BC-BCH" or "31-NQ/ĐU"."""
        from archive.rules.numbers import join

        return join(self.code_number, self.code_notation)


class ObjectRole(models.TextChoices):
    """What a sealed object is to its record."""

    ORIGINAL = "original", _("Original")
    ATTACHMENT = "attachment", _("Attached file")
    PACK = "pack", _("Page images and text")


class DigitalObject(models.Model):
    """One sealed object in the store: its address and digests; written once, and another row when it is sealed anew."""

    address = models.CharField(max_length=32, primary_key=True)
    record = models.ForeignKey(Record, models.PROTECT, null=True, blank=True, related_name="sealed_objects")
    role = models.CharField(max_length=10, choices=ObjectRole)
    media_type = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=255, blank=True)  # as handed over, NFC
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    sealed_size = models.BigIntegerField()
    sealed_sha256 = models.CharField(max_length=64)
    level = models.SmallIntegerField(choices=LEVEL_CHOICES)
    signatures = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.address


class Misplaced(models.Model):
    """A sealed object whose level has moved and whose bytes still lie where those of the old one do (`archive.settling`)."""

    object = models.OneToOneField(DigitalObject, models.CASCADE, primary_key=True, related_name="+")

    def __str__(self) -> str:
        return str(self.object_id)


class Page(models.Model):
    """One page as it is shown: where in the pack its image, thumbnail and text lie (bytes)."""

    record = models.ForeignKey(Record, models.PROTECT, related_name="pages", db_index=False)
    number = models.PositiveIntegerField()
    pack = models.ForeignKey(DigitalObject, models.PROTECT, related_name="+", db_index=False)
    width = models.PositiveIntegerField()  # pixels of the image
    height = models.PositiveIntegerField()
    image_start = models.BigIntegerField()
    image_length = models.PositiveIntegerField()
    thumb_start = models.BigIntegerField()
    thumb_length = models.PositiveIntegerField()
    text_start = models.BigIntegerField()
    text_length = models.PositiveIntegerField()
    source = models.CharField(max_length=10)  # layer, ocr, none
    confidence = models.PositiveSmallIntegerField()
    flags = models.JSONField(default=list)

    class Meta:
        ordering = ("number",)
        constraints = [models.UniqueConstraint(fields=["record", "number"], name="page_once")]

    def __str__(self) -> str:
        return f"{self.record_id} p. {self.number}"
