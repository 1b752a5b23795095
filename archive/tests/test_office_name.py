"""What an office is called stands where it was founded: on pages and forms, unless a setting says otherwise."""

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.test import Client

from archive import office as names
from archive import units
from archive.printing import forms
from archive.sign_in import NoNameAtHand

pytestmark = pytest.mark.django_db
NAME = "UBND XÃ CÁI NHUM"


@pytest.fixture
def founded(settings):
    """An office of its own in production, no name among its settings."""
    settings.PROFILE, settings.OFFICE_NAME, settings.OFFICE_PARENT = "production", "", ""
    names.forget()
    root = units.enter(units.Called("CQ", "UBND xã Cái Nhum"), under=None)
    units.enter(units.Called("VT", "Văn thư"), under=root)
    yield root
    names.forget()


def test_the_founded_name_stands_on_pages_and_forms(founded):
    assert names.called() == ("", NAME)
    assert forms._about(None) == {"made": None, "parent": "", "office": NAME}
    page = Client().get("/sign-in/", secure=True).content.decode()
    assert NAME in page
    assert "VĨNH LONG" not in page
    assert "QUÂN KHU" not in page


def test_a_setting_wins_over_it(founded, settings):
    settings.OFFICE_PARENT, settings.OFFICE_NAME = "HUYỆN VŨNG LIÊM", "ỦY BAN NHÂN DÂN XÃ"
    assert names.called().line == "HUYỆN VŨNG LIÊM - ỦY BAN NHÂN DÂN XÃ"
    settings.OFFICE_NAME = ""
    assert names.called() == ("HUYỆN VŨNG LIÊM", NAME)


def test_a_password_made_of_the_founded_name_is_refused(founded):
    with pytest.raises(ValidationError):
        NoNameAtHand().validate("ubndxacainhum1")


def test_before_it_is_founded_no_office_has_the_name_of_the_sample(settings):
    settings.PROFILE, settings.OFFICE_NAME, settings.OFFICE_PARENT = "production", "", ""
    names.forget()
    assert names.called() == ("", "")


def test_the_invented_office_is_called_as_the_sample_is_and_one_founded_in_an_evaluation_is_not(settings):
    settings.PROFILE, settings.OFFICE_NAME, settings.OFFICE_PARENT = "evaluation", "", ""
    names.forget()
    assert names.called() == names.SAMPLE
    root = units.enter(units.Called("CQ", "UBND xã Cái Nhum"), under=None)
    assert names.called() == ("", NAME)
    names.forget()
    type(root).objects.filter(pk=root.pk).update(name="Bộ CHQS tỉnh Vĩnh Long")
    assert names.called() == names.SAMPLE
    names.forget()


def test_a_page_is_drawn_while_the_database_is_away(settings, monkeypatch):
    settings.OFFICE_NAME = ""
    names.forget()

    def away():
        raise OperationalError("away")

    monkeypatch.setattr(names, "_root", away)
    assert names.shown().name == ""
