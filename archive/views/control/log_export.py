"""What the auditor takes out: a page of the log as one signed file. Each is an entry of the log, written before it is made."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from archive import access, audit, findings, notable, printing, publishing, selections
from archive.log_lines import Line, taken_out, words_of_rows
from archive.models import AuditEntry, AuditLeaf, Person
from archive.printing.paper import TONGUE
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.standing import clearance
from archive.verifier import verify
from archive.views.control.concerning import about
from archive.views.control.log import LogFilter, kept
from archive.views.control.oversight import Asked, days_of
from archive.views.doors import person_of

log = logging.getLogger("vankho.audit")

PAGES: Final = {"log": "archive:log", "who": "archive:log-who", "unusual": "archive:log-unusual"}
Entries = Callable[[int], Iterable[tuple[AuditEntry, str]]]  # below a place of the log, each with why it stands out


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One selection: which page it is of, what was asked, and how its entries are found."""

    page: str
    asked: Callable[[], list[str]]
    details: dict[str, Any]  # of the entry of this export
    count: Callable[[int], int]  # exact up to the limit given
    entries: Entries
    left_out: Callable[[], str] = str  # what is not among them though it was asked for, in a sentence


@require_GET
def export(request: HttpRequest, form: str) -> HttpResponseBase:
    """Send the entries that the filter finds."""
    person = _auditor(request, form)
    asked = LogFilter(request.GET, person)
    if not asked.is_valid():
        messages.error(request, _("The filter has a fault. Mend it before you take anything out."))
        return redirect(reverse("archive:log", query=request.GET))
    it = asked.found()
    found = it.all()
    wanted = _Wanted(
        "log", asked.in_words, {"filters": kept(request.GET)}, lambda most: found.order_by()[:most].count(),
        lambda size: _plain(found.filter(leaf__idx__lt=size)), lambda: it.left_out,
    )  # fmt: skip
    return _sent(request, person, form, wanted)


@require_GET
def who(request: HttpRequest, form: str) -> HttpResponseBase:
    """Send the entries of people about one dispatch."""
    person = _auditor(request, form)
    given = Asked(request.GET)
    record = given.cleaned_data["record"].strip() if given.is_valid() else ""
    if not record:
        messages.error(request, _("Say first which dispatch."))
        return redirect("archive:log-who")
    it = about(record)
    found = AuditEntry.objects.filter(it.entries(), actor__isnull=False)
    rows = found.select_related("leaf", "detail").order_by("-ts", "-leaf__idx")
    wanted = _Wanted(
        "who", lambda: [_("Who saw it?"), f"{_('Dispatch')}: {record}"], {"filters": {"record": record}, "who": True},
        lambda most: found[:most].count(), lambda size: _plain(rows.filter(leaf__idx__lt=size)), lambda: it.left_out,
    )  # fmt: skip
    return _sent(request, person, form, wanted)


@require_GET
def unusual(request: HttpRequest, form: str) -> HttpResponseBase:
    """Send the entries behind what stands out."""
    person = _auditor(request, form)
    days, today = days_of(request), timezone.localdate()
    found = notable.shown(today - timedelta(days=days), today)
    wanted = _Wanted(
        "unusual",
        lambda: [_("What stands out"), _("in the last %(n)s days") % {"n": days}],
        {"unusual": True, "days": days},
        lambda _most: sum(one.count for one in found),
        lambda size: findings.behind(found, size=size),
    )
    return _sent(request, person, form, wanted)


def _auditor(request: HttpRequest, form: str) -> Person:
    person = person_of(request)
    access.require(person, Action.LOG_EXPORT)
    if form not in selections.MOST:
        raise Http404
    return person


def _plain(rows: Any) -> Iterator[tuple[AuditEntry, str]]:
    for entry in rows.iterator(chunk_size=500):
        yield entry, ""


def _sent(request: HttpRequest, person: Person, form: str, wanted: _Wanted) -> HttpResponseBase:
    """Write the entry, sign a head over it, and send the file."""
    back = redirect(reverse(PAGES[wanted.page], query=request.GET))
    most = selections.MOST[form]
    if wanted.count(most + 1) > most:
        refusal = selections.TooMany(most=most, form=form.upper())
        audit.refused(refusal, actor=person, action=Action.LOG_EXPORT)
        messages.error(request, str(refusal))
        return back
    entry = audit.read(Action.LOG_EXPORT, actor=person, form=form, **wanted.details)
    head = _head_over(entry)
    if head is None:
        messages.error(
            request, _("No head of the log can be signed now, so nothing can be proven. Tell the administrator.")
        )
        return back
    language = TONGUE if form == "pdf" else translation.get_language() or TONGUE
    with translation.override(language):
        asked, left_out = wanted.asked(), wanted.left_out()
    told = selections.About(
        form,
        wanted.page,
        asked,
        str(person),
        timezone.localtime(entry.ts),
        language,
        AuditLeaf.objects.get(entry=entry).idx,
        left_out,
    )
    cleared = clearance(person, timezone.now())
    rows = selections.written(_lines(wanted.entries(head.size), cleared), told, head, _paper(person, told))
    name = f"nhat-ky-{told.made:%Y%m%d-%H%M%S}-{form}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return StreamingHttpResponse(rows, content_type="application/zip", headers=headers)


def _head_over(entry: AuditEntry) -> verify.Head | None:
    """Return a signed head over an entry. A second place that is away does not hinder: the head stands here."""
    try:
        publishing.publish()
    except OSError:
        log.exception("a head could not be published in every place")
    head = publishing.newest()
    leaf = AuditLeaf.objects.filter(entry=entry).first()
    return head if head and leaf and leaf.idx < head.size else None


def _lines(entries: Iterable[tuple[AuditEntry, str]], cleared: Level) -> Iterator[Line]:
    words = words_of_rows()
    for entry, why in entries:
        yield taken_out(entry, cleared, words, why)


def _paper(person: Person, told: selections.About) -> selections.Paper | None:
    if told.form != "pdf":
        return None

    def draw(rows: list[dict[str, Any]], manifest: dict[str, Any], level: int) -> bytes:
        return printing.log_rows(rows, manifest, made=printing.Print(Level(level), person, told.made, told.act))

    return draw


urlpatterns = [
    path("log/export.<str:form>", export, name="log-export"),
    path("log/who/export.<str:form>", who, name="log-who-export"),
    path("log/unusual/export.<str:form>", unusual, name="log-unusual-export"),
]
