"""The machine's state for the administrator: no record, no name of a file, no count by level."""

import shutil
from datetime import timedelta
from typing import Any, Final

import django
from django.conf import settings
from django.db import connection
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from archive import access, audit, identity, logkey, publishing, second_factor, warrants
from archive.models import AuditEntry, AuditLeaf
from archive.rules.roles import Action
from archive.verifier import verify
from archive.views.doors import person_of
from config import archiving, parts
from ingest.folder import hands_in
from ingest.models import Scan, ScanState
from search import finding, lagging
from search.engine import EngineAway

SHUT_DAYS: Final = 30
SHUT: Final = (warrants.NotBorneOut.code, identity.AccountMoved.code, second_factor.NotAsLeft.code)
DRILL_DAYS: Final = 31  # SECURITY.md, section 6: monthly, by those who would have to restore


@require_GET
def status(request: HttpRequest) -> HttpResponse:
    """Show how the machine is."""
    person = person_of(request)
    access.require(person, Action.SYSTEM_READ)
    audit.read(Action.SYSTEM_READ, actor=person)
    return render(request, "config/status.html", {"facts": facts(), "now": timezone.now()})


def facts() -> dict[str, Any]:
    """Return the figures of the status page."""
    signed = _signed()
    disk = shutil.disk_usage(settings.VANKHO_HOME)
    top = AuditLeaf.objects.order_by("-idx").values_list("idx", flat=True).first()
    cell = settings.VANKHO_HOME / "cell.txt"
    up = parts.states()
    archiver, drill = archiving.standing(), _drill()
    return {
        "profile": settings.PROFILE,
        "ceiling": settings.SITE_MAX_LEVEL,
        "django": django.get_version(),
        "database": connection.vendor,
        "queue": dict(Scan.objects.values_list("state").annotate(n=Count("pk"))),
        "waiting": Scan.objects.filter(state=ScanState.WAITING).count(),
        "log_entries": 0 if top is None else top + 1,
        "log_signed": signed,
        "is_head_late": signed is not None and _waits(signed),
        "is_log_broken": _is_broken(),
        "key_fault": _key_fault(),
        "place_fault": publishing.place_fault(),
        "archiver": archiver,
        "archiver_fault": "" if archiver is None else archiving.words(archiver),
        "drilled_at": None if drill is None else drill.ts,
        "is_drill_late": drill is None or timezone.now() - drill.ts > DRILL_DAYS * timedelta(days=1),
        "has_drill_failed": drill is not None and bool(drill.detail.payload.get("failed")),
        "doors_shut": _doors_shut(),
        "index_position": _index_position(),
        "is_index_late": _is_index_late(),
        "is_index_damaged": finding.engine().is_damaged(),
        "is_store_up": up["store"],
        "is_vault_up": up["vault"],
        "is_store_local": settings.STORE_DRIVER == "local",
        "inbox_user": settings.INBOX_USER,
        "is_folder_dead": hands_in(settings.INBOX_USER) is None,
        "disk_free": disk.free,
        "disk_total": disk.total,
        "disk_floor": settings.FREE_DISK_FLOOR,
        "cell": cell.read_text(encoding="utf-8").strip() if cell.exists() else "",
    }


def _drill() -> AuditEntry | None:
    """Return the entry of the last drill of a restore."""
    drills = AuditEntry.objects.filter(action=Action.DRILL, detail__isnull=False)
    return drills.select_related("detail").order_by("-ts").first()


def _signed() -> int | None:
    """Return how many entries signed heads stand for, None while the log's folder or its second place cannot be read."""
    try:
        return publishing.signed()
    except (OSError, verify.Tampered, logkey.OtherLogKey):
        return None


def _key_fault() -> str:
    """Return in words why this program may not sign for the log, or what stands there that names a key and proves nothing."""
    try:
        logkey.require()
    except logkey.OtherLogKey as refusal:
        return f"{refusal.code}: {refusal}"
    except (OSError, verify.Tampered) as fault:
        return str(fault)
    return logkey.doubt()


def _is_broken() -> bool:
    """Return whether the log does not continue what was signed: it was rolled back or rewritten."""
    try:
        publishing.require_continued()
    except (OSError, logkey.OtherLogKey):  # told apart
        return False
    except (logkey.LogShorter, verify.Tampered):
        return True
    return False


def _doors_shut() -> int:
    """Return how often in a month a dispatch or the sign-in stayed closed because rows are not what the log says."""
    since = timezone.now() - SHUT_DAYS * timedelta(days=1)
    denied = AuditEntry.objects.filter(outcome="denied", ts__gte=since)
    return denied.filter(detail__payload__code__in=SHUT).count()


def _waits(signed: int) -> bool:
    """Return whether the first entry without a signed head is older than a head may be late."""
    since = AuditLeaf.objects.filter(idx=signed).values_list("entry__ts", flat=True).first()
    return since is not None and timezone.now() - since > 3 * timedelta(seconds=publishing.SIGN_SECONDS)


def _is_index_late() -> bool:
    """Return whether search misses changes that are older than it may be behind."""
    try:
        return lagging.is_late(finding.engine())
    except EngineAway:
        return False  # said by itself


def _index_position() -> int | None:
    """Return how far the index has followed the log, None while the search server is away: the page must tell so."""
    try:
        return finding.engine().position()
    except EngineAway:
        return None
