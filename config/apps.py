"""The Django application of the wiring: commands and start-up checks."""

from django.apps import AppConfig


class WiringConfig(AppConfig):
    """The wiring."""

    name = "config"
    label = "config"

    def ready(self) -> None:
        """Bring the start-up checks in."""
        from config import checks, endpoints, lan  # noqa: F401 - they register themselves with Django
