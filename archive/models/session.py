"""Sessions as rows: the key in the browser's cookie, what it holds, and whose it is, from where and since when."""

from importlib import import_module
from typing import cast

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from archive.models.people import Person


class OpenSession(AbstractBaseSession):
    """One session of a browser; without a person until somebody has signed in. Written by `archive.sessions` only."""

    # Beside the index: the open sessions of one person.
    person = models.ForeignKey(Person, models.CASCADE, null=True, related_name="sessions")
    since = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)  # to the minute
    ip = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=8, blank=True)  # the driver that said who this is

    class Meta(AbstractBaseSession.Meta):
        abstract = False

    def __str__(self) -> str:
        return f"{self.person} {self.ip}"  # never the key: who reads it is signed in

    @classmethod
    def get_session_store_class(cls) -> type:
        """Return the store that writes these rows (Django asks for it)."""
        return cast("type", import_module(settings.SESSION_ENGINE).SessionStore)
