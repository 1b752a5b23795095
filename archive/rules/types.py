"""Types of dispatches and their signs, as data with the text each line comes from.

Decree 30/2020/NĐ-CP art. 7 names 29 administrative types (27 have a sign; official
letters and public letters have none) and annex III the signs; the signs before
05/3/2020 are needed for the back file. Normative texts, party papers and the types that
only the army uses arrive as well. Offices give themselves further types: a type that
is not listed here is still a type. Pure.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from archive.rules.folding import key

ND30_FROM: Final = date(2020, 3, 5)
_ND30: Final = "Nghị định 30/2020/NĐ-CP, phụ lục III"
_TT01: Final = "Thông tư 01/2011/TT-BNV, phụ lục I (before 05/3/2020)"
_LAWS: Final = "Luật Ban hành văn bản quy phạm pháp luật"
_PARTY: Final = "party guidance on texts (seen in practice)"
_ARMY: Final = "army practice (text of the circular not seen)"
_PRACTICE: Final = "seen in registers"


class Family(StrEnum):
    """Which body of rules a type belongs to."""

    STATE = "state"
    NORMATIVE = "normative"
    PARTY = "party"
    ARMY = "army"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class Type:
    """One type: name, sign ("" = none), where it is written, and from/to when (None = open).

    `is_confirmed` is False where no published text was read: show it, do not call it law.
    """

    name: str
    sign: str
    family: Family
    source: str
    valid_from: date | None = None
    valid_to: date | None = None
    is_confirmed: bool = True


def _state(pairs: str) -> tuple[Type, ...]:
    return tuple(Type(name, sign, Family.STATE, _ND30) for name, sign in _pairs(pairs))


def _pairs(lines: str) -> list[tuple[str, str]]:
    return [(name.strip(), sign.strip()) for name, _, sign in (part.partition("=") for part in lines.split(";"))]


ADMINISTRATIVE: Final = _state(
    "Nghị quyết=NQ; Quyết định=QĐ; Chỉ thị=CT; Quy chế=QC; Quy định=QyĐ; Thông cáo=TC; Thông báo=TB; Hướng dẫn=HD;"
    "Chương trình=CTr; Kế hoạch=KH; Phương án=PA; Đề án=ĐA; Dự án=DA; Báo cáo=BC; Biên bản=BB; Tờ trình=TTr;"
    "Hợp đồng=HĐ; Công văn=; Công điện=CĐ; Bản ghi nhớ=BGN; Bản thỏa thuận=BTT; Giấy ủy quyền=GUQ; Giấy mời=GM;"
    "Giấy giới thiệu=GGT; Giấy nghỉ phép=GNP; Phiếu gửi=PG; Phiếu chuyển=PC; Phiếu báo=PB; Thư công="
)
COPIES: Final = tuple(
    Type(name, sign, Family.COPY, _ND30) for name, sign in _pairs("Bản sao y=SY; Bản trích sao=TrS; Bản sao lục=SL")
)
BEFORE_2020: Final = tuple(
    Type(name, sign, Family.STATE, _TT01, valid_to=ND30_FROM)
    for name, sign in _pairs("Bản ghi nhớ=GN; Bản thỏa thuận=TTh; Giấy ủy quyền=UQ; Giấy nghỉ phép=NP")
)
NORMATIVE: Final = tuple(
    Type(name, sign, Family.NORMATIVE, _LAWS)
    for name, sign in _pairs(
        "Hiến pháp=; Bộ luật=; Luật=; Pháp lệnh=PL; Lệnh=L; Nghị định=NĐ; Thông tư=TT; Thông tư liên tịch=TTLT;"
        "Nghị quyết liên tịch=NQLT; Văn bản hợp nhất=VBHN"
    )
)
PARTY: Final = tuple(
    Type(name, sign, Family.PARTY, _PARTY, is_confirmed=False)
    for name, sign in _pairs(
        "Nghị quyết=NQ; Chỉ thị=CT; Kết luận=KL; Quy định=QĐi; Quy chế=QC; Quyết định=QĐ; Thông báo=TB; Thông tri=TT;"
        "Hướng dẫn=HD; Báo cáo=BC; Kế hoạch=KH; Chương trình=CTr; Đề án=ĐA; Tờ trình=TTr; Công văn=CV; Biên bản=BB;"
        "Tuyên bố=TB; Lời kêu gọi="
    )
)
ARMY: Final = tuple(
    Type(name, sign, Family.ARMY, _ARMY, is_confirmed=False)
    for name, sign in _pairs(
        "Mệnh lệnh=ML; Mệnh lệnh hành chính=MLHC; Chỉ lệnh=CL; Điện=Đ; Công điện mật=CĐM; Kế hoạch tác chiến=KHTC;"
        "Quyết tâm=QT; Nhật lệnh="
    )
)
PRACTICE: Final = tuple(
    Type(name, sign, Family.STATE, _PRACTICE, is_confirmed=False)
    for name, sign in _pairs(
        "Công văn=CV; Chương trình phối hợp=CTPH; Điều lệ=ĐL; Quy chế phối hợp=QCPH; Thông báo kết luận=TBKL; Nội quy=NQy;"
        "Giấy chứng nhận=GCN; Giấy đi đường=; Phiếu trình=PT; Thư mời=; Giấy xác nhận=GXN; Danh sách=DS; Đề cương="
    )
)
TYPES: Final = (*ADMINISTRATIVE, *COPIES, *NORMATIVE, *ARMY, *PRACTICE, *BEFORE_2020, *PARTY)
LETTER: Final = "Công văn"

_BY_NAME: Final = {key(each.name): each for each in reversed(TYPES)}


def by_name(name: str) -> Type | None:
    """Return the type of this name, whatever its case and marks.

    >>> by_name("KE HOACH").sign
    'KH'
    """
    return _BY_NAME.get(key(name))


def by_sign(sign: str, *, is_party: bool = False, on: date | None = None) -> Type | None:
    """Return the type with this sign on this day; party papers read their own signs first.

    Marks decide between two signs that differ by nothing else (CT and CTr, QĐ and QyĐ).

    >>> by_sign("ttr").name, by_sign("QD").name, by_sign("UBND")
    ('Tờ trình', 'Quyết định', None)
    """
    wanted = key(sign)
    known = [each for each in ((*PARTY, *TYPES) if is_party else TYPES) if each.sign and key(each.sign) == wanted]
    now = [each for each in known if _valid(each, on)]
    exact = [each for each in now if each.sign == sign]
    return next(iter(exact or now), None)


def _valid(each: Type, on: date | None) -> bool:
    if on is None:
        return True
    return (each.valid_from is None or each.valid_from <= on) and (each.valid_to is None or on < each.valid_to)
