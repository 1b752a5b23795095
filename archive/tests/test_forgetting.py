"""Values behind an entry go by two officers, one at a time, and the log goes on verifying; on both databases."""

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from archive import audit, forgetting, logkey, publishing, sequencing
from archive.models import AuditDetail, AuditEntry, PersonRole
from archive.rules.errors import Forbidden
from archive.rules.roles import Action, Role
from archive.verifier import verify
from config.tests.office import LONG_AGO


@pytest.fixture
def two(office, settings, tmp_path):
    """Two security officers."""
    settings.VANKHO_HOME = tmp_path / "home"
    PersonRole.objects.create(person=office.leader, role=Role.SECURITY, since=LONG_AGO)
    return office.security, office.leader


def placed(record):
    """Return an entry about a record that has details, at its place."""
    sequencing.place_all()
    return AuditEntry.objects.filter(record_id=record.pk, detail__isnull=False).select_related("leaf").first()


def command(*places, officer="security", second="leader", reason="Quyết định 5/QĐ"):
    call_command("forget_details", *map(str, places), "--as", officer, "--second", second, "--reason", reason)


def test_details_go_by_an_act_of_two_and_the_log_still_verifies(office, two, make_record, tmp_path):
    record = make_record()
    entry = AuditEntry.objects.filter(record_id=record.pk, detail__isnull=False).first()
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditDetail.objects.filter(entry=entry).delete()
    with pytest.raises(Forbidden):
        forgetting.forget([entry], reason="Hết hạn", actor=office.security, second=office.security)
    assert forgetting.forget([entry], reason="Hết hạn", actor=office.security, second=office.leader) == 1
    assert not AuditDetail.objects.filter(entry=entry).exists()
    publishing.export(tmp_path / "export", with_details=True)
    report = verify.verify(str(tmp_path / "export"), logkey.signer().public, details=True)
    assert report.forgotten == 1


def test_the_command_destroys_and_names_both(two, make_record, capsys):
    entry = placed(make_record())
    command(entry.leaf.idx)
    assert "1" in capsys.readouterr().out
    assert not AuditDetail.objects.filter(entry=entry).exists()
    act = AuditEntry.objects.get(action=Action.LOG_FORGET, outcome="ok")
    assert (act.actor, act.object_id) == (two[0], entry.pk.hex)
    publishing.checked([])


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"second": "security"}, "ACC-002"),
        ({"second": "clerk"}, "ACC-002"),
        ({"officer": "auditor"}, "ACC-002"),
        ({"reason": "  "}, "LOG-013"),
        ({"places": [10**6]}, "LOG-011"),
    ],
)
def test_what_is_refused_destroys_nothing_and_stands_in_the_log(two, make_record, asked, code):
    entry = placed(make_record())
    places = [entry.leaf.idx, *asked.pop("places", [])]
    with pytest.raises(CommandError, match=code):
        command(*places, **asked)
    assert AuditDetail.objects.filter(entry=entry).exists()
    assert AuditEntry.objects.get(action="command:forget_details").outcome == "denied"


def test_what_the_archive_goes_by_stays(two, make_record):
    entry = placed(make_record())
    with transaction.atomic():
        kept = [
            audit.write(Action.SYSTEM_READ, actor=None, details={"n": 1}),
            audit.write(Action.SCAN_DISMISS, actor=two[0], details={forgetting.DESTROYED: ["a"]}),
        ]
    sequencing.place_all()
    for one in kept:
        with pytest.raises(CommandError, match="LOG-012"):
            command(entry.leaf.idx, AuditEntry.objects.select_related("leaf").get(pk=one.pk).leaf.idx)
    assert AuditDetail.objects.filter(entry__in=[entry, *kept]).count() == 3
