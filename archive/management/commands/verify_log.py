"""`manage.py verify_log [--kept FILE]...`: check the log in the database against every head that was ever kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive import adopting, counters, digests, knowing, logkey, manifests, publishing, second_factor, showings
from archive.rules.errors import Refusal
from archive.verifier import verify


class Command(BaseCommand):
    """Check every entry, the tree, the chains and the details. Exit 1: the log was tampered with."""

    help = "Check every entry of the log against the tree and the heads that were signed before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--kept", type=Path, action="append", default=[], help="a head kept elsewhere (repeatable)")

    def handle(self, *, kept: list[Path], **_options: Any) -> None:
        report, found = _checked(kept)
        told = {_place(row) for row in found}
        found += [row for row in logkey.unproven() if _place(row) not in told]
        found += [*digests.faults(), *knowing.faults(), *counters.faults(), *manifests.faults()]
        found += [*second_factor.faults(), *showings.faults()]
        for row in found:
            self.stdout.write(f"NOT OK: {row}")
        if found or report is None:
            raise CommandError(f"NOT OK: {len(found)} faults; the first: {found[0]}")
        for note in _notes(report):
            self.stdout.write(f"Note: {note}")
        self.stdout.write(f"OK: {report.entries} entries, {report.details} details, {report.kept} kept heads.")


def _checked(kept: list[Path]) -> tuple[verify.Report | None, list[object]]:
    """Return what the checker found; what is at fault hides no other edit. Raises CommandError where nothing can be checked."""
    try:
        return publishing.checked(kept), []
    except verify.Several as fault:
        return None, [*fault.found]
    except verify.Tampered as fault:
        return None, [fault.with_traceback(None)]  # nor what was open when it was met: a cursor of the server
    except OSError as fault:
        raise CommandError(f"A kept head could not be read: {fault}", returncode=2) from fault
    except Refusal as refusal:
        if refusal.code != logkey.LogShorter.code:  # without the log's own key nothing else can be looked at either
            raise CommandError(f"NOT OK: {refusal.code}: {refusal}") from refusal
        return None, [f"{refusal.code}: {refusal}"]


def _place(row: object) -> str:
    """Return the words that begin a fault of one entry."""
    return str(row).partition(":")[0]


def _notes(report: verify.Report) -> Iterator[str]:
    """Yield what is told beside an OK."""
    for one in report.line.lost:
        yield f"entry {one.place} names a new key that the key before has not signed: it was lost."
    for one in report.line.answered:
        yield f"entry {one.place} names a key that nothing proves; it was answered after that."
    for index, seconds in report.backward[:10]:
        yield f"the clock of entry {index} stood {seconds:.0f} s before that of an earlier one."
    if old := adopting.adopted():
        yield f"{old} rows were adopted without the act that made them; see the entries log.adopt."
