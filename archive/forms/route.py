"""Forms of a dispatch's way. Units and people are chosen by code and user name from those who can take the step.

A choice that is not offered is not accepted: every relation is looked up again in the
same rows that were offered, which are those whose post and clearance fit the record.
"""

from typing import Any, Final, cast

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from archive import access
from archive.forms.days import AHEAD, day_field
from archive.leveling import words
from archive.models import Person, Record, RecordState, Step, Unit
from archive.models.record import Direction as Way
from archive.routing import Direction, Task, deadlines, receivers
from archive.rules.steps import Kind

REPLIES: Final = 50  # newest outgoing dispatches offered as a reply
ROWS: Final = {"class": "form-control", "rows": 3}


def words_field(label: Any, *, required: bool, longest: int = 2000) -> forms.CharField:
    """Return a field for words; blanks around them are cut."""
    widget = forms.Textarea(attrs=dict(ROWS) | {"maxlength": longest})
    return forms.CharField(label=label, required=required, max_length=longest, widget=widget)


class DirectForm(forms.Form):
    """A leader's direction: words, one lead, any cooperating and informed, one deadline."""

    instruction = words_field(_("Words of the direction"), required=False)
    lead = forms.ModelChoiceField(Unit.objects.none(), required=False, label=_("Lead"), to_field_name="code")
    cooperating = forms.ModelMultipleChoiceField(
        Unit.objects.none(), required=False, label=_("Cooperate"), to_field_name="code"
    )
    inform = forms.ModelMultipleChoiceField(
        Unit.objects.none(), required=False, label=_("For information"), to_field_name="code"
    )
    due_on = day_field(_("Deadline"), required=False, formats=AHEAD)

    def __init__(self, *args: Any, step: Step, **kwargs: Any) -> None:
        """Offer the units in which somebody can take the dispatch, and the usual deadline."""
        kwargs.setdefault("initial", _taken_back(step) or {"due_on": deadlines.for_work(step.record)})
        super().__init__(*args, **kwargs)
        # Who can work can be informed, so all three offer the same units: read once.
        units = receivers.units_for(step.record, Kind.LEAD)
        offered = [(unit.code, str(unit)) for unit in units]
        _choices(self, "lead").empty_label = None
        for name, widget in (
            ("lead", forms.RadioSelect()),
            ("cooperating", forms.CheckboxSelectMultiple()),
            ("inform", forms.CheckboxSelectMultiple()),
        ):
            self.fields[name].widget = widget
            _choices(self, name).queryset = units
            widget.choices = offered

    def direction(self) -> Direction:
        """Return what the leader directs; the form must be valid."""
        told = self.cleaned_data
        return Direction(
            told["instruction"], told["lead"], list(told["cooperating"]), list(told["inform"]), told["due_on"]
        )


class ReceiverForm(forms.Form):
    """Base of the forms that name one receiver, a person or a unit, as "p:username" or "u:code"."""

    to = forms.ChoiceField(label=_("Hand on to"), widget=forms.Select(attrs={"class": "form-select"}))
    instruction = words_field(_("Words with it"), required=False)
    due_on = day_field(_("Deadline"), required=False, formats=AHEAD)
    kind = forms.ChoiceField(required=False)

    def offer(self, groups: list[tuple[Any, QuerySet[Person] | QuerySet[Unit]]]) -> None:
        """Offer receivers in groups; empty groups are left out."""
        self.known = {_code(one): one for _label, rows in groups for one in rows}
        shown = [(label, [(_code(one), _name(one)) for one in rows]) for label, rows in groups if rows]
        cast("forms.ChoiceField", self.fields["to"]).choices = shown

    def task(self) -> Task:
        """Return what is asked of whom; the form must be valid."""
        told = self.cleaned_data
        kind = Kind(told["kind"]) if told.get("kind") else Kind.DIRECT
        return Task(self.known[told["to"]], kind, told["instruction"], told["due_on"])


