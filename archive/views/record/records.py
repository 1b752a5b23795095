"""A record: viewer, page images, its files, and who may see it.

Every image, text and file goes through `access.open_record` and writes its own entry.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from archive import access, attachments, audit, copies, dossiers, pages, papers, readers, retention, store, watermark
from archive.attachments import TAKES_FILES
from archive.forms.keeping import FileForm
from archive.forms.register import ReasonForm
from archive.holding import is_stub
from archive.models import DigitalObject, Dossier, Hold, Page, Person, Record, RecordState
from archive.rules.errors import Hidden
from archive.rules.levels import Level
from archive.rules.page import Box
from archive.rules.roles import Action, allows
from archive.standing import standing
from archive.views.doors import attempt, heard, person_of
from archive.views.proving import recently_proved

Hits = Mapping[int, Sequence[Box]]


@require_GET
def record(request: HttpRequest, key: str) -> HttpResponse:
    """Show one record."""
    return record_page(request, key)


def record_page(request: HttpRequest, key: str, *, hits: Hits | None = None, found: str = "") -> HttpResponse:
    """Show one record, with found words marked when it was opened from a search.

    Args:
        request: whose reading is written to the log.
        key: the record's key.
        hits: boxes of found words by page number.
        found: what was searched, in the reader's words.
    """
    person = person_of(request)
    shown = access.open_record(person, Action.RECORD_READ, key)
    audit.read(Action.RECORD_READ, actor=person, subject=shown)
    wanted = request.GET.get("page", "")
    files, voided = pages.files_and_voids(shown, person)
    is_paper = not files and is_stub(shown)
    filings = _filings(shown, person)
    level = access.level_of([shown, *filings])
    context = {
        "record": shown,
        "number": getattr(shown, "number", None),
        "pages": viewer_pages(shown, hits or {}, files),
        "current": int(wanted) if wanted.isdecimal() else None,
        "found": found,
        "files": files,
        "voided": voided,
        "papers": papers.told_to(person, shown) if is_paper else [],
        "is_paper": is_paper,
        "filings": filings,
        "holds": _holds(shown, person),
        **_filing(shown, person, level),
        "readers": readers.readers(shown, person),
        "page_level": level,
        "on_desk": shown.state == RecordState.DRAFT,
        "takes_files": shown.state in TAKES_FILES and not is_paper,
        "may": _may(request),
    }
    return render(request, "archive/record.html", context)


def viewer_pages(shown: Record, hits: Hits, files: Sequence[pages.File] = ()) -> list[dict[str, Any]]:
    """Return the pages as the viewer takes them (see kit/viewer.html), each with the attached file it lies in."""
    attached = {
        number: file
        for file in files
        if file.ordinal
        for number in range(file.first_page, file.first_page + file.page_count)
    }
    return [
        {
            "number": page.number,
            "image_url": reverse("archive:page-image", args=[shown.key, page.number]),
            "thumb_url": reverse("archive:page-thumb", args=[shown.key, page.number]),
            "width": page.width,
            "height": page.height,
            "boxes": [],
            "hits": [list(box) for box in hits.get(page.number, ())],
            "file": _said_of(attached.get(page.number), page.number),
        }
        for page in Page.objects.filter(record=shown)
    ]


def _said_of(file: pages.File | None, number: int) -> dict[str, Any] | None:
    """Return which attached file a page lies in, and its number there; None for the main file."""
    if file is None:
        return None
    return {"name": file.original.name, "ordinal": file.ordinal, "page": number - file.first_page + 1}


def _filings(shown: Record, person: Person) -> list[Dossier]:
    """Return the dossiers it lies in, as far as the reader may know of them."""
    known = dossiers.visible_dossiers(person).filter(items__record=shown)
    return list(known.select_related("rule"))


def _holds(shown: Record, person: Person) -> list[Hold]:
    """Return the active holds over a record that its reader may read about."""
    if not access.may(person, Action.HOLD_READ).allowed:
        return []
    over_it = Q(items__record=shown) | Q(items__dossier__items__record=shown)
    return list(retention.visible_holds(person).filter(over_it, lifted_at__isnull=True).distinct())


def _filing(shown: Record, person: Person, level: Level) -> dict[str, Any]:
    """Return the form that files a registered dispatch, for those who file, and whether more secret dossiers are on a page of their own.

    Named here they would make the page of every dispatch as secret as the most secret open dossier.
    """
    if shown.state != RecordState.REGISTERED or not access.may(person, Action.DOSSIER_FILE).allowed:
        return {"file_form": None}
    form = FileForm(person=person)
    return {"files_higher": form.keep_to(level), "file_form": form}


def _may(request: HttpRequest) -> dict[str, bool]:
    """Return which buttons this person's post allows; the acts check again."""
    roles = standing(person_of(request), timezone.now()).roles
    acts = (
        Action.STEP_FORWARD,
        Action.NUMBER_VOID,
        Action.DOSSIER_FILE,
        Action.RECORD_ORIGINAL,
        Action.RECORD_ATTACH,
        Action.RECORD_DETACH,
        Action.PAPER_MOVE,
        Action.HOLD_PLACE,
        Action.RECORD_WHY,
        Action.RECORD_PRINT,
        Action.GRANT,
        Action.LEVEL_READ,
        Action.RECORD_MARK,
    )
    return {act.name.lower(): allows(roles, act) for act in acts}


