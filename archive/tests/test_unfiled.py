"""What is not filed yet, as a reader may know it: a dossier hidden from them takes nothing off their list."""

import importlib
import random
import re
from datetime import date

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive import access, dossiers, knowing, tokens
from archive.models import NO_DOSSIER, Access, DossierItem, RecordClass, RecordState, RetentionRule, Shelf, ShelfPart
from archive.rules.levels import Level
from archive.rules.roles import Role
from config.tests import by_hand

ADDRESSES = ("/", "/dossiers/unfiled/", "/dossiers/", "/records/{key}/")
API = ("/api/v1/records", "/api/v1/records/{key}")


@pytest.fixture
def line(office):
    rule = RetentionRule.objects.create(code="1", title="Lâu", kind="permanent", basis="x", valid_from="2020-01-01")
    made = RecordClass.objects.create(code="01", title="x", rule=rule, year=2026)
    by_hand.borne_out()
    return made


@pytest.fixture
def chief(office):
    """An archivist who is cleared for everything."""
    made = by_hand._person("chief", Role.ARCHIVIST, office.command, office.command, Level.TOI_MAT)
    by_hand.borne_out()
    return made


@pytest.fixture
def begun(office, line, chief):
    def make(unit=None, level=Level.THUONG):
        number = f"{dossiers.Dossier.objects.count() + 1:02}.AN"
        cover = dossiers.Cover(number, "Kế hoạch", line, line.rule, unit or office.registry, date(2026, 1, 5))
        made = dossiers.begin(cover, actor=chief)
        if level:
            with transaction.atomic():
                dossiers.raise_to(made, level, chief)
        return made

    return make


def loose(person):
    return dossiers.unfiled(person, most=50).newest


def seen(browser, caller, record):
    """Return the answers to what shows or counts a dispatch, without token, clock and number of the request."""
    asked = [*((browser, address) for address in ADDRESSES), *((caller, address) for address in API)]
    answers = [client.get(address.format(key=record.key)) for client, address in asked]
    assert {each.status_code for each in answers} == {200}
    return [re.sub(rb"[A-Za-z0-9]{64}|\d\d:\d\d(:\d\d)?|[0-9a-f]{16,32}", b"", each.content) for each in answers]


@pytest.mark.parametrize("why", ["level", "unit"])
def test_a_hidden_dossier_changes_nothing_that_a_reader_is_shown(office, make_record, begun, chief, signed_in, why):
    record, other = make_record(), make_record()
    hidden = begun(level=Level.TOI_MAT) if why == "level" else begun(office.other_unit)
    known = begun()
    reader = (
        office.archivist
        if why == "level"
        else by_hand._person("of-registry", Role.ARCHIVIST, office.registry, office.registry, Level.MAT)
    )
    station = by_hand._person("station", Role.ARCHIVIST, office.registry, reader.scopes.get().unit, Level.MAT)
    station.is_service = True
    station.save()
    by_hand.borne_out()
    caller = Client(
        headers={"Authorization": f"Bearer {tokens.give(station, name='1', until=None, actor=office.admin)}"}
    )
    browser = signed_in("archivist")
    browser.force_login(reader)
    assert not dossiers.visible_dossiers(reader).filter(pk=hidden.pk).exists()
    seen(browser, caller, record)  # the first page says so
    before = seen(browser, caller, record)
    dossiers.file(record, dossier=hidden, actor=chief)
    assert seen(browser, caller, record) == before
    assert loose(reader) == [other.pk, record.pk]
    assert record.pk not in loose(chief)
    dossiers.file(record, dossier=known, actor=chief)
    assert loose(reader) == [other.pk]
    assert seen(browser, caller, record) != before  # the looks would have told


def test_a_dossier_that_rises_gives_back_what_lies_in_it(office, make_record, begun, chief):
    record, into = make_record(), begun()
    dossiers.file(record, dossier=into, actor=office.archivist)
    assert loose(office.archivist) == []
    dossiers.file(make_record(level=Level.TOI_MAT), dossier=into, actor=chief)
    assert loose(office.archivist) == [record.pk]
    assert loose(chief) == []


def test_what_is_no_longer_registered_is_not_to_be_filed(office, make_record):
    record = make_record()
    record.state = RecordState.VOID
    record.save()
    assert loose(office.archivist) == []


