"""Types of dispatches: the decree's list is whole, signs lead to names in their own time."""

from datetime import date

import pytest

from archive.rules import types


def test_the_decree_names_29_types_of_which_27_have_a_sign():
    assert len(types.ADMINISTRATIVE) == 29
    assert [each.name for each in types.ADMINISTRATIVE if not each.sign] == ["Công văn", "Thư công"]
    assert [each.sign for each in types.COPIES] == ["SY", "TrS", "SL"]


def test_signs_are_unique_within_the_decrees_list():
    signs = [each.sign for each in (*types.ADMINISTRATIVE, *types.COPIES) if each.sign]
    assert len(set(signs)) == len(signs)


@pytest.mark.parametrize(
    ("sign", "name"),
    [
        ("QĐ", "Quyết định"),
        ("QyĐ", "Quy định"),
        ("CT", "Chỉ thị"),
        ("CTr", "Chương trình"),
        ("TT", "Thông tư"),
        ("ML", "Mệnh lệnh"),
        ("ttr", "Tờ trình"),
    ],
)
def test_a_sign_leads_to_its_type(sign, name):
    assert types.by_sign(sign).name == name


def test_a_party_paper_reads_its_own_signs_first():
    assert types.by_sign("TT", is_party=True).name == "Thông tri"
    assert types.by_sign("QĐ", is_party=True).name == "Quyết định"


def test_an_old_sign_is_read_in_its_own_time_only():
    assert types.by_sign("GUQ", on=date(2026, 1, 1)).name == "Giấy ủy quyền"
    assert types.by_sign("TTh", on=date(2012, 1, 1)).name == "Bản thỏa thuận"
    assert types.by_sign("TTh", on=date(2026, 1, 1)) is None


def test_a_name_is_found_without_its_marks_and_unknown_names_are_not_invented():
    assert types.by_name("KE HOACH").sign == "KH"
    assert types.by_name("Bảng kê") is None
    assert types.by_sign("UBND") is None


def test_every_type_says_where_it_is_written():
    assert all(each.source for each in types.TYPES)
    assert all(not each.is_confirmed for each in (*types.ARMY, *types.PARTY))
