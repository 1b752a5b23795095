"""Builders for search tests: an entry of the office, a reader, an engine of each driver."""

import os
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from config.tests.office import RUN
from search.engines.elastic.driver import Elastic
from search.engines.elastic.generations import Generations
from search.engines.elastic.server import Server
from search.engines.embedded import Embedded
from search.entry import Entry, Filed, Order, Results, Terms
from search.query import parse

EVERYONE = 7  # the principal (a unit) that every entry is reached by, unless said otherwise
FILING = 3  # the unit whose dossier every entry lies in, unless said otherwise
READER = Terms(level=0, markings=(1,), reach=(EVERYONE,), units=(FILING,))
CLEARED = Terms(level=3, markings=(1, 2), reach=(EVERYONE,), units=(FILING,))

PLAIN = Entry(
    id=1,
    version=1,
    level=0,
    marking=1,
    reach=(EVERYONE,),
    number="123/BC-BCH",
    register_number="77",
    subject="Báo cáo kết quả diễn tập khu vực phòng thủ",
    type_name="Báo cáo",
    organ_name="Bộ CHQS tỉnh Vĩnh Long",
    unit="Phòng Tham mưu",
    unit_is=2,
    year=2024,
    issued_on=date(2024, 3, 12),
    arrived_on=date(2024, 3, 15),
    urgency=0,
    signer="Nguyễn Văn Ánh",
    filed=(Filed(FILING, "dientap24", "2024.05 Diễn tập"),),
    pages=("Căn cứ Kế hoạch số 45/KH-BTL ngày 01/02/2024.", "Các đơn vị đã hoàn thành diễn tập."),
)


OF_FILED = {"dossier": "name", "dossier_key": "key", "filed_in": "unit", "retention": "retention", "period": "period"}


def entry(record_id: int, **changes: object) -> Entry:
    """Return an entry like PLAIN with another id; some words change the one dossier in which it lies."""
    if of_filed := {OF_FILED[name]: changes.pop(name) for name in OF_FILED if name in changes}:
        changes["filed"] = (replace(PLAIN.filed[0], **of_filed),)
    return replace(PLAIN, id=record_id, **changes)


def embedded(folder: Path) -> Embedded:
    """Return the embedded engine of a folder: twice the same folder, twice the same index."""
    return Embedded(folder / "index")


def elastic(folder: Path) -> Elastic:
    """Return the engine on the given server whose indices are named after this run and the folder."""
    return Elastic(elasticsearch(), prefix_of(folder))


def prefix_of(folder: Path) -> str:
    return f"vankho-{RUN}-{zlib.crc32(str(folder).encode()):08x}"


@cache
def elasticsearch() -> Server:
    """Return the server given for tests; without one the test is skipped, or fails where one is required."""
    address = os.environ.get("VANKHO_TEST_ELASTICSEARCH_URL", "")
    if not address:
        reason = "VANKHO_TEST_ELASTICSEARCH_URL names no server"
        (pytest.fail if os.environ.get("VANKHO_TEST_REQUIRE") == "1" else pytest.skip)(reason)
    return Server(address)


ENGINES = [pytest.param(embedded, id="embedded"), pytest.param(elastic, id="elastic", marks=pytest.mark.engine)]


def fill(engine, *entries: Entry) -> None:
    engine.upsert(entries)
    engine.commit()


def found(engine, text: str, terms: Terms = READER, **options: object) -> list[int]:
    """Return the ids found, best first unless said otherwise."""
    return [hit.id for hit in ask(engine, text, terms, **options).hits]


def ask(engine, text: str, terms: Terms = READER, **options: object) -> Results:
    return engine.search(parse(text), terms, **{"order": Order.BEST, **options})


def opened(open_engine, folder: Path) -> Iterator[object]:
    engine = open_engine(folder)
    yield engine
    engine.release()
    if isinstance(engine, Elastic):
        Generations(elasticsearch(), prefix_of(folder)).clear()
