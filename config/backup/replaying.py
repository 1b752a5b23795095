"""Destructions that a backup does not know, told by a newer log: what was destroyed stays so, whatever the vault copy says.

The newest vault copy may be older than the last destruction. An export of the log with its
details (`manage.py export_log --details`), named with --heads, is held against its signed head
and read from where the backup ends: each entry of an act that destroyed content names the objects.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from archive.forgetting import DESTROYED
from archive.rules.roles import Action
from archive.verifier import verify

DETAILS: Final = "details.jsonl"
FOUND: Final = {str(Action.RESTORE): "addresses"}  # the same, of a restore that found them destroyed


def destroyed_since(places: Iterable[Path], *, key: str, size: int) -> frozenset[str]:
    """Return the addresses of objects that a newer log tells to be destroyed.

    Args:
        places: where heads are kept; those that are exports with details are read.
        key: public key of the log.
        size: entries that the backup knows.

    Raises:
        verify.Tampered: an export is not what its head stands for.
    """
    exports = [place for place in places if (place / DETAILS).is_file()]
    return frozenset(address for place in exports for address in _told(place, key, size))


def _told(place: Path, key: str, size: int) -> Iterator[str]:
    verify.verify(str(place), key, details=True)
    export = verify.Export(str(place))
    acts = dict(_acts(export, verify.open_note(export.read("checkpoint") or b"", key).size, size))
    for entry_id, _salt, payload in export.details():
        if entry_id in acts and isinstance(payload, dict):
            yield from _addresses(payload.get(FOUND.get(acts[entry_id], DESTROYED)))


def _acts(export: verify.Export, end: int, start: int) -> Iterator[tuple[str, str]]:
    """Yield (entry id, act) of the entries from a place on that were done."""
    for number, width in verify.widths(end):
        first = number * verify.WIDTH
        if first + width <= start:
            continue
        for index, body in enumerate(export.bundle(number, width), start=first):
            entry = json.loads(body)
            if index >= start and entry["outcome"] == "ok":
                yield entry["id"], entry["action"]


def _addresses(told: Any) -> list[str]:
    return [str(address) for address in told] if isinstance(told, list) else []
