"""Where SQLite keeps an office, and whether the office has moved away from there (`config.moving`)."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings


def database_file() -> Path:
    """Return where SQLite keeps the main database."""
    return Path(str(settings.SQLITE["NAME"]))


def vault_file() -> Path:
    """Return where SQLite keeps the vault."""
    return Path(settings.VANKHO_HOME) / "keys" / "vault.sqlite3"


def note_of(path: Path) -> Path:
    """Return the note that a move leaves beside a file."""
    return path.with_name(f"{path.name}.moved")


def left_behind() -> Iterator[Path]:
    """Yield the files that the office moved away from and that the present settings would use again."""
    on_sqlite = settings.DATABASES["default"] is settings.SQLITE
    for path, is_used in ((database_file(), on_sqlite), (vault_file(), not settings.VAULT_URL)):
        if is_used and note_of(path).exists():
            yield path
