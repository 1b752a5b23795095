"""Open sessions: listed, ended one by one or together, by their owner or the security officer; at once, and in the log."""

import json
import time
from datetime import timedelta

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive import second_factor, sessions
from archive.models import AuditEntry, OpenSession, Person, SignsInBy
from archive.rules.browsers import known_by
from archive.rules.errors import Forbidden
from archive.tests.test_second_factor import code_of
from config.tests.office import borne_out

PASSWORD = "ba con vịt ngoài ao"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def browser(office, settings):
    """Return an opener of browsers that sign in with a password: browser("leader", "10.0.0.1")."""

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # nobody waits here

    def enter(name, address="10.0.0.1"):
        person = getattr(office, name)
        if not person.has_usable_password():
            person.set_password(PASSWORD)
            person.save()
            borne_out()
        opened = Client(REMOTE_ADDR=address, headers={"User-Agent": FIREFOX})
        assert opened.post("/sign-in/", {"username": name, "password": PASSWORD}).status_code == 302
        return opened

    return enter


def is_in(browser):
    return browser.get("/account/").status_code == 200


def ended():
    return AuditEntry.objects.filter(action="session.end")


def test_the_account_lists_its_own_sessions_and_no_others(browser):
    mine, other, foreign = browser("leader"), browser("leader", "10.0.0.2"), browser("clerk", "10.0.0.9")
    rows = mine.get("/account/").context["sessions"]
    assert [(each["row"].ip, each["is_here"], each["browser"]) for each in rows] == [
        ("10.0.0.1", True, "Firefox · Linux"),
        ("10.0.0.2", False, "Firefox · Linux"),
    ]
    assert all(each["row"].since and each["row"].seen_at for each in rows)
    assert [len(each.get("/account/").context["sessions"]) for each in (other, foreign)] == [2, 1]


def test_one_session_is_ended_at_once_and_stands_in_the_log(browser, last_entry):
    mine, other, third = browser("leader"), browser("leader", "10.0.0.2"), browser("leader", "10.0.0.3")
    name = next(each["name"] for each in mine.get("/account/").context["sessions"] if each["row"].ip == "10.0.0.2")
    assert mine.post("/account/sessions/end/", {"session": name}).status_code == 302
    assert (is_in(mine), is_in(other), is_in(third)) == (True, False, True)
    assert ended().count() == 1
    assert last_entry().action == "session.end"
    assert json.loads(bytes(ended().get().body))["src"]["session"] != name
    assert ended().get().detail.payload == {"session": name, "ip": "10.0.0.2", "agent": FIREFOX}


def test_all_others_are_ended_and_mine_goes_on(browser):
    mine, others = browser("leader"), [browser("leader", f"10.0.0.{each}") for each in (2, 3)]
    foreign = browser("clerk")
    mine.post("/account/sessions/end/", {"others": "1"})
    assert [is_in(each) for each in (mine, *others, foreign)] == [True, False, False, True]
    assert ended().count() == 2


def test_nobody_ends_a_session_of_somebody_else_by_its_name(browser):
    mine, foreign = browser("leader"), browser("clerk")
    name = foreign.get("/account/").context["sessions"][0]["name"]
    mine.post("/account/sessions/end/", {"session": name})
    mine.post("/account/sessions/end/", {"session": mine.get("/account/").context["sessions"][0]["name"]})
    assert is_in(mine)
    assert is_in(foreign)
    assert AuditEntry.objects.filter(outcome="denied", action="archive:session-end").count() == 2


def test_the_officer_ends_the_sessions_of_a_person_with_a_reason(office, browser, signed_in):
    seen = [browser("leader"), browser("leader", "10.0.0.2")]
    clerk = browser("clerk")
    officer = signed_in("security")
    page = officer.get("/sessions/").content.decode()
    assert "10.0.0.2" in page
    assert officer.post("/sessions/", {"person": office.leader.pk, "reason": ""}).status_code == 422
    assert officer.post("/sessions/", {"person": office.security.pk, "reason": "x"}).status_code == 422
    assert officer.post("/sessions/", {"person": office.leader.pk, "reason": "Mất máy"}).status_code == 302
    assert [is_in(each) for each in (*seen, clerk)] == [False, False, True]
    assert set(ended().values_list("actor", flat=True)) == {office.security.pk}
    with pytest.raises(sessions.NoSession):
        sessions.end_for(office.leader, reason="x", actor=office.admin)
    with pytest.raises(Forbidden):
        sessions.end_for(office.admin, reason="x", actor=office.admin)
    with pytest.raises(Forbidden):
        sessions.end_for(office.admin, reason="x", actor=office.leader)


