"""Speed, build time and memory of environments, ours beside others', measured in one run."""

from __future__ import annotations

from taskworlds.perf.contestants import Contestant, contestants
from taskworlds.perf.measure import Measured, measure

__all__ = ["Contestant", "Measured", "contestants", "measure"]
