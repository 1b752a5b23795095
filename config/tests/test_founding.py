"""A new office: founded once by one command, with two people who make everything else by acts; the log bears it out."""

import io
import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from archive import access, clearing, digests, posting, sequencing, staffing, units
from archive.models import AuditEntry, Person, PersonRole, Register, RegisterKind, RetentionRule, Unit
from archive.posting import Term
from archive.rules.levels import Level
from archive.rules.roles import Action, Role
from archive.standing import standing

pytestmark = pytest.mark.django_db
NAMES = {"office": "UBND xã Cái Nhum", "admin": "duc.tm=Thạch Minh Đức", "security": "duy.vb"}


@pytest.fixture(autouse=True)
def prepared(monkeypatch, settings):
    """The database of the tests is up to date, and is theirs to hold open."""
    monkeypatch.setattr("config.roles.bring_up_to_date", lambda: None)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def found(**changed):
    said = io.StringIO()
    call_command("found", **NAMES | changed, stdout=said)
    return dict(re.findall(r"^  (\S+): (\S+)$", said.getvalue(), re.MULTILINE))


def test_an_office_is_founded_with_two_people_and_what_the_law_gives(client):
    passwords = found()
    assert {person.username: str(person) for person in Person.objects.all()} == {
        "duc.tm": "Thạch Minh Đức",
        "duy.vb": "duy.vb",
    }
    admin, security = Person.objects.get(username="duc.tm"), Person.objects.get(username="duy.vb")
    now = timezone.now()
    assert standing(admin, now).roles == {Role.ADMIN}
    assert standing(security, now).roles == {Role.SECURITY}
    assert Unit.objects.get(parent=None).name == "UBND xã Cái Nhum"
    assert set(Register.objects.values_list("kind", flat=True)) == set(RegisterKind.values)
    assert not RetentionRule.objects.filter(basis__contains="mẫu").exists()
    assert client.post("/sign-in/", {"username": "duc.tm", "password": passwords["duc.tm"]}).status_code == 302
    assert client.get("/").headers["Location"] == "/account/password/"


def test_what_the_office_is_called_and_who_hands_in_is_said_at_once(settings):
    settings.OFFICE_NAME, settings.INBOX_USER = "", "clerk"
    said = io.StringIO()
    call_command("found", **NAMES, stdout=said)
    assert "UBND XÃ CÁI NHUM" in said.getvalue()
    assert "VANKHO_OFFICE_PARENT" in said.getvalue()
    assert "“clerk”" in said.getvalue()
    assert "VANKHO_INBOX_USER" in said.getvalue()


def test_the_log_bears_a_new_office_out_and_the_passwords_stand_nowhere():
    passwords = found()
    sequencing.place_all()
    assert list(digests.faults()) == []
    entry = AuditEntry.objects.get(action="system.found")
    assert (entry.action, entry.actor) == ("system.found", None)
    assert not any(password in str(entry.detail.payload) for password in passwords.values())


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"security": "DUC.TM"}, "FND-002"),
        ({"admin": " "}, "STF-007"),
        ({"code": "vt"}, "UNI-001"),
        ({"office": ""}, "UNI-006"),
    ],
)
def test_what_is_not_complete_or_in_one_hand_founds_nothing(changed, code):
    with pytest.raises(CommandError, match=code) as refusal:
        found(**changed)
    assert refusal.value.returncode == 2
    assert not Unit.objects.exists()
    assert not AuditEntry.objects.exists()


def test_an_office_is_founded_once():
    found()
    with pytest.raises(CommandError, match="FND-001"):
        found(admin="a", security="b")
    assert Person.objects.count() == 2


def test_the_sample_office_is_founded_by_the_same_hand():
    call_command("demo", dispatches=0, stdout=io.StringIO())
    sequencing.place_all()
    assert list(digests.faults()) == []
    assert [*AuditEntry.objects.order_by("ts").values_list("action", flat=True)] == ["system.found", "log.key"]
    with pytest.raises(CommandError, match="FND-001"):
        found()


def test_from_two_people_to_a_working_office_by_acts_alone():
    """No row by hand: an account, a unit, a post, a scope, a clearance; and the reader opens what is theirs."""
    found()
    admin, security = Person.objects.get(username="duc.tm"), Person.objects.get(username="duy.vb")
    root = Unit.objects.get(parent=None)
    unit = units.add(units.Called("PTM", "Phòng Tham mưu"), under=root, actor=admin)
    clerk, password = staffing.add(staffing.Newcomer("huong", "Lê Thị Mai Hương", unit), actor=admin)
    term = Term(timezone.now(), timezone.now() + timedelta(days=365), "QĐ 01/QĐ-UBND")
    posting.give_post(Role.CLERK, term=term, to=clerk, actor=security)
    posting.give_scope(root, term=term, to=clerk, actor=security)
    cleared = clearing.Decision(Level.MAT, term.since, term.until, term.basis, "Văn thư")
    clearing.give(cleared, to=clerk, actor=security)
    assert password
    assert access.may(clerk, Action.RECORD_REGISTER).allowed
    assert {row.kind for row in Register.objects.filter(unit__in=access.visible_to(clerk).principals)} == set(
        RegisterKind.values
    )
    sequencing.place_all()
    assert list(digests.faults()) == []
    assert PersonRole.objects.get(person=clerk).granted_by == security
