"""An episode that was played, played again from its actions: it must come out the same to the last bit."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from taskworlds.core.errors import WrongValue
from taskworlds.evaluation.records import task_label
from taskworlds.evaluation.replaying import Moment, replay
from taskworlds.evaluation.rows import TaskRows
from taskworlds.videos.playing import Played, Stage

__all__ = ["Differs", "play_again"]


class Differs(WrongValue):
    """An episode has come out otherwise than before."""


def play_again(
    stage: Stage, played: Played, **pictures: Any
) -> Generator[tuple[TaskRows, Moment], None, None]:
    """Plays an episode again: yields its row and what came of the reset, and of each step.

    Args:
        stage: where it was played.
        played: the episode.
        **pictures: keywords of `taskworlds.make_vec` about drawing.

    Raises:
        taskworlds.videos.playing_again.Differs: return, success or length are not what they were; a ValueError.

    Example:
        >>> from taskworlds.videos.playing import play
        >>> stage = Stage.of("grid-4x4", seed=1)
        >>> episode = play("random", stage).episodes[0]
        >>> len(list(play_again(stage, episode))) == episode.episode.length + 1
        True
    """
    rows = stage.make_row(played.task, **pictures)
    total, then = 0.0, played.episode
    try:
        entries = rows.envs.single_action_space.shape
        actions = played.actions
        if entries is not None and len(entries) == actions.ndim - 1 == 1:
            actions = actions[:, : entries[0]]  # without what a batch over several worlds has behind them
        moments = replay(rows, played.task, played.number, actions)
        while True:
            try:
                moment = next(moments, None)
            except WrongValue as error:
                raise Differs(str(error)) from None
            if moment is None:
                break
            last = moment
            total += moment.reward
            yield rows, moment
    finally:
        rows.envs.close()
    if not (last.terminated or last.truncated):
        raise Differs(
            f"The episode of {task_label(played.task)} does not end after {then.length} steps, as it did."
        )
    if total != then.episode_return:
        raise Differs(
            f"The episode of {task_label(played.task)} comes out with the return {total!r}, and was "
            f"{then.episode_return!r}."
        )
    if then.success_end is not None and (last.success > 0) != then.success_end:
        was = "a success" if then.success_end else "a failure"
        raise Differs(f"The episode of {task_label(played.task)} was {was}, and is not now.")
