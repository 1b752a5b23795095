"""`manage.py export_log FOLDER [--details]`: the whole log for an outsider, with the checker that needs nothing of us."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from archive import audit, logkey, publishing
from archive.management.answering import acting
from archive.rules.errors import Refusal
from archive.rules.roles import Action
from archive.verifier.verify import Tampered


class Command(BaseCommand):
    """Write every entry, the tree over them and a signed head into an empty folder."""

    help = "Write the log, its tree, a signed head and the checker verify.py into an empty folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="made if need be; must be empty")
        parser.add_argument("--details", action="store_true", help="the values behind the salted digests too")

    @acting("export_log")
    def handle(self, *, folder: Path, details: bool, **_options: Any) -> None:
        with transaction.atomic():  # first, so that the export tells of itself
            audit.write(Action.LOG_EXPORT, actor=None, details={"details": details})
        try:
            head = publishing.export(folder, with_details=details)
        except (Refusal, Tampered) as fault:
            raise CommandError(str(fault)) from fault
        except FileExistsError as fault:
            raise CommandError(f"{folder} is not empty. Name a new folder.", returncode=2) from fault
        self.stdout.write(f"{head.size} entries in {folder}. Whoever has the log's public key checks them with:")
        self.stdout.write(f'  python3 verify.py . --key "{logkey.signer().public}"')
        for index in publishing.larger():
            self.stdout.write(
                f"NOT OK: entry {index} is longer than an entry can be: it was put in past the office. The export has its "
                "beginning alone, and the checker names it."
            )
