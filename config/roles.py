"""The two roles of a PostgreSQL installation: the owner migrates, the other one runs the office.

The running role (`VANKHO_DATABASE_URL`) gets what each table needs and no more: on the log
SELECT and INSERT alone, on append-only rows UPDATE of the columns that end them, nothing
that could change a table. `manage.py prepare_database` gives these rights as the owner
(`VANKHO_DATABASE_OWNER_URL`), after every migration, so that a new table never lies open
or shut by accident. The driver is loaded where it is used: an office on SQLite is spared its
0.1 s at each start. On SQLite there are no roles; the triggers are the fence.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext_lazy as _

from archive.rules.errors import Refusal
from config import index_comments

_FENCE: Final = "archive_auditentry_as_written"
LOG: Final = (
    "archive_auditentry",
    "archive_auditleaf",
    "archive_auditdetail",
    "archive_auditrow",
    "archive_auditshown",
)
_ADD: Final = "SELECT, INSERT"
_ALL: Final = "SELECT, INSERT, UPDATE, DELETE"
# Tables whose rows nobody may change at will: the rights of the running role on each. All others: _ALL.
RIGHTS: Final = {
    **dict.fromkeys(LOG, _ADD),
    "archive_auditdetail": f"{_ADD}, DELETE",  # a trigger lets go only what an entry says is destroyed
    "archive_auditpending": f"{_ADD}, DELETE",  # the queue of the sequencer
    "archive_registernumber": f"{_ADD}, UPDATE (voided_at, voided_by_id, void_reason)",
    "archive_registercounter": f"{_ADD}, UPDATE (last)",
    "archive_digitalobject": f"{_ADD}, UPDATE (record_id, role, level, media_type, signatures), DELETE",  # never a digest
    "archive_attachment": f"{_ADD}, UPDATE (original_id, pack_id)",  # a file that is sealed anew has a new address
    "archive_attachmentvoid": _ADD,
    "archive_paperplace": _ADD,
    "archive_paperstub": f"{_ADD}, UPDATE (ended_at, ended_by_id, end_reason)",
    "archive_step": f"{_ADD}, UPDATE",
    "archive_clearance": f"{_ADD}, UPDATE (until, revoked_at, ended_by_id, end_reason)",
    **dict.fromkeys(("archive_clearancemark", "archive_markingmark", "archive_mark", "archive_markgroup"), _ADD),
    "archive_levelchange": f"{_ADD}, UPDATE (keys_at)",
    "archive_levelproposal": f"{_ADD}, UPDATE (state, closed_by_id, closed_at, close_reason)",
    "archive_levelnotice": f"{_ADD}, UPDATE (told_on, told_by_id, how)",
    "archive_unitscope": f"{_ADD}, UPDATE (until, ended_by_id, end_reason)",
    "archive_personrole": f"{_ADD}, UPDATE (until, ended_by_id, end_reason)",
    "archive_grant": f"{_ADD}, UPDATE (ended_at)",
    "archive_copy": f"{_ADD}, UPDATE (fate, ended_at, ended_by_id, end_note)",
    "archive_hold": f"{_ADD}, UPDATE (lifted_at, lifted_by_id, lift_reason)",
    "archive_holditem": _ADD,
    "archive_shelfpart": _ADD,
    "archive_retentionrule": f"{_ADD}, UPDATE (valid_to)",
    "archive_recordclass": f"{_ADD}, UPDATE (title, keeper, closed_on)",
    "archive_holiday": f"{_ADD}, UPDATE (taken_back_at)",
    "archive_register": f"{_ADD}, UPDATE (name, is_open)",
    "archive_protectionperiod": f"{_ADD}, UPDATE (valid_to)",
    "archive_restoration": f"{_ADD}, UPDATE (acknowledged_at, acknowledged_by_id)",
    "archive_papercheck": f"{_ADD}, UPDATE (on_paper, confirmed_at, confirmed_by_id)",
    "django_migrations": "SELECT",
    "django_content_type": "SELECT",
    "auth_permission": "SELECT",
    "auth_group": "SELECT",
    "auth_group_permissions": "SELECT",
}
_TABLES: Final = """
SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
ORDER BY c.relname
"""
# What the running role may do that it should not; `pg_has_role` is true of every role for a superuser.
_POWERS: Final = """
SELECT r.rolsuper, r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls,
    has_schema_privilege(r.rolname, current_schema()::text, 'CREATE'),
    COALESCE(bool_or(pg_has_role(r.rolname, c.relowner, 'MEMBER')), false),
    COALESCE(bool_or(has_table_privilege(r.rolname, c.oid, 'UPDATE, TRUNCATE, TRIGGER')
        OR c.relname <> 'archive_auditdetail' AND has_table_privilege(r.rolname, c.oid, 'DELETE')
        OR has_any_column_privilege(r.rolname, c.oid, 'UPDATE')), false)
