"""Words of records for templates: marks of files and pages, details of entries, periods of keeping."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils.translation import gettext_lazy as _

from archive import retention
from archive.models import RetentionRule, RuleKind
from archive.rules import detail_words, flags

register = template.Library()


@register.filter
def flag_word(flag: str) -> str:
    """Return the words a person reads for a mark of a file or page."""
    return flags.word(flag)


@register.filter
def details(kept: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the details of an entry in words."""
    return detail_words.shown(kept)


@register.filter
def last_day(until: datetime) -> datetime:
    """Return a moment of the last day of what ends when the next day begins."""
    return until - timedelta(seconds=1)


@register.filter
def period(rule: RetentionRule) -> str:
    """Return how long a rule keeps: "20 years", or its kind when it counts no years."""
    return retention.period(RuleKind(rule.kind), rule.years or 0)


EVIDENCE = {
    "stamp": _("stamp read on the page"),
    "possible_stamp": _("red stamp that could not be read"),
    "text": _("word in the text"),
    "unclear": _("a scan that no machine can clear"),
}


@register.filter
def evidence_word(kind: str) -> str:
    """Return what kind of sign of secrecy was seen."""
    return str(EVIDENCE.get(kind, kind))
