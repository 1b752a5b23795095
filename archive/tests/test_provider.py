"""Signing in at an OpenID Connect provider, against a real one; and every way an answer of one may be wrong."""

import contextlib
import json
import socket
import threading
import time
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from axes.models import AccessAttempt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from archive import identity, second_factor
from archive.identities import provider
from archive.identities.port import Away, Journey, Password, Returned
from archive.models import AuditEntry, Person, SignsInBy
from archive.tests.oidc_browser import ProviderBrowser
from archive.tests.test_second_factor import code_of
from archive.views import proving
from config.tests.office import borne_out, server

BACK = "http://127.0.0.1:8000/oidc/callback/"  # as the test provider has it registered
OURS = {"HTTP_HOST": "127.0.0.1:8000"}


@pytest.fixture
def oidc(settings, office):
    """Let the office use the provider, and its leader and clerk sign in by it."""
    settings.OIDC_ISSUER = server("VANKHO_TEST_OIDC_ISSUER")
    settings.OIDC_CLIENT_ID = server("VANKHO_TEST_OIDC_CLIENT_ID")
    settings.OIDC_CLIENT_SECRET = server("VANKHO_TEST_OIDC_CLIENT_SECRET")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    identity._provider.cache_clear()
    Person.objects.filter(pk__in=[office.leader.pk, office.clerk.pk]).update(signs_in_by=SignsInBy.OIDC)
    borne_out()
    office.leader.refresh_from_db()


def travel(ours, theirs, name, query=""):
    """Go to the provider and back; return our answer to our own step."""
    left = ours.get(f"/sign-in/provider/{query}")
    assert left.status_code == 302
    returned = theirs.walk(left.headers["Location"], back=BACK, name=name)
    parts = urlsplit(returned)
    first = Client(**OURS).get(f"{parts.path}?{parts.query}")  # no cookie of ours travels on this step
    assert first.status_code == 200
    assert 'http-equiv="refresh"' in first.content.decode()
    assert not first.cookies  # a browser from another site comes without its own: none may be replaced
    return ours.get(f"{parts.path}?{parts.query}&here=1")


def sign_in(name, query=""):
    ours, theirs = Client(**OURS), ProviderBrowser()
    return ours, theirs, travel(ours, theirs, name, query)


def failures():
    entries = AuditEntry.objects.filter(action="session.sign_in_failed").order_by("ts")
    return [entry.detail.payload for entry in entries]


@pytest.mark.engine
def test_whom_the_provider_names_is_let_in_and_bound_to_the_lasting_name(oidc, office, settings):
    ours, _theirs, answer = sign_in("leader", "?next=/work/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/work/")
    assert ours.get("/account/").status_code == 200
    office.leader.refresh_from_db()
    assert office.leader.outside_id == f"{settings.OIDC_ISSUER} leader"
    kept = AuditEntry.objects.get(action="session.sign_in").detail.payload
    assert kept["way"] == "oidc"


@pytest.mark.engine
@pytest.mark.parametrize("name", ["nobody-here", "staff"])  # unknown; has a password of this system
def test_being_known_to_the_provider_opens_no_account(oidc, name):
    ours, _theirs, answer = sign_in(name)
    assert answer.status_code == 401
    assert ours.get("/account/").status_code == 302
    assert failures()[-1] == {"name": name, "way": "oidc"}
    assert not Person.objects.filter(username="nobody-here").exists()


@pytest.mark.engine
def test_a_closed_account_stays_out(oidc, office):
    Person.objects.filter(pk=office.leader.pk).update(is_active=False)
    assert sign_in("leader")[2].status_code == 401


@pytest.mark.engine
def test_another_subject_of_the_same_name_stays_out(oidc, office):
    Person.objects.filter(pk=office.leader.pk).update(outside_id="http://127.0.0.1 somebody")
    assert sign_in("leader")[2].status_code == 401


@pytest.mark.engine
def test_an_open_redirect_is_not_followed(oidc):
    assert sign_in("leader", "?next=https://evil.example/")[2].headers["Location"] == "/"


@pytest.mark.engine
def test_who_has_an_authenticator_is_asked_for_its_code(oidc, office):
    secret = second_factor.new_secret()
    second_factor.enrol(office.leader, secret, code_of(secret))
    ours, _theirs, answer = sign_in("leader")
    assert answer.headers["Location"] == "/sign-in/code/"
    assert ours.get("/account/").status_code == 302