FROM pg_roles r LEFT JOIN pg_class c
    ON c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s)
WHERE r.rolname = %s GROUP BY r.rolname, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication, r.rolbypassrls
"""


class NotPrepared(Refusal):
    """DB-001: tables are missing or old, and the running role may not change them."""

    code = "DB-001"
    message = _(
        "The database is not prepared for this version of the program, and the role “%(role)s” may not change its "
        "tables. Run manage.py prepare_database with the owner's address in VANKHO_DATABASE_OWNER_URL, then start again."
    )


class TooPowerful(Refusal):
    """DB-002: the role that shall run the office could change the log."""

    code = "DB-002"
    message = _(
        "The role “%(role)s” of VANKHO_DATABASE_URL owns the tables, is a superuser or may make roles or databases: it "
        "could change the log. Name a plain role of its own there, and the owner in VANKHO_DATABASE_OWNER_URL only."
    )


class OtherDatabase(Refusal):
    """DB-003: the two addresses lead to two databases."""

    code = "DB-003"
    message = _(
        "VANKHO_DATABASE_URL and VANKHO_DATABASE_OWNER_URL do not lead to the same database. Both must name the same "
        "server and database; only the role and its password differ."
    )


class NoEntry(Refusal):
    """DB-004: the running role cannot sign in, and the owner may not make it."""

    code = "DB-004"
    message = _(
        "The role “%(role)s” cannot sign in, and the owner may not make it (%(reason)s). Let the server's administrator "
        "make it: CREATE ROLE %(role)s LOGIN PASSWORD '…', then run this command again."
    )


def is_postgresql() -> bool:
    """Return whether the office lies on PostgreSQL."""
    return connection.vendor == "postgresql"


@contextmanager
def acting_as_owner() -> Iterator[None]:
    """Let this process's database work run as the owner, without a page's time limits; commands only."""
    running = dict(connection.settings_dict)
    connection.close()
    if is_postgresql():
        owner = settings.DATABASE_OWNER or running
        options = {**owner["OPTIONS"], "options": "-c lock_timeout=60s -c synchronous_commit=on"}
        connection.settings_dict.update({**owner, "OPTIONS": options})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(running)


def bring_up_to_date() -> None:
    """Migrate if the present role owns the tables; otherwise look whether somebody has. Raises NotPrepared."""
    if not is_postgresql() or _may_migrate():
        with acting_as_owner():
            _migrate()
        return
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotPrepared(role=connection.settings_dict["USER"])


def _migrate() -> None:
    call_command("migrate", verbosity=0)
    index_comments.write()


def _may_migrate() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE((SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class WHERE oid = "
            "to_regclass('django_migrations')), has_schema_privilege(current_schema()::text, 'CREATE'))"
        )
        return bool(cursor.fetchone()[0])


def prepare() -> str:
    """Migrate as the owner and give the running role its rights; return that role, "" where there are no two.

    Raises:
        TooPowerful, OtherDatabase, NoEntry: the running role is not fit.
    """
    running = dict(connection.settings_dict)
    with acting_as_owner():
        _migrate()
        if not is_postgresql() or settings.DATABASE_OWNER is None:
            return ""
        _make_sure_it_can_sign_in(running)
        powers = _powers_of(running["USER"])
        if powers is None or powers[0] or powers[1] or powers[3]:
            raise TooPowerful(role=running["USER"])
        grant(running["USER"])
        mark = _mark()
    with connection.cursor() as cursor:  # as the running role
        cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL")
        if not cursor.fetchone()[0] or _mark() != mark:
            raise OtherDatabase
    connection.close()
    return str(running["USER"])


def _mark() -> tuple[Any, ...]:
    """Return what tells one database of one server from every other."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT system_identifier::text FROM pg_control_system()), oid FROM pg_database "
            "WHERE datname = current_database()"
        )
        return tuple(cursor.fetchone())


