"""`manage.py restore FOLDER --vault FOLDER [--keys FOLDER]`: restore a backup into an empty installation.

Stop web and workers first and point the settings at an empty VANKHO_HOME, an empty database
and an empty bucket. A run that is killed goes on when it is run again.
"""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from archive.management.answering import acting
from config.backup import marker, restoring
from config.backup.words import add_media, answering, end, findings, media, outside


class Command(BaseCommand):
    """Restore everything, close the registers, rebuild the index."""

    help = "Restore a backup into an empty installation."
    requires_system_checks: list[str] = []  # nothing is there yet that could be checked

    def add_arguments(self, parser: CommandParser) -> None:
        add_media(parser)

    @acting("restore", unless=marker.is_there)
    def handle(self, **options: Any) -> None:
        began = time.monotonic()
        with answering():
            restored = restoring.restore(media(options), outside(options), tell=self.stdout.write)
        told = restored.manifest
        self.stdout.write(
            _("%(name)s is restored in %(seconds).1f s: %(objects)s stored files, %(records)s dispatches in the index.")
            % {
                "name": told.name,
                "objects": restored.objects,
                "records": restored.records,
                "seconds": time.monotonic() - began,
            }
        )
        if restored.newest_size is None:
            self.stdout.write(_("No head of the log was shown, so nobody knows what this backup lacks."))
        else:
            lost = max(0, restored.newest_size - told.log.size)
            self.stdout.write(_("%(count)s entries of the log came after this backup and are lost.") % {"count": lost})
        if restored.superseded:
            self.stdout.write(
                _("%(count)s heads of the lost entries were put aside in the second place, for the auditor.")
                % {"count": restored.superseded}
            )
        self.stdout.write(
            _("Start web and workers. Every register stays closed until its clerk confirms the last number on paper.")
        )
        end(self, findings(told))
