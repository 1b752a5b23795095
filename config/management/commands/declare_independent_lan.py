"""`manage.py declare_independent_lan FILE`: keep the head's decision that this office works on an independent LAN."""

from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from archive import office
from archive.management.answering import acting, answering, named
from archive.rules import whole_text
from archive.rules.errors import Refusal
from config import declaring, roles

STATEMENT: Final = gettext_lazy(
    "All machines and lines of this archive lie inside one headquarters and form an independent LAN: nothing joins them to "
    "the Internet, to a telecom network or to any network that leaves the building."
)
QUESTIONS: Final = {
    "head": gettext_lazy("Head of the office who decided"),
    "decision": gettext_lazy("Number of the decision"),
    "decided_on": gettext_lazy("Day of the decision (YYYY-MM-DD)"),
    "until": gettext_lazy("Valid until (YYYY-MM-DD)"),
    "statement": gettext_lazy("Statement (empty: the sentence above)"),
}


class Command(BaseCommand):
    """Declare."""

    help = "Ask the facts of the head's decision, sign them, write FILE and the entry of the log."
    requires_system_checks: list[str] = []  # they refuse the profile until this has run

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="what VANKHO_DECLARATION names")
        parser.add_argument("--as", required=True, dest="officer", help="the security officer who declares")
        for name in QUESTIONS:
            parser.add_argument(f"--{name.replace('_', '-')}", help="asked when not given")

    @acting("declare_independent_lan")
    def handle(self, *, file: Path, officer: str, **given: Any) -> None:
        actor = named(officer)
        try:
            facts = {name: self._fact(name, given[name]) for name in QUESTIONS}
            told = declaring.Declaration(office=office.called().name, **facts)
            roles.bring_up_to_date()
            with answering("declare_independent_lan", actor=actor):
                digest = declaring.declare(told, path=file.absolute(), actor=actor)
        except Refusal as refusal:
            raise CommandError(f"{refusal.code}: {refusal}", returncode=2) from refusal
        except OSError as fault:
            raise CommandError(f"{file}: {fault.strerror}", returncode=2) from fault
        self.stdout.write(_("Declared, and kept in the log. SHA-256 of the file: %(digest)s") % {"digest": digest})

    def _fact(self, name: str, given: str | None) -> str:
        if given is not None:
            return given.strip()
        if name != "statement":
            return _typed(name)
        self.stdout.write(str(STATEMENT))
        return _typed(name) or str(STATEMENT)


def _typed(name: str) -> str:
    try:
        return input(f"{QUESTIONS[name]}: ").strip()
    except UnicodeDecodeError as fault:
        raise whole_text.HalfCharacter(text=ascii(fault.object[:100])) from fault