class ForwardForm(ReceiverForm):
    """Handing a dispatch on: to a leader for direction, to a unit or person for work or information."""

    def __init__(self, *args: Any, record: Record, person: Person, **kwargs: Any) -> None:
        """Offer leaders, units and people who can take it; never the giver."""
        super().__init__(*args, **kwargs)
        leaders = receivers.people_for(record, Kind.DIRECT).exclude(pk=person.pk)
        units = receivers.units_for(record, Kind.LEAD)
        people = receivers.people_for(record, Kind.LEAD).exclude(pk=person.pk)
        self.offer([(_("Leaders"), leaders), (_("Units"), units), (_("People"), people)])
        self.fields["to"].widget.attrs["data-leaders"] = _(
            "Leaders"
        )  # work.js: direction goes to these, work to the others
        kind = cast("forms.ChoiceField", self.fields["kind"])
        kind.label, kind.required = _("For what"), True
        kind.widget = forms.RadioSelect()
        kind.choices = [
            (Kind.DIRECT.value, _("Give direction")),
            (Kind.LEAD.value, _("Lead")),
            (Kind.COOPERATE.value, _("Cooperate")),
            (Kind.INFORM.value, _("For information")),
        ]
        kind.initial = Kind.DIRECT.value


class AssignForm(ReceiverForm):
    """Assigning one's own step inside the unit."""

    def __init__(self, *args: Any, step: Step, person: Person, **kwargs: Any) -> None:
        """Offer the people of the unit who can take it."""
        kwargs.setdefault("initial", {"due_on": step.due_on})
        super().__init__(*args, **kwargs)
        del self.fields["kind"]
        self.fields["instruction"].label = _("What to do")
        self.offer([(_("People"), receivers.colleagues(step, person))])


class AnswerForm(forms.Form):
    """What was done, and the outgoing dispatch that replies."""

    text = words_field(_("What was done, result"), required=True, longest=4000)
    reply = forms.ModelChoiceField(
        Record.objects.none(),
        required=False,
        label=_("Dispatch that replies"),
        to_field_name="key",
        empty_label=_("None: answered in words"),
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        """Offer the newest outgoing dispatches in view that do not answer another one."""
        super().__init__(*args, **kwargs)
        seen = access.visible_to(person).records()
        free = seen.filter(direction=Way.OUTGOING, state=RecordState.REGISTERED, reply_to__isnull=True)
        self.offers = list(free.order_by("-registered_at").only("level")[:REPLIES])
        self.page_level = access.level_of(self.offers)  # of what the form names: the page that draws it is as secret
        offered = Record.objects.filter(pk__in=[each.pk for each in self.offers])
        _choices(self, "reply").queryset = offered.order_by("-registered_at")


class ReasonForm(forms.Form):
    """Why: for a return, for rework, for a withdrawal."""

    reason = words_field(_("Reason"), required=True)


class NoteForm(forms.Form):
    """A word with an approval."""

    note = words_field(_("Words with the approval"), required=False)


def _taken_back(step: Step) -> dict[str, Any]:
    """Return what the leader had directed before taking it back, to be changed; empty for a new direction."""
    before = step.parent
    if before is None or before.kind != Kind.DIRECT:
        return {}
    parts: dict[str, list[str]] = {Kind.LEAD: [], Kind.COOPERATE: [], Kind.INFORM: []}
    given = before.children.exclude(kind=Kind.DIRECT).select_related("to_unit")
    for child in given:
        if child.to_unit:
            parts[child.kind].append(child.to_unit.code)
    due = next((child.due_on for child in given if child.due_on), None)
    said = (
        "" if before.note == str(words.WITHHELD) else before.note
    )  # the sentence that stands in place of words is no draft
    told = {"instruction": said, "cooperating": parts[Kind.COOPERATE], "inform": parts[Kind.INFORM]}
    return told | {"lead": next(iter(parts[Kind.LEAD]), None), "due_on": due}


def _choices(form: forms.Form, name: str) -> Any:
    return cast("Any", form.fields[name])


def _code(one: Person | Unit) -> str:
    return f"p:{one.username}" if isinstance(one, Person) else f"u:{one.code}"


def _name(one: Person | Unit) -> str:
    if isinstance(one, Unit):
        return one.name
    return f"{one.full_name} · {one.title or one.unit.name}"
