"""The Django application of searching."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """Searching."""

    name = "search"
    label = "search"
