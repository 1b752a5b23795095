"""What this office is called: on the rail, at the head of printed forms and of files that are taken out.

One place decides. What the settings say comes first; otherwise the name is that of the root of the units, which
`manage.py found` gave, in capitals as at the head of a dispatch. Only the invented office of an evaluation is called
as the sample is. A renamed root is called by its new name within a minute.
"""

import time
from typing import Final, NamedTuple

from django.conf import settings
from django.db import DatabaseError

from archive.models import Unit

KEPT_SECONDS: Final = 60.0  # every page asks; a name changes once in years


class Called(NamedTuple):
    """The two lines at the head; the body above may be empty."""

    parent: str
    name: str

    @property
    def line(self) -> str:
        """Both in one line."""
        return " - ".join(filter(None, self))


SAMPLE: Final = Called("QUÂN KHU 9", "BỘ CHQS TỈNH VĨNH LONG")


class _Kept:
    """The name of the root as it was read last."""

    name, until = "", 0.0


def called() -> Called:
    """Return what this office is called. Raises DatabaseError."""
    name = settings.OFFICE_NAME or _root()
    is_sample = settings.PROFILE == "evaluation" and name in {"", SAMPLE.name}
    return Called(settings.OFFICE_PARENT or (SAMPLE.parent if is_sample else ""), SAMPLE.name if is_sample else name)


def shown() -> Called:
    """Return the same for a page, which must be drawn while the database is away, too."""
    try:
        return called()
    except DatabaseError:
        return Called(settings.OFFICE_PARENT, settings.OFFICE_NAME)


def forget() -> None:
    """Read the name of the root anew at the next look."""
    _Kept.until = 0.0


def _root() -> str:
    if time.monotonic() >= _Kept.until:
        found = Unit.objects.filter(parent=None).order_by("path").values_list("name", flat=True).first()
        _Kept.name = (found or "").upper()
        _Kept.until = time.monotonic() + KEPT_SECONDS if found else 0.0
    return _Kept.name
