from datetime import date

import pytest
from django.urls import reverse

from archive import dossiers, retention
from archive.models import RecordClass, RetentionRule
from archive.rules.levels import Level


@pytest.fixture
def dossier(office):
    rule = RetentionRule.objects.create(
        code="1", title="Lưu", kind="years", years=10, basis="TT 10", valid_from=date(2023, 2, 15)
    )
    line = RecordClass.objects.create(year=2026, code="01", title="Huấn luyện", rule=rule)
    cover = dossiers.Cover("01.TM", "Huấn luyện năm 2026", line, rule, office.registry, date(2026, 1, 5))
    return dossiers.begin(cover, actor=office.archivist)


def page(browser, record):
    return browser.get(reverse("archive:record", args=[record.key])).content.decode()


def test_an_archivist_files_a_dispatch_from_its_own_page(office, make_record, dossier, signed_in):
    record, browser = make_record(), signed_in("archivist")
    assert reverse("archive:record-file", args=[record.key]) in page(browser, record)
    answer = browser.post(
        reverse("archive:record-file", args=[record.key]), {"dossier": dossier.pk, "back": "record"}, follow=True
    )
    assert answer.redirect_chain[-1][0] == reverse("archive:record", args=[record.key])
    assert "01.TM · Huấn luyện năm 2026" in answer.content.decode()


def test_a_clerk_gets_no_form_of_filing(office, make_record, dossier, signed_in):
    assert 'name="dossier"' not in page(signed_in("clerk"), make_record())


def test_a_dispatch_that_is_not_registered_is_not_filed(office, make_draft, dossier, signed_in):
    assert 'name="dossier"' not in page(signed_in("clerk"), make_draft())


def test_a_hold_is_told_to_those_who_read_holds(office, make_record, dossier, signed_in):
    record = make_record()
    dossiers.file(record, dossier=dossier, actor=office.archivist)
    hold = retention.place_hold(retention.Order("Thanh tra 2026", "Giữ hồ sơ"), on=[dossier], actor=office.archivist)
    assert "Thanh tra 2026" in page(signed_in("archivist"), record)
    assert "Thanh tra 2026" not in page(signed_in("clerk"), record)
    retention.lift_hold(hold, reason="Đã xong", actor=office.archivist)
    assert "Thanh tra 2026" not in page(signed_in("archivist"), record)


def test_a_dossier_one_may_not_know_of_is_not_named(office, make_record, dossier, signed_in):
    record = make_record()
    dossiers.file(record, dossier=dossier, actor=office.archivist)
    dossier.__class__.objects.filter(pk=dossier.pk).update(level=2)
    assert "01.TM" not in page(signed_in("archivist"), record)
    assert "01.TM" in page(signed_in("clerk"), record)


def test_the_seal_is_that_of_the_dossiers_named_too(office, make_record, dossier, signed_in):
    record, browser = make_record(), signed_in("archivist")
    for other, level in ((record, Level.THUONG), (make_record(level=Level.MAT), Level.MAT)):
        dossiers.file(other, dossier=dossier, actor=office.archivist)
        shown = browser.get(reverse("archive:record", args=[record.key]))
        assert ("01.TM · " in shown.content.decode(), shown.context["page_level"]) == (True, level)
