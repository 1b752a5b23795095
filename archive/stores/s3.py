"""Sealed objects on an S3 server: a prefix for each level, or a bucket for each.

`<prefix>/<rank>/ab/cd/<address>.vkso` (0 Thường to 3 Tuyệt mật), written once: a small object by one conditional put, a
large one in parts while it is being sealed, given its name by one conditional completion;
until then nobody sees it. SHA-256 goes with every body, so the server refuses what arrived
damaged. "{level}" in the bucket's name makes it one bucket a level. An object whose level moved is
copied to the new place (`bring`) and then removed from the old one (`leave`); until then it is found where it
lies, for a reader looks in every place. So are objects of before, which lie in none of them. Never sees
a key or a plain byte. Uses some of the client's inner calls, because its public ones take no
condition and no checksum.
"""

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, Final, TypeVar, cast

from minio import Minio
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from minio.helpers import DictType
from minio.xml import Element, SubElement, getbytes
from urllib3.response import BaseHTTPResponse

from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.rules.sizes import MIB
from archive.stores import bucket, locks
from archive.stores.bucket import Account, asked
from archive.stores.local import SUFFIX
from archive.stores.port import Kept, object_id
from archive.stores.ranges import RangeStream
from archive.stores.refusals import MissingObject, StoreAway, StoreFailed

PART: Final = 8 * MIB  # S3 asks for at least 5; memory of one writer is one part and its copy on the wire
LEVEL: Final = "{level}"  # in the name of a bucket
MARK: Final = "x-amz-meta-draft"

_Answer = TypeVar("_Answer")


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


@dataclass(frozen=True, slots=True)
class _Place:
    """Where objects of one level lie."""

    bucket: str
    prefix: str

    def key(self, address: str) -> str:
        """Return the name of an address; anything but 32 hex digits never becomes one."""
        object_id(address)
        return f"{self.prefix}{address[:2]}/{address[2:4]}/{address}{SUFFIX}"


def buckets(name: str) -> tuple[str, ...]:
    """Return the bucket of each level, lowest first: one name for all, or one each where it says "{level}"."""
    return tuple(name.replace(LEVEL, level.slug.replace("_", "-")) for level in Level)


