"""The mark of an unfinished restore: while it lies there, the office does not start (`config.checks`)."""

import json
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from archive.stores.disk import sync_folder
from config.backup import durable

NAME: Final = "restore.json"


def path() -> Path:
    """Return where the mark of this installation lies."""
    return Path(settings.VANKHO_HOME) / NAME


def is_there() -> bool:
    """Say whether a restore was begun here and not finished."""
    return path().exists()


def read() -> dict[str, Any]:
    """Return what was noted when the restore began."""
    noted: dict[str, Any] = json.loads(path().read_bytes())
    return noted


def write(noted: dict[str, Any]) -> None:
    """Leave the mark, durably, before anything else is written."""
    durable.make_folder(path().parent)
    durable.write(path(), json.dumps(noted).encode())


def remove() -> None:
    """Take the mark away: the restore is finished."""
    path().unlink()
    sync_folder(path().parent)
