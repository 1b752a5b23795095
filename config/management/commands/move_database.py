"""`manage.py move_database`: move an installation from SQLite to PostgreSQL, main database and key vault.

Stop web and workers first. Name the new place in the environment (VANKHO_DATABASE_URL,
VANKHO_DATABASE_OWNER_URL, VANKHO_VAULT_URL); the old one are the files under VANKHO_HOME.
Either everything is there and compared, or nothing. What was refused or failed stands in the log of the office, which is
where it was, and in that of the new place if it has one.
"""

from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from archive.management.answering import acting
from archive.rules.errors import Refusal
from config import moving


class Command(BaseCommand):
    """Move, compare, and say what to change."""

    help = "Move an installation from SQLite to PostgreSQL, with counts and digests of each table compared."
    requires_system_checks = [Tags.security]

    @acting("move_database", also=moving.logs_left)
    def handle(self, **_options: Any) -> None:
        try:
            moved = moving.move(tell=self.stdout.write)
        except Refusal as refusal:
            raise CommandError(f"{refusal.code}: {refusal}") from refusal
        if not moved.rows:
            self.stdout.write(_("The office had moved already; only the notes beside the old files were missing."))
            return
        facts = {"rows": sum(moved.rows.values()), "tables": len(moved.rows), "size": moved.entries, "root": moved.root}
        self.stdout.write(
            _("%(rows)s rows of %(tables)s tables are moved and compared. Log: %(size)s entries, root %(root)s.")
            % facts
        )
        self.stdout.write(
            _(
                "Now keep VANKHO_DATABASE_URL (and VANKHO_VAULT_URL) in the settings of web and workers, take "
                "VANKHO_DATABASE_OWNER_URL out of them, and start. The old files stay as they are and are not used any "
                "more. When the office has worked and a backup is made, destroy db.sqlite3 and keys/vault.sqlite3: keys "
                "that are shredded from now on would live on in them. The level keys in keys/levels stay in use."
            )
        )
        if not settings.VAULT_URL:
            self.stdout.write(_("The key vault stayed in its file: VANKHO_VAULT_URL is not set."))
