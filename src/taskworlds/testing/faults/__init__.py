"""Faults injected on purpose, and what was lost by them: `python -m taskworlds.testing.faults`."""
