"""What an idle office costs: the proportional memory (PSS) of web, worker and all their children.

Starts `manage.py serve` in a scratch installation, signs in and opens a page so that the
web process is as warm as on any working day, waits until nothing is under way, and sums
/proc/*/smaps_rollup. PSS counts what two processes share once, so the sum is what the
machine really gives. `python -m config.bench.idle`.
"""

import argparse
import http.cookiejar
import random
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Final

from config.bench import kills, scratch
from config.bench.goals import verdict
from config.tests.servers import descendants

LIMIT_MB: Final = 250
START_SECONDS: Final = 90
# The cell's fork server ends by itself after 60 s without work; the index lets its writer go after 6.
REST_SECONDS: Final = 75


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Serve, use, rest, measure."""
    del arguments
    with scratch.installation() as environment:
        port = free_port()
        environment |= {"VANKHO_TRUSTED_ORIGINS": f"http://127.0.0.1:{port}"}
        serving = scratch.begin(environment, "manage.py", "serve", "--port", str(port))
        try:
            visit(f"http://127.0.0.1:{port}", environment)
            measured_warm = by_process(serving.pid)
            time.sleep(REST_SECONDS)
            measured = by_process(serving.pid)
        finally:
            serving.terminate()
            serving.wait(60)
    result = {
        "limit_mb": LIMIT_MB,
        "after_use_mb": round(sum(each["pss_mb"] for each in measured_warm), 1),
        "idle_mb": round(sum(each["pss_mb"] for each in measured), 1),
        "processes": measured,
    }
    for each in measured:
        print(f"{each['pss_mb']:>8.1f} MB  {each['command']}")
    print(f"{result['after_use_mb']:>8.1f} MB  right after use, {len(measured_warm)} processes")
    missed = verdict(result["idle_mb"] <= LIMIT_MB, "memory of an idle office")
    print(f"{result['idle_mb']:>8.1f} MB  idle, limit {LIMIT_MB} MB{missed}")
    return result


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def visit(address: str, environment: dict[str, str]) -> None:
    """Sign in as the clerk, open some pages, and hand one file in that is read."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            page = browser.open(f"{address}/sign-in/", timeout=10).read().decode()
            break
        except (urllib.error.URLError, OSError):
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
    sign_in = {"username": "clerk", "password": "van-kho-mau"} | _token(page)
    browser.open(f"{address}/sign-in/", urllib.parse.urlencode(sign_in).encode(), timeout=30).read()
    for place in ("/", "/intake/", "/search/"):
        page = browser.open(address + place, timeout=30).read().decode()
    asked = {"q": "ke hoach"} | _token(page)  # words of a cleared reader are read from a form alone
    browser.open(f"{address}/search/", urllib.parse.urlencode(asked).encode(), timeout=30).read()
    folder = Path(environment["VANKHO_HOME"]) / "one"
    kills.write_small(folder, 2, random.Random(1))
    scratch.manage(environment, "ingest", str(folder), "--level", "thuong", "--as", "clerk")
    kills.settle(environment)


def _token(page: str) -> dict[str, str]:
    """Return the token of a page's forms as their field."""
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    return {"csrfmiddlewaretoken": found[1] if found else ""}


def by_process(root: int) -> list[dict[str, Any]]:
    """Return the proportional memory of a process and all below it, largest first."""
    found = []
    for pid in (root, *descendants(root)):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        pss = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        command = " ".join(word for word in words[:4] if len(word) < 60)  # noqa: PLR2004 - not whole programs
        found.append({"pid": pid, "pss_mb": round(int(pss[1]) / 1000, 1) if pss else 0.0, "command": command})
    return sorted(found, key=lambda each: -each["pss_mb"])


if __name__ == "__main__":
    run(argparse.Namespace())
