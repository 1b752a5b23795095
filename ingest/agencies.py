"""Names of agencies as an office writes them: marks a reader lost come back, capitals become words.

Print has the head of a dispatch in capitals, and readers lose marks there first
("SỞ Y TÉ"). Words are looked up folded, the longest phrase first; what is not known
keeps its letters. Which capitals a name carries follows decree 30/2020 annex II.
This is spelling, never knowledge: no agency is added that is not on the page. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from archive.rules.folding import fold, key

# Words that start the name of an agency; a line that does not start with one goes on from the line before.
HEADS: Final = frozenset(
    key(head)
    for head in [
        "bộ",
        " sở",
        " ủy ban",
        " uỷ ban",
        " ubnd",
        " hđnd",
        " ban",
        " phòng",
        " văn phòng",
        " cục",
        " chi cục",
        " tổng cục",
        " vụ",
        " viện",
        " trường",
        " trung tâm",
        "đảng bộ",
        " đảng ủy",
        " đảng cộng sản",
        " tỉnh ủy",
        " thành ủy",
        " huyện ủy",
        " quận ủy",
        " thị ủy",
        " quân khu",
        " quân đoàn",
        " quân chủng",
        "binh chủng",
        " binh đoàn",
        " sư đoàn",
        " lữ đoàn",
        " trung đoàn",
        " tiểu đoàn",
        " đại đội",
        " hội",
        " liên đoàn",
        " công đoàn",
        " đoàn",
        " công ty",
        "tổng công ty",
        " tập đoàn",
        " học viện",
        " tòa án",
        " toà án",
        " viện kiểm sát",
        " chính phủ",
        " thủ tướng",
        " quốc hội",
        " chủ tịch",
        " thanh tra",
        "bệnh viện",
        " bảo hiểm",
        " kho bạc",
        " thư viện",
        " đài",
        " báo",
        " công an",
        " mặt trận",
        " ngân hàng",
        " kiểm toán",
        " thông tấn",
        " quỹ",
        " tạp chí",
        "khoa",
        " hội đồng",
        " tổ",
        " đội",
        " hải quân",
        " bộ tư lệnh",
        " bộ chỉ huy",
        " ban chỉ huy",
        " lữ",
        " xí nghiệp",
        " nhà máy",
        " kho",
        " trạm",
        " đồn",
        " hải đoàn",
        "vùng",
        " cảnh sát",
        " phân hiệu",
        " đại học",
        " liên hiệp",
        " hạt",
        " đảng đoàn",
        " ban cán sự",
        " chi bộ",
        " chi nhánh",
        " ban quản lý",
    ]
    for head in [head.strip()]
)
# Names that are not complete without what stands on the next line, even if that starts with a head.
OPEN_ENDED: Final = frozenset(
    map(
        key,
        [
            "bộ tư lệnh",
            " bộ chỉ huy quân sự",
            " bộ chqs",
            " ban chỉ huy quân sự",
            " ban chqs",
            " ủy ban nhân dân",
            " hội đồng nhân dân",
            " ubnd",
            " hđnd",
            " đảng ủy",
            "đảng ủy quân sự",
            " đảng bộ",
            " ban chấp hành",
            " ban thường vụ",
            " văn phòng tỉnh",
            " bộ chỉ huy",
            " ban chỉ huy",
            " công an",
            " liên đoàn lao động",
        ],
    )
)
PROVINCES: Final = (
    "An Giang; Bà Rịa - Vũng Tàu; Bắc Giang; Bắc Kạn; Bạc Liêu; Bắc Ninh; Bến Tre; Bình Định; Bình Dương; Bình Phước;"
    "Bình Thuận; Cà Mau; Cần Thơ; Cao Bằng; Đà Nẵng; Đắk Lắk; Đắk Nông; Điện Biên; Đồng Nai; Đồng Tháp; Gia Lai; Hà Giang;"
    "Hà Nam; Hà Nội; Hà Tĩnh; Hải Dương; Hải Phòng; Hậu Giang; Hòa Bình; Hồ Chí Minh; Huế; Hưng Yên; Khánh Hòa; Kiên Giang;"
    "Kon Tum; Lai Châu; Lâm Đồng; Lạng Sơn; Lào Cai; Long An; Nam Định; Nghệ An; Ninh Bình; Ninh Thuận; Phú Thọ; Phú Yên;"
    "Quảng Bình; Quảng Nam; Quảng Ngãi; Quảng Ninh; Quảng Trị; Sóc Trăng; Sơn La; Tây Ninh; Thái Bình; Thái Nguyên; Thanh Hóa;"
    "Thừa Thiên Huế; Tiền Giang; Trà Vinh; Tuyên Quang; Vĩnh Long; Vĩnh Phúc; Yên Bái; Việt Nam; Trung ương"
)
_NAMES: Final = (
    "Bộ Quốc phòng; Bộ Công an; Bộ Ngoại giao; Bộ Nội vụ; Bộ Tư pháp; Bộ Tài chính; Bộ Công Thương; Bộ Xây dựng; Bộ Y tế;"
    "Bộ Giao thông vận tải; Bộ Giáo dục và Đào tạo; Bộ Kế hoạch và Đầu tư; Bộ Khoa học và Công nghệ; Bộ Thông tin và Truyền thông;"
    "Bộ Văn hóa, Thể thao và Du lịch; Bộ Tài nguyên và Môi trường; Bộ Nông nghiệp và Phát triển nông thôn; Bộ Nông nghiệp và Môi trường;"
    "Bộ Lao động - Thương binh và Xã hội; Bộ Dân tộc và Tôn giáo; Văn phòng Chính phủ; Thanh tra Chính phủ; Thủ tướng Chính phủ;"
    "Chính phủ; Quốc hội; Ủy ban Thường vụ Quốc hội; Chủ tịch nước; Viện kiểm sát nhân dân tối cao; Tòa án nhân dân tối cao;"
    "Viện kiểm sát nhân dân; Tòa án nhân dân; Ngân hàng Nhà nước Việt Nam; Kiểm toán nhà nước; Bảo hiểm xã hội; Kho bạc Nhà nước;"
    "Bộ Tổng Tham mưu; Tổng cục Chính trị; Tổng cục Hậu cần - Kỹ thuật; Tổng cục II; Bộ Tư lệnh; Bộ Chỉ huy Quân sự; Bộ CHQS;"
    "Bộ Chỉ huy Bộ đội Biên phòng; Bộ đội Biên phòng; Ban Chỉ huy Quân sự; Ban CHQS; Ban Chỉ huy Phòng thủ khu vực; Ban Chỉ huy;"
    "Phòng thủ khu vực; Hậu cần - Kỹ thuật; Cục Hậu cần - Kỹ thuật; Cục Hậu cần; Cục Kỹ thuật; Cục Chính trị; Đảng bộ Quân đội;"
    "Quân ủy Trung ương; Bộ Tham mưu; Trường Quân sự;"
    "Phòng Tham mưu; Phòng Chính trị; Phòng Hậu cần - Kỹ thuật; Phòng Hậu cần; Phòng Kỹ thuật; Văn phòng; Quân khu; Quân đoàn;"
    "Quân chủng; Hải quân; Phòng không - Không quân; Binh chủng; Sư đoàn; Lữ đoàn; Trung đoàn; Tiểu đoàn; Đảng bộ; Đảng ủy;"
    "Đảng ủy Quân sự; Đảng Cộng sản Việt Nam; Tỉnh ủy; Thành ủy; Huyện ủy; Ban Chấp hành; Ban Thường vụ; Ban Tổ chức; Ban Tuyên giáo;"
    "Ban Dân vận; Ban Nội chính; Ủy ban Kiểm tra; Ủy ban nhân dân; Hội đồng nhân dân; UBND; HĐND; Hội đồng nghĩa vụ quân sự;"
    "Ủy ban Dân tộc; Sở Nội vụ; Sở Y tế; Sở Tư pháp; Sở Tài chính; Sở Xây dựng; Sở Công Thương; Sở Giáo dục và Đào tạo;"
    "Sở Kế hoạch và Đầu tư; Sở Khoa học và Công nghệ; Sở Thông tin và Truyền thông; Sở Văn hóa, Thể thao và Du lịch;"
    "Sở Văn hóa và Thể thao; Sở Du lịch; Sở Ngoại vụ; Sở Tài nguyên và Môi trường; Sở Nông nghiệp và Môi trường;"
    "Sở Nông nghiệp và Phát triển nông thôn; Sở Lao động - Thương binh và Xã hội; Sở Giao thông vận tải; Sở Dân tộc và Tôn giáo;"
    "Thanh tra; Công an; Công an nhân dân; Liên đoàn Lao động; Công đoàn; Công đoàn Giáo dục; Đoàn Thanh niên Cộng sản Hồ Chí Minh;"
    "Hội Liên hiệp Phụ nữ; Hội Nông dân; Hội Cựu chiến binh; Mặt trận Tổ quốc; Mặt trận Tổ quốc Việt Nam; Trường Đại học;"
    "Trường Quân sự; Trường Sĩ quan; Học viện Quốc phòng; Học viện; Trung tâm; Bệnh viện đa khoa; Bệnh viện Quân y; Cục; Chi cục; Vụ;"
    "Ban Tổ chức Lễ kỷ niệm; Ban Chỉ đạo; tỉnh; thành phố; TP; huyện; quận; thị xã; xã; phường; thị trấn; đặc khu; khu vực; và; của"
)
_BEFORE_PLACE: Final = frozenset(("tinh", "pho", "huyen", "quan", "xa", "phuong", "tran", "khu", "tp"))
_LONGEST: Final = 10
_SHORTEST_JOINED: Final = 7  # no syllable is longer
_TOKEN: Final = re.compile(r"[^\W_]+|[-,.&/()]")
_BARE_SIGN: Final = re.compile(r"[A-ZĐ0-9]{2,7}")
_LETTERS_FOR_DIGITS: Final = str.maketrans({"0": "o", "1": "i"})


def _phrase(name: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(fold(name)))


_PHRASES: Final = {
    _phrase(name): _TOKEN.findall(name) for part in (_NAMES, PROVINCES) for name in (n.strip() for n in part.split(";"))
}
_PLACES: Final = frozenset(_phrase(place.strip()) for place in PROVINCES.split(";"))


_JOINED: Final = {"".join(phrase): " ".join(words) for phrase, words in _PHRASES.items()}
_LONGEST_JOINED: Final = 60


def parted(token: str) -> str:
    """Return known names run together by a reader with their blanks: "UBNDTỈNHPHÚTHỌ".

    >>> parted("UBNDTỈNHPHÚTHỌ"), parted("ĐỒNG")
    ('UBND tỉnh Phú Thọ', 'ĐỒNG')
    """
    plain = fold(token)
    if not _SHORTEST_JOINED < len(plain) <= _LONGEST_JOINED:
        return token
    best: list[list[str] | None] = [[], *[None] * len(plain)]
    for end in range(1, len(plain) + 1):
        ways = [
            [*known, _JOINED[plain[start:end]]]
            for start in range(max(0, end - _LONGEST_JOINED), end)
            if (known := best[start]) is not None and plain[start:end] in _JOINED
        ]
        best[end] = min(ways, key=len, default=None)
    return " ".join(best[-1]) if best[-1] else token


def starts_agency(line: str) -> bool:
    """Return whether a line starts with a word that starts agencies' names."""
    tokens = _repaired(_TOKEN.findall(fold(" ".join(map(parted, line[:60].split(" "))))))[:3]
    return any(" ".join(tokens[:size]) in HEADS for size in (1, 2, 3))


