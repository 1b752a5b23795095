"""Files on their way to a record: the card on its page, adding one, and the page on which a held one is decided."""

import uuid
from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from archive import access, attachments, audit, pages, store, watermark
from archive.models import Person, Record
from archive.rules.errors import Hidden
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.views.doors import attempt, person_of
from ingest import intake, joining, outcomes
from ingest.captured import suggestion_of
from ingest.models import Scan, ScanState

MOST_AT_ONCE: Final = 20


class AddForm(forms.Form):
    """Why files are added; the files themselves stand beside it."""

    why = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=forms.TextInput(attrs={"class": "form-control", "id": "why-added", "autocomplete": "off"}),
    )


class WhyForm(forms.Form):
    """Why a held file is decided so."""

    why = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"}),
    )


@require_GET
def card(request: HttpRequest, key: str) -> HttpResponse:
    """Show the part of a record's page that tells of files on their way; it renews itself until none waits."""
    person = person_of(request)
    record = access.open_record(person, Action.RECORD_ATTACH, key)
    coming = list(joining.of_record(record, person))
    if coming:
        audit.watched(Action.SCAN_READ, actor=person, subject=record, lines=coming)
    shown = request.GET.get("files", "")[:9]  # how many files the page shows that asks
    level = max([Level(record.level), *(Level(scan.level) for scan in coming)])
    context = {
        "record": record,
        "lines": [_line(scan) for scan in coming],
        "unseen": joining.handed_and_unseen(record, person),
        "is_waiting": any(scan.state == ScanState.WAITING for scan in coming),
        "shown": shown,
        "is_behind": shown.isdecimal() and pages.count_files(record) > int(shown),
        "form": AddForm(),
        "refusal": attachments.refusal(record, person),
        "page_level": level,
        "is_higher": level > record.level,
    }
    part = "ingest/_joining_lines.html" if "waiting" in request.GET else "ingest/_joining.html"
    return render(request, part, context)


def _line(scan: Scan) -> dict[str, Any]:
    return {
        "scan": scan,
        "sentence": outcomes.sentence(scan.code, scan.reason),
        "is_held": scan.state == ScanState.ATTENTION and scan.code in outcomes.HELD,
        "can_retry": scan.state == ScanState.ATTENTION and scan.code not in {outcomes.QUARANTINED, *outcomes.HELD},
    }


@require_POST
def add(request: HttpRequest, key: str) -> HttpResponse:
    """Take files for a record, one by one; the messages say what became of each."""
    person = person_of(request)
    record = access.open_record(person, Action.RECORD_ATTACH, key)
    form, files = AddForm(request.POST), request.FILES.getlist("file")
    if not files:
        messages.error(request, _("Choose the file to add."))
    elif form.is_valid():
        for given in files[:MOST_AT_ONCE]:
            _add(request, record, given, form.cleaned_data["why"])
        if len(files) > MOST_AT_ONCE:
            left = files[MOST_AT_ONCE]
            messages.error(
                request,
                _("At most %(most)d files are taken at once. “%(name)s” and those after it were not: add them now.")
                % {"most": MOST_AT_ONCE, "name": intake.clean_name(left.name or "")},
            )
    else:
        messages.error(request, str(joining.WhyMissing.message))
    return redirect(f"{reverse('archive:record', args=[key])}#files")


def _add(request: HttpRequest, record: Record, given: Any, why: str) -> None:
    form = forms.Form({})
    added = attempt(
        request,
        form,
        lambda: joining.add(given.file, name=given.name or "", record=record, why=why, actor=person_of(request)),
    )
    if added is None:
        for error in form.non_field_errors():
            messages.error(request, f"{intake.clean_name(given.name or '')}: {error}")
    elif added.is_new:
        messages.success(
            request, _("“%(name)s” is safe; it joins the dispatch when it has been read.") % {"name": added.name}
        )
    else:
        messages.info(
            request,
            _("The dispatch has these very bytes already, as “%(name)s”. Nothing was added.") % {"name": added.name},
        )


