"""Which place keeps the sealed objects: the drivers by the names that VANKHO_STORE knows.

Reads the settings, opens a driver and, when asked, makes the buckets it lacks; never looks at an object.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from django.conf import settings

from archive.stores.local import LocalStore
from archive.stores.port import Driver


def folder() -> Path:
    """Return where the local driver keeps its objects."""
    return Path(settings.VANKHO_HOME) / "objects"


def account() -> tuple[str, ...]:
    """Return the settings of the S3 account in the order of `archive.stores.bucket.Account`."""
    names = ("S3_URL", "S3_BUCKET", "S3_REGION", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_CA_FILE")
    return tuple(getattr(settings, name) for name in names)


def missing() -> list[str]:
    """Return the buckets that the chosen place lacks: nothing can be kept before they are made. Raises StoreAway."""
    if not has_places():
        return []
    from archive.stores import preparing
    from archive.stores.bucket import Account

    return preparing.missing(Account(*account()))


def prepare() -> list[str]:
    """Make the buckets that the S3 account lacks; return their names. Raises StoreFull, StoreAway."""
    from archive.stores import preparing
    from archive.stores.bucket import Account

    return preparing.make(Account(*account()))


def _bucket() -> Driver:
    # Loaded when chosen: an installation on local files is spared the client's 0.3 s.
    from archive.stores.bucket import Account
    from archive.stores.s3 import S3Store

    return S3Store(Account(*account()))


DRIVERS: Final[dict[str, Callable[[], Driver]]] = {"local": lambda: LocalStore(folder()), "s3": _bucket}


def has_places() -> bool:
    """Return whether objects of each level lie in a place of their own."""
    return str(settings.STORE_DRIVER) == "s3"


def driver(name: str) -> Driver:
    """Open a driver by its name. Raises StoreFull, StoreFailed."""
    return DRIVERS[name]()
