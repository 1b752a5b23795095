"""`manage.py adopt_rows [--adopt --as USER --reason TEXT]`: put old rows under digests, once, by the security officer."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive import adopting, watched
from archive.management.answering import acting, answering, named, told
from archive.models import Person
from archive.rules.errors import Refusal
from archive.verifier.verify import Tampered

NAMED = (
    "unit",
    "person",
    "clearance",
    "clearancemark",
    "grant",
    "personrole",
    "unitscope",
    "servicetoken",
    "secondfactor",
)  # each gives somebody a right
CANNOT = (
    "What this proves: from the entry on, an edit of these rows is found and named.\n"
    "What it cannot prove: that nobody changed them, or put them in, before. Compare those that give rights\n"
    "with the decisions on paper, and the records with the register, before you adopt them."
)


class Command(BaseCommand):
    """Show the rows without a digest, or adopt them. Exit 1: some are refused; 2: wrong use."""

    help = "Show the rows that no digest is kept of (an office older than digests); --adopt puts them under one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--adopt", action="store_true", help="adopt them; without it nothing is changed")
        parser.add_argument("--as", dest="officer", default="", help="the security officer who adopts them")
        parser.add_argument("--reason", default="", help="on what ground; stands in the log")

    @acting("adopt_rows")
    def handle(self, *, adopt: bool, officer: str, reason: str, **_options: Any) -> None:
        try:
            kinds = self._adopt(named(officer), reason) if adopt else self._found()
        except Refusal as refusal:
            raise CommandError(f"{refusal.code}: {refusal}", returncode=2) from refusal
        except Tampered as fault:
            raise CommandError(f"The log is not in order, and nothing is adopted: {fault}", returncode=2) from fault
        self.stdout.write(CANNOT)
        if not adopt:
            self.stdout.write("Nothing was changed. To adopt them: --adopt --as OFFICER --reason DECISION")
        if refused := sum(len(kind.refused) for kind in kinds):
            raise told(CommandError(f"{refused} rows are refused, and verify_log goes on naming them.", returncode=1))

    def _found(self) -> list[adopting.Found]:
        kinds = adopting.found()
        for kind in kinds:
            self._tell(kind)
        return kinds

    def _tell(self, kind: adopting.Found) -> None:
        self.stdout.write(f"{kind.kind}: {len(kind.rows)} without a whole digest, {len(kind.refused)} refused")
        if kind.kind in NAMED:
            for row in watched.WATCHED[kind.kind]._base_manager.filter(pk__in=kind.rows):  # noqa: SLF001 - Django's API
                self.stdout.write(f"  {row.pk}: {row}")
        for one in kind.refused:
            self.stdout.write(f"  refused: {one.kind} {one.pk}: {one.why}")

    def _adopt(self, actor: Person, reason: str) -> list[adopting.Found]:
        with answering("adopt_rows", actor=actor):
            kinds = self._found()
            for kind in kinds:
                count = sum(adopting.adopt(kind, reason=reason, actor=actor))
                self.stdout.write(f"{kind.kind}: {count} adopted")
        return kinds
