"""Suggesting the level and the urgency of a dispatch from its stamps and its words.

The machine may only raise: `suggest` never returns less than what was declared before
the scan, and finding nothing proves nothing. Sure evidence raises the level; doubtful
evidence (an unread red box, a page without colour, a page read badly) raises only what
is plausible, and until a person confirms the draft is shown at that level. When stamp,
words and declaration differ, the highest wins (OCR.md 5.2). Pure; raises nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Final, Protocol

from archive.rules.folding import fold
from archive.rules.levels import Level, Urgency
from archive.rules.page import Box, PageText, Word
from archive.rules.proposal import Evidence, Guess, Suggestion
from ingest import markings
from ingest.lines import MOST_LINES, Line, around, lines_of

SURE_STAMP: Final = 0.5  # 89 of 90 worn stamps and none of 60 unstamped pages score above it
SURE_ANYWHERE: Final = 0.7  # in the lower half seals and urgency stamps of 0.51-0.62 were taken for secrecy stamps
SURE_TEXT: Final = 60
SLIPPED: Final = 50  # "MAT", "MẶT": a mark misread, or another word
ELSEWHERE: Final = 55  # below the upper half of a page marks are cells of tables more often than marks
READABLE: Final = 88  # mean confidence below which a page was read too badly to be cleared
MOST_EVIDENCE: Final = 20
_UPPER_HALF: Final = 5000
_GRAY: Final = 8
_FILLED: Final = 0.8
_FILLED_THERE: Final = 0.7
_WORD_THERE: Final = (-190, 524)  # of the page's width around the middle of a gray find: where "MẬT" itself was seen
_MARK_WORD: Final = re.compile("mat|khan|toc")
_LONGEST_WORD: Final = 12
_HEAD_LINES: Final = 60


class StampFind(Protocol):
    """A mark found on a page's image, as `ingest.stamps` finds it. `page` may be missing: then it is the first."""

    @property
    def kind(self) -> str: ...  # noqa: D102 - "secrecy", "urgency", "possible", "unclear"; others are no evidence
    @property
    def slug(self) -> str: ...  # noqa: D102 - of the level or the urgency
    @property
    def score(self) -> float: ...  # noqa: D102 - 0 to 1
    @property
    def box(self) -> Box: ...  # noqa: D102


def suggest(
    pages: Sequence[PageText],
    *,
    stamps: Iterable[StampFind],
    declared: Level,
    bits: Mapping[int, int] | None = None,
    site_max: Level = Level.TUYET_MAT,
) -> Suggestion:
    """Return the level that declaration and evidence ask for, and the highest that doubt allows.

    Args:
        pages: what was read, in order.
        stamps: what was seen on the images of all pages.
        declared: what the person at the scanner declared; never lowered.
        bits: bits per pixel of each page, by page number: 1 bit cannot be cleared by machine.
        site_max: doubt is not carried beyond what this site may hold; sure evidence is.
    """
    worst = min(site_max, Level.TOI_MAT)  # no site meets a paper above what it may hold; top secret is never scanned
    evidence = [*_from_stamps(stamps, pages, bits or {}), *_from_text(pages), *_unclear(pages, bits or {}, worst)]
    evidence.sort(key=lambda sign: (-sign.level, not _is_sure(sign), -sign.confidence, sign.page))
    level = max([declared, *(sign.level for sign in evidence if _is_sure(sign))])
    doubt = max([level, *(sign.level for sign in evidence)])
    return Suggestion(declared, level, max(level, min(doubt, site_max)), tuple(evidence[:MOST_EVIDENCE]))


def urgency(pages: Sequence[PageText], stamps: Iterable[StampFind]) -> Guess | None:
    """Return the highest urgency that stamps or the head of the first page show, None when they show none."""
    signs = [*_urgency_stamps(stamps), *_urgency_lines(pages[:1])]
    if not signs:
        return None
    grade = max(sign[0] for sign in signs)
    same = [sign for sign in signs if sign[0] is grade]
    best = max(same, key=lambda sign: sign[1])
    lower = {sign[0].slug for sign in signs if sign[0] is not grade}
    confidence = 97 if len(same) > 1 and not lower else best[1]
    return Guess(grade.slug, min(confidence, 75) if lower else confidence, best[2], best[3], tuple(sorted(lower)))


def marks(pages: Sequence[PageText], stamps: Iterable[StampFind], suggestion: Suggestion) -> dict[str, Guess]:
    """Return the fields "urgency" and "secrecy", as far as the dispatch shows them."""
    found = {"urgency": urgency(pages, stamps), "secrecy": secrecy(suggestion)}
    return {name: guess for name, guess in found.items() if guess}


def secrecy(suggestion: Suggestion) -> Guess | None:
    """Return the level as a proposal with its best evidence; None when nothing was seen: that proves nothing."""
    if not suggestion.evidence:
        return None
    sure = [sign for sign in suggestion.evidence if _is_sure(sign) and sign.level is suggestion.level]
    sign = sure[0] if sure else suggestion.evidence[0]
    doubt = (suggestion.plausible.slug,) if suggestion.needs_person else ()
    confidence = max(sign.confidence, 91) if sure and not doubt else min(sign.confidence, SLIPPED)
    return Guess(suggestion.level.slug, confidence, sign.page, sign.box, doubt)


def _is_sure(sign: Evidence) -> bool:
    return sign.kind == "stamp" or (sign.kind == "text" and sign.confidence >= SURE_TEXT)


