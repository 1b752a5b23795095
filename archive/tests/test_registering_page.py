import pytest

from archive.models import AuditEntry, Record
from archive.rules.levels import Level
from archive.rules.proposal import Guess

READ = {
    "code_number": Guess("15", 95, 1, (1000, 1000, 1400, 1200)),
    "code_notation": Guess("GM-VP", 96, 1, (1500, 1000, 2000, 1200)),
    "issued_date": Guess("2026-10-09", 97, 1),
    "organ_name": Guess("Văn phòng", 97, 1),
    "type_name": Guess("Giấy mời", 99, 1),
    "subject": Guess("Họp giao ban tháng 10", 95, 1),
}


def line(**changes):
    posted = {
        "type_name": "Giấy mời",
        "symbol": "15/GM-VP",
        "issued_date": "09/10/2026",
        "organ_name": "Văn phòng",
        "subject": "Họp giao ban tháng 10",
        "level": "thuong",
        "urgency": "0",
        "arrival_date": "10/10/2026",
        "signer_authority": "",
        "direction": "incoming",
    }
    return posted | changes


@pytest.fixture
def address(make_draft):
    def of(**wanted):
        return f"/register/{make_draft(**({'proposal': READ} | wanted)).key}/"

    return of


def test_the_clerk_sees_the_proposals_beside_the_page(signed_in, address):
    page = signed_in("clerk").get(address()).content.decode()
    assert 'value="15/GM-VP"' in page
    assert 'value="09/10/2026"' in page
    assert "data-box=" in page


def test_a_draft_is_registered_from_the_screen(signed_in, address, office):
    url = address()
    answer = signed_in("clerk").post(url, line())
    assert answer.status_code == 302
    record = Record.objects.get()
    assert (record.symbol, record.number.number, record.state) == ("15/GM-VP", 1, "registered")
    assert record.field_origin["subject"] == "machine"


def test_a_doubtful_reading_is_never_saved_silently(signed_in, address):
    doubtful = READ | {"code_number": Guess("15", 60, 1, (1, 1, 2, 2), ("16",))}
    url = address(proposal=doubtful)
    browser = signed_in("clerk")
    assert browser.post(url, line()).status_code == 422
    assert Record.objects.get().state == "draft"
    assert browser.post(url, line(confirmed=["symbol"])).status_code == 302


def test_a_corrected_reading_needs_no_second_confirmation(signed_in, address):
    doubtful = READ | {"code_number": Guess("15", 60, 1, (1, 1, 2, 2))}
    assert signed_in("clerk").post(address(proposal=doubtful), line(symbol="16/GM-VP")).status_code == 302
    assert Record.objects.get().code_number == "16"


def test_what_was_typed_is_kept_when_a_field_is_missing(signed_in, address):
    answer = signed_in("clerk").post(address(), line(subject="", organ_name="Sở Nội vụ"))
    assert answer.status_code == 422
    assert "Sở Nội vụ" in answer.content.decode()


def test_a_duplicate_is_registered_only_after_the_clerk_compared(signed_in, address):
    browser = signed_in("clerk")
    browser.post(address(), line())
    second = address()
    answer = browser.post(second, line())
    assert answer.status_code == 422
    assert 'name="despite_duplicate"' in answer.content.decode()
    assert browser.post(second, line(despite_duplicate="on")).status_code == 302


def test_a_level_above_the_clerk_is_not_on_offer(signed_in, address, office):
    page = signed_in("clerk").get(address()).content.decode()
    assert "tuyet-mat" not in page


@pytest.mark.parametrize("field", ["level", "urgency", "direction", "number", "issued_date"])
@pytest.mark.parametrize("word", ["x", "", "' OR 1=1 --", "99", "thuong.(,"])
def test_a_word_that_no_field_of_choices_has_is_refused_on_the_page(signed_in, address, field, word):
    """A level that is none, where the reading proposed another, ended the page in an error of the program."""
    answer = signed_in("clerk").post(address(), line(**{field: word}))
    assert answer.status_code in {302, 422}
    if field == "level":
        assert (answer.status_code, Record.objects.get().state) == (422, "draft")


@pytest.mark.parametrize("name", ["leader", "staff", "archivist", "auditor", "admin", "security", "stranger"])
def test_nobody_else_learns_that_a_draft_exists(signed_in, address, name):
    hidden = signed_in(name).get(address(level=Level.THUONG))
    missing = signed_in(name).get("/register/nothinghere/")
    assert hidden.status_code == missing.status_code == 404
    assert AuditEntry.objects.filter(outcome="denied").count() == 2


def test_returning_needs_a_reason_and_keeps_the_draft(signed_in, make_draft):
    draft = make_draft()
    browser = signed_in("clerk")
    browser.post(f"/register/{draft.key}/return/", {"reason": ""})
    assert Record.objects.get().state == "draft"
    browser.post(f"/register/{draft.key}/return/", {"reason": "Gửi nhầm nơi"})
    assert Record.objects.get().return_reason == "Gửi nhầm nơi"


def test_a_number_is_voided_with_its_reason(signed_in, make_record):
    record = make_record()
    signed_in("clerk").post(f"/records/{record.key}/void/", {"reason": "Ghi nhầm sổ"})
    record.refresh_from_db()
    assert (record.state, record.number.void_reason) == ("void", "Ghi nhầm sổ")


def test_second_readings_stand_as_their_field_takes_them_and_are_read_in_words(signed_in, address):
    unsure = {
        "secrecy": Guess("mat", 50, 1, None, ("toi-mat", "mat", "tuyet-mat")),
        "urgency": Guess("khan", 50, 1, None, ("hoa-toc",)),
        "issued_date": Guess("2026-10-09", 60, 1, None, ("2026-10-08",)),
    }
    page = signed_in("clerk").get(address(proposal=READ | unsure, level=Level.MAT))
    others = {row["field"].name: row["others"] for row in page.context["rows"] if row["others"]}
    assert others == {
        "level": [("toi-mat", "Tối mật")],  # not the one that stands there, not one this clerk cannot choose
        "urgency": [("3", "Hỏa tốc")],
        "issued_date": [("08/10/2026", "08/10/2026")],
    }
    assert '<b data-reading>Tối mật</b> <button class="btn btn-sm" type="button" data-take="toi-mat">' in page.text


def test_the_number_promised_is_that_of_the_register_to_which_the_chosen_level_leads(signed_in, address, office):
    url, browser = address(plausible=Level.MAT), signed_in("clerk")
    secret = browser.get(url)
    assert secret.context["register"]["name"].startswith("Sổ đăng ký bí mật nhà nước đến")
    page = browser.post(url, line(subject="", level="thuong"))
    assert page.status_code == 422
    assert page.context["register"] == page.context["registers"]["incoming thuong"]
    assert page.context["register"]["name"].startswith(office.incoming.name)
    assert "Cấp số 1, làm tiếp" in page.text


def test_who_registers_second_is_told_and_keeps_what_was_typed(signed_in, address, office, last_entry):
    url, browser = address(), signed_in("clerk")
    assert browser.post(url, line()).status_code == 302
    again = browser.post(url, line())
    assert (again.status_code, again["Location"].rpartition("/records/")[1]) == (302, "/records/")  # pressed twice
    Record.objects.update(registered_by=office.leader)
    second = browser.post(url, line(description="Đã gọi điện cho nơi gửi"))
    assert second.status_code == 409
    assert "REG-001" in second.text
    assert "Đã gọi điện cho nơi gửi" in second.context["typed"]
    assert (last_entry().outcome, last_entry().action) == ("denied", "archive:register-draft")
    assert Record.objects.get().description == ""
