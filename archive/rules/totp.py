"""Codes of six figures that change every 30 seconds (RFC 6238 with SHA-1), as every authenticator app makes them."""

import base64
import hashlib
import hmac
from typing import Final
from urllib.parse import quote, urlencode

STEP_SECONDS: Final = 30
DIGITS: Final = 6
SECRET_BYTES: Final = 20
DRIFT: Final = 1  # steps that a clock may be wrong by, either way


def code_at(secret: bytes, step: int) -> str:
    """Return the code of a step (seconds since 1970 / 30)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def matching_step(secret: bytes, code: str, *, seconds: float, after: int) -> int | None:
    """Return the step whose code was given, at a moment in seconds since 1970; None if there is none later than `after`.

    Every step is compared in constant time; a step at or before `after` was used already.
    """
    now, found = int(seconds) // STEP_SECONDS, None
    for step in range(max(now - DRIFT, 0), now + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()) and step > after:
            found = step
    return found


def groups(secret: bytes) -> str:
    """Return the secret as a person types it: base32 in groups of four."""
    plain = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))


def address(secret: bytes, *, issuer: str, account: str) -> str:
    """Return the otpauth address that an authenticator app understands."""
    asked = urlencode({"secret": groups(secret).replace(" ", ""), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{asked}"
