"""The words of the doors at which somebody may be refused: every address has some, in the reader's language."""

import pytest
from django.urls import get_resolver
from django.utils import translation

from archive.rules import action_words, door_words

pytestmark = pytest.mark.usefixtures("in_vietnamese")


@pytest.fixture
def in_vietnamese():
    with translation.override("vi"):
        yield


def doors(resolver=None, space=""):
    for one in (resolver or get_resolver()).url_patterns:
        if hasattr(one, "url_patterns"):
            yield from doors(one, space + (f"{one.namespace}:" if one.namespace else ""))
        else:
            yield f"{space}{one.name}"


def test_every_address_has_words_and_no_word_is_of_an_address_that_is_gone():
    known = {door for door in doors() if not door.startswith("api:")}
    worded = {*door_words.ACTS, *door_words.PAGES} - {"api.token", "session.prove"}
    assert (known - worded, worded - known) == (set(), set())
    assert set(door_words.ACTS) & set(door_words.PAGES) == set()


@pytest.mark.parametrize(
    "door", [*door_words.ACTS, *door_words.PAGES, "api:GET /api/v1/records", "command:reseal_files"]
)
def test_a_refused_door_is_told_in_words(door):
    said = action_words.word(door)
    assert door not in said
    with translation.override("en"):
        assert said != action_words.word(door)


def test_a_page_of_several_acts_is_named_as_a_page_and_an_act_as_an_act():
    assert action_words.word("archive:people") == "Tại trang “Cán bộ”"
    assert action_words.word("archive:why") == action_words.word("record.why")
    assert action_words.word("command:reseal_files") == "Lệnh reseal_files"
