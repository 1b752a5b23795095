"""How times are told: the middle, and what one in twenty and one in a hundred exceeds."""


def spread(spent: list[float]) -> dict[str, float]:
    """Return p50, p95 and p99 of milliseconds."""
    ordered = sorted(spent)
    return {
        f"p{share}": round(ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))], 2) for share in (50, 95, 99)
    }
