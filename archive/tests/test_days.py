"""A day is typed alike in every form."""

from datetime import date
from pathlib import Path

import pytest
from django import forms

import archive
from archive.forms.days import AHEAD, day_field


@pytest.mark.parametrize("typed", ["26/11/2026", "26-11-2026", "26.11.2026", "2026-11-26"])
def test_a_day_is_read_as_an_office_types_it(typed):
    assert day_field("Day").clean(typed) == date(2026, 11, 26)


def test_a_short_year_is_read_of_days_to_come_only():
    assert day_field("Day", formats=AHEAD).clean("26/11/26") == date(2026, 11, 26)
    with pytest.raises(forms.ValidationError, match="dd/mm/yyyy"):
        day_field("Day").clean("26/11/26")


def test_no_form_writes_a_field_of_a_day_of_its_own():
    rooms = Path(archive.__file__).parent
    own = {
        place.relative_to(rooms).as_posix() for place in rooms.rglob("*.py") if "forms.DateField(" in place.read_text()
    }
    assert own <= {"forms/days.py", "tests/test_days.py"}
    assert "forms/days.py" in own
