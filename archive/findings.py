"""The entries behind what stands out: from a count of `archive.notable` back to the log, for an export.

An entry that stands behind two findings of a day is given once, with both. Reads only.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from archive import notable, officedays
from archive.models import AuditEntry
from archive.notable import Kind, Notable
from archive.rules import officehours
from archive.rules.roles import Action
from archive.tallies import HANDLING

Test = Callable[[AuditEntry, datetime], bool]  # an entry and its local moment


def behind(found: Iterable[Notable], *, size: int) -> Iterator[tuple[AuditEntry, str]]:
    """Yield entries below a place of the log with why they stand out: the newest days first, person by person."""
    groups: dict[tuple[date, int], list[Notable]] = defaultdict(list)
    for one in found:
        groups[one.day, one.person_id].append(one)
    for (day, person), ones in sorted(groups.items(), key=lambda group: (-group[0][0].toordinal(), group[0][1])):
        start, end = notable.moments(day, day)
        theirs = Q(actor_id=person) | Q(action=Action.READMIT, object_type="person", object_id=str(person))
        rows = AuditEntry.objects.filter(theirs, ts__gte=start, ts__lt=end, leaf__idx__lt=size)
        yield from _of_day(list(rows.select_related("leaf", "detail").order_by("-ts", "-leaf__idx")), ones)


def _of_day(entries: list[AuditEntry], ones: list[Notable]) -> Iterator[tuple[AuditEntry, str]]:
    tests = [(one, _test(one, entries)) for one in ones]
    for entry in entries:
        local = timezone.localtime(entry.ts)
        why = [f"{one.kind.label} ({one.count})" for one, test in tests if test(entry, local)]
        if why:
            yield entry, "; ".join(why)


def _test(one: Notable, entries: list[AuditEntry]) -> Test:
    """Return whether an entry of the day belongs to a finding."""
    match one.kind:
        case Kind.READMITTED:
            return lambda entry, _local: (entry.outcome, entry.action) == ("ok", Action.READMIT)
        case Kind.REFUSED:
            return lambda entry, _local: entry.outcome == "denied"
        case Kind.FIRST:
            first = next((each.pk for each in reversed(entries) if _is_act(each, one)), None)
            return lambda entry, _local: entry.pk == first
        case Kind.BULK:
            hours = Counter(timezone.localtime(each.ts).hour for each in entries if _is_handling(each))
            busy = {hour for hour, count in hours.items() if count >= notable.MANY_AN_HOUR}
            return lambda entry, local: _is_handling(entry) and local.hour in busy
        case Kind.OUTSIDE:
            spans = officehours.closed_spans(
                one.day, one.day, settings.OFFICE_HOURS, officedays.calendar(one.day, one.day)
            )
            return lambda entry, local: (
                _is_handling(entry) and any(start <= local.replace(tzinfo=None) < end for start, end in spans)
            )
        case Kind.VOLUME:
            return lambda entry, _local: _is_handling(entry)


def _is_handling(entry: AuditEntry) -> bool:
    return entry.outcome == "ok" and entry.action in HANDLING


def _is_act(entry: AuditEntry, one: Notable) -> bool:
    return (entry.outcome, entry.action, entry.level) == ("ok", one.action, one.level)
