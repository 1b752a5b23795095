"""What judges need to know of an office, written as JSON: `python -m config.gates.filling FILE`, in the installation.

A signed-in session and an API token of each post; every page that each of them opens, with its address; and every input
that the pages offer: forms, addresses with a question, parts of addresses, bodies of the API.
"""

import io
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from html.parser import HTMLParser
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urljoin, urlsplit

CSRF: Final = "g" * 32
ROLES: Final = ("clerk", "leader", "staff", "archivist", "auditor", "security", "admin")
TRIED: Final = 12  # things of a kind that are tried at a door before it counts as closed
NEVER: Final = {"archive:sign-out", "archive:second-factor-remove"}  # would end the judge's own session


class Inputs(HTMLParser):
    """The forms and the addresses with a question of one page; a button may send its form to an address of its own."""

    def __init__(self, there: str) -> None:
        super().__init__()
        self.there = there
        self.found: list[dict[str, Any]] = []
        self._form: dict[str, Any] | None = None
        self._elsewhere: list[dict[str, Any]] = []  # where else the open form may be sent

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = self._asked(named.get("method", "get").upper(), named.get("action", ""), {})
            self._form |= {
                "multipart": "multipart" in named.get("enctype", ""),
                "has_address": "action" in named,
                "is_moved": False,
            }
            self.found.append(self._form)
        elif self._form is not None:
            self._field(tag, named)
        for word in ("href", "hx-get"):
            if "?" in named.get(word, ""):
                parts = urlsplit(self._at(named[word]))
                if parts.path.startswith("/") and not parts.netloc:
                    fields = dict(parse_qsl(parts.query, keep_blank_values=True))
                    self.found.append(self._asked("GET", parts.path, fields))
        for word in ("formaction", "hx-post"):
            if word in named:
                self._sent_elsewhere(named[word], named)
        if self._form is not None and "formaction" in named:
            self._form["is_moved"] = True

    def _field(self, tag: str, named: dict[str, str]) -> None:
        fields = self._form["fields"] if self._form else {}
        if tag in {"input", "select", "textarea", "button"} and named.get("name"):
            fields.setdefault(named["name"], named.get("value", ""))
        elif tag == "option" and fields:
            last = next(reversed(fields))
            if "selected" in named or not fields[last]:  # where none is chosen, the first that says something
                fields[last] = named.get("value", "")

    def _sent_elsewhere(self, address: str, named: dict[str, str]) -> None:
        """Take down where a button, or a part that htmx sends, goes: with the fields of its form, else with those it names."""
        fields: dict[str, str] = json.loads(named.get("hx-vals") or "{}")
        if "#q" in named.get("hx-include", "") + named.get("hx-trigger", ""):
            fields |= {"q": ""}
        made = self._asked("POST", address, fields)
        self.found.append(made)
        if self._form is not None:
            self._elsewhere.append(made)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form is not None:
            for one in self._elsewhere:
                one["fields"] = self._form["fields"] | one["fields"]
            if self._form["is_moved"] and not self._form["has_address"]:
                self.found.remove(self._form)  # its buttons send it elsewhere, and nothing sends it here
            self._form, self._elsewhere = None, []

    def _asked(self, method: str, address: str, fields: dict[str, str]) -> dict[str, Any]:
        return {"method": method, "address": self._at(address), "fields": fields, "multipart": False}

    def _at(self, address: str) -> str:
        return urljoin(self.there, address)


