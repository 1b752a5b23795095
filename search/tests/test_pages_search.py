"""The search page: words never stand in an address, everybody sees only what is theirs, parts say the same."""

import re
import unicodedata
from datetime import date, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive import standing
from archive.models import AuditEntry
from archive.rules.levels import Level
from search import finding, follow
from search.engine import EngineAway
from search.engines.embedded import Embedded
from search.models import Asking
from search.views import asking, narrowing

CLEARED = ("clerk", "leader", "staff", "archivist")
WORDS = "huan luyen"


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An index of this test alone; calling it lets it follow the log."""
    engine = Embedded(tmp_path / "index")
    monkeypatch.setattr(follow, "open_engine", lambda: engine)
    finding.engine.cache_clear()

    def catch_up():
        follower = follow.Follower(engine)
        while follower.catch_up():
            continue
        follower.close()

    yield catch_up
    engine.release()
    finding.engine.cache_clear()


@pytest.fixture
def away(monkeypatch):
    """An engine whose server does not answer."""

    class Away:
        def __getattr__(self, name):
            raise EngineAway

    monkeypatch.setattr(finding, "engine", Away)


def asked(browser, text=WORDS, **more):
    """Ask as the form does; return the answer and its address."""
    sent = browser.post("/search/", {"q": text, **more})
    assert sent.status_code == 302
    return browser.get(sent.headers["Location"]), sent.headers["Location"]


def keys(page):
    return set(re.findall(r"/search/open/(\w+)/", page.content.decode()))


@pytest.mark.parametrize(
    "text", ["a" + " " * 2000 + "b", " " * 1500 + "a b", unicodedata.normalize("NFD", "ướểự" * 240) + " b"]
)
def test_blanks_and_marks_crowd_no_word_out_unsaid(text):
    asked_for = asking.read(QueryDict(urlencode({"q": text})))
    assert asked_for.query.text.split()[-1] == "b"
    assert not asked_for.query.is_cut
    assert asking.read(QueryDict(urlencode({"q": "a" * 1500}))).query.is_cut


# --- where the words stand -------------------------------------------------------------------
@pytest.mark.parametrize("name", ["clerk", "leader", "archivist"])
def test_words_of_a_cleared_reader_stand_in_no_address_of_the_page(make_record, index, signed_in, name):
    make_record(), index()
    page, address = asked(signed_in(name))
    assert re.fullmatch(r"/search/asked/[\w-]{22}/\?order=best", address)
    places = re.findall(r'(?:href|action|src|hx-get|hx-post|formaction)="([^"]*)"', page.content.decode())
    assert keys(page)
    assert not [place for place in places if "huan" in place or "q=" in place]
    assert not [value for value in page.headers.values() if "huan" in value]


@pytest.mark.parametrize(
    ("name", "address"),
    [("archivist", r"/search/asked/[\w-]{22}/\?order=best"), ("stranger", r"/search/\?q=huan\+luyen")],
)
def test_a_page_with_script_is_answered_at_once_and_told_the_address_of_the_answer(
    make_record, index, signed_in, name, address
):
    make_record(), index()
    browser = signed_in(name)
    answer = browser.post("/search/", {"q": WORDS, "at_once": ""})
    (at,) = re.findall(r'name="at_once" value="([^"]*)"', answer.content.decode())
    assert (answer.status_code, bool(re.fullmatch(address, at))) == (200, True)
    assert [entry.action for entry in AuditEntry.objects.filter(action__startswith="search.")] == ["search.run"]
    again = browser.get(at)
    assert keys(again) == keys(answer)
    assert 'name="at_once" value=""' in again.content.decode()
    assert (name == "stranger") or not [value for value in answer.headers.values() if "huan" in value]


def test_a_question_asked_at_once_while_search_is_away_keeps_its_words_and_its_address(office, away, signed_in):
    answer = signed_in("archivist").post("/search/", {"q": WORDS, "at_once": ""})
    text = answer.content.decode()
    assert (answer.status_code, f'value="{WORDS}"' in text) == (503, True)
    assert re.search(r'name="at_once" value="/search/asked/[\w-]{22}/', text)
    (entry,) = AuditEntry.objects.filter(action="search.run")
    assert entry.outcome == "error"


def test_nothing_asked_at_once_is_the_empty_page(signed_in):
    assert signed_in("archivist").post("/search/", {"q": " ", "at_once": ""}).headers["Location"] == "/search/"


def test_words_asked_with_a_clearance_are_not_shown_without_it(office, make_record, index, signed_in):
    """The address stands in the browser's history: neither its password alone nor an ended clearance reads the words."""
    make_record(), index()
    browser = signed_in("archivist")
    _, address = asked(browser, "huan luyen saohom")
    export = f"/search/export/?asked={Asking.objects.get().token}"
    assert "saohom" in browser.get(address).content.decode()
    assert "saohom" in browser.get(export).content.decode()
    office.archivist.clearances.update(until=timezone.now())
    answer = browser.get(address)
    assert (answer.status_code, "saohom" in answer.content.decode()) == (404, False)
    assert browser.get(export).status_code == 302
    assert AuditEntry.objects.filter(action="search:asked", outcome="denied", actor=office.archivist).count() == 2
    with standing.unproved(office.clerk):
        assert asking.kept(keep_as(office.clerk).token, office.clerk, QueryDict()) is not None
    assert asking.kept(keep_as(office.clerk).token, office.clerk, QueryDict()) is not None
    above = keep_as(office.clerk)
    with standing.unproved(office.clerk):
        assert asking.kept(above.token, office.clerk, QueryDict()) is None


