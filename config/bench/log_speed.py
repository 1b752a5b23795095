"""How long an outsider waits: a log of a million entries checked whole, and the proof of one.

The entries are made here in the form of the log, in chains of 1,000 objects; signing,
tiles and the checker are the office's own. `python -m config.bench log_speed [--records N]`.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

ENTRIES: Final = 1_000_000
OBJECTS: Final = 1_000


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Write the export, check it, prove one entry; say the seconds of each."""
    import django

    django.setup()
    from archive import logkey, publishing
    from archive.verifier import verify

    entries = int(getattr(arguments, "records", "") or ENTRIES)
    with tempfile.TemporaryDirectory(prefix="vankho-bench-") as place:
        folder = Path(place) / "export"
        signer = logkey.Signer(Path(place) / "log.key", origin="bench")
        leaves = _bundles(folder, entries)
        tiles = publishing.Tiles(folder)
        tiles.extend(0, leaves)
        publishing.write_file(folder / "checkpoint", signer.note(entries, tiles.root(entries)))
        checked, busy, peak = _check(folder, signer.public)
        before = time.monotonic()
        steps = tiles.proof(entries // 3, entries)
        proven = time.monotonic() - before
        assert verify.is_included(leaves[entries // 3], entries // 3, entries, tiles.root(entries), steps)  # noqa: S101
    result = {
        "entries": entries,
        "verify_s": round(checked, 1),
        "verify_cpu_s": round(busy, 1),
        "verify_peak_MiB": round(peak / 1024),
        "proof_ms": round(proven * 1000, 1),
    }
    for name, value in result.items():
        print(f"{name:20} {value}")
    return result


def _check(folder: Path, key: str) -> tuple[float, float, int]:
    """Check as an outsider does, in a process of its own; return seconds, its processor seconds, its peak in KiB."""
    from archive.verifier import verify

    before = time.monotonic()
    ran = subprocess.run([sys.executable, "-I", verify.__file__, str(folder), "--key", key], check=False)
    if ran.returncode:
        raise RuntimeError("the checker refused a log that is in order")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - before, used.ru_utime + used.ru_stime, used.ru_maxrss


def _bundles(folder: Path, entries: int) -> list[bytes]:
    """Write the entries as bundles; return their leaves."""
    from archive import audit
    from archive.verifier import verify

    ends: dict[int, str] = {}
    leaves: list[bytes] = []
    for number, width in verify.widths(entries):
        packed = bytearray()
        for index in range(number * verify.WIDTH, number * verify.WIDTH + width):
            body = audit.canonical(_entry(index, ends))
            leaf = audit.leaf_hash(body)
            ends[index % OBJECTS] = leaf.hex()
            leaves.append(leaf)
            packed += len(body).to_bytes(2, "big") + body
        path = folder / verify.tile_path("entries", number, width)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(packed)
    return leaves


def _entry(index: int, ends: dict[int, str]) -> dict[str, Any]:
    thing = index % OBJECTS
    return {
        "v": 1, "log": "bench", "id": f"0190{index:028x}", "ts": "2026-11-01T08:00:00.000000Z",
        "actor": {"id": 4, "name": "Đồng chí văn thư", "roles": "clerk", "clearance": 1}, "obo": "",
        "src": {"ip": "10.0.0.7", "ua": "Mozilla/5.0 (X11; Linux x86_64)", "session": "a1b2c3d4", "req": f"r{index}"},
        "action": "record.read", "outcome": "ok",
        "object": {"type": "record", "id": f"k{thing:011d}", "no": f"{thing}/BC-BCH", "class": "Báo cáo", "level": 0},
        "object_seq": index // OBJECTS + 1, "object_prev": ends.get(thing, "00" * 32), "reason": "",
        "details_h": "", "rows_h": "",
    }  # fmt: skip
