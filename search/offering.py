"""What is offered to a reader who is typing, or who may have meant something else: words of records they see.

An offer tells that such words stand in dispatches, and in how many. So it is a search like
any other: what was typed stands in the log with the number of offers, at the level of the
dispatches that hold them. Offered is only what still finds a record that the database opens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from archive import access, audit, opening
from archive.models import Person
from archive.rules.levels import Level
from archive.rules.roles import Action
from search import correcting, finding, units
from search.entry import Suggestion
from search.nodes import Query
from search.query import parse

PROVING: Final = 5  # newest hits of an offer: the database must open one, and the highest is the offer's level


@dataclass(frozen=True, slots=True)
class Offer:
    """A whole query text, how many records it would find (or more, if `is_least`), and the level of the newest of them."""

    text: str
    count: int
    is_least: bool
    level: Level


def suggestions(typed: str, person: Person, limit: int = 8) -> list[Offer]:
    """Return what a person may be about to type, from the records they see; write it to the log.

    Raises:
        EngineAway: the search server does not answer.
    """
    offered = finding.engine().suggest(typed, finding.terms_of(person), limit=limit)
    return _written(list(_proven(offered, person)), person, typed, part="hints")


def meant(query: Query, person: Person) -> list[Offer]:
    """Return query texts that may have been meant and find more for this person, at most three; write it to the log.

    In an entry of its own: that of the hits stands at their level.

    Raises:
        EngineAway: the search server does not answer.
    """
    texts = correcting.corrections(finding.engine(), query, finding.terms_of(person), units.known())
    return _written(list(_proven([Suggestion(text, 0) for text in texts], person)), person, query.text, part="meant")


def _written(offers: list[Offer], person: Person, typed: str, *, part: str) -> list[Offer]:
    """Return what is offered after writing that it was; where nothing is, nothing was told."""
    if offers:
        audit.read(Action.SEARCH_RUN, actor=person, lines=offers, text=typed, part=part, offered=len(offers))
    return offers


def _proven(offered: Sequence[Suggestion], person: Person) -> Iterator[Offer]:
    """Yield what still finds a record that the database opens, by one query for all."""
    names = units.known()
    asked = [names.resolved(parse(one.text)) for one in offered]
    newest = finding.engine().newest(asked, finding.terms_of(person), limit=PROVING)
    found = [[hit.id for hit in hits] for hits in newest]
    opened = opening.opened(access.visible_to(person), [record for ids in found for record in ids])
    for one, ids in zip(offered, found, strict=True):
        if holding := [opened[record] for record in ids if record in opened]:
            yield Offer(one.text, one.count, one.is_least, access.level_of(holding))