@pytest.mark.engine
def test_an_answer_counts_once_and_only_in_the_browser_that_asked(oidc):
    ours, theirs = Client(**OURS), ProviderBrowser()
    left = ours.get("/sign-in/provider/").headers["Location"]
    parts = urlsplit(theirs.walk(left, back=BACK, name="leader"))
    address = f"{parts.path}?{parts.query}&here=1"
    assert Client(**OURS).get(address).status_code == 401  # no cookie of this journey
    other = Client(**OURS)
    other.get("/sign-in/provider/")
    assert other.get(address).status_code == 401  # a journey of its own: another state
    assert ours.get(address).status_code == 302
    again = Client(**OURS)
    again.cookies = ours.cookies
    again.cookies.pop("session")
    assert again.get(address).status_code == 401  # the code is spent and the journey over


@pytest.mark.engine
def test_a_fresh_proof_makes_the_provider_ask_again(oidc, office, make_record, time_machine):
    record = make_record()
    ours, theirs, _answer = sign_in("leader")
    asked = theirs.asked
    travel(ours, theirs, "leader")
    assert theirs.asked == asked  # an ordinary sign-in is remembered there
    session = ours.session
    session[proving.PROVED_AT] = time.time() - proving.FRESH_SECONDS - 1
    session.save()
    sent = {"person": "2", "until": "31/12/2030", "reason": "Giữ <nguyên>"}
    page = ours.post(f"/records/{record.key}/grants/", sent).content.decode()
    assert "/sign-in/provider/?prove=1" in page
    assert 'name="reason" value="Giữ &lt;nguyên&gt;"' in page
    early = ours.post(f"/records/{record.key}/grants/", sent | {"proof_password": "-"})
    assert (early.status_code, proving.is_fresh(ours.session)) == (422, False)
    assert travel(ours, theirs, "leader", "?prove=1").status_code == 200
    assert theirs.asked == asked + 1
    assert not proving.is_fresh(ours.session)  # the act itself is still to be sent
    ours.post(f"/records/{record.key}/grants/", sent | {"proof_password": "-"})
    assert proving.is_fresh(ours.session)
    assert AuditEntry.objects.filter(action="session.proved").count() == 1


@pytest.mark.engine
def test_a_proof_of_somebody_else_is_none(oidc, office):
    ours, _theirs, _answer = sign_in("leader")
    assert travel(ours, ProviderBrowser(), "clerk", "?prove=1").status_code == 422
    assert AuditEntry.objects.filter(action="session.proof_failed", actor=office.leader).count() == 1


@pytest.mark.engine
def test_guesses_at_the_way_back_are_bounded_by_address(oidc):
    ours = Client(**OURS, REMOTE_ADDR="10.0.0.1")
    statuses = []
    for _each in range(12):
        ours.get("/sign-in/provider/")
        statuses.append(ours.get("/oidc/callback/?code=x&state=y&here=1").status_code)
    assert statuses == [401] * 9 + [429] * 3


@pytest.mark.engine
def test_a_password_opens_no_account_of_the_provider(oidc):
    answer = Client(**OURS).post("/sign-in/", {"username": "leader", "password": "any"})
    assert answer.status_code == 401


def test_while_it_is_away_the_page_says_so_and_local_accounts_work(office, settings):
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID = "http://127.0.0.1:9", "vankho"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    office.admin.set_password("ba con vịt ngoài ao")
    office.admin.save()
    borne_out()
    answer = Client(**OURS).get("/sign-in/provider/")
    assert answer.status_code == 503
    assert "không trả lời" in answer.content.decode()
    assert Client().post("/sign-in/", {"username": "admin", "password": "ba con vịt ngoài ao"}).status_code == 302


def test_without_a_provider_its_addresses_do_not_exist(client, db):
    assert client.get("/sign-in/provider/").status_code == 404
    assert client.get("/oidc/callback/?code=x&here=1").status_code == 404
    assert "sign-in/provider" not in client.get("/sign-in/").content.decode()


# --- every way an answer may be wrong, without a server ---------------------------------------------------

