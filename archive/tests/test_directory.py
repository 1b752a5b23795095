"""Signing in by LDAP, against a real directory: who somebody is and nothing else, as bounded and silent as a password."""

import contextlib
import datetime as dt
import ipaddress
import json
import secrets
import socket
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client

from archive import identity, second_factor, sessions
from archive.identities import directory
from archive.identities.directory import Address, Directory
from archive.identities.port import Away, Password
from archive.models import AuditEntry, Person, SignsInBy
from archive.tests.test_sign_in import seen
from archive.views import proving
from config.tests.office import borne_out, server

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def at():
    url = server("VANKHO_TEST_LDAP_URL")
    names = ("BASE", "BIND_DN", "BIND_PASSWORD")
    base, bind_dn, bind_password = (server(f"VANKHO_TEST_LDAP_{name}") for name in names)
    return Address(url, base, bind_dn, bind_password)


@pytest.fixture
def ldap(at, settings, office, monkeypatch):
    """Let the office use the directory, and its leader and clerk sign in by it."""
    settings.LDAP_URL, settings.LDAP_BASE = at.url, at.base
    settings.LDAP_BIND_DN, settings.LDAP_BIND_PASSWORD = at.bind_dn, at.bind_password
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(identity, "BEAT_SECONDS", 0.001)
    identity._directory.cache_clear()
    Person.objects.filter(pk__in=[office.leader.pk, office.clerk.pk]).update(signs_in_by=SignsInBy.LDAP)
    office.admin.set_password("ba con vịt ngoài ao")
    office.admin.save()
    borne_out()
    return identity.directory()


def sign_in(name, password, address="10.0.0.1"):
    browser = Client(REMOTE_ADDR=address)
    return browser, browser.post("/sign-in/", {"username": name, "password": password})


def details(action):
    entries = AuditEntry.objects.filter(action=action).order_by("-ts")
    return [entry.detail.payload for entry in entries]


def test_the_right_password_of_the_directory_lets_in_and_keeps_the_lasting_name(ldap, office):
    browser, answer = sign_in("leader", "leader-test")
    assert answer.status_code == 302
    assert browser.get("/account/").status_code == 200
    office.leader.refresh_from_db()
    assert len(office.leader.outside_id) == 36  # an entryUUID
    assert details("session.sign_in")[0]["way"] == "ldap"
    assert sessions.open_now(office.leader)[0].by == "ldap"
    assert not office.leader.has_usable_password()


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("leader", "wrong"),
        ("leader", ""),
        ("leader", " "),
        ("leader", "clerk-test"),
        ("*", "leader-test"),
        ("lead*", "leader-test"),
        ("leader)(uid=*", "leader-test"),
        ("leader\x00", "leader-test"),
        ("archivist", "archivist-test"),  # known to the directory; the office gave this account a password of its own
        ("security", "nothing"),
    ],
)
def test_what_is_not_the_persons_own_password_lets_nobody_in(ldap, name, password):
    assert sign_in(name, password)[1].status_code == 401


@pytest.mark.parametrize("name", ["lead*", "*", "leader)(cn=*", "(leader", "lead\\65r", "leader\x00"])
def test_signs_of_a_filter_are_letters_of_a_name(at, name):
    assert Directory(at).identify(Password(name, "leader-test")) is None
    assert Directory(at).identify(Password("leader", "leader-test")).name == "leader"


def test_who_is_not_expected_there_is_never_bound_as(at, monkeypatch):
    """Neither named with the right password nor touched: a guess at an account here shuts none there."""
    bound = []
    connected = Directory._connected
    monkeypatch.setattr(
        Directory,
        "_connected",
        lambda one, ldap3, dn, secret: bound.append((dn, secret)) or connected(one, ldap3, dn, secret),
    )
    assert Directory(at).identify(Password("leader", "leader-test", is_expected=False)) is None
    assert [dn for dn, _secret in bound if dn.startswith("uid=leader")] == []
    assert "leader-test" not in {secret for _dn, secret in bound}


