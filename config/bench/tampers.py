"""The mutations of the tamper bench, and the office that they are done to: each is undone after it was looked at.

A mutation of the database gets a cursor, changes something at random and returns the words
of which one must be in the answer. Those of an export stand in `export_tampers`.
"""

import io
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from django.core.management import CommandError, call_command
from django.db import DataError, IntegrityError, connection, transaction

from archive import audit, logkey, publishing, sequencing
from archive.models import AuditLeaf
from archive.rules.roles import Action
from archive.verifier import verify

ENTRIES: Final = 600
REWRITTEN: Final = ("kept checkpoint", "root of all entries", "signed head", "was cut", "chain of its object")
COLUMNS: Final = {
    "archive_auditentry": ("ts", "action", "outcome", "object_id", "level", "actor_id"),
    "archive_record": ("subject", "level", "code_notation"),
    "archive_clearance": ("level", "until", "basis"),
    "archive_personrole": ("role", "until"),
    "archive_registernumber": ("number",),
    "archive_person": ("username", "is_active", "is_service", "password", "signs_in_by", "outside_id", "unit_id"),
    "archive_unit": ("path", "is_active", "parent_id"),
    "archive_step": ("kind", "state", "answer", "from_person_id", "record_id", "closed_at"),
    "archive_levelchange": ("basis", "authority", "reason", "protected_until", "done_at"),
    "archive_levelproposal": ("basis", "reason", "proposed_by_id", "close_reason"),
    "archive_levelnotice": ("outside", "due_on", "how"),
    "archive_protectionperiod": ("years", "notice_days", "valid_to", "basis"),
    "archive_copy": ("number", "holder_id", "made_at", "reason", "pages"),
    "archive_attachment": ("ordinal", "first_page", "page_count", "reason"),
    "archive_paperplace": ("holder", "place", "copies"),
    "archive_dossier": ("level", "title", "rule_id", "opened_on"),
    "archive_dossieritem": ("doc_ordinal", "record_id"),
    "archive_hold": ("reason", "mandate", "placed_at"),
    "archive_holditem": ("record_id", "dossier_id"),
    "archive_retentionrule": ("years", "basis", "valid_to"),
    "archive_recordclass": ("title", "keeper"),
    "archive_holiday": ("day", "name"),
    "archive_register": ("name", "is_open", "unit_id"),
    "archive_registercounter": ("last",),
    "archive_marking": ("name",),
}
MOMENTS: Final = frozenset({"ts", "until", "closed_at", "done_at", "made_at", "placed_at"})
DAYS: Final = frozenset({"protected_until", "due_on", "valid_to", "opened_on", "day"})
COPIED: Final[dict[str, tuple[str, ...]]] = {  # what may be there once only
    "archive_clearance": (),
    "archive_personrole": (),
    "archive_unitscope": (),
    "archive_step": ("order",),
    "archive_person": ("username",),
    "archive_unit": ("code", "path"),
}
Words = tuple[str, ...]


class Office:
    """The installation whose log is changed, an export of it, and one head that the insider does not reach."""

    def __enter__(self) -> Self:
        """Take the fences away, sign a head, export."""
        _take_fences_away()
        _fill()
        publishing.publish()
        self._place = Path(tempfile.mkdtemp(prefix="vankho-tamper-"))
        self._export, self._kept = self._place / "export", self._place / "kept"
        publishing.export(self._export, with_details=True)
        shutil.copyfile(self._export / "checkpoint", self._kept)
        second = Path(publishing.settings.LOG_SECOND_PLACE)
        self._folders = {publishing.folder(): self._place / "log", second: self._place / "second"}
        for place, copy in self._folders.items():
            shutil.copytree(place, copy)
        return self

    def __exit__(self, *_fault: object) -> None:
        """Take the copies away."""
        shutil.rmtree(self._place)
        shutil.rmtree(publishing.settings.LOG_SECOND_PLACE, ignore_errors=True)

    def database(self, change: Callable[..., Words], chance: random.Random) -> tuple[str, Words]:
        """Change the database, check it as an officer does, take the change back; return what was said."""
        with transaction.atomic():
            wanted = _done(change, chance)
            said = self._verified()
            transaction.set_rollback(True)
        for place, copy in self._folders.items():
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(copy, place)
        return said, wanted

    def export(self, change: Callable[..., Words], chance: random.Random) -> tuple[str, Words]:
        """Change a copy of the export, check it as an outsider does; return what was said."""
        folder = self._place / "changed"
        shutil.copytree(self._export, folder)
        wanted = change(folder, chance)
        said = self._checked(folder)
        shutil.rmtree(folder)
        return said, wanted

    def clean(self, *, of_export: bool) -> str:
        """Check a copy that nobody changed; return what was wrongly said of it."""
        return self.export(lambda _folder, _chance: (), random.Random(0))[0] if of_export else self._verified()

    def _verified(self) -> str:
        out = io.StringIO()
        try:
            call_command("verify_log", kept=[self._kept], stdout=out)
        except CommandError as fault:
            return f"{out.getvalue()}{fault}"
        return ""

    def _checked(self, folder: Path) -> str:
        try:
            verify.verify(str(folder), logkey.signer().public, [self._kept.read_bytes()], details=True)
        except verify.Tampered as fault:
            return str(fault)
        return ""


