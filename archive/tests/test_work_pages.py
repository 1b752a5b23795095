from datetime import timedelta

import pytest
from django import forms
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertHTMLEqual

from archive import routing
from archive.models import AuditEntry, Clearance, Step
from archive.routing import Direction, Kind, Task, lists
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.templatetags import office as office_words


@pytest.fixture
def sent(office, make_record):
    return routing.forward(make_record(), Task(office.leader, instruction="Kính trình"), actor=office.clerk)


@pytest.fixture
def lead(office, sent):
    return routing.direct(sent, Direction("Nghiên cứu, báo cáo", office.staff_unit), actor=office.leader)[0]


def at(name, *args):
    return reverse(f"archive:{name}", args=args)


def step_at(act, step):
    return at(f"step-{act}", step.record.key, step.order)


ACTS = ("receive", "direct", "assign", "answer", "approve", "return", "rework", "end", "take-back")


# --- doors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ACTS)
def test_a_stranger_finds_no_step_and_the_log_says_so(signed_in, lead, act, last_entry):
    answer = signed_in("stranger").post(step_at(act, lead))
    assert answer.status_code == 404
    assert (last_entry().outcome, last_entry().record_id) == ("denied", lead.record_id)


@pytest.mark.parametrize("act", ACTS)
def test_nobody_acts_without_signing_in_or_by_a_link(client, signed_in, lead, act):
    assert client.post(step_at(act, lead)).status_code == 302
    assert signed_in("leader").get(step_at(act, lead)).status_code == 405


@pytest.mark.parametrize("name", ["thread", "thread-card", "record-forward"])
def test_a_thread_is_hidden_like_its_record(signed_in, lead, name):
    missing = signed_in("stranger").get(at(name, "zzzzzzzzzzzz"))
    hidden = signed_in("stranger").get(at(name, lead.record.key))
    assert (missing.status_code, hidden.status_code) == (404, 404)


@pytest.mark.parametrize("who", ["auditor", "security", "admin", "archivist"])
def test_who_has_no_work_has_no_work_list(signed_in, who):
    assert signed_in(who).get(at("work")).status_code == 403


def test_a_line_that_is_not_there_is_not_found(signed_in, lead):
    assert signed_in("leader").post(at("step-end", lead.record.key, 99)).status_code == 404


# --- the leader -------------------------------------------------------------------------------------


def test_the_leader_reads_one_dispatch_at_a_time_and_it_is_logged(signed_in, sent, last_entry):
    page = signed_in("leader").get(at("work"))
    assert sent.record.symbol in page.text
    assert "1 / 1" in page.text
    assert (last_entry().action, last_entry().record_id) == (Action.RECORD_READ, sent.record_id)


def test_directing_opens_the_steps_and_goes_on_to_the_next(office, signed_in, sent, make_record):
    following = routing.forward(make_record(), Task(office.leader), actor=office.clerk)
    form = {
        "instruction": "Triển khai ngay",
        "lead": office.staff_unit.code,
        "inform": [office.other_unit.code],
        "due_on": f"{timezone.localdate():%d/%m/%Y}",
        "next": following.record.key,
    }
    answer = signed_in("leader").post(step_at("direct", sent), form)
    assert answer.headers["Location"] == f"{at('work')}?at={following.record.key}"
    kinds = Step.objects.filter(parent=sent).values_list("kind", "to_unit__code", "due_on")
    assert list(kinds) == [("lead", "PTM", timezone.localdate()), ("inform", "PCT", None)]


def test_a_unit_that_was_not_offered_is_not_taken(office, signed_in, sent):
    answer = signed_in("leader").post(step_at("direct", sent), {"instruction": "x", "lead": office.registry.code})
    assert answer.status_code == 422
    assert not Step.objects.filter(parent=sent).exists()


def test_an_empty_direction_is_explained_on_the_form_and_logged_as_refused(signed_in, sent, last_entry):
    answer = signed_in("leader").post(step_at("direct", sent), {})
    assert answer.status_code == 422
    assert "note-bad" in answer.text
    assert (last_entry().outcome, last_entry().action) == ("denied", "archive:step-direct")


def test_a_day_that_has_passed_is_refused_and_what_was_typed_stays(office, signed_in, sent):
    form = {"instruction": "Giữ lại câu này", "lead": office.staff_unit.code, "due_on": "01/02/2020"}
    answer = signed_in("leader").post(step_at("direct", sent), form)
    assert answer.status_code == 422
    assert "Giữ lại câu này" in answer.text
    assert "01/02/2020" in answer.text


