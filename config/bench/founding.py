"""The people and units of the large invented office of `config.bench.million`."""

import random
from datetime import UTC, datetime
from typing import Any

from config.bench.shape import BELOW, DEPARTMENTS, PEOPLE, Large


def office(chance: random.Random) -> Large:
    """Found the large office: units, registers, people."""
    from archive.models import Register, RegisterKind, Unit

    top = Unit.objects.create(code="L0", name="Bộ chỉ huy lớn", path="/l0/")
    top.path = f"/{top.pk}/"
    top.save(update_fields=["path"])
    departments, below = [], {}
    for place in range(DEPARTMENTS):
        unit = _unit(f"L{place + 1}", f"Phòng {place + 1}", top)
        departments.append(unit.pk)
        below[unit.pk] = [
            unit.pk,
            *(_unit(f"L{place + 1}-{n}", f"Ban {place + 1}.{n}", unit).pk for n in range(1, BELOW[place] + 1)),
        ]
    units = [top.pk, *(pk for each in below.values() for pk in each)]
    registers = {
        (unit, kind.value): Register.objects.create(kind=kind, name=f"{kind.label}", unit_id=unit).pk
        for unit in departments
        for kind in RegisterKind
    }
    return _people(Large(units, departments, below, [], {}, {}, registers), chance)


def _unit(code: str, name: str, above: Any) -> Any:
    from archive.models import Unit

    made = Unit.objects.create(code=code, name=name, parent=above, path=f"new:{code}")
    made.path = f"{above.path}{made.pk}/"
    made.save(update_fields=["path"])
    return made


def _people(large: Large, chance: random.Random) -> Large:
    """Write 600 people: a clerk and a leader per department, one leader and archivist over all, staff elsewhere."""
    from archive.rules.roles import Role

    top = large.units[0]
    posts: list[tuple[str, int, int, Role, int]] = [
        ("l-head", top, top, Role.LEADER, 2),
        ("l-archivist", top, top, Role.ARCHIVIST, 2),
        ("l-auditor", top, 0, Role.AUDITOR, 0),
        # Who may not know of the dossiers of secret dispatches, and who knows those of one department alone.
        ("l-archivist0", top, top, Role.ARCHIVIST, 0),
        ("l-archivist1", large.departments[0], large.departments[0], Role.ARCHIVIST, 2),
    ]
    for place, unit in enumerate(large.departments, start=1):
        posts += [(f"l-clerk{place}", unit, unit, Role.CLERK, 2), (f"l-leader{place}", unit, unit, Role.LEADER, 2)]
    while len(posts) < PEOPLE:
        unit = chance.choice(large.units[1:])
        posts.append((f"l-staff{len(posts)}", unit, unit, Role.STAFF, chance.choice((0, 0, 1, 2))))
    return _employ(large, posts)


def _employ(large: Large, posts: list[tuple[str, int, int, Any, int]]) -> Large:
    from archive.models import Clearance, Person, PersonRole, UnitScope
    from archive.rules.roles import Role

    since = datetime(2010, 1, 1, tzinfo=UTC)
    for name, unit, scope, role, level in posts:
        person = Person.objects.create(username=name, full_name=f"Người mẫu {name[2:]}", unit_id=unit)
        PersonRole.objects.create(person=person, role=role, since=since)
        if scope:
            UnitScope.objects.create(person=person, unit_id=scope, since=since)
        if level:
            Clearance.objects.create(person=person, level=level, since=since, basis="mẫu")
        large.people.append(person.pk)
        if role is Role.CLERK:
            large.clerks[unit] = person.pk
        if role is Role.STAFF:
            large.staff.setdefault(unit, []).append(person.pk)
    return large
