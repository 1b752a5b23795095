"""The life of a level on screen: one dispatch with its history and acts, what waits for whom, marks of one dispatch."""

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from archive import access, audit, clearing
from archive.forms.leveling import (
    ChangeForm,
    CloseForm,
    ConfirmForm,
    LongerForm,
    RecordMarksForm,
    ReviewForm,
    TellForm,
    words_of,
)
from archive.leveling import acts, history, lists, notices
from archive.leveling.moving import Order
from archive.leveling.refusals import NotByOneself, ProposalOver
from archive.models import ChangeKind, LevelNotice, LevelProposal, Mark, MarkingMark, Person, Record, RecordState
from archive.rules.errors import Forbidden, Hidden, Refusal
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.standing import marks_held
from archive.views.doors import attempt, heard, not_open, person_of
from archive.views.proving import recently_proved

PAGE: Final = 50
ON_PROPOSALS: Final = frozenset({"confirm", "close"})
LONGEST: Final = 6  # digits of a page number
SHOWN: Final = {
    "ends": gettext_lazy("End of protection"),
    "proposals": gettext_lazy("Waiting for confirmation"),
    "notices": gettext_lazy("Holders to be told"),
}


@require_http_methods(["GET", "POST"])
@recently_proved
def record_level(request: HttpRequest, key: str) -> HttpResponse:
    """Show the life of one dispatch's level, and carry out an act on it."""
    person = person_of(request)
    record = access.open_record(person, Action.LEVEL_READ, key)
    waiting = _waiting(record, person)
    act = request.POST.get("act", "")
    shown = _forms(request, record, person, waiting)
    if act in shown and heard(request, form := shown[act]):
        if attempt(request, form, lambda: ACTS[act](record, _meant(request, act, waiting), form, person)):
            messages.success(request, DONE[act])
            return redirect(_way_back(record, person))
    elif act and act not in shown:
        _not_open(request, act, record, waiting)
    # A page that comes back with an error shows as much as any other: it is read as well.
    audit.read(Action.LEVEL_READ, actor=person, subject=record)
    context = {
        "record": record,
        "forms": shown,
        "rows": history.told_to(person, record),
        "waiting": waiting,
        "asked": words_of(ChangeKind(waiting.kind), Level(waiting.to_level)) if waiting else "",
        "is_own": waiting is not None and waiting.proposed_by_id == person.pk,
        "ending": lists.ending_of(record),
        "notices": notices.told_to(person, record),
        "today": timezone.localdate(),
        "initial": Level(record.initial_level),
        "page_level": Level(record.level),
    }
    return render(request, "archive/record_level.html", context, status=422 if request.method == "POST" else 200)


def _meant(request: HttpRequest, act: str, waiting: LevelProposal | None) -> LevelProposal | None:
    """Return the proposal that the person had before their eyes; another one may have taken its place since.

    Raises:
        ProposalOver: it has.
    """
    if act in ON_PROPOSALS and (waiting is None or request.POST.get("proposal", "") != str(waiting.pk)):
        raise ProposalOver
    return waiting


def _not_open(request: HttpRequest, act: str, record: Record, waiting: LevelProposal | None) -> None:
    """Write an act that is not open to this person, or not any more, to the log, and tell them."""
    person = person_of(request)
    refusal: Refusal = Forbidden(reason=_("this act is not open to you here"))
    if act in ON_PROPOSALS and waiting is None:
        refusal = ProposalOver()
    elif act == "confirm" and waiting is not None and waiting.proposed_by_id == person.pk:
        refusal = NotByOneself()
    not_open(request, refusal, about=record)


def _way_back(record: Record, person: Person) -> Any:
    """Return where a person goes after an act: a dispatch raised out of their sight has no page any more."""
    seen = access.visible_to(person).opens([record.pk]).first()
    return f"/records/{record.key}/level/" if seen else "archive:levels"


def _waiting(record: Record, person: Person) -> LevelProposal | None:
    """Return the open proposal, unless it names a level above the reader's clearance."""
    return lists.proposals(person, of=record).first()


def _forms(
    request: HttpRequest, record: Record, person: Person, waiting: LevelProposal | None
) -> dict[str, forms.Form]:
    """Return the forms of the acts that are open to this person now, bound to what was sent for one of them."""
    if record.state != RecordState.REGISTERED:
        return {}
    decides = access.may(person, Action.RECORD_LEVEL).allowed
    sent = request.POST.get("act", "")

    def data(act: str) -> Any:
        return request.POST if sent == act else None

    made: dict[str, forms.Form] = {}
    if access.may(person, Action.LEVEL_NOTICE).allowed:
        made["tell"] = TellForm(data("tell"), auto_id=False)
    if waiting is not None:
        own = waiting.proposed_by_id == person.pk
        if decides and not own:
            known = Order(waiting.authority, waiting.basis, waiting.decided_on, waiting.reason)
            made["confirm"] = ConfirmForm(data("confirm"), known=known, auto_id="confirm-%s")
        if decides or own:
            made["close"] = CloseForm(data("close"), auto_id="close-%s")
    offers = acts.offered(record, person)
    up = [offer for offer in offers if offer[0] == ChangeKind.RAISE]
    asked = [offer for offer in offers if offer not in up] if decides else offers
    if decides and up:
        made["raise"] = ChangeForm(data("raise"), offers=up, auto_id="raise-%s")
    if asked and waiting is None:
        wish = {"change": f"raise:{request.GET.get('to', '')}"}
        made["propose"] = ChangeForm(data("propose"), offers=asked, asks=True, auto_id="propose-%s", initial=wish)
    if decides and record.level > Level.THUONG:
        made["extend"] = LongerForm(data("extend"), auto_id="extend-%s")
        made["review"] = ReviewForm(data("review"), auto_id="review-%s")
    return made


