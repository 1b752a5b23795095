"""Half a character of UTF-16 comes in by no door: not by an alphabet that spells it, by JSON, nor by a command's arguments."""

import json
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from archive import audit
from archive.models import AuditEntry, Dossier
from archive.rules import whole_text
from archive.rules.errors import Refusal
from config.tests.test_api import call, service
from config.tests.test_documentation import ROOT

__all__ = ["call", "service"]
HALF = "gh\udcff\ud83d"
SPELLED = b'--B\r\nContent-Disposition: form-data; name="reason"\r\n\r\n\\ud83d\r\n--B--\r\n'


@given(st.text(st.characters(exclude_categories=[])))
def test_a_text_is_refused_exactly_where_it_has_no_bytes(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        with pytest.raises(whole_text.HalfCharacter) as refused:
            whole_text.require("x", text)
        str(refused.value).encode()
    else:
        whole_text.require("x", text)
        assert whole_text.mended(text) == text
    whole_text.mended(text).encode()


@pytest.mark.parametrize("alphabet", ["unicode_escape", "raw_unicode_escape", "utf-7", "utf-16", "latin-1"])
def test_a_page_or_form_in_another_alphabet_is_refused_in_words_and_audited(office, signed_in, alphabet):
    browser = signed_in("clerk")
    asked = browser.get("/search/", {"q": "\\ud83d"}, headers={"Content-Type": f"text/plain; charset={alphabet}"})
    sent = browser.generic(
        "POST", "/register/", SPELLED, content_type=f"multipart/form-data; boundary=B; charset={alphabet}"
    )
    for answer in (asked, sent):
        assert answer.status_code == 409
        assert "TXT-002" in answer.content.decode()
        assert alphabet in answer.content.decode()
    denied = AuditEntry.objects.filter(outcome="denied", actor=office.clerk).order_by("ts")
    assert [one.detail.payload["code"] for one in denied] == ["TXT-002", "TXT-002"]


@pytest.mark.parametrize("alphabet", ["utf-8", "UTF8"])
def test_our_alphabet_may_be_named_and_bytes_of_a_half_become_the_sign_of_what_cannot_be_shown(
    office, signed_in, alphabet
):
    browser = signed_in("archivist")
    title = b"H\xed\xa0\xbd"
    form = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % part
        for part in ((b"code", b"7"), (b"title", title))
    )
    answer = browser.generic(
        "POST",
        "/dossiers/new/",
        form + b"--B--\r\n",
        content_type=f"multipart/form-data; boundary=B; charset={alphabet}",
    )
    assert answer.status_code == 422  # other fields are missing
    assert "H\ufffd\ufffd\ufffd" in answer.content.decode()
    assert not Dossier.objects.filter(code="7").exists()


def test_the_api_takes_no_half_by_json_nor_by_an_alphabet(office, service, call):
    answer = call("post", "/search", {"q": HALF})
    assert answer.status_code == 422
    assert "unicode" in answer.content.decode()
    answer = call("get", "/records", {"q": "\\ud83d"}, headers={"Content-Type": "text/plain; charset=unicode_escape"})
    assert (answer.status_code, json.loads(answer.content)["code"]) == (409, "TXT-002")


def test_an_argument_that_is_no_text_ends_a_command_in_words():
    told = [sys.executable, "manage.py", "log_key", "--take", "--as", "x", "--reason", b"gh\xff"]
    ran = subprocess.run(told, check=False, cwd=ROOT, capture_output=True)
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert ran.stderr.decode().startswith("TXT-001: Đoạn chữ này có nửa ký tự")
    assert "gh\\udcff" in ran.stderr.decode()


def test_a_reason_that_no_log_can_keep_is_refused_and_the_refusal_is_kept(office, settings, tmp_path):
    settings.VANKHO_HOME, settings.LOG_SECOND_PLACE = tmp_path / "home", str(tmp_path)
    with pytest.raises(CommandError, match="TXT-001"):
        call_command("log_place", "--take", "--as", "security", "--reason", HALF)
    denied = AuditEntry.objects.get(outcome="denied")
    assert (denied.action, denied.actor, denied.detail.payload["code"]) == (
        "command:log_place", office.security, "TXT-001",
    )  # fmt: skip


def test_what_is_told_of_a_refusal_is_kept_with_its_halves_mended(office):
    class Asked(Refusal):
        message = "%(what)s"

    entry = audit.refused(Asked(what=HALF), actor=office.clerk, action="search.run")
    assert entry.detail.payload["answer"] == "gh\ufffd\ufffd"
