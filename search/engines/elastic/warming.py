"""Ask a server that has just begun what nobody asked, so that its first readers do not wait for it.

Its first hundred pages cost twice the processor of the later ones, for its code is compiled while it runs; that its
files are not in memory yet costs little beside that. So words of a few records are asked for, each as someone would
who sees that record; every answer is dropped. The server counts its questions from its start: so several
workers share the work, and a server that is at work already is left alone.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

from search.entry import Entry, Order, Terms
from search.nodes import Query
from search.query import parse
from search.text import WORD

ENOUGH: Final = 250  # questions to each shard since the server began; a page is two or three
SLICE_SECONDS: Final = 0.5  # of one look: what was registered meanwhile does not wait longer
_WORDS: Final = 3

Question = tuple[Query, Terms, Order]


def questions(sample: Sequence[Entry], asked: int) -> Iterator[Question]:
    """Yield questions for about SLICE_SECONDS, going on where as many questions before these have ended."""
    until = time.monotonic() + SLICE_SECONDS
    for place in count(asked):
        if not sample or time.monotonic() > until:
            return
        entry = sample[place % len(sample)]
        words = WORD.findall(entry.subject)[:_WORDS]
        text = (words[0] if words else "", " ".join(words), f'"{" ".join(words[:2])}"', "")[place // len(sample) % 4]
        terms = Terms(entry.level, (entry.marking,), entry.reach, units=(entry.unit_is,))
        yield parse(text), terms, Order.BEST if text else Order.NEWEST
