"""The sample office as plain data: a provincial military command, its people, registers, file plan and holidays.

Everything is invented but the citations. Retention periods are dated rows with the text they rest on. Where the
text in force was not read, the row says so and takes its figure from the older table: an office loads the tables
of TT 10/2022/TT-BNV and of the Ministry of Defence before it relies on them. Nothing here touches the database.
"""

from dataclasses import dataclass
from typing import Final

from archive.rules.levels import Level
from archive.rules.roles import Role
from config import law
from config.law import CONFIRMED, TABLE_2011, TT10_FROM, Rule


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: `code` is short and unique, `parent` the code of the unit above ("" for the command itself)."""

    code: str
    name: str
    parent: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the office. `scope` is the unit whose records (with all units below) are their business.

    `clearance` is the highest level they may read; None: no clearance, only unclassified records.
    """

    username: str
    full_name: str
    title: str
    unit: str
    roles: tuple[Role, ...]
    clearance: Level | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Class:
    """A line of the file plan. `rule` is the code of a retention row in force; headings have none."""

    code: str
    title: str
    rule: str
    keeper: str
    parent: str = ""
    unit: str = ""


UNITS: Final = (
    Unit("BCH", "Bộ CHQS tỉnh Vĩnh Long", ""),
    Unit("CH", "Ban Chỉ huy", "BCH"),
    Unit("VP", "Văn phòng", "BCH"),
    Unit("VT", "Bộ phận Văn thư", "VP"),
    Unit("LT", "Bộ phận Lưu trữ", "VP"),
    Unit("PTM", "Phòng Tham mưu", "BCH"),
    Unit("TH", "Ban Tác huấn", "PTM"),
    Unit("DQTV", "Ban Dân quân tự vệ", "PTM"),
    Unit("QL", "Ban Quân lực", "PTM"),
    Unit("TT", "Ban Thông tin", "PTM"),
    Unit("PCT", "Phòng Chính trị", "BCH"),
    Unit("TUH", "Ban Tuyên huấn", "PCT"),
    Unit("CS", "Ban Chính sách", "PCT"),
    Unit("PHCKT", "Phòng Hậu cần - Kỹ thuật", "BCH"),
    Unit("DT", "Ban Doanh trại", "PHCKT"),
    Unit("XM", "Ban Xe - Máy", "PHCKT"),
    Unit("TC", "Ban Tài chính", "BCH"),
    Unit("PTKV2", "Ban Chỉ huy Phòng thủ khu vực 2 - Long Hồ", "BCH"),
    Unit("X-TH", "Ban CHQS xã Tân Hạnh", "PTKV2"),
    Unit("X-CN", "Ban CHQS xã Cái Nhum", "PTKV2"),
)

PEOPLE: Final = (
    Person("clerk", "Lê Thị Mai Hương", "Nhân viên văn thư", "VT", (Role.CLERK,), Level.TOI_MAT, "BCH"),
    Person("leader", "Phạm Văn Thành", "Chỉ huy trưởng", "CH", (Role.LEADER,), Level.TOI_MAT, "BCH"),
    Person("staff", "Đỗ Ngọc Ánh", "Trợ lý Ban Tác huấn", "PTM", (Role.STAFF,), Level.MAT, "PTM"),
    Person("archivist", "Trần Thu Nga", "Nhân viên lưu trữ", "LT", (Role.ARCHIVIST,), Level.MAT, "BCH"),
    Person("auditor", "Bùi Đức Thuận", "Trợ lý thanh tra", "CH", (Role.AUDITOR,)),
    Person("security", "Vũ Bảo Duy", "Trợ lý bảo vệ an ninh", "PCT", (Role.SECURITY,)),
    Person("admin", "Thạch Minh Đức", "Nhân viên công nghệ thông tin", "TT", (Role.ADMIN,)),
    Person("staff2", "Nguyễn Văn Hòa", "Trợ lý Ban Doanh trại", "PHCKT", (Role.STAFF,), None, "PHCKT"),
    Person(
        "loc.ht", "Huỳnh Tấn Lộc", "Phó Chỉ huy trưởng - Tham mưu trưởng", "CH", (Role.LEADER,), Level.TOI_MAT, "BCH"
    ),
    Person("truong.dx", "Đặng Xuân Trường", "Chính ủy", "CH", (Role.LEADER,), Level.TOI_MAT, "BCH"),
    Person("nghia.lh", "Lê Hữu Nghĩa", "Chánh Văn phòng", "VP", (Role.STAFF,), Level.MAT, "VP"),
    Person("dung.tq", "Trần Quốc Dũng", "Chỉ huy trưởng PTKV 2", "PTKV2", (Role.STAFF,), Level.MAT, "PTKV2"),
    Person("phia.ts", "Thạch Sô Phia", "Trợ lý Ban Dân quân tự vệ", "DQTV", (Role.STAFF,), Level.MAT, "DQTV"),
    Person("lan.nt", "Nguyễn Thị Lan", "Trợ lý Ban Chính sách", "CS", (Role.STAFF,), None, "CS"),
    Person("viet.lq", "Lâm Quốc Việt", "Trưởng Ban Tài chính", "TC", (Role.STAFF,), None, "TC"),
    Person("khanh.pm", "Phan Minh Khánh", "Trợ lý Ban Xe - Máy", "XM", (Role.STAFF,), None, "XM"),
    Person("tan.lv", "Lê Văn Tấn", "Chỉ huy trưởng Ban CHQS xã Tân Hạnh", "X-TH", (Role.STAFF,), None, "X-TH"),
)
CLEARANCE_BASIS: Final = "Quyết định 01/QĐ-BCH về danh sách người được tiếp cận bí mật nhà nước (mẫu)"


