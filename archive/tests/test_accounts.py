"""By which driver somebody signs in: an administrator's act; nothing is loaded or asked where nothing is set."""

import subprocess
import sys

import pytest
from django.conf import settings as given

from archive import accounts, identity
from archive.models import AuditEntry, Person, PersonRole, SignsInBy
from archive.rules.errors import Forbidden
from archive.rules.roles import Role
from config import checks
from config.tests.office import LONG_AGO, borne_out


@pytest.fixture
def two_admins(office, settings):
    """Give the office a second administrator, both with a password."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    PersonRole.objects.create(person=office.stranger, role=Role.ADMIN, since=LONG_AGO)
    for person in (office.admin, office.stranger):
        person.set_password("ba con vịt ngoài ao")
        person.save()
    borne_out()
    return office.admin, office.stranger


def test_an_administrator_says_by_which_driver_somebody_else_signs_in(office, two_admins, signed_in, settings):
    settings.LDAP_URL = "ldap://127.0.0.1:9"
    leader, admin = signed_in("leader"), signed_in("admin")
    Person.objects.filter(pk=office.leader.pk).update(outside_id="of before")
    borne_out()
    form = {"person": office.leader.pk, "by": "ldap", "reason": "Dùng chung danh bạ"}
    assert admin.post("/sessions/ways/", form | {"by": "oidc"}).status_code == 422  # not set
    assert admin.post("/sessions/ways/", form | {"person": office.admin.pk}).status_code == 422
    assert admin.post("/sessions/ways/", form).status_code == 302
    office.leader.refresh_from_db()
    assert (office.leader.signs_in_by, office.leader.outside_id) == ("ldap", "")
    assert leader.get("/account/").status_code == 302
    assert AuditEntry.objects.get(action="person.change").detail.payload == {"before": "password", "now": "ldap"}
    assert office.leader.full_name in admin.get("/sessions/ways/").content.decode()


def test_nobody_else_may_and_nobody_their_own(office, two_admins):
    for actor in (office.security, office.clerk):
        with pytest.raises(Forbidden):
            accounts.sign_in_by(office.leader, SignsInBy.LDAP, reason="x", actor=actor)
    with pytest.raises(Forbidden):
        accounts.sign_in_by(office.admin, SignsInBy.LDAP, reason="x", actor=office.admin)


def test_the_last_administrator_with_a_password_stays(office, two_admins):
    first, second = two_admins
    accounts.sign_in_by(first, SignsInBy.LDAP, reason="x", actor=second)
    with pytest.raises(accounts.LastEntrance):
        accounts.sign_in_by(second, SignsInBy.LDAP, reason="x", actor=first)
    second.set_unusable_password()
    second.save()
    with pytest.raises(accounts.LastEntrance):
        accounts.sign_in_by(office.clerk, SignsInBy.LDAP, reason="x", actor=first)


def test_where_nothing_is_set_no_library_is_loaded():
    program = (
        "import os, sys, django\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'\n"
        "django.setup()\n"
        "import config.urls\n"
        "from archive import identity\n"
        "assert [each.by for each in identity.drivers()] == ['password'], identity.drivers()\n"
        "assert not {'ldap3', 'jwt', 'pyasn1'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=given.BASE_DIR, timeout=60)


def test_the_drivers_are_those_of_the_settings(settings):
    assert [each.by for each in identity.drivers()] == ["password"]
    settings.LDAP_URL, settings.OIDC_ISSUER = "ldaps://a.test", "https://b.test"
    assert [each.by for each in identity.drivers()] == ["password", "ldap", "oidc"]
    assert not identity.is_away()


@pytest.mark.parametrize(
    ("changed", "ids"),
    [
        ({}, []),
        ({"LDAP_URL": "ldaps://dir.office.test"}, ["vankho.E063"]),
        (
            {"LDAP_URL": "http://dir.office.test", "LDAP_BASE": "o", "LDAP_BIND_DN": "o", "LDAP_BIND_PASSWORD": "x"},
            ["vankho.E064"],
        ),
        ({"OIDC_ISSUER": "http://who.office.test", "OIDC_CLIENT_ID": "v", "OIDC_CLIENT_SECRET": "x"}, ["vankho.E064"]),
        ({"OIDC_ISSUER": "https://who.office.test", "OIDC_CLIENT_ID": "v", "OIDC_CLIENT_SECRET": "x"}, []),
        ({"OIDC_CA_FILE": "/nowhere.pem"}, ["vankho.E066"]),
    ],
)
def test_settings_by_half_or_in_clear_are_refused_at_the_start(settings, changed, ids):
    for name, value in changed.items():
        setattr(settings, name, value)
    faults = checks.sign_in_outside()
    assert [fault.id for fault in faults] == ids
    assert all(fault.hint for fault in faults)


def test_a_missing_library_is_named_with_the_cure(settings, monkeypatch):
    settings.LDAP_URL, settings.LDAP_BASE = "ldaps://a.test", "o"
    settings.LDAP_BIND_DN, settings.LDAP_BIND_PASSWORD = "o", "x"
    monkeypatch.setattr(checks.importlib.util, "find_spec", lambda _name: None)
    assert [fault.id for fault in checks.sign_in_outside()] == ["vankho.E065"]


@pytest.mark.parametrize(
    ("setting", "address", "is_right"),
    [
        ("VANKHO_LDAP_URL", "ldaps://dir.office.test:1636", True),
        ("VANKHO_LDAP_URL", "ldap://dir.office.test/", True),
        ("VANKHO_LDAP_URL", "ldaps://dir.office.test:abc", False),
        ("VANKHO_LDAP_URL", "ldaps://dir.office.test:99999", False),
        ("VANKHO_LDAP_URL", "ldaps://dir.office.test/dc=office", False),
        ("VANKHO_OIDC_ISSUER", "https://who.office.test/realms/office", True),
        ("VANKHO_OIDC_ISSUER", "http://127.0.0.1:9980", True),
        ("VANKHO_OIDC_ISSUER", "https://[who", False),
        ("VANKHO_OIDC_ISSUER", "https://name:word@who.office.test", False),
        ("VANKHO_OIDC_ISSUER", "https://who.office.test/?realm=office", False),
        ("VANKHO_OIDC_ISSUER", "ftp://127.0.0.1", False),
    ],
)
def test_an_address_that_no_driver_could_use_is_told_at_the_start(setting, address, is_right):
    """Otherwise every sign-in would say that the server is away."""
    assert checks._fits(setting, address) is is_right
