"""Whole installations for tests of backup and restore: real commands in processes of their own, real places.

`found` makes an office with a few registered dispatches of two levels, some with added files, one file held; `python -m
config.tests.installation COMMAND` is what runs inside such an office.
"""

import io
import itertools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = (
    "VANKHO_DATABASE",
    "VANKHO_VAULT",
    "VANKHO_ELASTICSEARCH",
    "VANKHO_STORE",
    "VANKHO_S3",
    "VANKHO_LOG_SECOND",
)


@dataclass(frozen=True)
class Installation:
    """One office: its folder, and the settings that name its servers."""

    home: Path
    settings: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """What its processes are given: nothing of this test run."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ELSEWHERE)}
        return (
            kept
            | {"VANKHO_HOME": str(self.home), "VANKHO_PROFILE": "evaluation", "VANKHO_LOG_LEVEL": "ERROR"}
            | self.settings
        )

    def manage(self, *words: str, code: int = 0) -> str:
        """Run a command; return what it said, errors included. It must end with this code."""
        return self.run("manage.py", *words, code=code)

    def ask(self, *words: str) -> dict:
        """Run one of the commands below, or several with "+" between, inside the office and return what they answer."""
        done = self.run("-m", "config.tests.installation", *words)
        return json.loads(next(line for line in done.splitlines() if line.startswith("{")))

    def run(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, (words, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        return done.stdout + done.stderr

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start a program of the office and go on."""
        return subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def copy(self, home: Path) -> "Installation":
        """Return a copy on local files: what one test does to it no other test sees."""
        shutil.copytree(self.home, home)
        return replace(self, home=home, settings=dict(self.settings))

    def empty(self, home: Path, **settings: str) -> "Installation":
        """Return an empty installation to which this one's custodians came with their key files."""
        keys = ",".join(str(self.home / "keys" / f"site-{half}.key") for half in (1, 2))
        return Installation(home, {"VANKHO_SITE_KEY_FILES": keys, **settings})


@dataclass(frozen=True)
class Made:
    """An office and its backup on three media."""

    office: Installation
    media: Path
    before: dict  # what the office held when the backup was made

    @property
    def main(self) -> Path:
        return self.media / "main"

    @property
    def vault(self) -> Path:
        return self.media / "vault"

    @property
    def keys(self) -> Path:
        return self.media / "keys"

    @property
    def words(self) -> tuple[str, ...]:
        """The command that backs the office up."""
        return ("backup", str(self.main), "--vault", str(self.vault), "--keys", str(self.keys))

    def backup(self, **kwargs) -> str:
        return self.office.manage(*self.words, **kwargs)

    def restore(self, empty: Installation, *words: str, folder: Path | None = None, code: int = 0) -> str:
        media = ("--vault", str(self.vault), "--keys", str(self.keys))
        return empty.manage("restore", str(folder or self.main), *media, *words, code=code)

    def with_settings(self, **settings: str) -> Installation:
        """Give the office more settings from here on."""
        self.office.settings.update(settings)
        return self.office


def found(home: Path, **settings: str) -> Installation:
    """Make an office with dispatches on whatever places the settings name."""
    office = Installation(home, settings)
    office.manage("demo", "--dispatches", "0")
    office.ask("register", "8")
    office.ask("annex", "2")
    return office


# --- inside the office -------------------------------------------------------------------------


def register(count: str) -> dict:
    """Register so many dispatches, every fourth secret, each with an original and a pack; return their numbers."""
    from archive.models import Register, RegisterNumber

    for number in range(int(count)):
        _registered(number, level=int(number % 4 == 3))
    _index()
    return {"numbers": RegisterNumber.objects.count(), "registers": Register.objects.count()}


def annex(count: str) -> dict:
    """Let so many dispatches have a file beside the main one, and one more file wait for a person."""
    from config.tests import annexes

    annexes.join(int(count))
    _index()
    return {"annexes": count}


def _registered(number: int, *, level: int) -> None:
    from datetime import date

    from archive import capture, registration
    from archive.models import Person, Register
    from archive.rules.levels import Level
    from archive.rules.proposal import Suggestion

    person = Person.objects.select_related("unit").get(username="clerk")
    original = _sealed(b"%PDF-1.4 " + os.urandom(3000), role="original", level=level)
    draft = capture.capture(
        capture.Captured(person.unit, Suggestion(Level(level), Level(level), Level(level)), original, None),
        actor=person,
    )
    kind = registration.kind_for("incoming", Level(level))
    entry = registration.Entry(
        level=Level(level), code_number=str(number + 1), code_notation="KH-BCH", issued_date=date(2026, 11, 2),
        organ_name=f"Cơ quan {draft.key}", type_name="Kế hoạch", subject=f"Huấn luyện dân quân đợt {number}",
        arrival_date=date(2026, 11, 3),
    )  # fmt: skip
    registration.register(draft, entry, register=Register.objects.get(kind=kind), actor=person, despite_duplicate=True)


def _sealed(content: bytes, *, role: str, level: int):
    from django.utils import timezone

    from archive import store
    from archive.models import DigitalObject
    from archive.rules.levels import Level

    sealed = store.put(io.BytesIO(content), level=Level(level))
    return DigitalObject.objects.create(
        address=sealed.address, role=role, size=sealed.size, sha256=sealed.sha256, sealed_size=sealed.sealed_size,
        sealed_sha256=sealed.sealed_sha256, level=level, created_at=timezone.now(), media_type="application/pdf",
    )  # fmt: skip


def _index() -> None:
    from archive import publishing
    from search import follow

    follower = follow.Follower()
    while follower.catch_up():
        continue
    follower.close()
    publishing.publish()