def main(target: str) -> None:
    """Fill what the sample office lacks, walk it as each post, and write down what was found, and what opened to nobody."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.conf import settings

    from archive.models import Person
    from config.tests.doors import addresses

    more()
    tokens = tokens_of({role: Person.objects.get(username=role) for role in ROLES})
    told: dict[str, Any] = {"people": {}, "pages": [], "inputs": []}
    settings.ALLOWED_HOSTS += ["testserver"]
    for role in ROLES:
        person = Person.objects.get(username=role)
        browser = _browser(person)
        told["people"][role] = {"session": browser.cookies["session"].value, "token": tokens[role]}
        with _heads_kept():
            told["pages"] += _walk(role, browser)
    told["inputs"] = list(_inputs(told["pages"]))
    reached = {page["name"] for page in told["pages"]}
    told["closed"] = sorted(
        {name for name, _pattern, _view in addresses() if ":" in name and not name.startswith("api:")} - reached - NEVER
    )
    for page in told["pages"]:
        page.pop("body", None)
    Path(target).write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


@contextmanager
def _heads_kept() -> Iterator[None]:
    """Put the signed heads back afterwards: what the walk did is rolled back, and a head over it would stop the start."""
    from archive import publishing

    with tempfile.TemporaryDirectory(prefix="vankho-gates-heads-") as aside:
        kept = Path(aside) / "log"
        if publishing.folder().exists():
            shutil.copytree(publishing.folder(), kept)
        yield
        shutil.rmtree(publishing.folder(), ignore_errors=True)
        if kept.exists():
            shutil.copytree(kept, publishing.folder())


def _browser(person: Any) -> Any:
    from django.test import Client

    from archive.views import proving

    browser = Client(headers={"host": "127.0.0.1"}, raise_request_exception=False)
    browser.force_login(person, backend="archive.sign_in.Backend")
    session = browser.session
    proving.opened(session, with_code=False)
    session.save()
    return browser


def tokens_of(people: dict[str, Any]) -> dict[str, str]:
    """Return the token of a service account for each post. All that was put in by hand is borne out: no other door opens."""
    from config.tests.by_hand import borne_out

    tokens = {role: _token(person, role, people["admin"]) for role, person in people.items()}
    borne_out()
    return tokens


def _token(person: Any, role: str, admin: Any) -> str:
    """Return the token of a service account with the post, unit and clearance of a person."""
    from archive import tokens
    from archive.models import Clearance, Person, PersonRole, UnitScope

    machine = Person(username=f"calls-{role}", full_name=f"Máy {role}", unit=person.unit, is_service=True)
    machine.set_unusable_password()
    machine.save()
    for kind in (PersonRole, UnitScope, Clearance):
        for row in kind.objects.filter(person=person):
            row.pk, row.person = None, machine
            row._state.adding = True  # noqa: SLF001 - a copy of the row
            row.save()
    return tokens.give(machine, name="gates", until=None, actor=admin)


# --- what the sample office lacks ------------------------------------------------------------------------------
def more() -> None:
    """Put in one of each kind that the sample days did not bring: copies, grants, files that wait, kept searches."""
    from django.utils import timezone

    from archive.models import Copy, Grant, KeptLogFilter, Person, Record
    from ingest import outcomes
    from ingest.models import Batch, Channel, Scan, ScanState
    from search.models import SavedSearch

    people, now = {one.username: one for one in Person.objects.all()}, timezone.now()
    records = list(Record.objects.filter(state="registered").order_by("pk"))
    for record in records[:6]:
        Copy.objects.create(record=record, number=900, kind="print", holder=people["leader"], made_at=now, day=timezone.localdate(now))  # fmt: skip
        Grant.objects.create(record=record, person=people["staff2"], since=now - timedelta(days=2), until=now - timedelta(days=1), reason="x", granted_by=people["leader"])  # fmt: skip
        batch = Batch.objects.create(channel=Channel.WEB, unit=people["clerk"].unit, declared_level=record.level, actor=people["clerk"], created_at=now)  # fmt: skip
        common = {
            "batch": batch,
            "declared_level": record.level,
            "level": record.level,
            "created_at": now,
            "not_before": now,
        }
        common["state"] = ScanState.ATTENTION
        Scan.objects.create(order=1, name="1.pdf", code=outcomes.FAILED, **common)
        page, pack, original = record.pages.first(), _like_that_of(record, "pack"), _like_that_of(record, "original")
        Scan.objects.create(order=2, name="2.pdf", code=outcomes.HELD_DOUBT, joins=record, why="x", pack=pack, original=original, reading={"pages": [as_read(page)]}, **common)  # fmt: skip
    for name in ("clerk", "leader", "staff", "archivist"):
        for number in (1, 2):
            SavedSearch.objects.create(person=people[name], name=f"Tìm {number}", text="ke hoach", created_at=now)
    for number in (1, 2):
        KeptLogFilter.objects.create(person=people["auditor"], name=f"Lọc {number}", asked="outcome=denied")


def as_read(page: Any) -> dict[str, Any]:
    """Return a page of a record as the reading of a file tells of one, for a file that waits to join."""
    told = {name: getattr(page, name) for name in ("number", "width", "height", "source", "confidence", "flags")}
    return told | {
        part: [getattr(page, f"{part}_start"), getattr(page, f"{part}_length")] for part in ("image", "thumb", "text")
    }


def _like_that_of(record: Any, role: str) -> Any:
    """Return a new sealed object like one of a record, as a second file of the same pages would have."""
    from django.utils import timezone

    from archive import store
    from archive.models import DigitalObject
    from archive.rules.levels import Level

    known = DigitalObject.objects.filter(record=record, role=role).first()
    with store.open(known.address) as source:
        # The pages are found by their places; of an original no two are the same bytes.
        sealed = store.put(io.BytesIO(source.read() + (b"" if role == "pack" else b"\n")), level=Level(record.level))
    return DigitalObject.objects.create(
        address=sealed.address, role=role, name="2.pdf", media_type=known.media_type, size=sealed.size, sha256=sealed.sha256,
        sealed_size=sealed.sealed_size, sealed_sha256=sealed.sealed_sha256, level=record.level, created_at=timezone.now(),
    )  # fmt: skip


# --- the walk ---------------------------------------------------------------------------------------------------
def _things() -> dict[str, list[dict[str, Any]]]:
    """Return what an address can name, by the kind its door is about."""
    from archive import models
    from archive.models import Clearance, Copy, Dossier, Grant, Hold, KeptLogFilter, Record, Register
    from ingest.models import Batch, Scan
    from search.models import SavedSearch

    steps = [
        {"key": row.key, "number": 1, "order": step.order} for row in Record.objects.all() for step in row.steps.all()
    ]
    return {
        "record": steps + [{"key": key, "number": 1, "order": 1} for key in Record.objects.filter(state="registered").values_list("key", flat=True)],
        "file": [{"key": key, "number": 0} for key in Record.objects.values_list("key", flat=True)],
        "stub": [{"key": key} for key in Record.objects.filter(state="registered").values_list("key", flat=True)],
        "draft": [{"key": key} for key in Record.objects.filter(state="draft").values_list("key", flat=True)],
        "copy": [{"key": one.record.key, "number": one.number} for one in Copy.objects.all()],
        "grant": [{"key": one.record.key, "pk": one.pk} for one in Grant.objects.all()],
        "dossier": [{"key": one.key} for one in Dossier.objects.all()],
        "hold": [{"pk": one.pk} for one in Hold.objects.all()],
        "batch": [{"pk": one.pk} for one in Batch.objects.order_by("-pk")],
        "scan": [{"pk": one.pk, "scan_id": one.pk} for one in Scan.objects.filter(code="failed")] + [{"pk": one.pk, "scan_id": one.pk} for one in Scan.objects.all()],
        "held": [{"pk": one.pk, "number": 1, "form": "image"} for one in Scan.objects.filter(joins__isnull=False)],
        "register": [{"pk": one.pk} for one in Register.objects.all()],
        "clearance": [{"pk": one.pk} for one in Clearance.objects.all()],
        **{name: [{"pk": pk} for pk in getattr(models, name).objects.values_list("pk", flat=True)] for name in ROWS},
        "form": [{"form": form} for form in ("csv", "json")],
        "drop": [{"pk": one.pk} for one in KeptLogFilter.objects.all()],
        "saved": [{"pk": one.pk} for one in SavedSearch.objects.all()],
    }  # fmt: skip


ROWS: Final = ("Person", "Unit", "RecordClass", "RetentionRule")
ABOUT: Final = {
    "archive:person": "Person",
    "archive:holder": "Person",
    "archive:unit": "Unit",
    "archive:shelf": "register",
    "archive:plan-line": "RecordClass",
    "archive:plan-period": "RetentionRule",
    "archive:register-book": "register",
    "archive:register-confirm": "register",
    "archive:register-print": "register",
    "archive:clearance": "clearance",
    "archive:log-export": "form",
    "archive:log-drop": "drop",
    **{f"search:{name}": "saved" for name in ("change", "run", "new", "watch", "unshare", "forget")},
}


def _walk(role: str, browser: Any) -> Iterator[dict[str, Any]]:
    """Yield every page that a post opens, and every act it may try, with what was answered."""
    from config.tests.doors import DOORS, addresses

    things = _things()
    for name, pattern, _view in addresses():
        if name.startswith("api:") or name in NEVER:
            continue
        if name in DOORS and role not in DOORS[name].posts:
            continue
        about = DOORS[name].of if name in DOORS else ABOUT.get(name, "form" if "<str:form>" in pattern else "")
        known: list[dict[str, Any]] = things.get(about, []) if about else [{}] if "<" not in pattern else []
        if name == "search:asked":
            known = [{"token": _asked(browser)}]
        for method in ("GET", "POST"):
            page = _opened(browser, method, pattern, known)
            if page is not None:
                yield {"role": role, "name": name, "method": method, "pattern": pattern, **page}


def _asked(browser: Any) -> str:
    """Return the id of a question kept for the asker: one narrowed by facets does not stand in the address."""
    found = re.search(
        r"/asked/([\w-]+)/", browser.post("/search/", {"q": "muc:mat ke hoach"}).headers.get("Location", "")
    )
    return found.group(1) if found else "nothing"


def _opened(browser: Any, method: str, pattern: str, known: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Try a door with one thing after the other; return the first that lets in. What an act did is taken back."""
    from django.db import transaction

    from config.tests.doors import filled

    for named in islice(known, TRIED):
        address = filled(pattern, named)
        with transaction.atomic():
            answer = browser.get(address) if method == "GET" else browser.post(address, {})
            body, status = answer.getvalue(), answer.status_code
            transaction.set_rollback(True)
        is_page = "text/html" in answer.headers.get("Content-Type", "")
        if status in {200, 302} or (method == "POST" and status in {409, 422}):
            is_whole = b"</html>" in body
            told = {
                "is_whole": is_whole,
                "address": address,
                "status": status,
                "named": {key: str(value) for key, value in named.items()},
            }
            return told | {"is_page": is_page, "body": body.decode(errors="replace") if is_page else ""}
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RuntimeError(f"{method} {address}: {status}")
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            return None
    return None


