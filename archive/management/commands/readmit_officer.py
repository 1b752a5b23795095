"""`manage.py readmit_officer USER --basis DOCUMENT --present NAMES`: let a security officer back in who has lost everything.

At the machine, with both custodians' key files in their places. The first password is shown once and kept nowhere.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from archive import audit, readmission
from archive.management.answering import acting, answering, named


class Command(BaseCommand):
    """Let an officer back in. Exit 2: refused, or wrong use."""

    help = "Give a security officer a first password and take the authenticator off, with both site keys present."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("officer", metavar="USER", help="the security officer")
        parser.add_argument("--basis", default="", metavar="DOCUMENT", help="number of the written order; in the log")
        parser.add_argument("--present", default="", metavar="NAMES", help="who is present, the custodians named")

    @acting("readmit_officer", by="")
    def handle(self, *, officer: str, basis: str, present: str, **_options: Any) -> None:
        person = named(officer)
        with answering("readmit_officer", subject=person):
            password = readmission.readmit(person, readmission.Order(basis, present))
        self.stdout.write(
            _(
                "First password of %(name)s, shown once: %(password)s\n"
                "It opens the page of a new password and nothing else. The authenticator is taken off and every session has "
                "ended: sign in, choose a password and set up an authenticator at once. The auditor finds this act in “What "
                "stands out”."
            )
            % {"name": person.full_name, "password": password}
        )
        if audit.HEAD_WAITS.get():
            self.stderr.write(_("The signed head of this act could not be published yet; the worker tries again."))
