"""Whether the figures of a run meet their goals: said beside each figure, remembered for the end of the run.

`config.bench` ends with 1 if one was missed, so that neither a person nor a machine that
runs it has to read the table.
"""

_missed: list[str] = []


def verdict(is_met: bool, what: str) -> str:
    """Return what is printed beside a figure; `what` names it at the end if its goal was missed."""
    if is_met:
        return ""
    _missed.append(what)
    return " MISSED"


def missed() -> tuple[str, ...]:
    """Return what has missed its goal in this process so far."""
    return tuple(_missed)
