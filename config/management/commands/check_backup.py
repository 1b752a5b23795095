"""`manage.py check_backup FOLDER [--vault FOLDER [--keys FOLDER]]`: prove a backup where it lies, down to each byte.

Needs nothing of the office. With `--public-key`, `--heads` and `--log-key` from elsewhere it
also proves that nobody made the backup anew.
"""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from config.backup import checking
from config.backup.words import add_media, answering, end, findings, outside


class Command(BaseCommand):
    """Check signature, database, log, files, vault."""

    help = "Check a backup: signature, database, log, every stored file, the vault copy, its level keys."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_media(parser, vault_is_needed=False)

    def handle(self, **options: Any) -> None:
        began = time.monotonic()
        if options["keys"] and not options["vault"]:
            raise CommandError(_("Level keys are held against the vault copy: name its folder too (--vault)."))
        with answering():
            sound = checking.read(options["folder"], outside(options))
            checking.require_objects(sound.backup)
            told = sound.backup.manifest
            self.stdout.write(
                _("%(name)s is whole: %(objects)s stored files, log of %(size)s entries, root %(root)s.")
                % {"name": told.name, "objects": told.object_count, "size": told.log.size, "root": told.log.root}
            )
            if options["vault"]:
                dead = checking.require_vault(sound.backup, options["vault"], options["keys"])
                self.stdout.write(
                    _("The vault copy serves it; %(count)s of its files were destroyed since.") % {"count": dead}
                )
            if options["keys"]:
                self.stdout.write(
                    _("Every level key of the vault copy lies in %(folder)s.") % {"folder": options["keys"]}
                )
        if sound.newest_size is not None:
            lost = max(0, sound.newest_size - told.log.size)
            self.stdout.write(
                _("The newest head kept elsewhere has %(count)s entries that this backup does not know.")
                % {"count": lost}
            )
        self.stdout.write(_("Checked in %(seconds).1f s.") % {"seconds": time.monotonic() - began})
        end(self, findings(told))
