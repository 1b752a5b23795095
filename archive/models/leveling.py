"""The life of a record's secrecy level: its history, proposals that wait for a second person, notices to holders.

`LevelChange` is append-only on both databases; the newest row of a record is its present state:
level, end of protection, next review. Periods are dated data with a citation.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.models.access import LEVEL_CHOICES
from archive.models.people import Person, Unit
from archive.models.schedule import STANDING


class ChangeKind(models.TextChoices):
    """What was decided about a level."""

    DETERMINE = "determine", _("Determined")
    RAISE = "raise", _("Raised")
    LOWER = "lower", _("Lowered")
    DECLASSIFY = "declassify", _("Declassified")
    EXTEND = "extend", _("Protection extended")
    REVIEW = "review", _("Reviewed")


class ProtectionPeriod(models.Model):
    """How long a level protects, and the days of its duties, valid for a time, with the text it rests on."""

    level = models.SmallIntegerField(choices=LEVEL_CHOICES)
    years = models.PositiveSmallIntegerField()
    extend_days = models.PositiveSmallIntegerField()  # an extension is decided at the latest so long before the end
    notice_days = models.PositiveSmallIntegerField()  # holders are told within so many days of a decision
    basis = models.CharField(max_length=300)  # citation shown to the reader
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ("level", "valid_from")
        constraints = [
            models.UniqueConstraint(fields=["level", "valid_from"], condition=STANDING, name="protection_version_once"),
            models.CheckConstraint(condition=Q(level__gte=1, years__gte=1), name="protection_is_a_period"),
        ]

    def __str__(self) -> str:
        return f"{self.get_level_display()}: {self.years}"

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was withdrawn before its day came."""
        return self.valid_to is not None and self.valid_to < self.valid_from


class LevelChange(models.Model):
    """One decision about the level of a record. Append-only; `keys_at` alone is written later, once."""

    record = models.ForeignKey("archive.Record", models.PROTECT, related_name="level_changes", db_index=False)
    kind = models.CharField(max_length=12, choices=ChangeKind)
    from_level = models.SmallIntegerField(choices=LEVEL_CHOICES)
    to_level = models.SmallIntegerField(choices=LEVEL_CHOICES)
    authority = models.CharField(max_length=200, blank=True)  # who is competent: name and post on the decision
    basis = models.CharField(max_length=200, blank=True)  # number of the decision
    decided_on = models.DateField(null=True, blank=True)  # day of the decision
    reason = models.CharField(max_length=500, blank=True)
    proposed_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    done_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    done_at = models.DateTimeField()
    protected_until = models.DateField(null=True, blank=True)  # last day; None: no period runs
    review_on = models.DateField(null=True, blank=True)
    keys_at = models.DateTimeField(null=True, blank=True)  # when every sealed object lay under the key of the level

    class Meta:
        ordering = ("pk",)
        indexes = [
            models.Index(fields=["record", "id"], name="level_of_record"),
            models.Index(fields=["protected_until"], name="level_ends", condition=Q(protected_until__isnull=False)),
            models.Index(fields=["review_on"], name="level_review", condition=Q(review_on__isnull=False)),
            models.Index(fields=["id"], name="level_keys_left", condition=Q(keys_at__isnull=True)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="raise", to_level__gt=F("from_level"))
                | Q(kind="lower", to_level__lt=F("from_level"), to_level__gt=0)
                | Q(kind="declassify", to_level=0, from_level__gt=0)
                | Q(kind__in=["determine", "extend", "review"], to_level=F("from_level")),
                name="level_change_is_its_kind",
            ),
            # Nobody lowers alone, and nobody without authority, decision and its day.
            models.CheckConstraint(
                condition=~Q(kind__in=["lower", "declassify"])
                | (
                    Q(proposed_by__isnull=False, done_by__isnull=False, decided_on__isnull=False)
                    & ~Q(proposed_by=F("done_by"))
                    & ~Q(authority="")
                    & ~Q(basis="")
                    & ~Q(reason="")
                ),
                name="level_lowered_by_two",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id}: {self.kind} {self.from_level} -> {self.to_level}"


class ProposalState(models.TextChoices):
    """Where a proposal is."""

    OPEN = "open", _("Waiting for a second person")
    CONFIRMED = "confirmed", _("Confirmed")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class LevelProposal(models.Model):
    """A change of level that one person asks for and another confirms; each reader knows of one open at a time."""

    record = models.ForeignKey("archive.Record", models.PROTECT, related_name="level_proposals", db_index=False)
    kind = models.CharField(max_length=12, choices=ChangeKind)
    from_level = models.SmallIntegerField(choices=LEVEL_CHOICES)
    to_level = models.SmallIntegerField(choices=LEVEL_CHOICES)
    authority = models.CharField(max_length=200)
    basis = models.CharField(max_length=200)
    decided_on = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=500)
    proposed_by = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    proposed_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=ProposalState, default=ProposalState.OPEN)
    closed_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("pk",)
        constraints = [
            # One for each target: a proposal to a level that a person is not cleared for must not stop theirs.
            models.UniqueConstraint(
                fields=["record", "to_level"], condition=Q(state="open"), name="level_proposal_open_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id}: {self.kind} -> {self.to_level}"


class LevelNotice(models.Model):
    """One holder of a record to be told of a change within its days: a unit, a person, or a recipient outside."""

    change = models.ForeignKey(LevelChange, models.PROTECT, related_name="notices")
    record = models.ForeignKey("archive.Record", models.PROTECT, related_name="+", db_index=False)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    outside = models.CharField(max_length=1000, blank=True)  # recipients as the dispatch names them
    copies = models.TextField(blank=True)  # numbers of the copies this person held: they are marked anew
    due_on = models.DateField()
    told_on = models.DateField(null=True, blank=True)
    told_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    how = models.CharField(max_length=300, blank=True)  # number of the notice, way and day, re-marking confirmed

    class Meta:
        ordering = ("due_on", "pk")
        indexes = [
            models.Index(fields=["due_on", "id"], name="level_notice_due", condition=Q(told_on__isnull=True)),
        ]

    def __str__(self) -> str:
        return str(self.unit or self.person or self.outside)
