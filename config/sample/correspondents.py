"""Who writes: each body with its header lines, its way of numbering and its signers. Invented people, plain data.

State bodies number `15/KH-BCH` (decree 30/2020/ND-CP); party bodies number `214-CV/TU` and sign `T/M`.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Signer:
    """How a letter is signed: mode (TM, KT, TL, TUQ or none), for whom, in which post, rank and name."""

    mode: str
    for_whom: str
    post: str
    rank: str
    name: str


@dataclass(frozen=True, slots=True)
class Organ:
    """A body that issues letters. `sign` ends its symbols; `yearly` is about how many numbers it uses a year."""

    parent_lines: tuple[str, ...]
    lines: tuple[str, ...]
    place: str
    sign: str
    yearly: int
    signers: tuple[Signer, ...]
    is_party: bool = False

    @property
    def name(self) -> str:
        """The body's name in one line, as a register writes it."""
        return " ".join(self.lines)

    @property
    def parent_name(self) -> str:
        """The name of the body above it; empty when the header names none."""
        return " ".join(self.parent_lines)


COMMAND: Final = Organ(
    ("Quân khu 9",),
    ("Bộ Chỉ huy Quân sự", "tỉnh Vĩnh Long"),
    "Vĩnh Long",
    "BCH",
    2600,
    (
        Signer("", "", "Chỉ huy trưởng", "Đại tá", "Phạm Văn Thành"),
        Signer("KT", "Chỉ huy trưởng", "Phó Chỉ huy trưởng - Tham mưu trưởng", "Thượng tá", "Huỳnh Tấn Lộc"),
        Signer("TL", "Chỉ huy trưởng", "Chánh Văn phòng", "Trung tá", "Lê Hữu Nghĩa"),
        Signer("TUQ", "Chỉ huy trưởng", "Trưởng Ban Tài chính", "Trung tá", "Lâm Quốc Việt"),
    ),
)
REGION: Final = Organ(
    ("Bộ Quốc phòng",),
    ("Bộ Tư lệnh Quân khu 9",),
    "Cần Thơ",
    "BTL",
    1300,
    (
        Signer("KT", "Tư lệnh", "Phó Tư lệnh - Tham mưu trưởng", "Thiếu tướng", "Trịnh Hoài Sơn"),
        Signer("", "", "Tư lệnh", "Trung tướng", "Ngô Minh Trí"),
        Signer("TL", "Tư lệnh", "Chánh Văn phòng", "Đại tá", "Tạ Đình Khoa"),
    ),
)
REGION_LOGISTICS: Final = Organ(
    ("Bộ Tư lệnh Quân khu 9",),
    ("Cục Hậu cần - Kỹ thuật",),
    "Cần Thơ",
    "HCKT",
    560,
    (
        Signer("KT", "Cục trưởng", "Phó Cục trưởng", "Thượng tá", "Mai Xuân Bình"),
        Signer("", "", "Cục trưởng", "Đại tá", "Đoàn Thế Hùng"),
    ),
)
REGION_POLITICS: Final = Organ(
    ("Bộ Tư lệnh Quân khu 9",),
    ("Cục Chính trị",),
    "Cần Thơ",
    "CT",
    430,
    (
        Signer("KT", "Chủ nhiệm", "Phó Chủ nhiệm", "Đại tá", "Vương Đình Lâm"),
        Signer("", "", "Chủ nhiệm", "Đại tá", "Hồ Sĩ Nguyên"),
    ),
)
MINISTRY: Final = Organ(
    (),
    ("Bộ Quốc phòng",),
    "Hà Nội",
    "BQP",
    96,
    (Signer("KT", "Bộ trưởng", "Thứ trưởng", "Thượng tướng", "Đào Quang Tuyến"),),
)
GENERAL_STAFF: Final = Organ(
    ("Bộ Quốc phòng",),
    ("Bộ Tổng Tham mưu",),
    "Hà Nội",
    "TM",
    3100,
    (
        Signer("KT", "Tổng Tham mưu trưởng", "Phó Tổng Tham mưu trưởng", "Trung tướng", "Phan Khắc Dương"),
        Signer("TL", "Tổng Tham mưu trưởng", "Cục trưởng Cục Dân quân tự vệ", "Thiếu tướng", "Lưu Công Định"),
    ),
)
PEOPLES_COMMITTEE: Final = Organ(
    (),
    ("Ủy ban nhân dân", "tỉnh Vĩnh Long"),
    "Vĩnh Long",
    "UBND",
    4900,
    (
        Signer("KT", "Chủ tịch", "Phó Chủ tịch", "", "Nguyễn Thị Thanh Trúc"),
        Signer("TM", "Ủy ban nhân dân", "Chủ tịch", "", "Trương Hoàng Nam"),
        Signer("TUQ", "Chủ tịch", "Giám đốc Sở Nội vụ", "", "Đinh Văn Phú"),
    ),
)
FINANCE_OFFICE: Final = Organ(
    ("Ủy ban nhân dân tỉnh Vĩnh Long",),
    ("Sở Tài chính",),
    "Vĩnh Long",
    "STC",
    2100,
    (Signer("KT", "Giám đốc", "Phó Giám đốc", "", "Cao Thị Bích Ngọc"),),
)
POLICE: Final = Organ(
    ("Bộ Công an",),
    ("Công an", "tỉnh Vĩnh Long"),
    "Vĩnh Long",
    "CAT",
    4100,
    (Signer("KT", "Giám đốc", "Phó Giám đốc", "Đại tá", "Tô Hữu Phước"),),
)
CONSCRIPTION_COUNCIL: Final = Organ(
    ("Ủy ban nhân dân tỉnh Vĩnh Long",),
    ("Hội đồng nghĩa vụ quân sự",),
    "Vĩnh Long",
    "HĐNVQS",
    60,
    (Signer("TM", "Hội đồng", "Phó Chủ tịch Thường trực", "Đại tá", "Phạm Văn Thành"),),
)
PROVINCIAL_PARTY: Final = Organ(
    ("Đảng bộ tỉnh Vĩnh Long",),
    ("Tỉnh ủy",),
    "Vĩnh Long",
    "TU",
    620,
    (
        Signer("TL", "Ban Thường vụ", "Chánh Văn phòng", "", "Kiều Minh Tâm"),
        Signer("TM", "Ban Thường vụ", "Phó Bí thư Thường trực", "", "Lý Thành Danh"),
    ),
    is_party=True,
)
MILITARY_PARTY: Final = Organ(
    ("Đảng bộ tỉnh Vĩnh Long",),
    ("Đảng ủy Quân sự tỉnh",),
    "Vĩnh Long",
    "ĐU",
    90,
    (Signer("TM", "Đảng ủy", "Phó Bí thư", "Đại tá", "Đặng Xuân Trường"),),
    is_party=True,
)
REGION_PARTY: Final = Organ(
    ("Đảng bộ Quân đội",),
    ("Đảng ủy Quân khu 9",),
    "Cần Thơ",
    "ĐUQK",
    240,
    (Signer("TM", "Ban Thường vụ", "Phó Bí thư", "Trung tướng", "Ngô Minh Trí"),),
    is_party=True,
)
DEFENCE_AREA: Final = Organ(
    ("Bộ CHQS tỉnh Vĩnh Long",),
    ("Ban Chỉ huy Phòng thủ", "khu vực 2 - Long Hồ"),
    "Long Hồ",
    "PTKV2",
    260,
    (
        Signer("", "", "Chỉ huy trưởng", "Trung tá", "Trần Quốc Dũng"),
        Signer("KT", "Chỉ huy trưởng", "Phó Chỉ huy trưởng", "Thiếu tá", "Thạch Sô Phia"),
    ),
)

