"""What may not be known changes no page: every plain address is read by everybody with and without hidden dispatches."""

import io
import json
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from archive import audit, retention
from archive.attachments import HasIt
from archive.leveling import acts, notices
from archive.leveling.moving import Order
from archive.models import ChangeKind, Clearance, LevelNotice, Person, PersonRole, UnitScope
from archive.rules.errors import Forbidden
from archive.rules.levels import Level
from archive.rules.roles import Role
from config.tests.office import LONG_AGO
from config.tests.test_doors import PLAIN, filled
from ingest.tests.handing import bare_pdf, drop

WORD = "Saomaixanh"
NEW_EACH_TIME = {"archive:second-factor", "archive:account", "archive:sessions"}  # a key, sessions and their minutes
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
        answers = {
            page: browser.get(page)
            for page in [*books, *(filled(one) for name, one in PLAIN if name not in NEW_EACH_TIME)]
        }
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
    if answer.headers["Content-Type"] != "application/zip":
        return body.decode()
    with zipfile.ZipFile(io.BytesIO(body)) as box:
        return "".join(box.read(name).decode() for name in box.namelist())


def rows_of(answer):
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as box:
        return json.loads(box.read("log.json"))


LOGS = ("/log/", "/log/refused/", "/log/export.csv", "/log/export.json")


def test_the_log_withholds_words_above_its_readers_clearance_and_says_so(office, make_record, signed_in):
    record = make_record(level=Level.MAT)
    clerk = signed_in("clerk")
    clerk.post("/search/", {"q": WORD}, follow=True)
    added = {"why": f"Kèm {WORD}", "file": SimpleUploadedFile(f"{WORD}.pdf", bare_pdf())}
    assert clerk.post(f"/intake/records/{record.key}/files/add/", added).status_code == 302
    drop(office, b"1", name=f"{WORD}.pdf", level=Level.MAT)
    signed_in("stranger").post("/search/", {"q": "ngay thuong"}, follow=True)
    auditor = signed_in("auditor")
    for page in LOGS:
        assert WORD not in text_of(auditor.get(page)), page
    rows = rows_of(auditor.get("/log/export.json"))
    withheld = {row["action"]: row["details"]["withheld"] for row in rows if "withheld" in row["details"]}
    assert withheld == {"search.run": "toi-mat", "record.attach": "mat", "scan.upload": "mat"}
    assert "ngay thuong" in text_of(auditor.get("/log/"))
    assert record.key in text_of(auditor.get("/log/"))
    Clearance.objects.create(person=office.auditor, level=Level.TOI_MAT, since=LONG_AGO, basis="QĐ 02")
    assert text_of(auditor.get("/log/")).count(WORD) > 2


def test_the_log_withholds_what_the_page_of_the_dispatch_withholds(office, make_record, signed_in):
    """Who decided what, whom the dispatch names, why it is held, what a refusal names, what is proposed above its level."""
    record = make_record(level=Level.MAT, direction="outgoing", to_places=f"Kho {WORD}")
    order = Order(f"Ông {WORD}", f"QĐ {WORD}", timezone.localdate(), f"Vì {WORD}")
    Clearance.objects.create(person=office.auditor, level=Level.MAT, since=LONG_AGO, basis="QĐ 02")
    proposal = acts.propose(record, kind=ChangeKind.RAISE, to=Level.TOI_MAT, order=order, actor=office.leader)
    acts.close(proposal, reason=f"Thôi, {WORD}", actor=office.leader)
    acts.raise_level(record, to=Level.TOI_MAT, order=order, actor=office.leader)
    Clearance.objects.create(person=office.archivist, level=Level.TOI_MAT, since=LONG_AGO, basis="QĐ 02")
    hold = retention.place_hold(retention.Order(WORD, f"Vì {WORD}"), on=[record], actor=office.archivist)
    retention.lift_hold(hold, reason=f"Hết {WORD}", actor=office.archivist)
    for notice in LevelNotice.objects.filter(record=record):
        notices.tell(notice, how="công văn", told_on=timezone.localdate(), actor=office.clerk)
    audit.refused(HasIt(name=f"{WORD}.pdf"), actor=office.clerk, action="x")
    audit.refused(Forbidden(reason="chức danh"), actor=office.clerk, action="x")
    auditor = signed_in("auditor")
    for page in LOGS:
        assert WORD not in text_of(auditor.get(page)), page
    rows = [row["details"] for row in rows_of(auditor.get("/log/export.json"))]
    assert len([row for row in rows if "withheld" in row]) == 7
    assert "chức danh" in text_of(auditor.get("/log/"))
    Clearance.objects.create(person=office.auditor, level=Level.TOI_MAT, since=LONG_AGO, basis="QĐ 03")
    assert text_of(auditor.get("/log/")).count(WORD) > 7