@require_GET
def held(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a held file and what can be decided."""
    person = person_of(request)
    scan = joining.open_held(person, pk)
    if scan.state == ScanState.FILED:
        return _to_files(scan)
    audit.read(Action.SCAN_READ, actor=person, subject=intake.subject(scan), name=scan.name)
    line = _line(scan)
    context = line | {
        "record": scan.joins,
        "pages": [_page(scan, page) for page in scan.reading.get("pages", [])],
        "current": scan.reason.get("page"),
        "form": WhyForm(),
        "may_join": joining.may_join(scan),
        "raise_to": _raise_to(scan),
        "page_level": Level(scan.level),
    }
    return render(request, "ingest/held.html", context)


def _raise_to(scan: Scan) -> str:
    """Return the level to which the record would have to be raised for a file with a sure sign, "" when none."""
    if scan.code != outcomes.HELD_SURE or scan.state != ScanState.ATTENTION or joining.may_join(scan):
        return ""
    return suggestion_of(scan).level.slug


def _page(scan: Scan, page: dict[str, Any]) -> dict[str, Any]:
    number = page["number"]
    signs = [sign for sign in scan.reading.get("evidence", []) if sign["page"] == number and sign["box"]]
    return {
        "number": number,
        "image_url": reverse("ingest:held-page", args=[scan.pk, number, "image"]),
        "thumb_url": reverse("ingest:held-page", args=[scan.pk, number, "thumb"]),
        "width": page["width"],
        "height": page["height"],
        "boxes": [{"box": sign["box"], "kind": "doubt"} for sign in signs],
        "hits": [],
        "file": None,
    }


@require_GET
def held_page(request: HttpRequest, pk: uuid.UUID, number: int, form: str) -> HttpResponse:
    """Send the image of one page of a held file.

    Once it has joined, its pages are those of the dispatch: shown there as numbered copies, and no more when it is voided.
    """
    person = person_of(request)
    scan = joining.open_held(person, pk)
    if scan.state == ScanState.FILED:
        raise Hidden(object_type="scan", object_id=f"{pk}/{number}")
    page = next((one for one in scan.reading.get("pages", []) if one["number"] == number), None)
    if page is None or scan.pack_id is None or form not in {"image", "thumb"}:
        raise Hidden(object_type="scan", object_id=f"{pk}/{number}")
    audit.read(Action.SCAN_READ, actor=person, subject=intake.subject(scan), page=number, form=form)
    start, length = page[form]
    picture = store.read(scan.pack_id, start=start, length=length)
    picture = _marked(picture, scan, person, (page["width"], page["height"]) if form == "image" else None)
    return HttpResponse(picture, content_type="image/jpeg", headers={"X-Content-Type-Options": "nosniff"})


def _marked(picture: bytes, scan: Scan, person: Person, size: tuple[int, int] | None) -> bytes:
    """Return a page under the reader's name; it is part of no dispatch yet and has no copy number, so the file's name stands there."""
    if scan.level < min(settings.WATERMARK_FROM, Level.MAT):
        return picture
    mark = watermark.Mark(person.full_name, timezone.localtime(), scan.pk.hex[:12])
    return watermark.drawn(picture, mark, size=size)


@require_POST
def accept(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Join a doubtful file: its reader says that it is not above the dispatch."""
    said = _("“%(name)s” is now part of the dispatch.")
    return _decided(request, pk, said, lambda scan, why: joining.accept(scan, why=why, actor=person_of(request)))


@require_POST
def part(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Make a dispatch of its own of a held file."""
    said = _("“%(name)s” goes to the intake desk as a dispatch of its own.")
    return _decided(request, pk, said, lambda scan, why: joining.part(scan, why=why, actor=person_of(request)))


@require_POST
def put_aside(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Put a held file aside for good."""
    said = _("“%(name)s” was put aside; the row and your reason stay.")
    return _decided(request, pk, said, lambda scan, why: intake.dismiss(scan, reason=why, actor=person_of(request)))


@require_POST
def read_again(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Put a file that could not be read back into the queue."""
    person = person_of(request)
    scan = joining.open_held(person, pk)
    if attempt(request, forms.Form({}), lambda: intake.retry(scan, actor=person)):
        messages.success(request, _("“%(name)s” is being read again.") % {"name": scan.name})
    else:
        messages.error(request, str(intake.NothingToDo.message))
    return _to_files(scan)


def _decided(
    request: HttpRequest, pk: uuid.UUID, said: str, decide: Callable[[Scan, str], Record | Scan]
) -> HttpResponse:
    scan = joining.open_held(person_of(request), pk)
    back, form = _to_files(scan), WhyForm(request.POST)
    if form.is_valid() and attempt(request, form, lambda: decide(scan, form.cleaned_data["why"])) is not None:
        messages.success(request, said % {"name": scan.name})
        return back
    for error in (each for errors in form.errors.values() for each in errors):
        messages.error(request, str(error))
    return redirect("ingest:held", pk)


def _to_files(scan: Scan) -> HttpResponse:
    """Return the way back to the files of the record that a held file was to join."""
    key = scan.joins.key if scan.joins else ""
    return redirect(f"{reverse('archive:record', args=[key])}#files")


urlpatterns = [
    path("records/<str:key>/files/", card, name="joining"),
    path("records/<str:key>/files/add/", add, name="add-file"),
    path("held/<uuid:pk>/", held, name="held"),
    path("held/<uuid:pk>/pages/<int:number>/<str:form>/", held_page, name="held-page"),
    path("held/<uuid:pk>/join/", accept, name="held-join"),
    path("held/<uuid:pk>/part/", part, name="held-part"),
    path("held/<uuid:pk>/aside/", put_aside, name="held-aside"),
    path("held/<uuid:pk>/again/", read_again, name="held-again"),
]
