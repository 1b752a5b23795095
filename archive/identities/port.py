"""The port of signing in: who is this, by what proof.

A driver says who somebody IS and nothing else: no post, no clearance, no unit comes from
outside, and nobody gets an account by being known there (`archive.identity`). A driver
writes nothing, knows no rows but its own and no screen, and waits a few seconds at most.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from django.utils.translation import gettext_lazy as _

from archive.rules.errors import Refusal

CONNECT_SECONDS: Final = 3
ANSWER_SECONDS: Final = 5
LONGEST_NAME: Final = 60  # letters of the name of an account
LONGEST_ID: Final = 500  # letters of a lasting name


@dataclass(frozen=True, slots=True)
class Password:
    """A name and a password, as typed; not `is_expected` where nobody of that name signs in by the driver.

    The driver then does the same work and lets no account of that name fail for it.
    """

    name: str
    password: str = field(repr=False)
    is_expected: bool = True


@dataclass(frozen=True, slots=True)
class Journey:
    """What is kept while a browser is away at a provider; goes with the browser, signed."""

    state: str
    nonce: str
    verifier: str = field(repr=False)
    back: str  # the address the provider sends back to
    began: float  # seconds since 1970
    is_fresh: bool = False  # the provider was told to ask again, whoever is signed in there


@dataclass(frozen=True, slots=True)
class Returned:
    """What a browser brought back from a provider, beside what was kept."""

    query: Mapping[str, str]
    journey: Journey


Proof = Password | Returned


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is: the name of the account, and what they are called there for ever ("" where there is no such name).

    `proved` is the kept digest of the password that was right, where it lies beside the account: what is read of the
    account afterwards must be of the same.
    """

    by: str
    name: str
    outside_id: str = ""
    proved: str = field(default="", repr=False)


class Driver(Protocol):
    """One way to know who somebody is."""

    by: str

    def identify(self, proof: Proof) -> Identity | None:
        """Return who has proved to be here, None for a wrong or foreign kind of proof. Raises Away."""

    def is_away(self) -> bool:
        """Return whether it did not answer a moment ago."""


class Away(Refusal):
    """SGN-001: the server that knows this person does not answer, or not as it should."""

    code = "SGN-001"
    message = _(
        "The office's sign-in server does not answer, so nobody who signs in by it can do so now. Tell the administrator, and "
        "try again in a minute. An emergency account with a password of this system works."
    )
