"""`manage.py move_store --to s3|local [--from ...] [--delete-source]`: carry the sealed objects to another place.

May be run while the office works, as often as wanted: a later run brings what is new. Exit 1: something is wrong
with the objects that it names.
"""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive import relocation
from archive.management.answering import acting, told
from archive.rules.errors import Refusal
from archive.stores import chosen

OTHER = {"local": "s3", "s3": "local"}


class Command(BaseCommand):
    """Copy, verify, and, once the office uses the new place, clear the old one."""

    help = "Copy every sealed object to another place, verified by digest; resumable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", required=True, choices=sorted(chosen.DRIVERS), dest="target")
        parser.add_argument("--from", choices=sorted(chosen.DRIVERS), dest="source", help="default: the other one")
        parser.add_argument("--delete-source", action="store_true", help="afterwards remove from the old place")

    @acting("move_store")
    def handle(self, *, target: str, source: str | None, delete_source: bool, **_options: Any) -> None:
        source = source or OTHER[target]
        if source == target:
            raise CommandError("The old and the new place are the same.", returncode=2)
        if delete_source and target != settings.STORE_DRIVER:
            raise CommandError(
                f"The office still writes to {settings.STORE_DRIVER}. Set VANKHO_STORE={target}, start web and workers "
                "again, then run this command once more.",
                returncode=2,
            )
        try:
            move = relocation.Move(chosen.driver(source), chosen.driver(target), name=f"{source}-to-{target}")
            outcome = self._until_nothing_is_new(move)
            removed = move.clear() if delete_source and not outcome.faults else 0
        except Refusal as refusal:
            raise CommandError(f"{refusal.code}: {refusal} What was verified is remembered.") from refusal
        relocation.record(outcome, source=source, target=target, removed=removed)
        self._tell(outcome, source, target, removed)

    def _until_nothing_is_new(self, move: relocation.Move) -> relocation.Outcome:
        """Pass over the rows until a pass finds nothing more to copy."""
        outcome = move.copy()
        copied = outcome.copied
        while outcome.copied and not outcome.faults:
            self.stdout.write(f"{outcome.verified} verified, {outcome.copied} of them new; looking for newer ones")
            outcome = move.copy()
            copied += outcome.copied
        outcome.copied, outcome.present = copied, outcome.verified - copied
        return outcome

    def _tell(self, outcome: relocation.Outcome, source: str, target: str, removed: int) -> None:
        self.stdout.write(f"{outcome.verified} objects verified in {target}, {outcome.copied} of them copied now.")
        if outcome.faults:
            for address, fault in sorted(outcome.faults.items()):
                self.stderr.write(f"{address}: {fault}")
            wrong = f"{len(outcome.faults)} objects are not in {target}; nothing was removed from {source}."
            raise told(CommandError(wrong))
        if removed:
            self.stdout.write(f"{removed} removed from {source}.")
        elif target != settings.STORE_DRIVER:
            self.stdout.write(
                f"Next: stop web and workers, run this once more, set VANKHO_STORE={target}, start them again; "
                f"then run it with --delete-source."
            )
