"""`manage.py log_key [--take ...]`: show which key the log names, or take this machine's into use."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from archive import audit, logkey, naming, publishing
from archive.management.answering import acting, answering, named
from archive.rules.errors import Refusal
from archive.verifier import verify


class Command(BaseCommand):
    """Show the key that the log names; --take names the one that lies here.

    Exit 1: another lies here, or an entry names a key without a proof; 2: wrong use.
    """

    help = "Show which key the log names for its signed heads; --take takes this machine's key into use, by the security officer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--take", action="store_true", help="name the key of this machine, made if there is none")
        parser.add_argument("--before", type=Path, help="file of the key before, which signs for the new one")
        parser.add_argument("--lost", action="store_true", help="the key before is lost, and signs nothing any more")
        parser.add_argument("--as", dest="officer", default="", help="the security officer who takes it into use")
        parser.add_argument("--reason", default="", help="on what ground; stands in the log")

    @acting("log_key")
    def handle(self, *, take: bool, officer: str, **options: Any) -> None:
        if take:
            _take(officer, reason=options["reason"], before=options["before"], is_lost=options["lost"])
        try:
            logkey.require()
        except Refusal as refusal:
            raise CommandError(f"{refusal.code}: {refusal}", returncode=1) from refusal
        except verify.Tampered as fault:
            raise CommandError(f"{logkey.LogShorter.code}: {fault}", returncode=1) from fault
        if audit.HEAD_WAITS.get():
            raise CommandError(
                _("The key is named, but the signed head could not be published yet. %(fault)s")
                % {"fault": publishing.place_fault()},
                returncode=1,
            )
        self.stdout.write(logkey.named() or _("The log names no key yet; the next start of the worker names its own."))
        if doubt := logkey.doubt():
            raise CommandError(doubt, returncode=1)


def _take(officer: str, *, reason: str, before: Path | None, is_lost: bool) -> None:
    actor = named(officer)
    try:
        with answering("log_key", actor=actor):
            naming.take(reason=reason, actor=actor, before=before, is_lost=is_lost)
    except verify.Tampered as fault:
        raise CommandError(f"{logkey.LogShorter.code}: {fault}", returncode=1) from fault
    except OSError as fault:
        told = _(
            "The signed heads, or the key before, cannot be read (%(fault)s). Bring the second place back, or name the right "
            "file, then run this again."
        )
        raise CommandError(told % {"fault": fault}, returncode=1) from fault
