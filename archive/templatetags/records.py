"""Words of records for templates: marks of files and pages."""

from django import template

from archive.rules import flags

register = template.Library()


@register.filter
def flag_word(flag: str) -> str:
    """Return the words a person reads for a mark of a file or page."""
    return flags.word(flag)
