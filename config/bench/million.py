"""A large invented office in the tables of a scratch installation: `python -m config.bench.million RECORDS`.

Shape of config/decisions/access.md: twelve years, 80 units in three levels, 600 people,
levels 70/18/9/3 %, about six access rows per record; with register numbers, steps (the
last working days alive, the rest closed), dossiers, holds, pages and log entries. The
founded sample office gives rules, file plan and holidays; its people are those of `config.bench.founding`.
"""

import hashlib
import json
import os
import random
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from config.bench import bulk, founding
from config.bench.shape import (
    ALIVE,
    DEPARTMENTS,
    DOSSIER,
    DRAFTS,
    FILED_ABOVE,
    FILED_OF_OLD,
    GRANTED,
    INCOMING,
    ORGANS,
    REFUSED,
    SIGNS,
    TO_DIRECT,
    TO_UNITS,
    TOP_SECRET,
    TYPES,
    UNTOUCHED,
    WORDS,
    YEARS,
    Large,
    stamp,
)


def main(records: int) -> None:
    """Found the large office beside the sample and fill it."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    began, spent = time.perf_counter(), time.process_time()
    chance = random.Random(2026)
    large = founding.office(chance)
    sheet, close = bulk.sheets(bulk.writer())
    fill(sheet, large, records, chance)
    made = time.perf_counter() - began
    close()
    whole, cpu = time.perf_counter() - began, time.process_time() - spent
    print(f"{records:,} records written in {made:.0f} s, with indexes in {whole:.0f} s ({cpu:.0f} s of processor here)")


# --- the records -----------------------------------------------------------------------------------------


def _shelves(large: Large) -> dict[tuple[int, int], int]:
    """Return the number of the shelf of each department's dossiers of each level."""
    from django.db import transaction

    from archive.shelves import number_of

    with transaction.atomic():
        return {
            (unit, level): number_of(frozenset({(unit, level)}))
            for unit in large.departments
            for level in range(TOP_SECRET + 1)
        }


def fill(sheet: bulk.Sheets, large: Large, records: int, chance: random.Random, *, log: bool = True) -> None:
    """Fill it with records, and the log with an act and a read of each."""
    from archive.models import AuditLeaf, Record, RegisterCounter

    maker = _Maker(
        sheet, large, chance, first=(Record.objects.order_by("-pk").values_list("pk", flat=True).first() or 0)
    )
    top = AuditLeaf.objects.order_by("-idx").values_list("idx", flat=True).first()
    maker.leaf = 0 if top is None else top + 1
    maker.logs = log
    for place in range(records):
        maker.record(place, records)
    maker.bind()
    maker.keep(records)
    for (register, year), last in large.counters.items():
        sheet(RegisterCounter).add(id=sheet(RegisterCounter).count + 1_000, register_id=register, year=year, last=last)


@dataclass(frozen=True, slots=True)
class _One:
    """What every row of one record needs to know of it."""

    pk: int
    key: str
    at: datetime
    level: int
    department: int
    incoming: bool