def keep_as(person):
    return asking.keep(asking.Asked(text="sao hom"), person)


def test_words_of_an_address_are_not_read_for_a_cleared_reader(make_record, index, signed_in):
    make_record(), index()
    answer = signed_in("archivist").get("/search/?q=huan+luyen", follow=True)
    assert answer.redirect_chain == [("/search/", 302)]
    assert not keys(answer)
    assert "note-warn" in answer.content.decode()
    assert not AuditEntry.objects.filter(action="search.run").exists()


def test_who_sees_nothing_classified_may_have_plain_addresses(office, make_record, index, signed_in):
    record = make_record()
    index()
    browser = signed_in("stranger")
    page, address = asked(browser)
    assert parse_qs(urlsplit(address).query) == {"q": [WORDS]}
    assert page.status_code == 200
    assert record.key not in page.content.decode()
    assert not Asking.objects.exists()


@pytest.mark.parametrize(
    "sent", [{"q": "mat:mat huan"}, {"q": "-(mat:mat OR khan:khan)"}, {"q": "huan", "level": "mat"}]
)
def test_a_question_about_a_level_is_kept_whoever_asks(office, index, signed_in, sent):
    browser = signed_in("stranger")
    assert browser.post("/search/", sent).headers["Location"].startswith("/search/asked/")
    assert browser.get("/search/", sent).headers["Location"] == "/search/"


def test_a_kept_question_answers_nobody_else_and_the_log_knows(make_record, index, signed_in):
    make_record(), index()
    _page, address = asked(signed_in("archivist"))
    other, missing = (signed_in("leader").get(at) for at in (address, "/search/asked/nothinghere/"))
    assert other.status_code == missing.status_code == 404
    unlike = [asking.__name__, urlsplit(address).path.split("/")[3]]
    plain = [
        re.sub(r'value="\w{64}"|"X-CSRFToken": "\w+"|/search/asked/[^"]*', "", a.content.decode())
        for a in (other, missing)
    ]
    assert plain[0] == plain[1]
    assert not any(word in plain[0] for word in (WORDS, *unlike))
    assert AuditEntry.objects.filter(outcome="denied", actor__username="leader").count() == 1


def test_a_kept_question_is_forgotten_after_a_day(make_record, index, signed_in):
    make_record(), index()
    browser = signed_in("archivist")
    _page, address = asked(browser)
    Asking.objects.update(asked_at=timezone.now() - asking.LIFE - timedelta(minutes=1))
    assert browser.get(address).status_code == 404
    asked(browser)
    assert Asking.objects.count() == 1


def test_a_hit_opens_with_its_words_by_the_id_and_only_for_its_asker(make_record, index, signed_in):
    record = make_record()
    index()
    page, _address = asked(signed_in("archivist"))
    link = re.search(rf'/search/open/{record.key}/\?asked=[^"]*', page.content.decode())[0].replace("&amp;", "&")
    mine, other = signed_in("archivist").get(link), signed_in("leader").get(link)
    assert WORDS in mine.content.decode()
    assert mine.context["pages"][0]["hits"]
    assert other.status_code == 200
    assert WORDS not in other.content.decode()
    assert not other.context["pages"][0]["hits"]


