"""Measure the store: sealing against its floors and against Fernet, and the keys, in one run.

    python -m config.bench.store --mib 256 --keys 200000

Reads and writes only a temporary folder and invented bytes. Speeds are MB (10^6 bytes) per
second of this thread, best of three; times are medians. The floors are what the same machine
does at the same moment with SHA-256 alone and AES-256-GCM alone, so that the ratios travel.
"""

import argparse
import hashlib
import io
import resource
import secrets
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import cobblestone
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive.rules.levels import Level
from archive.rules.sizes import MIB
from archive.sealing import CHUNK, MAGIC, TAG, Unsealed, seal
from archive.store import Store
from archive.stores.custody import KeyFiles, make_key_files
from archive.stores.local import LocalStore
from archive.vault import Vault
from config.bench.goals import missed, verdict

ROUNDS = 3
SCAN_BYTES = 300 * 1024
SCANS = 100
FERNET_MIB = 32
GOAL_OF_FLOOR = 0.8  # of the speed that two digests and the cipher, one after the other, allow at best
GOAL_OVER_FERNET = 3.0


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure everything, print and return the figures."""
    mib, keys = getattr(arguments, "mib", None) or 128, getattr(arguments, "keys", None) or 20_000
    plain = secrets.token_bytes(mib * MIB)
    folder = Path(tempfile.mkdtemp(prefix="vankho-bench-"))
    try:
        figures: dict[str, Any] = {"mib": mib, **_floors(plain), **_sealing(plain)}
        figures |= _objects(folder) | _keys(folder, keys)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures["peak_mib_above_payload"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024) - 2 * mib
    for name, figure in figures.items():
        print(f"{name:28} {figure:>12,}")
    of_floor = figures["seal_both_digests_mb_s"] / figures["floor_mb_s"]
    over_fernet = figures["seal_both_digests_mb_s"] / figures["fernet_encrypt_mb_s"]
    print(f"{of_floor:.0%} of the floor{verdict(of_floor >= GOAL_OF_FLOOR, 'sealing, of the floor')}, "
          f"{over_fernet:.1f} x Fernet{verdict(over_fernet >= GOAL_OVER_FERNET, 'sealing, over Fernet')}")  # fmt: skip
    return figures


def _speed(work: Callable[[], object], size: int) -> int:
    """Return the best of three rounds, in MB/s."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return round(size / best / 1e6)


def _floors(plain: bytes) -> dict[str, int]:
    aead, out, view = AESGCM(secrets.token_bytes(32)), bytearray(CHUNK + TAG), memoryview(plain)

    def cipher_alone() -> None:
        for number, start in enumerate(range(0, len(plain), CHUNK)):
            aead.encrypt_into(number.to_bytes(12, "big"), view[start : start + CHUNK], None, out)

    fernet, piece = Fernet(Fernet.generate_key()), plain[: FERNET_MIB * MIB]
    sha256, aes = _speed(lambda: hashlib.sha256(plain), len(plain)), _speed(cipher_alone, len(plain))
    return {
        "sha256_mb_s": sha256,
        "aes_gcm_by_chunk_mb_s": aes,
        "floor_mb_s": round(1 / (2 / sha256 + 1 / aes)),
        "fernet_encrypt_mb_s": _speed(lambda: fernet.encrypt(piece), len(piece)),
    }


def _sealing(plain: bytes) -> dict[str, int]:
    key, object_id = secrets.token_bytes(32), secrets.token_bytes(16)
    sealed = bytearray()
    seal(io.BytesIO(plain), sealed.extend, object_id=object_id, key=key)
    kept = bytes(sealed)
    sealed.clear()

    def unseal(*, digest: bool) -> None:
        checked = hashlib.sha256()
        with Unsealed(io.BytesIO(kept), object_id=object_id, key=key) as opened:
            while block := opened.read(MIB):
                if digest:
                    checked.update(block)

    def by_library() -> None:
        encryptor = cobblestone.Cobblestone256Encryptor(key, MAGIC + object_id)
        for start in range(0, len(plain), MIB):
            encryptor.update(plain[start : start + MIB])
        encryptor.finalize()

    return {
        "seal_both_digests_mb_s": _speed(
            lambda: seal(io.BytesIO(plain), lambda _: None, object_id=object_id, key=key), len(plain)
        ),
        "unseal_mb_s": _speed(lambda: unseal(digest=False), len(plain)),
        "unseal_and_digest_mb_s": _speed(lambda: unseal(digest=True), len(plain)),
        "library_encrypt_mb_s": _speed(by_library, len(plain)),
    }


def _median_ms(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return round(statistics.median(taken) * 1000, 3)


def _objects(folder: Path) -> dict[str, float]:
    """Time whole puts and reads of a scan on a real disk: syncs, vault and all."""
    store = Store(LocalStore(folder / "objects"), _vault(folder))
    scan = secrets.token_bytes(SCAN_BYTES)
    address = store.put(io.BytesIO(scan), level=Level.MAT).address
    key, object_id = secrets.token_bytes(32), secrets.token_bytes(16)
    return {
        "seal_scan_in_memory_ms": _median_ms(
            lambda: seal(io.BytesIO(scan), lambda _: None, object_id=object_id, key=key), SCANS
        ),
        "put_scan_ms": _median_ms(lambda: store.put(io.BytesIO(scan), level=Level.MAT), SCANS),
        "read_scan_ms": _median_ms(lambda: store.read(address), SCANS),
        "read_4_kib_of_it_ms": _median_ms(lambda: store.read(address, start=100_000, length=4096), SCANS),
    }


def _vault(folder: Path) -> Vault:
    files = [folder / "1.key", folder / "2.key"]
    make_key_files(files)
    return Vault(folder / "vault.sqlite3", custodian=KeyFiles(files))


def _keys(folder: Path, count: int) -> dict[str, float]:
    """Time one lookup, and a rotation over `count` data keys."""
    (folder / "many").mkdir()
    vault = _vault(folder / "many")
    rows = [(secrets.token_bytes(16), secrets.token_bytes(32)) for _ in range(count)]
    vault.add_many(rows, level=Level.MAT)
    probe = rows[count // 2][0]
    lookup = _median_ms(lambda: vault.get(probe), 1000)
    start = time.perf_counter()
    vault.rotate_level(Level.MAT)
    seconds = time.perf_counter() - start
    vault.close()
    return {
        "key_lookup_ms": lookup,
        "rotated_keys": count,
        "rotation_seconds": round(seconds, 2),
        "vault_mb": round((folder / "many" / "vault.sqlite3").stat().st_size / 1e6, 1),
    }


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mib", type=int, help="size of the payload, 128 by default")
    parser.add_argument("--keys", type=int, help="data keys to rotate, 20,000 by default")
    run(parser.parse_args())
    sys.exit(1 if missed() else 0)


if __name__ == "__main__":
    main()