@require_GET
def page_image(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Send the image of one page."""
    return _picture(request, key, number, form="image")


@require_GET
def page_thumb(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Send the small image of one page."""
    return _picture(request, key, number, form="thumb")


def _picture(request: HttpRequest, key: str, number: int, *, form: str) -> HttpResponse:
    person = person_of(request)
    shown = access.open_record(person, Action.RECORD_PAGE, key)
    page = pages.page_of(shown, number)
    copy = copies.looked(shown, actor=person, page=number, form=form)
    picture = pages.image(page) if form == "image" else pages.thumb(page)
    mark, stamp = copies.mark_of(copy) if copy else None, copies.stamp_of(shown)
    if mark or stamp:
        size = (page.width, page.height) if form == "image" else None
        picture = watermark.drawn(picture, mark, stamp=stamp, size=size)
    return HttpResponse(picture, content_type="image/jpeg", headers={"X-Content-Type-Options": "nosniff"})


class OriginalForm(forms.Form):
    """Why the original is taken out; asked above the lowest level."""

    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"})
    )


@require_http_methods(["GET", "POST"])
@recently_proved
def original(request: HttpRequest, key: str) -> HttpResponseBase:
    """Send the main file as an attachment; above the lowest level a reason is asked first."""
    return _taken_out(request, key, 0)


@require_http_methods(["GET", "POST"])
@recently_proved
def attached(request: HttpRequest, key: str, number: int) -> HttpResponseBase:
    """Send one of the files by its place, 0 for the main one, in the same way."""
    return _taken_out(request, key, number)


def _taken_out(request: HttpRequest, key: str, ordinal: int) -> HttpResponseBase:
    person = person_of(request)
    shown = access.open_record(person, Action.RECORD_ORIGINAL, key)
    kept = pages.original_of(shown, ordinal)
    form = OriginalForm(request.POST or None)
    if shown.level > Level.THUONG and not (request.method == "POST" and form.is_valid()):
        return _asked_why(request, shown, kept, form, ordinal)
    reason = form.cleaned_data["reason"] if form.is_bound and form.is_valid() else ""
    sealed = store.open(kept.address)  # a damaged object is refused before anything is sent or written down

    def take() -> bool:
        copies.taken_out(shown, ordinal=ordinal, sha256=kept.sha256, reason=reason, actor=person)
        return True

    if not attempt(request, form, take):
        sealed.close()
        return _asked_why(request, shown, kept, form, ordinal)
    return _sent(sealed, kept, name=kept.name or shown.key)


def _asked_why(
    request: HttpRequest, shown: Record, kept: DigitalObject, form: OriginalForm, ordinal: int
) -> HttpResponse:
    audit.read(Action.RECORD_READ, actor=person_of(request), subject=shown, part="file", file=ordinal)
    context = {"record": shown, "form": form, "page_level": Level(shown.level), "original": kept}
    status = 422 if form.is_bound else 200
    return render(request, "archive/original.html", context | {"is_attached": ordinal > 0}, status=status)


def _sent(sealed: store.Reader, kept: DigitalObject, *, name: str) -> HttpResponseBase:
    """Return a file as one to be saved, never to be shown by a browser."""
    response = StreamingHttpResponse(_blocks(sealed), content_type="application/octet-stream")
    response.headers["Content-Length"] = str(kept.size)
    response.headers["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=name) or "attachment"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def _blocks(sealed: store.Reader) -> Iterator[bytes]:
    with sealed:
        while block := sealed.read(256 * 1024):
            yield block


@require_http_methods(["GET", "POST"])
def void_file(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Void an attached file that does not belong to the dispatch, with a reason."""
    person = person_of(request)
    shown = access.open_record(person, Action.RECORD_DETACH, key)
    kept = pages.original_of(shown, number)
    if not number:  # the main file is what the record was made of: a draft is returned, a number voided
        raise Hidden(object_type="original", object_id=f"{shown.key}/0")
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and heard(request, form):
        reason = form.cleaned_data["reason"]
        if attempt(request, form, lambda: attachments.void(shown, number, reason=reason, actor=person)):
            messages.success(request, _("The file is void: it stays sealed with your reason and is shown no more."))
            return redirect("archive:record", key)
    audit.read(Action.RECORD_READ, actor=person, subject=shown, part="file", file=number)
    context = {"record": shown, "form": form, "original": kept, "page_level": Level(shown.level)}
    return render(request, "archive/file_void.html", context, status=422 if form.is_bound else 200)


urlpatterns = [
    path("records/<str:key>/", record, name="record"),
    path("records/<str:key>/pages/<int:number>/image/", page_image, name="page-image"),
    path("records/<str:key>/pages/<int:number>/thumb/", page_thumb, name="page-thumb"),
    path("records/<str:key>/original/", original, name="original"),
    path("records/<str:key>/files/<int:number>/", attached, name="attached"),
    path("records/<str:key>/files/<int:number>/void/", void_file, name="file-void"),
]
