"""Small files of every kind for tests: PDFs written by hand, pictures, and bombs that never expand on disk."""

import io
import struct
import zlib

import pikepdf
from PIL import Image, ImageDraw

A4 = (595, 842)
LINES = [
    "The office of the province sends this letter to every district.",
    "Please read it with care and answer before the end of the month.",
    "A list of the files is added on the next page of this letter.",
]


def text(lines, *, at=(70, 760), size=12, extra=""):
    """Return a content stream that shows lines of text from the top."""
    shown = "".join(f"({line.replace('(', '[').replace(')', ']')}) Tj 0 -16 Td " for line in lines)
    return f"BT {extra} /F1 {size} Tf {at[0]} {at[1]} Td {shown}ET "


def pdf(*contents, size=A4, rotate=0, crop=None, change=None):
    """Return a PDF with one page for each content stream; `change(document)` may add what it likes."""
    document = pikepdf.new()
    font = document.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica,
            Encoding=pikepdf.Name.WinAnsiEncoding,
        )
    )  # fmt: skip
    for content in contents or (text(LINES),):
        page = document.add_blank_page(page_size=A4)
        page.MediaBox = pikepdf.Array([0, 0, *size])
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font), XObject=pikepdf.Dictionary())
        page.Contents = document.make_stream(content.encode("latin-1"))
        if rotate:
            page.Rotate = rotate
        if crop:
            page.CropBox = pikepdf.Array(crop)
    if change:
        change(document)
    whole = io.BytesIO()
    document.save(whole)
    return whole.getvalue()


def picture(size=(1654, 2339), mode="RGB", lines=LINES):
    """Return a drawn page."""
    white, black = {"1": (1, 0), "L": (255, 0), "I;16": (65535, 0), "CMYK": ((0, 0, 0, 0), (0, 0, 0, 255))}.get(
        mode, ("white", "black")
    )
    if mode == "I;16":
        return Image.frombytes("I;16", size, struct.pack("<H", 60000) * (size[0] * size[1]))
    page = Image.new(mode, size, white)
    pen = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        pen.text((size[0] // 8, size[1] // 8 + 60 * number), line, fill=black, font_size=32)
    return page


def stored(page, kind, **options):
    """Return a picture's bytes."""
    whole = io.BytesIO()
    page.save(whole, kind, **options)
    return whole.getvalue()


def scan(*, over="", size=A4, quality=60):
    """Return a PDF whose page is one JPEG, with content drawn over it."""
    image = stored(picture(), "JPEG", quality=quality)

    def add(document):
        placed = document.make_stream(image)
        for name, value in {
            "/Type": pikepdf.Name.XObject, "/Subtype": pikepdf.Name.Image, "/Width": 1654, "/Height": 2339,
            "/BitsPerComponent": 8, "/ColorSpace": pikepdf.Name.DeviceRGB, "/Filter": pikepdf.Name.DCTDecode,
        }.items():  # fmt: skip
            placed[name] = value
        document.pages[0].Resources.XObject.Im1 = placed

    return pdf(f"q {size[0]} 0 0 {size[1]} 0 0 cm /Im1 Do Q {over}", size=size, change=add)


def png_of(width, height):
    """Return a PNG that announces a size and holds one row of it."""

    def chunk(kind, content):
        return struct.pack("!I", len(content)) + kind + content + struct.pack("!I", zlib.crc32(kind + content))

    head = struct.pack("!IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (width // 8 + 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def tiff_biting_its_tail():
    """Return a TIFF whose only page names itself as the next one."""
    tags = [(256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8),
            (278, 3, 1, 8), (279, 4, 1, 64)]  # fmt: skip
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    at = 8 + 64
    return b"II*\0" + struct.pack("<I", at) + b"\x80" * 64 + directory + struct.pack("<I", at)
