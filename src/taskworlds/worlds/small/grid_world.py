"""GridWorldEnv: a deterministic grid in which an agent walks from the start to a goal, past walls and holes.

S  start              F or .  free
W or x  wall          H or o  hole: ends the episode without reward
G  goal: reward 1, ends the episode
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Discrete

from taskworlds.core.errors import WrongType, WrongValue, check_count, check_known
from taskworlds.core.step import EnvStep
from taskworlds.worlds.small.drawing import AGENT, BACKGROUND, GOAL, LINE, draw_disc
from taskworlds.worlds.small.small_env import SmallEnv

__all__ = ["MAPS", "MOVES", "GridWorldEnv", "draw_grid", "read_map", "transitions"]

MAPS: dict[str, tuple[str, ...]] = {
    "chain": ("GFFFFFFFFFFFFFSFFFFFFFFFFFFFG",),
    "4x4": (
        "SFFF",
        "FHFH",
        "FFFH",
        "HFFG",
    ),
    "4x4_safe": (
        "SFFF",
        "FWFW",
        "FFFW",
        "WFFG",
    ),
    "8x8": (
        "SFFFFFFF",
        "FFFFFFFF",
        "FFFHFFFF",
        "FFFFFHFF",
        "FFFHFFFF",
        "FHHFFFHF",
        "FHFFHFHF",
        "FFFHFFFG",
    ),
}

ALIASES = {".": "F", "o": "H", "x": "W"}
MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))  # (rows, columns) for left, down, right, up

CELL = 32  # pixels
COLOURS = {"S": (222, 226, 238), "F": BACKGROUND, "W": (108, 117, 125), "H": (33, 37, 41), "G": GOAL}


# --- the map and its dynamics -------------------------------------------------------------------------------


def read_map(desc: Any) -> npt.NDArray[np.str_]:
    """Returns a map as letters, (rows, columns), with the aliases replaced.

    Raises:
        TypeError, ValueError: it is not a map; see `GridWorldEnv`.
    """
    if isinstance(desc, str):
        rows = list(MAPS[check_known("map", desc, MAPS, f"The maps are {', '.join(MAPS)}.")])
    else:
        try:
            rows = ["".join(row) for row in desc]
        except TypeError:
            raise WrongType(
                f"desc must be the name of a map ({', '.join(MAPS)}) or a list of strings, not {desc!r}.",
                argument="desc",
            ) from None
    if not rows or not rows[0]:
        raise WrongValue(
            f"desc must have at least one row of at least one cell, not {desc!r}.", argument="desc"
        )
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise WrongValue(
                f"desc must have rows of one length, but row 0 ({rows[0]!r}) has {len(rows[0])} cells and "
                f"row {number} ({row!r}) has {len(row)}. Fill the shorter one with walls (W).",
                argument="desc",
            )
        for col, cell in enumerate(row):
            if ALIASES.get(cell, cell) not in COLOURS:
                raise WrongValue(
                    f"desc must be written in the letters S, F or ., W or x, H or o, and G, not {cell!r} "
                    f"(row {number}, column {col}).",
                    argument="desc",
                )
    letters = np.array([[ALIASES.get(cell, cell) for cell in row] for row in rows])
    starts = int((letters == "S").sum())
    if starts != 1:
        raise WrongValue(f"desc must have exactly one start (S), not {starts}: {rows!r}.", argument="desc")
    return letters


def transitions(letters: npt.NDArray[np.str_]) -> npt.NDArray[np.int64]:
    """Returns the cell that each action leads to from each cell of a map, (cells, 4) int64.

    Example:
        >>> transitions(read_map(["SWG"]))[0].tolist()  # a border, a border, a wall, a border
        [0, 0, 0, 0]
    """
    n_rows, n_cols = letters.shape
    rows, cols = np.divmod(np.arange(letters.size), n_cols)
    table = np.empty((letters.size, len(MOVES)), np.int64)
    for action, (down, right) in enumerate(MOVES):
        cells = np.clip(rows + down, 0, n_rows - 1) * n_cols + np.clip(cols + right, 0, n_cols - 1)
        table[:, action] = np.where(letters.flat[cells] == "W", np.arange(letters.size), cells)
    return table


def draw_grid(letters: npt.NDArray[np.str_], state: int) -> npt.NDArray[np.uint8]:
    """Returns a picture of a map with the agent in a cell, (32 * rows, 32 * columns, 3) uint8."""
    colours = np.array([[COLOURS[cell] for cell in row] for row in letters.tolist()], np.uint8)
    image = colours.repeat(CELL, axis=0).repeat(CELL, axis=1)
    image[::CELL] = image[-1] = image[:, ::CELL] = image[:, -1] = LINE
    row, col = divmod(state, letters.shape[1])
    draw_disc(image, (row + 0.5) * CELL, (col + 0.5) * CELL, 0.3 * CELL, AGENT)
    return image


# --- the environment ----------------------------------------------------------------------------------------


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
