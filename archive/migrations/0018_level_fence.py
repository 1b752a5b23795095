"""The history of levels is append-only, an initial level never changes; periods of law; what was determined so far.

Second line behind `archive.leveling`, on both databases; who owns the tables or holds the file
can drop a trigger, which is why the log tells of every change as well. A later migration that
rebuilds archive_record on SQLite drops its trigger: `test_levels_fence` fails then.
"""

from datetime import date

from django.db import migrations

from archive.rules.protection import last_day, period_on

WORDS = "the history of levels is append-only"
INITIAL = "an initial level never changes"
KEPT = (
    "id", "record_id", "kind", "from_level", "to_level", "authority", "basis", "decided_on", "reason",
    "proposed_by_id", "done_by_id", "done_at", "protected_until", "review_on",
)  # fmt: skip
SQLITE = """
CREATE TRIGGER archive_levelchange_no_update BEFORE UPDATE ON archive_levelchange
WHEN OLD.keys_at IS NOT NULL OR {changed} BEGIN SELECT RAISE(ABORT, '{words}'); END|
CREATE TRIGGER archive_levelchange_no_delete BEFORE DELETE ON archive_levelchange
BEGIN SELECT RAISE(ABORT, '{words}'); END|
CREATE TRIGGER archive_levelchange_no_replace BEFORE INSERT ON archive_levelchange
WHEN EXISTS (SELECT 1 FROM archive_levelchange WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, '{words}'); END|
CREATE TRIGGER archive_record_initial_level BEFORE UPDATE OF initial_level ON archive_record
WHEN OLD.state <> 'draft' AND NEW.initial_level <> OLD.initial_level BEGIN SELECT RAISE(ABORT, '{initial}'); END
"""
POSTGRESQL = """
CREATE FUNCTION archive_levels_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.keys_at IS NOT NULL OR {changed} THEN
        RAISE EXCEPTION '{words}' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$|
CREATE TRIGGER archive_levelchange_kept BEFORE UPDATE OR DELETE ON archive_levelchange
FOR EACH ROW EXECUTE FUNCTION archive_levels_are_kept()|
CREATE FUNCTION archive_initial_level_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{initial}' USING ERRCODE = 'insufficient_privilege';
END $$|
CREATE TRIGGER archive_record_initial_level BEFORE UPDATE OF initial_level ON archive_record FOR EACH ROW
WHEN (OLD.state <> 'draft' AND NEW.initial_level <> OLD.initial_level)
EXECUTE FUNCTION archive_initial_level_is_kept()
"""
YEARS = {3: 30, 2: 20, 1: 10}
LAWS = (
    ("Luật Bảo vệ bí mật nhà nước 29/2018/QH14, Điều 19, 20", date(2020, 7, 1), date(2026, 2, 28)),
    (
        "Luật Bảo vệ bí mật nhà nước 117/2025/QH15 (số năm, số ngày theo Luật 29/2018/QH14: đối chiếu văn bản)",
        date(2026, 3, 1),
        None,
    ),
)


def fence(apps, schema_editor):
    """Make the triggers."""
    vendor = schema_editor.connection.vendor
    differs = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}[vendor]
    changed = " OR ".join(f"NEW.{name} {differs} OLD.{name}" for name in KEPT)
    wanted = SQLITE if vendor == "sqlite" else POSTGRESQL
    for statement in wanted.format(changed=changed, words=WORDS, initial=INITIAL).split("|"):
        schema_editor.execute(statement.strip(), params=None)


def periods(apps, schema_editor):
    """Write the periods of both laws."""
    model = apps.get_model("archive", "ProtectionPeriod")
    for basis, since, until in LAWS:
        for level, years in YEARS.items():
            model.objects.create(
                level=level, years=years, extend_days=60, notice_days=15, basis=basis, valid_from=since, valid_to=until
            )


def determined(apps, schema_editor):
    """Begin the history of every registered secret record with what its registration determined."""
    record_, change = apps.get_model("archive", "Record"), apps.get_model("archive", "LevelChange")
    rows = list(apps.get_model("archive", "ProtectionPeriod").objects.all())
    secret = record_.objects.filter(level__gt=0, registered_at__isnull=False)
    for record in secret.iterator(chunk_size=500):
        day = record.issued_date or record.registered_at.date()
        period = period_on(rows, record.level, day)
        change.objects.create(
            record_id=record.pk,
            kind="determine",
            from_level=record.level,
            to_level=record.level,
            decided_on=day,
            done_by_id=record.registered_by_id,
            done_at=record.registered_at,
            protected_until=last_day(day, period.years) if period else None,
            keys_at=record.registered_at,
        )


class Migration(migrations.Migration):
    dependencies = [("archive", "0017_level_life")]
    operations = [
        migrations.RunPython(fence, migrations.RunPython.noop),
        migrations.RunPython(periods, migrations.RunPython.noop),
        migrations.RunPython(determined, migrations.RunPython.noop),
    ]
