"""Find the words of a query in a text: what to mark on a page image, in a subject, in a passage.

Works on text alone: the caller has made sure that the reader may see it. Returns
numbers and plain text, never HTML. What the engine finds folded is found folded here;
marks count where the query says so ("diễn tập" in quotation marks).
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, zip_longest
from typing import Final

from archive.rules.page import Box, PageText
from search import synonyms
from search.entry import PAGE_BREAK, Excerpt
from search.nodes import Dates, Leaf, Number, Query, Within, Words, Year, wanted
from search.syllables import misread
from search.text import STRAY, WORD, exact_words, fold_chars, vi_clean
from search.widening import widened

PASSAGE_CHARS: Final = 220
BEFORE_CHARS: Final = 60  # what is shown before the first mark
SCANNED_CHARS: Final = 600_000  # about 250 pages, 15 ms: what lies beyond is found, but not shown in the list
_GAP: Final = r"[\W_]+"

_GAPS: Final = 100  # letters of blanks and signs on each side of a page break, beside twice those of the words

Span = tuple[int, int]
Find = tuple[int, int, int]  # start, end, bit of the pattern


@dataclass(frozen=True, slots=True)
class Pattern:
    """Folded words side by side; `typed` is set when marks count. `is_misread`: what a scan says for one long word."""

    tokens: tuple[str, ...]
    typed: tuple[str, ...] = ()
    is_prefix: bool = False
    is_fuzzy: bool = False
    is_misread: bool = False


@dataclass(frozen=True, slots=True)
class PageMarks:
    """What to mark on one page: word indexes, boxes (neighbours on a line joined), and the number of finds."""

    words: tuple[int, ...]
    boxes: tuple[Box, ...]
    count: int


def patterns(query: Query, *, field: str = "body") -> tuple[Pattern, ...]:
    """Return what to look for in the body, or in the subject with what was asked of the subject alone."""
    root = widened(query.root, synonyms.current())
    found = (pattern for leaf in wanted(root) for pattern in _of_leaf(leaf, field))
    return tuple(dict.fromkeys(found))


def find(text: str, looked_for: Iterable[Pattern]) -> list[Span]:
    """Return the spans of a text that match, in order, overlapping ones joined."""
    return [(start, end) for start, end, _ in _joined(_finds(text, tuple(looked_for)))]


def marks_in(query: Query, text: str, *, field: str = "subject") -> list[Span]:
    """Return the spans to mark in a short text, such as a subject; neighbours are joined."""
    return marks(patterns(query, field=field), text)


def marks(looked_for: Iterable[Pattern], text: str) -> list[Span]:
    """Return the spans to mark in one of several short texts: what is looked for was worked out once for all of them."""
    return _runs(text, find(text, looked_for))


def mark_page(query: Query, page: PageText) -> PageMarks:
    """Return the words and boxes to mark on the image of one page."""
    return next(mark_pages(query, [page]))[1]


def mark_pages(query: Query, pages: Iterable[PageText]) -> Iterator[tuple[int, PageMarks]]:
    """Yield the number of each page with what to mark on its image; words side by side over a page break on both.

    A page without words, as the back of a sheet is, parts none: the index has no word for it.
    """
    looked_for = patterns(query)
    before: PageText | None = None
    begun = 0  # up to which letter of that page goes what began on the one before it
    for page in chain(pages, [None]):
        if page and not WORD.search(page.text):
            yield page.number, _marks_of(page, ())
            continue
        over: list[Find] = _across(before.text, page.text, looked_for) if before and page else []
        if before:
            finds = [*_finds(before.text, looked_for), *((start, len(before.text), bits) for start, _, bits in over)]
            finds += [(0, begun, 0)] if begun else []
            yield before.number, _marks_of(before, [(start, end) for start, end, _ in _joined(sorted(finds))])
        before, begun = page, max((end for _, end, _ in over), default=0)


def _marks_of(page: PageText, spans: Sequence[Span]) -> PageMarks:
    starts = [word.start for word in page.words]
    marked: dict[int, None] = {}
    for start, end in spans:
        index = max(bisect_right(starts, start) - 1, 0)
        while index < len(page.words) and page.words[index].start < end:
            word = page.words[index]
            if word.start + len(word.text) > start:
                marked[index] = None
            index += 1
    indexes = tuple(sorted(marked))
    return PageMarks(indexes, tuple(_boxes(page, indexes)), len(spans))


def excerpt(looked_for: tuple[Pattern, ...], body: str) -> Excerpt:
    """Return the best passage of a body, with every page that holds a find (of the first SCANNED_CHARS)."""
    if not looked_for:
        return _beginning(body)
    best: tuple[int, int, int] | None = None
    best_page = ""
    pages: list[tuple[int, int]] = []
    every = enumerate(body[:SCANNED_CHARS].split(PAGE_BREAK), start=1)
    texts = [(number, page) for number, page in every if WORD.search(page)]
    begun: list[Find] = []
    for (number, page), (_, following) in zip_longest(texts, texts[1:], fillvalue=(0, "")):
        over = _across(page, following, looked_for)
        ended = [(start, len(page), bits) for start, _, bits in over]
        finds = _joined(sorted([*begun, *_finds(page, looked_for), *ended]))
        begun = [(0, end, bits) for _, end, bits in over]
        if not finds:
            continue
        places = _runs(page, [(start, end) for start, end, _ in finds])  # as the viewer counts them
        pages.append((number, len(places)))
        worth, start = _best_start(finds)
        if best is None or worth > best[0]:
            best, best_page = (worth, start, number), page
    if best is None:
        return _beginning(body)
    text = _passage(best_page, best[1])
    spans = find(text, looked_for) or find(text, _one_by_one(looked_for))  # of a phrase the half that stands here
    return Excerpt(text, tuple(_runs(text, spans)), best[2], tuple(pages))


def _beginning(body: str) -> Excerpt:
    """Return the first words of a body in which nothing is to be marked."""
    return Excerpt(_passage(body[: 2 * PASSAGE_CHARS].replace(PAGE_BREAK, " "), 0))


def _of_leaf(leaf: Leaf, field: str) -> Iterator[Pattern]:
    """Yield the patterns of one leaf."""
    match leaf:
        case Words():
            typed = leaf.typed if leaf.is_exact else ()
            yield Pattern(leaf.tokens, typed, is_prefix=leaf.is_prefix, is_fuzzy=leaf.is_fuzzy)
            if not leaf.is_quoted and len(leaf.tokens) == 1 and misread(leaf.tokens[0]):
                yield Pattern(leaf.tokens, is_misread=True)
        case Number() if leaf.written:
            yield Pattern(leaf.written, is_prefix=leaf.is_prefix)
            if not leaf.is_strict:
                yield Pattern(leaf.tokens)
            if leaf.month:
                yield from _of_leaf(leaf.month, field)
        case Dates():
            yield from map(Pattern, leaf.written)
        case Year() if leaf.in_text:
            yield Pattern(leaf.tokens)
        case Within() if leaf.field == field:
            yield from _of_leaf(leaf.words, field)
        case _:
            return


def _across(left: str, right: str, looked_for: tuple[Pattern, ...]) -> list[Find]:
    """Return (start on the left, end on the right, bit of the pattern) of words that stand side by side over a page break."""
    phrases = tuple(pattern if len(pattern.tokens) > 1 else None for pattern in looked_for)
    longest = max((sum(map(len, pattern.tokens)) for pattern in phrases if pattern), default=0)
    if not (right and longest):
        return []
    wide = 2 * longest + _GAPS
    tail = left[-wide:]
    text, away = tail + PAGE_BREAK + right[:wide], len(tail) + 1
    crossing = [(start, end, bits) for start, end, bits in _finds(text, phrases) if start < away <= end - 1]
    return [(start + len(left) - len(tail), end - away, bits) for start, end, bits in crossing]


def _one_by_one(looked_for: Iterable[Pattern]) -> Iterator[Pattern]:
    """Yield the words of phrases, each alone."""
    for pattern in looked_for:
        for token, typed in zip_longest(pattern.tokens, pattern.typed):
            yield Pattern((token,), (typed,) if typed else ())


def _finds(text: str, looked_for: tuple[Pattern | None, ...]) -> list[Find]:
    """Return (start, end, bit of the pattern), sorted."""
    folded = fold_chars(text)
    found: list[Find] = []
    for index, pattern in enumerate(looked_for):
        if pattern is None:
            continue
        spans = _spans_of(folded, pattern)
        found += [
            (start, end, 1 << index) for start, end in spans if not pattern.typed or _says(text[start:end], pattern)
        ]
    return sorted(found)


def _spans_of(folded: str, pattern: Pattern) -> Iterator[Span]:
    if pattern.is_fuzzy:
        return _whole(folded, _near(folded, pattern.tokens[0]))
    if pattern.is_misread:
        return _whole(folded, set(misread(pattern.tokens[0])).intersection(WORD.findall(folded)))
    return _spans(folded, pattern)


def _whole(folded: str, forms: Iterable[str]) -> Iterator[Span]:
    """Yield where one of these stands as a word of its own."""
    for form in forms:
        yield from _literal(folded, form, _expression((form,), is_prefix=False, has_stray=False))


def _spans(folded: str, pattern: Pattern) -> Iterator[Span]:
    has_stray = STRAY in folded
    expression = _expression(pattern.tokens, pattern.is_prefix, has_stray)
    if has_stray:
        return (found.span() for found in expression.finditer(folded))
    return _literal(folded, pattern.tokens[0], expression)


def _literal(folded: str, first: str, expression: re.Pattern[str]) -> Iterator[Span]:
    """Yield what an expression that begins with these letters finds: a text is searched for letters ten times faster."""
    at = folded.find(first)
    while at >= 0:
        found = expression.match(folded, at)
        if found:
            yield found.span()
        at = folded.find(first, found.end() if found else at + 1)


@lru_cache(maxsize=512)
def _expression(tokens: tuple[str, ...], is_prefix: bool, has_stray: bool) -> re.Pattern[str]:
    """Compile words side by side; stray marks (decomposed text) may follow each letter."""
    stray = f"{STRAY}*" if has_stray else ""
    spelled = ["".join(re.escape(char) + stray for char in token) for token in tokens]
    rest = f"(?:[^\\W_]{stray})*" if is_prefix else ""
    after = f"(?!{stray}[^\\W_])"
    return re.compile(rf"(?<![^\W_]){_GAP.join(spelled)}{rest}{after}")


def _says(written: str, pattern: Pattern) -> bool:
    said = exact_words(written)
    if pattern.is_prefix:
        return said[:-1] == list(pattern.typed[:-1]) and bool(said) and said[-1].startswith(pattern.typed[-1])
    return said == list(pattern.typed)


def _near(folded: str, token: str) -> set[str]:
    """Return the words of a text that differ from a token in one letter at most."""
    lengths = range(len(token) - 1, len(token) + 2)
    return {word for word in WORD.findall(folded) if len(word) in lengths and is_near(word, token)}


@lru_cache(maxsize=1 << 16)  # texts say the same few words often: a list of hits is marked five times faster
def is_near(left: str, right: str) -> bool:
    """Return whether one letter changed, added, left out or swapped with its neighbour makes two words equal."""
    if left == right:
        return True
    same = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    left, right = left[same:], right[same:]
    if len(left) == len(right):
        is_swap = left[:2] == right[1::-1] and left[2:] == right[2:]
        return left[1:] == right[1:] or is_swap
    return left[1:] == right if len(left) > len(right) else left == right[1:]


def _joined(finds: list[Find]) -> list[Find]:
    """Join finds that overlap; their pattern bits are added up."""
    joined: list[Find] = []
    for start, end, bits in finds:
        if joined and start < joined[-1][1]:
            before = joined[-1]
            joined[-1] = (before[0], max(end, before[1]), before[2] | bits)
        else:
            joined.append((start, end, bits))
    return joined


def _runs(text: str, spans: list[Span]) -> list[Span]:
    """Join spans with nothing but space between them: one mark instead of five."""
    runs: list[Span] = []
    for start, end in spans:
        if runs and not text[runs[-1][1] : start].strip():
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _best_start(finds: list[Find]) -> tuple[int, int]:
    """Return (worth, start) of the passage with most different patterns, then most finds, then the first."""
    best = (0, 0)
    for index, (start, _, _) in enumerate(finds):
        bits = many = 0
        for other_start, _, other_bits in finds[index:]:
            if other_start > start + PASSAGE_CHARS - BEFORE_CHARS:
                break
            bits |= other_bits
            many += 1
        worth = bits.bit_count() * 100 + min(many, 99)
        if worth > best[0]:
            best = (worth, start)
    return best


def _passage(text: str, at: int) -> str:
    """Return about PASSAGE_CHARS of a text around a place, cut between words, on one line."""
    start = max(at - BEFORE_CHARS, 0)
    if start:
        space = re.compile(r"\s").search(text, start, at)
        start = space.end() if space else at
    end = start + PASSAGE_CHARS
    if end < len(text):
        cut = max(text.rfind(" ", at + 1, end), text.rfind("\n", at + 1, end))
        end = cut if cut > at else end
    line = " ".join(vi_clean(text[start:end]).split())
    return ("… " if start else "") + line + (" …" if end < len(text.rstrip()) else "")


def _boxes(page: PageText, indexes: tuple[int, ...]) -> Iterator[Box]:
    """Yield the boxes of words, one box for neighbours on the same line."""
    current: Box | None = None
    last = -2
    for index in indexes:
        box = page.words[index].box
        if current and index == last + 1 and _is_same_line(current, box):
            current = (current[0], min(current[1], box[1]), box[2], max(current[3], box[3]))
        else:
            if current:
                yield current
            current = box
        last = index
    if current:
        yield current


def _is_same_line(left: Box, right: Box) -> bool:
    middle = (right[1] + right[3]) // 2
    return right[0] >= left[0] and left[1] <= middle <= left[3]
