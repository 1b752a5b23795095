"""The legal columns of the registers, in order, as data.

Decree 30/2020/ND-CP, annex IV and V, and the secret books of decree 63/2026/ND-CP: ten
columns each. The printed books carry the same words as the screen.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive.models import RegisterKind

SECRET: Final = frozenset({RegisterKind.SECRET_INCOMING, RegisterKind.SECRET_OUTGOING})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a book; `wide` is the one that takes the room that is left."""

    name: str
    label: str | Promise

    @property
    def wide(self) -> bool:
        """Whether this is the column of type and subject."""
        return self.name == "subject"


ARRIVED: Final = Column("arrived", _("Date of arrival"))
NUMBER: Final = Column("number", _("Arrival number"))
ORDINAL: Final = Column("number", _("Ordinal number"))
AUTHOR: Final = Column("author", _("Author"))
ISSUER: Final = Column("author", _("Issuing agency"))
SYMBOL: Final = Column("symbol", _("Number and symbol of the dispatch"))
ISSUED: Final = Column("issued", _("Date of the dispatch"))
SUBJECT: Final = Column("subject", _("Type and subject of the dispatch"))
RECEIVER: Final = Column("receiver", _("Unit or person receiving"))
MOVED: Final = Column("moved", _("Date of hand-over"))
SIGNED: Final = Column("signed", _("Receipt"))
TAKEN: Final = Column("taken", _("Unit or person receiving, receipt"))
NOTE: Final = Column("note", _("Note"))
SIGNER: Final = Column("signer", _("Signed by"))
TO: Final = Column("to", _("Addressees"))
TO_SIGNED: Final = Column("to_signed", _("Addressees, receipt"))
KEEPER: Final = Column("keeper", _("Unit, person keeping the file copy"))
KEEPING: Final = Column("keeper", _("Keeping unit"))
COPIES: Final = Column("copies", _("Number of copies"))
AMOUNT: Final = Column("copies", _("Amount"))
LEVEL: Final = Column("level", _("Level"))

COLUMNS: Final[dict[str, tuple[Column, ...]]] = {
    RegisterKind.INCOMING: (ARRIVED, NUMBER, AUTHOR, SYMBOL, ISSUED, SUBJECT, RECEIVER, MOVED, SIGNED, NOTE),
    RegisterKind.OUTGOING: (SYMBOL, ISSUED, SUBJECT, SIGNER, TO, KEEPER, COPIES, MOVED, SIGNED, NOTE),
    RegisterKind.SECRET_INCOMING: (ORDINAL, ARRIVED, NUMBER, ISSUER, SYMBOL, ISSUED, SUBJECT, LEVEL, TAKEN, NOTE),
    RegisterKind.SECRET_OUTGOING: (
        ORDINAL, SYMBOL, ISSUED, SUBJECT, LEVEL, SIGNER, TO_SIGNED, KEEPING, AMOUNT, NOTE,
    ),
}  # fmt: skip
# How many columns still stand in a line whose number is void; the rest is its reason.
KEPT: Final[dict[str, int]] = {
    RegisterKind.INCOMING: 2,
    RegisterKind.OUTGOING: 1,
    RegisterKind.SECRET_INCOMING: 3,
    RegisterKind.SECRET_OUTGOING: 1,
}
LEGAL_BASIS: Final = {
    RegisterKind.INCOMING: _("Ten columns of decree 30/2020/ND-CP, annex IV"),
    RegisterKind.OUTGOING: _("Ten columns of decree 30/2020/ND-CP, annex IV"),
    RegisterKind.SECRET_INCOMING: _("Ten columns of decree 63/2026/ND-CP"),
    RegisterKind.SECRET_OUTGOING: _("Ten columns of decree 63/2026/ND-CP"),
}
