"""The follower: secret titles stay out, a server that is away is waited for, drift is found and mended."""

from datetime import date

import pytest
from django.core.management import CommandError, call_command

from archive import dossiers, store
from archive.models import AuditEntry, Dossier, DossierItem, Page, Record, RecordClass, RetentionRule
from archive.rules.levels import Level
from archive.rules.roles import Action
from search import drift, finding, follow
from search.engine import EngineAway
from search.entry import Terms
from search.query import parse
from search.tests.make import entry


class Away:
    """An engine whose server does not answer until it is told to."""

    def __init__(self, engine):
        self.engine, self.is_away = engine, True

    def __getattr__(self, name):
        if self.is_away:
            raise EngineAway
        return getattr(self.engine, name)


@pytest.fixture
def installed(engine, monkeypatch):
    """The engine under test in the place of the installation's."""
    monkeypatch.setattr(follow, "open_engine", lambda: engine)
    finding.engine.cache_clear()
    yield engine
    finding.engine.cache_clear()


def caught_up(engine):
    follower = follow.Follower(engine)
    while follower.catch_up():
        continue
    follower.close()
    return follower


def found(person, text):
    answer = finding.find(parse(text), person, filters={}, order=finding.Order.NEWEST, offset=0)
    return [one.record.pk for one in answer.found]


def stamp_of(engine, pk):
    return [(hit.version, hit.level) for hit in engine.stamps() if hit.id == pk]


def test_the_title_of_a_dossier_above_its_record_does_not_find_the_record(office, make_record, installed):
    record = make_record(subject="Thông báo trực ban")
    rule = RetentionRule.objects.create(code="1", title="x", kind="permanent", basis="x", valid_from="2020-01-01")
    dossier = Dossier.objects.create(
        code="01.TM", year=2026, title="Chiến dịch Sao Hôm", level=Level.TOI_MAT, rule=rule, unit=office.staff_unit,
        record_class=RecordClass.objects.create(code="01", title="x", rule=rule, year=2026),
        opened_on="2026-01-01", opened_by=office.archivist,
    )  # fmt: skip
    DossierItem.objects.create(
        dossier=dossier, record=record, doc_ordinal=1, filed_at=record.created_at, filed_by=office.archivist
    )
    (told,) = follow.entries([record.pk], version=1)
    assert told.filed == ()
    Dossier.objects.filter(pk=dossier.pk).update(level=Level.THUONG)
    (told,) = follow.entries([record.pk], version=1)
    assert [one.name for one in told.filed] == ["01.TM Chiến dịch Sao Hôm"]


def test_a_dossier_that_rises_takes_its_title_from_what_is_less_secret_in_it(office, make_record, installed):
    low, high = make_record(subject="Thông báo trực ban"), make_record(level=Level.MAT, code_number="9")
    rule = RetentionRule.objects.create(code="1", title="Lưu lâu", kind="permanent", basis="x", valid_from="2020-01-01")
    line = RecordClass.objects.create(code="01", title="x", rule=rule, year=2026)
    cover = dossiers.Cover("01.TM", "Chiến dịch Sao Hôm", line, rule, office.registry, date(2026, 1, 5))
    dossier = dossiers.begin(cover, actor=office.archivist)
    dossiers.file(low, dossier=dossier, actor=office.archivist)
    caught_up(installed)
    assert found(office.clerk, "hoso:sao") == [low.pk]
    dossiers.file(high, dossier=dossier, actor=office.archivist)
    caught_up(installed)
    assert found(office.clerk, "hoso:sao") == [high.pk]
    facets = finding.find(
        parse("thong bao truc ban"), office.clerk, filters={}, order=finding.Order.NEWEST, offset=0
    ).facets
    assert (facets["dossier"], facets["retention"]) == ((), ())
    raised = AuditEntry.objects.filter(action=Action.DOSSIER_FILE, object_type="dossier")
    assert [(entry.object_id, entry.level) for entry in raised] == [(dossier.key, Level.MAT)]
    assert drift.scan(installed).ids == set()


