"""Dates before which the objects of closed dossiers may not be removed, written onto the medium itself.

Where the bucket has object lock, what is stored for a closed dossier is locked until the day
the schedule allows a disposal; permanent dossiers for `PERMANENT_YEARS`, renewed as time
goes. What a hold covers is locked as long as the hold stands, whatever the schedule says, for `HELD` and renewed in
the same way. The rows stay the truth: a lock is a second hurdle for whoever holds the bucket's
account. It is never shortened, and lawful destruction lifts it (governance mode). Every
sweep looks at what was closed lately and at one part in `PARTS` of the rest, so each dossier
comes up once a month and a killed or failed sweep loses nothing.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import Final

from django.db.models import F, Q
from django.db.models.functions import Mod
from django.utils import timezone

from archive import retention, store
from archive.models import DigitalObject, Dossier, HoldItem
from archive.rules import periods
from archive.store import Store
from archive.stores import chosen
from archive.stores.port import object_id
from archive.stores.refusals import MissingObject

SWEEP_SECONDS: Final = 6 * 3600.0
LATELY: Final = timedelta(days=3)
PARTS: Final = 30  # one a day
PERMANENT_YEARS: Final = 10
HELD: Final = timedelta(days=400)  # what is on hold, renewed once a month; a hold has no end of its own
log = logging.getLogger("vankho.locking")


def sweep() -> int:
    """Lock the objects of the closed dossiers and of the holds whose turn it is; return how many. Raises StoreFailed."""
    place, locked = store.configured(), 0
    for address, until in chain(_of_dossiers(), _of_holds()):
        try:
            if _lock(place, address, until):
                locked += 1
            elif not chosen.has_places():
                return 0  # this medium has no locks
        except MissingObject:
            log.error("the stored file %s is missing", address)  # noqa: TRY400 - the address says all
    return locked


def _lock(place: Store, address: str, until: datetime) -> bool:
    """Lock an object, and as what it was sealed anew since its row was read; return whether it is locked.

    Where its row still stands after this, whoever seals it anew finds the lock before removing it, and takes it over.
    Raises MissingObject, StoreFailed.
    """
    try:
        is_locked = place.retain(address, until)
    except MissingObject:
        if (now := _sealed_anew(place, address)) is None:
            raise
        return _lock(place, now, until)
    now = _sealed_anew(place, address) if is_locked else None
    return is_locked if now is None else _lock(place, now, until)


def _sealed_anew(place: Store, address: str) -> str | None:
    """Return as what an object was sealed anew, None for one that a row names, or that is gone."""
    if DigitalObject.objects.filter(address=address).exists():
        return None
    now = place.vault.resealed.next_of(object_id(address))
    return None if now is None else now.hex()


def _of_dossiers() -> Iterator[tuple[str, datetime]]:
    for dossier in _whose_turn_it_is():
        if (until := until_of(dossier)) is not None:
            yield from ((address, until) for address in _addresses_of(dossier))


def _of_holds() -> Iterator[tuple[str, datetime]]:
    """Yield what holds cover, open dossiers and single dispatches too: all of a new hold, of the others a part."""
    until = _midnight(timezone.localdate() + HELD)
    turn = Q(part=timezone.localdate().toordinal() % PARTS) | Q(hold__placed_at__gte=timezone.now() - LATELY)
    held = HoldItem.objects.filter(hold__lifted_at__isnull=True).annotate(part=Mod(F("pk"), PARTS)).filter(turn)
    covered = Q(record__in=held.values("record")) | Q(record__filings__dossier__in=held.values("dossier"))
    stored = DigitalObject.objects.filter(covered).order_by("address").values_list("address", flat=True)
    yield from ((address, until) for address in stored.distinct().iterator())


def _whose_turn_it_is() -> Iterator[Dossier]:
    lately = Q(closed_at__gte=timezone.now() - LATELY)
    turn = Q(part=timezone.localdate().toordinal() % PARTS)
    closed = Dossier.objects.filter(closed_at__isnull=False).annotate(part=Mod(F("pk"), PARTS))
    return closed.filter(lately | turn).select_related("rule").order_by("pk").iterator()


def until_of(dossier: Dossier) -> datetime | None:
    """Return the end of the lock (UTC): the first day a disposal may be proposed; None where no day lies ahead."""
    outcome = retention.outcome_of(dossier, is_held=False)
    today = timezone.localdate()
    if outcome.action is periods.Action.KEEP:
        return _midnight(date(today.year + PERMANENT_YEARS, 1, 1))
    if outcome.due_on is None or outcome.due_on <= today:
        return None
    return _midnight(outcome.due_on)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time())).astimezone(UTC)


def _addresses_of(dossier: Dossier) -> Iterator[str]:
    stored = DigitalObject.objects.filter(record__filings__dossier=dossier).order_by("address")
    return stored.values_list("address", flat=True).iterator()
