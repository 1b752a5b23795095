"""The log as an outsider checks it: signed heads, hash tiles and bundles of entries, all plain files.

Formats are published ones: RFC 9162 for the tree, C2SP tlog-tiles for the files, C2SP
signed-note with Ed25519 for the heads. A head is signed only after every tile it stands
for is written and synced, so whoever mirrors the folder never sees a head without its
tree. Hash tiles and heads say nothing of what happened; bundles hold entries and leave
the machine only in an auditor's export. Never changes the log.
"""

import base64
import fcntl
import json
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db.models.functions import Length, Substr
from django.utils import timezone

from archive import keychain, logkey, merkle, second_place, sequencing
from archive.logkey import LogShorter
from archive.models import AuditDetail, AuditLeaf, Octets
from archive.tiles import Tiles, write_file
from archive.verifier import verify

WIDTH: Final = verify.WIDTH
EVERY_SECONDS: Final = 5  # how often `sweep` looks
SIGN_SECONDS: Final = 60  # a head is signed this long after the last one at the latest
SIGN_ENTRIES: Final = 1_000  # ... or when so many entries are new
NEW: Final = timedelta(days=1)  # so long a log may mark its second place itself
_ROWS: Final = 2_000


def folder() -> Path:
    """Return where tiles and the newest head lie on this machine."""
    return Path(settings.VANKHO_HOME) / "log"


def newest() -> verify.Head | None:
    """Return the newest head of this machine's folder, None before the first. Raises verify.Tampered."""
    try:
        return _opened(folder() / "checkpoint")
    except FileNotFoundError:
        return None


def _opened(path: Path) -> verify.Head:
    """Return the head of a file. Raises OSError, and verify.Tampered with the name of the file; makes no key for none."""
    note = path.read_bytes()
    try:
        return verify.open_note(note, logkey.signer().public, keychain.is_by)
    except verify.Tampered as fault:
        raise verify.Tampered(f"{path}: {fault.what}") from fault


def publish() -> verify.Head | None:
    """Sign a head over everything that has its place, and publish it; None when nothing is new.

    What was signed before lies in files, not in the database: a database that was rolled
    back, or whose history was changed, does not continue it. This looks at the last signed
    entry only; `manage.py verify_log` looks at all.

    Raises:
        LogShorter: the database does not continue what was signed before, or names another key (`logkey.OtherLogKey`).
        verify.Tampered: the files themselves were changed.
        OSError: the second place does not take the head, or is not the one that heads went to before
            (`second_place.NotThere`); the next call tries again.
    """
    logkey.require()
    sequencing.place_all()
    with _alone():
        old = newest()
        _require_continued(old, here=old)
        signed = old.size if old else 0
        tiles = Tiles(folder())
        size = tiles.extend(signed, leaf_hashes(signed))
        if size == signed:
            if old:
                _keep_elsewhere(old)
            return None
        head = verify.Head(settings.LOG_ORIGIN, size, tiles.root(size))
        logkey.require()  # again: what was placed just now may name another key
        if old:
            _set_aside(old)
        write_file(folder() / "checkpoint", logkey.signer().note(size, head.root))
        _keep_elsewhere(head)
    return head


def require_continued() -> None:
    """Refuse a database that was rolled back or rewritten: look at it before work begins.

    Raises:
        LogShorter: it does not continue what was signed, here or in the second place, or the two were signed apart;
            or it names another key than lies here (`logkey.OtherLogKey`).
        verify.Tampered: the files themselves were changed.
    """
    logkey.require()
    here = newest()
    heads = [head for head in (here, _newest_elsewhere()) if head]
    if len(heads) > 1 and heads[0].size == heads[1].size and heads[0].root != heads[1].root:
        raise LogShorter(size=heads[1].size)
    _require_continued(max(heads, key=lambda head: head.size, default=None), here=here)


def newest_notes() -> list[bytes]:
    """Return the newest heads, here and in the second place, as they lie there. Raises OSError."""
    return [path.read_bytes() for path in [folder() / "checkpoint", *heads_elsewhere()[-1:]] if path.exists()]


def require_head(key: str) -> None:
    """Refuse a database that does not continue the newest heads, here and in the second place, signed with the key of then.

    Raises:
        LogShorter, verify.Tampered: as `require_continued`; the tree is built anew over all its entries.
        OSError: the second place cannot be read.
    """
    elsewhere = (path.read_bytes() for path in reversed(heads_elsewhere()))
    notes = list(islice((note for note in elsewhere if verify.is_signed_note(note, key, keychain.is_by)), 1))
    with suppress(FileNotFoundError):
        notes.append((folder() / "checkpoint").read_bytes())
    for note in notes:
        head = verify.open_note(note, key, keychain.is_by)
        if merkle.root(leaf_hashes(0, head.size)) != head.root:
            raise LogShorter(size=head.size)


