"""Above Thường: only under a declaration that the log knows, on a machine without a way out, with servers inside."""

import io
import json
import socket
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from archive import logkey
from archive.models import AuditEntry
from archive.rules.levels import Level
from archive.rules.roles import Action
from config import checks, declaring, endpoints, lan, roles, starting
from config.management.commands import declare_independent_lan, serve

HEAD4 = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
NEAR4 = HEAD4 + "eth0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n"
ZERO6 = "0" * 32
BARE = {
    "PROFILE": declaring.PROFILE,
    "SITE_MAX_LEVEL": Level.TOI_MAT,
    "DATABASES": {"default": {"ENGINE": "config.turns"}},
    "DATABASE_OWNER": None,
    "VAULT_URL": "",
    "ELASTICSEARCH_URL": "",
    "STORE_DRIVER": "local",
    "S3_ACCESS_KEY": "",
    "S3_SECRET_KEY": "",
    **dict.fromkeys(("LDAP_URL", "LDAP_BIND_DN", "LDAP_BIND_PASSWORD"), ""),
    **dict.fromkeys(("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"), ""),
}
NEAR6 = (
    f"fe80{'0' * 28} 40 {ZERO6} 00 {ZERO6} 00000100 00000001 00000000 00000001     eth0\n"
    f"{ZERO6} 00 {ZERO6} 00 {ZERO6} ffffffff 00000001 00000000 00200200       lo\n"
    f"ff00{'0' * 28} 08 {ZERO6} 00 {ZERO6} 00000100 00000001 00000000 00000001     eth0\n"
)


def way4(destination="00000000", mask="00000000", flags="0003"):
    return f"eth1\t{destination}\t0100A8C0\t{flags}\t0\t0\t100\t{mask}\t0\t0\t0\n"


def way6(destination=ZERO6, bits="00", flags="00000003"):
    return f"{destination} {bits} {ZERO6} 00 fe80{'0' * 27}1 00000400 00000001 00000000 {flags}     eth1\n"


@pytest.fixture
def routes(monkeypatch, tmp_path):
    """Write what the kernel is to say: routes(four, six); six None: it speaks no IPv6."""
    four, six = tmp_path / "route", tmp_path / "ipv6_route"
    monkeypatch.setattr(lan, "ROUTES4", four)
    monkeypatch.setattr(lan, "ROUTES6", six)

    def put(text4=NEAR4, text6=NEAR6):
        four.write_text(text4)
        six.unlink(missing_ok=True)
        if text6 is not None:
            six.write_text(text6)

    put()
    return put


@pytest.fixture
def site(office, routes, settings, tmp_path, monkeypatch):
    settings.VANKHO_HOME = tmp_path / "home"
    settings.PROFILE = declaring.PROFILE
    settings.SITE_MAX_LEVEL = Level.TOI_MAT
    settings.TOTP = "required"
    settings.DECLARATION = tmp_path / "lan.json"
    monkeypatch.setattr(endpoints, "settings", SimpleNamespace(**BARE))
    return settings


def day(ahead):
    return (timezone.localdate() + timedelta(days=ahead)).isoformat()


def facts(settings, **other):
    good = {"head": "Nguyễn Văn Đứng", "decision": "12/QĐ-BCH", "decided_on": day(-1), "statement": "Mạng LAN độc lập."}
    return declaring.Declaration(**{"office": settings.OFFICE_NAME, "until": day(365), **good, **other})


@pytest.fixture
def declared(site, office):
    declaring.declare(facts(site), path=site.DECLARATION, actor=office.security)
    return site


def refused():
    with pytest.raises(CommandError) as refusal:
        starting.require()
    return str(refusal.value)


def test_a_declared_site_without_a_way_out_may_start_above_thuong(declared):
    starting.require()
    assert lan.network() == lan.declaration() == []
    assert "vankho.E003" not in [fault.id for fault in checks.production()]


def test_the_declaration_is_an_entry_with_its_facts_and_digest_under_a_signed_head(site, office):
    digest = declaring.declare(facts(site), path=site.DECLARATION, actor=office.security)
    entry = AuditEntry.objects.get(action=Action.DECLARE, outcome="ok")
    assert entry.actor == office.security
    assert entry.detail.payload["sha256"] == digest
    assert entry.detail.payload["decision"] == "12/QĐ-BCH"
    assert Action.DECLARE in declaring.audit.SYNCHRONOUS


def test_no_declaration_no_start(site):
    assert refused().startswith("LAN-001")
    assert [fault.id for fault in lan.declaration()] == ["vankho.E055"]


@pytest.mark.parametrize("field", ["office", "head", "decision", "decided_on", "statement", "until"])
def test_a_changed_declaration_no_start(declared, field):
    held = json.loads(declared.DECLARATION.read_text())
    held["declaration"][field] = day(9999)
    declared.DECLARATION.write_text(json.dumps(held))
    assert refused().startswith("LAN-002")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"declaration": {}}', "\x00\xff"])
