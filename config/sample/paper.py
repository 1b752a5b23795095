"""Draws a letter as a text PDF in the layout of decree 30/2020/ND-CP, annex I.

Two-column header, number and date, stamps, subject, body of 13.5 pt, "Nơi nhận" left of the signature, page numbers
from page 2. Face: Tinos (metric twin of Times New Roman, all Vietnamese letters). Fetches nothing: every
address is refused. The same letter gives the same bytes.
"""

from collections.abc import Iterator
from functools import cache
from html import escape
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any, Final, NoReturn

import weasyprint
from weasyprint.text.fonts import FontConfiguration

from archive.rules import types
from config.sample import stamps
from config.sample.letters import Letter, vietnamese_date
from config.sample.prose import Block, Kind

STYLE: Final = Path(__file__).with_name("paper.css")
CLASSES: Final = {Kind.BASIS: "basis", Kind.HEADING: "heading", Kind.CENTRED: "centred"}
LONG: Final = 24  # paragraphs: an office sets a long letter more openly
CROWDED: Final = 6  # one stamped letter in six has the "ĐẾN" stamp beside its title, where readers mix the two
SHORT_NAME: Final = "BỘ CHQS TỈNH VĨNH LONG"


def draw(letter: Letter) -> bytes:
    """Return the letter as a PDF whose text layer is what the letter says."""
    drawn = weasyprint.HTML(string=page(letter), url_fetcher=_refuse).write_pdf(
        stylesheets=[_style()], font_config=_fonts(), pdf_identifier=letter.seed.encode()
    )
    return bytes(drawn)


def page(letter: Letter) -> str:
    """Return the letter as HTML."""
    rng = Random(letter.seed)  # noqa: S311 - a sample, not a secret
    title = escape(f"Văn bản mẫu {letter.symbol}")
    main, annexes = _parted(letter.body)
    looks = " ".join(name for name, applies in _looks(letter).items() if applies)
    return (
        f'<html lang="vi"><head><title>{title}</title></head><body class="{looks}">'
        f"{_head(letter, rng)}{_subject(letter)}{_to(letter)}"
        f'<div class="text">{_blocks(main, last=True)}</div>{_foot(letter, rng)}'
        f"{''.join(_annex(letter, annex) for annex in annexes)}</body></html>"
    )


def _looks(letter: Letter) -> dict[str, bool]:
    return {
        "titled": letter.type_name != types.LETTER,
        "stamped": letter.is_stamped,
        "crowded": letter.is_stamped and int(letter.code_number) % CROWDED == 1,
        "long": len(letter.body) >= LONG,
    }


def _refuse(url: str, *_: object, **__: object) -> NoReturn:
    """Refuse every address: a sample letter is made of what stands in this package."""
    raise PermissionError(url)


@cache
def _fonts() -> Any:
    return FontConfiguration()


@cache
def _style() -> Any:
    return weasyprint.CSS(string=STYLE.read_text(encoding="utf-8"), url_fetcher=_refuse, font_config=_fonts())


def _head(letter: Letter, rng: Random) -> str:
    return (
        f'<table class="head"><tr><td class="from">{_from(letter, rng)}</td><td>{_motto(letter, rng)}</td></tr></table>'
    )


def _from(letter: Letter, rng: Random) -> str:
    organ = letter.organ
    above = "".join(f"<p>{_upper(line)}</p>" for line in organ.parent_lines)
    own = "".join(f"<p><b>{_upper(line)}</b></p>" for line in organ.lines)
    rule = "<p>*</p>" if organ.is_party else '<div class="short"></div>'
    number = f'<p class="number">{"Số" if organ.is_party else "Số:"} {escape(letter.symbol)}</p>'
    about = f'<p class="about">V/v {escape(letter.subject)}</p>' if letter.type_name == types.LETTER else ""
    return above + own + rule + number + about + _boxes(letter, rng)


def _motto(letter: Letter, rng: Random) -> str:
    if letter.organ.is_party:
        motto = '<p class="motto party"><b><span>ĐẢNG CỘNG SẢN VIỆT NAM</span></b></p>'
    else:
        motto = (
            '<p class="motto"><b>CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM</b></p>'
            '<p class="motto"><b><span>Độc lập - Tự do - Hạnh phúc</span></b></p>'
        )
    place = f"{letter.organ.place}, {vietnamese_date(letter.issued_date)}"
    return f'{motto}<p class="place">{escape(place)}</p>{_arrival(letter, rng)}'