ISSUER = "https://who.office.test"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Told:
    """A provider that answers what a test wants."""

    def __init__(self, monkeypatch, **metadata):
        self.provider = provider.Provider(provider.Client(ISSUER, "vankho", "secret"))
        self.metadata = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/auth",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            "userinfo_endpoint": f"{ISSUER}/me",
        } | metadata
        self.token, self.sent, self.asked = "", "", []
        self.about = {"sub": "s-1", "preferred_username": "leader"}
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
        self.keys = {"keys": [public | {"kid": "k-1", "alg": "RS256", "use": "sig"}]}
        monkeypatch.setattr(self.provider, "_ask", self.answer)

    def answer(self, _method, address, *, body="", **_headers):
        self.asked.append(urlsplit(address).path)
        self.provider._own(address)
        if address.endswith("/token"):
            self.sent = body
            return {"id_token": self.token, "access_token": "a"}
        return {"/keys": self.keys, "/me": self.about}.get(urlsplit(address).path, self.metadata)

    def begin(self, *, is_fresh=False):
        address, self.journey = self.provider.begin(back=BACK, is_fresh=is_fresh)
        return parse_qs(urlsplit(address).query)

    def claims(self, **changed):
        now = int(time.time())
        given = {
            "iss": ISSUER, "aud": "vankho", "sub": "s-1", "exp": now + 60, "iat": now, "nonce": self.journey.nonce,
            "preferred_username": "leader",
        } | changed  # fmt: skip
        return {name: value for name, value in given.items() if value is not None}

    def sign(self, claims, *, key=KEY, algorithm="RS256", kid="k-1"):
        self.token = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid} if kid else None)

    def identify(self, **query):
        return self.provider.identify(Returned({"code": "c", "state": self.journey.state} | query, self.journey))


@pytest.fixture
def told(monkeypatch):
    return Told(monkeypatch)


def test_a_good_answer_is_believed_and_the_question_is_bound_to_it(told):
    asked = told.begin()
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["code_challenge"] == [provider._challenge(told.journey.verifier)]
    assert "prompt" not in asked
    told.sign(told.claims())
    assert told.identify() == identity.Identity("oidc", "leader", f"{ISSUER} s-1")
    assert parse_qs(told.sent)["code_verifier"] == [told.journey.verifier]


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://other.test"},
        {"aud": "somebody"},
        {"aud": ["vankho", "other"]},
        {"aud": ["vankho", "other"], "azp": "other"},
        {"exp": 1_600_000_000},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"nonce": "another"},
        {"nonce": None},
        {"preferred_username": 7},
        {"preferred_username": ""},
        {"preferred_username": "leader\x00"},
        {"nbf": 4_000_000_000},
    ],
)
def test_a_claim_that_is_not_as_asked_names_nobody(told, changed):
    told.begin()
    told.about = {"sub": "s-1"}
    told.sign(told.claims(**changed))
    assert told.identify() is None


def test_a_signature_of_another_key_or_kind_names_nobody(told):
    told.begin()
    told.sign(told.claims(), key=OTHER_KEY)
    assert told.identify() is None
    told.sign(told.claims(), kid="k-2")
    assert told.identify() is None
    told.sign(told.claims(), key=None, algorithm="none")
    assert told.identify() is None
    public = KEY.public_key()
    from cryptography.hazmat.primitives import serialization

    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    told.sign(told.claims(), key=pem.replace(b"PUBLIC", b"SECRET") * 1, algorithm="HS256")
    assert told.identify() is None
    told.token = "no token"
    assert told.identify() is None


def test_a_new_key_of_the_provider_is_looked_for_once(told, monkeypatch):
    told.begin()
    told.sign(told.claims())
    assert told.identify()
    told.keys = {"keys": [told.keys["keys"][0] | {"kid": "k-2"}]}
    told.sign(told.claims(), kid="k-2")
    assert told.identify() is None  # asked a moment ago
    monkeypatch.setattr(provider, "KEYS_AGAIN_SECONDS", -1)
    assert told.identify()


def test_the_state_and_the_issuer_of_the_way_back_are_checked(monkeypatch):
    told = Told(monkeypatch, authorization_response_iss_parameter_supported=True)
    told.begin()
    told.sign(told.claims())
    assert told.identify() is None
    assert told.identify(iss="https://other.test") is None
    assert told.identify(iss=ISSUER, state="another") is None
    assert told.identify(iss=ISSUER)
    assert (
        told.provider.identify(Returned({"state": told.journey.state, "iss": ISSUER, "error": "x"}, told.journey))
        is None
    )


@pytest.mark.parametrize(("seconds", "is_known"), [(0, True), (-10, True), (-3600, False), (None, False)])
def test_a_fresh_proof_needs_a_time_after_the_question(told, seconds, is_known):
    asked = told.begin(is_fresh=True)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    at = None if seconds is None else int(time.time()) + seconds
    told.sign(told.claims(auth_time=at))
    assert (told.identify() is not None) is is_known


