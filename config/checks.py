"""Start-up checks: each names the fault and the cure. They read, they never repair.

Run by `manage.py check` and before every command; `work` and `serve` add the proof of
the cell (`ingest.sandbox.self_test`).
"""

import importlib.util
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connection

from archive import publishing
from archive.identities.loopback import is_loopback
from archive.models import Person
from archive.rules.levels import Level
from config import residence, roles
from config.backup import marker
from ingest.folder import hands_in

LANGUAGES: Final = ("vie", "Vietnamese")
FONTS: Final = {"Tinos": "fonts-croscore"}
KEY_LENGTH: Final = 50


@register(Tags.security)
def production(**_kwargs: Any) -> list[CheckMessage]:
    """Refuse what must never reach production: debugging, a weak session key, secrets on a networked machine."""
    if settings.PROFILE == "evaluation":
        return []
    found: list[CheckMessage] = []
    if settings.DEBUG:
        found.append(Error("Debugging is on in production.", hint="Unset VANKHO_DEBUG.", id="vankho.E001"))
    if len(settings.SECRET_KEY) < KEY_LENGTH or settings.SECRET_KEY.startswith("django-insecure"):
        hint = "Put 50 random characters into a file only the service can read and set VANKHO_SECRET_KEY_FILE."
        found.append(Error("The session key is missing or short.", hint=hint, id="vankho.E002"))
    if settings.PROFILE == "production" and settings.SITE_MAX_LEVEL > Level.THUONG:
        hint = "Set VANKHO_SITE_MAX_LEVEL=thuong; secret levels need the independent-LAN profile and its declaration."
        found.append(Error("This profile may hold unclassified content only.", hint=hint, id="vankho.E003"))
    if (settings.SITE_MAX_LEVEL > Level.THUONG or settings.PAPER_STUBS) and settings.TOTP != "required":
        hint = "Unset VANKHO_TOTP: above Thường a clearance counts only after the code of an authenticator."
        found.append(Error("Sign-in to secret levels asks for a password alone.", hint=hint, id="vankho.E004"))
    return found


@register()
def tesseract(**_kwargs: Any) -> list[CheckMessage]:
    """Look for Tesseract and its Vietnamese models."""
    program = shutil.which("tesseract")
    if program is None:
        hint = "apt-get install tesseract-ocr tesseract-ocr-vie tesseract-ocr-script-viet"
        return [Error("Tesseract is not installed: scans cannot be read.", hint=hint, id="vankho.E010")]
    listed = subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=False)  # noqa: S603
    have = set(listed.stdout.split())
    missing = [name for name in LANGUAGES if name not in have]
    hint = "apt-get install tesseract-ocr-vie tesseract-ocr-script-viet"
    return [Error(f"Tesseract lacks the model {name}.", hint=hint, id="vankho.E011") for name in missing]


