"""Figures of a sample of latencies."""

from collections.abc import Sequence


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and count; in milliseconds."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 1)

    return {"p50_ms": at(0.50), "p95_ms": at(0.95), "n": len(ordered)}


def ratio(of: dict[str, float], to: dict[str, float]) -> float:
    """How many times the floor's median a median is."""
    return round(of["p50_ms"] / max(to["p50_ms"], 0.1), 2)
