"""One line of a desk: what it is about, how it stands, and where to go on. Pure words over rows that were read."""

from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive.models import Record, Step
from archive.routing import deadlines
from archive.rules.levels import Urgency


@dataclass(frozen=True, slots=True)
class Row:
    """A dispatch on the desk."""

    record: Record
    url: str
    number: str
    moment: datetime | None
    subject: str
    source: str
    kind: str
    words: str | Promise
    due_on: date | None = None
    urgency: int | str = 0

    @property
    def is_late(self) -> bool:
        """Whether the line bears the red edge."""
        return self.kind == "late"


def draft_row(record: Record) -> Row:
    """Return a draft as the machine read it: nothing of it is confirmed."""
    read = {name: guess["value"] for name, guess in record.proposal.items()}
    symbol = "/".join(part for part in (read.get("code_number", ""), read.get("code_notation", "")) if part)
    source = " · ".join(part for part in (read.get("type_name", ""), read.get("organ_name", "")) if part)
    return Row(
        record,
        reverse("archive:register-draft", args=[record.key]),
        symbol or "—",
        record.created_at,
        read.get("subject", ""),
        source,
        "soon",
        _("Not registered yet"),
        urgency=read.get("urgency", 0) or 0,
    )


def forward_row(record: Record) -> Row:
    """Return a registered dispatch that nobody has been handed; an urgent one is late at once."""
    kind = "late" if record.urgency > Urgency.THUONG else "soon"
    url = reverse("archive:record-forward", args=[record.key])
    return _registered(record, url, kind, _("Not submitted yet"))


def filing_row(record: Record) -> Row:
    """Return a registered dispatch that lies in no dossier its reader may know of."""
    return _registered(record, reverse("archive:record", args=[record.key]), "open", _("Not filed yet"))


def step_row(step: Step, *, today: date, near: date) -> Row:
    """Return a step in somebody's hands, and how it stands to its deadline."""
    kind, words = deadlines.nearness(step, today=today, near=near)
    row = _registered(step.record, reverse("archive:thread", args=[step.record.key]), kind, words)
    return Row(**{name: getattr(row, name) for name in row.__slots__} | {"due_on": step.due_on})


def _registered(record: Record, url: str, kind: str, words: str | Promise) -> Row:
    number = getattr(record, "number", None)
    source = " · ".join(part for part in (f"{record.type_name} {record.symbol}".strip(), record.organ_name) if part)
    return Row(
        record,
        url,
        str(number.number) if number else record.symbol,
        record.registered_at,
        record.subject,
        source,
        kind,
        words,
        record.due_date,
        record.urgency,
    )
