"""`manage.py prepare_database`: bring the tables up to date as their owner and give the running role its rights.

Run before the first start and before each start of a newer version. With the owner's
address in VANKHO_DATABASE_OWNER_URL and the office's own in VANKHO_DATABASE_URL; on SQLite
and with one role for both it migrates and says what is missing. May be repeated.
"""

from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from archive.rules.errors import Refusal
from config import roles


class Command(BaseCommand):
    """Migrate and grant."""

    help = "Migrate as the owner of the tables, then give the running role exactly its rights."
    requires_system_checks = [Tags.security]

    def handle(self, **_options: Any) -> None:
        try:
            role = roles.prepare()
        except Refusal as refusal:
            raise CommandError(f"{refusal.code}: {refusal}") from refusal
        if role:
            self.stdout.write(_("The database is prepared; “%(role)s” may run the office.") % {"role": role})
        elif roles.is_postgresql():
            self.stdout.write(
                _(
                    "The database is prepared, but one role owns the tables and runs the office. For a real office name "
                    "the owner in VANKHO_DATABASE_OWNER_URL, a plain role in VANKHO_DATABASE_URL, and run this again."
                )
            )
        else:
            self.stdout.write(_("The database is prepared."))