def test_words_beside_a_hit_are_not_read_for_a_cleared_reader(make_record, index, signed_in):
    record = make_record()
    page = signed_in("archivist").get(f"/search/open/{record.key}/?q=huan")
    assert not page.context["pages"][0]["hits"]


def test_the_box_of_every_page_sends_by_post_and_repeats_nothing(office, signed_in):
    page = signed_in("archivist").get("/?q=Saomai").content.decode()
    form = re.search(r'<form class="find".*?</form>', page, re.DOTALL)[0]
    assert 'method="post"' in form
    assert "csrfmiddlewaretoken" in form
    assert "Saomai" not in form


# --- who sees what ------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["auditor", "security", "admin"])
def test_who_has_no_business_here_is_refused_at_every_door(office, index, signed_in, name):
    browser = signed_in(name)
    assert browser.get("/search/").status_code == 403
    for address in ("/search/", "/search/hints/", "/search/build/"):
        assert browser.post(address, {"q": "a"}).status_code == 403
    assert browser.get("/search/asked/a/").status_code == 403


def test_a_reader_without_need_to_know_learns_nothing(office, make_record, index, signed_in):
    make_record(subject="Diễn tập Sao Mai", organ_name="Quân khu Chín", type_name="Mật lệnh")
    index()
    browser = signed_in("stranger")
    page, _address = asked(browser, "sao mai")
    assert page.context["answer"].total == 0
    assert page.context["facets"] == []
    assert not {"Quân khu Chín", "Mật lệnh"} & set(page.content.decode().split("<"))
    assert "option" not in browser.post("/search/hints/", {"q": "sao m"}).content.decode()


@pytest.mark.parametrize(("name", "seen"), [("clerk", 2), ("leader", 2), ("archivist", 1), ("staff", 0)])
def test_each_post_finds_what_it_may_see_and_is_told_so(office, make_record, index, signed_in, name, seen):
    make_record(), make_record(level=Level.TOI_MAT), index()
    page, _address = asked(signed_in(name))
    assert page.context["answer"].total == seen
    assert "trong phạm vi đồng chí được xem" in page.content.decode()


# --- narrowing ---------------------------------------------------------------------------------------
def test_every_facet_is_counted_and_a_chosen_value_can_be_taken_out(make_record, index, signed_in):
    plan, report = make_record(), make_record(type_name="Báo cáo", level=Level.MAT)
    index()
    browser = signed_in("archivist")
    page, _address = asked(browser)
    assert {facet["name"] for facet in page.context["facets"]} >= {"type", "level", "organ", "unit", "year", "register"}
    page, _address = asked(browser, type="Báo cáo")
    assert keys(page) == {report.key}
    chosen = re.search(r'name="drop" value="([^"]*)"', page.content.decode())[1]
    page, _address = asked(browser, type="Báo cáo", drop=chosen)
    assert keys(page) == {plan.key, report.key}


def test_values_beyond_the_first_twelve_stand_behind_more_but_chosen_ones_do_not(office, make_record, index, signed_in):
    for number in range(14):
        make_record(organ_name=f"Cơ quan {number:02}")
    index()
    page, _address = asked(signed_in("archivist"))
    organ = next(facet for facet in page.context["facets"] if facet["name"] == "organ")
    assert [len(part) for part in organ["parts"]] == [narrowing.SHOWN, 2]
    hidden = organ["parts"][1][0]["value"]
    page, _address = asked(signed_in("archivist"), organ=hidden)
    organ = next(facet for facet in page.context["facets"] if facet["name"] == "organ")
    assert hidden in [value["value"] for value in organ["parts"][0]]
    assert [value["value"] for value in organ["chosen"]] == [hidden]


def test_a_bar_leads_to_as_many_hits_as_it_says(make_record, index, signed_in):
    for year, month in ((2024, 1), (2024, 5), (2024, 5), (2026, 2)):
        make_record(issued_date=date(year, month, 3))
    index()
    browser = signed_in("archivist")
    page, address = asked(browser)
    bars = page.context["histogram"]["bars"]
    assert [(bar["span"], bar["count"]) for bar in bars] == [("2024-01", 1), ("2024-05", 2), ("2026-02", 1)]
    for bar in bars:
        assert browser.get(bar["url"]).context["answer"].total == bar["count"]
    page = browser.get(f"{address}&span=2024-01..2024-05")
    assert page.context["answer"].total == 3
    assert page.context["asked"].text == "huan luyen ngay:2024-01..2024-05"
    assert any(chip.without == WORDS for chip in page.context["chips"])