def test_who_is_known_to_the_directory_alone_gets_no_account(ldap, office):
    Person.objects.filter(pk=office.clerk.pk).update(username="somebody-else")
    assert sign_in("clerk", "clerk-test")[1].status_code == 401
    assert not Person.objects.filter(username="clerk").exists()


def test_the_directory_gives_neither_post_nor_clearance(ldap, office):
    before = list(office.leader.role_rows.values()), list(office.leader.clearances.values())
    sign_in("leader", "leader-test")
    assert (list(office.leader.role_rows.values()), list(office.leader.clearances.values())) == before


def test_another_entry_of_the_same_name_is_not_let_in(ldap, office):
    Person.objects.filter(pk=office.leader.pk).update(outside_id="7f0c5a3e-0000-0000-0000-000000000000")
    assert sign_in("leader", "leader-test")[1].status_code == 401


def test_a_closed_account_is_out_at_once_and_stays_out(ldap, office):
    browser, _answer = sign_in("leader", "leader-test")
    Person.objects.filter(pk=office.leader.pk).update(is_active=False)
    assert browser.get("/account/").status_code == 302
    assert sign_in("leader", "leader-test")[1].status_code == 401


def test_every_failure_does_the_same_work_and_gets_the_same_answer(ldap, office, settings, monkeypatch):
    """Known here, known there, known to both, to none: two binds, one search and one hash each."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    spent = []
    monkeypatch.setattr(Argon2PasswordHasher, "encode", lambda *_args: spent.append("hash") or "argon2$x")
    monkeypatch.setattr(Argon2PasswordHasher, "verify", lambda *_args: bool(spent.append("hash")))
    connected, find = Directory._connected, Directory._find
    monkeypatch.setattr(Directory, "_connected", lambda *args: spent.append("bind") or connected(*args))
    monkeypatch.setattr(Directory, "_find", lambda *args: spent.append("search") or find(*args))
    Person.objects.filter(pk=office.staff.pk).update(password="argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA$aGFzaA")
    Person.objects.filter(pk=office.archivist.pk).update(username="here-only", signs_in_by=SignsInBy.LDAP)
    answers, costs = set(), set()
    for each, name in enumerate(("leader", "staff", "here-only", "security", "nobody")):
        spent.clear()
        answer = sign_in(name, "wrong", f"10.0.1.{each}")[1]
        status, body, headers = seen(answer, name)
        answers.add((status, body, tuple(headers)))
        costs.add(tuple(spent))
    assert costs == {("hash", "bind", "search", "bind")}
    assert len(answers) == 1


def test_a_failure_is_answered_at_the_next_beat(ldap, monkeypatch):
    monkeypatch.setattr(identity, "BEAT_SECONDS", 0.4)
    slept = []
    monkeypatch.setattr(identity.time, "sleep", slept.append)
    assert identity.by_password("nobody", "wrong") is None
    assert identity.by_password("leader", "leader-test") is not None
    assert len(slept) == 1
    assert 0 < slept[0] <= 0.4


def test_guesses_are_bounded_and_stand_in_the_log_with_the_driver(ldap):
    answers = [sign_in("leader", "wrong", f"10.0.2.{each}")[1].status_code for each in range(12)]
    assert answers == [401] * 9 + [429] * 3
    assert sign_in("leader", "leader-test", "10.0.3.1")[1].status_code == 429
    assert {each["way"] for each in details("session.sign_in_failed")} == {"ldap"}


def test_a_cleared_person_still_needs_the_code(ldap, office, settings):
    settings.TOTP = "required"
    _browser, answer = sign_in("leader", "leader-test")
    assert answer.headers["Location"] == "/account/"
    secret = second_factor.new_secret()
    from archive.tests.test_second_factor import code_of

    second_factor.enrol(office.leader, secret, code_of(secret))
    assert sign_in("leader", "leader-test")[1].headers["Location"] == "/sign-in/code/"


def test_a_fresh_proof_binds_again(ldap, make_record, time_machine):
    record = make_record()
    browser, _answer = sign_in("leader", "leader-test")
    time_machine.move_to(time.time() + proving.FRESH_SECONDS + 1, tick=True)
    asked = {"person": "2", "until": "31/12/2030", "reason": "x"}
    wrong = browser.post(f"/records/{record.key}/grants/", asked | {"proof_password": "wrong"})
    assert wrong.status_code == 422
    assert not proving.is_fresh(browser.session)
    browser.post(f"/records/{record.key}/grants/", asked | {"proof_password": "leader-test"})
    assert proving.is_fresh(browser.session)
    assert AuditEntry.objects.filter(action="session.proof_failed").count() == 1


def test_the_password_page_is_closed_to_who_signs_in_elsewhere(ldap):
    browser, _answer = sign_in("leader", "leader-test")
    assert browser.get("/account/password/").status_code == 403
    assert "/account/password/" not in browser.get("/account/").content.decode()


# --- the directory away ------------------------------------------------------------------------------------


def test_while_it_is_away_local_accounts_work_and_the_page_says_so(ldap, settings, office):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and never answers
        settings.LDAP_URL = f"ldap://127.0.0.1:{silent.getsockname()[1]}"
        directory_of_now = identity.directory()
        began = time.monotonic()
        answer = sign_in("leader", "leader-test")[1]
        assert time.monotonic() - began < 12
        assert answer.status_code == 401
        assert "máy chủ đăng nhập của cơ quan" in answer.content.decode().lower()
        assert directory_of_now.is_away()
        began = time.monotonic()  # left alone for a moment: no second wait, and the same words for every name
        pages = [seen(sign_in(name, "wrong", "10.0.4.1")[1], name) for name in ("leader", "nobody", "security")]
        assert time.monotonic() - began < 3
        assert pages[0] == pages[1] == pages[2]
        assert sign_in("admin", "ba con vịt ngoài ao")[1].status_code == 302
    assert details("session.sign_in_failed")[-1]["away"] is True


def test_a_refused_connection_and_a_refused_service_account_are_told_as_away(at):
    gone = Directory(Address("ldap://127.0.0.1:9", at.base, at.bind_dn, at.bind_password))
    closed = Directory(Address(at.url, at.base, at.bind_dn, "wrong"))
    for each in (gone, closed):
        with pytest.raises(Away):
            each.identify(Password("leader", "leader-test"))


def test_a_proof_while_it_is_away_counts_as_no_guess(ldap, office, settings):
    settings.LDAP_URL = "ldap://127.0.0.1:9"
    office.leader.refresh_from_db()
    with pytest.raises(Away):
        second_factor.prove_again(office.leader, lambda: identity.proves(office.leader, "leader-test"), "")
    assert not AuditEntry.objects.filter(action="session.proof_failed").exists()


# --- sealed, or not at all ------------------------------------------------------------------------------


def certificate(folder, name):
    """Return the files of a certificate that signs itself: (certificate, key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    alt = x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    built = (
        x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
        .serial_number(secrets.randbits(64)).not_valid_before(now - dt.timedelta(1))
        .not_valid_after(now + dt.timedelta(1)).add_extension(x509.SubjectAlternativeName([alt]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    files = folder / f"{name}.crt", folder / f"{name}.key"
    files[0].write_bytes(built.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@contextlib.contextmanager
def sealed(at, files):
    """Yield the port of a server that takes TLS and passes on to the real directory."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    host, _colon, port = at.url.removeprefix("ldap://").partition(":")

    def carry(source, target):
        with contextlib.suppress(OSError):
            while block := source.recv(4096):
                target.sendall(block)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve(one):
        with contextlib.suppress(OSError, ssl.SSLError):
            with (
                context.wrap_socket(one, server_side=True) as client,
                socket.create_connection((host, int(port))) as far,
            ):
                back = threading.Thread(target=carry, args=(far, client))
                back.start()
                carry(client, far)
                back.join()

    def listen(listener):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=listen, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize(
    ("name", "is_known", "is_right"),
    [("localhost", True, True), ("localhost", False, False), ("other.test", True, False)],
)
def test_tls_must_prove_who_answers(at, tmp_path, name, is_known, is_right):
    files = certificate(tmp_path, name)
    with sealed(at, files) as port:
        address = Address(
            f"ldaps://localhost:{port}",
            at.base,
            at.bind_dn,
            at.bind_password,
            ca_file=str(files[0]) if is_known else "",
        )
        one = Directory(address)
        if is_right:
            assert one.identify(Password("leader", "leader-test")).name == "leader"
        else:
            with pytest.raises(Away):
                one.identify(Password("leader", "leader-test"))


def test_beyond_loopback_nothing_is_said_in_clear(at, monkeypatch):
    monkeypatch.setattr(directory, "is_loopback", lambda _host: False)
    sent = []
    real = socket.socket.sendall
    monkeypatch.setattr(
        socket.socket, "sendall", lambda one, data, *rest: sent.append(bytes(data)) or real(one, data, *rest)
    )
    with pytest.raises(Away):  # this directory has no TLS to begin
        Directory(at).identify(Password("leader", "leader-test"))
    assert sent
    assert not any(at.bind_password.encode() in each or b"leader-test" in each for each in sent)


def test_the_binary_name_of_an_active_directory_is_kept_as_figures(at):
    one = Directory(Address(at.url, at.base, at.bind_dn, "x", id_attribute="objectGUID"))
    assert one._id_of({"objectguid": [bytes(range(200, 216))]}) == bytes(range(200, 216)).hex()
    assert one._id_of({}) == ""


def test_the_entry_of_a_failure_carries_no_password(ldap):
    sign_in("leader", "mot-mat-khau-rat-rieng")
    kept = [
        bytes(each.body) + json.dumps(each.detail.payload).encode()
        for each in AuditEntry.objects.filter(action="session.sign_in_failed")
    ]
    assert kept
    assert not any(b"mot-mat-khau" in each for each in kept)


# --- what somebody types shuts nothing for the others ----------------------------------------------------------


@pytest.mark.parametrize("password", ["a\x01b", "\u00ad", "\ue000", "\u0627a", "x" * 300_000], ids=len)
def test_a_password_that_ldap_cannot_carry_is_wrong_and_nothing_more(at, password):
    one = Directory(at)
    assert one.identify(Password("leader", password)) is None
    assert not one.is_away()
    assert one.identify(Password("leader", "leader-test")).name == "leader"


def test_a_password_travels_prepared_or_as_typed():
    ldap3 = directory._library()
    assert directory._travelling(ldap3, "ba con\u00a0v\u1ecb\u00adt") == "ba con vịt".encode()
    assert directory._travelling(ldap3, "\u00ad") == "\u00ad".encode()  # never nothing: that would be anybody's bind


@pytest.mark.parametrize(("theirs", "is_found"), [("Bình", True), ("bi\u0300nh", True), ("binh", False), ("", False)])
def test_an_entry_that_only_looks_like_the_name_is_not_it(at, theirs, is_found):
    """Active Directory leaves out accents when it looks for a name."""
    entry = {"raw_attributes": {"uid": [theirs.encode()] if theirs else []}}
    assert Directory(at)._is_named(entry, "bình") is is_found


def test_an_entry_of_another_name_lets_nobody_in(at, monkeypatch):
    monkeypatch.setattr(directory, "_folded", str)  # as if the directory had found `leader` for another name
    assert Directory(at).identify(Password("LEADER", "leader-test")) is None
