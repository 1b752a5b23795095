"""`manage.py check_index [--repair]`: compare the search index with the database, record by record."""

import time
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from archive import audit
from archive.management.answering import acting, told
from archive.rules.roles import Action
from search import drift, follow
from search.engine import Engine, EngineAway, EngineBusy, IndexBroken

PATIENCE_SECONDS: Final = 60.0  # a worker at rest gives the writer back within a few


class Command(BaseCommand):
    """Compare, tell, and mend when told to. Exit 1: the index differs, or still does."""

    help = "Compare the search index with the database; --repair writes what differs again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="write what differs again from the database")

    @acting("check_index")
    def handle(self, *, repair: bool, **_options: Any) -> None:
        try:
            engine = follow.open_engine()
            found = drift.check(engine)
            if repair and found.ids:
                self._mend(engine, found)
        except EngineAway as away:
            raise CommandError("The search server does not answer. Start it, then run this again.") from away
        except IndexBroken as broken:
            raise CommandError("The index cannot be mended in part. Run: manage.py rebuild_index") from broken
        counts = found.counts()
        with transaction.atomic():
            audit.write(Action.INDEX_CHECK, actor=None, details=_details(found, repair=repair))
        said = ", ".join(f"{amount} {kind}" for kind, amount in counts.items())
        self.stdout.write(f"{found.records} records compared: {said}.")
        if not found.ids:
            return
        if not repair:
            raise told(CommandError("The index differs from the database. Run: manage.py check_index --repair"))
        if drift.check(engine).ids:
            raise told(CommandError("Some still differ. Run: manage.py rebuild_index"))
        self.stdout.write(f"{len(found.ids)} mended.")

    def _mend(self, engine: Engine, found: drift.Drift) -> None:
        """Repair, waiting for a worker that writes at this moment."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                drift.repair(engine, found)
            except EngineBusy as busy:
                if time.monotonic() > until:
                    raise CommandError("A worker writes to the index all the time. Try again later.") from busy
                time.sleep(1)
            else:
                return


def _details(found: drift.Drift, *, repair: bool) -> dict[str, Any]:
    return {
        "compared": found.records,
        "differing": len(found.ids),
        "misplaced": len(found.misplaced),
        "mended": repair and bool(found.ids),
    }
