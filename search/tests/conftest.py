"""The engine under test: each driver in turn, in a place of its own."""

import pytest

from search import finding, follow
from search.engine import EngineAway
from search.tests import make


@pytest.fixture(params=make.ENGINES)
def open_engine(request):
    """How an engine of this driver is opened over a folder's place."""
    return request.param


@pytest.fixture
def engine(open_engine, tmp_path):
    yield from make.opened(open_engine, tmp_path)


@pytest.fixture
def beside(open_engine, engine, tmp_path):
    """Another engine of the same place, as another process has it."""
    other = open_engine(tmp_path)
    yield other
    other.release()


@pytest.fixture
def holding(open_engine, kept):
    """An engine that holds just these entries: for tests that only ask, which share it. On a server an index costs a second."""
    return lambda *entries: kept(open_engine, entries)


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    made = {}

    def keep(open_engine, entries):
        if (open_engine, entries) not in made:
            making = make.opened(open_engine, tmp_path_factory.mktemp("holding"))
            made[open_engine, entries] = engine, _ = next(making), making
            make.fill(engine, *entries)
        return made[open_engine, entries][0]

    yield keep
    for _, making in made.values():
        next(making, None)


@pytest.fixture
def indexed(engine, monkeypatch):
    """The engine under test in the place of the installation's; call it to let the follower catch up with the log."""
    monkeypatch.setattr(follow, "open_engine", lambda: engine)
    opened = finding.engine
    opened.cache_clear()

    def catch_up():
        follower = follow.Follower(engine)
        while follower.catch_up():
            continue
        follower.close()

    yield catch_up
    opened.cache_clear()


@pytest.fixture
def away(monkeypatch):
    """Call it to have the search server not answer any more."""

    class Silent:
        def __getattr__(self, _name):
            raise EngineAway

    def leave():
        monkeypatch.setattr(finding, "engine", Silent)

    return leave