@pytest.mark.parametrize(("few", "new"), [(8_000, ()), (2, (1, 1_000)), (2, (3,))])
@pytest.mark.parametrize("seed", range(4))
def test_the_list_is_what_the_dossiers_give(office, make_record, begun, chief, monkeypatch, seed, few, new):
    monkeypatch.setattr(dossiers, "LOOSE", few)
    monkeypatch.setattr(dossiers, "NEW", new)
    monkeypatch.setattr(dossiers, "CAP", 1)
    dice = random.Random(seed)
    units = [office.registry, office.staff_unit, office.other_unit]
    places = [begun(dice.choice(units), dice.choice(list(Level)[:3])) for _ in range(6)]
    of_unit = [
        by_hand._person(f"of-{n}", Role.ARCHIVIST, office.registry, unit, Level(n))
        for n, unit in enumerate([office.registry, office.command, office.registry])
    ]
    by_hand.borne_out()
    records = [make_record(level=dice.choice((0, 0, 1, 2))) for _ in range(8)]
    for _turn in range(10):
        record, into = dice.choice(records), dice.choice(places)
        if not DossierItem.objects.filter(record=record, dossier=into).exists():
            dossiers.file(record, dossier=into, actor=chief)
        for reader in (chief, office.archivist, *of_unit):
            told, wanted = dossiers.unfiled(reader, most=5), by_definition(reader)
            assert (told.newest, min(told.total, 2)) == (wanted[:5], min(len(wanted), 2))
    for record in records[:2]:
        access.derive(record)
    assert list(knowing.faults()) == []


def by_definition(reader):
    """Return what lies in no dossier of those that a reader may know of, asked record by record."""
    known = DossierItem.objects.filter(dossier__in=dossiers.visible_dossiers(reader))
    seen = access.visible_to(reader).records().filter(state=RecordState.REGISTERED)
    return list(seen.exclude(pk__in=known.values("record")).order_by("-pk").values_list("pk", flat=True))


def test_the_nightly_look_names_what_is_not_where_it_lies(office, make_record, begun, chief):
    record, other, into = make_record(), make_record(), begun()
    dossiers.file(record, dossier=into, actor=chief)
    assert list(knowing.faults()) == []
    shelf = Access.objects.get(record=record).shelf
    Access.objects.filter(record=record).update(shelf=NO_DOSSIER)
    Access.objects.filter(record=other).update(shelf=shelf)
    assert {fault.row for fault in knowing.faults()} == {record.key, other.key}
    Access.objects.filter(record=record).update(shelf=shelf)
    Access.objects.filter(record=other).update(shelf=NO_DOSSIER)
    ShelfPart.objects.filter(shelf=shelf).update(unit=office.other_unit)
    assert [(fault.kind, fault.row) for fault in knowing.faults()] == [("shelf", str(shelf))]


def test_an_update_says_where_all_lies_that_was_filed_before(office, make_record, begun, chief):
    for number, record in enumerate([make_record() for _ in range(4)]):
        for into in [begun(office.registry), begun(office.other_unit, Level.MAT)][: number % 3]:
            dossiers.file(record, dossier=into, actor=chief)
    Access.objects.update(shelf=NO_DOSSIER)
    ShelfPart.objects.all().delete()
    Shelf.objects.exclude(pk=NO_DOSSIER).delete()
    # Not entered: on SQLite that wants foreign keys off, and rows alone are written here.
    importlib.import_module("archive.migrations.0043_shelves").fill(apps, connection.schema_editor())
    assert list(knowing.faults()) == []
    assert loose(chief) == by_definition(chief)


def test_locks_are_taken_in_the_order_that_they_are_said_to_be(office, make_record, begun, chief):
    """In another order, two acts would wait for each other. Dossiers come by year and code where nothing is said."""
    record = make_record()
    with CaptureQueriesContext(connection) as asked:
        dossiers.file(record, dossier=begun(), actor=chief)
    said = [each["sql"] for each in asked]
    (lock,) = [sql for sql in said if 'FROM "archive_dossieritem" INNER JOIN "archive_dossier"' in sql]
    assert re.search(r'ORDER BY "archive_dossieritem"."dossier_id" ASC( FOR |$)', lock)
    turn = next(place for place, sql in enumerate(said) if f'"archive_shelf"."id" = {NO_DOSSIER} ' in sql)
    made = next(place for place, sql in enumerate(said) if 'INSERT INTO "archive_shelf"' in sql)
    assert said.index(lock) < turn < made
