"""Start-up check of the words an office may edit. It reads, it never repairs; a wrong line stops nothing."""

from typing import Any, Final

from django.core.checks import CheckMessage, Warning, register  # noqa: A004 - its name there

from search import synonyms

_SHOWN: Final = 20  # lines named; beyond, the file is another than it should be


@register()
def office_synonyms(**_kwargs: Any) -> list[CheckMessage]:
    """Name the lines of the office's synonyms that are passed over, and why."""
    path = synonyms.office_file()
    return [
        Warning(
            f"{path.name}: {f'line {fault.line}: ' if fault.line else ''}{synonyms.WHY[fault.why]}.",
            hint=f"Mend it in {path}; until then it is passed over. {synonyms.SHIPPED.name} of the program shows the form.",
            id="search.W001",
        )
        for fault in synonyms.faults()[:_SHOWN]
    ]
