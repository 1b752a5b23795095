"""The engine under test: each driver in turn, in a folder of its own."""

import pytest

from search.tests import make


@pytest.fixture(params=make.ENGINES)
def engine(request, tmp_path):
    yield from make.opened(request.param, tmp_path)
