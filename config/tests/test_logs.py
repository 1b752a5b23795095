"""The operators' log tells what happened and never what a record says."""

import io
import json
import logging

import pytest
from django.test import Client

from archive.rules.levels import Level
from archive.views import states
from config import logs

MARK = "Saomaixanh"  # stands in subjects, pages, names and queries, and must stand in no line


@pytest.fixture(params=[logs.Line, logs.Json])
def lines(request):
    """Collect what any logger says, in one of the two forms, from DEBUG on for our own."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(request.param())
    root, ours = logging.getLogger(), logging.getLogger("vankho")
    level = ours.level
    root.addHandler(handler)
    ours.setLevel("DEBUG")
    yield written.getvalue
    ours.setLevel(level)
    root.removeHandler(handler)


def test_no_page_puts_anything_of_a_record_into_the_log(office, make_record, signed_in, lines):
    record = make_record(level=Level.MAT, subject=f"Diễn tập {MARK}", pages=(f"Bí danh {MARK}",))
    for name in ("clerk", "staff", "archivist", "stranger"):
        browser = signed_in(name)
        for address in (
            f"/records/{record.key}/",
            f"/records/{record.key}/pages/1/",
            f"/records/nothing-{MARK}/",
            f"/search/?q={MARK}",
            f"/nowhere/{MARK}/",
            "/",
        ):
            browser.get(address)
        browser.post(
            "/search/", {"q": MARK}, follow=True
        )  # the answer, at the address that stands in place of the words
        for typing in ("/search/hints/", "/search/build/", "/search/meant/"):
            browser.post(typing, {"q": MARK})
    Client().post("/sign-in/", {"username": MARK, "password": MARK})
    said = lines()
    assert "archive:record" in said
    assert MARK not in said
    assert record.key not in said


def test_a_request_is_told_with_its_view_status_time_and_person(office, make_record, signed_in, lines):
    signed_in("clerk").get(f"/records/{make_record().key}/")
    last = lines().strip().splitlines()[-1]
    if last.startswith("{"):
        told = json.loads(last)
        assert (told["method"], told["view"], told["status"]) == ("GET", "archive:record", 200)
        assert told["person"] == office.clerk.pk
        assert told["milliseconds"] >= 0
        assert len(told["request"]) == 16
        assert told["time"].endswith("+00:00")
    else:
        assert "view=archive:record status=200 milliseconds=" in last
        assert f"person={office.clerk.pk}" in last
        assert "request=" in last


def test_a_line_bears_the_request_id_of_the_log_entry(office, make_record, signed_in, lines, last_entry):
    signed_in("clerk").get(f"/records/{make_record().key}/")
    request = json.loads(bytes(last_entry().body))
    assert any(part in lines() for part in _texts(request))


def _texts(value):
    """Yield every text of 16 hexadecimal digits of an entry: one of them is the request's id."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, str) and len(value) == 16 and set(value) <= set("0123456789abcdef"):
        yield value


def test_a_fault_is_told_by_class_and_place_and_not_by_its_text(lines):
    def look_up():
        return {}[MARK]

    def act():
        try:
            return look_up()
        except KeyError as error:
            raise ValueError(f"failing row contains ({MARK})") from error

    try:
        act()
    except ValueError:
        logging.getLogger("vankho.worker").exception("goes on")
    said = lines()
    assert MARK not in said
    assert "ValueError at" in said
    assert "KeyError at" in said
    assert "test_logs.py" in said
    assert "look_up" in said


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (FileNotFoundError(2, "No such file or directory", f"/inbox/{MARK}.pdf"), "No such file or directory"),
        (PermissionError(f"cannot open {MARK}"), "PermissionError"),
        (UnicodeDecodeError("utf-8", MARK.encode(), 0, 1, "bad"), "UnicodeDecodeError"),
    ],
)
def test_the_name_of_a_file_is_never_told(lines, fault, told):
    try:
        raise fault
    except type(fault):
        logging.getLogger("vankho.folder").exception("waits")
    assert told in lines()
    assert MARK not in lines()


def test_a_library_speaks_without_its_values(lines):
    logging.getLogger("elastic_transport").warning("%s %s [%s]", "GET", f"/x/_search?q={MARK}", 500)
    logging.getLogger("gunicorn.error").error("Error handling request %s", f"/records/{MARK}/")
    assert "elastic_transport %s %s [%s]" in lines() or '"%s %s [%s]"' in lines()
    assert MARK not in lines()


def test_the_page_of_a_fault_is_told_by_its_view(rf, lines):
    states.failed(rf.get(f"/records/{MARK}/"))
    assert "fault" in lines()
    assert MARK not in lines()


def test_no_logger_of_django_or_gunicorn_keeps_a_handler_of_its_own():
    made = logs.configuration(form="json", level="INFO")
    names = {name for name, one in made["loggers"].items() if one.get("handlers")}
    assert names == set()
    assert made["loggers"]["gunicorn.access"] == {"level": "CRITICAL", "propagate": False}
    assert made["root"]["handlers"] == ["console"]


@pytest.mark.parametrize(("profile", "expected"), [("evaluation", "line"), ("production", "json")])
def test_an_evaluation_speaks_in_lines_and_production_in_json(profile, expected, tmp_path):
    import os
    import subprocess
    import sys

    asked = "import django; django.setup(); from django.conf import settings as s; print(s.LOGGING['handlers']['console']['formatter'])"
    env = os.environ | {
        "VANKHO_PROFILE": profile,
        "VANKHO_HOME": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "VANKHO_SECRET_KEY": "x" * 50,
    }
    told = subprocess.run([sys.executable, "-c", asked], env=env, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == expected


def test_what_somebody_sent_makes_no_line_of_its_own():
    record = logging.LogRecord(
        "vankho.sign_in", logging.WARNING, "", 0, "no code: %s", ("x\n2026 INFO signed in\x1b[2J",), None
    )
    assert "no code: x\\n2026 INFO signed in\\x1b[2J" in logs.Line().format(record)
    assert "\n" not in logs.Line().format(record)
