"""Which acts make a dispatch new to a kept query: what came, what a query looks at and has changed, what was opened to the person."""

from datetime import date

import pytest
from django.utils import timezone

from archive import audit, dossiers, standing
from archive.models import Access, Clearance, RecordClass, RetentionRule, UnitScope
from archive.rules.levels import Level
from archive.rules.roles import READING, Action
from search import news, saving
from search.models import Alert

# Acts that change neither what an index holds of a dispatch nor who may see it. What they do to a person (a clearance, a
# mark, a post) is told by the dated rows themselves.
NO_NEWS = READING | {
    *(action for action in Action if action.partition(".")[0] in {
        "session", "code", "system", "scan", "log", "search", "plan", "hold", "copy", "clearance", "mark", "person",
        "post", "scope", "token", "unit", "work", "retention", "level", "period", "protection", "book", "day", "keys",
    }),
    Action.RECORD_ATTACH, Action.RECORD_RESEAL, Action.RECORD_WHY, Action.PAPER_MOVE, Action.REGISTER_READ, Action.REGISTER_PRINT,
    Action.REGISTER_CONFIRM, Action.STEP_RECEIVE, Action.STEP_ANSWER, Action.STEP_APPROVE, Action.STEP_END,
    Action.DOSSIER_OPEN, Action.DOSSIER_CLOSE, Action.GRANT_END,
}  # fmt: skip


def test_every_act_is_news_or_is_known_not_to_be():
    told = set(news.COMING) | set(news.OPENING)
    assert not told & NO_NEWS
    assert told | NO_NEWS == set(Action)


@pytest.fixture
def dossier(office):
    rule = RetentionRule.objects.create(code="1", title="x", kind="permanent", basis="x", valid_from="2020-01-01")
    line = RecordClass.objects.create(code="01", title="x", rule=rule, year=2026)
    cover = dossiers.Cover("01.TC", "Tổ chức", line, rule, office.registry, date(2026, 1, 5))
    return dossiers.begin(cover, actor=office.archivist)


@pytest.fixture
def watched(office, indexed):
    """A maker of alerts: the words and values, and who is told of them from now on."""

    def watch(person, text="", **filters):
        kept = saving.keep(saving.Wanted(f"{text} {filters}", text, Level.THUONG, filters), actor=person)
        indexed()
        return saving.watch(kept, actor=person)

    return watch


def told(person):
    return {each.alert.search.text + str(each.alert.search.filters or ""): set(each.ids) for each in news.of(person)}


def look(person):
    for each in news.of(person):
        saving.looked(each.alert, upto=each.upto, at=each.at)


def test_what_is_filed_is_new_to_queries_for_its_dossier_and_its_period(office, make_record, indexed, dossier, watched):
    record, other = make_record(subject="Diễn tập"), make_record(code_number="9", subject="Diễn tập")
    watched(office.leader, 'hoso:"01.TC"')
    watched(office.leader, "thbq:vinh-vien")
    watched(office.leader, dossier=[dossier.key])
    watched(office.leader, retention=["permanent"])
    watched(office.leader, "dien tap -thbq:vinh-vien")
    assert not any(told(office.leader).values())
    dossiers.file(record, dossier=dossier, actor=office.archivist)
    indexed()
    assert list(map(sorted, told(office.leader).values())) == [[record.pk]] * 4 + [[]]
    look(office.leader)
    dossiers.file(other, dossier=dossier, actor=office.archivist)
    indexed()
    assert list(map(sorted, told(office.leader).values())) == [[other.pk]] * 4 + [[]]
    assert set(news.of(office.archivist)) == set()


def test_a_dossier_that_rises_is_news_of_what_lost_its_words_to_those_cleared_for_it(
    office, make_record, indexed, dossier, watched
):
    low, high = make_record(subject="Diễn tập"), make_record(level=Level.MAT, code_number="9", subject="Diễn tập")
    dossiers.file(low, dossier=dossier, actor=office.archivist)
    office.clerk.clearances.update(revoked_at=timezone.now())
    for person in (office.leader, office.clerk):
        watched(person, "dien tap -hoso:01.TC")
        indexed()
        look(person)
    dossiers.file(high, dossier=dossier, actor=office.archivist)
    indexed()
    assert list(told(office.leader).values()) == [{low.pk}]
    assert list(told(office.clerk).values()) == [set()]  # it would tell them that something secret was filed


@pytest.mark.parametrize("act", [*news.COMING, *news.OPENING])
def test_each_of_these_acts_is_told(office, make_record, indexed, watched, act):
    record = make_record(subject="Diễn tập")
    Access.objects.create(
        record=record, principal=office.other_unit.pk, source=2, level=0, marking=1, since=0, until=2**31 - 1
    )
    watched(office.stranger, "dien tap")
    audit.write(act, actor=office.clerk, subject=record)
    indexed()
    assert list(told(office.stranger).values()) == [{record.pk}]


def test_a_clearance_and_a_scope_given_since_the_last_look_are_news(office, make_record, indexed, watched, monkeypatch):
    low = make_record(subject="Diễn tập")
    high = make_record(level=Level.TOI_MAT, code_number="9", subject="Diễn tập")
    make_record(level=Level.TOI_MAT, code_number="10", subject="Công tác đoàn")
    for person in (office.archivist, office.stranger):
        watched(person, "dien tap")
    assert list(told(office.archivist).values()) == [set()]
    Clearance.objects.create(person=office.archivist, level=Level.TOI_MAT, since=timezone.now(), basis="QĐ 02")
    UnitScope.objects.create(person=office.stranger, unit=office.registry, since=timezone.now())
    audit.write(Action.CLEARANCE_GIVE, actor=office.security, subject=office.archivist)
    indexed()
    assert list(told(office.archivist).values()) == [{high.pk}]
    assert list(told(office.stranger).values()) == [{low.pk}]
    monkeypatch.setattr(news, "NEWEST", 1)
    (capped,) = news.of(office.archivist)
    assert (capped.count, capped.is_capped) == (1, True)
    monkeypatch.undo()
    for person in (office.archivist, office.stranger):
        look(person)
        assert list(told(person).values()) == [set()]


def test_who_has_not_proved_who_they_are_has_not_looked_at_all_of_it(
    office, make_record, indexed, watched, monkeypatch
):
    """A quiet alert is moved on, but not past what the second proof would show."""
    monkeypatch.setattr(news, "QUIET", 0)
    alert = watched(office.archivist, "dien tap")
    secret = make_record(level=Level.MAT, subject="Diễn tập")
    indexed()
    with standing.unproved(office.archivist):
        assert list(told(office.archivist).values()) == [set()]
    assert Alert.objects.get(pk=alert.pk).seen == alert.seen
    assert list(told(office.archivist).values()) == [{secret.pk}]
