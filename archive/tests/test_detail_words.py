from django.utils import translation

from archive.rules import detail_words


def test_details_are_said_in_the_readers_words():
    with translation.override("vi"):
        assert detail_words.shown({"page": 4, "form": "thumb"}) == [("trang", "4"), ("dạng", "ảnh nhỏ")]
        assert detail_words.shown({"home": True, "shown": 0}) == [("trên bàn làm việc", "có"), ("số dòng hiện", "0")]


def test_levels_and_posts_are_said_as_everywhere_else():
    with translation.override("vi"):
        said = detail_words.shown({"role": "staff", "level": "toi-mat"})
    assert said == [("chia sẻ với", "Trợ lý, nhân viên"), ("độ mật", "Tối mật")]


def test_an_empty_detail_says_nothing_and_an_unknown_one_is_shown_as_it_is():
    assert detail_words.shown({"filters": {}, "reason": "", "odd_name": [1, 2]}) == [("odd_name", "1, 2")]


def test_details_within_details_are_told():
    with translation.override("en"):
        assert detail_words.shown({"filters": {"since": "01/01/2026"}}) == [("filters", "From: 01/01/2026")]
