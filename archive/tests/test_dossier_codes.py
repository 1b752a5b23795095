"""The number of a dossier: taken among what a person may know of, silent about the rest."""

from datetime import date

import pytest
from django.db import transaction
from django.urls import reverse

from archive import dossiers
from archive.models import Dossier, RecordClass, RetentionRule
from archive.rules.levels import Level


@pytest.fixture
def line(office):
    """A line of the file plan."""
    rule = RetentionRule.objects.create(code="1", title="Lâu", kind="permanent", basis="x", valid_from="2020-01-01")
    return RecordClass.objects.create(code="01", title="x", rule=rule, year=2026)


@pytest.fixture
def hidden(office, line):
    """A dossier that the archivist opened and that rose above them."""
    made = opened(office, line, "77.AN")
    with transaction.atomic():
        dossiers.raise_to(made, Level.TOI_MAT, office.clerk)
    return made


def opened(office, line, code):
    cover = dossiers.Cover(code, "Kế hoạch A", line, line.rule, office.registry, date(2026, 1, 5))
    return dossiers.begin(cover, actor=office.archivist)


def posted(office, line, browser, code):
    form = {
        "code": code, "title": "Kế hoạch B", "record_class": line.pk, "rule": line.rule.pk, "unit": office.registry.pk,
        "opened_on": "05/01/2026",
    }  # fmt: skip
    return browser.post("/dossiers/new/", form)


def test_a_hidden_number_is_answered_like_a_free_one(office, line, hidden, signed_in):
    browser = signed_in("archivist")
    assert browser.get(reverse("archive:dossier", args=[hidden.key])).status_code == 404
    answers = []
    for code in ("77.AN", "78.AN"):
        sent = posted(office, line, browser, code)
        key = sent.headers["Location"].strip("/").split("/")[-1]
        page = browser.get(sent.headers["Location"]).content.decode()
        assert page.count("Kế hoạch A") == 0
        answers.append((sent.status_code, "Hai hồ sơ" in page, Dossier.objects.get(key=key).code))
    assert answers == [(302, False, "77.AN"), (302, False, "78.AN")]


def test_a_number_that_one_may_know_of_is_taken(office, line, hidden, signed_in):
    browser = signed_in("archivist")
    for expected in (302, 422, 422):
        assert posted(office, line, browser, "77.AN").status_code == expected
    assert Dossier.objects.filter(code="77.AN").count() == 2


def test_whoever_may_see_both_is_told(office, line, hidden, signed_in):
    posted(office, line, signed_in("archivist"), "77.AN")
    twin = Dossier.objects.exclude(pk=hidden.pk).get(code="77.AN")
    for one, other in ((hidden, twin), (twin, hidden)):
        page = signed_in("clerk").get(reverse("archive:dossier", args=[one.key]))
        assert page.context["doubles"] == [other]
        assert "Hai hồ sơ cùng mang số này" in page.content.decode()
