"""A strict reader of the little YAML that docker-compose.yml uses; whatever else stands there is refused.

Maps and lists by indentation, [flow, lists], literal blocks (|), anchors, aliases and merges.
Scalars stay text. Written for the test, so that no part is needed only to read one file.
"""

import json
import re
from typing import Any

KEY = re.compile(r"""^([A-Za-z0-9_.<-]+):(?:\s+(.*))?$""")


def load(text: str) -> dict[str, Any]:
    """Return the document. Raises ValueError at the first line that is not understood."""
    reader = Reader(text)
    found = reader.block(0)
    if reader.lines:
        raise ValueError(f"not understood: {reader.lines[0]!r}")
    return found


class Reader:
    """Reads line by line; `lines` holds what is left."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.anchors: dict[str, Any] = {}

    def peek(self) -> tuple[int, str]:
        """Return indentation and text of the next line that says something; (-1, "") at the end."""
        while self.lines and (not self.lines[0].strip() or self.lines[0].lstrip().startswith("#")):
            self.lines.pop(0)
        if not self.lines:
            return -1, ""
        line = self.lines[0]
        if "\t" in line:
            raise ValueError(f"a tab: {line!r}")
        return len(line) - len(line.lstrip()), line.strip()

    def block(self, indent: int) -> Any:
        """Return the map or list that begins at this indentation."""
        return self.listed(indent) if self.peek()[1].startswith("- ") else self.mapped(indent)

    def mapped(self, indent: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while self.peek()[0] == indent and not self.peek()[1].startswith("- "):
            line = self.lines.pop(0).strip()
            match = KEY.match(line)
            if not match:
                raise ValueError(f"not a key: {line!r}")
            name, rest = match[1], match[2] or ""
            if name == "<<":
                merged = self.anchors[rest.removeprefix("*")]
            elif name in found:
                raise ValueError(f"twice: {name}")
            else:
                found[name] = self.value(rest, indent)
        return merged | found

    def listed(self, indent: int) -> list[Any]:
        found = []
        while self.peek()[0] == indent and self.peek()[1].startswith("- "):
            rest = self.peek()[1][2:]
            if KEY.match(rest):  # a map whose first key stands behind the dash
                self.lines[0] = " " * (indent + 2) + rest
                found.append(self.mapped(indent + 2))
            else:
                self.lines.pop(0)
                found.append(self.value(rest, indent))
        return found

    def value(self, rest: str, indent: int) -> Any:
        """Return what stands behind a key or a dash, on the line or below it."""
        anchor = ""
        if rest.startswith("&"):
            anchor, _, rest = rest[1:].partition(" ")
        found: Any
        if rest == "|":
            found = self.literal(indent)
        elif rest:
            found = scalar(rest)
        else:
            deeper = self.peek()[0]
            is_below = deeper > indent or (deeper == indent and self.peek()[1].startswith("- "))
            found = self.block(deeper) if is_below else None
        if anchor:
            self.anchors[anchor] = found
        return found

    def literal(self, indent: int) -> str:
        taken = []
        while self.lines and (not self.lines[0].strip() or len(self.lines[0]) - len(self.lines[0].lstrip()) > indent):
            taken.append(self.lines.pop(0).strip())
        return "\n".join(taken)


def scalar(text: str) -> Any:
    """Return a quoted or plain text, or a flow list of them."""
    if text.startswith("["):
        if not text.endswith("]"):
            raise ValueError(f"a list over several lines: {text!r}")
        parts = re.findall(r"""'[^']*'|"[^"]*"|[^,\s][^,]*""", text[1:-1])
        return [scalar(part.strip()) for part in parts]
    if text.startswith('"'):
        return json.loads(text)
    if text.startswith("'"):
        return text[1:-1]
    if text[0] in "{&*!>%@`" or " #" in text:
        raise ValueError(f"not understood: {text!r}")
    return text
