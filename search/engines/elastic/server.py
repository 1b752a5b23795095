"""The one Elasticsearch server that is called, with short waits; its silence becomes `EngineAway`.

Calls no other host: no sniffing, no redirect followed, no proxy. Never writes the text
of a query anywhere: an error of the server may repeat it, so only kind and status of an
error are kept. A part of an answer is no answer: a missing shard is silence too.

A server that was silent a moment ago is not called for PAUSE_SECONDS: nobody else waits
for it, and it is not buried under calls when it returns. Then one caller tries.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Final
from urllib.parse import unquote, urlsplit

import urllib3
from elastic_transport import ConnectionTimeout, NodeConfig, TransportError, Urllib3HttpNode
from elasticsearch import ApiError, Elasticsearch, NotFoundError, UnsupportedProductError

from search.engine import EngineAway

CONNECT_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 5.0  # for a person who waits for a page
WORK_SECONDS: Final = 30.0  # for the follower and a rebuild, which nobody waits for
PAUSE_SECONDS: Final = 2.0
_REDIRECTS: Final = range(300, 400)
_SERVER_ERRORS: Final = range(500, 600)
_TURNED_AWAY: Final = frozenset({401, 403, 407, 413, 429})  # its account, a disk that is full, too much work

Action = tuple[dict[str, Any], dict[str, Any] | None]  # a line of a bulk request, and its document


class EngineRefused(Exception):  # noqa: N818 - says what happened
    """The server answered that a request is wrong: a fault of this program, told without the query."""


class Server:
    """A connection to one address, shared by all threads."""

    def __init__(self, address: str, *, ca_file: str = "") -> None:
        """Prepare to call; nothing is called yet.

        Args:
            address: `https://account:password@host:9200`; the account is optional.
            ca_file: the authority whose certificate the server must show; empty: the system's.
        """
        parts = urlsplit(address)
        options: dict[str, Any] = {}
        if parts.username:
            options["basic_auth"] = (unquote(parts.username), unquote(parts.password or ""))
        if ca_file:
            options["ca_certs"] = ca_file
        port = parts.port or (443 if parts.scheme == "https" else 9200)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        where = f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"
        # One retry: a connection kept open may have been ended by a server that has been started again.
        options |= {"max_retries": 1, "retry_on_timeout": False, "meta_header": False}
        self._client = Elasticsearch(where, node_class=_PatientNode, **options)
        self._asking = Elasticsearch(where, node_class=_BriefNode, **options)
        self._pause = _Pause()

    # --- reading ----------------------------------------------------------------------
    def search(self, indices: Sequence[str], body: dict[str, Any]) -> dict[str, Any]:
        """Return the whole answer of all these indices; an index that is not there is empty."""
        with self._answering():
            answer = self._asking.search(
                index=_named(indices),
                body=body,
                allow_partial_search_results=False,
                ignore_unavailable=True,
                allow_no_indices=True,
            )
        return dict(answer.body)

    def search_each(self, indices: Sequence[str], bodies: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the whole answer to each of several questions, asked in one request and worked on side by side."""
        if len(bodies) == 1:
            return [self.search(indices, bodies[0])]
        whole = {"allow_partial_search_results": False}
        with self._answering():
            answers = self._asking.msearch(
                index=_named(indices),
                searches=[line for body in bodies for line in (whole, body)],
                ignore_unavailable=True,
                allow_no_indices=True,
            ).body["responses"]
        for one in answers:
            _look_at(int(one["status"]), one.get("error"))
        return list(answers)

    def asked(self, indices: Sequence[str]) -> int | None:
        """Return how often a shard of these indices was asked since the server began; None if there is no such index."""
        with self._answering():
            try:
                found = self._asking.indices.stats(index=_named(indices), metric="search").body
            except NotFoundError:
                return None
        return int(found["_all"]["total"]["search"]["query_total"]) // int(found["_shards"]["total"])

    def document(self, index: str, name: str) -> dict[str, Any] | None:
        """Return a document with its sequence numbers, uncommitted changes included; None if there is none."""
        with self._answering():
            try:
                return dict(self._asking.get(index=index, id=name).body)
            except NotFoundError:
                return None

    def versions(self, indices: Sequence[str], ids: Sequence[int]) -> Iterator[tuple[str, int, int]]:
        """Yield (index, id, version) of what is held, uncommitted changes included."""
        asked = [{"_index": index, "_id": str(one), "_source": False} for index in indices for one in ids]
        with self._answering():
            found = self._client.mget(docs=asked).body if asked else {"docs": []}
        for one in found["docs"]:
            if one.get("found"):
                yield one["_index"], int(one["_id"]), int(one["_version"])

    # --- writing ----------------------------------------------------------------------
    def bulk(self, actions: Iterable[Action]) -> list[dict[str, Any]]:
        """Send actions in one request and return what became of each, conflicts of version included.

        Raises:
            EngineAway: the server could not take one of them now. Those before it may have been taken.
            EngineRefused: one of them is wrong.
        """
        lines = [line for action in actions for line in action if line is not None]
        if not lines:
            return []
        with self._answering():
            answer = self._client.bulk(operations=lines).body
        outcomes = [outcome for item in answer["items"] for outcome in item.values()]
        for outcome in outcomes:
            _look_at(int(outcome["status"]), outcome.get("error"))
        return outcomes

    def put(self, index: str, name: str, document: dict[str, Any], **conditions: Any) -> bool:
        """Put a document, visible to `document` at once; return False if a condition on its state did not hold."""
        with self._answering():
            try:
                self._client.index(index=index, id=name, document=document, **conditions)
            except ApiError as error:
                if error.meta.status == 409:  # noqa: PLR2004 - conflict
                    return False
                raise
        return True

    def refresh(self, indices: Sequence[str]) -> None:
        """Make what was written visible to searches."""
        if indices:
            with self._answering():
                self._client.indices.refresh(index=_named(indices))

    # --- indices ----------------------------------------------------------------------
    def create(self, index: str, *, mappings: dict[str, Any], settings: dict[str, Any], alias: str = "") -> None:
        """Make an index; one that exists is left as it is."""
        aliases: dict[str, Any] = {alias: {}} if alias else {}
        with self._answering():
            try:
                self._client.indices.create(index=index, mappings=mappings, settings=settings, aliases=aliases)
            except ApiError as error:
                if error.error != "resource_already_exists_exception":
                    raise

    def behind(self, alias: str) -> list[str]:
        """Return the indices behind an alias; none if there is no such alias."""
        with self._answering():
            try:
                return sorted(self._asking.indices.get_alias(name=alias).body)
            except NotFoundError:
                return []

    def names(self, pattern: str) -> list[str]:
        """Return the names of the indices that fit a pattern."""
        with self._answering():
            return sorted(self._client.indices.get(index=pattern, features="aliases", allow_no_indices=True).body)

    def move_aliases(self, actions: list[dict[str, Any]]) -> None:
        """Change aliases in one step that no search can see half of."""
        with self._answering():
            self._client.indices.update_aliases(actions=actions)

    def tune(self, indices: Sequence[str], settings: dict[str, Any]) -> None:
        """Change settings of indices."""
        with self._answering():
            self._client.indices.put_settings(index=_named(indices), settings=settings)

    def merge(self, indices: Sequence[str]) -> None:
        """Begin to merge the segments of indices that are complete; does not wait for it."""
        with self._answering():
            self._client.indices.forcemerge(index=_named(indices), max_num_segments=1, wait_for_completion=False)

    def delete(self, indices: Sequence[str]) -> None:
        """Delete indices; missing ones are no error."""
        if indices:
            with self._answering():
                self._client.indices.delete(index=_named(indices), ignore_unavailable=True)

    def are_ours(self, indices: Sequence[str]) -> bool:
        """Return whether all these indices take only the fields they were made with: the server makes other ones."""
        with self._answering():
            try:
                found = self._client.indices.get_mapping(index=_named(indices)).body
            except NotFoundError:
                return False
        return all(found[index]["mappings"].get("dynamic") == "strict" for index in indices)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._asking.close()

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn silence and refusals of the server into the errors of the port, without what was asked."""
        self._pause.before()
        try:
            yield
        except (TransportError, UnsupportedProductError) as error:
            self._pause.begin(is_slow=isinstance(error, ConnectionTimeout))
            raise EngineAway(type(error).__name__) from None
        except ApiError as error:
            self._pause.end()
            _look_at(error.meta.status, error.error)
            raise EngineRefused(f"{error.meta.status} {error.error}") from None
        self._pause.end()


def _look_at(status: int, error: object) -> None:
    """Raise what a status means for the one who asked; a conflict of versions is an answer."""
    kind = error.get("type", "") if isinstance(error, dict) else error
    if status in _REDIRECTS or status in _SERVER_ERRORS or status in _TURNED_AWAY:
        raise EngineAway(f"{status} {kind}") from None
    if status >= _REDIRECTS.start and status not in {404, 409}:
        raise EngineRefused(f"{status} {kind}") from None


def _named(indices: Sequence[str]) -> str:
    """Return names for an address. An empty list would mean every index of the server.

    Raises:
        ValueError: there are none.
    """
    if not indices:
        raise ValueError("no index named")
    return ",".join(indices)


class _Pause:
    """Whether the server is left alone for a moment; shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: float | None = None  # None: it answered last time
        self._late = 0  # answers in a row that did not come in time

    def before(self) -> None:
        """Let a call pass, unless the server was silent just now.

        When the pause is over one caller passes and the others go on waiting for what it meets.

        Raises:
            EngineAway: the server was not called.
        """
        with self._lock:
            if self._until is None:
                return
            if time.monotonic() < self._until:
                raise EngineAway("silent a moment ago")
            self._until = time.monotonic() + PAUSE_SECONDS

    def begin(self, *, is_slow: bool) -> None:
        """Leave the server alone from now; one answer that was only slow, to a hard question, is forgiven."""
        with self._lock:
            self._late += 1
            if is_slow and self._late == 1 and self._until is None:
                return
            self._until = time.monotonic() + PAUSE_SECONDS

    def end(self) -> None:
        """It has answered."""
        self._until, self._late = None, 0


class _PatientNode(Urllib3HttpNode):
    """Waits for a connection less long than for an answer. The library has one figure for both."""

    seconds: ClassVar[float] = WORK_SECONDS

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.pool.timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=self.seconds)


class _BriefNode(_PatientNode):
    """The same for those who wait."""

    seconds = ANSWER_SECONDS