def write(seconds: str) -> dict:
    """Register without a pause for so long; say "ready" first and the count at the end."""
    import time

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    until, count = time.monotonic() + float(seconds), 0
    while time.monotonic() < until:
        _registered(1000 + count, level=0)
        count += 1
    return {"count": count}


def spare() -> dict:
    """Seal one object that belongs to no dispatch yet, as intake does; return its address."""
    return {"address": _sealed(b"%PDF-1.4 spare" + os.urandom(100), role="original", level=0).address}


def destroy(address: str) -> dict:
    """Destroy an object as an act does: the row goes with its entry, then key and bytes."""
    from django.db import transaction

    from archive import audit, store
    from archive.models import DigitalObject
    from archive.rules.roles import Action

    with transaction.atomic():
        DigitalObject.objects.filter(address=address).delete()
        audit.write(Action.SCAN_DISMISS, actor=None, details={"destroyed": [address]})
    store.shred(address)
    return {"address": address}


def look() -> dict:
    """Return what the office holds: log, numbers, objects, the digests of what can be read, and what cannot."""
    import hashlib

    from archive import merkle, publishing, restoration, store
    from archive.models import AuditEntry, DigitalObject, PaperCheck, RegisterNumber
    from archive.rules.errors import Refusal
    from config.tests import annexes

    digests, unreadable = {}, {}
    for row in DigitalObject.objects.order_by("address"):
        try:
            digests[row.address] = hashlib.sha256(store.read(row.address)).hexdigest()
            assert digests[row.address] == row.sha256
        except Refusal as refusal:
            unreadable[row.address] = refusal.code
    leaves = list(publishing.leaf_hashes(0))
    newest = AuditEntry.objects.filter(action__startswith="system.").order_by("-ts").first()
    return {
        "digests": digests,
        "unreadable": unreadable,
        "annexes": annexes.look(),
        "entries": len(leaves),
        "leaves": [leaf.hex() for leaf in leaves],
        "root": merkle.root(leaves).hex(),
        "numbers": sorted(RegisterNumber.objects.values_list("register_id", "year", "number")),
        "closed": PaperCheck.objects.filter(confirmed_at__isnull=True).count(),
        "banner": restoration.banner() is not None,
        "lost": getattr(restoration.banner(), "lost", None),
        "last_act": newest.action if newest else "",
        "details": newest.detail.payload if newest and hasattr(newest, "detail") else {},
    }


def killed(at: str, *words: str) -> dict:
    """Run a command and end this process with SIGKILL at its n-th fsync; answer only if it came to its end."""
    import signal

    from django.core.management import call_command

    real, seen = os.fsync, 0

    def fsync(descriptor: int) -> None:
        nonlocal seen
        seen += 1
        if seen == int(at):
            os.kill(os.getpid(), signal.SIGKILL)
        real(descriptor)

    os.fsync = fsync
    call_command(*words)
    return {"fsyncs": seen}


def meanwhile(address: str, *words: str) -> dict:
    """Run a backup in which an act destroys an object after the snapshot and before the copies."""
    from django.core.management import call_command

    from config.backup import making

    copy = making._copy

    def copy_later(*given, **named):
        destroy(address)
        return copy(*given, **named)

    making._copy = copy_later
    call_command(*words)
    return {}


def resealed(step: str, address: str, *words: str) -> dict:
    """Run a backup in which a file is sealed anew after the snapshot and before this step; return what it said."""
    from django.core.management import call_command
    from django.core.management.base import CommandError

    from archive import resealing
    from archive.models import Person
    from config.backup import making

    real = getattr(making, step)

    def later(*given, **named):
        officer = Person.objects.get(username="security")
        resealing.reseal(files=[address], reason="Nghi lộ khóa", actor=officer)
        return real(*given, **named)

    setattr(making, step, later)
    try:
        call_command(*words)
    except CommandError as refusal:
        return {"said": str(refusal)}
    return {"said": ""}


def died(step: str, *words: str) -> dict:
    """Run a backup that is killed after this step of the vault's way to its medium."""
    import signal

    from django.core.management import call_command

    from config.backup import vaulting

    real = getattr(vaulting, step)

    def dying(*given, **named):
        real(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(vaulting, step, dying)
    call_command(*words)
    return {}


def rotating(*words: str) -> dict:
    """Run a backup in which somebody changes keys between the copies of vault and level keys; return what they were told."""
    from django.core.management import call_command
    from django.core.management.base import CommandError

    from config.backup import vaulting

    real, told = vaulting.remove_older, []

    def remove_older(*given):
        try:
            call_command("rotate_keys", "--as", "security", "--reason", "Theo kế hoạch")
        except CommandError as refusal:
            told.append(str(refusal))
        real(*given)

    vaulting.remove_older = remove_older
    call_command(*words)
    return {"told": told}


def changing(*words: str) -> dict:
    """Run a backup while keys are being changed; return what it said."""
    from django.core.management import call_command
    from django.core.management.base import CommandError

    from archive import rekeying, store

    try:
        with rekeying._alone(store.configured().vault):
            call_command(*words)
    except CommandError as refusal:
        return {"said": str(refusal)}
    return {"said": ""}


def main(*words: str) -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    answer: dict = {}
    for is_end, part in itertools.groupby(words, lambda word: word == "+"):
        if not is_end:
            command, *given = part
            answer |= COMMANDS[command](*given)
    sys.stdout.write(json.dumps(answer) + "\n")


COMMANDS = {
    each.__name__: each
    for each in (register, annex, write, spare, destroy, look, killed, meanwhile, resealed, died, rotating, changing)
}

if __name__ == "__main__":
    main(*sys.argv[1:])