def _fill() -> None:
    """Write entries until full tiles, a higher tile and a part of one are there."""
    sequencing.place_all()
    with transaction.atomic():
        for number in range(ENTRIES - AuditLeaf.objects.count()):
            audit.write(Action.SYSTEM_READ, actor=None, details={"n": number} if number % 7 == 0 else None)


def _take_fences_away() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'archive_%'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")
            return
        cursor.execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
        for (table,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")


# --- the database -----------------------------------------------------------------------------------------


def _done(change: Callable[..., Words], chance: random.Random) -> Words:
    """Make one change; what a constraint refuses is no change, and another is made."""
    while True:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                return change(cursor, chance)
        except (IntegrityError, DataError):
            continue


def _any(cursor: Any, chance: random.Random, table: str, columns: str = "*") -> tuple[Any, ...]:
    cursor.execute(f"SELECT COUNT(*) FROM {table}")  # noqa: S608 - names of our own tables
    there = chance.randrange(cursor.fetchone()[0])
    order = "idx" if table == "archive_auditleaf" else "id" if "detail" not in table else "entry_id"
    cursor.execute(f"SELECT {columns} FROM {table} ORDER BY {order} LIMIT 1 OFFSET {there}")  # noqa: S608
    found: tuple[Any, ...] = cursor.fetchone()
    return found


def edit_body(cursor: Any, chance: random.Random) -> Words:
    """Change one byte of an entry."""
    place, entry = _any(cursor, chance, "archive_auditleaf", "idx, entry_id")
    cursor.execute("SELECT body FROM archive_auditentry WHERE id = %s", [entry])
    body = flipped(bytes(cursor.fetchone()[0]), chance)
    cursor.execute("UPDATE archive_auditentry SET body = %s WHERE id = %s", [body, entry])
    return (f"entry {place}:",)


def edit_body_and_leaf(cursor: Any, chance: random.Random) -> Words:
    """Change an entry and the hash beside it."""
    place, entry = _any(cursor, chance, "archive_auditleaf", "idx, entry_id")
    cursor.execute("SELECT body FROM archive_auditentry WHERE id = %s", [entry])
    body = bytes(cursor.fetchone()[0]).replace(b'"machine"', b'"nobody"').replace(b'"outcome":"', b'"outcome":"not ')
    change = "UPDATE archive_auditentry SET body = %s, leaf_hash = %s WHERE id = %s"
    cursor.execute(change, [body, verify.leaf(body), entry])
    return (f"entry {place}:", *REWRITTEN)


def edit_column(cursor: Any, chance: random.Random) -> Words:
    """Change a column of a row that decides, or what the log's pages are read by."""
    table = chance.choice([each for each in sorted(COLUMNS) if _has_rows(cursor, each)])
    column = chance.choice(COLUMNS[table])
    (row,) = _any(cursor, chance, table, "id")
    if column in DAYS:
        value: Any = "2031-01-01"
    elif column in MOMENTS:
        value = "2031-01-01 00:00:00+00:00" if connection.vendor == "postgresql" else "2031-01-01 00:00:00"
    else:
        cursor.execute(f"SELECT {column} FROM {table} WHERE id = %s", [row])  # noqa: S608
        now = cursor.fetchone()[0]
        value = not now if isinstance(now, bool) else f"{now}x" if isinstance(now, str) else (now or 0) + 1
    cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, row])  # noqa: S608
    return (f"({column}", f" {column}", column.removesuffix("_id"))