@pytest.mark.parametrize(
    ("text", "span", "narrowed"),
    [
        ("kế hoạch", "2019", "kế hoạch nam:2019"),
        ("kế hoạch nam:2018..2024", "2019..2020", "kế hoạch nam:2019..2020"),
        ("kế hoạch nam:2018", "2019-03", "kế hoạch ngay:2019-03"),
        ("kế hoạch 2019", "2019", "kế hoạch 2019 nam:2019"),
        ("", "2019", "nam:2019"),
        ("kế hoạch", "2019-13", "kế hoạch"),
        ("kế hoạch", "x", "kế hoạch"),
    ],
)
def test_a_span_takes_the_place_of_the_spans_that_were_there(text, span, narrowed):
    assert asking.within(text, span) == narrowed


def test_orders_and_pages_keep_the_question(office, make_record, index, signed_in):
    for _ in range(21):
        make_record()
    index()
    browser = signed_in("archivist")
    page, _address = asked(browser)
    second = browser.get(page.context["older"])
    assert second.context["answer"].total == 21
    assert len(second.context["hits"]) == 1
    assert len(keys(page) | keys(second)) == 21
    for order in page.context["orders"]:
        assert browser.get(order["url"]).context["asked"].order == order["value"]
    assert "score" not in page.content.decode()


def test_columns_are_chosen_and_kept_for_the_person(office, make_record, index, signed_in):
    make_record(signer_name="Trần Văn Hòa"), index()
    browser = signed_in("archivist")
    asked(browser, show="table", column=["signer", "symbol", "nothing"])
    page, _address = asked(browser)
    assert list(page.context["columns"]) == ["symbol", "signer"]
    assert "Trần Văn Hòa" in page.content.decode()
    assert asked(signed_in("leader"))[0].context["show"] == "list"


# --- chips, builder, words: always the same ------------------------------------------------------------
def test_words_become_lines_and_lines_become_words(office, index, signed_in):
    browser = signed_in("archivist")
    drawn = browser.post("/search/build/", {"by": "text", "q": '"diễn tập" loai:ke-hoach -khan:khan ngay:2024'})
    lines = drawn.context["lines"]
    assert [(line["field"], line["operator"]) for line in lines] == [
        ("text", "phrase"), ("type", "has"), ("urgency", "is"), ("day", "between"), ("text", "has"),
    ]  # fmt: skip
    assert (lines[3]["value"], lines[3]["until"]) == ("01/01/2024", "31/12/2024")
    form = {name: [] for name in ("field", "operator", "value", "until", "sign")}
    for line in lines:
        for name in ("field", "operator", "value", "until"):
            form[name].append(line[name])
        form["sign"].append("-" if line["is_negative"] else "")
    written = browser.post("/search/build/", {"by": "rows", **form}).context
    assert written["written"] == '"diễn tập" loai:ke-hoach -khan:khan ngay:01/01/2024..31/12/2024'
    assert len(written["chips"]) == 4
    less = browser.post("/search/build/", {"by": "rows", "less": "0", **form}).context
    assert less["written"].startswith("loai:ke-hoach")


def test_a_question_that_is_not_flat_stays_text(office, index, signed_in):
    drawn = signed_in("archivist").post("/search/build/", {"by": "text", "q": "(a OR b) c"})
    assert drawn.context["lines"] is None
    assert "stays" not in drawn.content.decode()
    assert drawn.context["chips"]


def test_the_form_of_the_builder_works_without_script(office, make_record, index, signed_in):
    record = make_record()
    index()
    form = {"field": "text", "operator": "phrase", "value": "huấn luyện", "until": "", "sign": ""}
    page, _address = asked(signed_in("archivist"), "thừa", by="rows", **form)
    assert page.context["asked"].text == '"huấn luyện"'
    assert keys(page) == {record.key}