def test_a_server_that_is_away_is_waited_for_and_caught_up_with(office, make_record, installed, caplog):
    caught_up(installed)
    away = Away(installed)
    follower = follow.Follower(away)
    record = make_record(subject="Kế hoạch huấn luyện bắn đạn thật")
    with caplog.at_level("INFO", "vankho.search"):
        assert [follower.catch_up() for _ in range(3)] == [0, 0, 0]
        assert [line.message for line in caplog.records] == [
            "the search server is away; the index will catch up by itself"
        ]
        away.is_away = False
        while follower.catch_up():
            continue
    assert caplog.records[-1].message == "the search server is back"
    follower.close()
    assert found(office.archivist, "ban dan that") == [record.pk]


def test_a_server_that_has_just_begun_is_given_work_between_looks_until_it_has_enough(office, make_record, installed):
    make_record(subject="Kế hoạch huấn luyện")
    caught_up(installed)
    given = []

    class Beginning(Away):
        def warm(self, sample):
            given.append([one.subject for one in sample])
            return len(given) % 3 == 0

    server = Beginning(installed)
    server.is_away = False
    follower = follow.Follower(server)
    for _ in range(6):
        follower.catch_up()
    assert given == [["Kế hoạch huấn luyện"]] * 3
    server.is_away = True
    follower.catch_up()
    server.is_away = False
    for _ in range(6):
        follower.catch_up()
    follower.close()
    assert len(given) == 6


def test_an_index_that_holds_what_the_database_holds_does_not_differ(office, make_record, installed, capsys):
    make_record()
    caught_up(installed)
    call_command("check_index")
    assert "0 missing, 0 stale, 0 orphans, 0 misplaced" in capsys.readouterr().out
    assert AuditEntry.objects.filter(action=Action.INDEX_CHECK).count() == 1


def test_a_record_whose_file_was_destroyed_is_found_by_the_rest_and_hinders_no_rebuild(office, make_record, installed):
    """As after a restore: what was destroyed since has its row again and never its content."""
    record = make_record(subject="Kế hoạch phòng cháy", pages=("nội dung đã hủy",))
    store.shred(record.pages.get(number=1).pack_id)

    caught_up(installed)
    assert follow.rebuild() == 1

    assert found(office.archivist, "phong chay") == [record.pk]
    assert found(office.archivist, "noi dung da huy") == []
    assert drift.scan(installed).ids == set()