def test_who_comes_second_is_told_and_keeps_what_was_typed(office, signed_in, sent):
    routing.direct(sent, Direction("Lưu"), actor=office.leader)
    answer = signed_in("leader").post(step_at("direct", sent), {"instruction": "Giao <b>phòng khác</b> làm"})
    assert answer.status_code == 409
    assert "Đồng chí leader" in answer.text
    assert answer.context["typed"] == ["Giao <b>phòng khác</b> làm"]
    assert "Giao &lt;b&gt;phòng khác&lt;/b&gt; làm</textarea>" in answer.text
    assert answer.context["page_level"] == sent.record.level
    sent.refresh_from_db()
    assert sent.note == "Lưu"


def test_a_leader_with_nothing_to_direct_is_led_to_what_waits(office, signed_in, lead):
    routing.answer(lead, "Xong", actor=office.staff)
    assert at("work-unit") in signed_in("leader").get(at("work")).text


def test_a_direction_taken_back_is_shown_again_as_it_was_written(office, signed_in, lead):
    leader = signed_in("leader")
    offered = step_at("take-back", lead.parent)
    assert offered in leader.get(at("work")).text
    page = leader.post(offered, follow=True).text
    assert "Nghiên cứu, báo cáo</textarea>" in page
    assert 'value="PTM" id="id_lead_0" checked' in page
    assert signed_in("staff").get(at("thread", lead.record.key)).status_code == 404


# --- staff ------------------------------------------------------------------------------------------


def test_staff_see_their_work_and_nothing_above_their_clearance(office, signed_in, lead, make_record):
    secret = routing.forward(
        make_record(level=Level.MAT, subject="Kế hoạch mật"), Task(office.leader), actor=office.clerk
    )
    routing.direct(secret, Direction("Làm", office.staff_unit), actor=office.leader)
    assert "Kế hoạch mật" in signed_in("staff").get(at("work")).text
    Clearance.objects.filter(person=office.staff).update(revoked_at=timezone.now())
    page = signed_in("staff").get(at("work")).text
    assert "Kế hoạch mật" not in page
    assert lead.record.subject in page


def test_the_seal_shows_the_highest_level_that_is_really_on_the_list(office, signed_in, lead, make_record):
    assert "seal-foot" not in signed_in("staff").get(at("work")).text
    routing.forward(make_record(level=Level.MAT), Task(office.staff_unit, Kind.LEAD), actor=office.clerk)
    assert "seal-foot" in signed_in("staff").get(at("work")).text


def test_an_answer_goes_to_the_leader_and_the_approval_ends_it(office, signed_in, lead):
    staff, leader = signed_in("staff"), signed_in("leader")
    assert staff.post(step_at("answer", lead), {"text": "Đã lập kế hoạch"}).status_code == 302
    thread = leader.get(at("thread", lead.record.key)).text
    assert "Đã lập kế hoạch" in thread
    assert step_at("approve", lead) in thread
    assert leader.post(step_at("approve", lead), {"note": "Đồng ý"}).status_code == 302
    assert staff.get(at("thread", lead.record.key)).status_code == 404
    told = leader.get(at("thread", lead.record.key)).text
    for words in ("Nghiên cứu, báo cáo", "Đã lập kế hoạch", "Đồng ý"):
        assert words in told


def test_an_answer_without_words_is_asked_for_again(signed_in, lead):
    answer = signed_in("staff").post(step_at("answer", lead), {"text": " "})
    assert answer.status_code == 422
    assert f'id="id_answer_{lead.order}_text_error"' in answer.text


def test_reading_a_list_is_one_entry_and_reading_its_thread_another(signed_in, lead):
    before = AuditEntry.objects.count()
    signed_in("staff").get(at("work"), {"at": lead.record.key})
    new = list(AuditEntry.objects.order_by("ts").values_list("action", flat=True))[before:]
    assert new == [Action.WORK_READ, Action.RECORD_READ]


def test_after_signing_for_information_one_is_led_back_to_the_list(office, signed_in, make_record):
    step = routing.forward(make_record(), Task(office.staff_unit, Kind.INFORM), actor=office.clerk)
    answer = signed_in("staff").post(step_at("receive", step))
    assert answer.headers["Location"] == at("work")


def test_assigning_offers_only_people_of_the_unit(office, signed_in, lead):
    from archive.tests.test_routing import add_staff

    add_staff(office, "officer", office.staff_unit)
    add_staff(office, "outsider", office.other_unit)
    page = signed_in("staff").get(at("thread", lead.record.key)).text
    assert 'value="p:officer"' in page
    assert 'value="p:outsider"' not in page
    sent = signed_in("staff").post(step_at("assign", lead), {"to": "p:outsider"})
    assert sent.status_code == 422
    assert signed_in("staff").post(step_at("assign", lead), {"to": "p:officer"}).status_code == 302


# --- the desk ---------------------------------------------------------------------------------------


