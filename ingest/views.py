"""The intake desk, a batch with its files, and the upload that takes one file per request."""

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from archive import access, audit, papers
from archive.models import Person
from archive.rules.errors import Forbidden, Hidden, Refusal
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.standing import clearance
from archive.views.doors import attempt, person_of
from ingest import batches, intake
from ingest.models import Batch, Channel, Scan, ScanState

RECENT = 20


def levels_for(person: Person) -> list[Level]:
    """Return the levels this person may declare on this site."""
    ceiling = min(clearance(person, timezone.now()), settings.SITE_MAX_LEVEL)
    return [level for level in Level if level <= ceiling]


@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """Show where files are handed in and what became of the recent batches."""
    person = person_of(request)
    access.require(person, Action.SCAN_READ)
    recent = list(batches.visible_batches(person).select_related("actor")[:RECENT])
    audit.read(Action.SCAN_READ, actor=person, level=_highest(recent), batches=len(recent))
    sums = batches.sums_of(recent, person)
    rows = [{"batch": batch, "sum": sums[batch.pk]} for batch in recent]
    context = {"rows": rows, "levels": levels_for(person), "page_level": _highest(recent), "inbox": settings.INBOX_USER}
    context["paper_levels"] = papers.offered(person)
    return render(request, "ingest/desk.html", context)


def _highest(seen: list[Batch]) -> Level:
    return Level(max((batch.declared_level for batch in seen), default=Level.THUONG))


@require_GET
def batch(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one batch; asked by htmx, only the part that changes while files are being read."""
    person = person_of(request)
    access.require(person, Action.SCAN_READ)
    shown = batches.open_batch_of(person, pk)
    refreshed = bool(getattr(request, "htmx", False))
    context = _batch_context(request, shown)
    about = audit.Subject("batch", shown.pk.hex, level=shown.declared_level)
    scans = [line.scan for line in context["lines"]]
    if refreshed:  # as whoever asks says: such a look has its entry, too, if there is none of a moment ago
        audit.watched(Action.SCAN_READ, actor=person, subject=about, lines=scans)
    else:
        audit.read(Action.SCAN_READ, actor=person, subject=about, lines=scans)
    template = "ingest/_batch_live.html" if refreshed else "ingest/batch.html"
    return render(request, template, context)


def _batch_context(request: HttpRequest, shown: Batch) -> dict[str, Any]:
    person = person_of(request)
    scans = batches.scans_of(shown, person)
    wanted = request.GET.get("only", "")
    rows = list(scans.filter(state=wanted) if wanted in ScanState.values else scans)
    waiting = [scan.pk for scan in rows if scan.state == ScanState.WAITING and not scan.lease_until]
    lines = [batches.line_of(scan, waiting.index(scan.pk) + 1 if scan.pk in waiting else 0) for scan in rows]
    return {
        "batch": shown,
        "sum": batches.sum_of(scans),
        "lines": lines,
        "only": wanted,
        "levels": levels_for(person),
        "paper_levels": papers.offered(person),
        "failed": sum(line.can_retry and not line.is_duplicate for line in lines),
        "page_level": Level(max((scan.level for scan in rows), default=shown.declared_level)),
    }


class UploadForm(forms.Form):
    """One file with its declared level; `batch` joins it to the files before."""

    level = forms.TypedChoiceField(
        coerce=Level.parse,
        choices=[(level.slug, level.slug) for level in Level],
        error_messages={"required": gettext_lazy("Choose the level first: files are taken only after it is declared.")},
    )
    batch = forms.UUIDField(required=False)
    file = forms.FileField(allow_empty_file=True, max_length=1000)


@require_POST
def upload(request: HttpRequest) -> JsonResponse:
    """Take one file; the answer says what became of it."""
    person = person_of(request)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _said(400, " ".join(str(error) for errors in form.errors.values() for error in errors))
    try:
        access.require(person, Action.SCAN_UPLOAD)
        joined = _batch_for(form, person)
        given = form.cleaned_data["file"]
        scan = intake.receive(given.file, name=given.name, batch=joined, actor=person)
    except (Hidden, Forbidden):
        raise
    except Refusal as refusal:
        audit.refused(refusal, actor=person, action="ingest:upload")
        return _said(409, str(refusal))
    return _taken(scan, joined)


def _batch_for(form: UploadForm, person: Person) -> Batch:
    level = form.cleaned_data["level"]
    if not form.cleaned_data["batch"]:
        return intake.open_batch(declared=level, channel=Channel.WEB, actor=person)
    joined = batches.open_batch_of(person, form.cleaned_data["batch"])
    if joined.declared_level != level:
        return intake.open_batch(declared=level, channel=Channel.WEB, actor=person)
    intake.check_level(level, person)
    return joined


def _taken(scan: Scan, joined: Batch) -> JsonResponse:
    line = batches.line_of(scan)
    refused = scan.state == ScanState.REFUSED
    answer = {
        "ok": not refused,
        "batch": str(joined.pk),
        "batch_url": reverse("ingest:batch", args=[joined.pk]),
        "message": line.sentence,
        "scan": str(scan.pk),
    }
    return JsonResponse(answer, status=422 if refused else 200)


def _said(status: int, message: str) -> JsonResponse:
    return JsonResponse({"ok": False, "message": message}, status=status)


@require_POST
def retry(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Put one file back into the queue."""
    person = person_of(request)
    scan = batches.open_scan(person, pk)
    if attempt(request, forms.Form({}), lambda: intake.retry(scan, actor=person)):
        messages.success(request, _("“%(name)s” is being read again.") % {"name": scan.name})
    else:
        messages.error(request, str(intake.NothingToDo.message))
    return redirect("ingest:batch", scan.batch_id)


@require_POST
def retry_failed(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Put every failed file of a batch back into the queue."""
    person = person_of(request)
    shown = batches.open_batch_of(person, pk)
    count = intake.retry_failed(batches.scans_of(shown, person), actor=person)
    messages.success(
        request, ngettext("%(n)s file is being read again.", "%(n)s files are being read again.", count) % {"n": count}
    )
    return redirect("ingest:batch", shown.pk)


class DismissForm(forms.Form):
    """Why a file is put aside."""

    reason = forms.CharField(max_length=300)


@require_POST
def dismiss(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Put one file aside for good, with a reason."""
    person = person_of(request)
    scan = batches.open_scan(person, pk)
    form = DismissForm(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        if attempt(request, form, lambda: intake.dismiss(scan, reason=reason, actor=person)):
            messages.success(
                request, _("“%(name)s” was put aside; the row and your reason stay.") % {"name": scan.name}
            )
    for error in (each for errors in form.errors.values() for each in errors):
        messages.error(request, str(error))
    return redirect("ingest:batch", scan.batch_id)
