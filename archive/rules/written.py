"""What the bytes of an entry say, if a program of this office can have written them. Pure.

The running role of the database may put rows into the log. What such a row holds is nothing
that a page, an export or an act may fall over: it would hide all other entries.
"""

import json
from typing import Any

from archive.rules.levels import Level


def octets(kept: object) -> bytes:
    """Return the bytes of a value that a column of bytes holds: of text its UTF-8, of what is neither none.

    SQLite keeps in any column what SQL puts there.
    """
    if isinstance(kept, str):
        return kept.encode(errors="surrogatepass")
    return bytes(kept) if isinstance(kept, bytes | memoryview) else b""


def said(body: bytes) -> dict[str, Any] | None:
    """Return what an entry says, None if its bytes are in no form of this log. Whether they were changed its hash tells."""
    try:
        told: dict[str, Any] = json.loads(body)
        actor, about = told["actor"], told["object"]
        texts = [told["reason"], told["details_h"], actor["name"], actor["roles"], told["src"]["ip"]]
        "".join([*texts, about["type"], about["no"], about["id"]]).encode()
        is_whole = type(actor["id"]) is int and actor["clearance"] in list(Level)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return told if is_whole else None
