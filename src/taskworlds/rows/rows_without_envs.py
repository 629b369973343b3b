"""`RowsWithoutEnvs`: base of rows that step all at once, and so have no environment of each row to be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

__all__ = ["RowsWithoutEnvs"]


class RowsWithoutEnvs:
    """Answers to `Rows.call`, `get_attr` and `set_attr`.

    Attributes:
        engine_name: the engine's name, for messages.
    """

    engine_name: ClassVar[str]

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Raises AttributeError: there is no environment object in each row."""
        raise AttributeError(
            f"the {self.engine_name} engine's rows have no attribute {name!r}. The environments of single rows have "
            'more: make the environment with vector_strategy="sync" to reach them.'
        )

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """See `call`."""
        return self.call(name)

    def set_attr(self, name: str, values: Sequence[Any]) -> None:
        """See `call`."""
        self.call(name)
