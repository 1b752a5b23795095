"""Columns of bytes that are read as bytes whatever SQL put into them: SQLite takes any value into any column."""

from typing import Any

from django.db import models

from archive.rules.written import octets


class Octets(models.BinaryField):  # type: ignore[type-arg]
    """A column of the log: a row whose bytes are text, or a number, is named as changed and stops nobody who reads others."""

    def get_db_converters(self, connection: Any) -> list[Any]:
        """Make bytes of what came, on the database that asks no type."""
        return [self._converted] if connection.vendor == "sqlite" else super().get_db_converters(connection)

    @staticmethod
    def of(value: object) -> bytes:
        """Return the bytes of what a statement of our own found in such a column."""
        return octets(value)

    @staticmethod
    def _converted(value: object, _expression: object, _connection: object) -> bytes | None:
        return None if value is None else octets(value)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Stand in migrations as what it is to the database."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.BinaryField", list(args), kwargs