def test_a_new_password_ends_the_other_sessions_and_takes_them_off_the_list(office, browser):
    mine, other = browser("leader"), browser("leader", "10.0.0.2")
    new = "mưa rơi trên mái ngói"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert mine.post("/account/password/", form).status_code == 302
    assert OpenSession.objects.filter(person=office.leader).count() == 1
    assert (is_in(mine), is_in(other)) == (True, False)
    assert [each["row"].ip for each in mine.get("/account/").context["sessions"]] == ["10.0.0.1"]


def test_a_password_set_elsewhere_and_a_closed_account_end_every_session_and_row(office, browser):
    leader, clerk = browser("leader"), browser("clerk")
    office.leader.set_password("another one entirely")
    office.leader.save()
    Person.objects.filter(pk=office.clerk.pk).update(is_active=False)
    assert sessions.open_now() == []
    assert (is_in(leader), is_in(clerk)) == (False, False)


def test_a_session_past_its_limits_is_listed_no_more_and_its_row_goes_with_the_next_sign_in(
    browser, office, settings, time_machine
):
    began = time.time()
    time_machine.move_to(began, tick=False)
    browser("leader")
    time_machine.move_to(began + settings.SESSION_IDLE_SECONDS + 1, tick=False)
    assert sessions.open_now(office.leader) == []
    time_machine.move_to(began + settings.SESSION_COOKIE_AGE + 1, tick=False)
    browser("clerk")
    assert not OpenSession.objects.filter(person=office.leader).exists()


def test_a_request_under_way_does_not_bring_an_ended_session_back(browser):
    mine = browser("leader")
    under_way = mine.session
    assert under_way["since"]  # read before it is ended
    OpenSession.objects.all().delete()
    under_way["x"] = 1
    with pytest.raises(UpdateError):
        under_way.save()
    assert not OpenSession.objects.exists()


def test_last_used_is_kept_to_the_minute(browser, office, time_machine):
    began = time.time()
    time_machine.move_to(began, tick=False)
    mine = browser("leader")
    time_machine.move_to(began + 300, tick=False)
    mine.get("/account/")
    row = OpenSession.objects.get(person=office.leader)
    assert timezone.now() - row.seen_at < timedelta(minutes=1)
    assert row.seen_at - row.since == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome · Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari · iPhone"),
        ("curl/8.1", "curl/8.1"),
        ("", ""),
    ],
)
def test_a_browser_is_told_in_two_words(agent, words):
    assert known_by(agent) == words


def half_signed_in(office, name="leader"):
    """Return a browser whose password was right, and the key that makes the code it is asked for."""
    person = getattr(office, name)
    secret = second_factor.new_secret()
    second_factor.enrol(person, secret, code_of(secret))
    opened = Client()
    assert opened.post("/sign-in/", {"username": name, "password": PASSWORD}).headers["Location"] == "/sign-in/code/"
    return opened, secret


def finished(opened, secret, time_machine):
    time_machine.move_to(time.time() + 31)  # a code counts once
    opened.post("/sign-in/code/", {"code": code_of(secret)})
    return is_in(opened)


@pytest.mark.parametrize("ends", ["nobody", "officer", "owner", "driver"])
def test_a_session_that_waits_for_the_code_ends_with_the_others(office, browser, ends, time_machine):
    mine = browser("leader")
    opened, secret = half_signed_in(office)
    if ends == "officer":
        sessions.end_for(office.leader, reason="Mất máy", actor=office.security)
    elif ends == "owner":
        sessions.end_own(office.leader, names=None, but="")
    elif ends == "driver":
        Person.objects.filter(pk=office.leader.pk).update(signs_in_by=SignsInBy.LDAP)
    assert finished(opened, secret, time_machine) is (ends == "nobody")
    assert is_in(mine) is (ends == "nobody")