def _has_rows(cursor: Any, table: str) -> bool:
    cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table})")  # noqa: S608 - names of our own tables
    return bool(cursor.fetchone()[0])


def take_a_step(cursor: Any, chance: random.Random) -> Words:
    """Let the dispatch of another lie in one's own hands."""
    (row,) = _any(cursor, chance, "archive_step", "id")
    (person,) = _any(cursor, chance, "archive_person", "id")
    change = "UPDATE archive_step SET to_person_id = %s, to_unit_id = NULL WHERE id = %s AND to_person_id IS NULL"
    cursor.execute(change, [person, row])
    if not cursor.rowcount:
        cursor.execute("UPDATE archive_step SET to_person_id = (to_person_id %% 7) + 1 WHERE id = %s", [row])
    return ("to_person_id", "to_unit_id")


def know_of_it(cursor: Any, chance: random.Random) -> Words:
    """Let somebody know of a dispatch that no fact opens to them."""
    (record,) = _any(cursor, chance, "archive_record", "id")
    cursor.execute(
        "INSERT INTO archive_access (record_id, principal, source, level, marking, since, until) "
        "VALUES (%s, %s, 4, 0, 1, 0, 2147483647)",
        [record, 1_000_000 + chance.randrange(1, 9)],
    )
    return ("need-to-know that no fact gives",)


def delete_row(cursor: Any, chance: random.Random) -> Words:
    """Take a role, a scope or a step away."""
    table = chance.choice(["archive_personrole", "archive_unitscope", "archive_step"])
    (row,) = _any(cursor, chance, table, "id")
    cursor.execute(f"DELETE FROM {table} WHERE id = %s", [row])  # noqa: S608
    return ("removed past the office",)


def delete_entry(cursor: Any, chance: random.Random) -> Words:
    """Take one entry away, with its place."""
    place, entry = _any(cursor, chance, "archive_auditleaf", "idx, entry_id")
    _delete(cursor, [entry])
    return (f"entry {place}:", *REWRITTEN)


def delete_and_close(cursor: Any, chance: random.Random) -> Words:
    """Take one entry away and move every later one up."""
    place, entry = _any(cursor, chance, "archive_auditleaf", "idx, entry_id")
    _delete(cursor, [entry])
    cursor.execute("UPDATE archive_auditleaf SET idx = -idx WHERE idx > %s", [place])
    cursor.execute("UPDATE archive_auditleaf SET idx = -idx - 1 WHERE idx < 0")
    return REWRITTEN


def delete_place(cursor: Any, chance: random.Random) -> Words:
    """Take the place of an entry away, and leave the entry."""
    (place,) = _any(cursor, chance, "archive_auditleaf", "idx")
    cursor.execute("DELETE FROM archive_auditleaf WHERE idx = %s", [place])
    return (f"entry {place}:", *REWRITTEN)


def delete_details(cursor: Any, chance: random.Random) -> Words:
    """Take the values behind a digest away."""
    (entry,) = _any(cursor, chance, "archive_auditdetail", "entry_id")
    cursor.execute("DELETE FROM archive_auditdetail WHERE entry_id = %s", [entry])
    return ("the details of the entry are missing",)


def delete_digest(cursor: Any, chance: random.Random) -> Words:
    """Take the digest of a row away."""
    (row,) = _any(cursor, chance, "archive_auditrow", "id")
    cursor.execute("DELETE FROM archive_auditrow WHERE id = %s", [row])
    return ("the digests of rows kept with it were changed",)


