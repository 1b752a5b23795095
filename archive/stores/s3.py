"""Sealed objects in one bucket of an S3 server.

`<prefix>/ab/cd/<address>.vkso`, written once: a small object by one conditional put, a
large one in parts while it is being sealed, given its name by one conditional completion;
until then nobody sees it. SHA-256 goes with every body, so the server refuses what arrived
damaged. All levels lie in one bucket under random names (config/decisions/store.md says
why). Never sees a key or a plain byte. Uses some of the client's inner calls, because its
public ones take no condition and no checksum.
"""

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import BinaryIO, Final, cast

from minio import Minio
from minio.commonconfig import GOVERNANCE
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from minio.helpers import DictType
from minio.retention import Retention
from minio.xml import Element, SubElement, getbytes
from urllib3.response import BaseHTTPResponse

from archive.rules.errors import Refusal
from archive.rules.sizes import MIB
from archive.stores import bucket
from archive.stores.bucket import Account, asked
from archive.stores.local import SUFFIX
from archive.stores.port import Kept, object_id
from archive.stores.ranges import RangeStream
from archive.stores.refusals import MissingObject, StoreAway, StoreFailed

PART: Final = 8 * MIB  # S3 asks for at least 5; memory of one writer is one part and its copy on the wire
MARK: Final = "x-amz-meta-draft"
NO_LOCK: Final = ("InvalidRequest", "ObjectLockConfigurationNotFoundError", "NotImplemented", "MethodNotAllowed")


