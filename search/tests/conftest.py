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
