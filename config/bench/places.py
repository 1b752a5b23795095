"""Where the indexes of the search bench lie: a folder, or names of this run on a real Elasticsearch.

With a folder to keep, an index that was built whole is taken again by the next run with
what its building cost; without one nothing is left. Elasticsearch is the server of
VANKHO_TEST_ELASTICSEARCH_URL, with VANKHO_INDEX_SHARDS a level; its processor time is asked from itself.
"""

import contextlib
import json
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.engine import Engine

BUILT = "built.json"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an engine of this run lies, and how its cost is seen."""

    kind: str
    where: str

    def open(self) -> Engine:
        """Return an engine on it; each process opens its own."""
        if self.kind == "embedded":
            from search.engines.embedded import Embedded

            return Embedded(Path(self.where))
        from search.engines.elastic.driver import Elastic
        from search.engines.elastic.server import Server

        shards = int(os.environ.get("VANKHO_INDEX_SHARDS", "1"))
        return Elastic(Server(os.environ["VANKHO_TEST_ELASTICSEARCH_URL"]), self.where, shards=shards)

    def forget(self) -> None:
        """Have the server keep no answers: each question is asked twice, and the second is measured as if it were new."""
        if self.kind == "elastic":
            with client() as server:
                server.indices.put_settings(index=f"{self.where}*", settings={"index.requests.cache.enable": False})

    def settle(self) -> None:
        """Wait for the merging that a rebuild leaves to the server: its cost and its gain belong to the index."""
        if self.kind == "elastic":
            with client() as server:
                server.options(request_timeout=3600).indices.forcemerge(index=f"{self.where}*", max_num_segments=1)

    def bytes(self) -> int:
        """Return the size of the index."""
        if self.kind == "embedded":
            return sum(path.stat().st_size for path in Path(self.where).rglob("*") if path.is_file())
        with client() as server:
            return int(server.indices.stats(index=f"{self.where}*")["_all"]["primaries"]["store"]["size_in_bytes"])

    def processor_seconds(self) -> float:
        """Return the processor time that has been spent for it: of this process, or of the server."""
        if self.kind == "embedded":
            return time.process_time()
        with client() as server:
            nodes = server.nodes.stats(metric="process")["nodes"].values()
        return sum(int(node["process"]["cpu"]["total_in_millis"]) for node in nodes) / 1000


@contextmanager
def client() -> Iterator[Any]:
    """Yield a client of the server, for what no engine does: sizes, costs, clearing away."""
    from elasticsearch import Elasticsearch

    with contextlib.closing(Elasticsearch(os.environ["VANKHO_TEST_ELASTICSEARCH_URL"], request_timeout=60)) as server:
        yield server


@contextmanager
def place(kind: str, records: int, keep: Path | None) -> Iterator[tuple[Place, Path]]:
    """Yield a place and the folder of its notes: an empty one, or the one that was kept with `BUILT` in it."""
    if kind == "elastic" and not os.environ.get("VANKHO_TEST_ELASTICSEARCH_URL"):
        raise RuntimeError("VANKHO_TEST_ELASTICSEARCH_URL names no server")
    with contextlib.nullcontext(keep) if keep else tempfile.TemporaryDirectory(prefix="vankho-bench-") as root:
        notes = (Path(root) / f"{kind}-{records}-s{_schema(kind)}").absolute()
        name = f"vankhobench{records}" if keep else f"vankhobench{uuid.uuid4().hex[:8]}"
        there = Place(kind, str(notes / "index") if kind == "embedded" else name)
        if not (notes / BUILT).exists():  # cut off while it was built, or not begun
            _clear(there)
            shutil.rmtree(notes, ignore_errors=True)
            notes.mkdir(parents=True)
        try:
            yield there, notes
        finally:
            if not keep:
                _clear(there)


def built(notes: Path) -> dict[str, Any] | None:
    """Return what an earlier building cost; None if there was none."""
    return json.loads((notes / BUILT).read_text(encoding="utf-8")) if (notes / BUILT).exists() else None


def _schema(kind: str) -> int:
    """Return the number of the form of an index: what was kept in an older form cannot be read."""
    if kind == "embedded":
        from search.engines.schema import SCHEMA
    else:
        from search.engines.elastic.mapping import SCHEMA
    return SCHEMA


def _clear(there: Place) -> None:
    if there.kind == "elastic":
        with client() as server:
            for name in server.indices.get(index=f"{there.where}*", ignore_unavailable=True, allow_no_indices=True):
                server.indices.delete(index=name, ignore_unavailable=True)
