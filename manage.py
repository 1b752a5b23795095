#!/usr/bin/env python3
"""The command of an installation: `python manage.py help` lists what it can do."""

import os
import sys


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    _require_text(sys.argv)
    execute_from_command_line(sys.argv)


def _require_text(arguments: list[str]) -> None:
    """End with a word where an argument is no text: bytes that are not UTF-8 can be kept nowhere."""
    try:
        "".join(arguments).encode()
    except UnicodeEncodeError:
        import django

        django.setup()  # for the reader's language
        from archive.rules import whole_text

        try:
            whole_text.require(*arguments)
        except whole_text.HalfCharacter as refusal:
            sys.exit(f"{refusal.code}: {refusal}")


if __name__ == "__main__":
    main()
