"""Each refusal has a code of its own: it stands in the log, in the API and in what people read to each other."""

import re
from collections import Counter
from pathlib import Path

from django.conf import settings

CODE = re.compile(r'^    code = "([A-Z]+-[0-9]{3})"$', re.MULTILINE)
PACKAGES = ("archive", "ingest", "search", "config")


def test_no_two_refusals_share_a_code():
    root = Path(settings.BASE_DIR)
    files = [path for name in PACKAGES for path in (root / name).rglob("*.py") if "tests" not in path.parts]
    codes = Counter(code for path in files for code in CODE.findall(path.read_text(encoding="utf-8")))
    assert len(codes) > 100
    assert [code for code, count in codes.items() if count > 1] == []
