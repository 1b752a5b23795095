"""`manage.py prepare_store`: on a server without any bucket an office can keep files afterwards."""

import io
import secrets
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from archive.models import AuditEntry
from archive.rules.levels import Level
from archive.stores import bucket, chosen, s3
from archive.stores.port import ADDRESS_DIGITS
from config import parts
from config.tests import buckets
from config.tests.servers import free_port

pytestmark = [pytest.mark.engine, pytest.mark.django_db]


@pytest.fixture
def bare(settings, monkeypatch):
    """An office whose S3 server has none of its buckets: bare("{}-more") names them after a fresh one."""
    with buckets.fresh() as lent:
        client, named = bucket.connect(lent), []

        def name(form):
            named[:] = s3.buckets(form.format(lent.bucket, level=s3.LEVEL))
            settings.STORE_DRIVER, settings.S3_URL, settings.S3_REGION = "s3", lent.url, lent.region
            settings.S3_BUCKET = form.format(lent.bucket, level=s3.LEVEL)
            settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY = lent.access_key, lent.secret_key
            return client

        yield name
        for one in dict.fromkeys(named):
            if client.bucket_exists(one):
                buckets.remove(client, one)


def prepare():
    said = io.StringIO()
    call_command("prepare_store", stdout=said)
    return said.getvalue()


def put():
    driver, address = chosen.driver("s3"), secrets.token_hex(ADDRESS_DIGITS // 2)
    draft = driver.create(address, level=Level.THUONG)
    draft.write(memoryview(b"sealed"))
    draft.commit()
    return driver, address


def is_ready():
    try:
        parts.PARTS["store"]()
    except (parts.NotPrepared, bucket.StoreAway):
        return False
    return True


@pytest.mark.parametrize("form", ["{}-more", "{}-{level}"])
def test_an_empty_server_takes_files_in_afterwards(office, bare, form):
    bare(form)
    assert not is_ready()
    with pytest.raises(bucket.StoreAway, match="prepare_store"):
        put()
    prepare()
    assert is_ready()
    driver, address = put()
    assert driver.open(address).read() == b"sealed"
    entry = AuditEntry.objects.get(action="system.store_prepare")
    assert entry.detail.payload["made"] == list(dict.fromkeys(s3.buckets(chosen.account()[1])))


def test_a_new_bucket_can_lock_objects(bare):
    bare("{}-more")
    prepare()
    assert not AuditEntry.objects.exists()  # of a database that is empty: a restore may go into it
    driver, address = put()
    assert driver.retain(address, timezone.now() + timedelta(days=1))


def test_what_is_there_is_left_as_it_is(bare):
    client = bare("{}-more")
    client.make_bucket(chosen.account()[1])
    driver, address = put()
    prepare()
    assert driver.open(address).read() == b"sealed"
    assert not driver.retain(address, timezone.now() + timedelta(days=1))  # as it was made: without
    assert not AuditEntry.objects.filter(action="system.store_prepare").exists()


def test_a_server_that_is_away_or_refuses_the_account_is_told(bare, settings):
    bare("{}-more")
    settings.S3_SECRET_KEY = "wrong-wrong-wrong"
    with pytest.raises(CommandError, match="STO-"):
        prepare()
    settings.S3_URL = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CommandError, match="STO-"):
        prepare()


def test_local_files_need_nothing(settings):
    settings.S3_URL = ""
    assert prepare()
    assert chosen.missing() == []
