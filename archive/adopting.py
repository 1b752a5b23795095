"""Adopting rows that no act made under digests: an office older than these has such rows, and was never in order.

A security officer lets the log say, batch by batch, how each of them stands today; from then
on an edit is found. What a row was before nobody can prove, and the words say so. A row whose digest is
older than one of its columns gets a whole one the same way. Never adopted: a row whose digest says
something else, one made since the office keeps digests, and any row at all while a digest is missing that
an entry commits to - whose it was is not told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, Min, Model, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from archive import access, audit, digests, manifests, publishing, vouching, watched
from archive.models import AuditRow, Person, Record
from archive.rules.errors import Refusal
from archive.rules.roles import Action

BATCH: Final = 200  # rows of one entry: its details name each
# When a row of a kind was made, and the acts that make one: what is younger than the first digest has one. A kind that
# is not named here came after digests: of it no row is old. Kinds that existed before, and came under digests later than
# the first, have a beginning of their own: the first digest of one.
MADE_AT: Final = {
    "record": "created_at",
    "clearance": "since",
    "grant": "since",
    "personrole": "since",
    "unitscope": "since",
    "registernumber": "allotted_at",
    "servicetoken": "since",
    "secondfactor": "enrolled_at",
    "step": "created_at",
    "levelchange": "done_at",
    "levelproposal": "proposed_at",
    "copy": "made_at",
    "attachment": "added_at",
    "attachmentvoid": "voided_at",
    "paperplace": "written_at",
    "dossieritem": "filed_at",
    "hold": "placed_at",
    "papercheck": "asked_at",
    "restoration": "restored_at",
}
# Old kinds whose rows tell no moment.
LAID_DOWN: Final = frozenset({"protectionperiod", "retentionrule", "recordclass", "holiday", "register"})
UNDATED: Final = LAID_DOWN | {
    "clearancemark", "markgroup", "mark", "marking", "markingmark", "unit", "person", "levelnotice", "dossier", "holditem",
}  # fmt: skip
LATER: Final = frozenset(
    {"unit", "person", "step", "marking", "levelchange", "levelproposal", "levelnotice", "copy", "attachment",
     "attachmentvoid", "paperplace", "dossier", "dossieritem", "hold", "holditem", "papercheck", "restoration"}
) | LAID_DOWN  # fmt: skip
MADE_BY: Final = {
    "person": (Action.PERSON_ADD,),
    "unit": (Action.UNIT_ADD,),
    "record": (Action.RECORD_CAPTURE,),
    "clearance": (Action.CLEARANCE_GIVE, Action.CLEARANCE_EXTEND),
    "registernumber": (Action.RECORD_REGISTER,),
    "servicetoken": (Action.TOKEN_GIVE,),
    "clearancemark": (Action.CLEARANCE_GIVE, Action.CLEARANCE_EXTEND),
    "mark": (Action.MARK_ADD,),
    "personrole": (Action.POST_GIVE,),
    "unitscope": (Action.SCOPE_GIVE,),
    "marking": (Action.RECORD_MARK,),
    "levelchange": (Action.RECORD_REGISTER, Action.RECORD_LEVEL, Action.LEVEL_EXTEND, Action.LEVEL_REVIEW),
    "levelproposal": (Action.LEVEL_PROPOSE,),
    "levelnotice": (Action.RECORD_LEVEL, Action.LEVEL_EXTEND),
    "copy": (Action.RECORD_PAGE, Action.RECORD_PRINT, Action.RECORD_ORIGINAL),
    "paperplace": (Action.RECORD_REGISTER, Action.PAPER_MOVE),
    "retentionrule": (Action.PERIOD_ADD, Action.PERIOD_CHANGE),
    "recordclass": (Action.PLAN_ADD, Action.PLAN_BEGIN),
    "holiday": (Action.DAY_ADD,),
    "register": (Action.BOOK_OPEN,),
    "protectionperiod": (Action.PROTECTION_ADD,),
    "dossier": (Action.DOSSIER_OPEN,),
    "dossieritem": (Action.DOSSIER_FILE,),
    "hold": (Action.HOLD_PLACE,),
    "holditem": (Action.HOLD_PLACE,),
}


class DigestsMissing(Refusal):
    """LOG-002: digests were removed or changed; what a row was by its act cannot be told apart from what was put in."""

    code = "LOG-002"
    message = _(
        "Digests of rows that entries of the log commit to were removed or changed (%(first)s). No row is adopted while "
        "this is so: one whose digest was removed would pass for an old one. Keep the database as it is and tell the "
        "security officer; a backup from before holds the digests."
    )


class NoReason(Refusal):
    """LOG-003: who adopts rows says on what ground."""

    code = "LOG-003"
    message = _("Say on what ground the rows are adopted: the decision, and what they were compared with.")


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not adopted, and why."""

    kind: str
    pk: int
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of one kind without a digest: those that can be adopted, those that are not."""

    kind: str
    rows: tuple[int, ...]
    refused: tuple[Refused, ...]


def found() -> list[Found]:
    """Return what can be adopted and what cannot, by kind; changes nothing.

    Raises:
        DigestsMissing: as named.
        LogShorter, verify.Tampered, OSError: the log itself is not in order (`publishing.checked`).
    """
    publishing.checked()
    fault = next((one for one in vouching.faults() if "digests of rows" in one.what), None)
    if fault is not None:
        raise DigestsMissing(first=fault)
    began = _began(AuditRow.objects.all())
    return [
        _of_kind(name, _began(AuditRow.objects.filter(kind=name)) if name in LATER else began)
        for name in watched.WATCHED
    ]


def _began(kept: QuerySet[AuditRow]) -> datetime | None:
    """Return when an act first left one of these digests."""
    first: datetime | None = kept.exclude(entry__action=Action.ROWS_ADOPT).aggregate(began=Min("entry__ts"))["began"]
    return first


def _of_kind(name: str, began: datetime | None) -> Found:
    left = list(_undigested(name).order_by("pk").values_list("pk", flat=True))
    young = set(left) if name not in {*MADE_AT, *UNDATED} else _young(name, began)
    narrow = list(_narrow(name).order_by("pk").values_list("pk", flat=True))
    moved = _moved(name, narrow)
    refused = [Refused(name, pk, "made since digests are kept, and by no act") for pk in left if pk in young]
    refused += [Refused(name, pk, "not what its digest says") for pk in narrow if pk in moved]
    return Found(name, tuple(pk for pk in left + narrow if pk not in young | moved), tuple(refused))


def _young(name: str, began: datetime | None) -> set[int]:
    """Return the rows of an old kind without a digest that came after the first digests: by their day, or by their number."""
    # An office that was founded under digests of a kind has no old row of it.
    made = AuditRow.objects.filter(kind=name, entry__action__in=(*MADE_BY.get(name, ()), Action.FOUND))
    first_made = made.aggregate(first=Min("row_id"))["first"]
    later = Q(pk__gte=first_made) if first_made is not None else Q()
    if began is not None and name in MADE_AT:
        later |= Q(**{f"{MADE_AT[name]}__gt": began})
    return set(_undigested(name).filter(later).values_list("pk", flat=True)) if later else set()


def _undigested(name: str) -> QuerySet[Any]:
    kept = AuditRow.objects.filter(kind=name, row_id=OuterRef("pk"))
    return watched.WATCHED[name]._base_manager.filter(~Exists(kept))  # noqa: SLF001 - Django's API


def _narrow(name: str) -> QuerySet[Any]:
    """Return the rows whose last digest leaves out a column that came with a later version, or binds an empty manifest.

    An act that meets a dispatch of before manifests leaves a whole digest of it, and no manifest.
    """
    model = watched.WATCHED[name]
    last = AuditRow.objects.filter(kind=name, row_id=OuterRef("pk")).order_by("-id").values("columns")[:1]
    told = model._base_manager.annotate(told=Subquery(last)).filter(told__gt="")  # noqa: SLF001 - Django's API
    lacking = ~Q(told=" ".join(digests.columns_of(model)))
    return told.filter(lacking | Q(manifest=None) if model is Record else lacking)


def _moved(name: str, ids: Sequence[int]) -> set[int]:
    """Return which of these rows are not what their last digests say."""
    read = digests.read(watched.WATCHED[name], ids)
    return {pk for pk, state, last in read if state and last and digests.differing(state, last)}


def adopt(what: Found, *, reason: str, actor: Person) -> Iterator[int]:
    """Adopt the rows of one kind; yield after each batch how many. Each batch has its entry and its signed head.

    Raises:
        Forbidden: the actor is no security officer.
        NoReason, DigestsMissing: as named.
    """
    access.require(actor, Action.ROWS_ADOPT)
    if not reason.strip():
        raise NoReason
    for start in range(0, len(what.rows), BATCH):
        yield _adopt(what.kind, what.rows[start : start + BATCH], reason.strip(), actor)


@transaction.atomic
def _adopt(name: str, ids: tuple[int, ...], reason: str, actor: Person) -> int:
    """Adopt one batch under the locks of its rows: an act that was there first has left a digest, and keeps its row."""
    rows_of: QuerySet[Any] = watched.WATCHED[name]._base_manager.filter(pk__in=ids).order_by("pk")  # noqa: SLF001 - Django's API
    locked: list[Model] = list(rows_of if name in watched.WRITTEN_ONCE else rows_of.select_for_update(of=("self",)))
    narrow = set(_narrow(name).filter(pk__in=ids).values_list("pk", flat=True))
    taken = set(AuditRow.objects.filter(kind=name, row_id__in=ids).values_list("row_id", flat=True)) - narrow
    rows = [row for row in locked if row.pk not in taken | _moved(name, [*narrow])]
    for row in rows:
        if isinstance(row, Record) and not row.manifest:
            manifests.settle(row)
    if rows:
        details = {"kind": name, "rows": [row.pk for row in rows]}
        audit.write(Action.ROWS_ADOPT, actor=actor, reason=reason, details=details, made=rows)
    return len(rows)


def laid_down() -> list[Model]:
    """Return what the program's own migrations wrote and no entry bears out yet, while the office holds no dispatch.

    The first start of an installation bears it out; of an older office an officer adopts it like everything else.
    """
    if Record.objects.exists():
        return []
    return [*_undigested("marking").filter(name=""), *_undigested("protectionperiod")]


def adopted() -> int:
    """Return how many rows stand in the log only since they were adopted."""
    return AuditRow.objects.filter(entry__action=Action.ROWS_ADOPT).count()