COMMUNES: Final = (
    ("xã Tân Hạnh", "Tân Hạnh", "Lê Văn Tấn"),
    ("xã Cái Nhum", "Cái Nhum", "Nguyễn Hữu Khang"),
    ("xã Tam Bình", "Tam Bình", "Trần Công Lập"),
    ("xã Trà Ôn", "Trà Ôn", "Kim Hoàng Sang"),
    ("xã Hựu Thành", "Hựu Thành", "Đỗ Minh Nhựt"),
    ("phường Bình Minh", "Bình Minh", "Võ Thanh Liêm"),
    ("phường Long Châu", "Long Châu", "Phan Trung Hậu"),
    ("xã Mỏ Cày", "Mỏ Cày", "Bùi Quốc Cường"),
)
ORGANS: Final[dict[str, Organ]] = {
    "command": COMMAND,
    "region": REGION,
    "region-logistics": REGION_LOGISTICS,
    "region-politics": REGION_POLITICS,
    "region-party": REGION_PARTY,
    "ministry": MINISTRY,
    "general-staff": GENERAL_STAFF,
    "peoples-committee": PEOPLES_COMMITTEE,
    "finance-office": FINANCE_OFFICE,
    "police": POLICE,
    "conscription-council": CONSCRIPTION_COUNCIL,
    "provincial-party": PROVINCIAL_PARTY,
    "military-party": MILITARY_PARTY,
    "defence-area": DEFENCE_AREA,
}


def commune(index: int) -> Organ:
    """Return the military board of one commune, chosen by any whole number."""
    name, place, head = COMMUNES[index % len(COMMUNES)]
    signer = Signer("", "", "Chỉ huy trưởng", "", head)
    return Organ(("Bộ CHQS tỉnh Vĩnh Long",), (f"Ban CHQS {name}",), place, "BCH", 75, (signer,))
