"""Whether a host is this machine's own loopback, the one place where nothing need be sealed."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether a host of an address is loopback, by number or as `localhost`; other names are not resolved."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