def _inputs(pages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each input of the pages once: (name of the view, method, field), asked by the first post that has it."""
    from django.urls import Resolver404, resolve

    seen: set[tuple[str, str, str]] = set()
    for page in pages:
        offered = [{"method": page["method"], "address": page["address"], "fields": {}, "multipart": False}]
        if page.get("body"):
            reader = Inputs(page["address"])
            reader.feed(page["body"])
            offered += reader.found
        for one in offered:
            parts = urlsplit(one["address"])
            one["fields"] |= dict(parse_qsl(parts.query, keep_blank_values=True))
            try:
                match = resolve(parts.path)
            except Resolver404:
                continue
            if match.view_name in NEVER or match.namespace == "api":
                continue
            new = [field for field in one["fields"] if (match.view_name, one["method"], field) not in seen and field != "csrfmiddlewaretoken"]  # fmt: skip
            places = [value for key, value in match.kwargs.items() if (match.view_name, one["method"], f"<{key}>") not in seen]  # fmt: skip
            if not new and not places:
                continue
            seen |= {(match.view_name, one["method"], field) for field in new}
            seen |= {(match.view_name, one["method"], f"<{key}>") for key in match.kwargs}
            yield {
                "role": page["role"], "page": page["address"], "name": match.view_name, "method": one["method"], "address": parts.path,
                "fields": one["fields"], "new": new, "places": [str(value) for value in places], "multipart": one["multipart"],
            }  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
