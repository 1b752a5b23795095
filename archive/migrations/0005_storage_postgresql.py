"""How PostgreSQL keeps the busy tables: when it vacuums, how much room a page leaves for updates."""

from django.db import migrations

STORAGE = {
    # Counts and level facets of wide readers are index-only scans, which need pages marked all-visible: after 20,000
    # new rows, not after a fifth of the table (at 5.9 million access rows that was 1.2 million inserts).
    "archive_access": "autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 20000, "
    "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02",
    # A queue: as many rows go as come, and the sequencer reads its head.
    "archive_auditpending": "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000",
    # One row per register and year, updated by every number: the new version stays on its page.
    "archive_registercounter": "fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500",
    # Drafts become records, records change state: room for the new version on the same page.
    "archive_record": "fillfactor = 90",
}


def set_storage(apps, schema_editor):
    """Set the storage parameters of each table."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, parameters in STORAGE.items():
        schema_editor.execute(f"ALTER TABLE {table} SET ({parameters})")


class Migration(migrations.Migration):
    dependencies = [("archive", "0004_log_fence_postgresql")]
    operations = [migrations.RunPython(set_storage, migrations.RunPython.noop)]
