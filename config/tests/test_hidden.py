"""What may not be known changes no page: every plain address is read by everybody with and without hidden dispatches."""

import re

import pytest

from archive.models import Person, PersonRole, UnitScope
from archive.rules.levels import Level
from archive.rules.roles import Role
from config.tests.office import LONG_AGO
from config.tests.test_doors import PLAIN, filled
from ingest.tests.handing import drop

WORD = "Saomaixanh"
FRESH = re.compile(r'value="[A-Za-z0-9]{64}"|"X-CSRFToken": ?"[A-Za-z0-9]+"|content="[A-Za-z0-9]{64}"')


@pytest.fixture
def readers(office):
    """Those of the command who see a dispatch of the lowest level, none with a clearance; and who sees none."""
    for name, role in (("clerk2", Role.CLERK), ("leader2", Role.LEADER), ("archivist2", Role.ARCHIVIST)):
        unit = office.registry if role is Role.CLERK else office.command
        person = Person.objects.create(username=name, full_name=name, unit=unit)
        PersonRole.objects.create(person=person, role=role, since=LONG_AGO)
        UnitScope.objects.create(person=person, unit=unit, since=LONG_AGO)
        setattr(office, name, person)
    return ("clerk2", "leader2", "archivist2", "stranger", "security")


def test_hidden_dispatches_change_no_page(office, readers, make_record, make_draft, signed_in):
    books = [f"/registers/{book.pk}/" for book in (office.incoming, office.secret_incoming)]

    def read(name):
        browser = signed_in(name)
        answers = {page: browser.get(page) for page in [*books, *(filled(pattern) for _name, pattern in PLAIN)]}
        return {page: (answer.status_code, FRESH.sub("", text_of(answer))) for page, answer in answers.items()}

    make_record()
    before = {name: read(name) for name in (*readers, "clerk")}
    for number in range(2):
        named = {"subject": WORD, "organ_name": f"Cơ quan {WORD}", "type_name": f"Loại {WORD}"}
        make_record(level=Level.TOI_MAT, code_number=f"8{number}", **named)
        make_draft(level=Level.TOI_MAT)
        drop(office, f"{number}".encode(), name=f"{WORD}.pdf", level=Level.TOI_MAT)
    for name in readers:
        assert read(name) == before[name], name
    assert read("clerk") != before["clerk"]  # they are there


def text_of(answer):
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode()
