"""An office with a store of its own, on each medium, and a dispatch whose files are sealed anew (a pytest plugin of this folder)."""

from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from archive import attachments, capture, store
from archive.rules.levels import Level
from archive.rules.proposal import Suggestion
from archive.stores.custody import make_key_files
from config.tests import buckets
from config.tests.office import pack_of, seal
from config.tests.resealed import ANNEX


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.engine)])
def own(request, settings, tmp_path):
    """A store that no other test has put anything into."""
    settings.VANKHO_HOME = tmp_path / "home"
    settings.SITE_KEY_FILES = paths = (tmp_path / "a1.key", tmp_path / "a2.key")
    make_key_files(paths)
    with ExitStack() as lent:
        if request.param == "s3":
            account = lent.enter_context(buckets.fresh(object_lock=True))
            settings.STORE_DRIVER, settings.S3_URL, settings.S3_BUCKET = "s3", account.url, account.bucket
            settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY = account.access_key, account.secret_key
        yield
        store.configured().vault.close()
        store._configured.clear()


@pytest.fixture
def record(own, office, make_record):
    """A dispatch with a main file, an annex, and pages of both."""
    made = make_record(pages=("Kế hoạch", "Trang hai"))
    pack, ranges = pack_of(("Phụ lục",), level=Level(made.level))
    kept = seal(ANNEX, level=Level(made.level), role="original", name="phu-luc.pdf")
    level = Level(made.level)
    captured = capture.Captured(made.unit, Suggestion(level, level, level), kept, pack, ranges, [])
    attachments.join(made, captured, handed=attachments.Handed(office.clerk, datetime.now(UTC), "Gửi kèm"))
    made.refresh_from_db()
    return made