def is_open_ended(line: str) -> bool:
    """Return whether a name asks for the next line: "BỘ CHỈ HUY QUÂN SỰ" alone is no agency."""
    return " ".join(_repaired(_TOKEN.findall(fold(line)))) in OPEN_ENDED or line.rstrip().endswith(("-", "–", ",", "—"))


def place_of(name: str) -> str:
    """Return "tỉnh X" or "thành phố X" at the end of a written name, or "".

    >>> place_of("UBND tỉnh Kiên Giang")
    'tỉnh Kiên Giang'
    """
    found = re.search(r"(?:tỉnh|thành phố|huyện|quận|thị xã|xã|phường|thị trấn) (?:[A-ZĐÀ-Ỹ0-9].*)$", name)
    return found[0] if found else ""


def written(line: str) -> str:
    """Return an agency's name as an office writes it.

    >>> written("SỞ Y TÉ"), written("BỘ CHỈ HUY QUÂN SỰ TỈNH VĨNH LONG")
    ('Sở Y tế', 'Bộ Chỉ huy Quân sự tỉnh Vĩnh Long')
    >>> written("B0 CHQS TINH DAK LAK")
    'Bộ CHQS tỉnh Đắk Lắk'
    """
    tokens = _TOKEN.findall(" ".join(map(parted, line.split(" "))))
    plain = _repaired([fold(token) for token in tokens])
    words = list(_spelled(tokens, plain))
    if words and words[0][:1].islower():
        words[0] = words[0][0].upper() + words[0][1:]
    return _spaced(words)