def _require_continued(head: verify.Head | None, *, here: verify.Head | None) -> None:
    if head is None or not head.size:
        return
    last = list(leaf_hashes(head.size - 1, head.size))
    if not last or (here and here.size == head.size and last != [Tiles(folder()).last(head.size)]):
        raise LogShorter(size=head.size)


def sweep() -> None:
    """Sign a head when the last one is a minute old or a thousand entries behind. An idle look is one small query."""
    last = AuditLeaf.objects.order_by("-idx").values_list("idx", flat=True).first()
    head = newest()
    behind = (last + 1 if last is not None else 0) - (head.size if head else 0)
    note = folder() / "checkpoint"
    age = time.time() - note.stat().st_mtime if head else SIGN_SECONDS
    if behind < 0 or behind >= SIGN_ENTRIES or age >= SIGN_SECONDS:
        publish()


def _set_aside(head: verify.Head) -> None:
    """Keep a head that the second place has not got, before a newer one takes its file: each is brought there later."""
    if not settings.LOG_SECOND_PLACE:
        return
    note = logkey.signer().note(head.size, head.root)
    with suppress(OSError):  # a place that is away has got nothing
        if _is_kept(_elsewhere(head.size), note):
            return
    write_file(_waiting() / _elsewhere(head.size).name, note)


def _keep_elsewhere(head: verify.Head) -> None:
    """Put the heads that wait and this one into the second place, once: what an insider cannot reach to take back.

    Each under its size, the oldest first: one that is missing there would leave a time in which history could be
    rewritten and signed again, and no kept head would show it.
    """
    if not settings.LOG_SECOND_PLACE:
        return
    second_place.require(logkey.signer().public, known=_known(), is_new=_is_new)
    for path in sorted(_waiting().glob("checkpoint-*")):
        there = Path(settings.LOG_SECOND_PLACE) / path.name
        note = path.read_bytes()
        if not _is_kept(there, note):
            write_file(there, note)
        path.unlink()
    note = logkey.signer().note(head.size, head.root)
    if not _is_kept(_elsewhere(head.size), note):
        write_file(_elsewhere(head.size), note)


def _is_kept(path: Path, note: bytes) -> bool:
    """Return whether the second place has this head. Raises LogShorter where it has another of the same size."""
    if not path.exists():
        return False
    kept, ours = _opened(path), verify.open_note(note, logkey.signer().public, keychain.is_by)
    if kept.root != ours.root:
        raise LogShorter(size=kept.size)
    return True


def place_fault() -> str:
    """Return in words why heads wait for the second place, "" while they need not. Looks at files alone; writes none."""
    if not settings.LOG_SECOND_PLACE or not logkey.has_key():
        return ""
    try:
        found = second_place.state(logkey.signer().public)
    except OSError as fault:
        return str(fault)
    if found is second_place.State.EMPTY and not _known().exists() and not (folder() / "checkpoint").exists():
        return ""  # a new log: nothing was published yet
    return second_place.words(found)


def _known() -> Path:
    """Return the file by which this machine remembers that it has seen the marker of the second place."""
    return folder() / "second-place"


def _is_new() -> bool:
    first = AuditLeaf.objects.filter(idx=0).values_list("entry__ts", flat=True).first()
    return first is None or timezone.now() - first < NEW


def _waiting() -> Path:
    return folder() / "waiting"


def _elsewhere(size: int) -> Path:
    return Path(settings.LOG_SECOND_PLACE) / f"checkpoint-{size:012d}"


def _newest_elsewhere() -> verify.Head | None:
    kept = heads_elsewhere()
    return _opened(kept[-1]) if kept else None


def signed() -> int:
    """Return how many entries of the log have a signed head over them in every place that is set up.

    Raises:
        OSError: a place cannot be read.
        verify.Tampered: a head was changed.
    """
    heads = [newest(), *([_newest_elsewhere()] if settings.LOG_SECOND_PLACE else [])]
    return min(head.size if head else 0 for head in heads)


def heads_elsewhere() -> list[Path]:
    """Return the heads of the second place, oldest first."""
    if not settings.LOG_SECOND_PLACE:
        return []
    return sorted(Path(settings.LOG_SECOND_PLACE).glob("checkpoint-*"))


