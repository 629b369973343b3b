"""GridWorldEnv: a deterministic grid in which an agent walks from the start to a goal, past walls and holes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Discrete

from taskworlds.core.errors import WrongValue, check_count
from taskworlds.core.step import EnvStep
from taskworlds.worlds.small.drawing import AGENT, BACKGROUND, GOAL, LINE, draw_disc
from taskworlds.worlds.small.grid_map import MOVES, read_map, transitions
from taskworlds.worlds.small.small_env import SmallEnv

__all__ = ["GridWorldEnv", "draw_grid"]

CELL = 32  # pixels
COLOURS = {"S": (222, 226, 238), "F": BACKGROUND, "W": (108, 117, 125), "H": (33, 37, 41), "G": GOAL}


def draw_grid(letters: npt.NDArray[np.str_], state: int) -> npt.NDArray[np.uint8]:
    """Returns a picture of a map with the agent in a cell, (32 * rows, 32 * columns, 3) uint8."""
    colours = np.array([[COLOURS[cell] for cell in row] for row in letters.tolist()], np.uint8)
    image = colours.repeat(CELL, axis=0).repeat(CELL, axis=1)
    image[::CELL] = image[-1] = image[:, ::CELL] = image[:, -1] = LINE
    row, col = divmod(state, letters.shape[1])
    draw_disc(image, (row + 0.5) * CELL, (col + 0.5) * CELL, 0.3 * CELL, AGENT)
    return image


class GridWorldEnv(SmallEnv):
    """A grid to cross from S to G.

    Actions: 0 left, 1 down, 2 right, 3 up. A move into a wall or off the grid leaves the agent where it is.
    Observation: the agent's cell as an int, row times columns plus column, rows counted from the top.
    Reward: 1.0 for the step that reaches a goal, else 0.0. A goal or a hole ends the episode.
    Nothing is random: `reset(seed=...)` changes nothing that can be observed.

    Args:
        desc: the name of one of the `MAPS` ("chain", "4x4", "4x4_safe", "8x8"), or the rows of a map from the
            top, equally long, in the letters S, F (or `.`), W (or `x`), H (or `o`) and G, with exactly one S.
        max_episode_length: most steps of an episode; None or infinity for no limit.
        render_mode: what `render()` returns: "ansi" for text with the agent in brackets, "rgb_array" for an
            image.

    Raises:
        TypeError: desc is neither a name nor rows of letters, or max_episode_length is not a whole number.
        ValueError: desc is not the name of a map, or not a valid map, or another argument is out of range.

    Example:
        >>> env = GridWorldEnv(["S.G", "xxo"], render_mode="ansi")
        >>> env.reset()
        (0, {})
        >>> env.step(2).first, env.step(2).reward
        (True, 1.0)
        >>> print(env.render())
         S  F [G]
         W  W  H
    """

    def __init__(
        self,
        desc: str | Sequence[Sequence[str]] = "4x4",
        max_episode_length: float | None = None,
        render_mode: str | None = None,
    ) -> None:
        self._desc = read_map(desc)
        self._transitions = transitions(self._desc)
        (self._start_state,) = np.flatnonzero(self._desc == "S").tolist()
        self._state: int = self._start_state
        super().__init__(
            action_space=Discrete(len(MOVES)),
            observation_space=Discrete(self._desc.size),
            max_episode_length=max_episode_length,
            render_mode=render_mode,
            kwargs={"desc": ["".join(row) for row in self._desc.tolist()]},
        )

    def step(self, action: int) -> EnvStep:
        """Moves the agent by one cell.

        Args:
            action: 0 left, 1 down, 2 right, 3 up; a whole number of any integer type.

        Returns:
            The `EnvStep`: observation (int), reward (float), terminated, truncated, and an empty info.

        Raises:
            RuntimeError: no episode runs; call reset().
            TypeError: action is not a whole number.
            ValueError: action is not 0, 1, 2 or 3.
        """
        self._check_running()
        direction = check_count("action", action, minimum=0)
        if direction >= len(MOVES):
            raise WrongValue(
                f"action must be 0 (left), 1 (down), 2 (right) or 3 (up), not {direction}.", argument="action"
            )
        self._state = int(self._transitions[self._state, direction])
        cell = self._desc.flat[self._state]
        reward = 1.0 if cell == "G" else 0.0
        return self._finish(action, reward, self._state, {}, terminated=bool(cell in ("G", "H")))

    def _start(self) -> tuple[int, dict[str, Any]]:
        self._state = self._start_state
        return self._state, {}

    def _text(self) -> str:
        cells = [f" {cell} " for cell in self._desc.flat]
        cells[self._state] = f"[{self._desc.flat[self._state]}]"
        n_cols = self._desc.shape[1]
        return "\n".join("".join(cells[i : i + n_cols]).rstrip() for i in range(0, len(cells), n_cols))

    def _frame(self) -> npt.NDArray[np.uint8]:
        return draw_grid(self._desc, self._state)
