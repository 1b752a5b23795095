"""The shape of the large office that benches look at: how many, how old, which words."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

YEARS: Final = 12
DEPARTMENTS: Final = 12
BELOW: Final = (14, 10, 8, 7, 6, 5, 4, 4, 3, 3, 2, 1)  # units under each department: 80 with the office itself
PEOPLE: Final = 600
ALIVE: Final = 0.01  # newest share of records with live steps: about 20 working days
UNTOUCHED: Final = 0.0003  # newest share handed to nobody yet: one day
DRAFTS: Final = 0.0002
FILED_OF_OLD: Final = 0.7
FILED_ABOVE: Final = 0.05  # of what is filed; the rest lies in dossiers of its own level
INCOMING: Final = 0.7
TO_UNITS: Final = 0.6  # of addressees; the rest are people
GRANTED: Final = 0.03
REFUSED: Final = 0.01  # of log entries
TOP_SECRET: Final = 3
TO_DIRECT: Final = 0.0003  # newest share that still waits for the leader
DOSSIER: Final = 40  # records of one dossier
TYPES: Final = ("Công văn", "Báo cáo", "Kế hoạch", "Quyết định", "Thông báo", "Tờ trình", "Hướng dẫn", "Giấy mời")
SIGNS: Final = ("CV-BCH", "BC-BCH", "KH-BCH", "QĐ-BCH", "TB-BCH", "TTr-PTM", "HD-PCT", "GM-VP")
ORGANS: Final = tuple(f"Cơ quan mẫu số {number}" for number in range(1, 121))
WORDS: Final = (
    "huấn", "luyện", "dân", "quân", "tự", "vệ", "diễn", "tập", "khu", "vực", "phòng", "thủ",
    "tuyển", "quân", "năm", "công", "tác", "văn", "thư", "lưu", "trữ", "báo", "cáo", "kết",
    "quả", "thực", "hiện", "nhiệm", "vụ", "quý", "kế", "hoạch", "kiểm", "tra", "bảo", "đảm",
    "hậu", "cần", "kỹ", "thuật", "chính", "sách", "hậu", "phương", "quân", "đội",
)  # fmt: skip


@dataclass
class Large:
    """Ids of the office that was made; readers by name are people of `READERS`."""

    units: list[int]
    departments: list[int]
    below: dict[int, list[int]]
    people: list[int]
    clerks: dict[int, int]
    staff: dict[int, list[int]]
    registers: dict[tuple[int, str], int]
    counters: dict[tuple[int, int], int] = field(default_factory=dict)


def stamp(at: datetime) -> str:
    """Return a moment as both databases take it."""
    return f"{at:%Y-%m-%d %H:%M:%S}"
