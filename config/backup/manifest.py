"""What a backup is: a folder with a snapshot, a list of objects and a signed manifest.

    TARGET/objects/ab/cd/<address>.vkso        sealed, shared by all backups of this folder
    TARGET/<name>/database.sqlite3 or .copy    the snapshot
    TARGET/<name>/objects.txt                  one line per object: SHA-256, bytes, address
    TARGET/<name>/backup.pub, manifest.sig, manifest.json

The folder gets its name when everything in it is written and synced; until then it is
called `.unfinished-...`: nobody reads it, and the next backup removes it. Nothing here
writes or reads content.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from archive.stores.local import SUFFIX
from config.backup import durable, refusals, signing
from config.backup.refusals import Damaged, NoBackup

FORMAT: Final = "vankho backup 1"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
LISTING: Final = "objects.txt"
OBJECTS: Final = "objects"
UNFINISHED: Final = ".unfinished-"


@dataclass(frozen=True, slots=True)
class File:
    """A file of the backup: name inside its folder, bytes, SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Head:
    """The state of the log: entries and Merkle root (RFC 9162), 64 hex digits."""

    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """The backup before this one: its head, and the proof that its log is the beginning of this one's.

    An empty proof of a head that is longer than ours, or another log's, says that the
    installation was restored in between.
    """

    name: str
    sha256: str  # of its manifest
    log: Head
    proof: list[str]


@dataclass(frozen=True, slots=True)
class Named:
    """One line of the list of objects."""

    address: str
    size: int
    sha256: str

    @property
    def line(self) -> bytes:
        """The line as it is written."""
        return f"{self.sha256} {self.size} {self.address}\n".encode("ascii")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that is signed."""

    name: str
    taken_at: str  # RFC 3339, UTC: just before the snapshot
    frozen_at: str  # just after it: a vault copy that serves this backup is not older
    program: str
    kind: str  # of the database: sqlite or postgresql
    schema: dict[str, str]  # {application: its last migration}
    database: File
    rows: dict[str, int]  # rows by table
    objects: File
    object_count: int
    object_bytes: int
    destroyed: list[str]  # named by the snapshot, destroyed by an act before they were copied
    log: Head
    log_key: str  # that signs published heads: NAME+HASH+KEY
    vault: str  # the copy of the vault that was made with it, on another medium
    earlier: Earlier | None = None
    # What was wrong with the office when it was backed up, and hindered nothing: whoever checks or restores is told.
    trailing: dict[str, str] = field(default_factory=dict)  # files by the id that their row has, and by that of now
    false_entries: list[int] = field(default_factory=list)  # places of the log whose bytes have another hash
    format: str = FORMAT

    def to_bytes(self) -> bytes:
        """Return the bytes that are signed."""
        return json.dumps(asdict(self), sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"

    @property
    def taken(self) -> datetime:
        """When the snapshot was taken."""
        return datetime.fromisoformat(self.taken_at)

    @property
    def frozen(self) -> datetime:
        """When the snapshot was there whole."""
        return datetime.fromisoformat(self.frozen_at)


def from_bytes(data: bytes, *, name: str) -> Manifest:
    """Return the manifest of these bytes. Raises Damaged."""
    try:
        raw: dict[str, Any] = json.loads(data)
        raw["database"], raw["objects"] = File(**raw["database"]), File(**raw["objects"])
        raw["log"] = Head(**raw["log"])
        if raw["earlier"]:
            raw["earlier"] = Earlier(**raw["earlier"] | {"log": Head(**raw["earlier"]["log"])})
        found = Manifest(**raw)
    except (ValueError, TypeError, KeyError) as error:
        raise Damaged(what=refusals.MANIFEST, name=name) from error
    if found.format != FORMAT:
        raise Damaged(what=refusals.MANIFEST, name=name)
    return found


@dataclass(frozen=True, slots=True)
class Backup:
    """A complete backup on its medium, its signature checked."""

    folder: Path
    manifest: Manifest
    sha256: str  # of the manifest
    public_key: bytes  # that verified it

    @property
    def target(self) -> Path:
        """The folder that holds this and other backups, and their objects."""
        return self.folder.parent

    @property
    def database(self) -> Path:
        """The snapshot."""
        return self.folder / self.manifest.database.name

    def listed(self) -> Iterator[Named]:
        """Yield the objects, by address."""
        yield from read_listing(self.folder / LISTING)

    def place(self, address: str) -> Path:
        """Return where an object lies."""
        return place(self.target, address)

    def require_whole(self) -> None:
        """Compare the snapshot and the list with the manifest; objects are looked at one by one. Raises Damaged."""
        wanted = ((self.manifest.database, refusals.DATABASE), (self.manifest.objects, refusals.LISTING))
        for file, what in wanted:
            path = self.folder / Path(file.name).name
            if not path.is_file() or durable.digest_of(path) != (file.size, file.sha256):
                raise Damaged(what=what, name=self.manifest.name)


def read_listing(path: Path) -> Iterator[Named]:
    """Yield the lines of a list of objects."""
    with path.open(encoding="ascii") as lines:
        for line in lines:
            sha256, size, address = line.split()
            yield Named(address, int(size), sha256)


def place(target: Path, address: str) -> Path:
    """Return where an object of a backup folder lies."""
    return target / OBJECTS / address[:2] / address[2:4] / f"{address}{SUFFIX}"


def complete(target: Path) -> list[Path]:
    """Return the folders of the complete backups, oldest first."""
    found = target.glob(f"*/{MANIFEST}") if target.is_dir() else ()
    return sorted(path.parent for path in found if not path.parent.name.startswith("."))


def find(folder: Path, *, public_key: bytes | None = None) -> Backup:
    """Return the newest complete backup of a folder, or the one whose own folder is named.

    Args:
        folder: what `backup` was given, or one backup inside it.
        public_key: PEM kept elsewhere; without it the one beside the manifest is believed.

    Raises:
        NoBackup, Unsigned, Damaged: as named.
    """
    own = folder if (folder / MANIFEST).is_file() else next(reversed(complete(folder)), None)
    if own is None:
        raise NoBackup(folder=folder)
    own = own.resolve()
    try:
        data, signature = (own / MANIFEST).read_bytes(), (own / SIGNATURE).read_bytes()
        pem = public_key or (own / signing.PUBLIC).read_bytes()
    except OSError as error:
        raise Damaged(what=refusals.MANIFEST, name=own.name) from error
    signing.verify(data, signature, pem, name=own.name)
    return Backup(own, from_bytes(data, name=own.name), durable.digest_of(own / MANIFEST)[1], pem)
