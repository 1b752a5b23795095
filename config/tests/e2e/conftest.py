"""What the journeys share: the browser, a served office, its dispatches. Package scope: all ends with the last journey."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.tests.e2e.house import FLAGS, House, chromium_path, manage, open_house
from config.tests.e2e.story import Story
from config.tests.e2e.visit import Visit


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """Start the machine's own Chromium once."""
    path = chromium_path()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="package")
def founded(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Found an office without a dispatch."""
    home = tmp_path_factory.mktemp("founded")
    manage(home, "demo", "--dispatches", "0")
    return home


def _served(home: Path) -> Iterator[House]:
    house = open_house(home)
    yield house
    status = house.stop()
    said = (home / "serve.log").read_text()
    shutil.rmtree(home)
    assert status == 0, said
    assert "Traceback" not in said, said


@pytest.fixture(scope="package")
def bare(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Serve an office to which nothing has come yet."""
    home = tmp_path_factory.mktemp("bare") / "home"
    shutil.copytree(founded, home)
    yield from _served(home)


@pytest.fixture(scope="package")
def house(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Serve the office in which the story happens."""
    home = tmp_path_factory.mktemp("house") / "home"
    shutil.copytree(founded, home)
    yield from _served(home)


@pytest.fixture(scope="package")
def story(browser: Any, house: House, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Tell the story of the sample dispatches, as far as a test asks."""
    return Story(browser, house, tmp_path_factory.mktemp("papers"))


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    """Return a maker of visits: visit(house, "clerk"); each must leave without a complaint."""
    visits: list[Visit] = []

    def enter(at: House, user: str | None = None, **wanted: Any) -> Visit:
        visits.append(Visit(browser, at, user, **wanted))
        return visits[-1]

    yield enter
    for each in visits:
        each.leave()
