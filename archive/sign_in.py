"""Signing in as Django knows it: a backend that asks `archive.identity`, and a rule for new passwords.

An unknown name costs the same work as a known one, so the time tells nothing.
"""

import unicodedata
from difflib import SequenceMatcher
from functools import cache
from typing import Any, Final

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import office
from archive.identities.port import Identity
from archive.identity import by_identity, by_password
from archive.models import Person
from archive.rules import guessing
from archive.standing import once

LONG: Final = 6  # letters of a name that may not stand within a password
LISTED: Final = 5  # letters; shorter ones stand in sentences by chance
ALIKE: Final = 0.7  # as Django's rule about the person's own names


class Backend(BaseBackend):
    """Finds and checks a person; gives no permissions (the office's own table does)."""

    def authenticate(
        self,
        request: HttpRequest | None,  # noqa: ARG002 - Django's signature
        username: str | None = None,
        password: str | None = None,
        identity: Identity | None = None,
        **_kwargs: Any,
    ) -> Person | None:
        """Return the person whose name and password match, or whom a provider has named; or None."""
        if identity is not None:
            return by_identity(identity)
        return by_password(username, password) if username and password else None

    def get_user(self, user_id: int) -> Person | None:
        """Return the person of a session, unless switched off since; while a page is read, as read with the session."""
        people = Person.objects.select_related("unit").filter(pk=user_id)
        person = once("person", Person(pk=user_id), timezone.now(), people.first)
        return person if person is not None and person.is_active else None


class NoNameAtHand:
    """Refuses a password made of a name - the person's, the office's, the program's -, as guessers try first."""

    def validate(self, password: str, user: Person | None = None) -> None:
        """Raise ValidationError for a password alike such a name, blanks, marks and capitals apart."""
        given = _letters(password)
        own = (user.full_name, user.username) if user else ()
        for name in (*office.shown(), "vankho", *own):
            known = _letters(name)
            if known and (
                (len(known) >= LONG and known in given) or SequenceMatcher(a=given, b=known).ratio() >= ALIKE
            ):
                raise ValidationError(
                    _("The password must not be made of your name, or that of the office or of this program.")
                )

    def get_help_text(self) -> str:
        """Return the rule in words."""
        return _("The password must not be made of your name, or that of the office or of this program.")


class NotGuessed:
    """Refuses what guessers try first: lists of passwords found elsewhere, words of this country, years, rows, repetitions."""

    def validate(self, password: str, user: Person | None = None) -> None:
        """Raise ValidationError for a password of which such pieces and names leave too little."""
        own = (user.full_name, user.username, user.title) if user else ()
        names = [_letters(word) for name in (*office.shown(), *own) for word in name.split()]
        if guessing.worth(password, {*_found_elsewhere(), *(name for name in names if name)}) < guessing.ENOUGH:
            raise ValidationError(self.get_help_text())

    def get_help_text(self) -> str:
        """Return the rule in words."""
        return _(
            "The password must not be put together from common words, names, years, rows of keys and repetitions. "
            "Three or four words that do not belong together are good."
        )


@cache
def _found_elsewhere() -> frozenset[str]:
    """Return the words of Django's list of the 20,000 most frequent passwords: most longer ones are made of them."""
    listed: set[str] = CommonPasswordValidator().passwords
    return frozenset(word for word in listed if len(word) >= LISTED and word.isalpha())


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(letter for letter in plain if letter.isalnum())
