"""`manage.py drill FOLDER --vault FOLDER [--keys FOLDER]`: prove that the newest backup can be restored.

Restores to an empty place, looks at everything there, removes it again, and writes time and
result into the log. Monthly, by those who would have to restore. Exit 1: something failed; 3: it passed,
and something in the office was not in order when the backup was made.
"""

from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from archive.management.answering import acting, told
from config.backup import drilling
from config.backup.words import add_media, answering, end, findings, media, outside

# What stands in the log under `passed` and `failed`, in words.
QUESTIONS: Final[dict[str, Promise]] = {
    "restored": gettext_lazy("restored to an empty place"),
    "digests": gettext_lazy("digest of every file"),
    "unsealed": gettext_lazy("files opened, by level"),
    "head": gettext_lazy("log against a head kept elsewhere"),
    "log": gettext_lazy("log, by the auditor's checker"),
    "numbers": gettext_lazy("numbers without a gap"),
    "searches": gettext_lazy("known searches"),
    "destroyed": gettext_lazy("destroyed files stay closed"),
}


class Command(BaseCommand):
    """Restore, examine, remove, record."""

    help = "Restore the newest backup to an empty place, examine it, and record the result."

    def add_arguments(self, parser: CommandParser) -> None:
        add_media(parser)
        parser.add_argument("--place", type=Path, help="folder with room for the drill; default: the system's")
        parser.add_argument("--database", default="", help="address of an empty PostgreSQL database for the drill")
        parser.add_argument("--bucket", default="", help="an empty bucket for the drill; default: local files")

    @acting("drill")
    def handle(self, **options: Any) -> None:
        room = drilling.Room(options["place"], options["database"], options["bucket"])
        with answering():
            result = drilling.drill(media(options), outside(options), room)
        right, wrong = _("right"), _("WRONG")
        for name, is_right, seen in result.findings:
            self.stdout.write(f"{right if is_right else wrong}  {QUESTIONS.get(name, name)}: {seen}")
        if not result.passed:
            raise told(CommandError(_("The drill failed. Mend what is marked, make a new backup, and drill again.")))
        self.stdout.write(
            _("The drill of %(name)s passed in %(seconds).1f s.") % {"name": result.backup, "seconds": result.seconds}
        )
        end(self, findings(result.manifest))
