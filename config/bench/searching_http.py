"""Measure the search page as an office asks it: the whole request, all middleware, session, database and log.

    python -m config.bench searching --records 10000 --http

An office of `config.bench.million` with 10,000 records on SQLite, its pages filled with
the text of the corpus, is asked through Django's own client: everything but the socket.
A question is sent by the page's form, which answers it at once (`page`): this is held
against the goal. Without script a cleared reader's question is two requests, POST (the
words are kept under an id) and the GET that shows the hits: told beside it (`both`).
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from config import collecting
from config.bench import pages
from config.bench.goals import verdict
from config.bench.spread import spread
from config.bench.workload import Corpus

RECORDS: Final = 10_000
ASKED: Final = 12  # of a kind and reader: 34 questions of a kind, in two minutes of processor
READERS: Final = ("l-clerk1", "l-leader2", "l-archivist")
GOAL_MS: Final = 40.0  # p95
BATCH: Final = 500
_Spent = tuple[float, float]  # wall and processor milliseconds


def measured(corpus: Path, keep: Path | None = None) -> dict[str, Any]:
    """Found the office, index it, ask, print and return the figures."""
    with pages.installation(RECORDS, "", keep) as environment:
        figures: dict[str, Any] = json.loads(pages.child(environment, "config.bench.searching_http", str(corpus)))
    print(f"\nthrough HTTP, {RECORDS:,} records; load {round(os.getloadavg()[0], 1)}; limit p95 {GOAL_MS:.0f} ms")
    print(f"  {'question, ms':24} {'p50':>8} {'p95':>8} {'p99':>8} {'cpu p95':>8}")
    for kind, one in figures.items():
        missed = verdict(one["p95"] <= GOAL_MS, f"page through HTTP, {kind}") if kind.endswith("page") else ""
        print(f"  {kind:24} {one['p50']:>8} {one['p95']:>8} {one['p99']:>8} {one['cpu_p95']:>8}{missed}")
    return figures


# --- in the installation ------------------------------------------------------------------------------------


def ask(folder: Path) -> dict[str, dict[str, float]]:
    """Index the office's records with the corpus's text and ask every kind of question as every reader."""
    import django

    django.setup()
    from django.test import Client

    from archive.models import Person

    corpus = Corpus.of(folder)
    _index(corpus)
    collecting.put_aside()  # as both servers do once they are loaded
    collecting.look_seldom()
    spent: dict[str, list[tuple[float, float]]] = {}
    for name in READERS:
        browser = Client()
        browser.force_login(Person.objects.get(username=name), backend="archive.sign_in.Backend")
        for kind, questions in corpus.questions(RECORDS).items():
            for turn, asked in enumerate(question for question in questions[:ASKED] if question.text):
                steps = _page(browser, asked.text) | _pages(browser, asked.text)
                if turn:  # the first one loads templates
                    for step, one in steps.items():
                        spent.setdefault(f"{kind}, {step}", []).append(one)
    return {kind: _figures(found) for kind, found in spent.items()}


def _index(corpus: Corpus) -> None:
    from archive.models import AuditLeaf, Record
    from search import finding, follow

    ids = list(Record.objects.order_by("pk").values_list("pk", flat=True))
    place = {pk: at for at, pk in enumerate(ids)}

    def texts(record: Any) -> list[Any]:
        return [
            SimpleNamespace(number=at, text=page) for at, page in enumerate(corpus.entry(place[record.pk]).pages, 1)
        ]

    follow._texts = texts  # type: ignore[assignment]  # noqa: SLF001 - no sealed file stands behind these records
    engine = finding.engine()
    if engine.position() > 0:
        return  # a kept office that was indexed before
    for start in range(0, len(ids), BATCH):
        engine.upsert(follow.entries(ids[start : start + BATCH], version=1))
    engine.commit(position=AuditLeaf.objects.count())
    engine.release()


def _page(browser: Any, text: str) -> dict[str, _Spent]:
    """Ask as the form of a page with script does."""
    return {"page": _timed(browser.post, "/search/", {"q": text, "at_once": ""}, status=200)[0]}


def _pages(browser: Any, text: str) -> dict[str, _Spent]:
    """Ask as the form does without script: what each request takes, and both."""
    post, answer = _timed(browser.post, "/search/", {"q": text}, status=302)
    get, _ = _timed(browser.get, answer["Location"], {}, status=200)
    return {"post": post, "get": get, "both": (post[0] + get[0], post[1] + get[1])}


def _timed(method: Any, address: str, words: dict[str, str], *, status: int) -> tuple[_Spent, Any]:
    began, spent = time.perf_counter(), time.process_time()
    answer = method(address, words, headers={"host": "127.0.0.1"})
    taken = (time.perf_counter() - began) * 1000, (time.process_time() - spent) * 1000
    if answer.status_code != status:
        raise RuntimeError(f"{address}: {answer.status_code}")
    return taken, answer


def _figures(found: list[tuple[float, float]]) -> dict[str, float]:
    return spread([wall for wall, _ in found]) | {"cpu_p95": spread([cpu for _, cpu in found])["p95"]}


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run it alone: `python -m config.bench searching_http`."""
    corpus = getattr(arguments, "search_corpus", None) or arguments.generators / "search_corpus"
    return measured(corpus, getattr(arguments, "keep", None))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    print(json.dumps(ask(Path(sys.argv[1]))))
