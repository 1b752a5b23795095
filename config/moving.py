"""Moving an installation from SQLite to PostgreSQL: every row once, compared by count and digest, all or nothing.

The source are the files under VANKHO_HOME, the target is what the environment names. The
rows of all tables go over in one transaction of the target while nobody can write to the
source; before it commits, count and digest of each table and the root of the log have been
found the same on both sides. A move that is killed leaves an empty target; run it again.
Afterwards a note beside each file keeps the office from starting on what it has left.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management.color import no_style
from django.db import DatabaseError, connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Field, Model
from django.db.utils import load_backend
from django.utils.translation import gettext_lazy as _

from archive import audit, merkle
from archive.models import AuditLeaf
from archive.rules.errors import Refusal
from archive.rules.roles import Action
from archive.stores.disk import write_new
from archive.stores.keyrows import SqliteRows
from archive.stores.keyrows_postgresql import PostgresqlRows
from config import roles
from config.residence import database_file, note_of, vault_file

SOURCE: Final = "source"
CHUNK: Final = 2000
# What the migrations of a prepared database have put there; everything else must be empty.
_FROM_MIGRATIONS: Final = (
    "auth_permission",
    "django_content_type",
    "archive_marking",
    "archive_protectionperiod",
    "archive_shelf",
)
_NOT_OURS: Final = frozenset({"django_migrations", "sqlite_sequence", "sqlite_stat1", "sqlite_stat4"})
Tell = Callable[[str], None]


class NoSource(Refusal):
    """MOV-001: there is nothing to move, or it has moved already."""

    code = "MOV-001"
    message = _("There is no SQLite database to move at %(path)s, or it has been moved already.")


class NoTarget(Refusal):
    """MOV-002: the environment does not name where to."""

    code = "MOV-002"
    message = _(
        "Name the new place first: VANKHO_DATABASE_URL (the role that will run the office), VANKHO_DATABASE_OWNER_URL "
        "(the owner of the tables) and VANKHO_VAULT_URL (a database apart). Then run this command again."
    )


class TargetInUse(Refusal):
    """MOV-003: the new place holds rows already."""

    code = "MOV-003"
    message = _("The new place is not empty: %(table)s holds rows. Name an empty database; nothing was moved.")


class OtherVersion(Refusal):
    """MOV-004: the file was last used by another version of the program."""

    code = "MOV-004"
    message = _(
        "The SQLite database was made by another version of the program (%(names)s). Start this version on it once "
        "(without VANKHO_DATABASE_URL: manage.py prepare_database), then move it."
    )


class NotTheSame(Refusal):
    """MOV-005: what arrived is not what left."""

    code = "MOV-005"
    message = _(
        "%(table)s did not arrive as it left (%(fault)s). Nothing was moved; the office can go on where it was."
    )


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move has carried."""

    rows: dict[str, int]
    keys: int | None  # of the vault; None where it stays where it is
    entries: int  # in the log
    root: str  # of the log, hexadecimal: the same before and after


def move(*, tell: Tell) -> Moved:
    """Move main database and vault.

    Raises:
        NoSource, NoTarget, TargetInUse, OtherVersion, NotTheSame: nothing was moved.
        The refusals of `roles.prepare`; VaultAway, VaultFailed: of the new vault.
    """
    path = database_file()
    if not path.exists() or note_of(path).exists():
        raise NoSource(path=path)
    if not roles.is_postgresql():
        raise NoTarget
    roles.prepare()
    with _source(path), roles.acting_as_owner(), transaction.atomic(using=SOURCE), transaction.atomic():
        _require_same_version()
        _require_all_known()
        if (arrived := _arrived()) is not None:
            _leave_notes(arrived)
            return arrived
        _make_room()
        roles.fence_entries("DISABLE")
        rows = {model._meta.db_table: _carry(model, tell) for model in _models()}  # noqa: SLF001 - Django's documented API
        root = _same_root()
        _wind_up()
        entries = rows[AuditLeaf._meta.db_table]  # noqa: SLF001
        details = {"old_place": "SQLite", "new_place": "PostgreSQL", "rows": sum(rows.values()), "size": entries}
        audit.write(Action.DATABASE_MOVE, actor=None, details=details)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a row that points nowhere is found before the vault goes
        roles.fence_entries("ENABLE ALWAYS")
        keys = _move_vault(tell)
    moved = Moved(rows, keys, entries, root)
    _leave_notes(moved)
    return moved