def proof(index: int) -> bytes:
    """Return the proof of one entry as a file `.tlog-proof`: its bytes, its place, the way to the newest head.

    Signs a head first when the entry is younger than the last one.

    Raises:
        AuditLeaf.DoesNotExist: no entry has this place.
        LogShorter, verify.Tampered, OSError: as `publish`.
    """
    body = bytes(AuditLeaf.objects.select_related("entry").get(idx=index).entry.body)
    head = newest()
    if head is None or head.size <= index:
        head = publish() or newest()
    if head is None:
        raise AuditLeaf.DoesNotExist(index)
    steps = Tiles(folder()).proof(index, head.size)
    lines = [verify.PROOF, f"extra {base64.b64encode(body).decode()}", f"index {index}"]
    lines += [base64.b64encode(step).decode() for step in steps]
    return "\n".join(lines).encode() + b"\n\n" + logkey.signer().note(head.size, head.root)


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process of this machine publish at a time; each machine has a folder of its own."""
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder() / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def leaf_hashes(start: int, end: int | None = None) -> Iterator[bytes]:
    """Yield leaf hashes in the order of their places, [start, end)."""
    rows = AuditLeaf.objects.filter(idx__gte=start).order_by("idx")
    if end is not None:
        rows = rows.filter(idx__lt=end)
    for leaf in rows.values_list("entry__leaf_hash", flat=True).iterator(chunk_size=_ROWS):
        yield merkle.as_hash(bytes(leaf))


def export(target: Path, *, with_details: bool) -> verify.Head:
    """Write what an outsider needs to check the whole log into an empty folder; return its head.

    Of an entry that is longer than an entry can be, put in past the office, the beginning goes along: the checker names it.

    Args:
        target: made if need be.
        with_details: the values behind the salted digests too.

    Raises:
        LogShorter, verify.Tampered: as `publish`; Tampered names a place that has no entry, too.
        FileExistsError: something lies in the folder already.
    """
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(target.iterdir()):
        raise FileExistsError(target)
    publish()
    head = newest() or verify.Head(settings.LOG_ORIGIN, 0, merkle.root([]))
    _require_every_place(head.size)
    for number, width in verify.widths(head.size):
        rows = AuditLeaf.objects.filter(idx__gte=number * WIDTH, idx__lt=number * WIDTH + width).order_by("idx")
        begins = Substr("entry__body", 1, verify.LONGEST_ENTRY, output_field=Octets())
        bodies = [
            bytes(body or b"")[: verify.LONGEST_ENTRY] for body in rows.values_list(begins, flat=True)
        ]  # SQLite: NULL of an empty one
        packed = b"".join(len(body).to_bytes(2, "big") + body for body in bodies)
        write_file(target / verify.tile_path("entries", number, width), packed)
    Tiles(target).extend(0, leaf_hashes(0, head.size))
    if with_details:
        _write_details(target / "details.jsonl", head.size)
    key = logkey.signer()
    write_file(target / "key.txt", key.public.encode() + b"\n")
    shutil.copyfile(verify.__file__, target / "verify.py")
    write_file(target / "checkpoint", key.note(head.size, head.root))  # last: an export without it is unfinished
    return head


def larger() -> list[int]:
    """Return the places of entries that are longer than an entry can be: an export has the beginning of each."""
    size = Length("entry__body")
    rows = AuditLeaf.objects.annotate(size=size).filter(size__gt=verify.LONGEST_ENTRY).order_by("idx")
    return list(rows.values_list("idx", flat=True))


def checked(kept: Iterable[Path] = ()) -> verify.Report:
    """Check the whole log of the database as an outsider would, against heads kept elsewhere too; return what was found.

    Raises:
        OSError: a kept head cannot be read.
        LogShorter, verify.Tampered: as `export`.
    """
    heads = {str(path): path.read_bytes() for path in (*kept, *heads_elsewhere())}
    with tempfile.TemporaryDirectory(prefix="vankho-log-") as place:
        export(Path(place), with_details=True)
        return verify.verify(place, logkey.signer().public, heads, details=True, is_by=keychain.is_by)


def _require_every_place(size: int) -> None:
    """Refuse a log with a hole, and name it: files written from one would only say that something has another length."""
    places = AuditLeaf.objects.filter(idx__lt=size).order_by("idx")
    if places.count() == size:
        return
    # Part by part, by no cursor left open at the hole: collected in the midst of another's fetch it locked its connection for ever.
    for start in range(0, size, _ROWS):
        there = set(places.filter(idx__gte=start, idx__lt=start + _ROWS).values_list("idx", flat=True))
        for wanted in range(start, min(start + _ROWS, size)):
            if wanted not in there:
                raise verify.Tampered("the entry is missing", wanted)


def _write_details(path: Path, size: int) -> None:
    rows = AuditDetail.objects.filter(entry__leaf__idx__lt=size).order_by("entry__leaf__idx")
    with path.open("w", encoding="utf-8") as file:
        for detail in rows.iterator(chunk_size=_ROWS):
            kept = {"id": str(detail.entry_id), "salt": bytes(detail.salt).hex(), "payload": detail.payload}
            file.write(json.dumps(kept, ensure_ascii=False) + "\n")