def _upper(line: str) -> str:
    return escape(line.upper())


def _boxes(letter: Letter, rng: Random) -> str:
    wanted = (stamps.LEVEL_STAMPS.get(letter.secrecy), stamps.URGENCY_STAMPS.get(letter.urgency))
    return "".join(stamps.box(*each, rng=rng) for each in wanted if each)


def _arrival(letter: Letter, rng: Random) -> str:
    """Return the "ĐẾN" stamp under the date: a clerk stamps paper, so only scans carry it, and not all of them."""
    if not letter.is_stamped or letter.arrived_on is None:
        return ""
    colour = stamps.RED if rng.random() < 0.15 else stamps.VIOLET  # noqa: PLR2004 - most offices use violet ink
    return stamps.arrival(SHORT_NAME, f"{letter.arrived_on.day}/{letter.arrived_on.month}", colour=colour, rng=rng)


def _subject(letter: Letter) -> str:
    if letter.type_name == types.LETTER:
        return ""
    return f'<h1>{_upper(letter.type_name)}</h1><h2>{escape(letter.subject)}</h2><div class="under"></div>'


def _to(letter: Letter) -> str:
    if not letter.to:
        return ""
    if len(letter.to) == 1:
        return f'<div class="to one">Kính gửi: {escape(letter.to[0])}.</div>'
    last = len(letter.to) - 1
    rows = "".join(f"<p>- {escape(one)}{'.' if k == last else ';'}</p>" for k, one in enumerate(letter.to))
    return f'<div class="to">Kính gửi:{rows}</div>'


def _parted(body: tuple[Block, ...]) -> tuple[list[Block], list[list[Block]]]:
    """Return the letter proper and its annexes, each beginning with its title."""
    parts: list[list[Block]] = [[]]
    for block in body:
        if block.kind is Kind.ANNEX:
            parts.append([])
        parts[-1].append(block)
    return parts[0], parts[1:]


def _blocks(blocks: list[Block], *, last: bool) -> str:
    return "".join(_block_runs(blocks, last=last))


def _block_runs(blocks: list[Block], *, last: bool) -> Iterator[str]:
    for is_table, run in groupby(blocks, key=lambda block: block.kind is Kind.ROW):
        if is_table:
            yield _table(list(run))
            continue
        for block in run:
            end = "/." if last and block is blocks[-1] else ""
            yield _paragraph(block, end)


def _paragraph(block: Block, end: str) -> str:
    dash = "- " if block.kind is Kind.ITEM else ""
    return f'<p class="{CLASSES.get(block.kind, "plain")}">{dash}{escape(block.text)}{end}</p>'


def _table(rows: list[Block]) -> str:
    cells = ("".join(f"<td>{escape(cell.strip())}</td>" for cell in row.text.strip("| ").split("|")) for row in rows)
    return f'<table class="rows">{"".join(f"<tr>{row}</tr>" for row in cells)}</table>'


def _annex(letter: Letter, blocks: list[Block]) -> str:
    with_letter = f"(Kèm theo {letter.type_name} số {letter.symbol} {vietnamese_date(letter.issued_date)})"
    title = "".join(f'<p class="title">{escape(line.strip())}</p>' for line in blocks[0].text.split("/"))
    return f'<div class="text annex">{title}<p class="with">{escape(with_letter)}</p>{_blocks(blocks[1:], last=False)}</div>'


def _foot(letter: Letter, rng: Random) -> str:
    copies = "".join(f"<p>- {escape(one)}{'.' if one is letter.copies[-1] else ';'}</p>" for one in letter.copies)
    signer = letter.signer
    mark = f"{signer.mode[0]}/{signer.mode[1:]}" if letter.organ.is_party else f"{signer.mode}."
    over = f'<p class="post">{escape(mark)} {_upper(signer.for_whom)}</p>' if signer.mode else ""
    post = f'<p class="post">{_upper(signer.post)}</p>'
    name = f'<p class="name">{escape(f"{signer.rank} {signer.name}".strip())}</p>'
    ink = stamps.signed(letter.organ_name.upper(), signer.name, rng=rng)
    return (
        f'<table class="foot"><tr><td class="copies"><p><b>Nơi nhận:</b></p>{copies}</td>'
        f'<td>{over}{post}<div class="ink">{ink}</div>{name}</td></tr></table>'
    )
