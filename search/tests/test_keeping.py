"""Kept queries: words and never hits, each at its own level, shared by role, asked under the rights of the day."""

import pytest
from django.utils import timezone

from archive.models import AuditEntry, Clearance, PersonRole
from archive.rules.errors import Forbidden, Hidden
from archive.rules.levels import Level
from archive.rules.roles import Role
from search import news, saving
from search.models import Asking, SavedSearch

SECRET_NAME = "Chiến dịch Sao Băng"


def wanted(name="Diễn tập", text="diễn tập", level=Level.THUONG, **more):
    return saving.Wanted(name, text, level, **more)


def shared(kept, level, role=Role.STAFF, *, actor, is_sure=True):
    asked = wanted(kept.name, kept.text, level, shared_with=role)
    return saving.change(kept, asked, is_sure=is_sure, actor=actor)


def page(browser, address="/search/saved/", status=200):
    answer = browser.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def entries(action):
    return AuditEntry.objects.filter(action=action, outcome="ok")


def end_clearance(person):
    Clearance.objects.filter(person=person).update(revoked_at=timezone.now())


def test_a_question_is_kept_with_its_chosen_values_and_no_hits(office, signed_in):
    form = {
        "name": "Kế hoạch",
        "secrecy": "0",
        "q": "diễn tập",
        "type": ["Kế hoạch", "Báo cáo"],
        "level": "thuong",
        "order": "number",
    }
    assert signed_in("clerk").post("/search/saved/keep/", form).status_code == 302
    kept = SavedSearch.objects.get()
    assert (kept.text, kept.order, kept.level, kept.shared_with) == ("diễn tập", "number", 0, None)
    assert kept.filters == {"type": ["Kế hoạch", "Báo cáo"], "level": ["thuong"]}
    entry = entries("search.save").get()
    assert (entry.object_type, entry.object_id, entry.level) == ("query", str(kept.pk), 0)
    assert entry.detail.payload["text"] == "diễn tập"


def test_what_is_kept_is_at_first_as_secret_as_its_owner_is_cleared(office, signed_in):
    assert 'value="2" selected' in page(signed_in("clerk"), _asked_of(office.clerk))


def _asked_of(person):
    Asking.objects.create(token="t" * 22, person=person, text="kế hoạch", order="best", asked_at=timezone.now())
    return f"/search/asked/{'t' * 22}/"


def test_a_name_is_kept_once_and_what_was_typed_stays(office, signed_in):
    saving.keep(wanted(), actor=office.clerk)
    answer = signed_in("clerk").post("/search/saved/keep/", {"name": "Diễn tập", "secrecy": "0", "q": "sao băng"})
    assert answer.status_code == 422
    assert 'value="sao băng"' in answer.content.decode()
    refusal = AuditEntry.objects.get(outcome="denied")
    assert refusal.detail.payload["code"] == "SEA-001"


def test_sharing_below_ones_own_clearance_wants_ones_word(office):
    kept = saving.keep(wanted(), actor=office.clerk)
    with pytest.raises(saving.NotConfirmed):
        shared(kept, Level.THUONG, actor=office.clerk, is_sure=False)
    assert SavedSearch.objects.get().shared_with is None
    shared(kept, Level.TOI_MAT, actor=office.clerk, is_sure=False)  # as high as the owner: nothing to confirm
    shared(kept, Level.THUONG, actor=office.clerk, is_sure=True)
    assert [entry.level for entry in entries("search.share").order_by("ts")] == [2, 0]


def test_a_shared_query_is_read_by_its_role_with_its_clearance_and_by_nobody_else(office, signed_in):
    kept = saving.keep(wanted(SECRET_NAME, "sao băng", Level.MAT), actor=office.clerk)
    shared(kept, Level.MAT, actor=office.clerk)
    told = page(signed_in("staff"))
    assert SECRET_NAME in told
    assert "level-mat" in told
    assert 'class="seal' in told
    # Same role, no clearance; another role with clearance.
    for name in ("stranger", "archivist"):
        browser = signed_in(name)
        assert SECRET_NAME not in page(browser)
        assert SECRET_NAME not in page(browser, "/search/")
        for act in ("", "run/", "new/"):
            assert SECRET_NAME not in page(browser, f"/search/saved/{kept.pk}/{act}", status=404)
        for act in ("watch/", "forget/", "unshare/"):
            assert browser.post(f"/search/saved/{kept.pk}/{act}", {"on": "1"}).status_code == 404


def test_a_hidden_query_answers_like_one_that_does_not_exist(office):
    kept = saving.keep(wanted(level=Level.MAT), actor=office.clerk)
    for pk in (kept.pk, 999_999):
        with pytest.raises(Hidden):
            saving.open_query(office.stranger, saving.Action.SEARCH_RUN, pk)


def test_the_owner_reads_no_name_above_the_clearance_of_the_day(office, signed_in):
    saving.keep(wanted(SECRET_NAME, "sao băng", Level.MAT), actor=office.clerk)
    saving.keep(wanted("Công tác đoàn", "đoàn"), actor=office.clerk)
    end_clearance(office.clerk)
    told = page(signed_in("clerk"))
    assert SECRET_NAME not in told
    assert "Công tác đoàn" in told


def test_nobody_states_a_level_above_their_own(office):
    with pytest.raises(Forbidden):
        saving.keep(wanted(level=Level.MAT), actor=office.stranger)


