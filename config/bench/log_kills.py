"""SIGKILL around the commit of an act and the placing of its entry: nothing lost, nothing twice, the order kept.

Each blow meets a process of its own that stands at a known point - before the commit, between
the commit and the place, in the middle of placing, after it - or that is anywhere in a loop.
On PostgreSQL writers and sequencers are hit; on SQLite, where an entry gets its place in its
act's transaction, writers alone. Afterwards act and entry, places and chains are compared, and
`verify_log` looks at all. `python -m config.bench log_kills [--times KILLS] [--database ADDRESS] [--seed N]`.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final

from config.bench import scratch

KILLS: Final = 100
AT: Final = "at the point"
BETWEEN: Final = ("committed", "placing")  # blows that fall between commit and place
FORK: Final = multiprocessing.get_context("fork")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Kill so often, on SQLite or on the PostgreSQL server named."""
    seed = int(arguments.seed or random.SystemRandom().randrange(10**6))
    return siege(times=int(arguments.times or KILLS), seed=seed, database=arguments.database)


def siege(*, times: int, seed: int, database: str = "") -> dict[str, Any]:
    """Return what the log of a scratch installation holds after so many blows."""
    with scratch.installation(database=database) as environment:
        child = scratch.begin(environment, "-m", "config.bench.log_kills", str(times), str(seed))
        told = child.communicate()[0].splitlines()
    if child.returncode:
        raise RuntimeError(f"the bench ended with {child.returncode}: {told[-5:]}")
    result: dict[str, Any] = json.loads(told[-1])
    for name, value in result.items():
        print(f"{name:22} {value}")
    return result


def work(times: int, seed: int) -> dict[str, Any]:
    """Strike, look, and say what was found, inside the installation."""
    from django.db import connection

    chance, began = random.Random(seed), time.monotonic()
    kinds = list(STAGES if connection.vendor == "postgresql" else STAGES[:3])
    struck: Counter[str] = Counter()
    told: list[list[str]] = []
    for number in range(times):
        name, act = kinds[number % len(kinds)]
        told.append(_struck(act, f"{seed}-{number}", chance, loops=name.startswith("anywhere")))
        struck[name] += 1
    return {
        "database": connection.vendor,
        "seed": seed,
        "kills": sum(struck.values()),
        "killed": dict(struck),
        "between": sum(struck[name] for name in BETWEEN) if connection.vendor == "postgresql" else 0,
        "load": round(os.getloadavg()[0], 1),
        "seconds": round(time.monotonic() - began, 1),
        **_found(told),
        "verify_log": _verified(),
    }


def _struck(act: Callable[..., None], name: str, chance: random.Random, *, loops: bool) -> list[str]:
    """Let a child do its acts and kill it at its point, or anywhere; return the entries that it had acknowledged."""
    from django.db import connections

    connections.close_all()  # a child must not inherit a conversation with the server
    here, there = FORK.Pipe(duplex=False)
    child = FORK.Process(target=act, args=(there, name))
    child.start()
    there.close()
    said: list[str] = []
    until = time.monotonic() + 60
    while AT not in said:
        if not here.poll(max(0, until - time.monotonic())):
            raise RuntimeError(f"{act.__name__} did not come to its point")
        said.append(here.recv())
    if loops:
        time.sleep(chance.uniform(0, 0.15))
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    try:
        while here.poll(0):
            said.append(here.recv())
    except (EOFError, OSError):
        pass
    return [word for word in said if word != AT]


# --- what the children do ------------------------------------------------------------------------------------


def _act(name: str) -> str:
    """Do one act of the office and one read of a thing that all read; return the entry of the read."""
    from datetime import date

    from archive import audit, dossiers
    from archive.models import Person, RecordClass, RetentionRule
    from archive.rules.roles import Action

    person = Person.objects.select_related("unit").get(username="archivist")
    cover = dossiers.Cover(
        code=name, title=name, record_class=RecordClass.objects.first(), unit=person.unit, opened_on=date(2026, 11, 2),
        rule=RetentionRule.objects.filter(valid_to=None).first(),
    )  # fmt: skip
    dossiers.begin(cover, actor=person)
    entry = audit.read(Action.RECORD_READ, actor=person, subject=audit.Subject("record", "shared"))
    return str(entry.pk)


def _until_killed() -> None:
    while True:
        time.sleep(60)


