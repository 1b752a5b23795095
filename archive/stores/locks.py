"""Locks on objects of an S3 server: set, and asked for. Governance mode: lawful destruction lifts them (`archive.locking`)."""

from datetime import UTC, datetime
from typing import Final

from minio import Minio
from minio.commonconfig import GOVERNANCE
from minio.error import S3Error
from minio.retention import Retention

from archive.stores import bucket
from archive.stores.bucket import asked

# What a server answers where there are no locks.
NONE: Final = ("InvalidRequest", "ObjectLockConfigurationNotFoundError", "NotImplemented", "MethodNotAllowed")


def set_on(client: Minio, name: str, key: str, until: datetime) -> None:
    """Lock an object until a moment, never for a shorter time than it is. Raises S3Error."""
    kept = client.get_object_retention(name, key)
    if kept is None or kept.retain_until_date < until:
        client.set_object_retention(name, key, Retention(GOVERNANCE, until))


def end_of(client: Minio, name: str, key: str) -> datetime | None:
    """Return when the last lock on any version of an object ends, None where none is in force. Raises StoreAway."""
    with asked():
        found = list(client.list_objects(name, prefix=key, include_version=True))
    ends = [_end(client, name, key, one.version_id) for one in found if one.object_name == key]
    return max((end for end in ends if end and end > datetime.now(UTC)), default=None)


def _end(client: Minio, name: str, key: str, version: str | None) -> datetime | None:
    try:
        with asked(*NONE, *bucket.ABSENT):
            kept = client.get_object_retention(name, key, version_id=version)
    except S3Error:
        return None
    return kept.retain_until_date if kept else None