class S3Store:
    """The driver for an account's places; safe to share between threads. Connects when first asked."""

    def __init__(self, account: Account, **seconds: float) -> None:
        """Take the account; `connect_seconds` and `read_seconds` as in `bucket.connect`."""
        self._client = bucket.connect(account, **seconds)
        self._prefix = account.prefix.strip("/") + "/"
        names = buckets(account.bucket)
        self._of = tuple(
            _Place(name, f"{self._prefix}{level.value}/") for name, level in zip(names, Level, strict=True)
        )
        self._buckets = tuple(dict.fromkeys(names))
        # An office older than places has its objects beside them.
        self._all = (*self._of, *(_Place(name, self._prefix) for name in self._buckets if LEVEL not in account.bucket))
        self._shape = re.compile(
            rf"{re.escape(self._prefix)}(?:[0-3]/)?([0-9a-f]{{2}})/([0-9a-f]{{2}})/(\1\2[0-9a-f]{{28}}){SUFFIX}"
        )

    def create(self, address: str, *, level: Level) -> S3Draft:
        """Begin an object; nothing is sent yet."""
        place = self._of[level]
        return S3Draft(self._client, place.bucket, place.key(address))

    def open(self, address: str) -> BinaryIO:
        """Return a seekable stream of the sealed bytes. Raises MissingObject, StoreAway."""
        object_id(address)

        def fetch(offset: int, length: int) -> BaseHTTPResponse:
            return self._somewhere(lambda place: self._get(place, address, offset, length))

        return cast("BinaryIO", RangeStream(fetch, address=address))

    def stat(self, address: str) -> Kept | None:
        """Return size and time, None if there is no such object. Raises StoreAway."""
        object_id(address)
        try:
            with asked(*bucket.ABSENT):
                return self._somewhere(lambda place: self._stat(place, address))
        except S3Error:
            return None

    def delete(self, address: str) -> None:
        """Remove every version of the object wherever it lies, locked ones too where the account may; twice is not an error.

        Raises:
            StoreFailed: a version stays. Its key is gone already, so nobody can read it.
        """
        for place in self._all:
            self._remove(place, address)

    def is_settled(self, address: str, level: Level) -> bool:
        """Return whether an object lies in the place of a level, and in no other. Raises StoreAway."""
        return self._has(self._of[level], address) and not self._others(address, self._of[level])

    def bring(self, address: str, level: Level, *, sha256: str) -> None:
        """See that an object lies whole in the place of a level: copy it there from wherever it is. Nothing is removed.

        A copy that does not have this digest of the sealed bytes (hexadecimal) is never relied on.

        Raises:
            MissingObject: it lies nowhere.
            StoreFull, StoreFailed, StoreAway: it stays where it was.
        """
        target = self._of[level]
        others, is_there = self._others(address, target), self._has(target, address)
        if is_there and (not others or self._digest(target, address) == sha256):
            return
        if not others:
            raise MissingObject(address=address)
        if is_there:
            self._remove(target, address)  # of a copy that was damaged; the others are untouched
        self._copy(others[0], target, address, sha256)

    def leave(self, address: str, level: Level) -> bool:
        """Remove every copy beside that in the place of a level, and take their locks over.

        To be called after `bring`, while nobody can change the level: two callers that mean two levels would leave none.

        Raises:
            MissingObject: it does not lie there; nothing was removed.
            StoreFailed, StoreAway: a copy stays, or the place takes no lock.
        """
        target, others = self._of[level], self._others(address, self._of[level])
        if not self._has(target, address):
            raise MissingObject(address=address)
        for place in others:
            self._carry_lock(place, target, address)
            self._remove(place, address)
        return bool(others)

    def addresses(self) -> Iterator[str]:
        """Yield the addresses of all whole objects, page by page. Raises StoreAway."""
        for name in self._buckets:
            with asked():
                for found in self._client.list_objects(name, prefix=self._prefix, recursive=True):
                    if shown := self._shape.fullmatch(found.object_name or ""):
                        yield shown[3]

    def retain(self, address: str, until: datetime) -> bool:
        """Lock an object (governance mode) until a moment, where the bucket can; never shortens a lock.

        Returns:
            Whether the object is now locked at least so long. Raises MissingObject, StoreAway.
        """
        place = next((each for each in self._all if self._has(each, address)), None)
        if place is None:
            raise MissingObject(address=address)
        try:
            with asked(*locks.NONE, *bucket.ABSENT):
                locks.set_on(self._client, place.bucket, place.key(address), until)
        except S3Error as error:
            if error.code in bucket.ABSENT:
                raise MissingObject(address=address) from None
            return False
        return True

    def locked_until(self, address: str) -> datetime | None:
        """Return when the last lock on any version of an object ends, None where none is in force. Raises StoreAway."""
        ends = [locks.end_of(self._client, place.bucket, place.key(address)) for place in self._all]
        return max((end for end in ends if end), default=None)

    # --- in one place -----------------------------------------------------------------
    def _somewhere(self, ask: Callable[[_Place], _Answer]) -> _Answer:
        """Return the answer of the first place that has the object; looked for twice, for it may have moved meanwhile.

        Raises S3Error: the last place's, where none has it.
        """
        *before, last = (*self._all, *self._all)
        for place in before:
            try:
                return ask(place)
            except S3Error as error:
                if error.code not in bucket.ABSENT:
                    raise
        return ask(last)

    def _get(self, place: _Place, address: str, offset: int, length: int) -> BaseHTTPResponse:
        return self._client.get_object(place.bucket, place.key(address), offset=offset, length=length)

    def _stat(self, place: _Place, address: str) -> Kept:
        found = self._client.stat_object(place.bucket, place.key(address))
        if not found.etag:
            raise StoreAway(reason=bucket.NOT_S3)
        return Kept(sealed_size=found.size or 0, changed_at=found.last_modified or datetime.now(UTC))

    def _has(self, place: _Place, address: str) -> bool:
        try:
            with asked(*bucket.ABSENT):
                self._stat(place, address)
        except S3Error:
            return False
        return True

    def _others(self, address: str, target: _Place) -> list[_Place]:
        return [place for place in self._all if place != target and self._has(place, address)]

    def _at(self, place: _Place, address: str) -> RangeStream:
        return RangeStream(lambda offset, length: self._get(place, address, offset, length), address=address)

    def _digest(self, place: _Place, address: str) -> str:
        seen = hashlib.sha256()
        reader = self._at(place, address)
        while block := reader.read(MIB):
            seen.update(block)
        return seen.hexdigest()

    def _copy(self, source: _Place, target: _Place, address: str, sha256: str) -> None:
        """Write the bytes of one place into another, as `create` does: whole, the right ones, never over another."""
        draft, seen = S3Draft(self._client, target.bucket, target.key(address)), hashlib.sha256()
        try:
            reader = self._at(source, address)
            while block := reader.read(MIB):
                seen.update(block)
                draft.write(memoryview(block))
            if seen.hexdigest() != sha256:
                raise StoreFailed(reason=bucket.WORDS["BadDigest"])
            draft.commit()
        finally:
            draft.abandon()

    def _carry_lock(self, source: _Place, target: _Place, address: str) -> None:
        """Lock an object in its new place as long as in the old one. Raises StoreFailed: the place takes no lock."""
        until = locks.end_of(self._client, source.bucket, source.key(address))
        if until is not None:
            with asked():
                locks.set_on(self._client, target.bucket, target.key(address), until)

    def _remove(self, place: _Place, address: str) -> None:
        key = place.key(address)
        with asked():
            found = list(self._client.list_objects(place.bucket, prefix=key, include_version=True))
            versions = [DeleteObject(key, one.version_id) for one in found if one.object_name == key]
            if not versions:
                return
            left = list(self._client.remove_objects(place.bucket, versions, bypass_governance_mode=True))
        if left:
            raise StoreFailed(reason=bucket.LOCKED if left[0].code == "AccessDenied" else str(left[0].code))

    def free_bytes(self) -> int | None:
        """Return None: S3 does not tell."""
        return None

    def sweep(self, *, older_than_seconds: float) -> int:
        """Abort uploads begun so long ago that their writer must be dead."""
        limit = time.time() - older_than_seconds
        stale = [one for one in self._uploads() if one[3].timestamp() <= limit]
        for name, key, upload, _begun in stale:
            with suppress(S3Error), asked("NoSuchUpload"):  # gone in the meantime
                self._client._abort_multipart_upload(name, key, upload)  # noqa: SLF001
        return len(stale)

    def _uploads(self) -> Iterator[tuple[str, str, str, datetime]]:
        """Yield bucket, key, number and beginning of every unfinished upload."""
        for name in self._buckets:
            mark: str | None = None  # of the key alone: a key has one writer, so one upload
            is_more = True
            while is_more:
                with asked():
                    page = self._client._list_multipart_uploads(name, prefix=self._prefix, key_marker=mark)  # noqa: SLF001
                for one in page.uploads:
                    yield name, one.object_name, str(one.upload_id), one.initiated_time or datetime.now(UTC)
                is_more, mark = page.is_truncated, page.next_key_marker
