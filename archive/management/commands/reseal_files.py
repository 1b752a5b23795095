"""`manage.py reseal_files [FILE ...] [--record KEY ...] --as OFFICER --reason TEXT`: seal stored files under new data keys.

Where a data key may be known outside. Alone it removes what earlier runs had to leave, and says what a lock still keeps.
A run that is killed is run again, and goes on where it was.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import resealing
from archive.management.answering import acting, answering, named


class Command(BaseCommand):
    """Seal files anew, by the security officer. Exit 2: refused, about the dispatch that is named nothing was changed."""

    help = "Seal stored files anew under new data keys and remove the old ones, by the security officer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", help="stored files: ids (32 digits), or SHA-256 of the content")
        parser.add_argument("--record", action="append", default=[], help="key of a dispatch: all its files")
        parser.add_argument("--as", dest="officer", default="", help="the security officer who orders it")
        parser.add_argument("--reason", default="", help="the decision, and what is suspected; stands in the log")

    @acting("reseal_files")
    def handle(self, *, files: list[str], record: list[str], officer: str, reason: str, **_options: Any) -> None:
        if not (files or record or officer):
            self._tell(resealing.catch_up())
            return
        actor = named(officer)
        with answering("reseal_files", actor=actor):
            done = resealing.reseal(files=files, records=record, reason=reason, actor=actor)
        self.stdout.write(
            _("%(files)s files are sealed anew; dispatches concerned: %(records)s.")
            % {"files": done.files, "records": done.records}
        )
        if done.passed:
            self.stdout.write(
                _(
                    "%(records)s dispatches or files in intake were sealed anew within the last day by this very order (officer "
                    "and reason) and are passed over. To seal them once more, give another reason."
                )
                % {"records": done.passed}
            )
        if done.files:
            self.stdout.write(
                _(
                    "Next: manage.py backup, at once. Media of before hold the old sealed files: whoever has the old key and "
                    "such a medium still reads them."
                )
            )
        self._tell(done.left)

    def _tell(self, left: list[resealing.Left]) -> None:
        for each in left:
            self.stdout.write(
                _(
                    "%(file)s: its old form cannot be removed before %(until)s, because its object lock forbids it. Until "
                    "then whoever has the old key and the bucket reads it. Run manage.py reseal_files again afterwards."
                )
                % {"file": each.address, "until": f"{timezone.localtime(each.until):%d/%m/%Y %H:%M}"}
            )
        if not left:
            self.stdout.write(_("No old form of a file that was sealed anew lies in the store."))
