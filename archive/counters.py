"""Does the counter of a book say what its numbers give? The nightly look at what lies under no digest.

A counter moves with every registration and is told by the numbers of its book, which lie
under digests: given or void, and those that a restore left void. Changes nothing.
"""

from collections.abc import Iterator

from django.db import transaction
from django.db.models import F, Sum

from archive.models import PaperCheck, RegisterCounter, RegisterNumber
from archive.vouching import Fault


def faults() -> Iterator[Fault]:
    """Yield every counter that is not what its numbers give: a number would be given twice, or never."""
    for pk in RegisterCounter.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():  # under its lock: a registration may be under way
            counter = RegisterCounter.objects.select_for_update(of=("self",)).select_related("register").get(pk=pk)
            given = standing(counter)
            if given != counter.last:
                what = f"its last number is {counter.last}, its numbers give {given}"
                yield Fault("registercounter", f"{counter.register_id} {counter.year}", what)


def standing(counter: RegisterCounter) -> int:
    """Return how many numbers of a book up to its last one are accounted for: given, void, or lost with a restore."""
    of_book = {"register": counter.register_id, "year": counter.year}
    lost = PaperCheck.objects.filter(**of_book, on_paper__gt=F("kept")).aggregate(n=Sum(F("on_paper") - F("kept")))["n"]
    return RegisterNumber.objects.filter(**of_book, number__lte=counter.last).count() + (lost or 0)
