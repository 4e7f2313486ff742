"""Measurements; each module prints one JSON line. See docs/benchmarks.md."""