def test_the_only_session_of_a_person_may_be_one_that_waits_for_the_code(office, browser, time_machine):
    """Somebody knows a password and tries codes: no session is open, and the officer ends this one, with an entry."""
    browser("leader").post("/sign-out/")
    opened, secret = half_signed_in(office)
    page = browser("security").get("/sessions/").content.decode()
    assert f'<option value="{office.leader.pk}">' in page
    assert sessions.end_for(office.leader, reason="Lộ mật khẩu", actor=office.security) == 1
    assert AuditEntry.objects.filter(action="session.end", object_id=str(office.leader.pk)).count() == 1
    assert not finished(opened, secret, time_machine)
    with pytest.raises(sessions.NoSession):
        sessions.end_for(office.leader, reason="Lộ mật khẩu", actor=office.security)


@pytest.mark.parametrize("changed", [{"signs_in_by": SignsInBy.OIDC}, {"outside_id": "somebody else there"}])
def test_no_session_outlives_the_way_to_sign_in_that_opened_it(office, signed_in, changed):
    """One opened by a request that was under way while the administrator changed the way, too."""
    Person.objects.filter(pk=office.leader.pk).update(signs_in_by=SignsInBy.LDAP, outside_id="themselves")
    office.leader.refresh_from_db()
    under_way = signed_in("leader")
    assert is_in(under_way)
    Person.objects.filter(pk=office.leader.pk).update(**changed)
    assert sessions.open_now(office.leader) == []
    assert not is_in(under_way)


def test_who_reads_the_database_has_nobodys_session(browser):
    mine = browser("leader")
    (row,) = OpenSession.objects.all()
    assert row.session_key not in mine.cookies["session"].value
    assert mine.cookies["session"].value not in json.dumps([row.session_key, row.session_data])
    thief = Client()
    thief.cookies["session"] = row.session_key
    assert not is_in(thief)
    thief.cookies["session"] = mine.cookies["session"].value
    assert is_in(thief)


def test_signing_out_drops_the_row(browser):
    mine = browser("leader")
    kept = mine.cookies["session"].value
    assert mine.post("/sign-out/").status_code == 302
    assert not OpenSession.objects.exists()
    mine.cookies["session"] = kept
    assert not is_in(mine)


@pytest.mark.parametrize("by", ["officer", "owner"])
def test_no_session_outlives_the_authenticator_whose_code_it_gave(office, browser, by, time_machine):
    browser("leader").post("/sign-out/")
    opened, secret = half_signed_in(office)
    assert finished(opened, secret, time_machine)
    time_machine.move_to(time.time() + 31)
    mine = Client()
    mine.post("/sign-in/", {"username": "leader", "password": PASSWORD})
    assert finished(mine, secret, time_machine)
    if by == "officer":
        second_factor.reset(office.leader, reason="Mất điện thoại", actor=office.security)
    else:
        assert mine.post("/account/authenticator/remove/").status_code == 302
    assert (is_in(opened), is_in(mine)) == (False, by == "owner")


def test_a_page_reads_its_session_with_the_person_and_their_unit(signed_in):
    reader = signed_in("clerk")
    reader.get("/dossiers/")
    with CaptureQueriesContext(connection) as captured:
        assert reader.get("/dossiers/").status_code == 200
    asked = [one["sql"] for one in captured.captured_queries]
    assert sum('FROM "archive_opensession"' in sql and '"archive_unit"' in sql for sql in asked) == 1
    assert not [sql for sql in asked if 'FROM "archive_person"' in sql and '"archive_person"."id" =' in sql]


def test_who_asks_is_said_by_the_session_and_not_by_the_person_beside_it_in_the_row(office, browser):
    clerk = browser("clerk")
    OpenSession.objects.filter(person=office.clerk).update(person=office.leader)
    assert clerk.get("/").context["person"] == office.clerk
