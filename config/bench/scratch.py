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

ELSEWHERE = (
    "VANKHO_DATABASE_URL",
    "VANKHO_DATABASE_OWNER_URL",
    "VANKHO_VAULT_URL",
    "VANKHO_ELASTICSEARCH_URL",
    "VANKHO_STORE",
)
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def installation(
    *,
    dispatches: int = 0,
    servers: stack.Servers | None = None,
    through: stack.Servers | None = None,
    database: str = "",
) -> Iterator[dict[str, str]]:
    """Found the sample office in a folder of its own; yield the environment its commands need.

    With servers it lies on PostgreSQL, Elasticsearch and S3, reached `through` others if given;
    with the address of a PostgreSQL server alone only its database lies there.
    """
    if servers:
        place = stack.big(servers, through=through)
    else:
        place = stack.own_database(database) if database else nullcontext({})
    with empty() as alone, place as settings:
        environment = alone | settings
        manage(environment, "demo", "--dispatches", str(dispatches))
        yield environment


@contextmanager
def empty() -> Iterator[dict[str, str]]:
    """Yield the environment of an installation in a folder of its own, in which nothing is founded yet."""
    home = tempfile.mkdtemp(prefix="vankho-bench-")
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    try:
        yield environment | {"VANKHO_HOME": home, "VANKHO_PROFILE": "evaluation", "VANKHO_LOG_LEVEL": "ERROR"}
    finally:
        shutil.rmtree(home, ignore_errors=True)


def manage(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the installation; one that fails says what it said."""
    ran = subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    if ran.returncode:
        raise RuntimeError(
            f"manage.py {words[0]} ended with {ran.returncode}: {ran.stdout[-1500:]} {ran.stderr[-1500:]}"
        )
    return ran


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
