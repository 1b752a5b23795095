"""What stands above the lines of every file: office, level, who, when, which copy, what was asked, how many."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive import office
from archive.printing import Print
from archive.printing.paper import TONGUE
from archive.templatetags.office import vndatetime


@dataclass(frozen=True, slots=True)
class Heading:
    """The words above the lines; `asked` is the question as it was understood, `total` may be more than `count`."""

    made: Print
    asked: str
    count: int
    total: int

    @property
    def title(self) -> str:
        """What this file is."""
        with translation.override(TONGUE):
            return _("Dispatches found")

    @property
    def level(self) -> str:
        """The word of the highest level, in capitals as on a stamp."""
        with translation.override(TONGUE):
            return str(self.made.level.label).upper()

    @property
    def facts(self) -> Sequence[tuple[str, str]]:
        """What it says of itself as (label, words)."""
        with translation.override(TONGUE):
            told = [
                (_("Office"), office.called().line),
                (_("Level of secrecy"), self.level),
                (_("Taken out by"), f"{self.made.reader}, {vndatetime(self.made.at)}"),
                (_("Copy number"), str(self.made.copy)),
                (_("Asked"), self.asked or _("everything the reader may see")),
                (_("How many"), self._count()),
            ]
            return [*told, (_("Note"), self.care)] if self.made.is_marked else told

    @property
    def care(self) -> str:
        """How a copy of classified dispatches is kept; empty at the lowest level."""
        if not self.made.is_marked:
            return ""
        with translation.override(TONGUE):
            return _(
                "A copy of classified papers: it is numbered and in the log. Keep it, hand it on and destroy it as the "
                "papers it lists; do not copy it or put it on a machine that may not hold this level."
            )

    @property
    def foot(self) -> str:
        """What stands at the foot of every sheet."""
        with translation.override(TONGUE):
            return _("Copy no. %(n)s · %(reader)s · %(moment)s") % {
                "n": self.made.copy,
                "reader": self.made.reader,
                "moment": vndatetime(self.made.at),
            }

    def _count(self) -> str:
        if self.total > self.count:
            return _("the first %(count)s of %(total)s") % {"count": self.count, "total": self.total}
        return ngettext("%(count)s dispatch", "%(count)s dispatches", self.count) % {"count": self.count}
