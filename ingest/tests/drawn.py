"""Pages drawn for the tests of reading: print in a Vietnamese face, red stamps from the committed words."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ingest.stamps import EM, TEMPLATES

DPI = 200
MM = DPI / 25.4
SIZE = (1654, 2339)
FACES = (
    "/usr/share/fonts/truetype/croscore/Tinos-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSerif-Regular.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf",
)
HEAD = (
    ("BỘ CHỈ HUY QUÂN SỰ TỈNH", 210, 150),
    ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", 850, 150),
    ("PHÒNG THAM MƯU", 290, 195),
    ("Độc lập - Tự do - Hạnh phúc", 980, 195),
    ("Số: 123/BC-PTM", 300, 265),
    ("Đồng Nai, ngày 05 tháng 11 năm 2024", 900, 265),
)
BODY = (
    "Thực hiện kế hoạch công tác năm của Bộ Chỉ huy Quân sự tỉnh, Phòng Tham mưu",
    "báo cáo kết quả kiểm tra công tác quản lý hồ sơ, tài liệu tại các đơn vị cơ sở.",
    "Các đơn vị duy trì nghiêm chế độ trực chỉ huy, trực ban, trực chiến theo quy định,",
    "văn bản đi, văn bản đến được đăng ký đầy đủ vào sổ và chuyển giao trong ngày.",
    "Đề nghị các cơ quan tiếp tục phối hợp chặt chẽ để hoàn thành nhiệm vụ được giao.",
)


@cache
def face(size=36):
    """The first installed face that has every Vietnamese letter."""
    for path in FACES:
        if Path(path).exists():
            return ImageFont.truetype(path, size)
    pytest.skip("no face with Vietnamese letters is installed (fonts-croscore)")
    return None


def page(*, lines=8):
    """A dispatch page: two-column head, title, body. RGB at 200 dpi."""
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    for text, x, y in HEAD:
        draw.text((x, y), text, font=face(30), fill=(15, 15, 15))
    draw.text((730, 520), "BÁO CÁO", font=face(), fill=(15, 15, 15))
    for row in range(lines):
        draw.text((240, 620 + row * 56), BODY[row % len(BODY)], font=face(), fill=(15, 15, 15))
    return np.array(image)


def stamp(rgb, word, *, at_mm, size_mm, ink=(200, 22, 30), frame=True, strength=1.0, name="tinos"):
    """Press a framed red stamp on a page, multiplied as ink is."""
    x, y = (round(v * MM) for v in at_mm)
    width, height = (round(v * MM) for v in size_mm)
    layer = np.zeros((height, width), np.float32)
    if frame:
        cv2.rectangle(layer, (2, 2), (width - 3, height - 3), 255, 4)
    if word:
        drawn = np.load(TEMPLATES, allow_pickle=False)[f"{word}|{name}"]
        em = 14 * DPI / 72
        small = cv2.resize(drawn, None, fx=em / EM, fy=em / EM, interpolation=cv2.INTER_AREA)
        top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
        layer[top : top + small.shape[0], left : left + small.shape[1]] = np.maximum(
            layer[top : top + small.shape[0], left : left + small.shape[1]], small
        )
    cover = (layer / 255 * strength)[:, :, None]
    part = rgb[y : y + height, x : x + width].astype(np.float32)
    inked = part * (1 - cover) + part * np.array(ink, np.float32) / 255 * cover
    rgb[y : y + height, x : x + width] = inked.astype(np.uint8)
    return rgb