@register()
def fonts(**_kwargs: Any) -> list[CheckMessage]:
    """Look for the faces that can draw Vietnamese (fonts-liberation lacks 92 of 134 letters)."""
    program = shutil.which("fc-list")
    if program is None:
        return [
            checks.Warning(
                "fontconfig is missing: printed registers cannot be drawn.",
                hint="apt-get install fontconfig",
                id="vankho.W020",
            )
        ]
    listed = subprocess.run([program, ":", "family"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    return [
        Error(
            f"The font {face} is missing: registers cannot be printed in Vietnamese.",
            hint=f"apt-get install {package}",
            id="vankho.E021",
        )
        for face, package in FONTS.items()
        if face not in str(listed)
    ]


@register(Tags.security)
def keys(**_kwargs: Any) -> list[CheckMessage]:
    """Look at the key files: there, not empty, readable by their owner alone."""
    if settings.PROFILE == "evaluation" and not any(path.exists() for path in settings.SITE_KEY_FILES):
        return []  # made at the first start of an evaluation
    return _key_faults(settings.SITE_KEY_FILES)


def _key_faults(paths: Sequence[Path]) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for path in paths:
        if not path.is_file():
            hint = "Bring the key file back, or name it in VANKHO_SITE_KEY_FILES."
            found.append(Error(f"The key file {path.name} is missing.", hint=hint, id="vankho.E030"))
        elif path.stat().st_mode & 0o077:
            found.append(
                Error(f"Others can read the key file {path.name}.", hint=f"chmod 0400 {path.name}", id="vankho.E031")
            )
        elif path.stat().st_size == 0:
            hint = "It was damaged; bring it back from the custodian's copy."
            found.append(Error(f"The key file {path.name} is empty.", hint=hint, id="vankho.E032"))
    return found


@contextmanager
def _left_as_it_was() -> Iterator[None]:
    """Leave no connection open that was not: a check runs before processes are forked."""
    was_open = connection.connection is not None
    try:
        yield
    finally:
        if not was_open:
            connection.close()


@register(Tags.security)
def running_role(**_kwargs: Any) -> list[CheckMessage]:
    """Refuse (in an evaluation: warn of) a running role that could change the log on PostgreSQL."""
    try:
        with _left_as_it_was():
            if not roles.can_change_the_log():
                return []
    except DatabaseError:
        return []  # away, or not there yet: the readiness probe and the command itself say so
    kind = Error if settings.PROFILE != "evaluation" else checks.Warning
    hint = "Name a plain role in VANKHO_DATABASE_URL and run: manage.py prepare_database"
    message = "The role of VANKHO_DATABASE_URL owns the tables of the log or could change them."
    return [kind(message, hint=hint, id="vankho.E060" if kind is Error else "vankho.W060")]


@register(Tags.security)
def vault_apart(**_kwargs: Any) -> list[CheckMessage]:
    """Refuse a key vault inside the main database: it would travel in every backup of it."""
    main, vault = settings.DATABASES["default"], urlsplit(settings.VAULT_URL)
    mine = (main.get("HOST", ""), str(main.get("PORT") or "5432"), str(main["NAME"]))
    if mine != (unquote(vault.hostname or ""), str(vault.port or "5432"), unquote(vault.path.strip("/"))):
        return []
    hint = "Name a database of its own in VANKHO_VAULT_URL, best on another server, with backups of its own."
    return [Error("The key vault lies in the main database.", hint=hint, id="vankho.E061")]


@register(Tags.security)
def sign_in_outside(**_kwargs: Any) -> list[CheckMessage]:
    """Look at the settings of the office's directory and sign-in server: whole, sealed, and their library there."""
    found: list[CheckMessage] = []
    wanted = {
        "VANKHO_LDAP_URL": (settings.LDAP_URL, ("LDAP_BASE", "LDAP_BIND_DN", "LDAP_BIND_PASSWORD"), "ldap3", "ldap"),
        "VANKHO_OIDC_ISSUER": (settings.OIDC_ISSUER, ("OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"), "jwt", "oidc"),
    }
    for setting, (address, others, library, extra) in wanted.items():
        if not address:
            continue
        missing = [f"VANKHO_{name}" for name in others if not getattr(settings, name)]
        if missing:
            hint = f"Set {', '.join(missing)}, or unset {setting}."
            found.append(Error(f"{setting} is set by half.", hint=hint, id="vankho.E063"))
        if not _fits(setting, address):
            hint = "Write ldaps://host (or ldap://host for StartTLS), and https://host for the sign-in server."
            found.append(Error(f"{setting} is no sealed address.", hint=hint, id="vankho.E064"))
        if importlib.util.find_spec(library) is None:
            hint = f"Install the lock file (make setup), or the extra: pip install 'vankho[{extra}]'."
            found.append(Error(f"{setting} needs {library}, which is not installed.", hint=hint, id="vankho.E065"))
    for setting in ("LDAP_CA_FILE", "OIDC_CA_FILE"):
        path = getattr(settings, setting)
        if path and not Path(path).is_file():
            hint = "Name a readable file with the certificate of who signs the server's."
            found.append(Error(f"VANKHO_{setting} is no file.", hint=hint, id="vankho.E066"))
    return found


def _fits(setting: str, address: str) -> bool:
    """Return whether a driver can reach and believe an address; what it leaves out (a path, a name and password) is none."""
    try:
        parts = urlsplit(address)
        is_whole = bool(parts.hostname) and parts.port != 0 and not (parts.query or parts.fragment or parts.username)
    except ValueError:  # a port that is no number
        return False
    if setting == "VANKHO_LDAP_URL":
        return is_whole and parts.scheme in {"ldaps", "ldap"} and parts.path in {"", "/"}
    return is_whole and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")))


@register(Tags.security)
def second_place(**_kwargs: Any) -> list[CheckMessage]:
    """Say when signed heads wait because their second place is not mounted, or is another medium."""
    fault = publishing.place_fault()
    hint = "Until then nobody outside this machine can show that the log was changed."
    return [checks.Warning(fault, hint=hint, id="vankho.W071")] if fault else []


@register()
def watched_folder(**_kwargs: Any) -> list[CheckMessage]:
    """Say when the watched folder of a founded office takes nothing, because nobody is there to hand in."""
    try:
        with _left_as_it_was():
            if not Person.objects.exists() or hands_in(settings.INBOX_USER):
                return []
    except DatabaseError:
        return []  # away, or not there yet: the readiness probe and the command itself say so
    hint = "Name the user name of a clerk in VANKHO_INBOX_USER, or give a clerk that user name."
    message = f"The watched folder takes nothing: “{settings.INBOX_USER}” (VANKHO_INBOX_USER) is no active account."
    return [checks.Warning(message, hint=hint, id="vankho.W072")]


@register()
def left_behind(**_kwargs: Any) -> list[CheckMessage]:
    """Refuse to go on with files that the office has moved away from: two offices would give the same numbers."""
    hint = "Set VANKHO_DATABASE_URL and VANKHO_VAULT_URL as they were for manage.py move_database."
    return [
        Error(f"The office has moved to PostgreSQL and left {path.name}.", hint=hint, id="vankho.E062")
        for path in residence.left_behind()
    ]


@register()
def lean_access(**_kwargs: Any) -> list[CheckMessage]:
    """Say when a migration has rebuilt Access without WITHOUT ROWID (it doubles the table)."""
    path = settings.DATABASES["default"].get("NAME")
    if connection.vendor != "sqlite" or not Path(str(path)).exists():
        return []
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        row = database.execute("SELECT sql FROM sqlite_master WHERE name = 'archive_access'").fetchone()
    if row is None or "WITHOUT ROWID" in str(row[0]):
        return []
    return [
        checks.Warning(
            "archive_access has lost WITHOUT ROWID.", hint="Rebuild it as migration 0002 does.", id="vankho.W040"
        )
    ]


@register()
def unfinished_restore(**_kwargs: Any) -> list[CheckMessage]:
    """Refuse to open an office that is restored by half."""
    if not marker.is_there():
        return []
    hint = f"Run the same command again: it goes on with {marker.read().get('name')}."
    return [Error("A restore into this installation is not finished.", hint=hint, id="vankho.E070")]
