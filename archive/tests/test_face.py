"""The face: what every page promises, whatever it shows.

No database stands behind these tests: pages are rendered from a plain context, as
an error page must be. Journeys in a real browser are marked `browser`.
"""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.template import Context, Template
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory
from django.urls import include, path
from django.utils import translation
from django.utils.html import escape

from archive.rules.levels import Level, Urgency
from archive.rules.proposal import Guess
from archive.templatetags import office
from archive.views import states

ROOT = Path(settings.BASE_DIR)
urlpatterns = [  # an office with a search, whatever the search is made of
    path("", include("archive.urls")),
    path("find/", include(([path("", lambda _request: None, name="search")], "search"))),
    path("language/", lambda _request: None, name="set_language"),
]
STATIC = ROOT / "archive" / "static" / "archive"
TEMPLATES = sorted(
    file for app in ("archive", "ingest", "search", "config") for file in (ROOT / app).glob("templates/**/*.html")
)
CSS = (STATIC / "office.css").read_text(encoding="utf-8")


def draw(source: str, **context: object) -> str:
    return Template("{% load office %}" + source).render(Context(context))


def page(name: str, **context: object) -> str:
    """Render a page without the context processors, which ask the database who is there."""
    request = RequestFactory().get("/somewhere/")
    return get_template(name).template.render(Context({"request": request, "csrf_token": "t", **context}))  # type: ignore[attr-defined]


SHELL = {
    "rail": [
        {"label": "", "items": [{"url": "/", "icon": "home", "label": "Desk", "active": True}]},
        {
            "label": "Find",
            "items": [{"url": "/s", "icon": "search", "label": "Search", "count": 1902, "attention": True}],
        },
    ],
    "office": {"parent": "QUÂN KHU 9", "name": "BỘ CHQS TỈNH VĨNH LONG"},
    "site": {"profile": "evaluation", "ceiling": Level.TOI_MAT},
    "person": "Lê Thị Mai Hương",
    "person_roles": ["Văn thư"],
    "person_clearance": Level.TOI_MAT,
}


class TestMarks:
    @pytest.mark.parametrize("level", Level)
    def test_a_level_is_always_a_word_not_a_colour(self, level):
        shown = draw("{% level value %}", value=level)
        assert f"level-{level.slug}" in shown
        assert str(level.label) in shown

    @pytest.mark.parametrize("value", [Level.MAT, 1, "mat"])
    def test_a_level_may_be_given_as_rank_or_slug(self, value):
        assert "level-mat" in draw("{% level value %}", value=value)

    def test_a_routine_dispatch_has_no_mark_of_urgency(self):
        assert draw("{% urgency value %}", value=Urgency.THUONG) == ""

    def test_a_flash_dispatch_carries_a_flame_and_its_word(self):
        shown = draw("{% urgency value %}", value=3)
        assert "urgent-hoa-toc" in shown
        assert "<svg" in shown
        assert str(Urgency.HOA_TOC.label) in shown

    def test_level_stands_before_urgency(self):
        shown = draw("{% marks 1 1 %}")
        assert shown.index("level-mat") < shown.index("urgent-khan")

    def test_a_state_is_a_shape_and_a_word(self):
        shown = draw("{% state 'late' words %}", words="1 < 2")
        assert "<svg" in shown
        assert "state-late" in shown
        assert "1 &lt; 2" in shown

    @pytest.mark.parametrize(
        ("score", "kind"), [(97, "state-done"), (90, "state-done"), (71, "state-soon"), (None, "state")]
    )
    def test_confidence_says_the_word_first(self, score, kind):
        shown = draw("{% confidence score %}", score=score)
        assert f'class="{"state " if kind != "state" else ""}{kind}"' in shown


class TestIcons:
    def test_an_unknown_icon_is_refused_under_test(self):
        with pytest.raises(office.UnknownIcon):
            office.icon("no-such-icon")

    def test_a_running_office_draws_a_circle_instead(self, monkeypatch, caplog):
        monkeypatch.delenv("PYTEST_VERSION")
        assert "<svg" in office.icon("no-such-icon")
        assert "no-such-icon" in caplog.text

    @pytest.mark.parametrize("name", ["../LICENSE", "Inbox", "a b", ""])
    def test_a_name_cannot_lead_out_of_the_folder(self, name):
        with pytest.raises(office.UnknownIcon):
            office.icon(name)

    def test_an_icon_is_hidden_from_screen_readers(self):
        assert 'aria-hidden="true"' in office.icon("inbox")
        assert "M0 0h24v24H0z" not in office.icon("inbox")

    def test_every_icon_named_in_a_template_is_vendored(self):
        named = {
            (name, file.name)
            for file in TEMPLATES
            for name in re.findall(r'{% icon "([^"]+)"', file.read_text(encoding="utf-8"))
        }
        assert [pair for pair in named if not (office.ICONS / f"{pair[0]}.svg").is_file()] == []


