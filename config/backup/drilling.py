"""The drill: can what lies on the media be restored, today, by whoever has the keys?

Restores the newest backup in a process of its own with settings of its own: a folder that
is removed afterwards, an empty database, local files or an empty bucket, an index with a
name of its own. The office itself is not touched but for one entry in its log, with time
and result. Needs the custodians' keys, as a restore does.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from archive import audit
from archive.rules.roles import Action
from config.backup import manifest
from config.backup.checking import Outside
from config.backup.clearing import SIGN
from config.backup.manifest import Manifest
from config.backup.refusals import NoPlaceToDrill
from config.backup.restoring import Media
from config.backup.snapshot import POSTGRESQL

# What names the office's own places, `..._FILE` forms included: none of it reaches the drill.
OFFICE: Final = (
    "VANKHO_HOME",
    "VANKHO_DATABASE",
    "VANKHO_VAULT",
    "VANKHO_STORE",
    "VANKHO_S3_BUCKET",
    "VANKHO_INDEX_PREFIX",
    "VANKHO_SITE_KEY_FILES",
    "VANKHO_LOG_SECOND_PLACE",
    "VANKHO_INBOX",
)


@dataclass(frozen=True, slots=True)
class Room:
    """Where a drill restores to; everything here must be empty and is empty again afterwards."""

    folder: Path | None = None  # None: a folder of the system's
    database: str = ""  # address of an empty PostgreSQL database; needed for a backup of one
    bucket: str = ""  # an empty bucket on the office's S3 server; empty: local files


@dataclass(frozen=True, slots=True)
class Result:
    """What a drill found: (question, answer was right, what was seen), seconds in all."""

    manifest: Manifest  # of the backup
    findings: Sequence[tuple[str, bool, str]]
    seconds: float

    @property
    def backup(self) -> str:
        """The name of the backup."""
        return self.manifest.name

    @property
    def passed(self) -> bool:
        """Whether every answer was right."""
        return bool(self.findings) and all(is_right for _name, is_right, _seen in self.findings)


def drill(media: Media, outside: Outside, room: Room) -> Result:
    """Restore to an empty place, examine it, write time and result into the log.

    Raises:
        NoBackup, Unsigned, Damaged: the backup cannot even be opened.
        NoPlaceToDrill: a PostgreSQL backup and no database for it.
    """
    backup = manifest.find(media.folder, public_key=outside.public_key)
    if backup.manifest.kind == POSTGRESQL and not room.database:
        raise NoPlaceToDrill
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vankho-drill-", dir=room.folder) as place:
        answer = _answer(media, outside, _environment(Path(place), room))
    if "refused" in answer:
        findings = [("restored", False, answer["refused"])]
    else:
        findings = [(one["name"], one["passed"], one["seen"]) for one in answer["findings"]]
    result = Result(backup.manifest, findings, time.monotonic() - began)
    _record(result)
    return result


def _environment(place: Path, room: Room) -> dict[str, str]:
    """Return settings for an installation in the place: nothing of the office but its servers and its custodians."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OFFICE)}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "VANKHO_HOME": str(place),
        "VANKHO_SITE_KEY_FILES": ",".join(str(path.absolute()) for path in settings.SITE_KEY_FILES),
        "VANKHO_DATABASE_URL": room.database,
        "VANKHO_STORE": "s3" if room.bucket else "local",
        "VANKHO_S3_BUCKET": room.bucket or "none",
        "VANKHO_INDEX_PREFIX": f"vankhodrill{secrets.token_hex(4)}",
        SIGN: "1",
    }


def _answer(media: Media, outside: Outside, environment: dict[str, str]) -> dict[str, Any]:
    asked = {
        "folder": str(media.folder.resolve()),
        "vault": str(media.vault.resolve()),
        "keys": str(media.keys.resolve()) if media.keys else "",
        "public_key": outside.public_key.decode() if outside.public_key else "",
        "heads": [str(path.resolve()) for path in outside.heads],
        "log_key": outside.log_key,
    }
    done = subprocess.run(  # noqa: S603 - our own module with our own words
        [sys.executable, "-m", "config.backup.examining", json.dumps(asked)],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stdout.strip().rpartition("\n")[2]
    if done.returncode or not last:
        return {"refused": done.stderr.strip().rpartition("\n")[2][:300] or f"exit {done.returncode}"}
    answer: dict[str, Any] = json.loads(last)
    return answer


@transaction.atomic
def _record(result: Result) -> None:
    details = {
        "backup": result.backup,
        "passed": [name for name, is_right, _seen in result.findings if is_right],
        "failed": {name: seen for name, is_right, seen in result.findings if not is_right},
        "seconds": round(result.seconds, 1),
    }
    audit.write(Action.DRILL, actor=None, details=details)
