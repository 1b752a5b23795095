"""Offices with a backup on three media, for the tests of backup and restore (a pytest plugin of this folder)."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from config.tests import installation


@dataclasses.dataclass(frozen=True)
class Made:
    """An office and its backup on three media."""

    office: installation.Installation
    media: Path
    before: dict  # what the office held when the backup was made

    @property
    def main(self) -> Path:
        return self.media / "main"

    @property
    def vault(self) -> Path:
        return self.media / "vault"

    @property
    def keys(self) -> Path:
        return self.media / "keys"

    def backup(self, **kwargs) -> str:
        return self.office.manage(
            "backup", str(self.main), "--vault", str(self.vault), "--keys", str(self.keys), **kwargs
        )

    def restore(self, empty: installation.Installation, *words: str, folder: Path | None = None, code: int = 0) -> str:
        media = ("--vault", str(self.vault), "--keys", str(self.keys))
        return empty.manage("restore", str(folder or self.main), *media, *words, code=code)

    def with_settings(self, **settings: str) -> installation.Installation:
        """Give the office more settings from here on."""
        self.office.settings.update(settings)
        return self.office


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
