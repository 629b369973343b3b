"""`RowEngine`: the record of an engine, which steps the rows of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from taskworlds.core.errors import WrongType
from taskworlds.core.reference import Reference, resolve
from taskworlds.core.world import World

__all__ = ["RowEngine"]


@dataclass(frozen=True)
class RowEngine:
    """An engine by its name: what makes its rows, and what it says of itself. docs/add-an-engine.md shows how to write one.

    Attributes:
        name: what `vector_strategy` takes.
        make_rows: makes the rows, called as `make_rows(world, env_names, num_rows, settings, **options)`: the world, the
            names of the skills to be ready for, how many rows, those of the world's `settings` that were chosen, and the
            engine's own options. What it gives is a `taskworlds.rows.protocol.Rows`.
        steps: called with a `World`, gives whether the engine can step it. None for worlds whose `rows` name it.
        options: names of the options that `engine_options` may hold for it.
        snapshot: what its snapshots are of. Engines with equal texts take each other's.
        exact: whether it gives what a world's own environments give: physics to the last bit, observations, rewards and
            terms within 1e-9. Results from an engine that is not exact are told apart by their fingerprints.
        summary: what it is, in a few words.
    """

    name: str
    make_rows: Reference
    steps: Reference | None = None
    options: tuple[str, ...] = ()
    snapshot: str = ""
    exact: bool = False
    summary: str = ""

    def __post_init__(self) -> None:
        """Raises TypeError if a field is of the wrong type."""
        if not (isinstance(self.name, str) and self.name):
            raise WrongType(f"name of a RowEngine must be a string of some letters, not {self.name!r}.")
        if not (isinstance(self.make_rows, str) or callable(self.make_rows)):
            raise WrongType(
                f"make_rows of the engine {self.name!r} must be a function or its name, not {self.make_rows!r}."
            )

    def can_step(self, world: World) -> bool:
        """Returns whether the engine can step a world."""
        return self.name in world.rows if self.steps is None else bool(resolve(self.steps)(world))

    def make(
        self,
        world: World,
        env_names: list[str],
        num_rows: int,
        settings: dict[str, Any],
        options: dict[str, Any],
    ) -> Any:
        """Makes the rows."""
        return resolve(self.make_rows)(world, env_names, num_rows, settings, **options)

    @property
    def takes_snapshots_of(self) -> str:
        """What its snapshots are of; its name, where it does not say."""
        return self.snapshot or self.name
