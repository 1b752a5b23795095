"""The Django application of searching."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """Searching."""

    name = "search"
    label = "search"

    def ready(self) -> None:
        """Register the start-up check."""
        from search import checks  # noqa: F401 - importing registers it