def uncommitted(pipe: Connection, name: str) -> None:
    """Two acts, the second not committed when the blow falls."""
    from django.db import transaction

    pipe.send(_act(f"{name}-a"))
    with transaction.atomic():
        _act(f"{name}-b")
        pipe.send(AT)
        _until_killed()


def committed(pipe: Connection, name: str) -> None:
    """Two acts, the second committed; on PostgreSQL it has no place yet."""
    for each in "ab":
        pipe.send(_act(f"{name}-{each}"))
    pipe.send(AT)
    _until_killed()


def writing(pipe: Connection, name: str) -> None:
    """Act after act."""
    number = 0
    while True:
        pipe.send(_act(f"{name}-{number}"))
        if not number:
            pipe.send(AT)
        number += 1


def placing(pipe: Connection, name: str) -> None:
    """A sequencer in the middle: places given, nothing committed."""
    from django.db import transaction

    from archive import sequencing

    pipe.send(_act(name))
    with transaction.atomic():
        sequencing.place(limit=3, wait=True)
        pipe.send(AT)
        _until_killed()


def placed(pipe: Connection, name: str) -> None:
    """A sequencer that has placed some of what waits."""
    from archive import sequencing

    pipe.send(_act(name))
    sequencing.place(limit=3, wait=True)
    pipe.send(AT)
    _until_killed()


def sequencing_on(pipe: Connection, name: str) -> None:
    """A sequencer at work beside its own writing."""
    from archive import sequencing

    number = 0
    while True:
        pipe.send(_act(f"{name}-{number}"))
        sequencing.place(limit=2, wait=True)
        if not number:
            pipe.send(AT)
        number += 1


# The first three are of writers: all that there is on SQLite.
STAGES: Final = (
    ("uncommitted", uncommitted),
    ("committed", committed),
    ("anywhere in writing", writing),
    ("placing", placing),
    ("placed", placed),
    ("anywhere in placing", sequencing_on),
)


# --- what is left --------------------------------------------------------------------------------------------


def _found(told: list[list[str]]) -> dict[str, Any]:
    """Compare the log with what was acknowledged, and with the acts themselves."""
    from archive import sequencing
    from archive.models import AuditEntry, AuditLeaf, AuditPending, Dossier

    waited = AuditPending.objects.count()
    sequencing.place_all()
    places = [(str(entry), idx) for entry, idx in AuditLeaf.objects.order_by("idx").values_list("entry_id", "idx")]
    at = dict(places)
    acts = Counter(AuditEntry.objects.filter(action="dossier.open").values_list("object_id", flat=True))
    made = set(Dossier.objects.values_list("key", flat=True))
    in_order = [[at[entry] for entry in said if entry in at] for said in told]
    chain = list(
        AuditEntry.objects.filter(object_id="shared").order_by("leaf__idx").values_list("object_seq", flat=True)
    )
    acknowledged = [entry for said in told for entry in said]
    return {
        "entries": len(places),
        "acknowledged": len(acknowledged),
        "waited_at_the_end": waited,
        "lost": sum(entry not in at for entry in acknowledged),
        "twice": len(places) - len(at) + sum(count - 1 for count in acts.values()),
        "without_place": AuditEntry.objects.filter(leaf=None).count() + AuditPending.objects.count(),
        "gaps": len({idx for _entry, idx in places} ^ set(range(len(places)))),
        "act_without_entry": len(made - set(acts)),
        "entry_without_act": len(set(acts) - made),
        "out_of_order": sum(order != sorted(order) for order in in_order) + (chain != list(range(1, len(chain) + 1))),
    }


def _verified() -> str:
    import io

    from django.core.management import CommandError, call_command

    out = io.StringIO()
    try:
        call_command("verify_log", stdout=out)
    except CommandError as fault:
        return str(fault)
    return out.getvalue().strip()


def passed(result: dict[str, Any]) -> bool:
    """Say whether no blow did any harm to the log."""
    harm = ("lost", "twice", "without_place", "gaps", "act_without_entry", "entry_without_act", "out_of_order")
    return not any(result[name] for name in harm)


if __name__ == "__main__":
    import django
    from django.utils import translation

    django.setup()
    with translation.override("en"):
        print(json.dumps(work(int(sys.argv[1]), int(sys.argv[2])), ensure_ascii=False))
