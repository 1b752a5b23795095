"""How long a dossier is kept, as a facet counts it and as a query may say it. Pure: no row is read here.

A slug is the same in every language ("permanent", "years-20"); the words that are looked
for are Vietnamese and English together, so that `thbq:"20 năm"` and `retention:permanent`
both find.
"""

from functools import lru_cache
from typing import Final

from django.conf import settings
from django.utils import translation

from archive import retention
from archive.models import RetentionRule, RuleKind

SPLIT: Final = "-"


def slug(rule: RetentionRule) -> str:
    """Return the period of a rule as a facet counts it."""
    return f"{rule.kind}{SPLIT}{rule.years}" if rule.years else str(rule.kind)


def label(period: str) -> str:
    """Return a period in words of the language now active; what is no period stays as it is.

    >>> label("years-x")
    'years-x'
    """
    kind, _, years = period.partition(SPLIT)
    if kind not in RuleKind.values or not (years.isdecimal() or period == kind):
        return period
    return retention.period(RuleKind(kind), int(years or 0))


@lru_cache(maxsize=200)  # a schedule has a dozen; each is asked for by every dispatch that is filed
def words(period: str) -> str:
    """Return the words by which a period is looked for, in every language of the office."""
    said = []
    for tongue, _name in settings.LANGUAGES:
        with translation.override(tongue):
            said.append(label(period))
    return " ".join(said)
