"""A security officer who lost everything comes back by both site keys and a written order, and no other way."""

import io
import time
from dataclasses import asdict
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from archive import digests, findings, notable, publishing, readmission, restoration, second_factor, sequencing, store
from archive.models import AuditEntry, AuditRow, DigitalObject, Person, PersonRole, SecondFactor
from archive.notable import Kind
from archive.rules import totp
from archive.rules.levels import Level
from archive.rules.roles import Action, Role
from archive.staffing import PasswordElsewhere
from archive.stores.custody import KeyFiles, make_key_files
from config.tests.office import borne_out, fence_lifted

ORDER = readmission.Order("QĐ 12/QĐ-BCH", "Đ/c Bình và đ/c Lan, người giữ khóa")
PASSWORD = "ba con vịt ngoài ao"
WORDS = ("--basis", ORDER.basis, "--present", ORDER.present)


@pytest.fixture
def keys(settings, tmp_path):
    """An installation of its own at work: two key files, a vault, a file of the highest level, a signed head."""
    settings.VANKHO_HOME = tmp_path / "home"
    settings.SITE_KEY_FILES = (tmp_path / "1.key", tmp_path / "2.key")
    make_key_files(settings.SITE_KEY_FILES)
    sealed_object()
    borne_out()
    publishing.publish()
    yield settings.SITE_KEY_FILES
    for each in store._configured.values():
        each.vault.close()
    store._configured.clear()


