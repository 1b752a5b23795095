"""Signing in: by name and password, with an entry in the log for each attempt.

An unknown name costs the same hashing as a known one, so the time tells nothing.
"""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from archive.models import Person


class Backend(BaseBackend):
    """Finds and checks a person; gives no permissions (the office's own table does)."""

    def authenticate(
        self,
        request: HttpRequest | None,  # noqa: ARG002 - Django's signature
        username: str | None = None,
        password: str | None = None,
        **_kwargs: Any,
    ) -> Person | None:
        """Return the person whose name and password match, or None."""
        if not username or not password:
            return None
        person = Person.objects.filter(username=username).first()
        if person is None:
            Person().set_password(password)
            return None
        usable = person.is_active and not person.is_service
        return person if person.check_password(password) and usable else None

    def get_user(self, user_id: int) -> Person | None:
        """Return the person of a session, unless switched off since."""
        return Person.objects.select_related("unit").filter(pk=user_id, is_active=True).first()