def test_a_name_that_the_token_lacks_is_asked_of_the_page_about_the_same_subject(told):
    told.begin()
    told.sign(told.claims(preferred_username=None))
    assert told.identify().name == "leader"
    told.about = {"sub": "s-2", "preferred_username": "admin"}
    assert told.identify() is None


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://other.test"},
        {"token_endpoint": "https://other.test/token"},
        {"token_endpoint": "http://who.office.test/token"},
        {"jwks_uri": "https://169.254.169.254/keys"},
        {"userinfo_endpoint": "https://other.test/me"},
    ],
)
def test_no_address_but_the_issuers_own_is_asked(monkeypatch, metadata):
    told = Told(monkeypatch)
    told.begin()
    told.sign(told.claims(preferred_username=None))
    told.metadata |= metadata
    told.provider._told.clear()
    assert told.identify() is None


def test_the_browser_is_sent_to_no_other_site(monkeypatch):
    told = Told(monkeypatch, authorization_endpoint="https://evil.test/auth")
    with pytest.raises(Away):
        told.begin()


def test_an_issuer_in_clear_beyond_loopback_is_not_asked():
    one = provider.Provider(provider.Client("http://who.office.test", "vankho", "x"))
    with pytest.raises(Away):
        one.begin(back=BACK, is_fresh=False)


def test_a_password_means_nothing_here(told):
    assert told.provider.identify(Password("leader", "x")) is None


def test_what_is_kept_shows_no_verifier_in_words():
    journey = Journey("s", "n", "the-verifier", BACK, 0.0)
    assert "the-verifier" not in repr(journey)
    assert "hidden" not in repr(provider.Client(ISSUER, "vankho", "hidden"))


# --- an answer that is no answer -----------------------------------------------------------------------------


@contextlib.contextmanager
def answering(*blocks, pause=0.0):
    """Yield the address of a server that answers every question with these bytes, block by block."""

    def serve(listener):
        with contextlib.suppress(OSError):
            while True:
                one = listener.accept()[0]
                with one:
                    one.recv(65536)
                    for block in blocks:
                        one.sendall(block)
                        time.sleep(pause)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def head(status, length):
    return f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n".encode()


@pytest.mark.parametrize("body", [b"<html>Sign in to the wireless network</html>", b"[" * 100_000, b"[]", b"7"])
def test_a_page_where_the_provider_should_be_is_told_as_away(settings, db, body):
    with answering(head("200 OK", len(body)), body) as settings.OIDC_ISSUER:
        settings.OIDC_CLIENT_ID = "vankho"
        assert Client(**OURS).get("/sign-in/provider/").status_code == 503


def test_an_answer_that_trickles_holds_nobody_for_long(monkeypatch):
    monkeypatch.setattr(provider, "ANSWER_SECONDS", 0.3)
    with answering(head("200 OK", 1000), *[b" "] * 1000, pause=0.05) as issuer:
        one, began = provider.Provider(provider.Client(issuer, "vankho", "x")), time.monotonic()
        with pytest.raises(Away):
            one.begin(back=BACK, is_fresh=False)
        assert time.monotonic() - began < 2
        assert one.is_away()


def test_a_stumble_over_one_code_does_not_shut_the_provider_for_the_others():
    with answering(head("500 Oops", 0)) as issuer:
        one = provider.Provider(provider.Client(issuer, "vankho", "x"))
        with pytest.raises(Away):
            one._ask("POST", f"{issuer}/token")
        assert not one.is_away()


@pytest.mark.parametrize(
    "changed",
    [
        {"azp": "another client"},
        {"sub": "s" * 600},
        {"sub": "s\x00"},
        {"preferred_username": "l" * 61},
    ],
)
def test_an_answer_for_another_client_or_of_a_name_that_cannot_be_kept_names_nobody(told, changed):
    told.begin()
    told.sign(told.claims(**changed))
    assert told.identify() is None


def test_neither_code_nor_state_stays_beside_a_failed_attempt(monkeypatch, settings, db):
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID = ISSUER, "vankho"
    told = Told(monkeypatch)
    monkeypatch.setattr(identity, "provider", lambda: told.provider)
    ours = Client(**OURS)
    ours.get("/sign-in/provider/")
    assert ours.get("/oidc/callback/?code=spoken-code&state=spoken-state&here=1").status_code == 401
    (kept,) = AccessAttempt.objects.values_list("get_data", "post_data")
    assert "here=1" in kept[0]
    assert "spoken" not in "".join(kept)


def test_what_a_browser_brings_writes_no_line_of_its_own_into_the_operators_log(told, caplog):
    told.begin()
    told.provider.identify(
        Returned({"state": told.journey.state, "error": "x\n2026-01-01 INFO signed in"}, told.journey)
    )
    assert "\n" not in caplog.records[-1].getMessage()
