"""The second proof (ASVS 6.3.3, 6.5.1, 6.5.5, 7.5.1): codes of RFC 6238, sign-in, what a session without it may do."""

import base64
import re
import time

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client

from archive import digests, posting, second_factor, staffing
from archive.models import AuditEntry, AuditRow, Clearance, Grant, LevelChange, SecondFactor
from archive.rules import totp
from archive.rules.errors import Forbidden
from archive.rules.levels import Level
from archive.views import proving
from config.tests.office import borne_out, fence_lifted, with_password

PASSWORD = "ba con vịt ngoài ao"
NEW = "mưa rơi trên mái ngói"  # no secret either


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_vectors_of_rfc_6238(seconds, code):
    secret = b"12345678901234567890"
    assert totp.code_at(secret, seconds // 30) == code
    assert totp.matching_step(secret, code, seconds=seconds, after=0) == seconds // 30
    assert totp.matching_step(secret, code, seconds=seconds, after=seconds // 30) is None
    for drift, counts in ((-31, True), (31, True), (-62, False), (62, False)):
        found = totp.matching_step(secret, code, seconds=seconds // 30 * 30 + 15 + drift, after=0)
        assert (found is not None) is counts


@pytest.fixture
def person(office):
    return with_password(office.leader, PASSWORD)


@pytest.fixture
def enrolled(person):
    secret = second_factor.new_secret()
    with time_machine.travel(time.time() - 86_400):
        codes = second_factor.enrol(person, secret, code_of(secret))
    return secret, codes


def code_of(secret):
    return totp.code_at(secret, int(time.time()) // 30)


def wrong(secret):
    """Return a code that is none of the three that count now."""
    near = {totp.code_at(secret, int(time.time()) // 30 + step) for step in range(-2, 3)}
    return next(code for code in ("000000", "111111", "222222", "333333", "444444", "555555") if code not in near)


def acts():
    return list(AuditEntry.objects.order_by("ts").values_list("action", flat=True))


def give_password(**more):
    browser = Client()
    return browser, browser.post("/sign-in/", {"username": "leader", "password": PASSWORD}, **more)


def test_asvs_6_3_3_the_code_is_asked_after_the_password_and_nobody_is_in_before(enrolled):
    secret, _codes = enrolled
    browser, answer = give_password()
    assert answer.headers["Location"] == "/sign-in/code/"
    assert "/sign-in/" in browser.get("/").headers["Location"]
    assert browser.post("/sign-in/code/", {"code": wrong(secret)}).status_code == 401
    assert "/sign-in/" in browser.get("/").headers["Location"]
    assert browser.post("/sign-in/code/", {"code": code_of(secret)}).status_code == 302
    assert browser.get("/").status_code == 200
    told = [act for act in acts() if act.startswith(("code.failed", "code.used", "session."))]
    assert told == ["code.failed", "code.used", "session.sign_in"]


def test_asvs_6_5_1_no_code_counts_twice(person, enrolled):
    secret, codes = enrolled
    code = code_of(secret)
    assert second_factor.prove(person, code)
    assert not second_factor.prove(person, code)
    assert second_factor.prove(person, codes[3].lower())
    assert not second_factor.prove(person, codes[3])
    assert len(SecondFactor.objects.get().recovery) == 9
    assert "code.recovery" in acts()


def test_neither_the_key_nor_a_recovery_code_lies_in_the_database(person, enrolled, office):
    secret, codes = enrolled
    kept = SecondFactor.objects.get()
    assert secret not in bytes(kept.sealed)
    assert second_factor.unseal(bytes(kept.sealed), person) == secret
    assert second_factor.unseal(bytes(kept.sealed), office.clerk) is None
    assert len(codes) == len(set(codes)) == 10
    assert not any(code.replace("-", "") in str(kept.recovery) for code in codes)


def test_wrong_codes_are_bounded_even_for_the_right_one(person, enrolled):
    secret, _codes = enrolled
    for _each in range(10):
        assert not second_factor.prove(person, wrong(secret))
    with pytest.raises(second_factor.TooManyTries):
        second_factor.prove(person, code_of(secret))


def test_the_half_signed_in_have_five_minutes(enrolled, time_machine):
    secret, _codes = enrolled
    began = time.time()
    time_machine.move_to(began, tick=False)
    browser, _answer = give_password()
    time_machine.move_to(began + 299, tick=False)
    assert browser.get("/sign-in/code/").status_code == 200
    time_machine.move_to(began + 301, tick=False)
    assert browser.post("/sign-in/code/", {"code": code_of(secret)}).headers["Location"] == "/sign-in/"


def test_where_it_is_required_a_clearance_counts_only_after_the_code(person, make_record, settings):
    settings.TOTP = "required"
    record = make_record(level=Level.MAT)
    browser, answer = give_password()
    assert answer.headers["Location"] == "/account/"
    for address in ("", "pages/1/image/", "pages/1/thumb/", "original/"):
        assert browser.get(f"/records/{record.key}/{address}").status_code == 404, address
    page = browser.get("/account/authenticator/").content.decode()
    key = re.search(r"key-groups[^>]*>([A-Z2-7 ]+)<", page)[1]
    secret = base64.b32decode(key.replace(" ", ""))
    assert browser.post("/account/authenticator/", {"code": wrong(secret)}).status_code == 422
    page = browser.post("/account/authenticator/", {"code": code_of(secret)}).content.decode()
    assert len(re.findall(r"<li>[A-Z2-7-]{29}</li>", page)) == 10
    assert browser.get(f"/records/{record.key}/").status_code == 200
    assert key not in browser.get("/account/").content.decode()
    assert "code.enrol" in acts()


def test_where_it_is_offered_the_password_alone_opens_what_is_cleared(person, make_record):
    record = make_record(level=Level.MAT)
    browser, _answer = give_password()
    assert browser.get(f"/records/{record.key}/").status_code == 200


def test_asvs_7_5_1_a_clearance_is_given_only_after_a_fresh_proof(office, signed_in, time_machine):
    office.security.set_password(PASSWORD)
    office.security.save()
    borne_out()
    began = time.time()
    time_machine.move_to(began, tick=False)
    browser = signed_in("security")
    held = Clearance.objects.get(person=office.leader)
    asked = {"act": "revoke", "reason": "Chuyển <công> tác"}
    time_machine.move_to(began + proving.FRESH_SECONDS + 1, tick=False)
    page = browser.post(f"/clearances/{held.pk}/", asked).content.decode()
    assert 'name="reason" value="Chuyển &lt;công&gt; tác"' in page
    assert browser.post(f"/clearances/{held.pk}/", asked | {"proof_password": "x"}).status_code == 422
    assert Clearance.objects.get(pk=held.pk).revoked_at is None
    assert browser.post(f"/clearances/{held.pk}/", asked | {"proof_password": PASSWORD}).status_code == 302
    assert Clearance.objects.get(pk=held.pk).revoked_at is not None
    assert acts().count("session.proof_failed") == acts().count("session.proved") == 1
    time_machine.move_to(began + 2 * proving.FRESH_SECONDS, tick=False)
    assert proving.is_fresh(browser.session)


def test_a_lost_authenticator_is_reset_by_another_person_only(office, enrolled, signed_in):
    with pytest.raises(Forbidden):
        second_factor.reset(office.leader, reason="x", actor=office.leader)
    second_factor.enrol(office.security, secret := second_factor.new_secret(), code_of(secret))
    with pytest.raises(Forbidden):
        second_factor.reset(office.security, reason="x", actor=office.security)
    officer = signed_in("security")
    answer = officer.post("/account/authenticator/reset/", {"person": office.leader.pk, "reason": "Mất máy"})
    assert answer.status_code == 302
    assert list(SecondFactor.objects.values_list("person", flat=True)) == [office.security.pk]
    assert (
        officer.post("/account/authenticator/reset/", {"person": office.security.pk, "reason": "x"}).status_code == 422
    )
    assert acts().count("code.reset") == 1


def test_asvs_6_2_3_a_password_is_changed_with_the_old_one_and_ends_other_sessions(person):
    browser, _answer = give_password()
    other, _answer = give_password()
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert browser.post("/account/password/", form | {"old_password": "x"}).status_code == 422
    assert browser.post("/account/password/", form).status_code == 302
    assert browser.get("/account/").status_code == 200
    assert "/sign-in/" in other.get("/account/").headers["Location"]
    person.refresh_from_db()
    assert person.check_password(NEW)
    assert person.password.startswith("argon2")
    assert acts().count("session.password") == acts().count("session.proof_failed") == 1


@pytest.mark.parametrize(
    "password", ["mười một k", "password1234", "dongchileader1", "Bộ CHQS tỉnh Vĩnh Long 1", "vankho-vankho"]
)
def test_asvs_6_2_4_and_6_2_11_a_password_that_guessers_try_first_is_refused(person, password):
    browser, _answer = give_password()
    form = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    assert browser.post("/account/password/", form).status_code == 422
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_the_account_tells_its_own_sign_ins_and_no_others(person, office):
    browser, _answer = give_password()
    Client().post("/sign-in/", {"username": "clerk", "password": "wrong"}, REMOTE_ADDR="10.0.0.7")
    Client().post("/sign-in/", {"username": "leader", "password": "wrong"}, REMOTE_ADDR="10.0.0.8")
    page = browser.get("/account/").content.decode()
    assert "10.0.0.8" in page
    assert "10.0.0.7" not in page


def test_asvs_7_5_3_a_classified_file_is_taken_out_only_after_a_fresh_proof(person, make_record, time_machine):
    record = make_record(level=Level.MAT)
    time_machine.move_to(began := time.time(), tick=False)
    browser, _answer = give_password()
    time_machine.move_to(began + proving.FRESH_SECONDS + 1, tick=False)
    asked = {"reason": "Họp giao ban"}
    answer = browser.post(f"/records/{record.key}/original/", asked)
    assert "Content-Disposition" not in answer.headers
    assert 'name="proof_password"' in answer.content.decode()
    answer = browser.post(f"/records/{record.key}/original/", asked | {"proof_password": PASSWORD})
    assert "attachment" in answer.headers["Content-Disposition"]
    answer.close()


@pytest.mark.parametrize(
    ("page", "sent"),
    [
        ("grants", {"person": "2", "until": "31/12/2030", "reason": "x"}),
        ("level", {"act": "review", "next_on": "31/12/2030", "reason": "x"}),
    ],
)
def test_asvs_7_5_3_opening_by_name_and_acts_on_a_level_ask_for_a_fresh_proof(
    office, make_record, signed_in, time_machine, page, sent
):
    record = make_record(level=Level.MAT)
    browser = signed_in("leader")
    time_machine.move_to(time.time() + proving.FRESH_SECONDS + 1)
    asked = browser.post(f"/records/{record.key}/{page}/", sent)
    assert (asked.status_code, proving.PASSWORD in asked.content.decode()) == (200, True)
    assert not Grant.objects.filter(record=record).exists()
    assert LevelChange.objects.filter(record=record, kind="review").count() == 0


def test_guesses_that_come_in_at_once_are_bounded_even_for_the_right_one(person):
    """Parallel tries: what was right while ten others were wrong is refused like them."""

    def right_after_ten_wrong_ones():
        for _each in range(10):
            assert not second_factor.bounded(person, lambda: False)
        return True

    with pytest.raises(second_factor.TooManyTries):
        second_factor.bounded(person, right_after_ten_wrong_ones)


def test_wrong_present_passwords_are_counted_with_wrong_proofs(person, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    person.set_password(PASSWORD)
    person.save()
    borne_out()
    browser, _answer = give_password()
    form = {"old_password": "x", "new_password1": NEW, "new_password2": NEW}
    assert [browser.post("/account/password/", form).status_code for _each in range(11)] == [422] * 10 + [409]
    assert browser.post("/account/password/", form | {"old_password": PASSWORD}).status_code == 409
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_another_secret_key_keeps_authenticators_and_sessions_while_the_old_one_is_named(person, enrolled, settings):
    secret, _codes = enrolled
    sealed = bytes(SecondFactor.objects.get().sealed)
    browser, _answer = give_password()
    assert browser.post("/sign-in/code/", {"code": code_of(secret)}).status_code == 302
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key of fifty letters, more or less, as it were"
    assert second_factor.unseal(sealed, person) is None
    with pytest.raises(CommandError, match="leader"):
        call_command("reseal")
    settings.SECRET_KEY_FALLBACKS = ["one between", old]
    assert second_factor.unseal(sealed, person) == secret
    assert browser.get("/account/").status_code == 200
    call_command("reseal")
    settings.SECRET_KEY_FALLBACKS = []
    assert second_factor.unseal(bytes(SecondFactor.objects.get().sealed), person) == secret
    assert acts().count("code.reseal") == 1
    call_command("reseal")
    assert acts().count("code.reseal") == 1


def faults():
    return [str(fault) for fault in digests.faults() if fault.kind == "secondfactor"]


def test_an_authenticator_edited_by_sql_is_named_and_its_recovery_codes_open_nothing(person, enrolled):
    secret, codes = enrolled
    assert second_factor.prove(person, code_of(secret))
    assert second_factor.prove(person, codes[0])
    assert faults() == []
    mine = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"
    kept = SecondFactor.objects.get().recovery
    SecondFactor.objects.update(recovery=[*kept, second_factor._digest(mine)])
    assert faults() == [f"secondfactor {person.pk}: changed past the office (recovery)"]
    with pytest.raises(second_factor.NotAsLeft):
        second_factor.prove(person, mine)
    SecondFactor.objects.update(recovery=kept, sealed=b"x" * 40)
    assert faults() == [f"secondfactor {person.pk}: changed past the office (sealed)"]


def test_an_authenticator_removed_by_sql_is_told_and_no_other_is_set_up_until_an_officer_resets_it(
    person, enrolled, office
):
    SecondFactor.objects.all().delete()
    assert faults() == [f"secondfactor {person.pk}: removed past the office"]
    secret = second_factor.new_secret()
    with pytest.raises(second_factor.NotAsLeft):
        second_factor.enrol(person, secret, code_of(secret))
    second_factor.reset(person, reason="Bị xoá ngoài hệ thống", actor=office.security)
    assert faults() == []
    second_factor.enrol(person, secret, code_of(secret))
    assert faults() == []


def test_an_authenticator_taken_off_by_an_act_is_no_fault_and_one_put_back_by_sql_is(person, enrolled):
    row = SecondFactor.objects.get()
    second_factor.remove(person)
    assert faults() == []
    row.save(force_insert=True)
    assert faults() == [f"secondfactor {person.pk}: no act made this row"]


def test_an_authenticator_removed_by_sql_lets_the_password_alone_in_nowhere_until_an_officer_resets_it(
    person, enrolled, office, signed_in
):
    browser, _answer = give_password()
    browser.post("/sign-in/code/", {"code": enrolled[1][0]})
    SecondFactor.objects.all().delete()
    _browser, answer = give_password()
    assert answer.status_code == 409
    assert AuditEntry.objects.get(action="session.sign_in", outcome="denied").detail.payload["code"] == "ACC-007"
    with pytest.raises(second_factor.NotAsLeft):
        second_factor.prove_again(person, lambda: True, "")
    assert not second_factor.prove_again(person, lambda: False, "")
    assert person in second_factor.resettable_by(office.security)
    officer, form = signed_in("security"), {"person": person.pk, "reason": "Bị xoá ngoài hệ thống"}
    assert officer.post("/account/authenticator/reset/", form).status_code == 302
    assert person not in second_factor.resettable_by(office.security)
    assert give_password()[1].status_code == 302


@pytest.mark.parametrize("is_told_by_digests", [True, False])
def test_an_authenticator_put_back_by_sql_takes_no_code_and_shuts_the_account_until_it_is_reset(
    person, enrolled, office, is_told_by_digests
):
    """Its removal is the last act in the log: of an office older than digests the entries alone tell."""
    secret, codes = enrolled
    row = SecondFactor.objects.get()
    second_factor.remove(person)
    if not is_told_by_digests:
        with fence_lifted():
            AuditRow.objects.filter(kind="secondfactor").delete()
    row.save(force_insert=True)
    assert faults() == [f"secondfactor {person.pk}: no act made this row"]
    for code in (code_of(secret), codes[0]):
        with pytest.raises(second_factor.NotAsLeft):
            second_factor.prove(person, code)
    _browser, answer = give_password()
    assert answer.status_code == 409
    assert AuditEntry.objects.get(action="session.sign_in", outcome="denied").detail.payload["code"] == "ACC-007"
    second_factor.reset(person, reason="Bị đưa lại ngoài hệ thống", actor=office.security)
    assert faults() == []
    assert give_password()[1].headers["Location"] == "/"


def test_a_key_of_before_put_into_the_authenticator_by_sql_takes_no_code(person, enrolled):
    stolen = second_factor.new_secret()
    SecondFactor.objects.update(sealed=second_factor.seal(stolen, person))
    with pytest.raises(second_factor.NotAsLeft):
        second_factor.prove(person, code_of(stolen))
    assert give_password()[1].status_code == 409


def test_an_authenticator_of_before_digests_takes_codes_while_the_log_says_that_it_was_set_up(person, enrolled):
    with fence_lifted():
        AuditRow.objects.filter(kind="secondfactor").delete()
    browser, answer = give_password()
    assert answer.headers["Location"] == "/sign-in/code/"
    assert browser.post("/sign-in/code/", {"code": code_of(enrolled[0])}).status_code == 302


def test_who_took_their_authenticator_off_or_had_it_reset_signs_in_by_the_password(person, enrolled, office):
    second_factor.remove(person)
    assert give_password()[1].headers["Location"] == "/"
    assert second_factor.prove_again(person, lambda: True, "")
    secret = second_factor.new_secret()
    second_factor.enrol(person, secret, code_of(secret))
    second_factor.reset(person, reason="Mất máy", actor=office.security)
    assert give_password()[1].headers["Location"] == "/"


def changes_password_while(browser, monkeypatch, act):
    """Change the leader's password, and let an act come in between the look at the old one and the new one's keeping."""
    looked = second_factor.bounded

    def meanwhile(*given):
        right = looked(*given)
        act()
        return right

    monkeypatch.setattr(second_factor, "bounded", meanwhile)
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    return browser.post("/account/password/", form)


def test_an_account_closed_while_its_owner_changes_the_password_stays_closed(person, office, monkeypatch):
    browser, _answer = give_password()
    monkeypatch.setattr(posting, "require_successor", lambda *_args: None)
    act = lambda: staffing.close(person, reason="Nghỉ hưu", actor=office.admin)  # noqa: E731
    assert changes_password_while(browser, monkeypatch, act).status_code == 403
    person.refresh_from_db()
    assert not person.is_active
    assert not person.check_password(NEW)


def test_a_first_password_given_while_somebody_changes_it_stands_and_their_session_ends(person, office, monkeypatch):
    browser, _answer = give_password()
    given = []
    act = lambda: given.append(staffing.first_password(person, reason="Nghi bị lộ", actor=office.admin))  # noqa: E731
    assert changes_password_while(browser, monkeypatch, act).status_code == 403
    person.refresh_from_db()
    assert person.check_password(given[0])
    assert person.has_first_password
    assert "/sign-in/" in browser.get("/account/").headers["Location"]


def test_a_name_given_while_somebody_changes_the_password_stands(person, office, monkeypatch):
    browser, _answer = give_password()
    to = staffing.Particulars("Trần Văn Khác", "Trợ lý", person.unit)
    act = lambda: staffing.change(person, to, reason="QĐ 5", actor=office.admin)  # noqa: E731
    assert changes_password_while(browser, monkeypatch, act).status_code == 302
    person.refresh_from_db()
    assert person.full_name == "Trần Văn Khác"
    assert person.check_password(NEW)


def test_a_recovery_code_put_in_by_sql_is_not_taken_over_when_authenticators_are_sealed_anew(
    person, enrolled, settings
):
    mine = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"
    SecondFactor.objects.update(recovery=[second_factor._digest(mine)])
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key of fifty letters, more or less, as it were"
    with pytest.raises(CommandError, match="leader"):
        call_command("reseal")
    assert faults() == [f"secondfactor {person.pk}: changed past the office (recovery)"]
    with pytest.raises(second_factor.NotAsLeft):
        second_factor.prove(person, mine)