class TestDatesAndNumbers:
    def test_a_day_is_written_as_the_office_writes_it(self):
        assert office.vndate(date(2026, 11, 3)) == "03/11/2026"
        assert office.vndate("2026-11-18") == "18/11/2026"

    def test_an_hour_is_local(self):
        moment = datetime(2026, 11, 23, 0, 42, tzinfo=UTC)
        assert office.vndatetime(moment) == "23/11/2026 07:42"
        assert office.vntime(moment) == "07:42"

    @pytest.mark.parametrize("nothing", [None, "", "soon"])
    def test_what_is_no_day_shows_nothing(self, nothing):
        assert office.vndate(nothing) == ""
        assert office.when(nothing) == ""

    def test_a_moment_is_readable_by_machines_too(self):
        assert (
            draw("{% when day %}", day=date(2026, 12, 10))
            == '<time class="num" datetime="2026-12-10">10/12/2026</time>'
        )

    def test_numbers_are_grouped_in_the_readers_language(self):
        with translation.override("vi"):
            assert office.number(1902) == "1\u00a0902"
            assert office.percent(91.4) == "91,4\u00a0%"
        with translation.override("en"):
            assert office.number(1902) == "1,902"
            assert office.percent(91.4) == "91.4\u00a0%"

    @pytest.mark.parametrize(
        ("size", "shown"), [(0, "0\u00a0B"), (1023, "1\u00a0023\u00a0B"), (2048, "2\u00a0kB"), (1258291, "1,2\u00a0MB")]
    )
    def test_a_size_is_in_the_unit_a_person_would_say(self, size, shown):
        with translation.override("vi"):
            assert office.human_size(size) == shown

    def test_a_pager_says_the_total_only_when_it_is_given(self):
        with translation.override("vi"):
            assert office.rows_shown(1, 25, 63) == "1 đến 25 trong 63"
            assert office.rows_shown(1, 25) == "1 đến 25"
            pager = Template("{% load office %}{% rows_shown 1 25 total %}")
            assert pager.render(Context()) == "1 đến 25"


class TestTextFromOutside:
    def test_a_turned_file_name_shows_its_true_order(self):
        shown = office.plain("bao-cao\u202efdp.exe")
        assert '<span class="unseen">RLO</span>' in shown
        assert "\u202e" not in shown

    def test_a_control_sign_gets_its_number(self):
        assert "U+0007" in office.plain("a\u0007b")

    def test_markup_is_never_markup(self):
        assert office.plain("<b>\u200b") == '&lt;b&gt;<span class="unseen">ZWSP</span>'
        assert office.plain("<b>") == "&lt;b&gt;"

    def test_vietnamese_marks_are_left_alone(self):
        for text in ("Quyết định số 77/QĐ-BCH", "Quyê\u0301t đi\u0323nh", "hai\ndòng"):
            assert office.plain(text) == text

    @pytest.mark.parametrize(("name", "letters"), [("Lê Thị Mai Hương", "MH"), ("Thành", "T"), ("", "?")])
    def test_a_person_is_known_by_middle_and_given_name(self, name, letters):
        assert office.person_initials(name) == letters

    def test_json_in_an_attribute_is_escaped(self):
        shown = draw('<i data-a="{{ value|as_json }}">', value=[{"field": '"><script>'}])
        assert "<script>" not in shown


