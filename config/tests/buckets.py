"""Buckets of a test run on the real S3 server: made, lent, emptied and removed."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from minio import Minio
from minio.deleteobjects import DeleteObject

from archive.stores import bucket
from archive.stores.bucket import Account
from config.tests.office import RUN


@contextmanager
def fresh(*, object_lock: bool = False) -> Iterator[Account]:
    """Lend a bucket of our own; skip without a server, fail when one is asked for and missing."""
    names = ("VANKHO_TEST_S3_URL", "VANKHO_TEST_S3_ACCESS_KEY", "VANKHO_TEST_S3_SECRET_KEY")
    url, access_key, secret_key = (os.environ.get(name, "") for name in names)
    if not url:
        (pytest.fail if os.environ.get("VANKHO_TEST_REQUIRE") == "1" else pytest.skip)("VANKHO_TEST_S3_URL is not set")
    account = Account(url, f"{RUN}-{secrets.token_hex(4)}", "us-east-1", access_key, secret_key)
    client = bucket.connect(account)
    client.make_bucket(account.bucket, object_lock=object_lock)
    try:
        yield account
    finally:
        remove(client, account.bucket)


def remove(client: Minio, name: str) -> None:
    """Remove a bucket with everything in it, locked versions and unfinished uploads too."""
    for one in client._list_multipart_uploads(name).uploads:
        client._abort_multipart_upload(name, one.object_name, one.upload_id)
    versions = client.list_objects(name, recursive=True, include_version=True)
    gone = [DeleteObject(one.object_name, one.version_id) for one in versions]
    assert list(client.remove_objects(name, gone, bypass_governance_mode=True)) == []
    client.remove_bucket(name)
