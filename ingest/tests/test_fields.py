"""Proposed fields: read what stands there, say how sure, invent nothing."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.rules.numbers import join
from archive.rules.page import PageText, Word
from archive.rules.proposal import FIELD_NAMES, SURE
from ingest import agencies, fields

MOTTO = ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc")


def text_page(text: str, *, source: str = "ocr", number: int = 1) -> PageText:
    return PageText(number, text, (), source, 90)


def page(*lines: tuple[int, int, str], confidence: int = 95, source: str = "ocr", number: int = 1) -> PageText:
    """A page of lines (left, top, text) in ten-thousandths; a letter is 90 wide, a line 160 high."""
    text, words = "", []
    for left, top, line in lines:
        text += "\n" if text else ""
        x = left
        for token in line.split():
            text += " " if text and not text.endswith("\n") else ""
            words.append(Word(token, len(text), (x, top, x + 90 * len(token), top + 160), confidence))
            text += token
            x += 90 * (len(token) + 1)
    return PageText(number, text, tuple(words), source, confidence)


def dispatch(*body: tuple[int, int, str], **options) -> PageText:
    return page(
        (1500, 600, "BỘ CHQS TỈNH LÂM ĐỒNG"),
        (4700, 600, MOTTO[0]),
        (1800, 800, "PHÒNG THAM MƯU"),
        (5300, 800, MOTTO[1]),
        (1700, 1150, "Số: 207/BC-PTM"),
        (5400, 1150, "Lâm Đồng, ngày 20 tháng 3 năm 2026"),
        (4700, 1800, "BÁO CÁO"),
        (3500, 2010, "Kết quả huấn luyện dân quân tự vệ"),
        (4300, 2210, "quý I năm 2026"),
        (1900, 2700, "Thực hiện Kế hoạch số 15/KH-BCH ngày 02/01/2026 của Bộ CHQS tỉnh, Phòng Tham"),
        (1400, 2900, "mưu báo cáo kết quả như sau: các đơn vị huấn luyện đúng nội dung, thời gian, an toàn"),
        *body,
        **options,
    )


HEADS = [
    (
        "BỘ TƯ LỆNH QUÂN KHU 9 // BỘ CHỈ HUY QUÂN SỰ TỈNH VĨNH LONG // Số: 123/BC-BCH // Vĩnh Long, ngày 05 tháng 01 năm 2026",
        "123/BC-BCH",
        "2026-01-05",
        "Bộ Chỉ huy Quân sự tỉnh Vĩnh Long",
    ),
    (
        "QUÂN KHU 7 // BỘ CHQS TỈNH TÂY NINH // Số: 45/KH-BCH // Tây Ninh, ngày 14 tháng 02 năm 2026",
        "45/KH-BCH",
        "2026-02-14",
        "Bộ CHQS tỉnh Tây Ninh",
    ),
    (
        "BỘ CHQS TỈNH LÂM ĐỒNG // PHÒNG THAM MƯU // Số: 207/PTM-TC // Lâm Đồng, ngày 20 tháng 3 năm 2026 // V/v tổng hợp quân số huấn luyện",
        "207/PTM-TC",
        "2026-03-20",
        "Phòng Tham mưu",
    ),
    (
        "ĐẢNG BỘ QUÂN KHU 5 // ĐẢNG ỦY QUÂN SỰ TỈNH GIA LAI // * // Số 31-NQ/ĐU // Gia Lai, ngày 02 tháng 01 năm 2026",
        "31-NQ/ĐU",
        "2026-01-02",
        "Đảng ủy Quân sự tỉnh Gia Lai",
    ),
    (
        "BỘ QUỐC PHÒNG // BỘ TỔNG THAM MƯU // Số: 1021/TM-TC // Hà Nội, ngày 11 tháng 5 năm 2026 // MẬT",
        "1021/TM-TC",
        "2026-05-11",
        "Bộ Tổng Tham mưu",
    ),
    (
        "BỘ QUỐC PHÒNG // Số: 88/CĐ-BQP // Hà Nội, ngày 07 tháng 9 năm 2026 // HỎA TỐC",
        "88/CĐ-BQP",
        "2026-09-07",
        "Bộ Quốc phòng",
    ),
    (
        "QUÂN KHU 4 // BỘ CHỈ HUY QUÂN SỰ TỈNH NGHỆ AN // Số: 09/CT-BCH // Nghệ An, ngày 01 tháng 12 năm 2025",
        "09/CT-BCH",
        "2025-12-01",
        "Bộ Chỉ huy Quân sự tỉnh Nghệ An",
    ),
    (
        "ỦY BAN NHÂN DÂN // TỈNH CÀ MAU // Số: 1450/UBND-NC // Cà Mau, ngày 30 tháng 6 năm 2026 // THƯỢNG KHẨN",
        "1450/UBND-NC",
        "2026-06-30",
        "Ủy ban nhân dân tỉnh Cà Mau",
    ),
    (
        "BỘ CHQS TỈNH ĐẮK LẮK // BAN CHQS XÃ EA KAR // Số: 07/TTr-BCH // Ea Kar, ngày 18 tháng 8 năm 2025",
        "07/TTr-BCH",
        "2025-08-18",
        "Ban CHQS xã Ea Kar",
    ),
    (
        "BỘ CHQS TỈNH AN GIANG // VĂN PHÒNG // Số: 15/GM-VP // An Giang, ngày 09 tháng 10 năm 2026 // KHẨN",
        "15/GM-VP",
        "2026-10-09",
        "Văn phòng",
    ),
    (
        "QUÂN KHU 9 // BỘ CHQS TỈNH CÀ MAU // Số: 3/QĐ-BCH // Cà Mau, ngày 3 tháng 4 năm 2026",
        "3/QĐ-BCH",
        "2026-04-03",
        "Bộ CHQS tỉnh Cà Mau",
    ),
    (
        "BỘ CHỈ HUY QUÂN SỰ // TỈNH QUẢNG TRỊ // Số: 512/BCH-HC // Quảng Trị, ngày 21 tháng 7 năm 2026 // V/v bảo đảm hậu cần diễn tập",
        "512/BCH-HC",
        "2026-07-21",
        "Bộ Chỉ huy Quân sự tỉnh Quảng Trị",
    ),
    (
        "TỈNH ỦY ĐỒNG THÁP // * // Số 214-CV/TU // Đồng Tháp, ngày 16 tháng 3 năm 2026",
        "214-CV/TU",
        "2026-03-16",
        "Tỉnh ủy Đồng Tháp",
    ),
    (
        "HỘI ĐỒNG NGHĨA VỤ QUÂN SỰ TỈNH // Số: 02/HD-HĐNVQS // Hưng Yên, ngày 11 tháng 11 năm 2025",
        "02/HD-HĐNVQS",
        "2025-11-11",
        "Hội đồng nghĩa vụ quân sự tỉnh",
    ),
    (
        "BỘ CHQS TỈNH HÀ TĨNH // PHÒNG CHÍNH TRỊ // Số: 66/HD-CT // Hà Tĩnh, ngày 04 tháng 5 năm 2026",
        "66/HD-CT",
        "2026-05-04",
        "Phòng Chính trị",
    ),
    (
        "QUÂN KHU 3 // BỘ CHQS TỈNH NINH BÌNH // Số:      /BC-BCH // Ninh Bình, ngày     tháng 6 năm 2026",
        "BC-BCH",
        None,
        "Bộ CHQS tỉnh Ninh Bình",
    ),
    ("Số: 77/QĐ-BCH // TỐI MẬT // TÀI LIỆU THU HỒI", "77/QĐ-BCH", None, None),
    ("Số: 18/MLHC-BCH // MỆNH LỆNH hành chính // ngày 12 tháng 02 năm 2026", "18/MLHC-BCH", "2026-02-12", None),
    ("CHÍNH PHỦ // Số: 30/2020/NĐ-CP // Hà Nội, ngày 05 tháng 3 năm 2020", "30/2020/NĐ-CP", "2020-03-05", "Chính phủ"),
    (
        "BỘ QUỐC PHÒNG // Số: 95/2025/TT-BQP // Hà Nội, ngày 05 tháng 9 năm 2025",
        "95/2025/TT-BQP",
        "2025-09-05",
        "Bộ Quốc phòng",
    ),
    (
        "QUAN KHU 9 // B0 CHQS TINH VINH LONG // S6: l23/BC-BCH // Vinh Long, ngay 05 thang 01 nam 2026",
        "123/BC-BCH",
        "2026-01-05",
        "Bộ CHQS tỉnh Vĩnh Long",
    ),
    (
        "BỘ CHQS TỈNH TÂY NỈNH // Sô : 45 / KH - BCH // Tây Ninh, ngày l4 tháng 02 năm 2026",
        "45/KH-BCH",
        "2026-02-14",
        "Bộ CHQS tỉnh Tây Ninh",
    ),
    ("Sổ: 207/PTM–TC // Lâm Đồng, ngảy 20 tháng 3 nãm 2026", "207/PTM-TC", "2026-03-20", None),
    ("S0: 1O21/TM-TC // Hà Nội, ngày 11 tháng S năm 2026 // M Ậ T", "1021/TM-TC", "2026-05-11", None),
    ("Số. 88/CD-BQP // HOA TOC // ngày07tháng9năm2026", "88/CĐ-BQP", "2026-09-07", None),
    ("Số:..12../BC-BCH // ngày...05...tháng...01...năm 2026", "12/BC-BCH", "2026-01-05", None),
    ("Số 31 -NQ/ĐU // Gia Lai, ngày 02 tháng 0l năm 2026", "31-NQ/ĐU", "2026-01-02", None),
    ("CONG HOA XA HOI CHU NGHIA VIET NAM // Doc lap - Tu do - Hanh phuc // So: 512/BCH-HC", "512/BCH-HC", None, None),
    ("TUYÊT MẬT // Số: 05/PA-BCH // ngày 1O tháng 10 năm 2O25", "05/PA-BCH", "2025-10-10", None),
]


@pytest.mark.parametrize(("head", "symbol", "issued", "organ"), HEADS)
def test_thirty_heads_are_read(head, symbol, issued, organ):
    read = {name: guess.value for name, guess in fields.propose([text_page(head.replace(" // ", "\n"))]).items()}

    assert join(read.get("code_number", ""), read.get("code_notation", "")) == symbol
    assert read.get("issued_date") == issued
    assert read.get("organ_name") == organ


def test_both_columns_are_told_apart_by_their_boxes():
    read = fields.propose([dispatch()])

    assert {name: guess.value for name, guess in read.items()} == {
        "code_number": "207",
        "code_notation": "BC-PTM",
        "issued_date": "2026-03-20",
        "organ_name": "Phòng Tham mưu",
        "parent_organ_name": "Bộ CHQS tỉnh Lâm Đồng",
        "type_name": "Báo cáo",
        "subject": "Kết quả huấn luyện dân quân tự vệ quý I năm 2026",
    }
    assert read["code_number"].box == (2060, 1150, 2960, 1310)
    assert all(guess.confidence >= SURE and guess.page == 1 for guess in read.values())


def test_columns_run_together_by_a_reader_are_parted():
    read = fields.propose(
        [
            text_page(
                "UBND TỈNH KIÊN GIANG CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nSỞ Y TÉ Độc lập - Tự do - Hạnh phúc\nSố: 2014/SYT-NVY Kiên Giang, ngày 23 tháng 10 năm 2017\nV/v bổ sung Vitamin A\nđợt 2 năm 2017\nKính gửi: các huyện"
            )
        ]
    )

    assert (read["organ_name"].value, read["organ_name"].others) == ("Sở Y tế", ("Sở Y tế tỉnh Kiên Giang",))
    assert read["parent_organ_name"].value == "UBND tỉnh Kiên Giang"
    assert read["code_number"].value == "2014"
    assert read["issued_date"].value == "2017-10-23"
    assert read["type_name"].value == "Công văn"
    assert read["subject"].value == "bổ sung Vitamin A đợt 2 năm 2017"


def test_an_unnumbered_draft_has_a_symbol_and_no_number():
    read = fields.propose(
        [text_page("BỘ CHQS TỈNH NINH BÌNH\nSố:        /BC-BCH\nNinh Bình, ngày     tháng 6 năm 2026")]
    )

    assert "code_number" not in read
    assert "issued_date" not in read
    assert read["code_notation"].value == "BC-BCH"


@pytest.mark.parametrize("hand", ["3 9 3?", "£54", "33 ?", "20¿", "l3", "1O2"])
def test_a_number_written_by_hand_is_never_sure(hand):
    text = text_page(f"SỞ Y TẾ\nSố: {hand} /SYT-VP\nKiên Giang, ngày 05 tháng 4 năm 2018")
    read = fields.propose([text], second={"left": text})

    assert "code_number" not in read or read["code_number"].confidence < SURE


def test_letters_read_for_digits_are_shown_as_they_were_read():
    number = fields.propose([text_page("Số: 1O21/TM-TC\nHà Nội, ngày 11 tháng 5 năm 2026")])["code_number"]

    assert number.value == "1021"
    assert number.confidence < SURE
    assert number.others == ("1O21",)


def test_two_readings_that_agree_are_sure_and_two_that_differ_are_not():
    blurred = dispatch(confidence=82)
    left = page((1700, 1150, "Số: 207/BC-PTM"), confidence=80)
    other = page((1700, 1150, "Số: 201/BC-PTM"), confidence=80)

    agreed = fields.propose([blurred], second={"left": left})["code_number"]
    quarrel = fields.propose([blurred], second={"left": other})["code_number"]

    assert agreed.confidence >= SURE
    assert quarrel.confidence < SURE
    assert {quarrel.value, *quarrel.others} == {"207", "201"}


def test_a_number_in_running_text_is_not_the_dispatchs_number():
    read = fields.propose(
        [
            page(
                (1500, 600, "VĂN PHÒNG CHÍNH PHỦ"),
                (4700, 600, MOTTO[0]),
                (1500, 3000, "Số 29-NQ/TW ngày 04 tháng 11 năm 2013 của Ban Chấp hành Trung ương Đảng khóa XI"),
            )
        ]
    )

    assert "code_number" not in read
    assert "issued_date" not in read


def test_the_gazettes_own_number_and_day_are_not_the_dispatchs():
    read = fields.propose(
        [
            text_page(
                "CÔNG BÁO/Số 231 + 232/Ngày 01-02-2025 7\nBỘ QUỐC PHÒNG\nSố: 95/2025/TT-BQP\nHà Nội, ngày 05 tháng 9 năm 2025"
            )
        ]
    )

    assert read["code_number"].value == "95"
    assert read["issued_date"].value == "2025-09-05"


def test_the_day_of_arrival_is_not_the_day_of_issue():
    stamp = ((7000, 300, "ĐẾN Số: 218"), (7000, 450, "Ngày: 23/3/2026"))
    assert fields.propose([dispatch(*stamp)])["issued_date"].value == "2026-03-20"
    assert "issued_date" not in fields.propose([page((1500, 600, "BỘ CHQS TỈNH LÂM ĐỒNG"), *stamp)])


@pytest.mark.parametrize(
    ("block", "authority", "name"),
    [
        (("KT. CHỈ HUY TRƯỞNG", "PHÓ CHỈ HUY TRƯỞNG", "Đại tá Nguyễn Văn Thắng"), "KT.", "Nguyễn Văn Thắng"),
        (("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH", "Huỳnh Tấn Lộc"), "TM.", "Huỳnh Tấn Lộc"),
        (("TL. CHỈ HUY TRƯỞNG", "CHÁNH VĂN PHÒNG", "Trung tá Hoàng Thị Mỹ Hạnh"), "TL.", "Hoàng Thị Mỹ Hạnh"),
        (("TUQ. GIÁM ĐỐC", "TRƯỞNG PHÒNG", "BS. Lê Hữu Nghĩa"), "TUQ.", "Lê Hữu Nghĩa"),
        (("CHÍNH ỦY", "", "Đại tá Võ Trọng Nhân"), None, "Võ Trọng Nhân"),
    ],
)
def test_the_signer_and_the_authority_are_read_from_the_lower_right(block, authority, name):
    recipients = ["Nơi nhận:", "- Như trên;", "- Lưu: VT."]
    lines = [(1400, 8000 + 250 * n, text) for n, text in enumerate(recipients)]
    lines += [(5800, 8000 + 350 * n, text) for n, text in enumerate(block) if text]
    read = fields.propose([dispatch(*lines)])

    assert read["signer_name"].value == name
    assert (read["signer_authority"].value if authority else read.get("signer_authority")) == authority


def test_a_signature_before_an_annex_is_found():
    signed = dispatch((5800, 8000, "KT. CHỈ HUY TRƯỞNG"), (5800, 8700, "Đại tá Nguyễn Văn Thắng"))
    annex = page((4700, 600, "PHỤ LỤC"), (1400, 1000, "Danh sách các đơn vị tham gia huấn luyện"), number=2)

    assert fields.propose([signed, annex])["signer_name"].page == 1


def test_what_is_not_on_the_page_is_absent():
    assert fields.propose([]) == {}
    assert fields.propose([text_page("")]) == {}
    assert fields.propose([text_page("Bảng tổng hợp quân số\nStt Họ và tên Ngày sinh\n1 2 3")]) == {}


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            [
                "Số:",
                "12",
                "/BC-BCH",
                "ngày",
                "tháng",
                "năm",
                "V/v",
                ".",
                "-",
                "/",
                "O",
                "l",
                "2026",
                "TM.",
                "KT.",
                "\n",
                "MẬT",
                "căn",
                "cứ",
                "CỘNG",
                "HÒA",
                "XÃ",
                "HỘI",
                "﷽",
                "𝔖",
                "́",
                "\x02",
            ]
        ),
        max_size=60,
    )
)
def test_no_text_makes_it_raise_and_every_guess_is_whole(parts):
    for name, guess in fields.propose([text_page(" ".join(parts)), text_page("\n".join(parts))]).items():
        assert name in FIELD_NAMES
        assert guess.value
        assert 0 <= guess.confidence <= 100


@pytest.mark.parametrize(
    "unit", ["Số: 1", "1", " ", "/-", "ngày 1 tháng ", "A-", "V/v ", "\n", "MẬT ", "S.", "KT. A\n"]
)
def test_a_megabyte_of_anything_is_read_in_linear_time(unit):
    hostile = unit * (1_000_000 // len(unit))
    started = time.process_time()
    fields.propose([text_page(hostile)], second={"left": text_page(hostile), "right": text_page(hostile)})
    assert time.process_time() - started < 3


tokens = st.sampled_from(
    [
        "Số:",
        "12/BC-BCH",
        "BỘ",
        "QUỐC",
        "PHÒNG",
        "CỘNG",
        "HÒA",
        "XÃ",
        "HỘI",
        "QUYẾT",
        "ĐỊNH",
        "ngày",
        "05",
        "tháng",
        "01",
        "năm",
        "2026",
        "KT.",
        "GIÁM",
        "ĐỐC",
        "Lê",
        "Văn",
        "A",
        "V/v",
        "MẬT",
        "-",
        "﷽",
    ]
)
edges = st.integers(0, 10_000)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(tokens, st.booleans(), edges, edges, edges, edges, st.integers(0, 100)), max_size=60))
def test_no_layout_makes_it_raise(placed):
    text, words = "", []
    for token, is_new_line, left, top, right, bottom, confidence in placed:
        text += ("\n" if is_new_line else " ") if text else ""
        words.append(Word(token, len(text), (left, top, right, bottom), confidence))
        text += token
    for guess in fields.propose([PageText(1, text, tuple(words), "ocr", 90)]).values():
        assert guess.value
        assert 0 <= guess.confidence <= 100


def test_a_page_of_fifty_thousand_words_is_read_in_linear_time():
    lines = [(400 + 50 * (n % 50), 30 * (n // 5) % 9800, "Số: 12 /BC-BCH ngày 05 tháng 01 năm") for n in range(7000)]
    crowded = page(*lines)
    started = time.process_time()
    fields.propose([crowded, crowded], second={"left": crowded, "right": crowded})
    assert time.process_time() - started < 3


def test_number_and_day_laid_over_the_form_are_put_where_they_stand():
    form = page(
        (1500, 600, "ỦY BAN NHÂN DÂN"),
        (4700, 600, MOTTO[0]),
        (1700, 800, "TỈNH QUẢNG NGÃI"),
        (5300, 800, MOTTO[1]),
        (1700, 1150, "Số:"),
        (2600, 1150, "/TB-UBND"),
        (4600, 1150, "Quảng Ngãi, ngày"),
        (6500, 1150, "tháng 11 năm 2024"),
        (4700, 1800, "THÔNG BÁO"),
        (2100, 1160, "542"),
        (6150, 1160, "06"),
        source="layer",
    )
    read = fields.propose([form])

    assert (read["code_number"].value, read["code_notation"].value) == ("542", "TB-UBND")
    assert read["issued_date"].value == "2024-11-06"
    assert read["code_number"].confidence >= SURE


def test_a_consolidated_text_is_known_by_its_last_page():
    last = text_page(
        "Số: 469/VBHN-BLĐTBXH\nXÁC THỰC VĂN BẢN HỢP NHẤT\nKT. BỘ TRƯỞNG\nTHỨ TRƯỞNG\nLê Văn Thanh", number=2
    )
    read = fields.propose([text_page("THÔNG TƯ\nHướng dẫn thực hiện quản lý lao động"), last])

    assert read["type_name"].value == "Văn bản hợp nhất"
    assert read["signer_name"].value == "Lê Văn Thanh"


def test_a_sign_misread_by_one_letter_is_repaired_by_the_printed_type():
    notation = fields.propose([text_page("PHÒNG CHÍNH TRỊ\nSố: 2144/TTI-PCT\nTỜ TRÌNH\nVề việc cử cán bộ")])[
        "code_notation"
    ]

    assert (notation.value, notation.others) == ("TTr-PCT", ("TTI-PCT",))
    assert notation.confidence < SURE


def letter(mark: str) -> PageText:
    return page(
        (1500, 600, "UBNDTỈNHPHÚTHỌ"),
        (4700, 600, MOTTO[0]),
        (1700, 800, "SỞ Y TẾ"),
        (5300, 800, MOTTO[1]),
        (1700, 1150, "Số: 2014/SYT-NVY"),
        (5400, 1150, "Phú Thọ, ngày 23 tháng 10 năm 2017"),
        (1500, 1450, f"{mark}bổ sung Vitamin A"),
        (1900, 1650, "đợt 2 năm 2017"),
        (2200, 2300, "Kính gửi: Trung tâm y tế các huyện, thị xã, thành phố"),
    )


def test_a_letters_abstract_is_found_by_its_place_when_its_mark_is_lost():
    marked, torn = fields.propose([letter("V/v ")]), fields.propose([letter("")])

    assert marked["subject"].value == "bổ sung Vitamin A đợt 2 năm 2017"
    assert marked["subject"].confidence >= SURE
    assert torn["subject"].value == "bổ sung Vitamin A đợt 2 năm 2017"
    assert torn["subject"].confidence < SURE
    assert marked["type_name"].value == torn["type_name"].value == "Công văn"


def test_names_run_together_by_a_reader_are_parted():
    assert fields.propose([letter("V/v ")])["parent_organ_name"].value == "UBND tỉnh Phú Thọ"


def test_a_heading_half_under_a_stamp_is_completed_by_the_symbol_and_never_sure():
    read = fields.propose(
        [
            page(
                (1500, 600, "PHÒNG THAM MƯU"),
                (4700, 600, MOTTO[0]),
                (1700, 1150, "Số: 20/KH-PTM"),
                (4700, 1800, "HOẠCH"),
                (3800, 2010, "Tổ chức huấn luyện năm 2026"),
                (1900, 2700, "Căn cứ Kế hoạch số 15/KH-BCH ngày 02/01/2026 của Bộ CHQS tỉnh"),
            )
        ]
    )

    assert read["type_name"].value == "Kế hoạch"
    assert read["subject"].value == "Tổ chức huấn luyện năm 2026"


@pytest.mark.parametrize(("day", "is_sure"), [("05", True), ("5", False)])
def test_a_day_without_its_zero_may_have_lost_a_digit(day, is_sure):
    read = fields.propose([page((4700, 600, MOTTO[0]), (5400, 1150, f"Hà Nội, ngày {day} tháng 10 năm 2017"))])
    assert (read["issued_date"].confidence >= SURE) is is_sure


def test_a_letters_abstract_goes_on_in_a_row_that_an_incoming_stamp_runs_into():
    rows = ["V/v khuyến nghị khắc phục", "tồn tại về phòng cháy,", "chữa cháy tại trụ sở", "và kho của đơn vị"]
    below = [(1400, 1450 + 165 * at, row) for at, row in enumerate(rows)]
    read = fields.propose(
        [
            page(
                (1500, 600, "CÔNG AN TỈNH VĨNH LONG"),
                (4700, 600, MOTTO[0]),
                (1700, 1150, "Số: 3157/CAT-PC07"),
                (5400, 1150, "Vĩnh Long, ngày 15 tháng 10 năm 2026"),
                *below[:2],
                below[2],
                (8100, 1780, "ĐẾN"),
                below[3],
                (2200, 2600, "Kính gửi: Bộ CHQS tỉnh Vĩnh Long"),
            )
        ]
    )
    assert read["subject"].value == " ".join(rows).removeprefix("V/v ")
    assert read["subject"].confidence >= SURE


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Lãnh đạo thực hiện nhiệm vụ quốc phòng địa", "quý tiếp theo"),  # "phương" lies under a stamp: off the middle
        ("Phối hợp khắc phục tồn tại về", ""),  # no abstract ends so
    ],
)
def test_an_abstract_that_may_lack_words_is_never_sure(first, second):
    lines = [(2600, 2010, first)] + ([(4600, 2210, second)] if second else [])
    read = fields.propose(
        [
            page(
                (1500, 600, "PHÒNG THAM MƯU"),
                (4700, 600, MOTTO[0]),
                (1700, 1150, "Số: 20/NQ-PTM"),
                (4700, 1800, "NGHỊ QUYẾT"),
                *lines,
                (1900, 2900, "Căn cứ Kế hoạch số 15/KH-BCH ngày 02/01/2026 của Bộ CHQS tỉnh"),
            )
        ]
    )
    assert read["subject"].confidence < SURE


@pytest.mark.parametrize(
    ("printed", "authority", "name"),
    [
        ("T/M ĐẢNG ỦY", "TM.", "Đại tá Đặng Xuân Trường"),
        ("T/L BAN THƯỜNG VỤ", "TL.", "'Lhượng tá Đặng Xuân Trường"),
        ("TM. BAN THƯỜNG VỤ", "TM.", "xrung tá Đặng Xuân Trường"),
        ("KT. CHỈ HUY TRƯỞNG", "KT.", "Đạïtá Đặng Xuân Trường"),
    ],
)
def test_party_authorities_and_names_behind_damaged_ranks_are_read(printed, authority, name):
    signed = page((1400, 7000, "Nơi nhận:"), (5900, 7000, printed), (6300, 7200, "PHÓ BÍ THƯ"), (5700, 8400, name))
    read = fields.propose([dispatch(), signed])
    assert (read["signer_authority"].value, read["signer_name"].value) == (authority, "Đặng Xuân Trường")


def test_proper_nouns_of_agencies_keep_their_capitals():
    assert agencies.written("BAN CHỈ HUY PHÒNG THỦ KHU VỰC 2 - LONG HỒ") == "Ban Chỉ huy Phòng thủ khu vực 2 - Long Hồ"
    assert agencies.written("CỤC HẬU CẦN - KỸ THUẬT") == "Cục Hậu cần - Kỹ thuật"
    assert agencies.written("ĐẢNG BỘ QUẬN ĐỘI") == "Đảng bộ Quân đội"
    assert agencies.written("SỞ TÀI CHÍNH") == "Sở Tài chính"
