"""What was found, taken out as a file: which rows, in which columns, as a numbered copy that the log knows of.

Two passes. The first asks which dispatches there are and how secret the highest is; then
the act is written to the log; then the second reads them again in batches, each checked
against the database as it is read: what was closed, or raised above the level that
stands on the file, between the two is left out. Nothing lies on a disk in between.

A file is a copy. Above the lowest level it carries level, reader, time and copy number,
wants a reason, holds only so many dispatches, and each of them has an entry of its own
in the log: who saw this dispatch is answered by its copies too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from archive import access, chains, dossiers, lists_out
from archive.audit import Subject
from archive.models import AuditEntry, Dossier, DossierItem, Person, Record
from archive.printing import Print
from archive.printing.paper import TONGUE
from archive.rules.errors import Refusal
from archive.rules.levels import LEVEL_LABELS, URGENCY_LABELS, Level, Urgency
from archive.rules.roles import Action
from search import finding, periods
from search.engine import Filters
from search.entry import Order
from search.query import parse

BATCH: Final = 200  # dispatches read, checked and written at once
SECRET_ROWS: Final = 500  # dispatches above the lowest level in one file: each is a copy with an entry of its own
PER_HOUR: Final = 20  # files one person takes out within an hour
ALL_FILES: Final = Subject("export", "results")  # one chain in the log: its place there is the number of the copy


class Form(StrEnum):
    """How it is written."""

    XLSX = "xlsx"
    PDF = "pdf"
    CSV = "csv"

    @property
    def most(self) -> int:
        """Rows of one file. A line of paper takes 10 ms of processor to draw and 0.2 MB until all are drawn (measured)."""
        return 1_000 if self is Form.PDF else 10_000


class NothingFound(Refusal):
    """SEA-004: an empty file is no use and would still be a copy."""

    code = "SEA-004"
    message = _("Nothing is found among the dispatches you may see, so there is nothing to export.")


class ReasonNeeded(Refusal):
    """SEA-005: a copy that names classified dispatches or dossiers has a reason."""

    code = "SEA-005"
    message = _("The list names dispatches or dossiers up to the level %(level)s. Say what the copy is for.")


class TooManySecret(Refusal):
    """SEA-006: only so many classified dispatches are copied at once."""

    code = "SEA-006"
    message = _("%(count)s of the dispatches are above Unclassified; one file holds at most %(most)s. Narrow it down.")


class TooOften(Refusal):
    """SEA-007: one person takes out only so many files within an hour."""

    code = "SEA-007"
    message = _("You have taken out %(most)s files within the last hour. Wait, or ask for a list to be made for you.")


# --- columns -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Column:
    """One column: its head, its share of a line's width, and what stands in it."""

    label: str | Promise
    width: int
    cell: Callable[[Record, Dossier | None], str]


def _day(value: object) -> str:
    return f"{value:%d/%m/%Y}" if value else ""


def _number(record: Record) -> str:
    number = getattr(record, "number", None)
    return str(number.number) if number else ""


def _register(record: Record) -> str:
    number = getattr(record, "number", None)
    return f"{number.register.name} {number.year}" if number else ""


def _period(dossier: Dossier | None) -> str:
    return periods.label(periods.slug(dossier.rule)) if dossier else ""


COLUMNS: Final[Mapping[str, Column]] = {
    "number": Column(_("Register no."), 8, lambda record, _dossier: _number(record)),
    "register": Column(pgettext_lazy("book", "Register"), 18, lambda record, _dossier: _register(record)),
    "symbol": Column(_("Number and symbol"), 16, lambda record, _dossier: record.symbol),
    "issued": Column(_("Date of issue"), 11, lambda record, _dossier: _day(record.issued_date)),
    "arrived": Column(_("Arrived"), 11, lambda record, _dossier: _day(record.arrival_date)),
    "type": Column(_("Type"), 13, lambda record, _dossier: record.type_name),
    "subject": Column(_("Subject"), 50, lambda record, _dossier: record.subject),
    "organ": Column(_("Issuer"), 24, lambda record, _dossier: record.organ_name),
    "signer": Column(_("Signed by"), 18, lambda record, _dossier: record.signer_name),
    "unit": Column(_("Unit"), 18, lambda record, _dossier: record.unit.name),
    "level": Column(_("Level"), 10, lambda record, _dossier: str(LEVEL_LABELS[Level(record.level)])),
    "urgency": Column(_("Urgency"), 11, lambda record, _dossier: str(URGENCY_LABELS[Urgency(record.urgency)])),
    "dossier": Column(_("Dossier"), 24, lambda _record, kept: f"{kept.code} {kept.title}" if kept else ""),
    "retention": Column(_("Retention period"), 14, lambda _record, kept: _period(kept)),
    "pages": Column(_("Pages"), 7, lambda record, _dossier: str(record.page_amount)),
}
OF_DOSSIERS: Final = frozenset({"dossier", "retention"})
USUAL: Final = ("number", "symbol", "issued", "type", "subject", "organ", "level", "urgency")


# --- what is wanted, and what there is ------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Wanted:
    """An export as it was asked for."""

    text: str
    filters: Filters
    order: Order
    form: Form
    columns: Sequence[str] = USUAL
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """What was found for one person, in order: ids, how many are classified (by id), the highest level, the total.

    The level is that of all the file names: of dossiers, too.

    `total` may be more than the ids: a file holds only so many.
    """

    ids: Sequence[int]
    secret: Sequence[int]
    level: Level
    total: int


