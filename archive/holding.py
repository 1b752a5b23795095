"""What keeps a record as it is: a hold over it, or that its paper alone is kept. Acts that these stop ask here.

Placing and lifting a hold is `archive.retention`, registering a paper `archive.papers`.
"""

from django.db.models import Q

from archive.models import Hold, PaperStub, Record


def is_held(record: Record) -> bool:
    """Return whether an active hold covers a record, itself or through a dossier, known to the person acting or not."""
    on_it = Q(items__record=record) | Q(items__dossier__items__record=record)
    return Hold.objects.filter(on_it, lifted_at__isnull=True).exists()


def is_stub(record: Record) -> bool:
    """Return whether a record is kept on paper alone."""
    return PaperStub.objects.filter(record=record, ended_at__isnull=True).exists()
