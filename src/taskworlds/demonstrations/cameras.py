"""Pictures of episodes that are kept: they are played again from their actions, and drawn by each camera."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongType, WrongValue, check_names, check_switch
from taskworlds.demonstrations.attempts import Demonstration
from taskworlds.demonstrations.plan import Plan
from taskworlds.evaluation.records import task_label
from taskworlds.evaluation.replaying import replay
from taskworlds.evaluation.rows import TaskRows
from taskworlds.rendering import drawing
from taskworlds.vector.task_env import TaskEnv

__all__ = ["DEFAULT", "Cameras"]

DEFAULT = "default"
"""The camera that stands for the world's own view."""


class Cameras:
    """Draws episodes again, after they were played without pictures. Close it, or use it in a `with` statement.

    Each camera has an environment of its own, which plays along.

    Args:
        plan: of the demonstrations; the episodes must be its own.
        names: of the cameras; "default" is the world's own view.
        width, height: of a picture, pixels; None for the world's own size.
        shadows: whether there are shadows; without them drawing on a CPU takes a third of the time.

    Attributes:
        shapes: by camera, the shape of a picture, (height, width, 3).
        fps: pictures per second in which the world moves at its own speed.

    Raises:
        TypeError: `names` is not a list of names.
        ValueError: there is no such camera, or the world cannot be drawn, or not in that size.
        RuntimeError: nothing draws here; `taskworlds doctor` shows why.

    Example:
        >>> from taskworlds.demonstrations import collect
        >>> demonstrations = collect("random", "point", episodes=1, max_episode_steps=3)
        >>> with Cameras(demonstrations.plan, ["default"]) as cameras:
        ...     cameras.pictures(demonstrations.episodes[0])["default"].shape
        (4, 400, 400, 3)
    """

    def __init__(
        self,
        plan: Plan,
        names: Sequence[str],
        *,
        width: int | None = None,
        height: int | None = None,
        shadows: bool = True,
    ) -> None:
        self._shadows = check_switch("shadows", shadows)
        names = check_names("names", names)
        if not names or len({*names}) < len(names):
            raise WrongValue(
                f"names must name at least one camera, each once, not {names!r}.", argument="names"
            )
        if "rgb_array" not in plan.world.render_modes:
            raise WrongValue(
                f"names must be left out for {plan.world.name}, which cannot be drawn, but it is {names!r}.",
                argument="names",
            )
        size = {"width": width, "height": height}
        size = {name: value for name, value in size.items() if value is not None}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.fps = plan.world.render_fps
        self._envs: dict[str, TaskEnv] = {}
        self._seed = plan.seed
        try:
            for name in names:
                camera = {} if name == DEFAULT else {"camera_name": name}
                env = plan.make(render_mode="rgb_array", **camera, **size)
                self._envs[name] = env
                env.reset(options={"task": plan.tasks[0]})
                self.shapes[name] = np.shape(env.render())
        except BaseException:
            self.close()
            raise

    def pictures(self, demonstration: Demonstration) -> dict[str, NDArray[np.uint8]]:
        """Returns by camera the pictures of an episode of T steps: of its reset and of each step.

        Args:
            demonstration: an episode of the plan's, which is played again.

        Returns:
            By the camera's name, (T + 1, H, W, 3) uint8.

        Raises:
            ValueError: the episode comes out differently, so it was played in another way or with other versions.
        """
        task, number, recording = demonstration.task, demonstration.number, demonstration.recording
        steps = len(recording.actions)
        drawn = {name: np.empty((steps + 1, *shape), np.uint8) for name, shape in self.shapes.items()}
        with contextlib.ExitStack() as stack:
            if not self._shadows:
                stack.enter_context(drawing.without_shadows())
            played: list[Iterator[Any]] = []
            for env in self._envs.values():
                playing = replay(TaskRows(env.batch, self._seed), task, number, recording.actions)
                stack.callback(playing.close)  # type: ignore[attr-defined]
                played.append(playing)
            for step, moments in enumerate(zip(*played, strict=True)):
                if step > 0 and any(moment.reward != recording.rewards[step - 1] for moment in moments):
                    raise WrongValue(
                        f"Step {step} of an episode of {task_label(task)} has another reward than when it was played, "
                        "so pictures of it would show something else. Collect the episodes anew with this version."
                    )
                for name, env in self._envs.items():
                    drawn[name][step] = env.render()
        return drawn

    def close(self) -> None:
        """Frees the environments."""
        for env in self._envs.values():
            env.close()

    def __enter__(self) -> Cameras:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check_cameras(cameras: Any) -> Cameras | None:
    """Returns the cameras that a writer was given, or None.

    Raises:
        TypeError: it is something else.
    """
    if cameras is None or isinstance(cameras, Cameras):
        return cameras
    raise WrongType(
        f"cameras must be taskworlds.demonstrations.Cameras(plan, names), or None for no pictures, not {cameras!r}.",
        argument="cameras",
    )
