"""The Django application of the office."""

from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    """The office."""

    name = "archive"
    label = "archive"
