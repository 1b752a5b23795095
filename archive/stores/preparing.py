"""The buckets of an S3 account: which of them its server lacks, and making those. What is there is left as it is.

A new bucket can lock objects where the server knows how: the lock cannot be given to a bucket later.
Reads and makes buckets; never looks at an object.
"""

from contextlib import suppress

from minio import Minio
from minio.error import S3Error

from archive.stores import bucket, locks
from archive.stores.bucket import Account, asked
from archive.stores.s3 import buckets

OURS_NOW = ("BucketAlreadyOwnedByYou",)  # two machines that prepare at once


def missing(account: Account) -> list[str]:
    """Return the names of the buckets that are not there, lowest level first. Raises StoreAway."""
    return _missing(bucket.connect(account), account)


def make(account: Account) -> list[str]:
    """Make the buckets that are not there; return their names. Raises StoreFull, StoreAway."""
    client = bucket.connect(account)
    lacking = _missing(client, account)
    for name in lacking:
        with suppress(S3Error), asked(*OURS_NOW):
            _make(client, name)
    return lacking


def _missing(client: Minio, account: Account) -> list[str]:
    with asked():
        return [name for name in dict.fromkeys(buckets(account.bucket)) if not client.bucket_exists(name)]


def _make(client: Minio, name: str) -> None:
    try:
        with asked(*OURS_NOW, *locks.NONE):
            client.make_bucket(name, object_lock=True)
    except S3Error as error:
        if error.code not in locks.NONE:
            raise
        with asked(*OURS_NOW):
            client.make_bucket(name)
