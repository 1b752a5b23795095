"""Typed readers of environment variables, and nothing else.

A secret may come from a file: NAME_FILE holds the path, the file's stripped text is
the value. A value that cannot be read ends the start with the name and the cure.
"""

import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from archive.rules.officehours import Hours

# A statement or a lock that takes this long is a fault: better an error on one page than an office that waits.
POSTGRESQL_LIMITS: Final = (
    "-c statement_timeout=30s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s -c synchronous_commit=on"
    # A page reads few rows, but its estimate is high: compiling its plan took 380 ms, starting helpers 40, for 5 ms of work.
    " -c jit=off -c max_parallel_workers_per_gather=0"
    # Disks have no heads: at the default of 4 one person's acts of one kind were looked for in the whole log (700 ms).
    " -c random_page_cost=1.1"
)
# A server that vanished without a word (no cable, no power) is noticed in seconds, not in the two hours of TCP.
POSTGRESQL_PATIENCE: Final = {
    "connect_timeout": 5,
    "tcp_user_timeout": 35_000,  # ms; longer than the longest statement may take
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
NAMES: set[str] = set()  # every variable asked for; the documentation test compares it with the README
READ: dict[str, str] = {}  # what each had when it was last asked for; the log is told of changes (`config.lifetime`)


def text(name: str, default: str = "") -> str:
    """Return NAME, or the text of the file that NAME_FILE points to, or the default."""
    NAMES.add(name)
    READ[name] = _given(name, default)
    return READ[name]


def _given(name: str, default: str) -> str:
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE={path}: {error.strerror}. Point it at a readable file.") from error
    return os.environ.get(name, default)


def flag(name: str, *, default: bool = False) -> bool:
    """Return True for 1/true/yes/on, False for 0/false/no/off (any case)."""
    value = text(name, str(default)).lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no. Use 1 or 0.")


def number(name: str, default: int) -> int:
    """Return a whole number."""
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from error


def hours(name: str, default: str) -> Hours:
    """Return a span of whole hours of the day: "7-18" is open from 7:00 and closed from 18:00 on."""
    given = text(name, default)
    first, dash, last = given.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal() and int(first) < int(last) <= 24):  # noqa: PLR2004 - hours of a day
        raise ImproperlyConfigured(f"{name} is {given!r}. Write two whole hours of the day, such as 7-18.")
    return Hours(int(first), int(last))


def choice(name: str, default: str, among: Sequence[str]) -> str:
    """Return one of a fixed list of words."""
    value = text(name, default)
    if value not in among:
        raise ImproperlyConfigured(f"{name}={value!r} is unknown. Use one of: {', '.join(among)}.")
    return value


def path(name: str, default: Path) -> Path:
    """Return an absolute path."""
    return Path(text(name, str(default))).expanduser().absolute()


def listed(name: str, default: str = "") -> list[str]:
    """Return the comma-separated values, blanks dropped."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def words(name: str) -> list[str]:
    """Return the values parted by blanks or line breaks; for secrets, which may hold commas."""
    return text(name).split()


def networks(name: str, default: str = "") -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return the comma-separated addresses and networks (`10.1.0.0/16`); a lone address is a network of one."""
    try:
        return [ipaddress.ip_network(given, strict=False) for given in listed(name, default)]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}. Write addresses or networks, parted by commas.") from error


def postgresql(name: str) -> dict[str, Any] | None:
    """Return Django's settings of `postgresql://user:password@host:port/name?sslmode=verify-full`, None if not given."""
    given = text(name)
    if not given:
        return None
    parts = urlsplit(given)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            f"{name} is not a PostgreSQL address. Write postgresql://user:password@host/database."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": {"options": POSTGRESQL_LIMITS, **POSTGRESQL_PATIENCE, **dict(parse_qsl(parts.query))},
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
