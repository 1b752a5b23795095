"""`manage.py cell`: run the attacks of the self-test against the cell and print one line."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ingest import sandbox


class Command(BaseCommand):
    """Prove the cell."""

    help = "Prove by attacks that the cell of the parsers holds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--full", action="store_true", help="with the slow attack on the processor too")

    def handle(self, *, full: bool, **_options: Any) -> None:
        report = sandbox.self_test(quick=not full)
        self.stdout.write(report.line)
        sandbox.close()
        if not report.holds:
            sys.exit(1)