class TestShell:
    def test_the_skip_link_is_the_first_thing_in_the_body(self):
        body = page("archive/base.html", **SHELL).partition("<body")[2]
        first = re.search(r"<(a|button|input)\b[^>]*>", body)
        assert first is not None
        assert 'class="skip"' in first.group()

    def test_a_count_that_needs_an_act_is_brass(self):
        assert re.search(r'count-hot">999\+<', page("archive/base.html", **SHELL))

    @pytest.mark.urls("archive.tests.test_face")
    def test_the_words_of_a_search_are_posted(self):
        assert re.search(
            r'<form class="find" role="search" action="[^"]+" method="post"', page("archive/base.html", **SHELL)
        )

    def test_signing_out_is_a_post(self):
        shown = page("archive/base.html", **SHELL)
        assert re.search(
            r'<form method="post" action="[^"]*sign-out[^"]*"><input type="hidden" name="csrfmiddlewaretoken"', shown
        )

    @pytest.mark.parametrize(
        ("level", "seals"), [(None, 0), (Level.THUONG, 0), (Level.MAT, 1), (Level.TOI_MAT, 1), (2, 1)]
    )
    def test_a_page_above_unclassified_is_sealed(self, level, seals):
        shown = page("archive/base.html", **SHELL, page_level=level)
        assert len(re.findall(r'<div class="seal\b(?!-foot)', shown)) == seals
        assert shown.count('class="seal-foot"') == seals

    def test_an_evaluation_says_so_on_every_page(self):
        assert 'class="trial' in page("archive/base.html", **SHELL)
        production = {**SHELL, "site": {"profile": "production", "ceiling": Level.THUONG}}
        assert 'class="trial' not in page("archive/base.html", **production)

    def test_a_message_of_failure_stays_until_it_is_closed(self):
        class Message:
            tags = "error"

            def __str__(self):
                return "<Không được>"

        shown = page("archive/base.html", **SHELL, messages=[Message()])
        assert 'role="alert" data-toast="stay"' in shown
        assert "&lt;Không được&gt;" in shown

    def test_htmx_keeps_no_copy_of_a_page_in_the_browser(self):
        shown = page("archive/base.html", **SHELL)
        assert '"historyCacheSize":0' in shown
        assert '"includeIndicatorStyles":false' in shown

    def test_the_phone_has_four_items_at_most(self):
        many = [{"label": "", "items": [{"url": f"/{n}", "icon": "home", "label": str(n)} for n in range(9)]}]
        assert len(office.tabbar(many)) == 4
        assert office.tabbar(None) == []

    def test_items_marked_for_the_phone_come_first(self):
        items = [{"url": "/a"}, {"url": "/b", "tab": True}]
        assert office.tabbar([{"items": items}]) == [items[1]]


class TestErrorPages:
    def test_the_page_of_last_resort_needs_no_request_no_person_no_database(self):
        shown = render_to_string("500.html", {"code": "7F3A21"})
        assert "7F3A21" in shown
        assert "<html" in render_to_string("400.html")

    def test_a_fault_is_answered_while_the_database_is_away(self, caplog):
        """No database mark on this test: a query would fail it."""
        answer = states.failed(RequestFactory().get("/registers/"))
        code = re.search(r'id="code">([0-9A-F]{6})<', answer.content.decode())
        assert answer.status_code == 500
        assert code is not None
        assert code.group(1) in caplog.text

    def test_hidden_and_missing_have_one_page(self):
        """Nothing that a view could pass on may show: the same bytes whatever the reason."""
        missing = page("404.html", **SHELL)
        hidden = page(
            "404.html", **SHELL, exception="record 17 is secret", record="Kế hoạch", refusal="x", reason="level"
        )
        assert missing == hidden

    def test_a_stranger_gets_a_page_without_the_shell(self):
        shown = page("404.html", office=SHELL["office"], site=SHELL["site"])
        assert 'id="rail"' not in shown
        assert "sign-out" not in shown

    def test_a_refusal_names_its_code(self):
        class Refusal:
            code = "REG-003"

            def __str__(self):
                return "Số <4183> đã được cấp."

        shown = page("403.html", **SHELL, refusal=Refusal())
        assert "REG-003" in shown
        assert "Số &lt;4183&gt; đã được cấp." in shown


class TestSignIn:
    def page(self, **context):
        return page(
            "archive/sign_in.html", office=SHELL["office"], site=SHELL["site"], form=context.pop("form", {}), **context
        )

    def test_a_refused_attempt_says_what_and_keeps_the_name(self):
        class Attempt(forms.Form):
            username = forms.CharField()
            password = forms.CharField()

        shown = self.page(form=Attempt({"username": "huong.ltm", "password": ""}))
        assert 'role="alert"' in shown
        assert 'value="huong.ltm"' in shown

    def test_a_password_is_never_sent_back(self):
        class Attempt(forms.Form):
            username = forms.CharField()
            password = forms.CharField()

        assert "mat-khau-12345" not in self.page(form=Attempt({"username": "", "password": "mat-khau-12345"}))

    def test_people_are_listed_only_in_an_evaluation(self):
        person = {"username": "huong.ltm", "full_name": "Lê Thị Mai Hương"}
        shown = {"demo_users": [{"person": person, "role": "Văn thư"}]}
        assert "huong.ltm" in self.page(**shown)
        quiet = page("archive/sign_in.html", site={"profile": "production", "ceiling": Level.THUONG}, form={}, **shown)
        assert "huong.ltm" not in quiet


class Reading(forms.Form):
    code_notation = forms.CharField(label="Số, ký hiệu", initial="1187/KH-BTL")


