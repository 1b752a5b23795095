"""`manage.py backup FOLDER --vault FOLDER [--keys FOLDER]`: back the office up, while everybody works.

Run as often as wanted: only new files are copied. A run that is killed leaves nothing that
looks like a backup, and the next one goes on with the files that were copied.
Exit 3: it is made and whole, and something in the office is not in order.
"""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from archive.management.answering import acting
from config.backup import making
from config.backup.words import answering, end, findings


class Command(BaseCommand):
    """Freeze, copy, check, sign."""

    help = "Back up database and stored files to a folder, and the key vault to another medium."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="for database and stored files; shared by all backups")
        parser.add_argument("--vault", type=Path, required=True, help="for the key vault, on another medium")
        parser.add_argument("--keys", type=Path, help="for the level keys, on a third medium, with their custodian")

    @acting("backup")
    def handle(self, *, folder: Path, vault: Path, keys: Path | None, **_options: Any) -> None:
        began = time.monotonic()
        with answering():
            made = making.make(making.Places(folder, vault, keys))
        told = made.manifest
        self.stdout.write(
            _("%(name)s: %(objects)s stored files (%(fresh)s new), log of %(size)s entries, %(seconds).1f s.")
            % {
                "name": made.folder,
                "objects": told.object_count,
                "fresh": made.fresh,
                "size": told.log.size,
                "seconds": time.monotonic() - began,
            }
        )
        if folder.stat().st_dev == vault.stat().st_dev:
            self.stderr.write(
                _("Both folders lie on one disk: whoever takes it has backup and vault. Use another medium.")
            )
        end(self, findings(told))
