"""The account of an office on a test server that asks who is there, with the role that compose gives it.

Used by config/engine: `python -m config.tests.elastic_account URL`, the URL with the server's own account; prints the
address to be used. The role is read from the file that compose mounts.
"""

import json
import secrets
import sys
import urllib.request
from base64 import b64encode
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from config.tests.compose import load

ROLES = Path(__file__).resolve().parents[1] / "docker" / "elasticsearch-roles.yml"


def make(address: str) -> str:
    """Make role and account on a server; return its address with that account."""
    parts = urlsplit(address)
    host, password = parts.netloc.rpartition("@")[2], secrets.token_hex(16)
    named = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    ((name, role),) = load(ROLES.read_text(encoding="utf-8")).items()
    for path, body in ((f"role/{name}", role), (f"user/{name}", {"password": password, "roles": [name]})):
        request = urllib.request.Request(  # noqa: S310 - the address of our own test server
            f"{parts.scheme}://{host}/_security/{path}",
            data=json.dumps(body).encode(),
            headers={
                "Authorization": f"Basic {b64encode(named.encode()).decode()}",
                "Content-Type": "application/json",
            },
            method="PUT",
        )
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310 - as above
            pass
    return urlunsplit((parts.scheme, f"{name}:{password}@{host}", parts.path, "", ""))


if __name__ == "__main__":
    sys.stdout.write(make(sys.argv[1]) + "\n")
