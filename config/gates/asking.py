"""What sqlmap is given: a request for every form, question and part of an address that the walk found, and for the API."""

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from config.gates.office import CSRF, PASSWORD, Served

# An act that takes a thing, or a post, out of everybody's reach comes after those that ask about it.
LAST_ROLES: Final = {"security", "admin"}
LAST: Final = ("number-void", "register-return", "held-aside", "step-end", "step-return", "hold-lift", "search-forget")
ONE_PAGE: Final = {"archive:record-print"}  # drawing takes longest: one page is asked for
EDGE: Final = "gates-gates-gates"  # between the parts of a form with a file
FORMS: Final = {"{": "application/json", "-": f"multipart/form-data; boundary={EDGE}"}
# A secret is compared with its digest and never searched for; a file is bytes.
LEFT_OUT: Final = {"password", "new_password1", "new_password2", "file"}
API: Final[tuple[dict[str, Any], ...]] = (
    {"method": "GET", "address": "/api/v1/records", "query": {"state": "draft", "code_number": "7", "code_notation": "KH", "before": ""}},
    {"method": "POST", "address": "/api/v1/search", "body": {"q": "ke hoach", "order": "newest", "filters": {"type": ["x"]}}},
    {"method": "POST", "address": "/api/v1/search/suggestions", "body": {"q": "ke ho"}},
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A request, and which of its fields are tried; none: the part of the address marked with *, or all."""

    name: str
    role: str
    method: str
    address: str
    body: str = ""
    fields: tuple[str, ...] = ()
    inputs: int = 1  # how many are tried

    @property
    def is_api(self) -> bool:
        """Whether it is asked with a token."""
        return self.address.startswith("/api/")

    @property
    def is_act(self) -> bool:
        """Whether it changes the office."""
        return self.method == "POST" and not self.is_api

    @property
    def is_last(self) -> bool:
        """Whether it takes away what others ask about."""
        return self.is_act and (self.role in LAST_ROLES or any(name in self.name for name in LAST))

    def as_text(self, office: Served) -> str:
        """Return it as sqlmap reads it, signed in as it is now."""
        who = (
            f"Authorization: Bearer {office.token(self.role)}" if self.is_api else f"Cookie: {office.cookie(self.role)}"
        )
        form = FORMS.get(self.body[:1], "application/x-www-form-urlencoded")
        sent = f"Content-Type: {form}\n" if self.body else ""
        host = office.url.removeprefix("http://")
        return f"{self.method} {self.address} HTTP/1.1\nHost: {host}\n{who}\n{sent}\n{self.body}"


def all_of(office: Served) -> list[Asked]:
    """Return every request, those that take a thing away at the end."""
    return sorted([*_of_pages(office.told["inputs"]), *_of_api()], key=lambda one: one.is_last)


def planted() -> list[Asked]:
    """Return the requests to the faults on purpose: a page, and a file and a paper that are never the same twice."""
    form = urlencode({"first": "1", "csrfmiddlewaretoken": CSRF})
    return [
        Asked("planted", "clerk", "GET", "/planted/sql/?name=clerk", fields=("name",)),
        Asked("planted-file", "clerk", "GET", "/planted/file/?after=0", fields=("after",)),
        Asked("planted-paper", "clerk", "POST", "/planted/paper/", form, ("first",)),
    ]


def _of_pages(inputs: list[dict[str, Any]]) -> list[Asked]:
    made = []
    for number, one in enumerate(inputs):
        name, role, method, address = f"{number}-{one['name'].replace(':', '-')}-{one['method']}", one["role"], one["method"], one["address"]  # fmt: skip
        fields = tuple(field for field in one["new"] if field not in LEFT_OUT)
        values = {key: value or "1" for key, value in one["fields"].items() if key != "csrfmiddlewaretoken"}
        if one["name"] in ONE_PAGE and "first" in values:
            values["last"] = values["first"]
        if fields and method == "GET":
            made.append(Asked(name, role, method, f"{address}?{urlencode(values)}", "", fields, len(fields)))
        elif fields:
            values |= {"csrfmiddlewaretoken": CSRF, "proof_password": PASSWORD}
            body = in_parts(values) if one["multipart"] or "file" in values else urlencode(values)
            made.append(Asked(name, role, method, address, body, fields, len(fields)))
        for order, place in enumerate(one["places"]):  # a part of the address: asked where it may be guessed, by GET
            marked = address.replace(quote(place), f"{quote(place)}*", 1)
            if method == "GET" and marked != address:
                made.append(Asked(f"{name}-{order}", role, method, marked))
    return made


def _of_api() -> list[Asked]:
    made = []
    for number, one in enumerate(API):
        address = one["address"] + (f"?{urlencode(one['query'])}" if "query" in one else "")
        body = json.dumps(one["body"]) if "body" in one else ""
        inputs = len(one.get("query") or one["body"])
        made.append(Asked(f"api-{number}", "clerk", one["method"], address, body, inputs=inputs))
    return made


def in_parts(values: dict[str, str]) -> str:
    """Return a form with a file as browsers send it."""
    heads = {name: f'form-data; name="{name}"' for name in values}
    if "file" in values:
        heads["file"] += '; filename="1.pdf"\r\nContent-Type: application/pdf'
        values = values | {"file": "%PDF-1.4\n%%EOF"}
    parts = [f"--{EDGE}\r\nContent-Disposition: {heads[name]}\r\n\r\n{value}\r\n" for name, value in values.items()]
    return "".join(parts) + f"--{EDGE}--\r\n"
