"""The key vault on its way to another medium, and back; level keys on a third.

A copy is `vault-<time>.sqlite3` with a signed note. Level keys (`keys/levels/`) travel to
their custodian's own folder and never with the vault: with both, whoever finds the medium
needs the site key alone, and rotating a level key could not make old copies dead. The site
key itself is never copied: its custodians keep it. An older copy of the vault is removed
only when the newer one holds the key of every object that the backup names. On the media
every copy of the vault has its level keys at every moment: they come before it gets its
name, and those of older copies go after these.
"""

import json
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.stores.disk import sync_folder
from archive.stores.keyrows import SCHEMA, SqliteRows
from archive.stores.levelkeys import name_of
from archive.vault import Vault
from config.backup import durable, signing
from config.backup.refusals import USED_VAULT, LevelKeysMissing, NotEmpty, NoVaultCopy, OtherOffice, SamePlace

FORMAT: Final = "vankho vault copy 1"
VAULT: Final = "vault.sqlite3"
LEVELS: Final = "levels"
OWN_KEYS: Final = ("log.key", "backup.key")  # sign heads and manifests: without them a restored log has a new name
TRYING: Final = ".trying-"
PARTS: Final = (".json", ".sig", ".pub")


@dataclass(frozen=True, slots=True)
class Note:
    """What is signed beside a copy of the vault."""

    name: str
    taken_at: str
    size: int
    sha256: str
    format: str = FORMAT


@dataclass(frozen=True, slots=True)
class VaultCopy:
    """A copy on its medium, its signature and digest checked."""

    path: Path
    taken: datetime

    def lacks(self, addresses: Iterable[str]) -> Iterator[str]:
        """Yield those of the addresses whose key the copy does not hold."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro&immutable=1", uri=True)) as database:
            for address in addresses:
                row = database.execute("SELECT 1 FROM data_key WHERE object_id = ?", (bytes.fromhex(address),))
                if row.fetchone() is None:
                    yield address

    def sealed_anew(self, addresses: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Return, of the addresses that have no key here, under which address and digest their content was sealed anew."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro&immutable=1", uri=True)) as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'resealed'").fetchone():
                return {}  # of a version before
            rows = database.execute("SELECT object_id, now_id, sealed_sha256 FROM resealed").fetchall()
        ways = {old.hex(): (new.hex(), sha256) for old, new, sha256 in rows}
        found = {}
        for address in addresses:
            now = ways.get(address)
            while now is not None and now[0] in ways:
                now = ways[now[0]]
            if now is not None:
                found[address] = now
        lacking = set(self.lacks(now for now, _sha256 in found.values()))
        return {address: now for address, now in found.items() if now[0] not in lacking}

    def one_of_each_level(self) -> list[bytes]:
        """Return the id of one object per level key in use: who can open these can open all."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro&immutable=1", uri=True)) as database:
            rows = database.execute("SELECT MIN(object_id) FROM data_key GROUP BY level, key_id").fetchall()
        return [row[0] for row in rows]

    def level_keys(self) -> list[str]:
        """Return the names of the files of the level keys without which something in the copy does not open."""
        asked = "SELECT rank, key_id FROM level UNION SELECT level, key_id FROM data_key ORDER BY 1, 2"
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro&immutable=1", uri=True)) as database:
            return [name_of(rank, key_id) for rank, key_id in database.execute(asked)]

    def require_level_keys(self, custody: Path) -> None:
        """Refuse a custodian's folder that lacks a level key of this copy. Raises LevelKeysMissing."""
        kept = {path.name for path in (custody / LEVELS).glob("*.key") if path.stat().st_size}
        if missing := [name for name in self.level_keys() if name not in kept]:
            raise LevelKeysMissing(folder=custody, copy=self.path.name, names=", ".join(missing))


def require_apart(places: Iterable[Path]) -> None:
    """Refuse places of which one lies inside another. Raises SamePlace."""
    real = [place.resolve() for place in places]
    for number, one in enumerate(real):
        for other in real[number + 1 :]:
            if one.is_relative_to(other) or other.is_relative_to(one):
                raise SamePlace(folder=other)


def require_own(home: Path, folder: Path, custody: Path | None, *, key: Ed25519PrivateKey) -> None:
    """Refuse media of another office: the older copies on them are removed. Raises OtherOffice."""
    ours = signing.public_pem(key)
    if any(path.read_bytes() != ours for path in folder.glob("vault-*.pub")):
        raise OtherOffice(folder=folder)
    for name in OWN_KEYS if custody else ():
        kept, own = Path(custody or "") / name, home / "keys" / name
        if kept.exists() and own.exists() and kept.read_bytes() != own.read_bytes():
            raise OtherOffice(folder=custody)


def copy(
    vault: Vault, folder: Path, *, key: Ed25519PrivateKey, before_named: Callable[[], None] = lambda: None
) -> VaultCopy:
    """Write a copy of the vault and its signed note, durably, beside the older ones.

    Args:
        vault: in use.
        folder: where copies lie.
        key: signs the note.
        before_named: called when the copy is written and nobody takes it for one yet.
    """
    durable.make_folder(folder)
    now = datetime.now(UTC)
    path = folder / f"vault-{now:%Y%m%dT%H%M%S%f}Z.sqlite3"
    temporary = folder / f".vault.{secrets.token_hex(4)}{durable.PART}"
    try:
        vault.copy_to(temporary)
        _settle(temporary)
        size, sha256 = durable.digest_of(temporary)
        note = json.dumps(asdict(Note(path.name, now.isoformat(), size, sha256)), sort_keys=True).encode() + b"\n"
        durable.write(path.with_suffix(".pub"), signing.public_pem(key))
        durable.write(path.with_suffix(".sig"), key.sign(note))
        durable.write(path.with_suffix(".json"), note)
        before_named()
        temporary.rename(path)  # last: a note without its copy is no copy
        sync_folder(folder)
    finally:
        temporary.unlink(missing_ok=True)
    return VaultCopy(path, now)


