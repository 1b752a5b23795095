"""What tests and benches put into a database by hand: an office and its people, drafts, sealed bytes; and what bears it out.

Nothing of Django is imported before a function is called: `config.tests.office` is loaded before the settings are.
"""

import io
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

LONG_AGO = datetime.fromisoformat("2020-01-01T00:00:00+00:00")


@dataclass
class Office:
    """Units, people and registers of the test office."""

    command: Any
    registry: Any
    staff_unit: Any
    other_unit: Any
    clerk: Any
    leader: Any
    staff: Any
    archivist: Any
    auditor: Any
    security: Any
    admin: Any
    stranger: Any
    incoming: Any
    outgoing: Any
    secret_incoming: Any
    secret_outgoing: Any


def found() -> Office:
    """Put an office into an empty database, and an entry that bears it out."""
    from archive.models import NO_DOSSIER, Marking, ProtectionPeriod, Register, RegisterKind, Shelf
    from archive.rules.levels import Level
    from archive.rules.roles import Role

    Marking.objects.get_or_create(pk=1, defaults={"name": ""})  # a test that really committed took it away
    Shelf.objects.get_or_create(pk=NO_DOSSIER, defaults={"name": ""})  # and this
    for level, years in ((1, 10), (2, 20), (3, 30)):  # and these
        given = {"years": years, "extend_days": 60, "notice_days": 15, "basis": "Luật 117/2025/QH15"}
        ProtectionPeriod.objects.get_or_create(level=level, valid_from=date(2026, 3, 1), defaults=given)
    command = _unit("CH", "Bộ CHQS tỉnh", None)
    registry = _unit("VT", "Văn thư", command)
    staff_unit = _unit("PTM", "Phòng Tham mưu", command)
    other_unit = _unit("PCT", "Phòng Chính trị", command)
    people = {
        "clerk": _person("clerk", Role.CLERK, registry, registry, Level.TOI_MAT),
        "leader": _person("leader", Role.LEADER, command, command, Level.TOI_MAT),
        "staff": _person("staff", Role.STAFF, staff_unit, staff_unit, Level.MAT),
        "archivist": _person("archivist", Role.ARCHIVIST, command, command, Level.MAT),
        "auditor": _person("auditor", Role.AUDITOR, command, None, Level.THUONG),
        "security": _person("security", Role.SECURITY, command, None, Level.THUONG),
        "admin": _person("admin", Role.ADMIN, command, None, Level.THUONG),
        "stranger": _person("stranger", Role.STAFF, other_unit, other_unit, Level.THUONG),
    }
    registers = {
        kind.value: Register.objects.create(kind=kind, name=str(kind.label), unit=registry) for kind in RegisterKind
    }
    office = Office(command, registry, staff_unit, other_unit, **people, **registers)
    borne_out()
    return office


def borne_out() -> None:
    """Let an entry bear out every row, file and page that a test put there by hand: the doors ask for their digests."""
    from django.db import connection, transaction

    from archive import audit, manifests, watched
    from archive.models import Record
    from archive.rules.roles import Action

    # One statement for all kinds: every test asks, and most kinds have no row.
    kinds = watched.WATCHED
    parts = [f"SELECT '{kind}', {model._meta.pk.column} FROM {model._meta.db_table}" for kind, model in kinds.items()]  # noqa: S608 - our own names
    with transaction.atomic(), connection.cursor() as cursor:
        for record in manifests.with_parts(Record.objects.filter(manifest__isnull=False)):
            if not manifests.is_whole(record):
                manifests.settle(record)
        cursor.execute(" UNION ALL ".join(parts))
        made = [kinds[kind](pk=pk) for kind, pk in cursor.fetchall()]
        audit.write(Action.UNIT_CHANGE, actor=None, made=made)