class S3Draft:
    """One object being written: held back below one part, an unfinished upload from there on."""

    def __init__(self, client: Minio, place: str, key: str) -> None:
        """Begin; nothing is sent before the first full part."""
        self._client, self._bucket, self._key = client, place, key
        self._mark = secrets.token_hex(16)  # tells our own object after an answer was lost
        self._held = bytearray()
        self._upload = ""
        self._parts: list[tuple[str, str]] = []
        self._is_over = False

    def write(self, sealed: memoryview) -> None:
        """Append; every full part is sent at once. Raises StoreFull, StoreAway."""
        self._held += sealed
        while len(self._held) >= PART:
            self._send_part(bytes(self._held[:PART]))
            del self._held[:PART]

    def commit(self) -> None:
        """Give the object its name, whole, and never over an existing one. Raises StoreFull, StoreFailed."""
        try:
            if self._upload:
                if self._held:
                    self._send_part(bytes(self._held))
                self._conclude(self._complete)
            else:
                self._conclude(self._put)
            self._is_over = True
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Drop what was sent; a server that is away keeps it until the sweep."""
        self._held.clear()
        if self._upload and not self._is_over:
            with suppress(Refusal), asked():
                self._client._abort_multipart_upload(self._bucket, self._key, self._upload)  # noqa: SLF001
        self._is_over = True

    def _send_part(self, body: bytes) -> None:
        checksum = _checksum(body)
        with asked():
            if not self._upload:
                self._upload = self._client._create_multipart_upload(  # noqa: SLF001
                    self._bucket, self._key, {"x-amz-checksum-algorithm": "SHA256", MARK: self._mark}
                )
            number = len(self._parts) + 1
            headers: DictType = {"x-amz-checksum-sha256": checksum}
            etag = self._client._upload_part(self._bucket, self._key, body, headers, self._upload, number)  # noqa: SLF001
        if not etag:
            raise StoreAway(reason=bucket.NOT_S3)
        self._parts.append((etag, checksum))

    def _conclude(self, send: Callable[[], None]) -> None:
        """Send the request that makes the object visible; ask what became of it when the answer is no help."""
        try:
            with asked("PreconditionFailed", "NoSuchUpload"):
                send()
        except S3Error as error:
            # The first try may have been done and only its answer lost; then the repeated one was refused.
            if not self._is_ours():
                raise bucket.refusal(error) from None
        except StoreAway:
            # Nobody knows whether it was done. If it was, it is whole, durable and ours.
            if not self._is_ours():
                raise

    def _put(self) -> None:
        body = bytes(self._held)
        headers = {"If-None-Match": "*", "x-amz-checksum-sha256": _checksum(body), MARK: self._mark}
        if not self._execute("PUT", body, headers, {}).headers.get("etag"):
            raise StoreAway(reason=bucket.NOT_S3)

    def _complete(self) -> None:
        order = Element("CompleteMultipartUpload")
        for number, (etag, checksum) in enumerate(self._parts, start=1):
            part = SubElement(order, "Part")
            for name, value in (("PartNumber", str(number)), ("ETag", f'"{etag}"'), ("ChecksumSHA256", checksum)):
                SubElement(part, name, value)
        headers = {"Content-Type": "application/xml", "If-None-Match": "*"}
        answer = self._execute("POST", getbytes(order), headers, {"uploadId": self._upload})
        if b"CompleteMultipartUploadResult" not in answer.data:  # S3 may say 200 first and fail afterwards
            raise StoreAway(reason=bucket.NOT_S3)

    def _execute(self, method: str, body: bytes, headers: dict[str, str], query: dict[str, str]) -> BaseHTTPResponse:
        return self._client._execute(  # noqa: SLF001
            method,
            self._bucket,
            self._key,
            body=body,
            headers=dict(headers),
            query_params=dict(query),
        )

    def _is_ours(self) -> bool:
        try:
            with asked():
                found = self._client.stat_object(self._bucket, self._key)
        except Refusal:
            return False
        return bool(found.metadata and found.metadata.get(MARK) == self._mark)


def _checksum(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


class S3Store:
    """The driver for one bucket; safe to share between threads. Connects when first asked."""

    def __init__(self, account: Account, **seconds: float) -> None:
        """Take the account; `connect_seconds` and `read_seconds` as in `bucket.connect`."""
        self._client = bucket.connect(account, **seconds)
        self._bucket, self._prefix = account.bucket, account.prefix.strip("/") + "/"
        self._shape = re.compile(
            rf"{re.escape(self._prefix)}([0-9a-f]{{2}})/([0-9a-f]{{2}})/(\1\2[0-9a-f]{{28}}){SUFFIX}"
        )

    def create(self, address: str) -> S3Draft:
        """Begin an object; nothing is sent yet."""
        return S3Draft(self._client, self._bucket, self._key(address))

    def open(self, address: str) -> BinaryIO:
        """Return a seekable stream of the sealed bytes. Raises MissingObject, StoreAway."""
        key = self._key(address)

        def fetch(offset: int, length: int) -> BaseHTTPResponse:
            return self._client.get_object(self._bucket, key, offset=offset, length=length)

        return cast("BinaryIO", RangeStream(fetch, address=address))

    def stat(self, address: str) -> Kept | None:
        """Return size and time, None if there is no such object. Raises StoreAway."""
        try:
            with asked(*bucket.ABSENT):
                found = self._client.stat_object(self._bucket, self._key(address))
        except S3Error:
            return None
        if not found.etag:
            raise StoreAway(reason=bucket.NOT_S3)
        return Kept(sealed_size=found.size or 0, changed_at=found.last_modified or datetime.now(UTC))

    def delete(self, address: str) -> None:
        """Remove every version of the object, locked ones too where the account may; twice is not an error.

        Raises:
            StoreFailed: a version stays. Its key is gone already, so nobody can read it.
        """
        key = self._key(address)
        with asked():
            found = list(self._client.list_objects(self._bucket, prefix=key, include_version=True))
            versions = [DeleteObject(key, one.version_id) for one in found if one.object_name == key]
            if not versions:
                return
            left = list(self._client.remove_objects(self._bucket, versions, bypass_governance_mode=True))
        if left:
            raise StoreFailed(reason=bucket.LOCKED if left[0].code == "AccessDenied" else str(left[0].code))

    def addresses(self) -> Iterator[str]:
        """Yield the addresses of all whole objects, page by page. Raises StoreAway."""
        with asked():
            for found in self._client.list_objects(self._bucket, prefix=self._prefix, recursive=True):
                if shown := self._shape.fullmatch(found.object_name or ""):
                    yield shown[3]

    def free_bytes(self) -> int | None:
        """Return None: S3 does not tell."""
        return None

    def sweep(self, *, older_than_seconds: float) -> int:
        """Abort uploads begun so long ago that their writer must be dead."""
        limit = time.time() - older_than_seconds
        stale = [one for one in self._uploads() if one[2].timestamp() <= limit]
        for key, upload, _begun in stale:
            with suppress(S3Error), asked("NoSuchUpload"):  # gone in the meantime
                self._client._abort_multipart_upload(self._bucket, key, upload)  # noqa: SLF001
        return len(stale)

    def retain(self, address: str, until: datetime) -> bool:
        """Lock an object (governance mode) until a moment, where the bucket can; never shortens a lock.

        Returns:
            Whether the object is now locked at least so long. Raises MissingObject, StoreAway.
        """
        key = self._key(address)
        try:
            with asked(*NO_LOCK, *bucket.ABSENT):
                kept = self._client.get_object_retention(self._bucket, key)
                if kept is None or kept.retain_until_date < until:
                    self._client.set_object_retention(self._bucket, key, Retention(GOVERNANCE, until))
        except S3Error as error:
            if error.code in bucket.ABSENT:
                raise MissingObject(address=address) from None
            return False
        return True

    def _uploads(self) -> list[tuple[str, str, datetime]]:
        """Return key, number and beginning of every unfinished upload."""
        found: list[tuple[str, str, datetime]] = []
        mark: str | None = None  # of the key alone: a key has one writer, so one upload
        while True:
            with asked():
                page = self._client._list_multipart_uploads(  # noqa: SLF001
                    self._bucket, prefix=self._prefix, key_marker=mark
                )
            found += [
                (one.object_name, str(one.upload_id), one.initiated_time or datetime.now(UTC)) for one in page.uploads
            ]
            if not page.is_truncated:
                return found
            mark = page.next_key_marker

    def _key(self, address: str) -> str:
        """Return where an address lies; anything but 32 hex digits never becomes a name."""
        object_id(address)
        return f"{self._prefix}{address[:2]}/{address[2:4]}/{address}{SUFFIX}"
