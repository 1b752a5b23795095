"""What the gates of one run share: the judges' environments, how thorough to be, and the filled offices.

Each gate, and each post where a gate asks for it, is served an office of its own: a judge who acts voids dispatches,
lowers clearances and ends sessions.
"""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from config.gates.office import Served, copied, filled, served
from config.gates.tools import Tools


@dataclass
class Desk:
    """One run of the gates."""

    tools: Tools
    folder: Path
    open: ExitStack
    minutes: float = 1.0
    dispatches: int = 24
    patience: float = 1.0
    filled: dict[str, dict[str, str]] = field(default_factory=dict)
    own: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    offices: dict[tuple[str, str, bool], Served] = field(default_factory=dict)
    gate: ExitStack = field(default_factory=ExitStack)

    def within(self, seconds: float) -> float:
        """Return the seconds that a judge may take: as many times with more thoroughness, or with more patience."""
        return seconds * max(1.0, self.minutes, self.patience)

    def office(self, *, planted: bool = False, address: str = "", of: str = "gate") -> Served:
        """Return the served office of this gate, or of one post in it; the planted one, over the same rows, has faults on purpose."""
        if (address, of, planted) not in self.offices:
            environment = self._own(address, of)
            self.offices[address, of, planted] = self.gate.enter_context(served(environment, planted=planted))
        return self.offices[address, of, planted]

    def _own(self, address: str, of: str) -> dict[str, str]:
        """Return the environment of such an office: a copy of the filled one, on PostgreSQL (of one gate) itself."""
        if address not in self.filled:
            home = self.folder / ("postgresql" if address else "whole")
            self.filled[address] = self.open.enter_context(filled(home, dispatches=self.dispatches, database=address))
        if (address, of) not in self.own:
            made = self.filled[address]
            self.own[address, of] = made if address else self.gate.enter_context(copied(made, self.folder / "own" / of))
        return self.own[address, of]

    def done(self) -> None:
        """Stop what this gate was served."""
        self.gate.close()
        self.offices.clear()
        self.own.clear()