def _repaired(plain: Sequence[str]) -> list[str]:
    """Read 0 and 1 between letters as o and i: "b0" is "bộ", "9" stays."""
    return [
        token.translate(_LETTERS_FOR_DIGITS)
        if any(c.isalpha() for c in token) and any(c in "01" for c in token)
        else token
        for token in plain
    ]


def _spelled(tokens: Sequence[str], plain: Sequence[str]) -> Iterator[str]:
    at, in_place = 0, False
    while at < len(tokens):
        size = next(
            (n for n in range(min(_LONGEST, len(tokens) - at), 0, -1) if tuple(plain[at : at + n]) in _PHRASES), 0
        )
        if size:
            yield from _PHRASES[tuple(plain[at : at + size])]
            in_place = plain[at + size - 1] in _BEFORE_PLACE
            at += size
            continue
        # After a dash stands a second name: "Hậu cần - Kỹ thuật", "khu vực 2 - Long Hồ".
        is_second = at > 0 and tokens[at - 1] == "-"
        yield _unknown(tokens[at], is_name=in_place or is_second or at == 1)
        numbered = is_second and at > 1 and tokens[at - 2].isdigit()
        in_place = numbered or (in_place and tokens[at].isalnum())
        at += 1


def _unknown(token: str, *, is_name: bool) -> str:
    if any(char.isdigit() for char in token) or _is_sign(token):
        return token
    return token.capitalize() if is_name else token.lower()


def _is_sign(token: str) -> bool:
    """Return whether a token looks like a sign of letters (CHQS, TTYT): no vowel carries it."""
    return bool(_BARE_SIGN.fullmatch(token)) and not any(char in "aeiouy" for char in fold(token))


def _spaced(words: Sequence[str]) -> str:
    text = " ".join(words)
    return re.sub(r"\s+([,.)])", r"\1", text).replace("( ", "(")