@pytest.fixture
def officer(office, keys):
    """The only security officer: a password, an authenticator and an open session."""
    office.security.set_password(PASSWORD)
    office.security.save()
    borne_out()
    secret = second_factor.new_secret()
    second_factor.enrol(office.security, secret, totp.code_at(secret, int(time.time()) // 30))
    return office.security


def sealed_object(level=Level.TOI_MAT):
    sealed = store.put(io.BytesIO(b"Van ban"), level=level)
    return DigitalObject.objects.create(**asdict(sealed), role="original", created_at=timezone.now())


def run(name="security", *words):
    out = io.StringIO()
    call_command("readmit_officer", name, *(words or WORDS), stdout=out)
    return out.getvalue()


def refused(match, *given):
    with pytest.raises(CommandError, match=match):
        run(*given)
    entry = AuditEntry.objects.filter(outcome="denied").latest("ts")
    assert (entry.action, entry.actor, entry.object_type) == ("command:readmit_officer", None, "person")
    assert not AuditEntry.objects.filter(action=Action.READMIT).exists()


@pytest.mark.django_db(transaction=True)
def test_both_keys_and_a_written_order_let_the_officer_back_in_under_a_signed_head(officer):
    browser = Client()
    browser.force_login(officer, backend="archive.sign_in.Backend")
    told = run()
    password = next(word for word in told.split() if word.count("-") == 3)
    entry = AuditEntry.objects.get(action=Action.READMIT)
    assert (entry.actor, entry.object_id) == (None, str(officer.pk))
    assert ORDER.basis in bytes(entry.body).decode()
    payload = entry.detail.payload
    assert (payload["present"], payload["authenticator"], payload["officers"]) == (ORDER.present, True, 0)
    assert password not in str(payload) + str(bytes(entry.body))
    assert publishing.newest().size > entry.leaf.idx
    assert "/sign-in/" in browser.get("/account/").headers["Location"]
    assert not SecondFactor.objects.exists()
    back = Client()
    assert back.post("/sign-in/", {"username": "security", "password": PASSWORD}).status_code == 401
    assert back.post("/sign-in/", {"username": "security", "password": password}).status_code == 302
    assert back.get("/clearances/").headers["Location"] == "/account/password/"
    assert list(digests.of_kind("secondfactor")) == []
    assert not digests.is_moved(officer)


def test_who_holds_no_post_of_an_officer_is_not_let_in_by_it(office, keys):
    refused("OFF-001", "clerk")
    refused("OFF-001", "admin")
    PersonRole.objects.filter(person=office.security).update(until=timezone.now() - timedelta(days=1))
    borne_out()
    refused("OFF-001")
    with pytest.raises(CommandError, match="nobody"):
        run("nobody")


def test_a_post_put_in_by_sql_and_a_closed_account_are_none(office, keys):
    PersonRole.objects.create(person=office.staff, role=Role.SECURITY, since=timezone.now() - timedelta(days=1))
    refused("OFF-001", "staff")
    Person.objects.filter(pk=office.security.pk).update(is_active=False)
    refused("OFF-001")


def test_of_a_post_given_before_digests_the_refusal_names_what_adopts_it(office, keys):
    with fence_lifted():
        AuditRow.objects.filter(kind="personrole").delete()
    refused("OFF-001.*adopt_rows")


def test_without_an_order_or_the_names_of_who_is_present_nothing_is_done(officer):
    refused("OFF-002", "security", "--present", "x")
    refused("OFF-002", "security", "--basis", " ", "--present", "x")
    refused("OFF-002", "security", "--basis", "QĐ 1")


def test_one_custodian_alone_or_with_a_strange_key_lets_nobody_in(officer, keys, settings, tmp_path):
    store.configured()
    kept = keys[1].rename(tmp_path / "away")
    refused("OFF-003")
    make_key_files([keys[1]])
    refused("OFF-003")
    keys[1].unlink()
    kept.rename(keys[1])
    settings.SITE_KEY_FILES = keys[:1]
    refused("OFF-003")
    settings.SITE_KEY_FILES = keys
    assert SecondFactor.objects.exists()
    run()


def elsewhere(settings, tmp_path):
    """Name an empty folder and two key files of one's own, with the office's database."""
    settings.VANKHO_HOME = tmp_path / "elsewhere"
    settings.SITE_KEY_FILES = (tmp_path / "my1.key", tmp_path / "my2.key")
    make_key_files(settings.SITE_KEY_FILES)
    return settings.VANKHO_HOME


@pytest.mark.parametrize("profile", ["evaluation", "production"])
@pytest.mark.parametrize("has_files", [True, False])
def test_keys_of_ones_own_beside_an_empty_folder_open_nothing(officer, settings, tmp_path, profile, has_files):
    settings.PROFILE = profile
    DigitalObject.objects.filter(pk__isnull=has_files).delete()
    home = elsewhere(settings, tmp_path)
    refused("OFF-003")
    assert not home.exists()
    store.configured()
    refused("OFF-003" if has_files else "OFF-004")
    assert not (home / "keys" / "log.key").exists()
    assert SecondFactor.objects.exists()


def test_a_vault_that_opens_something_else_proves_no_custodian(officer):
    kept = DigitalObject.objects.get()
    DigitalObject.objects.update(sha256="0" * 64)
    refused("OFF-003")
    DigitalObject.objects.update(sha256=kept.sha256)
    other = DigitalObject.objects.create(
        address="0" * 32, size=1, sha256="", sealed_size=1, sealed_sha256="", level=Level.TOI_MAT, role="original",
        created_at=timezone.now(),
    )  # fmt: skip
    refused("OFF-003")
    restoration.record(restoration.Gap(timezone.now(), 1, None), backup="x", shredded=[other.pk])
    run()


def test_keys_to_come_let_nobody_in_and_each_fault_has_its_sentence(officer, keys, settings, tmp_path):
    coming = (tmp_path / "3.key", tmp_path / "4.key")
    make_key_files(coming)
    store.configured().vault.announce(KeyFiles(coming))
    settings.SITE_KEY_FILES = coming
    refused("Hai tệp này không phải khóa đang dùng")
    settings.SITE_KEY_FILES = (keys[0], keys[0])
    refused("Cần hai tệp khác nhau")
    settings.SITE_KEY_FILES = keys
    run()


def test_a_folder_without_a_signed_head_or_with_another_log_is_not_the_offices(officer, keys, settings):
    head = settings.VANKHO_HOME / "log" / "checkpoint"
    kept = head.read_bytes()
    head.unlink()
    refused("OFF-004")
    head.write_bytes(kept.replace(b"vankho", b"others"))
    refused("OFF-004")
    head.write_bytes(kept)
    run()


def test_who_signs_in_from_outside_has_no_password_here(officer):
    Person.objects.filter(pk=officer.pk).update(signs_in_by="ldap")
    borne_out()
    with pytest.raises(PasswordElsewhere):
        readmission.readmit(officer, ORDER)


def test_each_time_stands_out_and_leads_to_its_entry(officer, signed_in):
    run()
    run()
    sequencing.place_all()
    today = timezone.localdate()
    found = [one for one in notable.notable(today, today) if one.kind is Kind.READMITTED]
    assert [(one.person, one.count) for one in found] == [(officer.full_name, 2)]
    browser = signed_in("auditor")
    page = browser.get("/log/unusual/")
    group = next(group for group in page.context["kinds"] if group["kind"] is Kind.READMITTED)
    entries = browser.get(group["rows"][0]["url"]).content.decode()
    assert ORDER.basis in entries
    assert ORDER.present in entries
    behind = list(findings.behind(notable.shown(today, today), size=AuditEntry.objects.count()))
    assert [entry.action for entry, why in behind if str(Kind.READMITTED.label) in why] == [Action.READMIT] * 2