def _from_stamps(stamps: Iterable[StampFind], pages: Sequence[PageText], bits: Mapping[int, int]) -> Iterator[Evidence]:
    texts = {page.number: page for page in pages}
    for find in stamps:
        level, number = _level(find.slug), getattr(find, "page", 1)
        confidence = _percent(find.score)
        if find.kind == "secrecy" and _is_read(find):
            yield Evidence("stamp", level, confidence, number, find.box)
        elif find.kind == "secrecy" or (find.kind == "possible" and not _is_print(find, texts.get(number), bits)):
            yield Evidence("possible_stamp", level, confidence, number, find.box)


def _is_read(find: StampFind) -> bool:
    """Return whether a stamp's word is read: surely, or well enough where a secrecy stamp has its place.

    Its place is the upper half of the first page; elsewhere seals and coloured headings are a little like it.
    """
    is_in_place = find.box[1] < _UPPER_HALF and getattr(find, "page", 1) == 1
    return bool(find.slug) and find.score >= (SURE_STAMP if is_in_place else SURE_ANYWHERE)


def _is_print(find: StampFind, page: PageText | None, bits: Mapping[int, int]) -> bool:
    """Return whether a gray patch like a stamp is print: words surely read, none of a mark, fill its box.

    Only on gray pages: there a stamp over words would spoil them. Red ink is taken off before reading.
    """
    if page is None or bits.get(page.number) != _GRAY:
        return False
    left, top, right, bottom = find.box
    under = [
        word
        for word in page.words
        if word.confidence >= READABLE and word.box[0] < right and left < word.box[2] and top < _middle(word) < bottom
    ]
    if any(_MARK_WORD.search(fold(word.text)) for word in under):
        return False
    there = ((left + right) // 2 + _WORD_THERE[0], (left + right) // 2 + _WORD_THERE[1])
    return _filled(under, (left, right)) >= _FILLED or _filled(under, there) >= _FILLED_THERE


def _filled(words: Iterable[Word], span: tuple[int, int]) -> float:
    """Return the part of a span that words fill."""
    left, right = span
    filled = sum(max(0, min(right, word.box[2]) - max(left, word.box[0])) for word in words)
    return filled / max(1, right - left)


def _middle(word: Word) -> float:
    return (word.box[1] + word.box[3]) / 2


def _level(slug: str) -> Level:
    """Return the level a find names; what it does not name is the highest."""
    try:
        return Level.parse(slug)
    except KeyError:
        return Level.TUYET_MAT


def _percent(score: float) -> int:
    return round(100 * min(1.0, max(0.0, score)))


def _from_text(pages: Iterable[PageText]) -> Iterator[Evidence]:
    for page in pages:
        lines = lines_of(page)
        yield from _on_two_lines(lines)
        yield from _far_down(page)
        for line in lines:
            labelled = markings.level_of_label(line.text)
            if labelled:
                yield Evidence("text", labelled, _certainty(line), page.number, line.box)
            for part in line.parts():
                level = markings.level_of_line(part.text)
                if level:
                    yield Evidence("text", level, _certainty(part), page.number, part.box)


def _far_down(page: PageText) -> Iterator[Evidence]:
    """Look for marks beyond the lines that are looked at with their places: nothing hides behind a long page."""
    for text in page.text.split("\n")[MOST_LINES:]:
        level = markings.level_of_line(text)
        if level:
            yield Evidence("text", level, ELSEWHERE, page.number)


def _on_two_lines(lines: Sequence[Line]) -> Iterator[Evidence]:
    """Read "TỐI" above "MẬT" as one mark: alone the second line would name a lower level."""
    for above, below in pairwise(lines):
        if len(above.text) <= _LONGEST_WORD and len(below.text) <= _LONGEST_WORD:
            level = markings.level_of_line(f"{above.text} {below.text}")
            if level:
                certainty = min(_certainty(above), _certainty(below))
                yield Evidence("text", level, certainty, above.page, around([*above.words, *below.words]))


def _certainty(line: Line) -> int:
    certainty = min((word.confidence for word in line.words), default=90)
    if not markings.is_exact(line.text):
        certainty = min(certainty, SLIPPED)
    is_above = not line.box or line.box[1] < _UPPER_HALF
    return certainty if is_above else min(certainty, ELSEWHERE)


def _unclear(pages: Sequence[PageText], bits: Mapping[int, int], worst: Level) -> Iterator[Evidence]:
    """Say that the first page cannot be cleared: no colour to see a stamp by, or read too badly."""
    for page in pages[:1]:
        if page.source == "layer":
            continue  # a text of the file's own has its marks in its text
        if bits.get(page.number) == 1 or page.confidence < READABLE:
            yield Evidence("unclear", worst, page.confidence, page.number)


def _urgency_stamps(stamps: Iterable[StampFind]) -> Iterator[tuple[Urgency, int, int, Box | None]]:
    for find in stamps:
        if find.kind == "urgency" and find.score >= SURE_STAMP:
            try:
                grade = Urgency.parse(find.slug)
            except KeyError:
                continue
            yield grade, max(_percent(find.score), 91), getattr(find, "page", 1), find.box


def _urgency_lines(pages: Iterable[PageText]) -> Iterator[tuple[Urgency, int, int, Box | None]]:
    for page in pages:
        for line in islice(lines_of(page), _HEAD_LINES):
            for part in line.parts():
                grade = markings.urgency_of_line(part.text) or markings.urgency_of_label(part.text)
                if grade and not (part.box and part.box[1] > _UPPER_HALF):
                    yield grade, min(95, _certainty(part)), page.number, around(part.words)
