"""Working days: weekends and holidays are skipped, days worked instead count, counting agrees with adding."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.rules import workdays
from archive.rules.workdays import Calendar

LUNAR_NEW_YEAR = {date(2026, 2, day) for day in range(16, 21)}
days = st.dates(date(2020, 1, 1), date(2035, 12, 31))
some_days = st.frozensets(days, max_size=40)


def test_a_friday_is_followed_by_monday():
    assert workdays.add(date(2026, 1, 9), 1) == date(2026, 1, 12)


def test_a_week_of_holidays_is_no_working_time():
    assert workdays.add(date(2026, 2, 13), 1, Calendar(free=LUNAR_NEW_YEAR)) == date(2026, 2, 23)


def test_no_days_from_a_sunday_is_the_next_working_day():
    assert workdays.add(date(2026, 1, 11), 0) == date(2026, 1, 12)
    assert workdays.add(date(2026, 1, 12), 0) == date(2026, 1, 12)


def test_negative_days_and_an_endless_rest_are_refused():
    with pytest.raises(ValueError, match="-1"):
        workdays.add(date(2026, 1, 9), -1)
    with pytest.raises(ValueError, match="2027"):
        workdays.add(date(2026, 1, 9), 1, Calendar(free={date(2026, 1, 1) + timedelta(days=n) for n in range(800)}))


def test_a_saturday_worked_instead_counts():
    calendar = Calendar(free={date(2026, 1, 2)}, worked={date(2026, 1, 10)})
    assert workdays.add(date(2026, 1, 9), 1, calendar) == date(2026, 1, 10)
    assert workdays.add(date(2026, 1, 1), 1, calendar) == date(2026, 1, 5)


@given(days, st.integers(1, 60), some_days, some_days)
def test_counting_agrees_with_adding(start, count, free, worked):
    calendar = Calendar(free, worked)
    end = workdays.add(start, count, calendar)

    assert workdays.is_workday(end, calendar)
    assert workdays.between(start, end, calendar) == count
    assert workdays.between(end, start, calendar) == -count
