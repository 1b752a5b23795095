import fcntl
import os

import pytest
from django.db import DatabaseError, connection, transaction

from archive.models import Holiday

pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="turns are SQLite's alone; PostgreSQL queues")


def is_free() -> bool:
    other = os.open(f"{connection.settings_dict['NAME']}.turn", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(other)
    return True


@pytest.mark.django_db(transaction=False)
def test_a_writing_transaction_holds_the_turn():
    # pytest-django has opened a transaction around this test.
    assert not is_free()


def test_the_turn_is_given_back_by_commit_and_by_rollback(django_db_blocker, django_db_setup):
    with django_db_blocker.unblock():
        with transaction.atomic():
            assert not is_free()
        assert is_free()
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            raise ZeroDivisionError
        assert is_free()
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT * FROM nowhere")
        assert is_free()


def test_reads_never_queue_and_lone_writes_give_the_turn_back(django_db_blocker, django_db_setup):
    with django_db_blocker.unblock():
        assert list(Holiday.objects.filter(name="none")) == []
        assert is_free()
        assert Holiday.objects.filter(name="none").delete()[0] == 0
        assert Holiday.objects.filter(name="none").update(name="x") == 0
        assert is_free()
