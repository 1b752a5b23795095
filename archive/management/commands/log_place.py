"""`manage.py log_place [--take --as OFFICER --reason TEXT]`: look at the second place of signed heads, or take a new medium into use."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive import audit, logkey, placing, second_place
from archive.management.answering import acting, answering, named
from archive.rules.errors import Refusal


class Command(BaseCommand):
    """Show what lies at the second place; --take marks it for this log. Exit 1: heads wait; 2: wrong use."""

    help = "Show the second place of signed heads; --take takes a new medium into use, by the security officer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--take", action="store_true", help="take the folder of the settings into use")
        parser.add_argument("--as", dest="officer", default="", help="the security officer who takes it into use")
        parser.add_argument("--reason", default="", help="on what ground; stands in the log")

    @acting("log_place")
    def handle(self, *, take: bool, officer: str, reason: str, **_options: Any) -> None:
        try:
            if take:
                actor = named(officer)
                with answering("log_place", actor=actor):
                    placing.take(reason=reason, actor=actor)
            found = second_place.state(logkey.signer().public)
        except Refusal as refusal:
            raise CommandError(f"{refusal.code}: {refusal}", returncode=2) from refusal
        except OSError as fault:
            raise CommandError(f"{settings.LOG_SECOND_PLACE}: {fault.strerror or fault}", returncode=1) from fault
        if wrong := second_place.words(found):
            raise CommandError(wrong, returncode=1)
        if audit.HEAD_WAITS.get():
            raise CommandError(
                "Taken into use, but the signed head could not be published yet; the worker tries again."
            )
        self.stdout.write(f"{settings.LOG_SECOND_PLACE or 'VANKHO_LOG_SECOND_PLACE'}: {found}")