def _settle(path: Path) -> None:
    """Make the copy one file that a read-only medium can serve: no write-ahead log is asked for when it is opened."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=DELETE").fetchone()
    with path.open("rb+") as file:
        durable.sync(file)


def remove_older(made: VaultCopy) -> None:
    """Remove the copies before this one, so that what was destroyed since is dead on this medium too."""
    folder = made.path.parent
    for path in folder.glob("vault-*"):
        if path.stem < made.path.stem:
            path.unlink(missing_ok=True)
    for left in folder.glob(f".*{durable.PART}"):
        left.unlink(missing_ok=True)
    sync_folder(folder)


def newest(folder: Path, *, public_key: bytes | None = None) -> VaultCopy:
    """Return the newest whole copy of a folder.

    Args:
        folder: where copies lie.
        public_key: PEM that must have signed; without it the one beside the copy is believed.

    Raises:
        NoVaultCopy: there is none, or the newest is damaged.
        Unsigned: its note was signed by another key.
    """
    found = sorted(folder.glob("vault-*.sqlite3")) if folder.is_dir() else []
    if not found:
        raise NoVaultCopy(folder=folder)
    path = found[-1]
    try:
        note, signature = path.with_suffix(".json").read_bytes(), path.with_suffix(".sig").read_bytes()
        pem = public_key or path.with_suffix(".pub").read_bytes()
    except OSError as error:
        raise NoVaultCopy(folder=folder) from error
    signing.verify(note, signature, pem, name=path.name)
    said = Note(**json.loads(note))
    if (said.name, said.size, said.sha256) != (path.name, *durable.digest_of(path)):
        raise NoVaultCopy(folder=folder)
    return VaultCopy(path, datetime.fromisoformat(said.taken_at))


def add_keys(vault: Vault, home: Path, folder: Path) -> None:
    """Put the level keys in use beside those that a folder holds, as they lie here (locked under the site key)."""
    levels = folder / LEVELS
    durable.make_folder(levels)
    for path in vault.level_files():
        durable.write(levels / path.name, path.read_bytes())
    for name in OWN_KEYS:
        if (home / "keys" / name).exists():
            durable.write(folder / name, (home / "keys" / name).read_bytes())


def prune_keys(vault: Vault, folder: Path) -> None:
    """Remove from a folder every level key that is not in use: what it opened is dead on this medium too."""
    levels = folder / LEVELS
    in_use = {path.name for path in vault.level_files()}
    for stale in levels.glob("*.key"):
        if stale.name not in in_use:
            stale.unlink()
    sync_folder(levels)


def place(
    copied: VaultCopy, keys: Path, *, custody: Path | None, address: str = "", without: Collection[str] = ()
) -> None:
    """Put a copy of the vault, and what its custodian keeps in a folder, into an installation; twice is harmless.

    Args:
        copied: the copy.
        keys: the `keys` folder of the installation.
        custody: what `add_keys` wrote; None: the level keys lie there already.
        address: of the PostgreSQL database that holds the vault; empty: a file in `keys`.
        without: addresses of objects whose keys the copy still holds although they were destroyed since.

    Raises:
        NotEmpty: another vault lies on the server.
    """
    durable.make_folder(keys / LEVELS)
    if custody is not None:
        for source in sorted((custody / LEVELS).glob("*.key")):
            durable.write(keys / LEVELS / source.name, source.read_bytes())
        for name in OWN_KEYS:
            if (custody / name).exists() and not (keys / name).exists():
                durable.write(keys / name, (custody / name).read_bytes())
    with _trimmed(copied, keys, without) as own:
        if address:
            _load(own, address)
            return
        with own.open("rb") as source_file, durable.writing(keys / VAULT) as file:
            shutil.copyfileobj(source_file, file)


@contextmanager
def _trimmed(copied: VaultCopy, keys: Path, without: Collection[str]) -> Iterator[Path]:
    """Yield a copy of our own without the keys of these objects: to open that on its medium for writing would change it."""
    for left in keys.glob(f"{TRYING}*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=keys, prefix=TRYING) as aside:
        own = Path(aside) / VAULT
        shutil.copyfile(copied.path, own)
        with closing(sqlite3.connect(own)) as database, database:
            database.executescript(SCHEMA)  # a copy of before lacks tables that came later
            database.execute("PRAGMA secure_delete=ON").fetchone()
            gone = [(bytes.fromhex(address),) for address in without]
            database.executemany("DELETE FROM data_key WHERE object_id = ?", gone)
        yield own


def _load(own: Path, address: str) -> None:
    from archive.stores.keyrows_postgresql import PostgresqlRows

    with closing(PostgresqlRows(address)) as rows:
        rows.make()
        found = rows.facts()
        if not any(count for count, _digest in found.values()):
            rows.load(own)
            return
        with closing(SqliteRows(own)) as wanted:
            if found != wanted.facts():
                raise NotEmpty(what=USED_VAULT)
