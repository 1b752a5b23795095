import pytest
from django.urls import reverse
from django.utils import timezone

from archive import registers, routing
from archive.models import Clearance
from archive.rules.levels import Level, Urgency


def home(browser):
    return browser.get(reverse("archive:home"))


def desk_of(browser):
    return home(browser).context["desks"][0]


def figures(desk):
    return {str(figure.label): figure.value for figure in desk.figures}


def test_an_urgent_dispatch_that_nobody_was_handed_stands_on_top(office, make_record, signed_in):
    make_record(subject="Thường")
    make_record(code_number="88", code_notation="CĐ-BQP", urgency=Urgency.HOA_TOC)
    page = home(signed_in("clerk")).content.decode()
    assert "88/CĐ-BQP (Hỏa tốc) chưa trình chỉ huy." in page
    assert page.index("Trình ngay") < page.index("Việc cần làm")


def test_the_note_goes_once_somebody_has_it(office, make_record, signed_in):
    record = make_record(urgency=Urgency.KHAN)
    routing.forward(record, routing.Task(office.leader), actor=office.clerk)
    desk = desk_of(signed_in("clerk"))
    assert desk.urgent is None
    assert [step.record for step in desk.due] == [record]


def test_a_desk_counts_only_what_its_reader_may_see(office, make_draft, make_record, signed_in):
    make_draft()
    make_draft(level=Level.TOI_MAT)
    make_record(level=Level.TOI_MAT)
    office.clerk.clearances.update(until=timezone.now())
    Clearance.objects.create(person=office.clerk, level=Level.MAT, since=timezone.now(), basis="QĐ 02")
    assert list(figures(desk_of(signed_in("clerk"))).values()) == [1, 0, 0, 0]


def test_registered_today_is_counted_from_the_books_one_may_open(office, make_record):
    make_record()
    make_record(level=Level.TOI_MAT)
    today = timezone.localdate()
    assert registers.registered_per_day(office.clerk, days=3)[today] == 2
    assert registers.registered_per_day(office.archivist, days=3)[today] == 1
    assert list(registers.registered_per_day(office.clerk, days=3).values())[:2] == [0, 0]


@pytest.mark.parametrize("name", ["clerk", "leader", "staff", "archivist", "auditor", "security", "admin"])
def test_every_role_has_a_desk_with_one_primary_act(office, signed_in, name):
    answer = home(signed_in(name))
    assert answer.status_code == 200
    assert [link["primary"] for link in answer.context["links"]].count(True) == 1
    assert answer.context["links"][-1]["primary"]


@pytest.mark.parametrize(("name", "searches"), [("clerk", True), ("auditor", False), ("admin", False)])
def test_a_post_that_searches_nothing_has_no_search_box(office, signed_in, name, searches):
    assert ('role="search"' in home(signed_in(name)).content.decode()) is searches


def test_a_draft_that_was_not_read_says_so(office, make_draft, signed_in):
    make_draft()
    assert "Chưa đọc được trích yếu" in home(signed_in("clerk")).content.decode()
