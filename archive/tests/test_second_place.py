"""The second place of heads is the one that bears this log's marker; an empty mount point takes nothing."""

import io
import shutil
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from archive import audit, logkey, placing, publishing, second_place
from archive.models import AuditEntry
from archive.rules.errors import Forbidden
from archive.rules.roles import Action
from config import checks, status

GROUND = "QĐ 14: ổ cũ niêm phong tại két"


@pytest.fixture
def place(tmp_path, settings, office):
    """A second place that got its first head."""
    settings.VANKHO_HOME = tmp_path / "home"
    settings.LOG_SECOND_PLACE = str(tmp_path / "second")
    signed()
    return tmp_path / "second"


def signed():
    with transaction.atomic():
        audit.write(Action.SYSTEM_READ, actor=None)
    return publishing.publish()


def unmounted(place):
    """Let the medium be away: what is left is the empty folder that it was mounted on."""
    place.rename(place.with_name("medium"))
    place.mkdir()


def mounted(place):
    place.rmdir()
    place.with_name("medium").rename(place)


def heads():
    return [
        publishing.verify.open_note(path.read_bytes(), logkey.signer().public).size
        for path in publishing.heads_elsewhere()
    ]


def test_a_new_place_is_marked_once_with_the_key_of_the_log(place):
    assert (place / second_place.MARKER).read_text() == f"{logkey.signer().public}\n"
    assert publishing.place_fault() == ""
    assert checks.second_place() == []


def test_an_empty_mount_point_takes_no_head_and_gets_none_later_either(place, office, signed_in):
    first = publishing.newest().size
    unmounted(place)
    for _ in range(2):
        with pytest.raises(second_place.NotThere, match="second"):
            signed()
    assert not list(place.iterdir())
    assert publishing.signed() == 0
    (warning,) = checks.second_place()
    assert warning.id == "vankho.W071"
    assert str(place) in warning.msg
    assert status.facts()["place_fault"] == warning.msg
    assert "chưa được gắn" in signed_in("admin").get("/machine/status/").content.decode()
    waiting = publishing.newest().size
    mounted(place)
    assert publishing.place_fault() == ""
    publishing.publish()
    assert heads()[0] == first
    assert {waiting - 1, waiting} <= set(heads())  # every head that waited is there


def test_a_place_with_heads_of_before_there_were_markers_is_marked(place):
    (place / second_place.MARKER).unlink()
    (publishing.folder() / "second-place").unlink()
    with time_machine.travel(timezone.now() + timedelta(days=400)):
        assert publishing.place_fault() == ""
        signed()
    assert (place / second_place.MARKER).exists()


def test_a_place_that_was_away_on_the_first_day_is_marked_when_it_comes(tmp_path, settings, office):
    settings.VANKHO_HOME = tmp_path / "home"
    settings.LOG_SECOND_PLACE = str(tmp_path / "second")
    (tmp_path / "second").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="second"):
        signed()
    assert "second" in publishing.place_fault()
    (tmp_path / "second").unlink()
    publishing.publish()
    assert (tmp_path / "second" / second_place.MARKER).exists()


def test_a_machine_that_joins_an_older_office_marks_nothing(place):
    unmounted(place)
    shutil.rmtree(publishing.folder())
    with time_machine.travel(timezone.now() + timedelta(days=2)), pytest.raises(second_place.NotThere):
        publishing.publish()
    assert not list(place.iterdir())
    mounted(place)
    publishing.publish()
    assert heads()


@pytest.mark.parametrize("left", ["marker", "head"])
def test_the_medium_of_another_log_takes_nothing(place, left):
    if left == "marker":
        (place / second_place.MARKER).write_text("other+00000000+AAAA\n")
    else:
        (place / second_place.MARKER).unlink()
        (place / "checkpoint-000000000999").write_bytes(b"something else")
    with pytest.raises(second_place.NotThere, match=r"nhật ký khác|another log"):
        signed()
    with pytest.raises(placing.ForeignPlace):
        placing.take(reason=GROUND, actor=officer())
    assert publishing.place_fault()


def officer():
    from archive.models import Person

    return Person.objects.get(username="security")


@pytest.mark.django_db(transaction=True)
def test_the_officer_takes_a_new_medium_into_use_and_the_heads_that_waited_follow(place, office):
    unmounted(place)
    with pytest.raises(second_place.NotThere):
        signed()
    with pytest.raises(CommandError, match="log_place --take"):
        call_command("log_place")
    with pytest.raises(CommandError, match="LOG-007"):
        call_command("log_place", "--take", "--as", "security")
    out = io.StringIO()
    call_command("log_place", "--take", "--as", "security", "--reason", GROUND, stdout=out)
    assert "ready" in out.getvalue()
    entry = AuditEntry.objects.get(action=Action.LOG_PLACE)
    assert entry.detail.payload == {"place": str(place), "before": "empty"}
    assert publishing.signed() == publishing.newest().size > entry.leaf.idx
    call_command("verify_log", kept=[next(place.with_name("medium").glob("checkpoint-*"))])


def test_only_the_security_officer_takes_a_medium_into_use(place, office, settings):
    with pytest.raises(Forbidden):
        placing.take(reason=GROUND, actor=office.admin)
    with pytest.raises(CommandError, match="nobody"):
        call_command("log_place", "--take", "--as", "nobody")
    settings.LOG_SECOND_PLACE = ""
    with pytest.raises(placing.NoPlace):
        placing.take(reason=GROUND, actor=office.security)
    call_command("log_place")


def test_the_look_makes_no_key(tmp_path, settings):
    settings.VANKHO_HOME = tmp_path
    settings.LOG_SECOND_PLACE = str(tmp_path / "second")
    assert publishing.place_fault() == ""
    assert not logkey.has_key()
