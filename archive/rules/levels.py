"""Secrecy levels and urgency grades: ordered words of the law, and nothing else.

The rank is what is compared and stored; the slug is what commands and addresses
say; the label is what a person reads. Sources: state-secrets law 117/2025/QH15
(levels), decree 30/2020/ND-CP annex I (urgency).
"""

from enum import IntEnum
from typing import Any, Final, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class UnknownSlugError(KeyError, ValueError):
    """Nothing has this slug: a key that is missing, and to a field of a form a value that it cannot have."""


class Level(IntEnum):
    """How secret a record is; a higher rank is more secret."""

    THUONG = 0
    MAT = 1
    TOI_MAT = 2
    TUYET_MAT = 3

    @property
    def slug(self) -> str:
        """The word used in commands, addresses and CSS classes."""
        return LEVEL_SLUGS[self]

    @property
    def label(self) -> str | Promise:
        """The word a person reads."""
        return LEVEL_LABELS[self]

    @classmethod
    def parse(cls, slug: str) -> "Level":
        """Return the level named by a slug.

        Raises:
            UnknownSlugError: no level has this slug.
        """
        try:
            return _BY_LEVEL_SLUG[slug]
        except KeyError:
            raise UnknownSlugError(slug) from None


class Leveled(Protocol):
    """Anything with a secrecy level: a record, a dossier, a sealed object."""

    @property
    def level(self) -> Any: ...  # noqa: D102 - the level as its model keeps it


class Urgency(IntEnum):
    """How fast a dispatch must be handled."""

    THUONG = 0
    KHAN = 1
    THUONG_KHAN = 2
    HOA_TOC = 3

    @property
    def slug(self) -> str:
        """The word used in commands, addresses and CSS classes."""
        return URGENCY_SLUGS[self]

    @property
    def label(self) -> str | Promise:
        """The word a person reads."""
        return URGENCY_LABELS[self]

    @classmethod
    def parse(cls, slug: str) -> "Urgency":
        """Return the urgency named by a slug.

        Raises:
            UnknownSlugError: no urgency has this slug.
        """
        try:
            return _BY_URGENCY_SLUG[slug]
        except KeyError:
            raise UnknownSlugError(slug) from None


LEVEL_SLUGS: Final = {
    Level.THUONG: "thuong",
    Level.MAT: "mat",
    Level.TOI_MAT: "toi-mat",
    Level.TUYET_MAT: "tuyet-mat",
}
LEVEL_LABELS: Final = {
    Level.THUONG: _("Unclassified"),
    Level.MAT: _("Confidential"),
    Level.TOI_MAT: _("Secret"),
    Level.TUYET_MAT: _("Top secret"),
}
URGENCY_SLUGS: Final = {
    Urgency.THUONG: "thuong",
    Urgency.KHAN: "khan",
    Urgency.THUONG_KHAN: "thuong-khan",
    Urgency.HOA_TOC: "hoa-toc",
}
URGENCY_LABELS: Final = {
    Urgency.THUONG: _("Routine"),
    Urgency.KHAN: _("Urgent"),
    Urgency.THUONG_KHAN: _("Very urgent"),
    Urgency.HOA_TOC: _("Flash"),
}
_BY_LEVEL_SLUG: Final = {slug: level for level, slug in LEVEL_SLUGS.items()}
_BY_URGENCY_SLUG: Final = {slug: urgency for urgency, slug in URGENCY_SLUGS.items()}