Act = Callable[[Record, Any, Any, Person], object]


def _tell(record: Record, _waiting: Any, form: Any, actor: Person) -> object:
    given = form.cleaned_data
    notice = LevelNotice.objects.filter(pk=given["notice"], record=record).first()
    if notice is None:
        raise Hidden(object_type="notice", object_id=str(given["notice"]))
    return notices.tell(notice, how=given["how"], told_on=given["told_on"], actor=actor)


def _propose(record: Record, _waiting: Any, form: Any, actor: Person) -> object:
    kind, to = form.offer()
    return acts.propose(record, kind=kind, to=to, order=form.order(), actor=actor)


ACTS: Final[dict[str, Act]] = {
    "raise": lambda record, _w, form, actor: acts.raise_level(
        record, to=form.offer()[1], order=form.order(), actor=actor
    ),
    "propose": _propose,
    "confirm": lambda _r, waiting, form, actor: acts.confirm(waiting, order=form.order(), actor=actor),
    "close": lambda _r, waiting, form, actor: acts.close(waiting, reason=form.cleaned_data["reason"], actor=actor),
    "extend": lambda record, _w, form, actor: acts.extend(
        record, until=form.cleaned_data["until"], order=form.order(), actor=actor
    ),
    "review": lambda record, _w, form, actor: acts.review(
        record, next_on=form.cleaned_data["next_on"], reason=form.cleaned_data["reason"], actor=actor
    ),
    "tell": _tell,
}
DONE: Final = {
    "raise": gettext_lazy("The level is raised; who is not cleared for it sees the dispatch no longer."),
    "propose": gettext_lazy("The proposal waits for a second person with authority."),
    "confirm": gettext_lazy("The level is changed. Tell the holders within the days of the law."),
    "close": gettext_lazy("The proposal is closed; it stays in the log with your reason."),
    "extend": gettext_lazy("The protection goes on to the new day. Tell the holders."),
    "review": gettext_lazy("The review stands in the history; the level stays."),
    "tell": gettext_lazy("Written down: this holder has been told."),
}


@require_GET
def levels(request: HttpRequest) -> HttpResponse:
    """List what waits about levels, as far as the reader may see the dispatches."""
    person = person_of(request)
    access.require(person, Action.LEVEL_READ)
    shown = request.GET.get("show", "ends")
    shown = shown if shown in SHOWN else "ends"
    asked = request.GET.get("page", "1")
    page = max(int(asked), 1) if asked.isdecimal() and len(asked) < LONGEST else 1
    first = (page - 1) * PAGE
    rows: list[Any] = _rows(shown, person, first)
    told = [row.record for row in rows[:PAGE]]
    audit.read(Action.LEVEL_READ, actor=person, lines=told, list=shown, page=page, shown=len(told))
    context = {
        "rows": rows[:PAGE],
        "shown": shown,
        "choices": SHOWN.items(),
        "today": timezone.localdate(),
        "first": first + 1,
        "last": first + len(rows[:PAGE]),
        "newer_url": f"?show={shown}&page={page - 1}" if page > 1 else "",
        "older_url": f"?show={shown}&page={page + 1}" if len(rows) > PAGE else "",
        "page_level": access.level_of(told),
    }
    return render(request, "archive/levels.html", context)


def _rows(shown: str, person: Person, first: int) -> list[Any]:
    if shown == "proposals":
        return list(lists.proposals(person)[first : first + PAGE + 1])
    if shown == "notices":
        return list(lists.notices(person)[first : first + PAGE + 1])
    return lists.endings(person, offset=first, limit=PAGE + 1)


@require_http_methods(["GET", "POST"])
def record_marks(request: HttpRequest, key: str) -> HttpResponse:
    """Put one dispatch into compartments, or take it out of some."""
    person = person_of(request)
    record = access.open_record(person, Action.RECORD_MARK, key)
    held = sorted(marks_held(person, timezone.now()))
    on_it = list(MarkingMark.objects.filter(marking=record.marking_id).values_list("mark", flat=True))
    form = RecordMarksForm(request.POST or None, held=held, on_it=on_it)
    if request.method == "POST" and heard(request, form):
        # A mark that the person does not hold is not in the form and stays as it is.
        kept = Mark.objects.filter(pk__in=[each for each in on_it if each not in held])
        wanted = [*form.cleaned_data["marks"], *kept]
        reason = form.cleaned_data["reason"]
        if attempt(request, form, lambda: clearing.mark(record, marks=wanted, reason=reason, actor=person)):
            messages.success(request, _("The marks are set; who does not hold them sees the dispatch no longer."))
            return redirect("archive:record-marks", key)
    audit.read(Action.RECORD_WHY, actor=person, subject=record, list="marks")
    context = {
        "record": record,
        "form": form,
        "on_it": Mark.objects.filter(pk__in=on_it).select_related("group").order_by("group__name", "name"),
        "can_set": bool(held),
        "page_level": Level(record.level),
    }
    return render(request, "archive/record_marks.html", context, status=422 if form.is_bound else 200)


urlpatterns = [
    path("levels/", levels, name="levels"),
    path("records/<str:key>/level/", record_level, name="record-level"),
    path("records/<str:key>/marks/", record_marks, name="record-marks"),
]
