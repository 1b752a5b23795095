"""`manage.py work`: read scans, watch the folder, keep the index behind the log. Any number may run."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from config import starting
from config.worker import Machine


class Command(BaseCommand):
    """Run a worker until it is told to stop."""

    help = "Read scans, watch the folder and keep the index up to date."

    def handle(self, **_options: Any) -> None:
        starting.require()
        stopping: list[int] = []
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda signum, _frame: stopping.append(signum))
        Machine().run_until(lambda: bool(stopping))