def test_no_declaration_at_all_in_the_file_no_start(declared, text):
    declared.DECLARATION.write_text(text)
    assert refused().startswith("LAN-002")


def test_the_declaration_of_another_key_no_start_and_no_key_is_made_by_looking(declared):
    key = declared.VANKHO_HOME / "keys" / "log.key"
    key.unlink()
    assert refused().startswith("LAN-002")
    assert not key.exists()
    logkey.signer()
    assert refused().startswith("LAN-002")


def test_an_expired_declaration_no_start_but_backups_go_on(declared, monkeypatch):
    later = timezone.localdate() + timedelta(days=366)
    monkeypatch.setattr(declaring.timezone, "localdate", lambda: later)
    assert refused().startswith("LAN-003")
    assert [(fault.id, fault.is_serious()) for fault in lan.declaration()] == [("vankho.W055", False)]


def test_the_last_day_is_still_valid(declared, monkeypatch):
    last = timezone.localdate() + timedelta(days=365)
    monkeypatch.setattr(declaring.timezone, "localdate", lambda: last)
    starting.require()


def test_a_declaration_that_the_log_does_not_name_no_start(declared, office):
    older = declared.DECLARATION.read_bytes()
    declaring.declare(facts(declared, until=day(20)), path=declared.DECLARATION, actor=office.security)
    starting.require()
    declared.DECLARATION.write_bytes(older)
    assert refused().startswith("LAN-004")


def test_a_signed_file_without_an_entry_no_start(site, office, monkeypatch):
    monkeypatch.setattr(declaring.audit, "write", lambda *_given, **_more: None)
    declaring.declare(facts(site), path=site.DECLARATION, actor=office.security)
    assert refused().startswith("LAN-004")


def test_a_log_that_cannot_be_asked_no_start(declared, monkeypatch):
    def away(_digest):
        raise OperationalError("away")

    monkeypatch.setattr(declaring, "_is_newest", away)
    assert refused().startswith("LAN-004")


def test_the_declaration_of_another_office_no_start(declared):
    declared.OFFICE_NAME = "Cơ quan khác"
    assert refused().startswith("LAN-005")


@pytest.mark.parametrize(
    ("four", "six"),
    [
        (NEAR4 + way4(), NEAR6),
        (NEAR4 + way4(mask="00000080"), NEAR6),
        (NEAR4 + way4("00000080", "00000080"), NEAR6),
        (NEAR4, NEAR6 + way6()),
        (NEAR4, NEAR6 + way6(f"2{'0' * 31}", "03")),
    ],
)
def test_a_default_route_no_start(declared, routes, four, six):
    routes(four, six)
    said = refused()
    assert "vankho.E053" in said
    assert "eth1" in said
    assert "gateway" in said


@pytest.mark.parametrize(
    ("four", "six"),
    [
        (NEAR4, None),
        (HEAD4, ""),
        (NEAR4 + way4(flags="0200"), NEAR6),
        (NEAR4 + way4(flags="0002"), NEAR6),
        (NEAR4 + way4("000000E0", "000000F0", "0001"), NEAR6),
        (NEAR4, NEAR6 + way6(flags="00200201")),
        (NEAR4, NEAR6 + way6(f"fc{'0' * 30}", "07")),
    ],
)
def test_routes_that_lead_nowhere_or_inside_are_no_way_out(declared, routes, four, six):
    routes(four, six)
    starting.require()


@pytest.mark.parametrize("text", [None, "Iface\nbroken\n", HEAD4 + "eth0\tx\ty\tz\t0\t0\t0\tq\n"])
def test_routes_that_cannot_be_read_no_start(declared, routes, text):
    if text is None:
        lan.ROUTES4.unlink()
    else:
        routes(text)
    assert "vankho.E054" in refused()


def base(address, **options):
    engine = "django.db.backends.postgresql"
    return {"default": {"ENGINE": engine, "HOST": address, "USER": "app", "PASSWORD": "x" * 20, "OPTIONS": options}}


