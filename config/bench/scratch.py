"""A throw-away installation for a bench: its own folder, its own database, gone afterwards."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from config.bench import stack

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def installation(
    *, dispatches: int = 0, servers: stack.Servers | None = None, through: stack.Servers | None = None
) -> Iterator[dict[str, str]]:
    """Found the sample office in a folder of its own; yield the environment its commands need.

    With servers it lies on PostgreSQL, Elasticsearch and S3, reached `through` others if given.
    """
    home = tempfile.mkdtemp(prefix="vankho-bench-")
    environment = os.environ | {"VANKHO_HOME": home, "VANKHO_PROFILE": "evaluation", "VANKHO_LOG_LEVEL": "ERROR"}
    try:
        with stack.big(servers, through=through) if servers else nullcontext({}) as settings:
            environment |= settings
            manage(environment, "demo", "--dispatches", str(dispatches))
            yield environment
    finally:
        shutil.rmtree(home, ignore_errors=True)


def manage(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the installation."""
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )


def begin(environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    """Start a command of the installation and go on."""
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