class TestKit:
    def field(self, guess, **context):
        return page("archive/kit/field.html", field=Reading()["code_notation"], n=1, guess=guess, **context)

    def test_a_doubtful_field_shows_its_other_reading_and_its_box(self):
        shown = self.field(Guess("1187/KH-BTL", 71, 1, (2220, 1103, 3620, 1386)), others=[("1181/KH-BTL",) * 2])
        assert 'class="field doubt"' in shown
        assert 'data-box="[2220,1103,3620,1386]"' in shown
        assert 'data-take="1181/KH-BTL"' in shown

    def test_a_value_is_confirmed_by_a_person_only(self):
        sure = Guess("1187/KH-BTL", 99, 1, (0, 0, 1, 1))
        assert re.search(r'name="confirmed" value="code_notation" data-confirmed disabled', self.field(sure))
        assert re.search(r'name="confirmed" value="code_notation" data-confirmed>', self.field(sure, confirmed=True))

    def test_the_viewer_sends_only_links_until_a_page_is_opened(self):
        pages = [
            {
                "number": n,
                "image_url": f"/p/{n}",
                "thumb_url": f"/t/{n}",
                "width": 1240,
                "height": 1754,
                "boxes": [],
                "hits": [],
            }
            for n in (1, 2)
        ]
        shown = page("archive/kit/viewer.html", pages=pages, record="1187/KH-BTL", current=2)
        assert re.findall(r'<img src="([^"]+)" [^>]*loading="lazy"', shown) == ["/t/1", "/t/2"]
        assert shown.count('src="/p/1"') == 1  # inside noscript only
        assert 'data-page="2"' in shown

    def test_the_level_comes_before_the_files(self):
        shown = page("archive/kit/upload.html", action="/up", levels=[Level.THUONG, Level.MAT])
        assert '<option value="">' in shown
        assert '<option value="mat">' in shown
        assert shown.index('name="level"') < shown.index('type="file"')

    def test_a_confirmation_repeats_its_verb_and_starts_on_the_reason(self):
        shown = page("archive/kit/confirm.html", id="void", title="Hủy số 4183?", action="/v", verb="Hủy số 4183")
        assert re.search(r"<textarea [^>]*required autofocus", shown)
        assert re.search(r"btn-danger.*Hủy số 4183</button>", shown)

    def test_every_part_of_the_kit_says_what_it_takes(self):
        silent = [
            file.name
            for file in (ROOT / "archive/templates/archive/kit").glob("*.html")
            if not file.read_text(encoding="utf-8").startswith("{% comment %}")
        ]
        assert silent == []


class TestPolicy:
    @pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
    def test_no_template_carries_inline_script_or_style(self, file):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|<style\b|javascript:|\bhx-on|hx-vals=[\"']js:", text)
        assert all("src=" in tag for tag in re.findall(r"<script\b[^>]*>", text))

    @pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
    def test_no_template_names_an_outside_address(self, file):
        assert not re.search(r"https?://", file.read_text(encoding="utf-8"))

    def test_scripts_of_the_face_never_write_style_text_or_evaluate(self):
        for file in STATIC.glob("*.js"):
            text = file.read_text(encoding="utf-8")
            assert not re.search(
                r"\.style\.(?!setProperty)|cssText|innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function|https?://(?!www\.w3\.org/2000/svg)",
                text,
            ), file.name

    def test_colours_are_tokens(self):
        after = CSS[CSS.index("@layer base {") :]
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)", after) == []

    def test_every_rule_stands_in_a_layer(self):
        outside, depth = "", 0
        for sign in re.sub(r"/\*.*?\*/", "", CSS, flags=re.DOTALL):
            depth -= sign == "}"
            if depth == 0:
                outside += sign
            depth += sign == "{"
        heads = [head.strip() for head in re.split(r"[{};]", outside) if head.strip()]
        assert all(head.startswith(("@layer", "@import", "@font-face")) for head in heads), heads

    def test_every_file_the_style_names_is_there(self):
        for name in re.findall(r'url\("([^"]+)"\)', CSS):
            assert (STATIC / name).is_file(), name

    def test_every_vendored_part_has_its_licence_and_version(self):
        listed = (STATIC / "vendor" / "README.md").read_text(encoding="utf-8")
        for folder in (STATIC / "vendor").iterdir():
            if folder.is_dir():
                assert (folder / "LICENSE").is_file(), folder.name
                assert f"`{folder.name}/`" in listed


def test_a_value_of_a_message_is_escaped_once():
    assert draw("{{ text|plain }}", text="A & B") == escape("A & B")