def _make_sure_it_can_sign_in(running: dict[str, Any]) -> None:
    """Make the running role, or give it the password of its address, unless it can sign in already."""
    import psycopg
    from psycopg import sql

    try:
        psycopg.connect(**_parameters(running)).close()
    except psycopg.OperationalError:
        pass
    else:
        return
    role, password = running["USER"], running["PASSWORD"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = %s)", [role])
        verb = "ALTER" if cursor.fetchone()[0] else "CREATE"
        # Sealed here: a password in a statement would stand in the server's own log.
        sealed = connection.connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
        try:
            cursor.execute(
                sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
                    sql.SQL(verb), sql.Identifier(role), sql.Literal(sealed.decode())
                )
            )
        except Exception as error:
            raise NoEntry(role=role, reason=str(error).splitlines()[0]) from error


def _parameters(given: dict[str, Any]) -> dict[str, Any]:
    named = {"host": given["HOST"], "port": given["PORT"], "user": given["USER"], "password": given["PASSWORD"]}
    return {**given["OPTIONS"], **{name: value for name, value in named.items() if value}, "dbname": given["NAME"]}


@transaction.atomic
def grant(role: str) -> None:
    """Give a role exactly its rights on every table, as the owner; whatever else it or everybody had is taken back."""
    from psycopg import sql

    name = sql.Identifier(role)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), current_schema()")
        database, schema = (sql.Identifier(each) for each in cursor.fetchone())
        cursor.execute(_TABLES)
        tables = [row[0] for row in cursor.fetchall()]
        for statement in (
            "REVOKE ALL ON DATABASE {database} FROM PUBLIC, {role}",
            "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {role}",
            "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC, {role}",
            "REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM PUBLIC, {role}",
            "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC, {role}",
            "GRANT CONNECT ON DATABASE {database} TO {role}",
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
        ):
            cursor.execute(sql.SQL(statement).format(database=database, schema=schema, role=name))
        for table in tables:
            rights = sql.SQL(RIGHTS.get(table, _ALL))
            cursor.execute(sql.SQL("GRANT {} ON {} TO {}").format(rights, sql.Identifier(table), name))


def _powers_of(role: str) -> tuple[bool, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(_POWERS, [list(LOG), role])
        found = cursor.fetchone()
    return None if found is None else tuple(map(bool, found))


def can_change_the_log() -> bool:
    """Return whether the present role could: as superuser, as owner, by a right, or by making roles or tables."""
    if not is_postgresql():
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        role = cursor.fetchone()[0]
    powers = _powers_of(role)
    return powers is None or any(powers)


def fence_entries(verb: str) -> None:
    """Let entries through that were put in past the office before there was a fence: `verify_log` names them there as here.

    Args:
        verb: DISABLE, and ENABLE ALWAYS afterwards; by the owner, in one transaction with what is written between.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = %s)", [_FENCE])
        if cursor.fetchone()[0]:  # tables of before it have none
            # nosemgrep: raw-sql - words of ours
            cursor.execute(f"ALTER TABLE archive_auditentry {verb} TRIGGER {_FENCE}")
