"""`manage.py check_index [--repair]`: compare the search index with the database, record by record, and look at its texts."""

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
    """Compare, tell, and mend when told to. Exit 1: the index is not as it should be, or still is not."""

    help = "Compare the search index with the database; --repair writes what differs again, or builds anew what cannot be read."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="write what differs again from the database; build anew where texts are damaged",
        )

    @acting("check_index")
    def handle(self, *, repair: bool, **_options: Any) -> None:
        try:
            engine = follow.open_engine()
            is_damaged = engine.is_damaged()
            found = drift.check(engine)
            if repair and is_damaged:
                follow.rebuild_told()
            elif repair and found.ids:
                self._mend(engine, found)
        except EngineAway as away:
            raise CommandError("The search server does not answer. Start it, then run this again.") from away
        except EngineBusy as busy:
            raise CommandError("Another process is building the index anew. Look again when it has ended.") from busy
        except IndexBroken as broken:
            raise CommandError("The index cannot be mended in part. Run: manage.py rebuild_index") from broken
        counts = found.counts()
        with transaction.atomic():
            audit.write(Action.INDEX_CHECK, actor=None, details=_details(found, is_damaged=is_damaged, repair=repair))
        said = ", ".join(f"{amount} {kind}" for kind, amount in counts.items())
        self.stdout.write(f"{found.records} records compared: {said}.")
        if is_damaged:
            self.stdout.write("Texts of the index are damaged: passages are missing.")
        if not (found.ids or is_damaged):
            return
        if not repair:
            raise told(CommandError("The index is not as it should be. Run: manage.py check_index --repair"))
        if engine.is_damaged() or drift.check(engine).ids:
            raise told(CommandError("It is still not as it should be. Run: manage.py rebuild_index"))
        self.stdout.write("The index was built anew." if is_damaged else f"{len(found.ids)} mended.")

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


def _details(found: drift.Drift, *, is_damaged: bool, repair: bool) -> dict[str, Any]:
    return {
        "unreadable": is_damaged,
        "compared": found.records,
        "differing": len(found.ids),
        "misplaced": len(found.misplaced),
        "mended": repair and bool(found.ids or is_damaged),
    }
