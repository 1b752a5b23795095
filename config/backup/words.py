"""The options that the commands of backup share, and how they answer."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils.translation import gettext as _

from archive.management.answering import told
from archive.rules.errors import Refusal
from archive.verifier.verify import Tampered
from config.backup import objects
from config.backup.checking import Outside
from config.backup.manifest import Manifest
from config.backup.restoring import Media
from search.engine import EngineAway, EngineBusy

UNSOUND: Final = 3  # exit of what was done and is whole, while something in the office is not in order


def add_media(parser: CommandParser, *, vault_is_needed: bool = True) -> None:
    """Add the folder of the backup, of the vault copies, of the custodian's keys, and what is kept elsewhere."""
    parser.add_argument("folder", type=Path, help="the folder given to `backup`, or one backup inside it")
    parser.add_argument("--vault", type=Path, required=vault_is_needed, help="the folder of the vault copies")
    parser.add_argument("--keys", type=Path, help="the custodian's folder of level keys")
    parser.add_argument("--public-key", type=Path, help="backup.pub as it was kept elsewhere")
    parser.add_argument(
        "--heads", type=Path, action="append", default=[], help="heads of the log kept elsewhere: a file or a folder"
    )
    parser.add_argument("--log-key", default="", help="public key of the log as it was kept elsewhere")


def media(options: dict[str, Any]) -> Media:
    """Return where the parts lie."""
    return Media(options["folder"], options["vault"], options["keys"])


def outside(options: dict[str, Any]) -> Outside:
    """Return what is kept elsewhere; the second place of the settings is looked at without being named."""
    heads = list(options["heads"])
    second = Path(settings.LOG_SECOND_PLACE) if settings.LOG_SECOND_PLACE else None
    if second and second not in heads and next(second.glob("checkpoint*"), None):
        heads.append(second)
    path = options["public_key"]
    return Outside(path.read_bytes() if path else None, tuple(heads), options["log_key"])


def findings(made: Manifest) -> Iterator[str]:
    """Yield what a backup says was wrong with the office when it was made, and hindered nothing."""
    if made.trailing:
        yield _(
            "NOT IN ORDER: the rows of %(count)s stored files (%(files)s) do not follow them since they were sealed anew, because "
            "their dispatches were changed past the office. Their content is in the backup. `manage.py verify_log` in the office "
            "names the dispatches and what differs: tell the auditor."
        ) % {"count": len(made.trailing), "files": ", ".join(sorted(made.trailing)[: objects.SAID])}
    yield from false_entries(made.false_entries)


def false_entries(places: Sequence[int]) -> Iterator[str]:
    """Yield which entries of a log are not what their hash says, if any."""
    if places:
        yield _(
            "NOT IN ORDER: %(count)s entries of the log (places %(places)s) have another hash than the log says, and had when this "
            "copy of the database was made: they were put in or changed past the office. All others were checked. "
            "`manage.py verify_log` in the office names them: tell the auditor."
        ) % {"count": len(places), "places": ", ".join(map(str, places[: objects.SAID]))}


def end(command: BaseCommand, lines: Iterable[str]) -> None:
    """Say what is not in order in the office, and end with 3: the work was done and is whole, and somebody has to look.

    Exit 0 would be read by no one where a timer gives the command; 1 would say that there is no backup.
    """
    said = list(lines)
    for line in said:
        command.stderr.write(line)
    if said:
        raise told(CommandError(_("Done and whole, but the office is not in order: see above."), returncode=UNSOUND))


@contextmanager
def answering() -> Iterator[None]:
    """Turn what goes wrong into one line with its code and the way out; exit 1."""
    try:
        yield
    except Refusal as refusal:
        raise CommandError(f"{refusal.code}: {refusal}") from refusal
    except Tampered as fault:
        raise CommandError(f"BKP-003: {fault}") from fault
    except (EngineAway, EngineBusy) as fault:
        raise CommandError(
            _("The search engine does not answer. Run the same command again when it does; it goes on where it was.")
        ) from fault
    except (OSError, DatabaseError) as fault:
        raise CommandError(
            _("%(fault)s. Nothing was marked as done; mend it and run the same command again.")
            % {"fault": str(fault).strip()}
        ) from fault