def logs_left() -> list[AbstractContextManager[None]]:
    """Return the file that the office did not leave, if there is one: what ends a move stands in the log that goes on."""
    path = database_file()
    if not roles.is_postgresql() or not path.exists() or note_of(path).exists():
        return []
    return [_on(path)]


@contextmanager
def _on(path: Path) -> Iterator[None]:
    """Let this process's database work go to the file."""
    described = connections.configure_settings({"default": {**settings.SQLITE, "NAME": path}})["default"]
    there = connections["default"]
    connections["default"] = load_backend(described["ENGINE"]).DatabaseWrapper(described, "default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = there


@contextmanager
def _source(path: Path) -> Iterator[None]:
    """Open the file beside the target, as the alias SOURCE."""
    described = connections.configure_settings({"default": {}, SOURCE: {**settings.SQLITE, "NAME": path}})
    connections.settings[SOURCE] = described[SOURCE]
    try:
        yield
    finally:
        connections[SOURCE].close()
        del connections[SOURCE], connections.settings[SOURCE]


def _models() -> list[type[Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]  # noqa: SLF001


def _require_same_version() -> None:
    here, there = (set(MigrationRecorder(connections[alias]).applied_migrations()) for alias in (SOURCE, "default"))
    if here != there:
        raise OtherVersion(names=", ".join(sorted(".".join(name) for name in here ^ there)[:5]))


def _require_all_known() -> None:
    """Refuse a table that no model describes: it would be left behind without a word."""
    known = {model._meta.db_table for model in _models()} | _NOT_OURS  # noqa: SLF001
    with connections[SOURCE].cursor() as cursor:
        for name in set(connections[SOURCE].introspection.table_names(cursor)) - known:
            raise NotTheSame(table=name, fault="?")


def _arrived() -> Moved | None:
    """Return what an earlier move carried that was killed before it could leave its notes, None if there was none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM archive_auditentry WHERE action = %s)", [Action.DATABASE_MOVE.value]
        )
        if not cursor.fetchone()[0]:
            return None
    here, there = list(_leaves(SOURCE)), list(_leaves("default"))
    if here != there[: len(here)]:
        return None  # the office went on with the file: two histories
    return Moved({}, _move_vault(lambda _line: None), len(here), merkle.root(here).hex())


def _make_room() -> None:
    """Remove what the migrations put into the target; refuse when there is anything else."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for model in _models():
            table = model._meta.db_table  # noqa: SLF001
            if table in _FROM_MIGRATIONS:
                continue
            # nosemgrep: raw-sql - names of our own tables
            cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}")')  # noqa: S608 - names of our own tables
            if cursor.fetchone()[0]:
                raise TargetInUse(table=table)
        for table in _FROM_MIGRATIONS:
            # nosemgrep: raw-sql - names of our own tables
            cursor.execute(f'DELETE FROM "{table}"')  # noqa: S608


def _carry(model: type[Model], tell: Tell) -> int:
    """Copy one table and compare it; return its rows."""
    meta = model._meta  # noqa: SLF001
    left, arrived = _Sum(), _Sum()
    columns = ", ".join(f'"{field.column}"' for field in meta.concrete_fields)
    try:
        with (
            connection.cursor() as cursor,
            # nosemgrep: raw-sql - names of our own tables
            cursor.copy(f'COPY "{meta.db_table}" ({columns}) FROM STDIN') as copy,
        ):
            for row in _rows(model, SOURCE):
                left.add(row)
                copy.write_row(_prepared(meta.concrete_fields, row))
        for row in _rows(model, "default"):
            arrived.add(row)
    except (DatabaseError, psycopg.Error) as error:
        raise NotTheSame(table=meta.db_table, fault=str(error).splitlines()[0]) from error
    if (left.count, left.total) != (arrived.count, arrived.total):
        raise NotTheSame(table=meta.db_table, fault=f"{left.count} / {arrived.count}")
    tell(f"{meta.db_table}: {left.count}  {left.total:064x}")
    return left.count


def _rows(model: type[Model], alias: str) -> Iterator[Sequence[Any]]:
    names = [field.attname for field in model._meta.concrete_fields]  # noqa: SLF001
    found = model._base_manager.using(alias).order_by().values_list(*names)  # noqa: SLF001
    return found.iterator(chunk_size=CHUNK)


def _prepared(fields: "Sequence[Field[Any, Any]]", row: Sequence[Any]) -> list[Any]:
    return [field.get_db_prep_save(value, connection) for field, value in zip(fields, row, strict=True)]


class _Sum:
    """Count and digest of rows in any order: the sum of the rows' digests."""

    def __init__(self) -> None:
        self.count = self.total = 0

    def add(self, row: Sequence[Any]) -> None:
        """Add a row."""
        text = json.dumps([plain(value) for value in row], sort_keys=True, separators=(",", ":"))
        self.count += 1
        self.total = (self.total + int.from_bytes(sha256(text.encode()).digest())) % 2**256


def plain(value: Any) -> Any:
    """Return a value in the one form that both databases give it, for JSON."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, float) and value.is_integer():
        return int(value)  # PostgreSQL's JSON writes 1e22 as a whole number
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def _same_root() -> str:
    """Return the root of the log, found the same on both sides."""
    before, after = (merkle.root(_leaves(alias)).hex() for alias in (SOURCE, "default"))
    if before != after:
        raise NotTheSame(table="archive_auditleaf", fault=f"{before} / {after}")
    return after


def _leaves(alias: str) -> Iterator[bytes]:
    leaves = AuditLeaf.objects.using(alias).order_by("idx").values_list("entry__leaf_hash", flat=True)
    return (bytes(leaf) for leaf in leaves.iterator(chunk_size=CHUNK))


def _wind_up() -> None:
    """Set every sequence behind the highest id that came over."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), _models()):
            cursor.execute(statement)


def _move_vault(tell: Tell) -> int | None:
    """Carry the vault's rows, if the environment names a new place for them; return how many keys."""
    path = vault_file()
    if not settings.VAULT_URL or not path.exists():
        return None
    with closing(SqliteRows(path)) as old, closing(PostgresqlRows(settings.VAULT_URL)) as new:
        old.make()  # tables that came with a later version
        new.make()
        with old.changing():  # nobody adds a key meanwhile
            before = old.facts()
            if new.facts() != before:  # the same already: an earlier move was killed between vault and database
                if any(count for count, _digest in new.facts().values()):
                    raise TargetInUse(table=new.place)
                new.load(path)
            if new.facts() != before:
                raise NotTheSame(table=new.place, fault=f"{before} / {new.facts()}")
    for table, (count, digest) in before.items():
        tell(f"vault {table}: {count}  {digest}")
    return before["data_key"][0]


def _leave_notes(moved: Moved) -> None:
    """Say beside each file that the office has left it."""
    said = {"moved_at": datetime.now(UTC).isoformat(), "entries": moved.entries, "root": moved.root, "rows": moved.rows}
    for path in (database_file(), *([vault_file()] if moved.keys is not None else [])):
        write_new(note_of(path), json.dumps(said, indent=1).encode() + b"\n", mode=0o600)
