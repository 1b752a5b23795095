"""`manage.py scrub [--all] [--from FOLDER]`: read stored files again and compare them with their digests.

Goes on where the last run stopped; run it every night. Exit 1: files are missing or damaged.
"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from archive.management.answering import acting, told
from config.backup import manifest, scrubbing
from config.backup.words import answering


class Command(BaseCommand):
    """Read slowly, report, repair from a backup where one is named."""

    help = "Re-read stored files and verify their digests; report and, with --from, repair damage."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="every file, without limit of time")
        parser.add_argument("--minutes", type=float, default=60, help="how long at most (60)")
        parser.add_argument("--mib", type=float, default=20, help="MiB read per second at most; 0: no limit (20)")
        parser.add_argument("--from", type=Path, dest="source", help="a backup folder to repair from")
        parser.add_argument("--public-key", type=Path, help="backup.pub of that backup as it was kept elsewhere")

    @acting("scrub")
    def handle(self, **options: Any) -> None:
        pace = scrubbing.Pace(options["mib"], 0 if options["all"] else options["minutes"] * 60)
        with answering():
            source = None
            if options["source"]:
                key = options["public_key"].read_bytes() if options["public_key"] else None
                source = manifest.find(options["source"], public_key=key)
                source.require_whole()
            seen = scrubbing.scrub(pace, everything=options["all"], source=source)
        self.stdout.write(
            _("%(objects)s stored files read, %(destroyed)s destroyed ones passed over, %(repaired)s repaired.")
            % {"objects": seen.objects, "destroyed": seen.destroyed, "repaired": len(seen.repaired)}
        )
        if not seen.is_whole:
            self.stdout.write(_("The time is over; the next run goes on from here."))
        for address in seen.wrong:
            self.stderr.write(f"{address} {'missing' if address in seen.missing else 'damaged'}")
        if seen.wrong:
            missing = _(
                "%(count)s stored files are missing or damaged. Repair them: manage.py scrub --all --from FOLDER"
            )
            raise told(CommandError(missing % {"count": len(seen.wrong)}))
