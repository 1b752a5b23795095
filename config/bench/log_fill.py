"""A log of many entries in a scratch installation: `python -m config.bench.log_fill ENTRIES`.

The office of `config.bench.million` with 20,000 dispatches, and three years of its log:
working days by the hour, a few nights and days of rest, readers who read much and dispatches
that are read much (the first takes about one entry in 240), refusals, details. A search names
the dispatches on its page of hits, none above its asker: seven on average, so that the first
stands on about one page in 20. The counts beside the log are written as `archive.tallies`
would count them. Leaves are true hashes of the bytes; the chain of an object is only numbered.
"""

import hashlib
import json
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from config.bench import bulk, founding, million

RECORDS: Final = 20_000
DAYS: Final = 3 * 365
REFUSED: Final = 0.02
DETAILED: Final = 0.1  # of all but searches, which always are
HITS: Final = ((0, 20), (1, 25), (2, 15), (3, 10), (20, 30))  # on one page, and how often
REST: Final = 0.03  # of a working day's entries on a day of rest
# Parts of a day's entries before, within and after the hours of the office, and those hours.
PARTS: Final = ((0.01, 0.0, 7.0), (0.97, 7.0, 11.0), (0.02, 18.0, 6.0))
ACTS: Final = (
    ("record.read", 35), ("record.page", 25), ("search.run", 12), ("work.read", 8), ("session.sign_in", 5),
    ("record.list", 5), ("record.register", 3), ("step.forward", 3), ("record.text", 2), ("record.print", 1),
    ("record.original", 0.5), ("session.sign_in_failed", 0.3), ("log.read", 0.2),
)  # fmt: skip
BODY: Final = (
    '{"action":"%s","actor":{"clearance":2,"id":%d,"name":"Người mẫu","roles":"clerk"},"details_h":"","id":"%s",'
    '"log":"vankho","obo":"","object":{"class":"Công văn","id":"%s","level":%d,"no":"12/CV-BCH","type":"%s"},'
    '"object_prev":"' + "0" * 64 + '","object_seq":%d,"outcome":"%s","reason":"","rows_h":"",'
    '"src":{"ip":"10.0.0.1","req":"0123456789abcdef","session":"0123456789abcdef","ua":"bench"},"ts":"%s","v":1}'
)
HOUR_ZONE: Final = timedelta(hours=7)  # local time of the office


