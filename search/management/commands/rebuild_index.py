"""`manage.py rebuild_index`: build the search index anew beside the old one, then swap."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from archive.management.answering import acting
from search import follow
from search.engine import EngineAway, EngineBusy


class Command(BaseCommand):
    """Rebuild the index."""

    help = "Build the search index anew from the database; searching goes on meanwhile."

    @acting("rebuild_index")
    def handle(self, **_options: Any) -> None:
        try:
            total = follow.rebuild_told(progress=lambda done: self.stderr.write(f"\r{done} records", ending=""))
        except EngineAway as away:
            raise CommandError("The search server does not answer. The old index stays in use.") from away
        except EngineBusy as busy:
            raise CommandError("Another process is building the index. The old one stays in use.") from busy
        self.stderr.write("")
        self.stdout.write(f"{total} records indexed; the new index is in use.")
