"""The small worlds."""

from taskworlds.core.world import World

__all__ = ["SMALL_WORLDS"]

SMALL_WORLDS: tuple[World, ...] = ()
