"""Measure every list and detail page over a large office: queries, and time on the server, against the limits.

    python -m config.bench pages --records 1000000 [--database URL] [--keep FOLDER]

The office of `config.bench.million` is written into a scratch installation (SQLite, or a
database of its own on a PostgreSQL server), then the real addresses are asked through
Django's own client, without a network. Times are milliseconds of one request, all
middleware included: wall, and processor time of this process; PostgreSQL's own
processor time is in the wall only. With --keep the loaded office stays for the next run.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

from config.bench import scratch, stack
from config.bench.goals import verdict

RECORDS: Final = 1_000_000
ROUNDS: Final = 20
GOAL_MS: Final = 100.0  # p95
GOAL_QUERIES: Final = 12


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Load the office or take the kept one, ask every page, print and return the figures."""
    records = int(arguments.records or RECORDS)
    with installation(records, arguments.database, arguments.keep) as environment:
        figures = json.loads(child(environment, "config.bench.pages"))
    load = [round(one, 1) for one in os.getloadavg()]
    result = {
        "records": records,
        "database": "postgresql" if arguments.database else "sqlite",
        "load": load,
        "pages": figures,
    }
    _print(result)
    return result


def child(environment: dict[str, str], module: str, *words: str) -> str:
    """Run a module in an installation and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=scratch.ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


@contextmanager
def installation(
    records: int, database: str, keep: Path | None, *, filler: str = "config.bench.million"
) -> Iterator[dict[str, str]]:
    """Yield the environment of a founded installation that a module has filled with so many rows."""
    kind, name = "postgresql" if database else "sqlite", f"vankhobench_{filler.rpartition('.')[2]}_{records}"
    with nullcontext(keep) if keep else tempfile.TemporaryDirectory(prefix="vankho-bench-") as folder:
        home = (Path(folder) / f"{kind}-{records}").absolute()
        environment = os.environ | {
            "VANKHO_HOME": str(home),
            "VANKHO_PROFILE": "evaluation",
            "VANKHO_LOG_LEVEL": "ERROR",
        }
        fill = not (home / "loaded").exists()
        if fill:
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True)
        if database:
            environment["VANKHO_DATABASE_URL"] = stack.with_database(database, name)
            for statement in ("DROP DATABASE IF EXISTS {} WITH (FORCE)", "CREATE DATABASE {}") if fill else ():
                stack.databases(database, statement, name)
        scratch.manage(environment, "demo", "--dispatches", "0")
        if fill:
            print(child(environment, filler, str(records)).strip(), flush=True)
            (home / "loaded").touch()
        try:
            yield environment
        finally:
            if database and not keep:
                stack.databases(database, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


# --- in the installation ------------------------------------------------------------------------------------


def ask() -> dict[str, dict[str, Any]]:
    """Ask every page as every reader and return queries and times."""
    import django

    django.setup()
    from archive.models import Person

    figures = {}
    for name, addresses in _addresses().items():
        person = Person.objects.select_related("unit").get(username=name)
        for label, address in addresses:
            figures[f"{name[2:]} {label}"] = _measured(person, address)
    return figures


def _measured(person: Any, address: str) -> dict[str, Any]:
    from django.db import connection
    from django.test import Client

    browser = Client()
    browser.force_login(person, backend="archive.sign_in.Backend")
    asked: list[str] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(TURNS):
            asked.append(sql)
        return execute(sql, params, many, context)

    wall, cpu = [], []
    for turn in range(ROUNDS + 1):
        asked.clear()
        began, spent = time.perf_counter(), time.process_time()
        with connection.execute_wrapper(count):
            answer = browser.get(address, headers={"host": "127.0.0.1"})
        if answer.status_code != 200:  # noqa: PLR2004
            raise RuntimeError(f"{person.username} {address}: {answer.status_code}")
        if turn:  # the first one loads templates
            cpu.append((time.process_time() - spent) * 1000)
            wall.append((time.perf_counter() - began) * 1000)
        elif (time.perf_counter() - began) > SLOW_SECONDS:
            cpu.append((time.process_time() - spent) * 1000)
            wall.append((time.perf_counter() - began) * 1000)
            break
    if address in os.environ.get("VANKHO_BENCH_SHOW", "").split():
        print(*asked, sep="\n", file=sys.stderr)
    return {"queries": len(asked), "bytes": len(answer.content), **spread("wall", wall), **spread("cpu", cpu)}


TURNS: Final = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")  # no work for the database
SLOW_SECONDS: Final = 3.0  # a page this slow is asked once


def spread(name: str, spent: list[float]) -> dict[str, float]:
    """Return the median and the 95th percentile of times."""
    ordered = sorted(spent)
    return {
        f"{name}_p50": round(statistics.median(ordered), 1),
        f"{name}_p95": round(ordered[max(0, round(len(ordered) * 0.95) - 1)], 1),
    }


def _addresses() -> dict[str, list[tuple[str, str]]]:
    """Return reader -> (what, address): first pages, next pages, filters, details."""
    own = {name: _own(name) for name in ("l-clerk1", "l-leader2", "l-head", "l-archivist", _staff())}
    work = [("desk", "/"), ("my work", "/work/")]
    unit = [
        ("work of unit", "/work/unit/"), ("work of unit, page 2", "/work/unit/?page=2"),
        ("work of unit, late", "/work/unit/?only=late"), ("work of unit, soon", "/work/unit/?only=soon"),
        ("work of unit, waiting", "/work/unit/?only=waiting"),
    ]  # fmt: skip
    folders = [("dossiers", "/dossiers/"), ("dossiers, closed", "/dossiers/?state=closed")]
    staff = _staff()
    return {
        "l-clerk1": [*work, ("intake desk", "/register/"), ("to forward, page 2", "/work/?page=2"), *_books("l-clerk1"), *folders, *own["l-clerk1"]],
        staff: [*work, *unit, ("my work, late", "/work/?only=late"), *folders, *own[staff]],
        "l-leader2": [*work, *unit, *_books("l-leader2"), *folders, *own["l-leader2"]],
        "l-head": [*work, *unit, *_books("l-head"), *folders, *own["l-head"]],
        "l-archivist": [("desk", "/"), *folders, ("not filed", "/dossiers/unfiled/"), ("due", "/due/"),
                        ("due, 20 years", "/due/?years=20"), ("holds", "/holds/"), ("file plan", "/plan/"),
                        *_books("l-archivist"), *own["l-archivist"], *_dossier("l-archivist")],
        "l-archivist0": [("desk", "/"), ("not filed", "/dossiers/unfiled/")],
        "l-archivist1": [("desk", "/"), ("not filed", "/dossiers/unfiled/")],
        "l-auditor": _log(),
    }  # fmt: skip


def _staff() -> str:
    from archive.models import Person, Unit

    unit = Unit.objects.get(code="L3-2")
    return str(
        Person.objects.filter(unit=unit, username__startswith="l-staff")
        .order_by("pk")
        .values_list("username", flat=True)[0]
    )


def _own(name: str) -> list[tuple[str, str]]:
    """Return the detail pages of a record in the middle of what a reader sees."""
    from archive import access
    from archive.models import Person, Record

    scope = access.visible_to(Person.objects.get(username=name))
    # What is loaded here lies under no digest: above the lowest level its door stays closed.
    newest = scope.records().filter(state="registered", level=0).order_by("-pk").values_list("pk", flat=True)[:400]
    key = Record.objects.get(pk=list(newest)[-1]).key
    return [("record", f"/records/{key}/"), ("thread", f"/records/{key}/thread/")]


def _books(name: str) -> list[tuple[str, str]]:
    from django.utils import timezone

    from archive import registers
    from archive.models import Person

    found = list(registers.readable(Person.objects.get(username=name)))
    kinds = {register.kind: register.pk for register in reversed(found) if register.unit.code.startswith("L")}
    year, book = timezone.localdate().year, f"/registers/{kinds['incoming']}/"
    return [
        ("registers", "/registers/"), ("incoming", book), ("incoming, next", f"{book}?below=500"),
        ("incoming, last year", f"{book}?year={year - 1}"), ("incoming, by number", f"{book}?order=number"),
        ("incoming, days", f"{book}?year={year - 1}&since=01/06/{year - 1}&until=30/06/{year - 1}"),
        ("outgoing", f"/registers/{kinds['outgoing']}/"), ("secret incoming", f"/registers/{kinds['secret_incoming']}/"),
    ]  # fmt: skip


def _dossier(name: str) -> list[tuple[str, str]]:
    from archive import dossiers
    from archive.models import Person

    key = dossiers.visible_dossiers(Person.objects.get(username=name)).filter(code__endswith=".L")[0].key
    return [("dossier", f"/dossiers/{key}/")]


def _log() -> list[tuple[str, str]]:
    from django.utils import timezone

    from archive.models import AuditLeaf, Person

    middle = AuditLeaf.objects.order_by("-idx").values_list("idx", flat=True)[0] // 2
    year, clerk = timezone.localdate().year - 1, Person.objects.get(username="l-clerk1").pk
    return [
        ("desk", "/"), ("log", "/log/"), ("log, older", f"/log/?before={middle}"), ("log, person", f"/log/?person={clerk}"),
        ("log, act", "/log/?action=record.register"), ("log, dispatch", "/log/?record=12/BC-BCH"),
        ("log, days", f"/log/?since=01/06/{year}&until=30/06/{year}"), ("log, refused", "/log/refused/"),
        ("log, person and act", f"/log/?person={clerk}&action=record.read"),
        ("log, person, older", f"/log/?person={clerk}&before={middle}"),
    ]  # fmt: skip


def _print(result: dict[str, Any]) -> None:
    print(f"{result['records']:,} records; load {result['load']}; limits: {GOAL_QUERIES} queries, p95 {GOAL_MS:.0f} ms")
    print(f"  {'page':38} {'queries':>7} {'wall p50':>9} {'p95':>8} {'cpu p50':>8} {'p95':>8} {'of limit':>9}")
    for name, one in result["pages"].items():
        one["of_limit"] = round(one["wall_p95"] / GOAL_MS, 2)
        missed = verdict(one["wall_p95"] <= GOAL_MS and one["queries"] <= GOAL_QUERIES, name)
        print(f"  {name:38} {one['queries']:>7} {one['wall_p50']:>9} {one['wall_p95']:>8} {one['cpu_p50']:>8} "
              f"{one['cpu_p95']:>8} {one['of_limit']:>9}{missed}")  # fmt: skip


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    print(json.dumps(ask()))
