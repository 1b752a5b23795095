"""The auditor's list narrowed to one dispatch: by its number and symbol, or by its key, refusals of a hidden one too."""

import pytest

from archive.rules.levels import Level


@pytest.fixture
def about(signed_in):
    """Return which (act, outcome, key) the list tells of a dispatch."""

    def ask(record):
        page = signed_in("auditor").get("/log/", {"record": record})
        return {(line["action"], line["outcome"], line["key"]) for line in page.context["rows"]}

    return ask


def test_a_dispatch_is_found_by_its_number_and_by_its_key(office, make_record, about, signed_in):
    one, other = make_record(code_number="71", code_notation="KH-BCH"), make_record(code_number="72")
    signed_in("clerk").get(f"/records/{one.key}/")
    signed_in("clerk").get(f"/records/{other.key}/")
    by_key = about(one.key)
    assert {("record.read", "ok", one.key), ("record.register", "ok", one.key)} <= by_key
    assert about(one.symbol) == about(f" {one.key} ") == by_key
    assert about("99/KH-BCH") == about("khongcokhoa") == set()


def test_who_was_refused_a_dispatch_is_found_by_its_key(office, make_record, about, signed_in):
    record = make_record(level=Level.MAT)
    assert signed_in("stranger").get(f"/records/{record.key}/").status_code == 404
    assert signed_in("stranger").get("/records/khongcokhoa/").status_code == 404
    assert ("archive:record", "denied", record.key) in about(record.key)
    assert about("khongcokhoa") == {("archive:record", "denied", "khongcokhoa")}
