"""`RowEngine`: the record of an engine, which steps the rows of a batch."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from taskworlds.core.errors import WrongType
from taskworlds.core.reference import Reference, equal_records, is_reference, resolve
from taskworlds.core.simulator import load_mujoco
from taskworlds.core.world import World

__all__ = ["RowEngine"]


@dataclass(frozen=True, eq=False)
class RowEngine:
    """An engine by its name: what makes its rows, and what it says of itself.

    docs/add-an-engine.md shows how to write one.

    Attributes:
        name: what `vector_strategy` takes.
        make_rows: makes the rows, called as `make_rows(world, env_names, num_rows, settings, **options)`: with the
            world, the names of the skills to be ready for, the number of rows, those of the world's `settings` that
            were chosen, and the engine's own options. It returns `taskworlds.rows.protocol.Rows`.
        steps: called with a `World`, returns whether the engine can step it. None for the worlds whose `rows` name it.
        options: names of the options that it takes.
        snapshot: what its snapshots hold. Engines with the same text here can restore each other's.
        exact: whether it computes what a world's own environments compute: physics to the last bit; observations,
            rewards and terms within 1e-9. The fingerprint of a result names an engine that is not exact.
        version: its version, or another text that changes with its numbers; part of the fingerprint if it is not exact.
        summary: what it is, in a few words.
        inside: for an engine that has another engine's rows step elsewhere: a function that returns that engine for a
            `World`, or None where there is none. What snapshots are of, exactness and version are then that engine's,
            and such an engine is neither chosen nor measured or tested with a world unless it is named.
        make_mixed_rows: for an engine with `inside`: makes the rows of a batch of several worlds, called as
            `make_mixed_rows(plan, **options)` with a `taskworlds.rows.mixed.MixedPlan`. None if it steps one world.
    """

    name: str
    make_rows: Reference
    steps: Reference | None = None
    options: tuple[str, ...] = ()
    snapshot: str = ""
    exact: bool = False
    version: str = ""
    summary: str = ""
    inside: Reference | None = None
    make_mixed_rows: Reference | None = None

    def __post_init__(self) -> None:
        """Raises WrongType if a field is of the wrong type."""
        if not (isinstance(self.name, str) and self.name):
            raise WrongType(f"name of a RowEngine must be a non-empty string, not {self.name!r}.")
        references = {
            "make_rows": self.make_rows,
            "steps": self.steps,
            "inside": self.inside,
            "make_mixed_rows": self.make_mixed_rows,
        }
        for field_name, reference in references.items():
            if not (is_reference(reference) or (field_name != "make_rows" and reference is None)):
                raise WrongType(
                    f'{field_name} of the engine {self.name!r} must be a function, or its name as "module:NAME", not '
                    f"{reference!r}."
                )
        if not (isinstance(self.options, tuple) and all(isinstance(each, str) for each in self.options)):
            raise WrongType(
                f"options of the engine {self.name!r} must be a tuple of strings, not {self.options!r}."
            )

    def __eq__(self, other: object) -> bool:
        return equal_records(self, other)

    def __hash__(self) -> int:
        return hash(self.name)

    def can_step(self, world: World) -> bool:
        """Returns whether the engine can step a world.

        Args:
            world: the world.
        """
        if self.inside is not None:
            return resolve(self.inside)(world) is not None
        return self.name in world.rows if self.steps is None else bool(resolve(self.steps)(world))

    def in_world(self, world: World) -> RowEngine:
        """Returns the record as it holds for a world.

        Args:
            world: the world. It decides the snapshots, the exactness and the version of an engine with `inside`.
        """
        inner: RowEngine | None = None if self.inside is None else resolve(self.inside)(world)
        if inner is None:
            return self
        return dataclasses.replace(
            self, snapshot=inner.takes_snapshots_of, exact=inner.exact, version=inner.version
        )

    def make(
        self,
        world: World,
        env_names: list[str],
        num_rows: int,
        settings: dict[str, Any],
        options: dict[str, Any],
    ) -> Any:
        """Makes the rows.

        Args:
            world: the world that they are of.
            env_names: the names of the skills to be ready for.
            num_rows: how many.
            settings: those of the world's `settings` that were chosen, by name.
            options: the engine's own options, by name.

        Returns:
            What `make_rows` returns: `taskworlds.rows.protocol.Rows`.

        Raises:
            ImportError: the world is one of MuJoCo's, and the MuJoCo that is installed is not the one that it needs.
        """
        if "mujoco" in world.packages:
            load_mujoco()
        return resolve(self.make_rows)(world, env_names, num_rows, settings, **options)

    @property
    def takes_snapshots_of(self) -> str:
        """What its snapshots are of; its name, where the record does not say."""
        return self.snapshot or self.name

    @property
    def numbers(self) -> str | None:
        """A text for a fingerprint that tells its numbers from those of other engines; None if it is exact."""
        return None if self.exact else f"{self.name} {self.version}".rstrip()
