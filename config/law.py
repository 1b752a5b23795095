"""What the law gives every office, as plain data with its citation: books, retention periods, public holidays.

Where the text in force was not read, the row says so: an office compares it, and loads the tables of
TT 10/2022/TT-BNV and of its ministry, before it relies on them. Nothing here touches the database.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True)
class Book:
    """A register; `kind` is a value of `RegisterKind`."""

    kind: str
    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of a retention table. `kind` is a value of `RuleKind`; `years` only where the kind counts years."""

    code: str
    title: str
    kind: str
    years: int | None
    valid_from: date
    valid_to: date | None
    basis: str


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which deadlines do not run."""

    day: date
    name: str
    basis: str


REGISTRY: Final = "VT"  # the code of the registry, which keeps the books
# Each book runs through the years, with a new series each year.
BOOKS: Final = (
    Book("incoming", "Sổ đăng ký văn bản đến", REGISTRY),
    Book("outgoing", "Sổ đăng ký văn bản đi", REGISTRY),
    Book("secret_incoming", "Sổ đăng ký bí mật nhà nước đến", REGISTRY),
    Book("secret_outgoing", "Sổ đăng ký bí mật nhà nước đi", REGISTRY),
)

TT09_FROM: Final = date(2011, 6, 3)
TT09_TO: Final = date(2023, 2, 14)
TT10_FROM: Final = date(2023, 2, 15)
_TT09: Final = "TT 09/2011/TT-BNV ngày 03/6/2011, áp dụng cho hồ sơ kết thúc trước 15/02/2023 (nhập từ bản tóm tắt, đối chiếu bản gốc)"
_TT10: Final = "TT 10/2022/TT-BNV ngày 19/12/2022, hiệu lực từ 15/02/2023"
_TT10_SECONDARY: Final = f"{_TT10} (theo trích dẫn, đối chiếu bản gốc)"
# Code, title, kind, years. Codes name the group of the 2011 table, not its row numbers.
TABLE_2011: Final = (
    ("1-quy-che", "Quy chế, quy định, hướng dẫn của cơ quan", "permanent", None),
    ("1-ke-hoach-nam", "Kế hoạch, báo cáo công tác hằng năm của cơ quan", "permanent", None),
    ("1-ke-hoach-thang", "Kế hoạch, báo cáo tháng, tuần của cơ quan", "years", 10),
    ("1-trao-doi", "Kế hoạch, báo cáo đột xuất; công văn trao đổi", "years", 10),
    ("1-de-biet", "Văn bản gửi để biết", "years", 5),
    ("1-gui-chung", "Văn bản quy định, chỉ đạo gửi chung đến các cơ quan", "until_superseded", None),
    ("3-can-bo", "Bổ nhiệm, điều động, kỷ luật, chế độ chính sách cán bộ", "years", 70),
    ("3-tuyen-dung", "Kết quả tuyển dụng, tuyển quân", "years", 20),
    ("5-ngan-sach", "Dự toán, quyết toán ngân sách hằng năm", "permanent", None),
    ("5-chung-tu", "Chứng từ dùng ghi sổ kế toán", "years", 10),
    ("6-sua-chua-lon", "Công trình nhóm B, C, sửa chữa lớn", "life_of_asset", None),
    ("6-sua-chua-nho", "Sửa chữa nhỏ nhà, kho", "years", 15),
    ("9-don-thu", "Giải quyết khiếu nại, tố cáo vụ việc khác", "years", 15),
    ("10-khen-thuong", "Khen thưởng của người đứng đầu cơ quan", "years", 10),
    ("12.1-van-ban-di", "Tập lưu văn bản đi: chỉ thị, quyết định, quy định, quy chế, hướng dẫn", "permanent", None),
    ("12.1-van-ban-di-khac", "Tập lưu, sổ đăng ký văn bản đi khác", "years", 50),
    ("12.1-so-den", "Sổ đăng ký văn bản đến", "years", 20),
    ("12.2-tu-ve", "Quân sự, tự vệ, phòng cháy, phòng chống thiên tai, trực bảo vệ", "years", 10),
    ("13-nghiep-vu-nam", "Kế hoạch, báo cáo chuyên môn nghiệp vụ hằng năm", "permanent", None),
    ("13-nghiep-vu", "Kế hoạch, báo cáo nghiệp vụ tháng, quý; vụ việc khác", "years", 20),
)


CONFIRMED: Final = {"1-ke-hoach-nam"}  # of that table: the same in TT 10/2022/TT-BNV, as read there


def rules() -> tuple[Rule, ...]:
    """Return the table of 2011, dated to its end, and those rows of its successor that were read."""
    old = tuple(Rule(c, t, k, y, TT09_FROM, TT09_TO, _TT09) for c, t, k, y in TABLE_2011)
    now = tuple(Rule(c, t, k, y, TT10_FROM, None, _TT10) for c, t, k, y in TABLE_2011 if c in CONFIRMED)
    changed = Rule("1-dieu-le", "Điều lệ, quy chế làm việc", "years", 20, TT10_FROM, None, _TT10_SECONDARY)
    return (*old, *now, changed)


def holidays(year: int) -> tuple[Holiday, ...]:
    """Return the public holidays with a fixed day in the solar calendar.

    Lunar New Year, the Hùng Kings' day and the second day of National Day are fixed for each year
    by a decision of the Government: the office enters them with that decision.
    """
    basis = "Bộ luật Lao động 45/2019/QH14, Điều 112"
    days = (
        (1, 1, "Tết Dương lịch"),
        (4, 30, "Ngày Chiến thắng"),
        (5, 1, "Ngày Quốc tế lao động"),
        (9, 2, "Quốc khánh"),
    )
    return tuple(Holiday(date(year, month, day), name, basis) for month, day, name in days)
