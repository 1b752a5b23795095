"""One bucket on an S3 server: the connection, its limits of time, and what its errors mean.

Every request of the S3 driver goes through `asked`, which turns whatever the client, the
connection or the server says into a refusal of the store, with a plain reason that never
quotes an address, a header or a key. Timeouts are set, retries are few and bounded,
redirects are off. Knows nothing of objects' content or keys.
"""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import urllib3
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError, ProtocolError, SSLError
from urllib3.exceptions import TimeoutError as TookTooLong

from archive.stores.refusals import StoreAway, StoreFull

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 20.0
TRIES_MORE: Final = 2
CONNECTIONS: Final = 16
FULL_STATUS: Final = 507
FULL: Final = frozenset({
    "XMinioStorageFull", "EntityTooLarge", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage",
    "InsufficientCapacity", "StorageFull", "OverQuota",
})  # fmt: skip
ABSENT: Final = ("NoSuchKey", "NoSuchVersion", "NotFound")
CUT: Final = _("the connection was cut")
NOT_S3: Final = _("something else answered in its place")
LOCKED: Final = _("the object is locked, and our account may not lift the lock")
NO_RANGE: Final = _("it sent another part of the file than was asked for")
NOT_SIGNED_IN: Final = frozenset({
    "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "AuthorizationHeaderMalformed",
})  # fmt: skip
WORDS: Final[dict[str, str | Promise]] = {
    "NoSuchBucket": _("the bucket does not exist; manage.py prepare_store makes it"),
    "PreconditionFailed": _("the address is taken"),
    "BadDigest": _("the bytes arrived damaged"),
    "XAmzContentSHA256Mismatch": _("the bytes arrived damaged"),
    "RequestTimeTooSkewed": _("the clocks of the two machines differ"),
    "SlowDown": _("the server is overloaded"),
}


@dataclass(frozen=True, slots=True)
class Account:
    """Where the bucket is and who we are there; its text never shows the secret."""

    url: str
    bucket: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)
    ca_file: str = ""
    prefix: str = "objects"


def connect(account: Account, *, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS) -> Minio:
    """Return a client; nothing is sent yet. Safe between threads; a fork needs its own."""
    parts = urlsplit(account.url)
    pool = urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=connect_seconds, read=read_seconds),
        maxsize=CONNECTIONS,
        # `allowed_methods=None` repeats writes as well: each is conditional or carries its own number.
        retries=urllib3.Retry(
            total=TRIES_MORE,
            redirect=False,
            status_forcelist=(500, 502, 503, 504),
            allowed_methods=None,
            backoff_factor=0.2,
            raise_on_status=False,
            respect_retry_after_header=False,
        ),
        ssl_context=_trusted(account.ca_file) if parts.scheme == "https" else None,
    )
    return Minio(
        parts.netloc.rpartition("@")[2],
        access_key=account.access_key,
        secret_key=account.secret_key,
        secure=parts.scheme == "https",
        region=account.region,
        http_client=pool,
    )


def _trusted(ca_file: str) -> ssl.SSLContext:
    """Trust the named certificate alone, or what the machine trusts. Raises StoreAway."""
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise StoreAway(reason=_("the certificate file cannot be read")) from error


@contextmanager
def asked(*answers: str) -> Iterator[None]:
    """Turn what goes wrong inside into a refusal. Raises StoreFull, StoreAway.

    Args:
        answers: codes of the server that are an answer to the caller, not a fault; they leave as `S3Error`.
    """
    try:
        yield
    except S3Error as error:
        if error.code in answers:
            raise
        raise refusal(error) from None  # the original quotes headers and addresses
    except (MinioException, HTTPError, OSError, ValueError, SyntaxError) as error:  # XML's is a SyntaxError
        raise refusal(error) from None


def refusal(error: Exception) -> StoreFull | StoreAway:
    """Return what a failed request means to the reader."""
    if isinstance(error, S3Error):
        if error.code in FULL or error.response.status == FULL_STATUS:
            return StoreFull()
        return StoreAway(reason=_said(str(error.code), error.response.status))
    if isinstance(error, ServerError):
        return _by_status(error.status_code)
    if isinstance(error, InvalidResponseError):
        return _by_status(error._code)  # noqa: SLF001 - the client keeps the status nowhere else
    return StoreAway(reason=_cause(error))


def _by_status(status: int) -> StoreFull | StoreAway:
    return StoreFull() if status == FULL_STATUS else StoreAway(reason=_("it answered %s") % status)


def _said(code: str, status: int) -> str | Promise:
    if code in NOT_SIGNED_IN:
        return _("it refused our account")
    known = WORDS.get(code)
    return known if known is not None else _("it answered %s") % f"{status} {code[:40]}"


def _cause(error: Exception) -> str | Promise:
    """Name the cause of a failed connection without its text."""
    cause: object = error.reason if isinstance(error, MaxRetryError) else error
    kinds: list[tuple[type[BaseException], Callable[[], str | Promise]]] = [
        (NewConnectionError, lambda: _("no connection")),
        (TookTooLong, lambda: _("no answer in time")),
        (SSLError, lambda: _("its certificate was not accepted")),
        (ProtocolError, lambda: CUT),
    ]
    for kind, words in kinds:
        if isinstance(cause, kind):
            return words()
    return _("an unexpected answer (%s)") % type(cause).__name__