@pytest.mark.parametrize(
    ("setting", "given"),
    [
        ("VANKHO_DATABASE_URL", {"DATABASES": base("out.example")}),
        ("VANKHO_DATABASE_URL", {"DATABASES": base("127.0.0.1", hostaddr="8.8.4.4")}),
        ("VANKHO_DATABASE_URL", {"DATABASES": base("127.0.0.1", host="8.8.4.4")}),
        ("VANKHO_DATABASE_OWNER_URL", {"DATABASE_OWNER": base("8.8.4.4")["default"]}),
        ("VANKHO_VAULT_URL", {"VAULT_URL": "postgresql://a:b@out.example/vault?sslmode=verify-full"}),
        ("VANKHO_VAULT_URL", {"VAULT_URL": "postgresql://a:b@127.0.0.1/vault?hostaddr=8.8.4.4"}),
        ("VANKHO_ELASTICSEARCH_URL", {"ELASTICSEARCH_URL": "https://a:b@out.example"}),
        ("VANKHO_ELASTICSEARCH_URL", {"ELASTICSEARCH_URL": "https://a:b@unknown.example"}),
        ("VANKHO_S3_URL", {"STORE_DRIVER": "s3", "S3_URL": "https://out.example"}),
        ("VANKHO_LDAP_URL", {"LDAP_URL": "ldaps://out.example"}),
        ("VANKHO_OIDC_ISSUER", {"OIDC_ISSUER": "https://out.example/realms/office"}),
    ],
)
@pytest.mark.parametrize("ceiling", [Level.THUONG, Level.TOI_MAT])
def test_a_public_server_no_start(declared, monkeypatch, setting, given, ceiling):
    known = {"out.example": ["10.0.0.4", "8.8.4.4"]}

    def resolve(host, *_given, **_more):
        if host not in known:
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in known[host]]

    monkeypatch.setattr(endpoints.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(endpoints, "settings", SimpleNamespace(**BARE | {"SITE_MAX_LEVEL": ceiling} | given))
    assert f"vankho.E052: {setting} " in refused()


@pytest.mark.parametrize("way", ["work", "serve", "gunicorn"])
def test_no_way_to_start_passes_by(site, monkeypatch, gunicorn, way):
    monkeypatch.setattr(roles, "bring_up_to_date", lambda: None)
    monkeypatch.setattr(serve, "fork", lambda _run: pytest.fail("it began"))
    monkeypatch.setattr("config.worker.Machine.start", lambda _self: pytest.fail("it began"))
    monkeypatch.setattr(gunicorn, "settings", SimpleNamespace(PROFILE=declaring.PROFILE))
    ways = {
        "work": lambda: call_command("work", skip_checks=True),
        "serve": lambda: call_command("serve", skip_checks=True),
        "gunicorn": lambda: gunicorn.on_starting(SimpleNamespace(cfg=SimpleNamespace(address=[]))),
    }
    with pytest.raises((CommandError, SystemExit), match="LAN-001"):
        ways[way]()


def test_other_profiles_need_none_of_it(site, routes):
    routes(NEAR4 + way4())
    for profile in ("evaluation", "production"):
        site.PROFILE = profile
        assert lan.network() == lan.declaration() == []


@pytest.mark.parametrize(
    "wrong", [{"head": " "}, {"decision": ""}, {"decided_on": day(1)}, {"until": day(-1)}, {"until": "mai"}]
)
def test_facts_that_cannot_be_are_not_declared(site, office, wrong):
    with pytest.raises(declaring.Unfit):
        declaring.declare(facts(site, **wrong), path=site.DECLARATION, actor=office.security)
    assert not site.DECLARATION.exists()
    assert not AuditEntry.objects.filter(action=Action.DECLARE, outcome="ok").exists()


def test_the_command_asks_what_was_not_given(site, office, monkeypatch, capsys):
    answers = {"decision": "12/QĐ-BCH", "until": day(30), "statement": ""}
    asked = {f"{declare_independent_lan.QUESTIONS[name]}: ": answer for name, answer in answers.items()}
    monkeypatch.setattr("builtins.input", asked.pop)
    monkeypatch.setattr(roles, "bring_up_to_date", lambda: None)
    given = {"head": "Nguyễn Văn Đứng", "decided_on": day(0), "officer": office.security.username}
    call_command("declare_independent_lan", str(site.DECLARATION), **given)
    assert asked == {}
    assert "SHA-256" in capsys.readouterr().out
    starting.require()


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_what_is_typed_and_is_no_text_is_refused_in_words_and_audited(site, office, monkeypatch, errors):
    typed = io.TextIOWrapper(io.BytesIO(b"Nguy\xff\n"), encoding="utf-8", errors=errors)
    monkeypatch.setattr("sys.stdin", typed)
    monkeypatch.setattr(roles, "bring_up_to_date", lambda: None)
    given = {"decision": "1", "decided_on": day(0), "until": day(1), "statement": "x"}
    with pytest.raises(CommandError, match=r"TXT-001.*Nguy"):
        call_command("declare_independent_lan", str(site.DECLARATION), officer=office.security.username, **given)
    assert not site.DECLARATION.exists()
    assert AuditEntry.objects.get(outcome="denied").detail.payload["code"] == "TXT-001"


def test_only_the_security_officer_declares(site, office, monkeypatch):
    monkeypatch.setattr(roles, "bring_up_to_date", lambda: None)
    given = {"head": "A", "decision": "1", "decided_on": day(0), "until": day(1), "statement": "x"}
    with pytest.raises(CommandError, match="ACC-002"):
        call_command("declare_independent_lan", str(site.DECLARATION), officer=office.admin.username, **given)
    with pytest.raises(CommandError, match="nobody"):
        call_command("declare_independent_lan", str(site.DECLARATION), officer="nobody", **given)
    assert not site.DECLARATION.exists()
