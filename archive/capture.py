"""The draft of a dispatch: sealed objects, page ranges and proposals become one record.

A draft is seen by the intake desk alone, at the highest plausible level, until a clerk
registers it (`archive.registration`) or returns it. Nothing is read or sealed here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from django.db import transaction
from django.utils import timezone

from archive import access, audit, manifests, settling, store
from archive.models import DigitalObject, Page, Person, Record, Unit
from archive.models.record import Direction
from archive.rules.levels import Level
from archive.rules.proposal import Guess, Suggestion
from archive.rules.roles import Action


@dataclass(frozen=True, slots=True)
class PageRanges:
    """One page of the pack: (start, length) in bytes of image, thumbnail and text; sizes in pixels."""

    number: int
    width: int
    height: int
    image: tuple[int, int]
    thumb: tuple[int, int]
    text: tuple[int, int]
    source: str
    confidence: int
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Captured:
    """What the pipeline hands over: sealed objects, page ranges, and what the machine proposes."""

    unit: Unit
    suggestion: Suggestion
    original: DigitalObject
    pack: DigitalObject | None
    pages: Sequence[PageRanges] = ()
    proposal: dict[str, Guess] = field(default_factory=dict)
    flags: Sequence[str] = ()
    direction: str = Direction.INCOMING
    channel: str = ""
    medium: str = "paper"


@transaction.atomic
def capture(captured: Captured, *, actor: Person) -> Record:
    """Make the draft record of a scan: on the intake desk, at the highest plausible level.

    Raises:
        Forbidden: the actor may not hand dispatches in.
    """
    access.require(actor, Action.RECORD_CAPTURE)
    suggestion = captured.suggestion
    record = Record.objects.create(
        level=suggestion.plausible,
        initial_level=suggestion.plausible,
        declared_level=suggestion.declared,
        proposed_level=suggestion.level,
        direction=captured.direction,
        unit=captured.unit,
        page_amount=len(captured.pages),
        channel=captured.channel,
        medium=captured.medium,
        proposal={name: guess.to_json() for name, guess in captured.proposal.items()},
        evidence=[sign.to_json() for sign in suggestion.evidence],
        flags=list(captured.flags),
        created_at=timezone.now(),
        created_by=actor,
    )
    _attach(record, captured)
    access.derive(record)
    details = {"sha256": captured.original.sha256}
    audit.write(Action.RECORD_CAPTURE, actor=actor, subject=record, details=details, made=[record])
    return record


def _attach(record: Record, captured: Captured) -> None:
    addresses = [thing.address for thing in (captured.original, captured.pack) if thing]
    DigitalObject.objects.filter(address__in=addresses).update(record=record)
    relevel(record)
    add_pages(record, captured)
    manifests.settle(record)


def add_pages(record: Record, captured: Captured, *, before: int = 0) -> None:
    """Write the rows of a file's pages, numbered after those that the record has already."""
    if captured.pack is None:
        return
    Page.objects.bulk_create(
        Page(
            record=record,
            number=before + page.number,
            pack=captured.pack,
            width=page.width,
            height=page.height,
            image_start=page.image[0],
            image_length=page.image[1],
            thumb_start=page.thumb[0],
            thumb_length=page.thumb[1],
            text_start=page.text[0],
            text_length=page.text[1],
            source=page.source,
            confidence=page.confidence,
            flags=list(page.flags),
        )
        for page in captured.pages
    )


def relevel(record: Record) -> None:
    """Bring the record's sealed objects to its level, in the act's transaction.

    A key goes up before the commit and down only after it: whenever the power fails, an object
    lies under a key of its row's level or above, never below. The vault is no part of the transaction. What then
    fails, or is cut off, is brought down later (`archive.leveling.keys.look_over`).
    """
    level = Level(record.level)
    lying = dict(record.sealed_objects.values_list("address", "level"))
    _rewrap([address for address, old in lying.items() if old < level], level)
    record.sealed_objects.update(level=level)
    settling.note(address for address, old in lying.items() if old != level)
    if any(old > level for old in lying.values()):
        transaction.on_commit(partial(_bring_down, record.pk), robust=True)


def _bring_down(record: int) -> None:
    """Bring the keys of a record to its level of now, under its lock: somebody may have raised it since the commit."""
    with transaction.atomic():
        locked = Record.objects.select_for_update(of=("self",)).get(pk=record)
        _rewrap(list(locked.sealed_objects.values_list("address", flat=True)), Level(locked.level))


def _rewrap(addresses: Sequence[str], level: Level) -> None:
    for address in addresses:
        store.relevel(address, to=level)