def swap_entries(cursor: Any, chance: random.Random) -> Words:
    """Let two entries change places."""
    one, first = _any(cursor, chance, "archive_auditleaf", "idx, entry_id")
    other, second = one, first
    while other == one:
        other, second = _any(cursor, chance, "archive_auditleaf", "idx, entry_id")
    cursor.execute("DELETE FROM archive_auditleaf WHERE idx IN (%s, %s)", [one, other])
    for place, entry in ((one, second), (other, first)):
        cursor.execute("INSERT INTO archive_auditleaf (idx, entry_id) VALUES (%s, %s)", [place, entry])
    return (f"entry {min(one, other)}:", *REWRITTEN)


def cut(cursor: Any, chance: random.Random) -> Words:
    """Roll the log back by some entries."""
    amount = chance.randint(1, 40)
    cursor.execute(f"SELECT entry_id FROM archive_auditleaf ORDER BY idx DESC LIMIT {amount}")  # noqa: S608
    _delete(cursor, [entry for (entry,) in cursor.fetchall()])
    return ("does not continue the last signed head",)


def cut_and_sign_again(cursor: Any, chance: random.Random) -> Words:
    """Roll database and folder back, and let the office sign what is left with its own key."""
    cut(cursor, chance)
    shutil.rmtree(publishing.folder())
    return ("was cut",)


def rewrite_and_sign_again(cursor: Any, chance: random.Random) -> Words:
    """Rewrite the end of an object's chain, which no later link shows, and sign everything anew."""
    cursor.execute("SELECT l.idx, e.id, e.body FROM archive_auditleaf l JOIN archive_auditentry e ON e.id = l.entry_id")
    ends = {}
    for place, entry, body in sorted(cursor.fetchall(), key=lambda row: row[0]):
        thing = verify.json.loads(bytes(body))["object"]
        ends[thing["type"], thing["id"]] = (place, entry, bytes(body))
    _place, entry, body = chance.choice(list(ends.values()))
    body = body.replace(b'"ua":"', b'"ua":"x')
    change = "UPDATE archive_auditentry SET body = %s, leaf_hash = %s WHERE id = %s"
    cursor.execute(change, [body, verify.leaf(body), entry])
    shutil.rmtree(publishing.folder())
    return ("kept checkpoint", "does not continue the last signed head")


def give_oneself(cursor: Any, chance: random.Random) -> Words:
    """Make a clearance, a role, a scope, a step or an account by hand: a copy of somebody's."""
    table = chance.choice(sorted(COPIED))
    cursor.execute(f"SELECT * FROM {table} ORDER BY id LIMIT 1")  # noqa: S608
    row = dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))
    row["id"] = 900_000 + chance.randrange(1000)
    row |= {column: 900_000 if isinstance(row[column], int) else f"{row[column]}x" for column in COPIED[table]}
    marks = ", ".join(["%s"] * len(row))
    columns = ", ".join(map(connection.ops.quote_name, row))
    cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(row.values()))  # noqa: S608
    return ("no act made this row",)


def _delete(cursor: Any, entries: list[Any]) -> None:
    marks = ", ".join(["%s"] * len(entries))
    for table in ("auditpending", "auditleaf", "auditdetail", "auditrow", "auditshown"):
        cursor.execute(f"DELETE FROM archive_{table} WHERE entry_id IN ({marks})", entries)  # noqa: S608
    cursor.execute(f"DELETE FROM archive_auditentry WHERE id IN ({marks})", entries)  # noqa: S608


def flipped(data: bytes, chance: random.Random) -> bytes:
    """Return data with one bit turned around."""
    changed = bytearray(data)
    changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


ROWS: Final[dict[str, Callable[..., Words]]] = {
    "edit an entry": edit_body,
    "edit an entry and its hash": edit_body_and_leaf,
    "edit a column": edit_column,
    "take a step": take_a_step,
    "know of it": know_of_it,
    "delete a row": delete_row,
    "delete an entry": delete_entry,
    "delete an entry and close the gap": delete_and_close,
    "delete a place": delete_place,
    "delete details": delete_details,
    "delete a digest": delete_digest,
    "swap two entries": swap_entries,
    "cut": cut,
    "cut and sign again": cut_and_sign_again,
    "rewrite and sign again": rewrite_and_sign_again,
    "give oneself a row": give_oneself,
}
