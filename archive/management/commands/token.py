"""`manage.py token`: give a service account an API token; it is shown once."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from archive import tokens
from archive.management.answering import acting, answering, named


class Command(BaseCommand):
    """Give a token."""

    help = "Give a service account an API token, shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="the service account")
        parser.add_argument("--name", required=True, help="what the token is for")
        parser.add_argument("--days", type=int, default=365, help="how long it is valid")
        parser.add_argument("--as", required=True, dest="admin", help="the administrator who gives it")

    @acting("token", by="admin")
    def handle(self, *, username: str, name: str, days: int, admin: str, **_options: Any) -> None:
        person, actor = named(username), named(admin)
        until = timezone.now() + timedelta(days=days)
        with answering("token", actor=actor):
            self.stdout.write(tokens.give(person, name=name, until=until, actor=actor))
