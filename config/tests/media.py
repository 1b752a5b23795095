"""Offices with a backup on three media, for the tests of backup and restore (a pytest plugin of this folder)."""

import shutil
from pathlib import Path

import pytest

from config.tests import installation
from config.tests.installation import Made


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """Found an office once and back it up twice; tests take copies."""
    place = tmp_path_factory.mktemp("kept")
    office = installation.found(place / "home")
    made = Made(office, place / "media", office.ask("look"))
    made.backup()
    made.backup()
    return made


@pytest.fixture
def media(kept, tmp_path):
    """Return a copy of the media that a test may harm."""
    return Made(kept.office, Path(shutil.copytree(kept.media, tmp_path / "media")), kept.before)


@pytest.fixture
def own(kept, tmp_path):
    """Return a copy of office and media that a test may change."""
    media = Path(shutil.copytree(kept.media, tmp_path / "media"))
    return Made(kept.office.copy(tmp_path / "home"), media, kept.before)
