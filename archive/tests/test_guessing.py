"""Which passwords are guessed: made of words, years, rows and repetitions, whatever is put between."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from archive.models import Person
from archive.rules import guessing

pytestmark = pytest.mark.django_db  # the name of the office

GUESSED = (
    "123456789012", "aaaaaaaaaaaa", "abcdefghijkl", "matkhau123456", "anhyeuem123456", "Matkhau@2026!", "M4tkh@u@2026!",
    "Mật khẩu 30/04/1975", "Quankhu9@2026", "Tuyệt-mật-2026", "abcabcabcabc", "121212121212", "0987654321098", "qwertyuiop12",
    "Sunshine@2026!!", "ba ba ba ba ba ba", "dragonmonkey99", "Quynh@2026!!!!",
)  # fmt: skip
GOOD = ("ba con vịt ngoài ao", "mot cau dai de nho 12", "Zk3-9vTq-77fL", "trường sơn đông nắng tây mưa")


@pytest.mark.parametrize("password", GUESSED)
def test_what_is_guessed_is_refused(password):
    person = Person(username="dq.binh", full_name="Đặng Quỳnh Bình")
    with pytest.raises(ValidationError):
        validate_password(password, person)


@pytest.mark.parametrize("password", GOOD)
def test_a_sentence_and_drawn_letters_are_taken(password):
    validate_password(password, Person(username="dq.binh", full_name="Đặng Quỳnh Bình"))


def test_what_is_added_to_guessed_pieces_counts_letter_by_letter():
    assert guessing.worth("matkhau") == guessing.worth("matkhau!!!!") == guessing.PIECE
    assert guessing.worth("matkhauzkvq") == guessing.PIECE + 4


def test_an_empty_password_is_worth_nothing():
    assert guessing.worth("") == 0