_OWN: Final = "Danh mục hồ sơ của cơ quan (mẫu): lấy theo mức của bảng 2011, chờ nạp TT 10/2022/TT-BNV và bảng của BQP"


def rules() -> tuple[Rule, ...]:
    """Return the retention rows that the law gives, and the sample office's own in place of those not read yet."""
    own = tuple(Rule(c, t, k, y, TT10_FROM, None, _OWN) for c, t, k, y in TABLE_2011 if c not in CONFIRMED)
    return (*law.rules(), *own)


FILE_PLAN: Final = (
    Class("VP", "Văn phòng, văn thư, lưu trữ", "", ""),
    Class(
        "01.VP",
        "Tập lưu quyết định, chỉ thị, hướng dẫn của Bộ CHQS tỉnh",
        "12.1-van-ban-di",
        "Lê Thị Mai Hương",
        "VP",
        "VP",
    ),
    Class("02.VP", "Tập lưu văn bản đi khác", "12.1-van-ban-di-khac", "Lê Thị Mai Hương", "VP", "VP"),
    Class("03.VP", "Quy chế làm việc, quy chế văn thư, lưu trữ", "1-dieu-le", "Lê Hữu Nghĩa", "VP", "VP"),
    Class("04.VP", "Giấy mời, thông báo gửi để biết", "1-de-biet", "Lê Thị Mai Hương", "VP", "VP"),
    Class("TM", "Tham mưu", "", ""),
    Class(
        "01.TM", "Kế hoạch, báo cáo công tác quân sự, quốc phòng năm", "1-ke-hoach-nam", "Huỳnh Tấn Lộc", "TM", "PTM"
    ),
    Class("02.TM", "Huấn luyện dân quân tự vệ, dự bị động viên", "13-nghiep-vu", "Thạch Sô Phia", "TM", "PTM"),
    Class("03.TM", "Diễn tập khu vực phòng thủ", "13-nghiep-vu", "Đỗ Ngọc Ánh", "TM", "PTM"),
    Class("04.TM", "Tuyển chọn và gọi công dân nhập ngũ", "3-tuyen-dung", "Đỗ Ngọc Ánh", "TM", "PTM"),
    Class("05.TM", "Phòng chống thiên tai, tìm kiếm cứu nạn, cháy nổ", "12.2-tu-ve", "Đỗ Ngọc Ánh", "TM", "PTM"),
    Class("CT", "Chính trị", "", ""),
    Class("01.CT", "Tuyên truyền, giáo dục chính trị", "13-nghiep-vu", "Nguyễn Thị Lan", "CT", "PCT"),
    Class("02.CT", "Chế độ, chính sách, hậu phương quân đội", "3-can-bo", "Nguyễn Thị Lan", "CT", "PCT"),
    Class("03.CT", "Thi đua, khen thưởng", "10-khen-thuong", "Nguyễn Thị Lan", "CT", "PCT"),
    Class("HC", "Hậu cần, kỹ thuật, tài chính", "", ""),
    Class("01.HC", "Bảo đảm hậu cần, quân nhu, quân y", "13-nghiep-vu", "Nguyễn Văn Hòa", "HC", "PHCKT"),
    Class("02.HC", "Sửa chữa nhỏ nhà làm việc, kho", "6-sua-chua-nho", "Nguyễn Văn Hòa", "HC", "PHCKT"),
    Class("03.HC", "Xe, máy, trang bị kỹ thuật", "13-nghiep-vu", "Phan Minh Khánh", "HC", "PHCKT"),
    Class("01.TC", "Dự toán, quyết toán ngân sách năm", "5-ngan-sach", "Lâm Quốc Việt", "HC", "TC"),
)
