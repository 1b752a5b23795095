"""`manage.py declare_recovery MOMENT`: go on from a database that its server brought back to a moment.

Stop web and workers on every machine first. Only the main database goes back; objects and
vault stay as they are. On each further machine the same command puts its own heads aside.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from config import roles
from config.backup import recovering
from config.backup.words import answering, end, false_entries, outside


class Command(BaseCommand):
    """Hold the log against the heads, close the registers, rebuild the index."""

    help = "Go on from a database that its server recovered to a moment, or that came from a copy of a disk."
    requires_system_checks: list[str] = []  # a run that was killed left the mark that they refuse

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("moment", help="as the server was told: '2026-11-27 12:00:00+07'")
        parser.add_argument(
            "--heads",
            type=Path,
            action="append",
            default=[],
            help="heads of the log kept elsewhere: a file or a folder",
        )
        parser.add_argument("--log-key", default="", help="public key of the log as it was kept elsewhere")

    def handle(self, *, moment: str, **options: Any) -> None:
        at = _moment(moment)
        with answering():
            recovering.await_server()
            roles.bring_up_to_date()
            taken = recovering.take_up(at, outside({**options, "public_key": None}))
        self.stdout.write(
            _("The log of %(size)s entries is in order; %(records)s dispatches are in the index.")
            % {"size": taken.size, "records": taken.records}
        )
        if taken.newest_size is None:
            self.stdout.write(_("No head of the log was shown, so nobody knows what was lost."))
        else:
            lost = taken.newest_size - taken.size
            self.stdout.write(_("%(count)s entries of the log came after this moment and are lost.") % {"count": lost})
        if taken.destroyed:
            self.stdout.write(
                _("%(count)s stored files were destroyed since; their rows are there again, their content is not.")
                % {"count": taken.destroyed}
            )
        if taken.superseded:
            self.stdout.write(
                _("%(count)s heads of the lost entries were put aside, for the auditor.") % {"count": taken.superseded}
            )
        self.stdout.write(
            _("Start web and workers. Every register stays closed until its clerk confirms the last number on paper.")
        )
        end(self, false_entries(taken.false_entries))


def _moment(text: str) -> datetime:
    try:
        found = parse_datetime(text)
    except ValueError as fault:
        raise CommandError(f"{text}: {fault}", returncode=2) from fault
    if found is None or timezone.is_naive(found):
        raise CommandError(
            _("“%(text)s” is no moment with its time zone. Write it like this: 2026-11-27 12:00:00+07")
            % {"text": text},
            returncode=2,
        )
    return found
