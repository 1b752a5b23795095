"""`manage.py found`: found an office in an empty installation, with its two founding people; once.

Their first passwords are printed once and kept nowhere; each opens the page of a new password and nothing else.
"""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive import office as office_names
from archive.management.answering import acting
from archive.rules.errors import Refusal
from config import founding, roles
from config.founding import Founder

PERSON = "user name, or USER=FULL NAME"


class Command(BaseCommand):
    """Found an office."""

    help = "Found an office in an empty installation: its name, an administrator and a security officer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--office", required=True, metavar="NAME", help="name of the office: the root of its units")
        parser.add_argument("--code", default="CQ", help="short code of the office among its units (CQ)")
        parser.add_argument("--admin", required=True, metavar="USER", help=f"who makes accounts and units: {PERSON}")
        parser.add_argument("--security", required=True, metavar="USER", help=f"who gives posts and scopes: {PERSON}")

    @acting("found")
    def handle(self, *, office: str, code: str, admin: str, security: str, **_options: Any) -> None:
        try:
            roles.bring_up_to_date()
            passwords = founding.found(office, code=code, admin=_founder(admin), security=_founder(security))
            office_names.forget()
            called = office_names.called()
        except Refusal as refusal:
            raise CommandError(f"{refusal.code}: {refusal}", returncode=2) from refusal
        self.stdout.write(
            "The office is founded. First passwords, shown once; each must be changed at the first sign-in:"
        )
        for username, password in passwords.items():
            self.stdout.write(f"  {username}: {password}")
        self.stdout.write(f"At the head of pages and printed forms stands: {called.line}")
        self.stdout.write(
            "VANKHO_OFFICE_PARENT adds the body above the office, VANKHO_OFFICE_NAME writes its name otherwise."
        )
        self.stdout.write(
            f"The watched folder hands in for the account “{settings.INBOX_USER}”: give a clerk that user name, or name "
            "the clerk in VANKHO_INBOX_USER. Until then it takes nothing, and the status page says so."
        )


def _founder(given: str) -> Founder:
    username, _sign, full_name = given.partition("=")
    return Founder(username.strip(), full_name.strip() or username.strip())
