"""The Django application of the intake."""

from django.apps import AppConfig


class IngestConfig(AppConfig):
    """The intake."""

    name = "ingest"
    label = "ingest"
