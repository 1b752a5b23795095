"""`manage.py reseal`: seal every authenticator under the secret key of now, so that the one before can be dropped."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from archive import second_factor
from archive.management.answering import acting


class Command(BaseCommand):
    """Seal authenticators anew."""

    help = "Seal authenticators under VANKHO_SECRET_KEY that were sealed under VANKHO_OLD_SECRET_KEY."

    @acting("reseal")
    def handle(self, **_options: Any) -> None:
        lost, done = [], 0
        for person, is_open in second_factor.reseal():
            done += is_open
            if not is_open:
                lost.append(person.username)
        self.stdout.write(f"sealed anew: {done}")
        if lost:
            raise CommandError(
                f"No known key opens the authenticator of: {', '.join(lost)}; or verify_log says that it was changed. Name "
                "the key it was made under in VANKHO_OLD_SECRET_KEY and run this again, or let the security officer reset it."
            )
        self.stdout.write("VANKHO_OLD_SECRET_KEY can be taken away; sessions opened under it end then.")
