"""`manage.py rotate_keys [--new FILE [--new FILE]] [--withdraw] --as OFFICER --reason TEXT`: change keys, by the security officer.

Alone it gives every level a new key under the site keys in use. With `--new` it begins a
change to new site keys; run again without it, once web and workers were started with the new
files, it ends that change. A run that is killed is run again and goes on.
"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from archive import rekeying
from archive.management.answering import acting, answering, named
from archive.models import Person
from archive.rules.errors import Refusal


class Command(BaseCommand):
    """Show how keys stand, or change them. Exit 1: refused or broken off, run it again; 2: wrong use."""

    help = "Give every level a new key; --new first lets new site keys take the place of old ones. Resumable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--new", type=Path, action="append", default=[], help="a new custodian's key file; twice, in their order"
        )
        parser.add_argument("--withdraw", action="store_true", help="give up a change that --new began")
        parser.add_argument("--as", dest="officer", default="", help="the security officer who changes keys")
        parser.add_argument("--reason", default="", help="the decision, and who hands over to whom; stands in the log")

    @acting("rotate_keys")
    def handle(self, *, new: list[Path], withdraw: bool, officer: str, reason: str, **_options: Any) -> None:
        if new and withdraw:
            raise CommandError(_("--new begins a change and --withdraw gives one up: name one of them."), returncode=2)
        if officer or new or withdraw:
            actor = named(officer)
            with answering("rotate_keys", actor=actor, returncode=1):
                self._change(new, reason, actor, withdraw=withdraw)
            return
        try:
            self._tell(rekeying.standing())
        except Refusal as refusal:
            raise CommandError(f"{refusal.code}: {refusal}") from refusal

    def _change(self, new: list[Path], reason: str, actor: Person, *, withdraw: bool) -> None:
        if new:
            rekeying.announce(new, reason=reason, actor=actor)
            self.stdout.write(
                _(
                    "Everything opens with the old and with the new key files now. Next: name the new ones in "
                    "VANKHO_SITE_KEY_FILES (%(files)s), start web and workers again on every machine, then run "
                    "manage.py rotate_keys --as OFFICER --reason DECISION. Until then the old ones stay needed."
                )
                % {"files": ",".join(str(path) for path in new)}
            )
        elif withdraw:
            rekeying.withdraw(reason=reason, actor=actor)
            self.stdout.write(
                _("The change was given up: the new key files open nothing, those in use open everything.")
            )
        else:
            count = rekeying.change(reason=reason, actor=actor)
            self.stdout.write(
                _(
                    "Every level has a new key, %(count)s data keys are wrapped under them, the old level keys are destroyed. "
                    "Next: manage.py backup with --keys, so that the copies on the media are of now. Backups whose "
                    "vault and level keys were copied before open with the key files of that time: keep those as long."
                )
                % {"count": count}
            )

    def _tell(self, standing: rekeying.Standing) -> None:
        levels = ", ".join(str(level.label) for level in standing.levels) or "-"
        self.stdout.write(_("Levels that have a key: %(levels)s.") % {"levels": levels})
        if standing.is_announced:
            self.stdout.write(_("New key files are announced: everything opens with the old and with the new ones."))
        if standing.is_begun:
            self.stdout.write(_("A change of keys was begun and is not ended: run the command that began it again."))
