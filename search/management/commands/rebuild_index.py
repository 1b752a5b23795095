"""`manage.py rebuild_index`: build the search index anew beside the old one, then swap."""

from typing import Any

from django.core.management.base import BaseCommand

from search import follow


class Command(BaseCommand):
    """Rebuild the index."""

    help = "Build the search index anew from the database; searching goes on meanwhile."

    def handle(self, **_options: Any) -> None:
        total = follow.rebuild(progress=lambda done: self.stderr.write(f"\r{done} records", ending=""))
        self.stderr.write("")
        self.stdout.write(f"{total} records indexed; the new index is in use.")
