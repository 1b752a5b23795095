"""Draws a form as PDF: A4 landscape, Tinos, head repeated, rows whole, pages counted.

Above the lowest level every sheet carries level, reader, time and copy number, at its
head and at its foot. The drawing library is loaded at the first print: it takes 29 MB
in every process that has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn

from django.template.loader import render_to_string
from django.utils import translation

from archive.models import Person
from archive.rules.levels import Level

STYLE: Final = Path(__file__).with_name("paper.css")
TONGUE: Final = "vi"  # registers are Vietnamese papers, whoever prints them


@dataclass(frozen=True, slots=True)
class Print:
    """What a sheet says about its own making."""

    level: Level
    reader: Person
    at: datetime
    copy: int

    @property
    def is_marked(self) -> bool:
        """Whether every sheet must name level, reader, time and copy."""
        return self.level > Level.THUONG


def draw(template: str, context: Mapping[str, Any]) -> bytes:
    """Return a form as PDF; never call it inside a transaction."""
    with translation.override(TONGUE):
        page = render_to_string(template, dict(context))
    import weasyprint

    drawn = weasyprint.HTML(string=page, url_fetcher=refuse).write_pdf(
        stylesheets=[_style()], font_config=_fonts(), presentational_hints=True
    )
    return bytes(drawn)


def refuse(url: str, *_: object, **__: object) -> NoReturn:
    """Refuse every address: a form is made of what stands in this package and in the rows.

    Raises:
        PermissionError: always.
    """
    raise PermissionError(url)


@cache
def _fonts() -> Any:
    from weasyprint.text.fonts import FontConfiguration

    return FontConfiguration()


@cache
def _style() -> Any:
    import weasyprint

    # nosemgrep: files - our own stylesheet
    return weasyprint.CSS(string=STYLE.read_text(encoding="utf-8"), url_fetcher=refuse, font_config=_fonts())
