"""What the gates of one run share: the judges' environments, how thorough to be, and the served offices."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from config.gates.office import Served, filled, served
from config.gates.tools import Tools


@dataclass
class Desk:
    """One run of the gates."""

    tools: Tools
    folder: Path
    open: ExitStack
    minutes: float = 1.0
    dispatches: int = 24
    homes: dict[str, dict[str, str]] = field(default_factory=dict)
    offices: dict[tuple[str, bool], Served] = field(default_factory=dict)

    def office(self, *, planted: bool = False, address: str = "") -> Served:
        """Return the served office, filled when first asked for; the planted one has faults on purpose."""
        name = "postgresql" if address else "whole"
        if name not in self.homes:
            home = filled(self.folder / name, dispatches=self.dispatches, database=address)
            self.homes[name] = self.open.enter_context(home)
        if (name, planted) not in self.offices:
            self.offices[name, planted] = self.open.enter_context(served(self.homes[name], planted=planted))
        return self.offices[name, planted]