def _unit(code: str, name: str, parent: Any) -> Any:
    from archive.models import Unit

    unit = Unit.objects.create(code=code, name=name, parent=parent, path=f"new-{code}")
    unit.path = f"{parent.path if parent else '/'}{unit.pk}/"
    unit.save()
    return unit


def _person(name: str, role: Any, unit: Any, scope: Any, level: Any) -> Any:
    from archive.models import Clearance, Person, PersonRole, UnitScope

    person = Person(username=name, full_name=f"Đồng chí {name}", unit=unit)
    person.set_unusable_password()
    person.save()
    PersonRole.objects.create(person=person, role=role, since=LONG_AGO)
    if scope:
        UnitScope.objects.create(person=person, unit=scope, since=LONG_AGO)
    if level:
        Clearance.objects.create(person=person, level=level, since=LONG_AGO, basis="QĐ 01")
    return person


def _draft(
    office: Office,
    *,
    level: Any = 0,
    pages: tuple[str, ...] = ("Kế hoạch huấn luyện",),
    direction: str = "incoming",
    unit: Any = None,
    proposal: Any = None,
    plausible: Any = None,
) -> Any:
    from archive import capture
    from archive.rules.levels import Level
    from archive.rules.proposal import Suggestion

    original = seal(b"%PDF-1.4 sample", level=level, role="original")
    pack, ranges = pack_of(pages, level=level)
    return capture.capture(
        capture.Captured(
            unit=unit or office.registry,
            suggestion=Suggestion(Level(level), Level(level), Level(level if plausible is None else plausible)),
            original=original,
            pack=pack,
            pages=ranges,
            proposal=proposal or {},
            direction=direction,
        ),
        actor=office.clerk,
    )


def seal(content: bytes, *, level: int, role: str, name: str = "mau.pdf") -> Any:
    """Seal bytes in the real store and return their row."""
    from django.utils import timezone

    from archive import store
    from archive.models import DigitalObject
    from archive.rules.levels import Level

    sealed = store.put(io.BytesIO(content), level=Level(level))
    return DigitalObject.objects.create(
        address=sealed.address,
        role=role,
        name=name,
        media_type="application/pdf",
        size=sealed.size,
        sha256=sealed.sha256,
        sealed_size=sealed.sealed_size,
        sealed_sha256=sealed.sealed_sha256,
        level=level,
        created_at=timezone.now(),
    )


def pack_of(texts: tuple[str, ...], *, level: int) -> tuple[Any, list[Any]]:
    """Seal a pack with tiny page images and the given page texts; words get boxes in a grid."""
    from archive.capture import PageRanges

    body, ranges = bytearray(), []
    for number, text in enumerate(texts, start=1):
        parts = []
        for part in (JPEG, JPEG, page_text(number, text).to_bytes()):
            parts.append((len(body), len(part)))
            body += part
        ranges.append(PageRanges(number, 8, 8, parts[0], parts[1], parts[2], "ocr", 95))
    return seal(bytes(body), level=level, role="pack", name=""), ranges


def page_text(number: int, text: str) -> Any:
    """Return a page whose words stand one below the other."""
    from archive.rules.page import PageText, Word

    words, start = [], 0
    for index, part in enumerate(text.split()):
        at = text.index(part, start)
        top = 500 + 300 * (index % 30)
        words.append(Word(part, at, (1000, top, 1000 + 120 * len(part), top + 200), 95))
        start = at + len(part)
    return PageText(number, text, tuple(words), "ocr", 95)


JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f141d1a1f"
    "1e1d1a1c1c20242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ffc0000b080008000801011100ffc4001f0000"
    "010501010101010100000000000000000102030405060708090a0bffc400b5100002010303020403050504040000017d010203000411"
    "05122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a434445"
    "464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9"
    "aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffda00080101"
    "00003f00fbf1ffd9"
)


def with_password(person: Any, password: str) -> Any:
    """Give a person of the test office a password, as an act would."""
    person.set_password(password)
    person.save()
    borne_out()
    return person
