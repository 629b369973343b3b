"""Drawing episodes that were played: each is played again from its actions, and must come out the same."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue, check_count, check_switch
from taskworlds.evaluation.records import task_label
from taskworlds.evaluation.rows import TaskRows
from taskworlds.rendering import offscreen
from taskworlds.rendering.choices import check_camera, check_size
from taskworlds.rendering.grid import grid
from taskworlds.videos.captions import Captions, Words, goal_in_words, number_in_words
from taskworlds.videos.playing import Played, Stage
from taskworlds.videos.playing_again import play_again

__all__ = ["CannotDraw", "Look", "Trial", "films", "pictures_of", "try_out"]

_WIDEST_REWARD = "reward -888.88"
_GAP = 2  # pixels, between episodes side by side
_LEAST_WIDTH = 240  # pixels; smaller pictures of worlds that have one size alone are enlarged


@dataclass(frozen=True)
class Look:
    """What pictures look like.

    Attributes:
        camera_name: a camera, by name; None for the world's own choice.
        camera_id: a camera, by number; -1 for a free one.
        width: of each episode's picture, pixels; None for the world's own.
        height: as `width`.
        every: steps from one picture to the next. There is always one of the start and one of the end.
        shadows: whether there are shadows; without them drawing on a CPU takes a third of the time.
        captions: whether there is a strip below with skill, goal, step, reward and success.

    Raises:
        TypeError, ValueError: a value is not one of these.
    """

    camera_name: str | None = None
    camera_id: int | None = None
    width: int | None = None
    height: int | None = None
    every: int = 1
    shadows: bool = True
    captions: bool = True

    def __post_init__(self) -> None:
        check_camera(self.camera_name, self.camera_id)
        check_size(16 if self.width is None else self.width, 16 if self.height is None else self.height)
        check_count("every", self.every)
        for name in ("shadows", "captions"):
            check_switch(name, getattr(self, name))

    def keywords(self) -> dict[str, Any]:
        """Returns the keywords of `taskworlds.make_vec` that say so; None where the world decides."""
        names = ("camera_name", "camera_id", "width", "height")
        return {name: getattr(self, name) for name in names} | {"render_mode": "rgb_array"}


def pictures_of(length: int, every: int) -> int:
    """Returns how many pictures an episode of so many steps has: of its start, every few steps, and of its end.

    Example:
        >>> pictures_of(100, 1), pictures_of(100, 4), pictures_of(101, 4)
        (101, 26, 27)
    """
    return 1 + math.ceil(length / every)


class CannotDraw(RuntimeError):
    """Nothing here draws pictures. The message says what to install."""


class Trial(NamedTuple):
    """What a first picture tells.

    Attributes:
        width: of a picture without its caption, pixels.
        height: as `width`.
        seconds: that another one takes.
    """

    width: int
    height: int
    seconds: float


def try_out(stage: Stage, look: Look) -> Trial:
    """Draws the start of the first task, so that nothing is played in vain where pictures cannot be drawn.

    Raises:
        ValueError: the world does not draw, there is no such camera, or it has pictures of one size alone.
        CannotDraw: no library here can.
    """
    world = stage.world
    if "rgb_array" not in world.render_modes:
        raise WrongValue(
            f"benchmark must be of a world that draws pictures, but {world.name} has none: its record does not name "
            'render_modes with "rgb_array".',
            argument="benchmark",
        )
    try:
        if "camera_name" in world.settings and "MUJOCO_GL" in os.environ and "mujoco" not in sys.modules:
            offscreen.choose_library()  # MuJoCo cannot even be imported where this names one that is missing
        return _tried(stage, look)
    except RuntimeError as error:
        raise CannotDraw(str(error)) from error


def _tried(stage: Stage, look: Look) -> Trial:
    rows = stage.make_row(stage.tasks[0], **look.keywords())
    try:
        _, errors = rows.start({0: (stage.tasks[0], 0)})
        if errors:
            raise WrongValue(f"{task_label(stage.tasks[0])} cannot be started: {errors[0]}.")
        _picture(rows, look)
        begun = time.perf_counter()
        height, width, _ = _picture(rows, look).shape
        return Trial(width, height, time.perf_counter() - begun)
    finally:
        rows.envs.close()


def films(
    stage: Stage, episodes: Sequence[Played], look: Look, on_picture: Callable[[], None] | None = None
) -> Generator[NDArray[np.uint8], None, None]:
    """Draws episodes side by side, (height, width, 3) uint8 each time; those that have ended hold their last picture.

    Args:
        stage: where they were played.
        episodes: at least one.
        look: what the pictures look like.
        on_picture: called after each picture of an episode that was drawn, and not held.

    Raises:
        ValueError: an episode does not come out as it did; a camera is missing.
        RuntimeError: no library here can draw.
    """
    with contextlib.ExitStack() as stack:
        running = [
            stack.enter_context(contextlib.closing(_film(stage, played, look, on_picture)))
            for played in episodes
        ]
        tiles = [next(film) for film in running]
        strips = _captions_for(stage, tiles, episodes) if look.captions else None
        for _ in range(max(pictures_of(len(each.actions), look.every) for each in episodes)):
            pictures = [tile.picture for tile in tiles]
            if strips is not None:
                pictures = [np.concatenate([tile.picture, strips.strip(tile.words)]) for tile in tiles]
            if len(pictures) > 1:
                pictures = [np.pad(each, ((0, _GAP), (0, _GAP), (0, 0))) for each in pictures]
            yield grid(pictures, None, None)
            tiles = [next(film, tile) for film, tile in zip(running, tiles, strict=True)]


class _Tile(NamedTuple):
    picture: NDArray[np.uint8]
    words: Words


def _film(
    stage: Stage, played: Played, look: Look, on_picture: Callable[[], None] | None
) -> Generator[_Tile, None, None]:
    """Draws an episode."""
    length = len(played.actions)
    with contextlib.closing(play_again(stage, played, **look.keywords())) as moments:
        for step, (rows, moment) in enumerate(moments):
            ended = step == length
            if step % look.every and not ended:
                continue
            goal = rows.envs.rows.goals[0] if stage.world.goal_size else None
            status = ""
            if moment.success > 0:
                status = "success"
            elif ended and moment.success == 0:
                status = "failure"
            words = Words(
                played.task.env_name,
                goal_in_words(played.task, goal),
                f"step {step} of {length}",
                f"reward {number_in_words(moment.reward)}",
                status,
            )
            picture = _picture(rows, look)
            if on_picture is not None:
                on_picture()
            yield _Tile(picture, words)


def _without_shadows() -> contextlib.AbstractContextManager[None]:
    from taskworlds.rendering import drawing  # imports MuJoCo, which not every world needs

    return drawing.without_shadows()


def _picture(rows: TaskRows, look: Look) -> NDArray[np.uint8]:
    with contextlib.nullcontext() if look.shadows else _without_shadows():
        picture: NDArray[np.uint8] = np.asarray(rows.envs.render()[0], np.uint8)
    times = math.ceil(_LEAST_WIDTH / picture.shape[1])
    if times > 1 and "width" not in rows.envs.world.settings:
        return picture.repeat(times, axis=0).repeat(times, axis=1)
    return picture


def _captions_for(stage: Stage, tiles: Sequence[_Tile], episodes: Sequence[Played]) -> Captions:
    """Returns the captions of tiles side by side, with room for the words of any of their pictures."""
    status = "failure" if stage.world.has_success else ""
    widest = []
    for tile, each in zip(tiles, episodes, strict=True):
        length = len(each.actions)
        widest.append(
            Words(tile.words.skill, tile.words.goal, f"step {length} of {length}", _WIDEST_REWARD, status)
        )
    return Captions(tiles[0].picture.shape[1], widest)
