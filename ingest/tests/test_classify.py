"""The machine may only raise a level, and sees a mark where a mark is: not in names and sentences."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.rules.levels import Level, Urgency
from archive.rules.page import PageText, Word
from ingest import classify, markings

DECOYS = [
    "BẢO VỆ BÍ MẬT NHÀ NƯỚC",
    "QUY CHẾ BẢO MẬT",
    "BÍ MẬT",
    "MẬT MÃ",
    "MÁT",
    "mật khẩu của hệ thống",
    "mật độ dân cư",
    "Nghiêm cấm việc làm lộ tài liệu mật",
    "Độ mật: không",
    "khẩn trương triển khai",
    "KHẨN CẤP",
    "TÌNH TRẠNG KHẨN CẤP VỀ QUỐC PHÒNG",
]
MARKS = [
    ("MẬT", Level.MAT),
    ("M Ậ T", Level.MAT),
    ("[ MẬT ]", Level.MAT),
    ("TỐI MẬT", Level.TOI_MAT),
    ("TUYÊT MẬT", Level.TUYET_MAT),
    ("T U Y Ệ T  M Ậ T", Level.TUYET_MAT),
    ("Độ mật: Mật", Level.MAT),
    ("Độ mật: TỐI MẬT", Level.TOI_MAT),
    ("TỐI\nMẬT", Level.TOI_MAT),
]


@dataclass(frozen=True)
class Find:
    kind: str
    slug: str = ""
    score: float = 0.9
    box: tuple[int, int, int, int] = (1500, 1400, 2500, 1700)
    page: int = 1


def page(text: str, *, confidence: int = 95, source: str = "ocr", number: int = 1) -> PageText:
    return PageText(number, text, (), source, confidence)


def suggest(*pages, stamps=(), declared=Level.THUONG, **options):
    return classify.suggest(pages or (page("BÁO CÁO"),), stamps=stamps, declared=declared, **options)


@pytest.mark.parametrize(("mark", "level"), MARKS)
def test_a_mark_on_a_line_of_its_own_raises_the_level(mark, level):
    assert suggest(page(f"Số: 12/BC-BCH\n{mark}\nBÁO CÁO")).level is level


@pytest.mark.parametrize("decoy", DECOYS)
def test_names_and_sentences_are_no_marks(decoy):
    pages = (page(f"Số: 12/BC-BCH\n{decoy}\nBÁO CÁO"),)
    suggestion = suggest(*pages)

    assert (suggestion.level, suggestion.plausible, suggestion.evidence) == (Level.THUONG, Level.THUONG, ())
    assert classify.urgency(pages, ()) is None


@pytest.mark.parametrize("slip", ["MAT", "MẶT"])
def test_a_slip_of_the_reader_raises_only_what_is_plausible(slip):
    suggestion = suggest(page(slip))
    assert (suggestion.level, suggestion.plausible) == (Level.THUONG, Level.MAT)


def test_a_mark_beside_the_heading_is_found_by_the_space_between():
    words = (
        Word("MẬT", 0, (1500, 1400, 2000, 1550)),
        Word("KẾ", 4, (4600, 1400, 4900, 1550)),
        Word("HOẠCH", 7, (4950, 1400, 5700, 1550)),
    )
    suggestion = suggest(PageText(1, "MẬT KẾ HOẠCH", words, "ocr", 95))

    assert suggestion.level is Level.MAT
    assert suggestion.evidence[0].box == (1500, 1400, 2000, 1550)


def test_a_read_stamp_raises_the_level_and_an_unread_one_what_is_plausible():
    read = suggest(stamps=[Find("secrecy", "toi-mat", 0.55)])
    unread = suggest(stamps=[Find("possible", "toi-mat", 0.3)])
    nameless = suggest(stamps=[Find("possible")])

    assert (read.level, read.plausible) == (Level.TOI_MAT, Level.TOI_MAT)
    assert (unread.level, unread.plausible, unread.needs_person) == (Level.THUONG, Level.TOI_MAT, True)
    assert nameless.plausible is Level.TUYET_MAT


def test_urgency_arrival_and_seal_say_nothing_of_secrecy():
    assert suggest(stamps=[Find("urgency", "hoa-toc"), Find("arrival"), Find("seal")]).evidence == ()


def test_the_highest_of_stamp_words_and_declaration_wins():
    suggestion = suggest(page("MẬT"), stamps=[Find("secrecy", "tuyet-mat")], declared=Level.TOI_MAT)
    assert suggestion.level is Level.TUYET_MAT


@pytest.mark.parametrize("options", [{"bits": {1: 1}}, {}])
def test_a_page_without_colour_or_read_badly_is_left_to_a_person(options):
    suggestion = suggest(page("BÁO CÁO", confidence=95 if options else 70), **options)

    assert suggestion.level is Level.THUONG
    assert suggestion.needs_person
    assert suggestion.evidence[0].kind == "unclear"


def test_a_page_that_cannot_be_cleared_claims_no_more_than_the_site_could_meet():
    unclear = suggest(page("BÁO CÁO"), bits={1: 1}, site_max=Level.MAT)
    assert (unclear.level, unclear.plausible, unclear.evidence[0].level) == (Level.THUONG, Level.MAT, Level.MAT)
    assert suggest(page("BÁO CÁO"), bits={1: 1}).plausible is Level.TOI_MAT  # top secret is never scanned anywhere


def test_a_stamp_on_a_later_page_must_be_clearer():
    later = suggest(stamps=[Find("secrecy", "mat", 0.6, page=2)])
    assert (later.level, later.plausible) == (Level.THUONG, Level.MAT)
    assert suggest(stamps=[Find("secrecy", "mat", 0.8, page=2)]).level is Level.MAT


def test_a_file_with_its_own_text_is_clear_without_colour():
    assert not suggest(page("BÁO CÁO", source="layer", confidence=100), bits={1: 1}).needs_person


def test_doubt_is_not_carried_beyond_what_the_site_may_hold_but_sure_evidence_is():
    doubtful = suggest(page("BÁO CÁO"), bits={1: 1}, site_max=Level.MAT)
    sure = suggest(page("TUYỆT MẬT"), site_max=Level.MAT)

    assert doubtful.plausible is Level.MAT
    assert (sure.level, sure.plausible) == (Level.TUYET_MAT, Level.TUYET_MAT)


def test_secrecy_is_proposed_with_its_place_and_nothing_is_proposed_of_nothing():
    seen = classify.marks((page("x"),), [Find("secrecy", "mat")], suggest(stamps=[Find("secrecy", "mat")]))

    assert seen["secrecy"].value == "mat"
    assert seen["secrecy"].box == Find("").box
    assert classify.marks((page("x"),), [], suggest()) == {}


def test_urgency_is_read_from_stamp_and_words():
    pages = (page("Số: 88/CĐ-BQP\nHOẢ TỐC"),)

    assert classify.urgency(pages, ()).value == Urgency.HOA_TOC.slug
    assert classify.urgency(pages, [Find("urgency", "hoa-toc")]).confidence == 97
    assert classify.urgency(pages, [Find("urgency", "khan")]).others == ("khan",)
    assert classify.urgency((page("HOA TOC"),), ()).value == "hoa-toc"


def printed(*words: str, confidence: int = 95) -> PageText:
    placed, at = [], 0
    for n, word in enumerate(words):
        placed.append(Word(word, at, (1500 + 500 * n, 1450, 1980 + 500 * n, 1600), confidence))
        at += len(word) + 1
    return PageText(1, " ".join(words), tuple(placed), "ocr", confidence)


def test_gray_print_that_looks_like_a_stamp_is_cleared_by_its_words_and_red_ink_is_not():
    patch = [Find("possible", "tuyet-mat", 0.55, (1500, 1400, 2500, 1700))]
    gray, colour = {1: 8}, {1: 24}

    assert not suggest(printed("Ban", "quản", "lý"), stamps=patch, bits=gray).needs_person
    assert suggest(printed("Ban", "quản", "lý"), stamps=patch, bits=colour).needs_person
    assert suggest(printed("TUYỆT", "MẬT"), stamps=patch, bits=gray).plausible is Level.TUYET_MAT
    assert suggest(printed("Ban", "quản", confidence=40), stamps=patch, bits=gray).needs_person
    assert suggest(page("BÁO CÁO"), stamps=patch, bits=gray).needs_person


def test_a_stamp_outside_its_place_must_be_read_better():
    low = (5500, 7400, 7300, 7600)
    poor, good = (suggest(stamps=[Find("secrecy", "toi-mat", score, low)]) for score in (0.62, 0.8))

    assert (poor.level, poor.plausible) == (Level.THUONG, Level.TOI_MAT)
    assert good.level is Level.TOI_MAT


def test_a_mark_far_down_a_long_page_is_still_doubt():
    suggestion = suggest(page("x\n" * 5000 + "TỐI MẬT"))
    assert (suggestion.level, suggestion.plausible) == (Level.THUONG, Level.TOI_MAT)


levels = st.sampled_from(Level)
finds = st.builds(
    Find,
    st.sampled_from(["secrecy", "possible", "urgency", "unclear", "seal", ""]),
    st.sampled_from(["", "mat", "toi-mat", "tuyet-mat", "khan", "?"]),
    st.floats(),
    page=st.integers(0, 9),
)
texts = st.lists(
    st.sampled_from([*DECOYS, *(mark for mark, _ in MARKS), "BÁO CÁO", "MẶT", "", "Số: 1/BC"]), max_size=12
)
pages_ = st.lists(
    st.builds(
        lambda lines, sure, source: page("\n".join(lines), confidence=sure, source=source),
        texts,
        st.integers(0, 100),
        st.sampled_from(["ocr", "layer", "none"]),
    ),
    max_size=3,
)


@given(
    pages_, st.lists(finds, max_size=5), levels, st.dictionaries(st.integers(0, 3), st.sampled_from([1, 8, 24])), levels
)
def test_nothing_lowers_what_was_declared_or_seen(pages, stamps, declared, bits, site_max):
    suggestion = classify.suggest(pages, stamps=stamps, declared=declared, bits=bits, site_max=site_max)
    seen = [
        Level.parse(find.slug)
        for find in stamps
        if find.kind == "secrecy" and find.score >= 0.5 and find.slug in {"mat", "toi-mat", "tuyet-mat"}
    ]
    words = [
        level
        for read in pages
        for line in read.text.split("\n")
        if markings.is_exact(line) and (level := markings.level_of_line(line))
    ]

    assert suggestion.plausible >= suggestion.level >= max([declared, *seen, *words])
    classify.marks(pages, stamps, suggestion)


@given(pages_, pages_, levels)
def test_one_more_page_never_lowers_the_level(pages, more, declared):
    before, after = (classify.suggest(each, stamps=(), declared=declared) for each in (pages, [*pages, *more]))
    assert after.level >= before.level
    assert after.plausible >= before.plausible
