"""The life of a secrecy level: periods, history, proposals, notices; marks that keep a level."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0016_row_digests")]

    operations = [
        migrations.AddField(
            model_name="mark",
            name="keeps_level",
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name="LevelChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("determine", "Determined"),
                            ("raise", "Raised"),
                            ("lower", "Lowered"),
                            ("declassify", "Declassified"),
                            ("extend", "Protection extended"),
                            ("review", "Reviewed"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "from_level",
                    models.SmallIntegerField(
                        choices=[(0, "Unclassified"), (1, "Confidential"), (2, "Secret"), (3, "Top secret")]
                    ),
                ),
                (
                    "to_level",
                    models.SmallIntegerField(
                        choices=[(0, "Unclassified"), (1, "Confidential"), (2, "Secret"), (3, "Top secret")]
                    ),
                ),
                ("authority", models.CharField(blank=True, max_length=200)),
                ("basis", models.CharField(blank=True, max_length=200)),
                ("decided_on", models.DateField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("done_at", models.DateTimeField()),
                ("protected_until", models.DateField(blank=True, null=True)),
                ("review_on", models.DateField(blank=True, null=True)),
                ("keys_at", models.DateTimeField(blank=True, null=True)),
                (
                    "done_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="level_changes",
                        to="archive.record",
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="LevelNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("outside", models.CharField(blank=True, max_length=1000)),
                ("due_on", models.DateField()),
                ("told_on", models.DateField(blank=True, null=True)),
                ("how", models.CharField(blank=True, max_length=300)),
                (
                    "change",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="notices", to="archive.levelchange"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="archive.record",
                    ),
                ),
                (
                    "told_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="archive.unit",
                    ),
                ),
            ],
            options={
                "ordering": ("due_on", "pk"),
            },
        ),
        migrations.CreateModel(
            name="LevelProposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("determine", "Determined"),
                            ("raise", "Raised"),
                            ("lower", "Lowered"),
                            ("declassify", "Declassified"),
                            ("extend", "Protection extended"),
                            ("review", "Reviewed"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "from_level",
                    models.SmallIntegerField(
                        choices=[(0, "Unclassified"), (1, "Confidential"), (2, "Secret"), (3, "Top secret")]
                    ),
                ),
                (
                    "to_level",
                    models.SmallIntegerField(
                        choices=[(0, "Unclassified"), (1, "Confidential"), (2, "Secret"), (3, "Top secret")]
                    ),
                ),
                ("authority", models.CharField(max_length=200)),
                ("basis", models.CharField(max_length=200)),
                ("decided_on", models.DateField(blank=True, null=True)),
                ("reason", models.CharField(max_length=500)),
                ("proposed_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Waiting for a second person"),
                            ("confirmed", "Confirmed"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("close_reason", models.CharField(blank=True, max_length=500)),
                (
                    "closed_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="level_proposals",
                        to="archive.record",
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="ProtectionPeriod",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "level",
                    models.SmallIntegerField(
                        choices=[(0, "Unclassified"), (1, "Confidential"), (2, "Secret"), (3, "Top secret")]
                    ),
                ),
                ("years", models.PositiveSmallIntegerField()),
                ("extend_days", models.PositiveSmallIntegerField()),
                ("notice_days", models.PositiveSmallIntegerField()),
                ("basis", models.CharField(max_length=300)),
                ("valid_from", models.DateField()),
                ("valid_to", models.DateField(blank=True, null=True)),
            ],
            options={
                "ordering": ("level", "valid_from"),
                "constraints": [
                    models.UniqueConstraint(fields=("level", "valid_from"), name="protection_version_once"),
                    models.CheckConstraint(
                        condition=models.Q(("level__gte", 1), ("years__gte", 1)), name="protection_is_a_period"
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="levelchange",
            index=models.Index(fields=["record", "id"], name="level_of_record"),
        ),
        migrations.AddIndex(
            model_name="levelchange",
            index=models.Index(
                condition=models.Q(("protected_until__isnull", False)), fields=["protected_until"], name="level_ends"
            ),
        ),
        migrations.AddIndex(
            model_name="levelchange",
            index=models.Index(
                condition=models.Q(("review_on__isnull", False)), fields=["review_on"], name="level_review"
            ),
        ),
        migrations.AddIndex(
            model_name="levelchange",
            index=models.Index(condition=models.Q(("keys_at__isnull", True)), fields=["id"], name="level_keys_left"),
        ),
        migrations.AddConstraint(
            model_name="levelchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "raise"), ("to_level__gt", models.F("from_level"))),
                    models.Q(("kind", "lower"), ("to_level__gt", 0), ("to_level__lt", models.F("from_level"))),
                    models.Q(("from_level__gt", 0), ("kind", "declassify"), ("to_level", 0)),
                    models.Q(("kind__in", ["determine", "extend", "review"]), ("to_level", models.F("from_level"))),
                    _connector="OR",
                ),
                name="level_change_is_its_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="levelchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["lower", "declassify"]), _negated=True),
                    models.Q(
                        ("decided_on__isnull", False),
                        ("done_by__isnull", False),
                        ("proposed_by__isnull", False),
                        models.Q(("proposed_by", models.F("done_by")), _negated=True),
                        models.Q(("authority", ""), _negated=True),
                        models.Q(("basis", ""), _negated=True),
                        models.Q(("reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="level_lowered_by_two",
            ),
        ),
        migrations.AddIndex(
            model_name="levelnotice",
            index=models.Index(
                condition=models.Q(("told_on__isnull", True)), fields=["due_on", "id"], name="level_notice_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="levelproposal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "open")), fields=("record",), name="level_proposal_open_once"
            ),
        ),
    ]
