"""Django's own checks of the production profile, with ours."""

import os
import re
import secrets
import sys
import tempfile
from pathlib import Path

from config.gates.desk import Desk
from config.gates.outcome import Outcome, judged
from config.gates.tools import run


def gate(desk: Desk) -> Outcome:
    """Run `check --deploy --fail-level WARNING` as production would."""
    with tempfile.TemporaryDirectory(prefix="vankho-gate-") as home:
        keys = [Path(home, f"site-{number}.key") for number in (1, 2)]
        for key in keys:
            key.write_bytes(secrets.token_bytes(32))
            key.chmod(0o400)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VANKHO_")}
        production = kept | {
            "VANKHO_HOME": home,
            "VANKHO_PROFILE": "production",
            "VANKHO_SECRET_KEY": secrets.token_urlsafe(48),
            "VANKHO_SITE_KEY_FILES": ",".join(map(str, keys)),
        }
        command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
        done = run(command, seconds=desk.within(120), env=production)
    said = re.findall(r"^\S+: \(.*", done.stderr, re.MULTILINE)
    if done.returncode and not said:
        said = (done.stderr.strip().splitlines() or ["ended badly without a word"])[-3:]
    return judged(f"{len(said)} faults and warnings", said)
