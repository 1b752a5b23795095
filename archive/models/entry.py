"""The rows of the log. Append-only by triggers (see the migrations); never updated, never deleted.

`AuditEntry.body` are the canonical bytes as hashed; the columns beside it are copies
for finding. `AuditLeaf` gives each entry its place in the one sequence that the
search index follows. `AuditDetail` holds what may one day be destroyed while the log
still verifies: the entry carries only a salted digest of it. `AuditPending` is a queue
and the one table of the log from which rows go.
"""

import uuid

from django.db import models

from archive.models.access import LEVEL_CHOICES
from archive.models.octets import Octets
from archive.models.people import Person

NOT_DONE = ~models.Q(outcome="ok")
CLASSIFIED = models.Q(level__gt=0)
# A refusal that names what was asked for as the key of a dispatch, where none was known under it.
KEY_REFUSED = (
    models.Q(record_id__isnull=True) & NOT_DONE & (models.Q(object_type="record") | models.Q(object_type="original"))
)


class AuditEntry(models.Model):
    """One act, read or refusal."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    ts = models.DateTimeField()
    actor = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+", db_index=False)
    action = models.CharField(max_length=40)
    outcome = models.CharField(max_length=8)  # ok, denied, error
    object_type = models.CharField(max_length=20)
    object_id = models.CharField(max_length=40)
    object_seq = models.PositiveBigIntegerField()
    record_id = models.BigIntegerField(
        null=True
    )  # the record concerned, for finding; no foreign key: the log outlives it
    level = models.SmallIntegerField(choices=LEVEL_CHOICES, default=0)
    body = Octets()
    leaf_hash = Octets(max_length=32)

    class Meta:
        constraints = [
            # The chain of one object: the previous leaf is its highest object_seq.
            models.UniqueConstraint(fields=["object_type", "object_id", "object_seq"], name="entry_chain"),
        ]
        indexes = [
            models.Index(fields=["ts"], name="entry_ts"),  # the auditor's timeline
            # What did she see last month; what did this unit do at night. Told by this index alone: the entries of a month
            # lie scattered over the whole of it.
            models.Index(fields=["actor", "ts", "outcome", "action", "record_id", "level"], name="entry_actor"),
            models.Index(fields=["actor", "action", "ts"], name="entry_actor_action"),  # what did she print last month
            # Who saw this: told by this index alone. What is about no dispatch lies not in it.
            models.Index(
                fields=["record_id", "ts", "actor", "action", "outcome"],
                condition=models.Q(record_id__isnull=False),
                name="entry_record",
            ),
            models.Index(
                fields=["object_id", "ts"], condition=KEY_REFUSED, name="entry_key_refused"
            ),  # who asked for this key
            models.Index(fields=["action", "ts"], name="entry_action"),
            # who was refused; the many entries of what was done lie not in these three (`archive.planning.Known`)
            models.Index(fields=["outcome", "ts"], condition=NOT_DONE, name="entry_not_done"),
            models.Index(fields=["outcome", "action", "ts"], condition=NOT_DONE, name="entry_not_done_action"),
            models.Index(fields=["outcome", "actor", "ts"], condition=NOT_DONE, name="entry_not_done_actor"),
            # what was done with papers of this level; most entries are unclassified and lie not in them
            models.Index(fields=["level", "ts"], condition=CLASSIFIED, name="entry_level"),
            models.Index(fields=["level", "action", "ts"], condition=CLASSIFIED, name="entry_level_action"),
            models.Index(fields=["level", "actor", "ts"], condition=CLASSIFIED, name="entry_level_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.ts:%Y-%m-%dT%H:%M:%S} {self.action} {self.outcome}"


class AuditLeaf(models.Model):
    """The place of an entry in the sequence: gapless from 0."""

    idx = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(AuditEntry, models.PROTECT, related_name="leaf")

    def __str__(self) -> str:
        return str(self.idx)


class AuditDetail(models.Model):
    """The values behind an entry's salted digest."""

    entry = models.OneToOneField(AuditEntry, models.PROTECT, primary_key=True, related_name="detail")
    salt = Octets(max_length=16)
    payload = models.JSONField()

    def __str__(self) -> str:
        return str(self.entry_id)


class AuditRow(models.Model):
    """The digest of a watched row as an act left it (`archive.digests`); the act's entry commits to it."""

    entry = models.ForeignKey(AuditEntry, models.PROTECT, related_name="rows")
    kind = models.CharField(max_length=20)
    row_id = models.BigIntegerField()
    salt = Octets(max_length=16)  # the same for every digest of one row
    columns = models.TextField()  # their names, in order
    digests = Octets()  # 32 bytes over all, then 6 of each column

    class Meta:
        indexes = [
            # The last digest of one row.
            models.Index(fields=["kind", "row_id", "id"], name="row_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.row_id}"


class AuditShown(models.Model):
    """One of the dispatches that a page of many showed more of than a list does; copied from the entry and its details for finding."""

    entry = models.ForeignKey(AuditEntry, models.PROTECT, related_name="shown")
    record_id = models.BigIntegerField()  # no foreign key: the log outlives it
    level = models.SmallIntegerField()  # then
    # The entry's own: who saw a dispatch on twenty thousand pages is told without looking for as many entries.
    actor_id = models.BigIntegerField()
    ts = models.DateTimeField()

    class Meta:
        indexes = [
            # Who saw this on a page of hits, the newest first.
            models.Index(fields=["record_id", "ts", "actor_id"], name="shown_record"),
            # What she saw on pages of hits last month.
            models.Index(fields=["actor_id", "ts", "record_id", "level"], name="shown_actor"),
        ]

    def __str__(self) -> str:
        return str(self.record_id)


class AuditPending(models.Model):
    """An entry that waits for its place (PostgreSQL; SQLite gives places at once).

    Ids are drawn while the act holds its object's chain, so they keep the order of each
    object. No foreign key and no second index: this row is written by every act.
    """

    entry_id = models.UUIDField()

    def __str__(self) -> str:
        return str(self.entry_id)
