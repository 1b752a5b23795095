"""Some days in the sample office: the people register, submit, direct, answer, approve and file.

Everything goes through the same acts, doors and log as on a real day. Field values are
those a clerk would confirm from the paper; what was read wrongly is corrected here as
a clerk corrects it, and a dozen dispatches are left on the desk for the visitor to do.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from functools import partial
from typing import Final, TypeVar

from django.db.models import Q
from django.utils import timezone

from archive import dossiers, registration, retention, routing
from archive.models import Dossier, Person, Record, RecordClass, Register, Step, StepKind, Unit
from archive.models.record import Direction
from archive.rules.errors import Refusal
from archive.rules.levels import Level
from config.sample.letters import Letter

LEFT_ON_DESK: Final = 0.3  # the share left for the visitor to register
UNTOUCHED_EACH: Final = 6  # one incoming dispatch in six waits to be submitted, one in six for direction
ANSWER: Final = "Đã thực hiện xong; số liệu đã đối chiếu với các đơn vị. Kính trình đồng chí xem xét."
log = logging.getLogger("vankho.sample")
T = TypeVar("T")
Pair = tuple[Record, Letter]


def live(pairs: Sequence[Pair], *, tell: Callable[[int, int], None]) -> None:
    """Let the office work through its dispatches, oldest first; `tell` hears (done, all)."""
    office = _Office()
    ready = sorted(pairs, key=lambda pair: pair[1].arrived_on or pair[1].issued_date)
    working = ready[: len(ready) - round(LEFT_ON_DESK * len(ready))]
    registered = []
    for done, (draft, letter) in enumerate(working, start=1):
        record = office.register(draft, letter)
        if record is not None:
            registered.append((record, letter))
        tell(done, len(working))
    incoming = [record for record, _letter in registered if record.direction == Direction.INCOMING]
    for place, record in enumerate(incoming):
        office.route(record, place)
    office.file(registered)


def tried(act: Callable[[], T]) -> T | None:
    """Return what an act returns, or None when the office itself refuses it (a clearance, say)."""
    try:
        return act()
    except Refusal as refusal:
        log.info("refused: %s", refusal.code)
        return None


class _Office:
    """The sample people at work."""

    def __init__(self) -> None:
        self.people = {person.username: person for person in Person.objects.all()}
        self.units = {unit.code: unit for unit in Unit.objects.all()}

    def register(self, draft: Record, letter: Letter) -> Record | None:
        """Register a draft with the fields a clerk reads on its paper."""
        level = max(letter.secrecy, Level(draft.proposed_level))
        kind = registration.kind_for(letter.direction, level)
        book = Register.objects.get(kind=kind, unit=draft.unit)
        entry = _entry(letter, level)
        return tried(lambda: registration.register(draft, entry, register=book, actor=self.people["clerk"]))

    def route(self, record: Record, place: int) -> None:
        """Take one incoming dispatch as far as its place says: submitted, directed, in hand, answered, approved."""
        stage = place % UNTOUCHED_EACH
        if stage == UNTOUCHED_EACH - 1:
            return
        task = routing.Task(self.people["leader"], routing.Kind.DIRECT, "Kính trình đồng chí xem xét, chỉ đạo.")
        step = tried(lambda: routing.forward(record, task, actor=self.people["clerk"]))
        if step is not None and stage < UNTOUCHED_EACH - 2:
            self._direct(step, stage)

    def _direct(self, step: Step, stage: int) -> None:
        lead, other = (
            (self.units["PTM"], self.units["PHCKT"]) if stage % 2 == 0 else (self.units["PHCKT"], self.units["PTM"])
        )
        # A unit without a cleared person cannot lead a classified dispatch.
        if step.record.level > Level.THUONG:
            lead, other = self.units["PTM"], self.units["VP"]
        words = f"{lead.name} chủ trì, {other.name} phối hợp. Báo cáo kết quả đúng hạn."
        due = timezone.localdate() + timedelta(days=3 + 2 * stage)
        direction = routing.Direction(words, lead=lead, cooperating=[other], due_on=due)
        steps = tried(lambda: routing.direct(step, direction, actor=self.people["leader"])) or []
        leading = [each for each in steps if each.kind == StepKind.LEAD]
        if leading and stage > 0:
            self._work(leading[0], self.people["staff"] if lead.code == "PTM" else self.people["staff2"], stage)

    def _work(self, step: Step, person: Person, stage: int) -> None:
        tried(lambda: routing.receive(step, actor=person))
        if stage == 1:
            return
        answered = tried(lambda: routing.answer(_fresh(step), ANSWER, actor=person))
        if answered and stage > 2:  # noqa: PLR2004 - the last stage is approved as well
            tried(lambda: routing.approve(_fresh(step), "Đồng ý.", actor=self.people["leader"]))

    def file(self, registered: Sequence[tuple[Record, Letter]]) -> None:
        """Open dossiers under the file plan, file what fits, close one, hold one."""
        archivist = self.people["archivist"]
        opened = [made for line in _lines() if (made := self._open(line, archivist))]
        for place, (record, _letter) in enumerate(registered):
            if opened and place % 3 != 2:  # noqa: PLR2004 - a third is left unfiled
                into = opened[place % len(opened)]
                tried(partial(dossiers.file, record, dossier=into, actor=archivist))
        for dossier in opened[:2]:
            dossier.refresh_from_db()
            tried(partial(dossiers.close, dossier, ended_on=timezone.localdate(), actor=archivist))
        if opened:
            order = retention.Order(
                "Thanh tra công tác văn thư 2026", "Giữ nguyên hồ sơ phục vụ đoàn thanh tra", "QĐ 12/QĐ-BCH"
            )
            tried(lambda: retention.place_hold(order, on=opened[1:2], actor=archivist))

    def _open(self, line: RecordClass, archivist: Person) -> Dossier | None:
        if line.rule is None:
            return None
        today = timezone.localdate()
        title = f"{line.title.removesuffix(' năm')} năm {today.year}"
        unit = self.units["BCH"]
        cover = dossiers.Cover(line.code, title, line, line.rule, unit, date(today.year, 1, 6))
        return tried(lambda: dossiers.begin(cover, actor=archivist))


def _entry(letter: Letter, level: Level) -> registration.Entry:
    outgoing = letter.direction == Direction.OUTGOING
    return registration.Entry(
        level=level,
        direction=letter.direction,
        code_number=letter.code_number,
        code_notation=letter.code_notation,
        issued_date=letter.issued_date,
        organ_name=letter.organ_name,
        parent_organ_name=letter.parent_organ_name,
        type_name=letter.type_name,
        subject=letter.subject,
        signer_name=letter.signer_name,
        signer_authority=letter.signer_authority,
        urgency=letter.urgency,
        arrival_date=None if outgoing else letter.arrived_on or letter.issued_date,
        arrival_time=None if outgoing else time(7, 40),
        to_places="; ".join(letter.copies)[:1000],
        issued_amount=max(len(letter.copies), 1) if outgoing else None,
    )


def _lines() -> list[RecordClass]:
    leaves = RecordClass.objects.filter(~Q(rule=None), year=timezone.localdate().year)
    return list(leaves.select_related("rule").order_by("code")[:8])


def _fresh(step: Step) -> Step:
    return Step.objects.select_related("record").get(pk=step.pk)