def test_a_rebuild_learns_from_records_of_all_the_database(office, make_record, installed, monkeypatch):
    made = [make_record(subject=f"Thông báo {number}").pk for number in range(7)]
    monkeypatch.setattr(follow, "SAMPLE", 3)
    monkeypatch.setattr(follow, "BATCH", 2)
    asked, begun = [], installed.open_new_generation

    def begin(sample):
        asked.extend(one.id for one in sample)
        return begun([])

    monkeypatch.setattr(installed, "open_new_generation", begin)
    assert follow.rebuild() == 7
    assert sorted(asked) == [pk for pk in made if pk in range(made[0], made[-1] + 1, (made[-1] - made[0]) // 3)]


def test_being_behind_the_log_is_no_drift(office, make_record, installed):
    caught_up(installed)
    make_record()
    assert drift.scan(installed).ids == set()


def test_every_kind_of_drift_is_found_and_mended(office, make_record, installed, capsys):
    missing, stale, misplaced, sound = (make_record(subject=f"Báo cáo số {number}") for number in range(4))
    caught_up(installed)
    position = installed.position()
    (true_of_misplaced,) = follow.entries([misplaced.pk], version=position)
    (true_of_stale,) = follow.entries([stale.pk], version=1)
    before = stamp_of(installed, sound.pk)
    installed.remove([missing.pk, stale.pk])
    installed.commit()
    installed.upsert([true_of_stale] if stamp_of(installed, stale.pk) else [])
    installed.upsert([entry(9_999_999, version=position)])
    installed.upsert([entry(misplaced.pk, version=position, level=Level.TOI_MAT)])
    installed.commit(position=position)
    installed.release()

    seen = drift.scan(installed)
    assert (seen.orphans, seen.misplaced) == ({9_999_999}, {misplaced.pk})
    assert seen.missing | seen.stale == {missing.pk, stale.pk}
    with pytest.raises(CommandError, match="--repair"):
        call_command("check_index")
    call_command("check_index", "--repair")
    assert "4 mended" in capsys.readouterr().out
    assert drift.scan(installed).ids == set()
    assert [level for _v, level in stamp_of(installed, misplaced.pk)] == [true_of_misplaced.level]
    assert stamp_of(installed, sound.pk) == before
    assert Record.objects.count() == len(list(installed.stamps()))


def test_a_stale_entry_is_found(office, make_record, installed, monkeypatch):
    record = make_record(subject="Báo cáo cũ")
    caught_up(installed)
    monkeypatch.setattr(drift, "_changed", dict.fromkeys)
    assert drift.scan(installed).stale == {record.pk}


def test_the_check_says_when_the_server_is_away(office, monkeypatch):
    monkeypatch.setattr(follow, "open_engine", lambda: Away(None))
    with pytest.raises(CommandError, match="does not answer"):
        call_command("check_index")


def test_the_engine_is_chosen_by_the_settings(settings):
    assert type(follow.open_engine()).__name__ == "Embedded"
    settings.ELASTICSEARCH_URL = "http://127.0.0.1:1"
    engine = follow.open_engine()
    assert type(engine).__name__ == "Elastic"
    with pytest.raises(EngineAway):
        engine.position()


class Cut(Away):
    """An engine whose server is away again before a step of many records has ended."""

    def __init__(self, engine, longest):
        super().__init__(engine)
        self.is_away, self.longest, self.taken, self.steps = False, longest, 0, []

    def upsert(self, entries):
        found = list(entries)
        self.taken += len(found)
        if self.taken > self.longest:
            self.taken = 0
            self.steps.append("cut")
            raise EngineAway
        self.engine.upsert(found)

    def commit(self, **named):
        self.steps.append(self.taken)
        self.taken = 0
        self.engine.commit(**named)

    def release(self):
        self.taken = 0


def test_a_server_that_comes_and_goes_leaves_time_for_a_shorter_step(office, make_record, installed, monkeypatch):
    monkeypatch.setattr(follow, "LEAST", 2)
    monkeypatch.setattr(follow, "MOST", 32)
    made = [make_record() for _ in range(16)]  # two entries each
    cut = Cut(installed, longest=6)
    follower = follow.Follower(cut)
    for _ in range(40):
        follower.catch_up()
    assert "cut" in cut.steps
    assert installed.count(follow_terms()) == len(made)


def test_what_a_cut_left_half_told_is_written_by_a_shorter_step_after_it(office, make_record, installed, monkeypatch):
    """A step that ended before its commit has told other levels of its version; the next one, shorter, is no older."""
    monkeypatch.setattr(follow, "LEAST", 2)
    monkeypatch.setattr(follow, "MOST", 32)
    for _ in range(8):
        make_record()
    caught_up(installed)
    made = [make_record() for _ in range(8)]
    cut = CutAtCommit(installed)
    follower = follow.Follower(cut)
    for _ in range(40):
        follower.catch_up()
    assert cut.was_cut
    assert drift.check(installed).ids == set()
    assert installed.count(follow_terms()) == 8 + len(made)


class CutAtCommit(Away):
    """An engine whose server goes away after all of a step was told it, and before it is kept; once."""

    def __init__(self, engine):
        super().__init__(engine)
        self.is_away = self.was_cut = False

    def commit(self, **named):
        if not self.was_cut:
            self.was_cut = True
            raise EngineAway
        self.engine.commit(**named)


def follow_terms():
    return Terms(3, (1,), (), tuple(Record.objects.values_list("pk", flat=True)))


def test_of_a_dispatch_whose_pages_were_moved_past_the_office_no_word_is_indexed(make_record):
    plain, secret = make_record(), make_record(level=Level.MAT, pages=("Phương án tác chiến",))
    (told,) = follow.entries([secret.pk], version=1)
    assert "tác chiến" in str(told.pages)
    Page.objects.filter(record=plain).update(number=9)
    Page.objects.filter(record=secret).update(record=plain)
    moved = list(follow.entries([plain.pk, secret.pk], version=2))
    assert [told.pages for told in moved] == [(), ()]