class _Maker:
    """Writes one record after another, in the order of time."""

    def __init__(self, sheet: bulk.Sheets, large: Large, chance: random.Random, *, first: int) -> None:
        from archive.models import RecordClass

        self.sheet, self.large, self.chance, self.first = sheet, large, chance, first
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.began = self.now - timedelta(days=365 * YEARS)
        self.leaf, self.logs = 0, True
        self.sequence: dict[int, int] = {}
        self.loose: dict[
            tuple[int, int], list[tuple[int, date]]
        ] = {}  # by department and level of dossier: record, day
        self.shelves = _shelves(large)
        self.weights = [1 / (place + 0.6) for place in range(DEPARTMENTS)]
        self.keys: dict[int, str] = {}
        self.plan: list[tuple[int, int]] = list(
            RecordClass.objects.filter(rule__isnull=False).order_by("pk").values_list("pk", "rule_id")
        )

    def record(self, place: int, records: int) -> None:
        """Write one record with all that belongs to it."""
        chance, share = self.chance, place / records
        one = _One(
            pk=self.first + 1 + place,
            key=f"{chance.getrandbits(60):012x}"[-12:].translate(KEYS),
            at=self.began + (self.now - self.began) * share,
            level=chance.choices((0, 1, 2, 3), (70, 18, 9, 3))[0],
            department=chance.choices(self.large.departments, self.weights)[0],
            incoming=chance.random() < INCOMING,
        )
        draft = share >= 1 - DRAFTS
        handed = one.incoming and share < 1 - UNTOUCHED - DRAFTS
        into = self._dossier_level(one) if share < 1 - 1 / YEARS and chance.random() < FILED_OF_OLD else None
        shelf = self.shelves[one.department, into] if into is not None else NO_DOSSIER
        self._row(one, state="draft" if draft else "registered", is_handed=handed)
        if one.level < TOP_SECRET:
            self._pages(one)
        self._access(one, shelf, draft=draft)
        if not draft:
            self._number(one)
        if handed:
            self._steps(one, shelf, alive=share >= 1 - ALIVE, directed=share < 1 - UNTOUCHED - DRAFTS - TO_DIRECT)
        if into is not None:
            self.file(one, into)
        self._log(one)

    def _row(self, one: _One, *, state: str, **marks: bool) -> None:
        from archive.models import Record

        chance, kind = self.chance, self.chance.randrange(len(TYPES))
        self.keys[one.pk] = one.key
        words = " ".join(chance.choices(WORDS, k=chance.randint(8, 24)))
        clerk = self.large.clerks[one.department]
        registered = state != "draft"
        self.sheet(Record).add(
            id=one.pk, key=one.key, state=state, direction="incoming" if one.incoming else "outgoing", level=one.level,
            initial_level=one.level, declared_level=one.level, proposed_level=one.level, marking_id=1, unit_id=one.department,
            code_number=str(chance.randint(1, 4800)), code_notation=SIGNS[kind], issued_date=str(one.at.date()),
            organ_name=chance.choice(ORGANS), type_name=TYPES[kind], subject="" if one.level == TOP_SECRET else words,
            signer_name="Nguyễn Văn Mẫu", urgency=chance.choices((0, 1, 2, 3), (85, 10, 3, 2))[0],
            page_amount=2, arrival_date=str(one.at.date()), created_at=stamp(one.at), created_by_id=clerk,
            proposal=PROPOSAL, registered_at=stamp(one.at) if registered else None,
            registered_by_id=clerk if registered else None, **marks,
        )  # fmt: skip

    def _pages(self, one: _One) -> None:
        from archive.models import DigitalObject, Page

        for role in ("original", "pack"):
            self.sheet(DigitalObject).add(
                address=f"{self.chance.getrandbits(96):024x}{one.pk:08x}" if role == "pack" else f"o{one.pk:031x}",
                record_id=one.pk, role=role, name="quet.pdf", media_type="application/pdf", size=300_000,
                sha256=f"{one.pk:064x}", sealed_size=300_100, sealed_sha256=f"{one.pk:064x}", level=one.level, created_at=stamp(one.at),
            )  # fmt: skip
        for number in (1, 2):
            self.sheet(Page).add(
                id=2 * one.pk + number, record_id=one.pk, number=number, pack_id=f"o{one.pk:031x}", width=1240, height=1754,
                image_start=0, image_length=9, thumb_start=0, thumb_length=9, text_start=0, text_length=9,
                source="ocr", confidence=90,
            )  # fmt: skip

    def _access(self, one: _One, shelf: int, *, draft: bool) -> None:
        from archive.access import DESK, PERSON
        from archive.models import Access, Source

        chance = self.chance
        if draft:
            self.sheet(Access).add(
                record_id=one.pk, principal=DESK + one.department, source=1, level=one.level, marking=1
            )
            return
        rows = {(one.department, int(Source.OWNER))}
        for _ in range(chance.randint(2, 8)):
            other = (
                chance.choice(self.large.units)
                if chance.random() < TO_UNITS
                else PERSON + chance.choice(self.large.people)
            )
            rows.add((other, int(Source.ADDRESSEE)))
        common = {"record_id": one.pk, "level": one.level, "marking": 1, "shelf": shelf}
        for principal, source in rows:
            self.sheet(Access).add(principal=principal, source=source, **common)
        if chance.random() < GRANTED:
            minute = int(self.now.timestamp() // 60)
            self.sheet(Access).add(
                principal=PERSON + chance.choice(self.large.people), source=int(Source.GRANT), since=minute - 50_000,
                until=minute + chance.randint(-40_000, 40_000), **common,
            )  # fmt: skip

    def _number(self, one: _One) -> None:
        from archive.models import RegisterNumber

        kind = ("secret_" if one.level else "") + ("incoming" if one.incoming else "outgoing")
        register = self.large.registers[one.department, kind]
        last = self.large.counters.get((register, one.at.year), 0) + 1
        self.large.counters[register, one.at.year] = last
        self.sheet(RegisterNumber).add(
            id=one.pk, register_id=register, year=one.at.year, number=last, record_id=one.pk, allotted_at=stamp(one.at),
            allotted_by_id=self.large.clerks[one.department],
        )  # fmt: skip

    def _steps(self, one: _One, shelf: int, *, alive: bool, directed: bool) -> None:
        """Write the direction and one to three steps of work under it; those of the last days are in hand."""
        from archive.access import PERSON
        from archive.models import Access, Step

        chance = self.chance
        leader = self.large.people[0]
        step = {
            "record_id": one.pk,
            "created_at": stamp(one.at),
            "due_on": str(one.at.date() + timedelta(days=chance.randint(2, 30))),
        }
        done = {"state": "done", "closed_at": stamp(one.at + timedelta(days=1)), "closed_by_id": leader}
        waits = {"state": "open"}
        self.sheet(Step).add(id=8 * one.pk, order=1, kind="direct", from_person_id=self.large.clerks[one.department],
                             to_person_id=leader, **step, **(done if directed else waits))  # fmt: skip
        opened = {(PERSON + leader, 3)}
        for order in range(2, 2 + chance.randint(1, 3)) if directed else ():
            unit, kind = chance.choice(self.large.below[one.department]), "cooperate" if order > FIRST_WORK else "lead"
            live = {"state": chance.choice(("open", "received", "answered"))}
            self.sheet(Step).add(id=8 * one.pk + order, order=order, parent_id=8 * one.pk, kind=kind,
                                 from_person_id=leader, to_unit_id=unit, **step, **(live if alive else done))  # fmt: skip
            opened.add((unit, 3))
        for principal, source in opened if alive else ():
            self.sheet(Access).add(record_id=one.pk, principal=principal, source=source, level=one.level, marking=1,
                                   shelf=shelf)  # fmt: skip

    # --- dossiers -----------------------------------------------------------------------------------------

    def _dossier_level(self, one: _One) -> int:
        """Return the level of the dossier it goes into: its own, or, of some, one above."""
        return min(one.level + (self.chance.random() < FILED_ABOVE), TOP_SECRET)

    def file(self, one: _One, level: int) -> None:
        """File a record; forty of one department, level of dossier and time lie together."""
        loose = self.loose.setdefault((one.department, level), [])
        loose.append((one.pk, one.at.date()))
        if len(loose) == DOSSIER:
            self._dossier(one.department, level, loose)
            loose.clear()

    def bind(self) -> None:
        """Put the last few of each into a dossier of their own."""
        for (department, level), loose in self.loose.items():
            if loose:
                self._dossier(department, level, loose)

    def _dossier(self, department: int, level: int, filed: list[tuple[int, date]]) -> None:
        from archive.models import Dossier, DossierItem

        dossier, day = self.first + self.sheet(Dossier).count + 1, filed[-1][1]
        clerk = self.large.clerks[department]
        ended = day + timedelta(days=200)
        closed = ended < self.now.date() - timedelta(days=300)
        plan = self.chance.choice(self.plan)
        self.sheet(Dossier).add(
            id=dossier, key=f"{dossier:012d}"[::-1].translate(KEYS), code=f"{dossier:05d}.L", year=day.year,
            title=" ".join(self.chance.choices(WORDS, k=12)), record_class_id=plan[0], rule_id=plan[1],
            unit_id=department, level=level,
            opened_on=str(day), opened_by_id=clerk, ended_on=str(ended) if closed else None,
            closed_at=f"{ended} 08:00:00" if closed else None, closed_by_id=clerk if closed else None,
        )  # fmt: skip
        for ordinal, (pk, at) in enumerate(filed, start=1):
            self.sheet(DossierItem).add(id=pk, dossier_id=dossier, record_id=pk, doc_ordinal=ordinal,
                                        filed_at=f"{at} 09:00:00", filed_by_id=clerk)  # fmt: skip

    def keep(self, records: int) -> None:
        """Place twenty holds over three dossiers and three records each."""
        from archive.models import Dossier, Hold, HoldItem

        dossiers = self.sheet(Dossier).count
        for hold in range(1, 21):
            self.sheet(Hold).add(id=hold, name=f"Tạm dừng {hold}", reason="Thanh tra", placed_at=stamp(self.now),
                                 placed_by_id=self.large.people[1])  # fmt: skip
            covered = [{"dossier_id": self.first + self.chance.randint(1, dossiers)} for _ in range(3) if dossiers]
            covered += [{"record_id": self.first + self.chance.randint(1, records)} for _ in range(3)]
            for thing in {json.dumps(each): each for each in covered}.values():
                self.sheet(HoldItem).add(id=self.sheet(HoldItem).count + 1, hold_id=hold, **thing)

    # --- the log -------------------------------------------------------------------------------------------

    def _log(self, one: _One) -> None:
        """Write that it was registered, and that somebody read another one lately registered."""
        if not self.logs:
            return
        self._entry(one, self.large.clerks[one.department], "record.register")
        other = max(self.first + 1, one.pk - self.chance.randint(0, 500))
        read = replace(one, pk=other, key=self.keys[other], at=one.at + timedelta(seconds=1))
        self._entry(read, self.chance.choice(self.large.people), "record.read")
        self.keys.pop(one.pk - 501, None)
        self.sequence.pop(one.pk - 501, None)

    def _entry(self, one: _One, actor: int, action: str) -> None:
        from archive.models import AuditDetail, AuditEntry, AuditLeaf

        pk, key, at, level = one.pk, one.key, one.at, one.level
        sequence = self.sequence.get(pk, 0) + 1
        self.sequence[pk] = sequence
        entry = f"{int(at.timestamp() * 1000):012x}7{self.leaf & 0xFFF:03x}8{self.chance.getrandbits(60):015x}"
        body = BODY % {"id": entry, "at": at.isoformat(), "actor": actor, "action": action, "key": key, "seq": sequence,
                       "level": level}  # fmt: skip
        outcome = "denied" if self.chance.random() < REFUSED else "ok"
        self.sheet(AuditEntry).add(
            id=entry, ts=stamp(at), actor_id=actor, action=action, outcome=outcome, object_type="record",
            object_id=key, object_seq=sequence, record_id=pk, level=level, body=body.encode(),
            leaf_hash=hashlib.sha256(b"\x00" + body.encode()).digest(),
        )  # fmt: skip
        self.sheet(AuditLeaf).add(idx=self.leaf, entry_id=entry)
        if self.leaf % 10 == 0:
            self.sheet(AuditDetail).add(entry_id=entry, salt=b"0" * 16, payload='{"part": "thread"}')
        self.leaf += 1


NO_DOSSIER: Final = 1  # row 1 of Shelf
FIRST_WORK: Final = 2  # the line of the thread after the direction
KEYS: Final = str.maketrans("0123456789abcdef", "23456789abcdefgh")
PROPOSAL: Final = json.dumps({})
BODY: Final = (
    '{"action":"%(action)s","actor":{"clearance":2,"id":%(actor)d,"name":"Người mẫu","roles":"clerk"},"details_h":"",'
    '"id":"%(id)s","log":"vankho","object":{"class":"Công văn","id":"%(key)s","level":%(level)d,"no":"12/CV-BCH",'
    '"type":"record"},"object_prev":"' + "0" * 64 + '","object_seq":%(seq)d,"outcome":"ok","reason":"",'
    '"src":{"ip":"10.0.0.1","req":"0123456789abcdef","session":"0123456789abcdef","ua":"bench"},"ts":"%(at)s","v":1}'
)


if __name__ == "__main__":
    main(int(sys.argv[1]))