def test_a_chip_is_taken_out_by_its_button(office, make_record, index, signed_in):
    make_record(), index()
    browser = signed_in("archivist")
    page, _address = asked(browser, "huan luyen mat:mat")
    level = next(chip for chip in page.context["chips"] if chip.kind == "level")
    page, _address = asked(browser, "huan luyen mat:mat", instead=level.without)
    assert page.context["asked"].text == WORDS


def test_a_long_question_is_cut_and_the_page_says_so(office, make_record, index, signed_in):
    page, _address = asked(signed_in("archivist"), "a" * 1500)
    assert page.context["is_cut"]
    assert "phần cuối đã bỏ" in page.content.decode()


def test_what_is_odd_in_a_form_or_an_address_is_left_out(office, make_record, index, signed_in):
    make_record(), index()
    browser = signed_in("archivist")
    odd = {"type": ["\x00", "x" * 400], "level": ["zz"], "urgency": ["-1"]}
    page, address = asked(browser, "huan\x00 luyen", order="score", page="-1", nothing="1", **odd)
    assert page.context["answer"].total == 1
    for more in ("&page=99999", "&page=x", "&span=1..2", "&order=x"):
        assert browser.get(address + more).status_code == 200


# --- suggestions, nothing, away ------------------------------------------------------------------------
def test_suggestions_come_by_post_and_from_what_the_reader_sees(make_record, index, signed_in):
    make_record(), index()
    browser = signed_in("archivist")
    assert browser.get("/search/hints/").status_code == 405
    assert 'role="option"' in browser.post("/search/hints/", {"q": "huan lu"}).content.decode()


def test_a_hit_without_a_mark_says_by_which_name_it_was_found(office, make_record, index, signed_in):
    make_record(organ_name="Cục Địa chấn", signer_name="Trần Sao Hôm")
    index()
    browser = signed_in("archivist")
    for words, label, marked in (("dia chan", "Cơ quan ban hành", "Địa chấn"), ("sao hom", "Người ký", "Sao Hôm")):
        page, _address = asked(browser, words)
        assert str(page.context["hits"][0]["name"].label) == label
        assert f"<mark>{marked}</mark>" in page.content.decode()
    page, _address = asked(browser)
    assert page.context["hits"][0]["name"] is None


def test_where_nothing_is_found_the_page_says_what_to_try(office, index, signed_in):
    page, _address = asked(signed_in("archivist"), "khongcogi", type="Kế hoạch")
    assert page.context["answer"].total == 0
    assert "huan*" in page.content.decode()
    assert 'form="words"' in page.content.decode()


def test_other_spellings_asked_for_without_script_say_that_search_is_away_and_leave_an_entry(office, away, signed_in):
    page = signed_in("archivist").post("/search/meant/", {"q": WORDS})
    assert (page.status_code, page.context["asked"].text) == (503, WORDS)
    (entry,) = AuditEntry.objects.filter(action="search.run")
    assert (entry.outcome, entry.actor_id) == ("error", office.archivist.pk)


def test_while_search_is_away_the_page_says_so_and_keeps_the_question(office, away, signed_in):
    browser = signed_in("archivist")
    sent = browser.post("/search/", {"q": WORDS, "type": "Kế hoạch"})
    page = browser.get(sent.headers["Location"])
    assert page.status_code == 503
    said = page.content.decode()
    assert "Máy chủ tìm kiếm không trả lời" in said
    (entry,) = AuditEntry.objects.filter(action="search.run")  # asking is an act, though nothing was told
    assert (entry.outcome, entry.actor_id) == ("error", office.archivist.pk)
    assert f'value="{WORDS}"' in said
    assert 'name="type" value="Kế hoạch"' in said
    assert browser.post("/search/hints/", {"q": "a"}).status_code == 200
    assert browser.get("/search/").status_code == 200
    assert browser.get("/").status_code == 200


# --- what it costs ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", CLEARED)
@pytest.mark.parametrize("show", ["list", "table"])
def test_a_page_of_hits_costs_few_queries(make_record, index, signed_in, name, show):
    for _ in range(21):
        make_record()
    index()
    browser = signed_in(name)
    columns = ["number", "register", "symbol", "type", "organ", "issued", "arrived", "signer", "unit", "pages", "marks"]
    _page, address = asked(browser, show=show, column=columns)
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(address).status_code == 200
    queries = [one["sql"] for one in captured.captured_queries if "SAVEPOINT" not in one["sql"]]
    assert len(queries) <= 12, "\n".join(queries)