def rows_for(wanted: Wanted, person: Person) -> Rows:
    """Return which dispatches a file would hold for this person now.

    Raises:
        EngineAway: the search server does not answer.
    """
    query = parse(wanted.text)
    ids, secret, highest = [], [], int(Level.THUONG)
    most = wanted.form.most
    for found in finding.every(query, person, filters=wanted.filters, order=wanted.order, limit=most):
        ids.append(found.record.pk)
        if found.record.level > Level.THUONG:
            secret.append(found.record.pk)
            highest = max(highest, found.record.level)
    # The total of the page of hits: what the index wrongly opens is not in it either.
    total = finding.find(query, person, filters=wanted.filters, order=wanted.order, offset=0).total
    level = max(Level(highest), _level_of_dossiers(wanted, ids, person))
    return Rows(tuple(ids), tuple(secret), level, max(total, len(ids)))


def _level_of_dossiers(wanted: Wanted, ids: Sequence[int], person: Person) -> Level:
    """Return the highest level of the dossiers that a file names, in its lines or as what was asked."""
    known = dossiers.visible_dossiers(person)
    named = [known.filter(key__in=wanted.filters.get("dossier", ()))]
    if OF_DOSSIERS & set(wanted.columns):
        named += [known.filter(items__record__in=ids[at : at + BATCH]) for at in range(0, len(ids), BATCH)]
    return max(Level(each.aggregate(level=Max("level"))["level"] or 0) for each in named)


# --- the act -------------------------------------------------------------------------------------
@transaction.atomic
def begin(wanted: Wanted, rows: Rows, *, actor: Person) -> Print:
    """Write the export to the log and return what the file says of its own making, its copy number included.

    Raises:
        Forbidden: the post does not include exporting.
        NothingFound, ReasonNeeded, TooManySecret, TooOften: as named.
    """
    access.require(actor, Action.SEARCH_EXPORT)
    _fits(wanted, rows, actor)
    details = {
        "form": str(wanted.form),
        "text": wanted.text,
        "filters": {name: list(values) for name, values in wanted.filters.items()},
        "columns": list(wanted.columns),
        "count": len(rows.ids),
        "level": rows.level.slug,
    }
    # Whoever exports now waits here for the other one: no two copies have one number.
    copy = chains.last_of(ALL_FILES.type, ALL_FILES.id)[0] + 1
    about = Subject(ALL_FILES.type, ALL_FILES.id, level=rows.level)
    entry = lists_out.written(
        Action.SEARCH_EXPORT,
        about=about,
        lines=rows.secret,
        copy=copy,
        actor=actor,
        reason=wanted.reason,
        details=details,
    )
    return Print(rows.level, actor, timezone.localtime(entry.ts), copy)


def _fits(wanted: Wanted, rows: Rows, actor: Person) -> None:
    if not rows.ids:
        raise NothingFound
    if len(rows.secret) > SECRET_ROWS:
        raise TooManySecret(count=len(rows.secret), most=SECRET_ROWS)
    if rows.level > Level.THUONG and not wanted.reason.strip():
        raise ReasonNeeded(level=rows.level.label)
    lately = AuditEntry.objects.filter(
        actor=actor,
        ts__gte=timezone.now() - timedelta(hours=1),
        action=str(Action.SEARCH_EXPORT),
        object_type=ALL_FILES.type,
        outcome="ok",
    )
    if lately.count() >= PER_HOUR:
        raise TooOften(most=PER_HOUR)


# --- the lines ------------------------------------------------------------------------------------
def lines(rows: Rows, columns: Sequence[str], person: Person) -> Iterator[list[str]]:
    """Yield the cells of each dispatch, checked again as it is read, in Vietnamese as every paper of the office.

    Left out: what the database no longer opens to the person, what was raised above the level
    that stands on the file, and what was raised from the lowest one: no entry of its own names it.
    """
    for start in range(0, len(rows.ids), BATCH):
        yield from _batch(rows, rows.ids[start : start + BATCH], columns, person)


def _batch(rows: Rows, ids: Sequence[int], columns: Sequence[str], person: Person) -> list[list[str]]:
    on_file = Q(level=Level.THUONG) | Q(level__lte=rows.level, pk__in=set(ids) & set(rows.secret))
    known = access.visible_to(person).opens(ids).filter(on_file).select_related("unit", "number__register")
    opened = known.in_bulk(ids)
    filed = _dossiers(opened, rows.level, person) if OF_DOSSIERS & set(columns) else {}
    with translation.override(TONGUE):
        return [[COLUMNS[name].cell(opened[pk], filed.get(pk)) for name in columns] for pk in ids if pk in opened]


def _dossiers(records: Mapping[int, Record], level: Level, person: Person) -> dict[int, Dossier]:
    """Return the dossier in which each lies, as far as the person may know of it and the level on the file allows."""
    known = dossiers.visible_dossiers(person).filter(level__lte=level)
    items = DossierItem.objects.filter(record__in=records, dossier__in=known).select_related("dossier__rule")
    return {item.record_id: item.dossier for item in items.order_by("-filed_at")}


def heads(columns: Sequence[str]) -> list[str]:
    """Return the heads of the columns, in Vietnamese."""
    with translation.override(TONGUE):
        return [str(COLUMNS[name].label) for name in columns]
