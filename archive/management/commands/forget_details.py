"""`manage.py forget_details PLACE ... --as OFFICER --second OFFICER --reason TEXT`: destroy values that entries hold."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from archive import forgetting
from archive.management.answering import acting, answering, named


class Command(BaseCommand):
    """Destroy the details of entries, by two security officers. Exit 2: refused, nothing was destroyed."""

    help = "Destroy the details of entries of the log, by two security officers; the log goes on verifying."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "places", type=int, nargs="+", help="places of the entries, as the auditor's list shows them"
        )
        parser.add_argument("--as", dest="officer", default="", help="the security officer who decides")
        parser.add_argument("--second", default="", help="another security officer, who agrees")
        parser.add_argument("--reason", default="", help="the decision, its number and day; stands in the log")

    @acting("forget_details")
    def handle(self, *, places: list[int], officer: str, second: str, reason: str, **_options: Any) -> None:
        actor, agreeing = named(officer), named(second)
        with answering("forget_details", actor=actor):
            count = forgetting.forget(forgetting.at(places, actor=actor), reason=reason, actor=actor, second=agreeing)
        self.stdout.write(
            _("The details of %(count)s entries are destroyed; the entries stay and the log goes on verifying.")
            % {"count": count}
        )
