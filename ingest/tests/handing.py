"""Builders for the tests of intake: small files, and handing them in as the clerk does."""

import io
from functools import cache

import pikepdf
from PIL import Image

from archive.rules.levels import Level
from ingest import intake, worker
from ingest.models import Channel

LINES = (
    "BỘ CHỈ HUY QUÂN SỰ TỈNH VĨNH LONG",
    "Số: 214/BC-BCH",
    "Vĩnh Long, ngày 12 tháng 11 năm 2026",
    "BÁO CÁO",
    "Kết quả huấn luyện dân quân tự vệ năm 2026",
    "Thực hiện kế hoạch công tác năm, các đơn vị đã hoàn thành chương trình huấn luyện đúng thời gian quy định.",
    "Quân số tham gia đạt yêu cầu, kết quả kiểm tra khá và giỏi, bảo đảm an toàn tuyệt đối về người và vũ khí.",
)


@cache
def text_pdf(*extra, pages=1):
    """A letter with a good text layer; `extra` lines make other bytes."""
    import weasyprint

    sheet = "".join(f"<p>{line}</p>" for line in (*LINES, *extra))
    body = "".join(f'<section style="page-break-after: always">{sheet}</section>' for _ in range(pages))
    made = weasyprint.HTML(string=f"<body style=\"font: 13pt Tinos, 'DejaVu Serif'\">{body}</body>").write_pdf()
    return bytes(made)


def bare_pdf(*, pages=1, **saving):
    """A PDF of empty pages; the same bytes each time unless it is encrypted."""
    held = pikepdf.new()
    for _ in range(pages):
        held.add_blank_page(page_size=(595, 842))
    out = io.BytesIO()
    held.save(out, deterministic_id="encryption" not in saving, **saving)
    return out.getvalue()


def picture(kind="PNG", *, size=(620, 877), colour=(255, 255, 255), **saving):
    """A picture of empty paper."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **saving)
    return out.getvalue()


def open_batch(office, *, level=Level.THUONG, channel=Channel.WEB, actor=None):
    """An open hand-over of the clerk's."""
    return intake.open_batch(declared=level, channel=channel, actor=actor or office.clerk)


def drop(office, content, *, name="cong-van.pdf", level=Level.THUONG, batch=None, actor=None):
    """Hand one file in."""
    actor = actor or office.clerk
    batch = batch or open_batch(office, level=level, actor=actor)
    return intake.receive(io.BytesIO(content), name=name, batch=batch, actor=actor)


def read(scan):
    """Let the queue run dry; return the scan as it is then."""
    while worker.work_once() is not None:
        continue
    scan.refresh_from_db()
    return scan
