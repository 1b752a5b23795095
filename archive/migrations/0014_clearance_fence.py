"""A clearance may only end earlier: no other column of it changes, no end moves later, no row goes.

Second line behind `archive.clearing`, on both databases; who owns the tables or holds the file
can drop a trigger, which is why the log tells of every clearance as well.
"""

from django.db import migrations

KEPT = ("id", "person_id", "level", "since", "basis", "reason", "granted_by_id")
LATER = (
    "(OLD.until IS NOT NULL AND (NEW.until IS NULL OR NEW.until > OLD.until))"
    " OR (OLD.revoked_at IS NOT NULL AND (NEW.revoked_at IS NULL OR NEW.revoked_at > OLD.revoked_at))"
)
WORDS = "a clearance may only end earlier"
MARKS = "the marks of a clearance are append-only"
POSTGRESQL = """
CREATE FUNCTION archive_clearance_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME <> 'archive_clearance' THEN
        RAISE EXCEPTION '{marks}' USING ERRCODE = 'insufficient_privilege';
    ELSIF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION '{words}' USING ERRCODE = 'insufficient_privilege';
    ELSIF {changed} OR {later} THEN
        RAISE EXCEPTION '{words}' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""


def fence(apps, schema_editor):
    """Make the triggers."""
    if schema_editor.connection.vendor == "sqlite":
        changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in KEPT)
        refuse = f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
        for name, when in (
            ("only_ends", f"BEFORE UPDATE ON archive_clearance WHEN {changed} OR {LATER}"),
            ("no_delete", "BEFORE DELETE ON archive_clearance"),
            (
                "no_replace",
                "BEFORE INSERT ON archive_clearance WHEN EXISTS (SELECT 1 FROM archive_clearance WHERE id = NEW.id)",
            ),
        ):
            schema_editor.execute(f"CREATE TRIGGER archive_clearance_{name} {when} {refuse}")
        for verb in ("UPDATE", "DELETE"):
            schema_editor.execute(
                f"CREATE TRIGGER archive_clearancemark_no_{verb.lower()} BEFORE {verb} ON archive_clearancemark "
                f"BEGIN SELECT RAISE(ABORT, '{MARKS}'); END"
            )
        return
    if schema_editor.connection.vendor != "postgresql":
        return
    changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in KEPT)
    schema_editor.execute(POSTGRESQL.format(changed=changed, later=LATER, words=WORDS, marks=MARKS))
    for table in ("archive_clearance", "archive_clearancemark"):
        schema_editor.execute(
            f"CREATE TRIGGER {table}_only_ends BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION archive_clearance_only_ends()"
        )


class Migration(migrations.Migration):
    dependencies = [("archive", "0013_compartments_and_clearances")]
    operations = [migrations.RunPython(fence, migrations.RunPython.noop)]