def test_the_desk_submits_what_was_registered_and_sees_what_came_back(office, signed_in, make_record):
    record, clerk = make_record(), signed_in("clerk")
    assert at("record-forward", record.key) in clerk.get(at("work")).text
    form = {"kind": "direct", "to": "p:leader", "instruction": "Kính trình", "from": "desk"}
    assert clerk.post(at("record-forward", record.key), form).headers["Location"] == at("work")
    assert at("record-forward", record.key) not in clerk.get(at("work")).text
    signed_in("leader").post(step_at("return", record.steps.get()), {"reason": "Chưa đúng thẩm quyền"})
    assert "Chưa đúng thẩm quyền" in clerk.get(at("work")).text


def test_a_receiver_whose_clearance_does_not_cover_it_is_not_offered(office, signed_in, make_record):
    page = signed_in("clerk").get(at("record-forward", make_record(level=Level.TOI_MAT).key)).text
    assert 'value="p:leader"' in page
    assert 'value="p:staff"' not in page


def test_a_kind_of_step_that_does_not_fit_the_receiver_is_refused_in_words(office, signed_in, make_record):
    record = make_record()
    answer = signed_in("clerk").post(at("record-forward", record.key), {"kind": "direct", "to": "p:staff"})
    assert answer.status_code == 422
    assert "Đồng chí staff" in answer.text
    assert not record.steps.exists()


def test_the_form_alone_is_answered_to_a_part_of_a_page(signed_in, make_record):
    part = signed_in("clerk").get(at("record-forward", make_record().key), headers={"hx-request": "true"}).text
    assert "<html" not in part
    assert 'name="to"' in part


# --- following up -----------------------------------------------------------------------------------


def test_follow_up_filters_by_late_and_by_what_waits(office, signed_in, lead):
    from datetime import timedelta

    Step.objects.filter(pk=lead.pk).update(due_on=timezone.localdate() - timedelta(days=3))
    leader = signed_in("leader")
    assert lead.record.subject in leader.get(at("work-unit"), {"only": "late"}).text
    assert lead.record.subject not in leader.get(at("work-unit"), {"only": "waiting"}).text
    routing.answer(lead, "Xong", actor=office.staff)
    assert lead.record.subject in leader.get(at("work-unit"), {"only": "waiting"}).text


@pytest.mark.parametrize("cap", [lists.CAP, 0])
def test_the_figure_of_what_waits_counts_the_rows_behind_it(monkeypatch, office, lead, signed_in, cap):
    monkeypatch.setattr(lists, "CAP", cap)
    routing.answer(lead, "Xong", actor=office.staff)
    Step.objects.filter(pk=lead.pk).update(from_person=office.staff)  # who gave it and answered it follows it too
    for person, behind in ((office.leader, [lead]), (office.staff, [])):
        [figures] = lists.figures(person, lists.of_unit)
        assert (figures.total, figures.waiting) == (1, len(behind))
        assert list(lists.waiting(person, lists.of_unit(person))) == behind
        [some] = lists.figures(person, lists.of_unit, parts=("late", "soon"))
        assert (some.total, some.waiting) == (1, 0)


def test_the_card_of_a_thread_is_a_part_and_leads_to_the_whole(signed_in, lead):
    part = signed_in("leader").get(at("thread-card", lead.record.key)).text
    assert "<html" not in part
    assert at("thread", lead.record.key) in part


def test_words_from_people_are_shown_as_text(office, signed_in, lead):
    routing.answer(lead, "<script>alert(1)</script>\nDòng hai", actor=office.staff)
    page = signed_in("leader").get(at("thread", lead.record.key)).text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_the_rail_counts_no_further_than_it_tells_and_late_work_still_shows(monkeypatch, office, lead):
    monkeypatch.setattr(lists, "CAP", 0)
    tomorrow, yesterday = (timezone.localdate() + timedelta(days=days) for days in (1, -1))
    lead.due_on = tomorrow
    lead.save()
    assert lists.glances(office.staff, ["mine"]) == {"mine": lists.Glance(1, 0)}
    lead.due_on = yesterday
    lead.save()
    assert lists.glances(office.staff, ["mine"]) == {"mine": lists.Glance(1, 1)}


@pytest.mark.parametrize("widget", [forms.RadioSelect(), forms.CheckboxSelectMultiple()])
def test_the_box_of_a_choice_is_the_one_that_django_draws(widget):
    offered = [("a", "A"), ('"><b>', "B"), ("", "C")]
    field = forms.ChoiceField(choices=offered, widget=widget)
    choices = list(type("Pick", (forms.Form,), {"units": field})(initial={"units": ['"><b>']})["units"])
    for choice in choices:
        assertHTMLEqual(office_words.box(choice), choice.tag())
    assert ["checked" in office_words.box(choice) for choice in choices] == [False, True, False]
