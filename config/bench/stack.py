"""The big stack of a bench: databases, a bucket and indexes of its own on real servers, gone afterwards.

Takes the addresses of servers that are running (the environment of the engine tests)
and never touches anything on them that it did not make.
"""

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

NEEDED = ("DATABASE_URL", "ELASTICSEARCH_URL", "S3_URL", "S3_ACCESS_KEY", "S3_SECRET_KEY")


@dataclass(frozen=True)
class Servers:
    """Where the servers answer."""

    database: str
    elasticsearch: str
    s3: str
    s3_access_key: str
    s3_secret_key: str

    @classmethod
    def given(cls) -> "Servers":
        """Return the servers of VANKHO_TEST_*. Raises RuntimeError naming what is missing."""
        values = [os.environ.get(f"VANKHO_TEST_{name}", "") for name in NEEDED]
        missing = [f"VANKHO_TEST_{name}" for name, value in zip(NEEDED, values, strict=True) if not value]
        if missing:
            raise RuntimeError(f"the big stack needs {', '.join(missing)}")
        return cls(*values)


@contextmanager
def big(servers: Servers, *, through: Servers | None = None) -> Iterator[dict[str, str]]:
    """Yield the settings of an installation on the big stack.

    Args:
        servers: where databases, bucket and indexes are made and removed.
        through: where the installation itself connects (a proxy in front of each); the same by default.
    """
    name = f"vankhobench{uuid.uuid4().hex[:10]}"
    seen = through or servers
    databases(servers.database, "CREATE DATABASE {}", name)
    bucket = _client(servers)
    bucket.make_bucket(name)
    try:
        yield {
            "VANKHO_DATABASE_URL": with_database(seen.database, name),
            "VANKHO_VAULT_URL": with_database(seen.database, f"{name}_vault"),
            "VANKHO_ELASTICSEARCH_URL": seen.elasticsearch,
            "VANKHO_INDEX_PREFIX": name,
            "VANKHO_STORE": "s3",
            "VANKHO_S3_URL": seen.s3,
            "VANKHO_S3_BUCKET": name,
            "VANKHO_S3_ACCESS_KEY": servers.s3_access_key,
            "VANKHO_S3_SECRET_KEY": servers.s3_secret_key,
        }
    finally:
        databases(servers.database, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        _empty(bucket, name)
        _drop_indexes(servers.elasticsearch, name)


@contextmanager
def own_database(server: str) -> Iterator[dict[str, str]]:
    """Yield the setting of a new database, and of a vault beside it, on a PostgreSQL server; both are gone afterwards."""
    name = f"vankhobench{uuid.uuid4().hex[:10]}"
    databases(server, "CREATE DATABASE {}", name)
    try:
        yield {"VANKHO_DATABASE_URL": with_database(server, name)}
    finally:
        databases(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def connect(environment: dict[str, str]):  # noqa: ANN201 - either driver's connection; both execute and close alike
    """Open the database of an installation for a reader that asks nobody."""
    address = environment.get("VANKHO_DATABASE_URL")
    if not address:
        return sqlite3.connect(Path(environment["VANKHO_HOME"]) / "db.sqlite3", timeout=20)
    import psycopg

    return psycopg.connect(address, autocommit=True)


def with_database(address: str, name: str) -> str:
    """Return the address of another database of the same server."""
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))


def databases(address: str, statement: str, name: str) -> None:
    """Run a statement about a database and the vault beside it, connected to neither."""
    import psycopg
    from psycopg import sql

    with closing(psycopg.connect(with_database(address, "postgres"), autocommit=True)) as connection:
        for database in (name, f"{name}_vault"):
            connection.execute(sql.SQL(statement).format(sql.Identifier(database)))


def _client(servers: Servers):  # noqa: ANN202 - minio has no types of its own here
    import minio

    parts = urlsplit(servers.s3)
    return minio.Minio(
        parts.netloc, servers.s3_access_key, servers.s3_secret_key, secure=parts.scheme == "https", region="us-east-1"
    )


def _empty(client, bucket: str) -> None:  # noqa: ANN001
    for found in client.list_objects(bucket, recursive=True):
        client.remove_object(bucket, found.object_name)
    with suppress(Exception):  # an unfinished upload keeps a bucket: it is empty all the same
        client.remove_bucket(bucket)


def _drop_indexes(address: str, prefix: str) -> None:
    from elasticsearch import Elasticsearch

    with closing(Elasticsearch(address)) as client:
        for index in client.indices.get(index=f"{prefix}*", ignore_unavailable=True, allow_no_indices=True):
            client.indices.delete(index=index, ignore_unavailable=True)
