"""The engine under test: each driver in turn, in a place of its own."""

import pytest

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
