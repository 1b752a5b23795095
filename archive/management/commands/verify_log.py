"""`manage.py verify_log [--kept FILE]...`: check the log in the database against every head that was ever kept."""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive import publishing
from archive.rules.errors import Refusal
from archive.verifier import verify


class Command(BaseCommand):
    """Check every entry, the tree, the chains and the details. Exit 1: the log was tampered with."""

    help = "Check every entry of the log against the tree and the heads that were signed before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--kept", type=Path, action="append", default=[], help="a head kept elsewhere (repeatable)")

    def handle(self, *, kept: list[Path], **_options: Any) -> None:
        try:
            heads = [path.read_bytes() for path in [*kept, *_second_place()]]
        except OSError as fault:
            raise CommandError(f"A kept head could not be read: {fault}", returncode=2) from fault
        try:
            with tempfile.TemporaryDirectory(prefix="vankho-log-") as folder:
                publishing.export(Path(folder), with_details=True)
                report = verify.verify(folder, publishing.signer().public, heads)
        except (Refusal, verify.Tampered) as fault:
            raise CommandError(f"NOT OK: {fault}") from fault
        self.stdout.write(f"OK: {report.entries} entries, {report.details} details, {report.kept} kept heads.")


def _second_place() -> list[Path]:
    """Return the heads of the second place, oldest first."""
    if not settings.LOG_SECOND_PLACE:
        return []
    return sorted(Path(settings.LOG_SECOND_PLACE).glob("checkpoint-*"))