def test_only_the_owner_changes_a_shared_query(office, signed_in):
    kept = saving.keep(wanted(), actor=office.clerk)
    shared(kept, Level.THUONG, actor=office.clerk)
    browser = signed_in("staff")
    assert page(browser, f"/search/saved/{kept.pk}/", status=403)
    for act in ("forget/", "unshare/"):
        assert browser.post(f"/search/saved/{kept.pk}/{act}").status_code == 403
    assert SavedSearch.objects.get().shared_with == Role.STAFF


def test_an_owner_changes_words_and_sharing_on_the_page(office, signed_in):
    kept = saving.keep(wanted(filters={"type": ("Kế hoạch",)}), actor=office.clerk)
    browser = signed_in("clerk")
    form = {"name": "Tên mới", "text": "phòng thủ", "order": "best", "secrecy": "0", "shared_with": "3"}
    assert "SEA-003" not in page(browser, f"/search/saved/{kept.pk}/")
    assert browser.post(f"/search/saved/{kept.pk}/", form).status_code == 422
    assert browser.post(f"/search/saved/{kept.pk}/", form | {"is_sure": "on"}).status_code == 302
    kept.refresh_from_db()
    assert (kept.name, kept.text, kept.order, kept.shared_with) == ("Tên mới", "phòng thủ", "best", 3)
    assert kept.filters == {"type": ["Kế hoạch"]}
    assert browser.post(f"/search/saved/{kept.pk}/unshare/").status_code == 302
    assert entries("search.share").count() == 2
    assert browser.post(f"/search/saved/{kept.pk}/forget/").status_code == 302
    assert not SavedSearch.objects.exists()


def test_nothing_is_shared_with_a_post_that_does_not_search(office):
    kept = saving.keep(wanted(), actor=office.clerk)
    for role in (Role.AUDITOR, Role.ADMIN, Role.SECURITY):
        with pytest.raises(Forbidden):
            shared(kept, Level.THUONG, role, actor=office.clerk)


def test_sharing_ends_with_the_alerts_of_all_others(office):
    kept = saving.keep(wanted(), actor=office.clerk)
    shared(kept, Level.THUONG, actor=office.clerk)
    for person in (office.clerk, office.staff):
        saving.watch(kept, actor=person)
    saving.stop_sharing(kept, actor=office.clerk)
    assert list(kept.alerts.values_list("person", flat=True)) == [office.clerk.pk]


def test_who_lost_the_role_reads_no_query_shared_with_it_and_hears_of_nothing(office, make_record, indexed, signed_in):
    kept = saving.keep(wanted("Sao Băng", "huấn luyện"), actor=office.clerk)
    shared(kept, Level.THUONG, actor=office.clerk)
    saving.watch(kept, actor=office.staff)
    browser = signed_in("staff")
    assert "Sao Băng" in page(browser)
    PersonRole.objects.filter(person=office.staff).update(until=timezone.now())
    PersonRole.objects.create(person=office.staff, role=Role.LEADER, since=timezone.now())
    assert list(saving.readable(office.staff)) == []
    assert "Sao Băng" not in page(browser)
    assert browser.get(f"/search/saved/{kept.pk}/").status_code == 404
    assert browser.post(f"/search/saved/{kept.pk}/run/").status_code in {404, 405}
    make_record(subject="Huấn luyện")
    indexed()
    assert news.of(office.staff) == []
    assert "Sao Băng" not in page(browser, "/search/notices/")


@pytest.mark.parametrize("role", ["auditor", "admin", "security"])
def test_posts_that_do_not_search_keep_nothing(office, signed_in, role):
    browser = signed_in(role)
    for address in ("/search/saved/", "/search/notices/", "/search/saved/1/", "/search/saved/1/run/"):
        assert browser.get(address).status_code == 403
    assert browser.post("/search/saved/keep/", {"name": "x", "secrecy": "0", "q": "x"}).status_code == 403
    assert AuditEntry.objects.filter(outcome="denied").count() == 5


def test_two_readers_of_one_query_each_find_what_they_may_see(office, make_record, indexed, signed_in):
    make_record(subject="Diễn tập phòng thủ mở")
    make_record(subject="Diễn tập phòng thủ kín", level=Level.TOI_MAT)
    indexed()
    kept = saving.keep(wanted(), actor=office.clerk)
    shared(kept, Level.THUONG, Role.ARCHIVIST, actor=office.clerk)
    found = {}
    for name in ("clerk", "archivist"):
        answer = signed_in(name).get(f"/search/saved/{kept.pk}/run/", follow=True)
        assert "di%E1%BB%85n" not in answer.redirect_chain[-1][0]  # no word in the address
        found[name] = sorted(hit["record"].subject for hit in answer.context["hits"])
    assert found == {
        "clerk": ["Diễn tập phòng thủ kín", "Diễn tập phòng thủ mở"],
        "archivist": ["Diễn tập phòng thủ mở"],
    }


def test_a_person_keeps_only_so_many(office, monkeypatch):
    monkeypatch.setattr(saving, "MOST_KEPT", 1)
    saving.keep(wanted(), actor=office.clerk)
    with pytest.raises(saving.TooMany):
        saving.keep(wanted("Khác"), actor=office.clerk)
