"""Whether this machine has a way out of its building: the routes of the kernel and the addresses of its servers.

Looked at under the independent-LAN profile alone, by every command and again at each start; no
setting switches it off. It reads two files of the kernel and resolves configured names; nothing is sent to test a way out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's own name
from django.db import connection

from archive.rules.errors import Refusal
from config import declaring, endpoints

ROUTES4: Final = Path("/proc/net/route")
ROUTES6: Final = Path("/proc/net/ipv6_route")  # missing where the kernel speaks no IPv6
UP: Final = 0x1
REJECT: Final = 0x200
# Whoever splits "everywhere" into two or more halves (0.0.0.0/1, 2000::/3) has a default route all the same.
NARROWEST: Final = 4  # bits; the widest private networks have 7 (fc00::/7) and 8 (10.0.0.0/8), multicast 4


@register(Tags.security)
def network(**_kwargs: Any) -> list[CheckMessage]:
    """Refuse a machine with a way out, or with a server outside."""
    return list(faults()) if settings.PROFILE == declaring.PROFILE else []


@register()
def declaration(**_kwargs: Any) -> list[CheckMessage]:
    """Refuse every command without a declaration; an expired one stops the start alone, so that backups go on."""
    was_open = connection.connection is not None
    try:
        declaring.require()
    except declaring.Expired as refusal:
        return [Warning(f"{refusal.code}: {refusal}", id="vankho.W055")]
    except Refusal as refusal:
        return [Error(f"{refusal.code}: {refusal}", id="vankho.E055")]
    finally:
        if not was_open:
            connection.close()
    return []


def faults() -> Iterator[CheckMessage]:
    """Yield what joins this machine to a public network."""
    for endpoint in endpoints.configured():
        if not endpoints.is_near(endpoint.host):
            yield endpoints.public_fault(endpoint)
    try:
        ways = [*_ways4(ROUTES4.read_text(encoding="ascii")), *_ways6(_text6())]
    except (OSError, ValueError, IndexError):
        hint = "Mount /proc for this process; without it nobody can tell whether the machine has a way out."
        yield Error("The routes of this machine cannot be read.", hint=hint, id="vankho.E054")
        return
    for way in dict.fromkeys(ways):
        hint = (
            "Take the gateway out of the network settings of this machine, unplug any line that leaves the building, and "
            "start again (ip route del default; ip -6 route del default). A container needs a network with internal: true."
        )
        yield Error(
            f"This machine has a default route through {way}: it is not independent.", hint=hint, id="vankho.E053"
        )


def _text6() -> str:
    try:
        return ROUTES6.read_text(encoding="ascii")
    except FileNotFoundError:
        return ""


def _ways4(text: str) -> Iterator[str]:
    """Yield the interfaces of default routes in the form of /proc/net/route."""
    for line in text.splitlines()[1:]:
        parts = line.split()
        flags, mask = int(parts[3], 16), int(parts[7], 16)
        if mask.bit_count() < NARROWEST and flags & UP and not flags & REJECT:
            yield parts[0]


def _ways6(text: str) -> Iterator[str]:
    """Yield the interfaces of default routes in the form of /proc/net/ipv6_route."""
    for line in text.splitlines():
        parts = line.split()
        flags, bits = int(parts[8], 16), int(parts[1], 16)
        if bits < NARROWEST and flags & UP and not flags & REJECT and parts[9] != "lo":
            yield parts[9]
