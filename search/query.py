"""Read what a person typed into the search box. Never raises, whatever was typed.

Words are joined by AND; `"a phrase"`; `OR` or `hoặc`; `-word` or `NOT`; `( )`;
`word*` (two letters at least); `word~` (one letter may differ); `field:value` with
the names of `search.fields`, with or without marks, as offices write them too
(`người ký: "Phạm Văn Thành"`, `số đến: 12`). A name that is not in that table
is text, so `V/v báo cáo: ...` is read as it stands. Numbers and days are understood
without a name: `123/BC-BCH`, `123-bc-bch`, `so 123 bch 2024`, `12/3/2024`, `2024`,
`ngày 22 tháng 10 năm 2026`, `tháng 5/2026`, `năm 2022`, `từ tháng 3 đến tháng 5 năm 2024`; `5/2026` is a number or a month.

"không" denies nothing: it is half of the name of an arm (Phòng không - Không quân).

What lies beyond a limit is left out and `Query.is_cut` says so. Operators that have
nothing to join are left out. No regular expressions, no weights, no leading wildcard.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final

from search import dates, fields
from search.leaves import field_leaf, number_leaf, range_leaf, spoken_leaf, word_leaf, year_leaf
from search.nodes import And, Leaf, Node, Not, Number, Or, Query, Span, Words
from search.text import vi_fold, vi_norm
from search.text import words as cut

MAX_CHARS: Final = 1000
MAX_LEAVES: Final = 64
MAX_DEPTH: Final = 16

_PART: Final = re.compile(r'(?P<space>\s+)|(?P<open>\()|(?P<close>\))|"(?P<quoted>[^"]*)"?|(?P<word>[^\s()"]+)')
_FIELD: Final = re.compile(r"([^\W\d_]+(?:[-_][^\W\d_]+)*):(.*)", re.DOTALL)

_OF_THE_SOUTH: Final = frozenset({"viet", "mien", "phia", "huong"})
_FIGURE: Final = re.compile(r"\d{1,6}[a-zđ]?\*?[.,;]?", re.IGNORECASE)  # a place in a book: 12, 12a, 1*


def is_or(word: str) -> bool:
    """Return whether a word of a query joins what stands on its two sides as alternatives, instead of being looked for."""
    return word == "OR" or word.lower() == "hoặc"


@dataclass(frozen=True, slots=True)
class _Part:
    """One piece of the text: its kind, what it says, where, and whether it touches the piece before."""

    kind: str
    text: str
    span: Span
    touches: bool


@dataclass(slots=True)
class _Reader:
    """Recursive descent over the parts; the state is a place, a depth and a count."""

    text: str
    parts: list[_Part]
    at: int = 0
    depth: int = 0
    leaves: int = 0
    is_cut: bool = False

    def alternatives(self) -> Node | None:
        """Read groups joined by OR."""
        found = [self._together()]
        while self._here_is_or():
            self.at += 1
            found.append(self._together())
        return _join(Or, [node for node in found if node])

    def _together(self) -> Node | None:
        """Read neighbours up to an OR or the end of this level."""
        found: list[Node] = []
        while (part := self._part()) and not self._here_is_or():
            if part.kind == "close":
                if self.depth:
                    break
                self.at += 1
                continue
            self._one(found)
        return _join(And, found)

    def _one(self, found: list[Node]) -> None:
        """Read one operand with the NOTs before it, and add what it says."""
        start = self.parts[self.at].span[0]
        is_negative = self._negations()
        before = len(found)
        self._operand(found)
        if is_negative:
            for place in range(before, len(found)):
                child = found[place]
                found[place] = Not(child, (start if place == before else child.span[0], child.span[1]))

    def _negations(self) -> bool:
        """Step over NOT and "-" and return whether their number is odd."""
        is_negative = False
        while part := self._part():
            if part.kind == "word" and part.text == "NOT":
                self.at += 1
            elif part.kind == "word" and part.text.startswith("-") and not part.touches and self._denies(part):
                self._shorten(part)
            else:
                break
            is_negative = not is_negative
        return is_negative

    def _denies(self, part: _Part) -> bool:
        """Return whether a leading "-" stands directly before something; "a - b" is only punctuation."""
        following = self.parts[self.at + 1] if self.at + 1 < len(self.parts) else None
        return len(part.text) > 1 or (following is not None and following.touches and following.kind != "close")

    def _shorten(self, part: _Part) -> None:
        """Take the leading "-" off a word; what follows it directly is what it denies."""
        if len(part.text) == 1:
            self.at += 1
            return
        self.parts[self.at] = _Part("word", part.text[1:], (part.span[0] + 1, part.span[1]), part.touches)

    def _operand(self, found: list[Node]) -> None:
        part = self._part()
        if part is None or part.kind == "close" or self._here_is_or():
            return
        self.at += 1
        if part.kind == "open":
            self._group(part, found)
        elif part.kind == "quoted":
            self._add(found, word_leaf(part.text, part.span, is_quoted=True))
        elif part.text != "AND":
            self._word(_undashed(part), found)

    def _group(self, opened: _Part, found: list[Node]) -> None:
        """Read ( ... ); beyond the deepest level a parenthesis says nothing."""
        if self.depth >= MAX_DEPTH:
            self.is_cut = True
            return
        self.depth += 1
        inner = self.alternatives()
        self.depth -= 1
        end = opened.span[1] if inner is None else inner.span[1]
        if (part := self._part()) and part.kind == "close":
            self.at += 1
            end = part.span[1]
        if inner is not None:
            found.append(_spanning(inner, (opened.span[0], end)))

    def _word(self, part: _Part, found: list[Node]) -> None:
        named = self._named(part, found)
        if named is not None:
            self._add(found, named)
            return
        folded = vi_fold(part.text)
        if folded == "so" and self._number_phrase(part, found):
            return
        if not (self._spoken_range(part, found) or self._spoken(part, found)):
            self._add(found, self._bare(part))

    @staticmethod
    def _bare(part: _Part) -> Leaf | None:
        read = number_leaf(part.text, part.span) or year_leaf(part.text.rstrip(".,;"), part.span)
        return read or word_leaf(part.text, part.span)

    def _spoken(self, part: _Part, found: list[Node]) -> bool:
        """Read a day, a month or a year in words ("ngày 22 tháng 10 năm 2026"); False if it is none."""
        words = [part.text, *(one.text for one in self._ahead(dates.LONGEST - 1))]
        said = dates.spoken(vi_fold(" ".join(words)))
        if said is None or not (period := dates.span(said[0])) or (part.text.isascii() and self._is_place(part, found)):
            return False
        self.at += said[1] - 1
        span = (part.span[0], self.parts[self.at - 1].span[1])
        self._add(found, spoken_leaf(period, words[: said[1]], span))
        return True

    def _spoken_range(self, part: _Part, found: list[Node]) -> bool:
        """Read "từ ngày 1/3/2024 đến ngày 5/3/2024"; False if it is none."""
        words = [part.text, *(one.text for one in self._ahead(dates.LONGEST_RANGE - 1))]
        said = dates.spoken_range(vi_fold(" ".join(words)))
        if said is None:
            return False
        self.at += said[1] - 1
        span = (part.span[0], self.parts[self.at - 1].span[1])
        self._add(found, range_leaf(said[0], words[: said[1]], span))
        return True

    def _is_place(self, part: _Part, found: list[Node]) -> bool:
        """Return whether "nam" is the south and no year: after "viet" or "mien", or among words that bear their marks."""
        before = found[-1] if found else None
        is_named = isinstance(before, Words) and before.tokens[-1] in _OF_THE_SOUTH
        return vi_fold(part.text) == "nam" and (is_named or not self.text.isascii())

    def _ahead(self, count: int) -> Iterator[_Part]:
        """Yield the words that follow, as far as they are words."""
        return takewhile(lambda part: part.kind == "word", self.parts[self.at : self.at + count])

    # --- field:value ------------------------------------------------------------------
    def _named(self, part: _Part, found: list[Node]) -> Node | None:
        """Read `name:value`, `name:"value"` or `more words:value`; None if this is no name or no such value."""
        split = _FIELD.fullmatch(part.text)
        if not split:
            return None
        name = _squeezed(split[1])
        for before in range(min(len(found), fields.LONGEST_NAME - 1), 0, -1):
            first = found[-before]
            words = [first.child if isinstance(first, Not) else first, *found[len(found) - before + 1 :]]
            start = _name_start(words, part)
            said = "".join(token for node in words if isinstance(node, Words) for token in node.tokens)
            longer = None if start is None else fields.ALIASES.get(said + name)
            if longer and start is not None and (leaf := self._value(longer, part, split[2], start)):
                del found[-before:]
                return Not(leaf, (first.span[0], leaf.span[1])) if isinstance(first, Not) else leaf
        known = fields.ALIASES.get(name)
        return self._value(known, part, split[2], part.span[0]) if known else None

    def _value(self, name: str, part: _Part, value: str, start: int) -> Node | None:
        if name in fields.SPOKEN and (leaf := self._spoken_value(name, value, start)):
            return leaf
        following = self._part()
        if not value and following and following.kind == "quoted":
            leaf = field_leaf(name, following.text, (start, following.span[1]), is_quoted=True)
            self.at += leaf is not None
            return leaf
        if not value:
            return self._spaced(name, start)
        if following and following.kind == "word" and not following.touches and name in fields.CHOICES:
            # `mat:tối mật`: the value has two words
            longer = field_leaf(name, f"{value} {following.text}", (start, following.span[1]))
            if longer:
                self.at += 1
                return longer
        return field_leaf(name, value, (start, part.span[1]))

    def _spoken_value(self, name: str, value: str, start: int) -> Node | None:
        """Read "ngày: 22 tháng 10 năm 2026"."""
        before = [value] if value else []
        words = [*before, *(one.text for one in self._ahead(dates.LONGEST))]
        said = dates.spoken(vi_fold(" ".join(words)))
        if said is None or said[1] <= len(before):
            return None
        end = self.at + said[1] - len(before)
        leaf = field_leaf(name, said[0], (start, self.parts[end - 1].span[1]))
        self.at = end if leaf else self.at
        return leaf

    def _spaced(self, name: str, start: int) -> Node | None:
        """Read a value after a space ("Số: 123/BC", "Độ mật: tối mật", "Số đến: 12"), if its form tells it from other text."""
        parts = list(self._ahead(2))
        for count in range(len(parts), 0, -1):
            said = " ".join(part.text for part in parts[:count])
            is_told = name in fields.SPACED or (name == "register" and _FIGURE.fullmatch(said))
            leaf = field_leaf(name, said, (start, parts[count - 1].span[1])) if is_told else None
            if leaf:
                self.at += count
                return leaf
        return None

    # --- "so 123 bch 2024" --------------------------------------------------------------
    def _number_phrase(self, part: _Part, found: list[Node]) -> bool:
        """Read a number said in words after "số"; False if no number follows."""
        first = self._part()
        if first is None or first.kind != "word":
            return False
        whole = number_leaf(first.text, (part.span[0], first.span[1]))
        if whole is not None:
            self.at += 1
            self._add(found, replace(whole, month=None))
            return True
        if not re.fullmatch(r"\d{1,6}", first.text):
            return False
        taken = [first]
        self.at += 1
        while (following := self._part()) and following.kind == "word" and _is_notation(following.text):
            taken.append(following)
            self.at += 1
        tokens = tuple(token for one in taken for token in cut(one.text))
        span = (part.span[0], taken[-1].span[1])
        shown = " ".join(one.text.upper() for one in taken)
        self._add(found, Number(tokens, shown, span, is_strict=False, written=("so", *tokens)))
        self._year_after(found)
        return True

    def _year_after(self, found: list[Node]) -> None:
        following = self._part()
        leaf = year_leaf(following.text, following.span) if following and following.kind == "word" else None
        self.at += leaf is not None
        self._add(found, leaf)

    # --- small steps --------------------------------------------------------------------
    def _part(self) -> _Part | None:
        return self.parts[self.at] if self.at < len(self.parts) else None

    def _here_is_or(self) -> bool:
        part = self._part()
        return part is not None and part.kind == "word" and is_or(part.text)

    def _add(self, found: list[Node], leaf: Node | None) -> None:
        """Add a leaf while there is room; a long phrase keeps its first words."""
        room = MAX_LEAVES - self.leaves
        if isinstance(leaf, Words) and len(leaf.tokens) > room > 0:
            self.is_cut = True
            leaf = replace(leaf, tokens=leaf.tokens[:room], typed=leaf.typed[:room])
        if leaf is not None and room <= 0:
            self.is_cut = True
        elif leaf is not None:
            self.leaves += len(leaf.tokens) if isinstance(leaf, Words) else 1
            found.append(leaf)


def parse(text: str) -> Query:
    """Return what was asked. Any text is accepted; spans refer to `Query.text`, the normalised text."""
    normal = vi_norm(text).strip()
    kept = normal[:MAX_CHARS]
    reader = _Reader(kept, _parts(kept))
    root = reader.alternatives()
    return Query(kept, root, is_cut=reader.is_cut or len(normal) > MAX_CHARS)


def _parts(text: str) -> list[_Part]:
    """Cut the text into words, quoted phrases and parentheses."""
    parts: list[_Part] = []
    end = -1
    for found in _PART.finditer(text):
        if found.lastgroup == "space":
            continue
        kind = found.lastgroup or "quoted"
        touches = found.start() == end and parts[-1].kind != "open"
        parts.append(_Part(kind, found[kind] or "", found.span(), touches))
        end = found.end()
    return parts


def _undashed(part: _Part) -> _Part:
    """Return a word without dashes before it that deny nothing: its text stands alone as well as here."""
    bare = part.text.lstrip("-")
    return part if bare in ("", part.text) else replace(part, text=bare, span=(part.span[1] - len(bare), part.span[1]))


def _name_start(nodes: list[Node], part: _Part) -> int | None:
    """Return where a name of several words begins, if plain words lead up to its last one without a gap."""
    ends = [*(node.span[0] for node in nodes[1:]), part.span[0]]
    is_run = all(
        isinstance(node, Words) and not (node.is_quoted or node.is_prefix or node.is_fuzzy) and node.span[1] + 1 == end
        for node, end in zip(nodes, ends, strict=True)
    )
    return nodes[0].span[0] if is_run else None


def _squeezed(name: str) -> str:
    return re.sub(r"[-_\s]", "", vi_fold(name))


def _is_notation(text: str) -> bool:
    tokens = cut(text)
    return bool(tokens) and all(fields.looks_like_notation(token) for token in tokens) and text[-1] not in "*~:"


def _join(kind: type[And] | type[Or], found: list[Node]) -> Node | None:
    if not found:
        return None
    if len(found) == 1:
        return found[0]
    return kind(tuple(found), (found[0].span[0], found[-1].span[1]))


def _spanning(node: Node, span: Span) -> Node:
    """Return the node with the span of its parentheses; a plain leaf keeps its own kind."""
    if isinstance(node, And | Or):
        return type(node)(node.children, span)
    return And((node,), span)


__all__ = ["MAX_CHARS", "MAX_DEPTH", "MAX_LEAVES", "Query", "parse"]
