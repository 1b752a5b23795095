"""testssl or sslyze on the compose stack: only TLS 1.2 and later, no weak cipher."""

from config.gates.desk import Desk
from config.gates.outcome import NotRun, Outcome


def gate(_desk: Desk) -> Outcome:
    """Say why it is not run: the product ends no TLS itself, a proxy of the office's choice does (docker-compose.yml)."""
    raise NotRun("no part of docker-compose.yml ends TLS: a proxy of the office's choice does, and none is shipped")