def main(entries: int) -> None:
    """Found the office and write its log."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from archive.models import AuditLeaf, TallyPlace

    began = time.perf_counter()
    chance = random.Random(2026)
    large = founding.office(chance)
    to = bulk.writer()
    sheet, close = bulk.sheets(to)
    million.fill(sheet, large, RECORDS, chance, log=False)
    close()
    to = bulk.writer()
    sheet, close = bulk.sheets(to)
    _Log(sheet, large.people, chance).write(entries)
    made = time.perf_counter() - began
    close()
    TallyPlace.objects.update_or_create(pk=1, defaults={"upto": AuditLeaf.objects.count()})
    print(f"{entries:,} entries written in {made:.0f} s, with indexes in {time.perf_counter() - began:.0f} s")


class _Log:
    """Writes entries in the order of time, and what they add up to."""

    def __init__(self, sheet: bulk.Sheets, people: list[int], chance: random.Random) -> None:
        from archive.models import AuditLeaf, Clearance, Record

        self.sheet, self.people, self.chance = sheet, people, chance
        self.records = list(Record.objects.order_by("pk").values_list("pk", "key", "level"))
        chance.shuffle(self.records)
        top = AuditLeaf.objects.order_by("-idx").values_list("idx", flat=True).first()
        self.leaf = 0 if top is None else top + 1
        self.sequence: dict[str, int] = defaultdict(int)
        self.firsts: dict[tuple[int, str, int], datetime] = {}
        self.acts, self.weights = zip(*ACTS, strict=True)
        self.hits, self.hit_weights = zip(*HITS, strict=True)
        self.cleared = dict(Clearance.objects.values_list("person_id", "level"))

    def write(self, entries: int) -> None:
        """Write so many entries, the counts of each day after it."""
        from archive.models import FirstAct

        today = datetime.now(UTC).date()
        days = [today - timedelta(days=back) for back in range(DAYS, 0, -1)]
        shares = [REST if day.weekday() > 4 else 1.0 for day in days]  # noqa: PLR2004 - Saturday and Sunday
        done, total = 0.0, sum(shares)
        for day, share in zip(days, shares, strict=True):
            before, done = done, done + share
            self._day(day, round(entries * done / total) - round(entries * before / total))
        for (person, action, level), moment in self.firsts.items():
            self.sheet(FirstAct).add(
                id=self.sheet(FirstAct).count + 1_000, person_id=person, action=action, level=level, ts=_stamp(moment)
            )

    def _day(self, day: date, entries: int) -> None:
        from archive.models import Tally
        from archive.tallies import HANDLING

        handling = {str(act) for act in HANDLING}
        counts: dict[int, list[Any]] = defaultdict(lambda: [0, 0, [0] * 24])
        acts = self.chance.choices(self.acts, self.weights, k=entries)
        for moment, act in zip(_moments(day, entries), acts, strict=True):
            person = self.people[int(len(self.people) * self.chance.random() ** 2)]
            level, outcome = self._entry(moment - HOUR_ZONE, person, act)
            about = counts[person]
            about[0] += 1
            about[1] += outcome == "denied"
            if outcome == "ok":
                self.firsts.setdefault((person, act, level), moment - HOUR_ZONE)
                about[2][moment.hour] += act in handling
        for person, (count, refused, by_hour) in counts.items():
            row = Tally(refused=refused, handled=sum(by_hour), handled_by_hour=by_hour)
            row.sum_up()
            self.sheet(Tally).add(
                id=self.sheet(Tally).count + 1_000, day=str(day), person_id=person, acts=count, refused=refused,
                handled=row.handled, handled_by_hour=json.dumps(by_hour), is_much=row.is_much, busiest=row.busiest,
                earliest=row.earliest, latest=row.latest,
            )  # fmt: skip

    def _entry(self, moment: datetime, person: int, act: str) -> tuple[int, str]:
        from archive.audit import ON_PAGE
        from archive.models import AuditDetail, AuditEntry, AuditLeaf, AuditShown

        chance = self.chance
        about, thing, pk, level = "office", "bench", None, 0
        if act.startswith(("record.", "step.")) and act != "record.list":
            about = "record"
            pk, thing, level = self._record()
        outcome = "denied" if act.endswith("failed") or chance.random() < REFUSED else "ok"
        shown = self._page(person) if act == "search.run" and outcome == "ok" else []
        level = max(level, *(one[2] for one in shown)) if shown else level
        self.sequence[thing] = sequence = self.sequence[thing] + 1
        entry = f"{int(moment.timestamp() * 1000):012x}7{self.leaf & 0xFFF:03x}8{chance.getrandbits(60):015x}"
        stamp = f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
        body = (BODY % (act, person, entry, thing, level, about, sequence, outcome, stamp)).encode()
        self.sheet(AuditEntry).add(
            id=entry, ts=_stamp(moment), actor_id=person, action=act, outcome=outcome, object_type=about, object_id=thing,
            object_seq=sequence, record_id=pk, level=level, body=body, leaf_hash=hashlib.sha256(b"\x00" + body).digest(),
        )  # fmt: skip
        self.sheet(AuditLeaf).add(idx=self.leaf, entry_id=entry)
        if act == "search.run" or chance.random() < DETAILED:
            payload = {ON_PAGE: [one[1] for one in shown], "text": "kế hoạch"} if shown else {"part": "thread"}
            self.sheet(AuditDetail).add(entry_id=entry, salt=b"0" * 16, payload=json.dumps(payload))
        for record, _key, seen_at in shown:
            number = self.sheet(AuditShown).count + 1_000
            self.sheet(AuditShown).add(
                id=number, entry_id=entry, record_id=record, level=seen_at, actor_id=person, ts=_stamp(moment)
            )
        self.leaf += 1
        return level, outcome

    def _record(self) -> tuple[int, str, int]:
        """Return a dispatch (id, key, level), the first ones much more often."""
        return self.records[int(len(self.records) * self.chance.random() ** 2)]

    def _page(self, person: int) -> list[tuple[int, str, int]]:
        """Return the dispatches on one page of hits of a person."""
        cleared = self.cleared.get(person, 0)
        hits = self.chance.choices(self.hits, self.hit_weights)[0]
        found = dict.fromkeys(self._record() for _hit in range(hits))
        return [one for one in found if one[2] <= cleared]


def _moments(day: date, entries: int) -> Iterator[datetime]:
    """Yield local moments of a day in order, most of them within the hours of the office."""
    midnight, left = datetime(day.year, day.month, day.day, tzinfo=UTC), entries
    for place, (share, start, hours) in enumerate(PARTS):
        count = left if place == len(PARTS) - 1 else min(left, round(entries * share))
        left -= count
        for number in range(count):
            yield midnight + timedelta(hours=start + hours * number / count)


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"


if __name__ == "__main__":
    main(int(sys.argv[1]))
