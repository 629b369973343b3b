"""`record`: a policy's episodes as video files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from taskworlds.core.errors import WrongValue, check_choice, check_count
from taskworlds.videos import index
from taskworlds.videos.captions import check_pillow
from taskworlds.videos.choosing import OF_SUCCESS, RULES, Choice, default_rule
from taskworlds.videos.choosing import choose as choose_episodes
from taskworlds.videos.filming import Look, Trial, pictures_of, try_out
from taskworlds.videos.index import Video
from taskworlds.videos.making import make_videos
from taskworlds.videos.playing import Played, Session, Stage, play
from taskworlds.videos.writing import check_ffmpeg, suffixes

__all__ = ["PER", "Plan", "record"]

PER = ("skill", "episode", "all")
"""What there is a video for: each skill, with its episodes side by side; each episode; or all of them together."""


class Plan(NamedTuple):
    """What is about to be drawn.

    Attributes:
        session: what was played.
        choice: the episodes that are shown.
        rule: that chose them.
        videos: by the name of a video without its ending, the episodes that it shows.
        pictures: how many pictures of one episode will be drawn.
        trial: the size of a first one, and how long it took.
        endings: of the files.
    """

    session: Session
    choice: Choice
    rule: str
    videos: dict[str, tuple[Played, ...]]
    pictures: int
    trial: Trial
    endings: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """How long drawing will take, if all pictures take as long as the first one."""
        return self.pictures * self.trial.seconds

    def listing(self, videos: Sequence[Video]) -> dict[str, Any]:
        """Returns what `videos.json` says of videos, as JSON values.

        Args:
            videos: those that were written.
        """
        return index.to_dict(self.session.stage, videos, self.rule)


def record(
    policy: Any,
    benchmark: Any,
    out: str | os.PathLike[str],
    *,
    choose: str | None = None,
    episodes: int = 1,
    per: str = "skill",
    format: str = "mp4",
    every: int = 1,
    camera_name: str | None = None,
    camera_id: int | None = None,
    width: int | None = None,
    height: int | None = None,
    shadows: bool = True,
    captions: bool = True,
    force: bool = False,
    split: str | None = None,
    env_name: str | None = None,
    num_goals: int | None = None,
    tasks: Iterable[Any] | None = None,
    episodes_per_task: int = 1,
    seed: int = 0,
    max_episode_steps: int | None = None,
    terminate_on_success: bool | None = None,
    reward_function_version: str | None = None,
    use_one_hot: bool | None = None,
    num_envs: int | None = None,
    vector_strategy: str | None = None,
    on_episode: Callable[[int, int], None] | None = None,
    on_step: Callable[[int], None] | None = None,
    on_plan: Callable[[Plan], None] | None = None,
    on_picture: Callable[[], None] | None = None,
    on_video: Callable[[Video], None] | None = None,
) -> list[Video]:
    """Plays a policy on all tasks of a benchmark, chooses episodes, and writes videos of them.

    The episodes are those of `taskworlds.evaluate` with the same arguments. They are played without pictures first, at
    full speed; those that the rule chose are then played again from their actions, which must give the same return to
    the last bit, and drawn. A video runs as fast as the simulation. `videos.json` in the folder lists the videos; it
    is written anew after each one, so that what is finished stays if the rest is interrupted.

    Args:
        policy: as for `taskworlds.evaluate`, but not a meta-learner.
        benchmark: a benchmark, by name or as an object, of a world that draws pictures.
        out: the folder that the files go to; it is made if it does not exist.
        choose: which episodes of each skill are shown: "first"; the first "success" or "failure", or "both"; "best" or
            "worst" by return. None: "both" where the world reports success, and otherwise "first".
        episodes: how many of each skill, and for "both" how many of either kind.
        per: "skill" for a video of each skill, its episodes side by side; "episode" for one of each episode; "all" for
            one video with all episodes in a grid.
        format: "mp4" (H.264), "gif", or "both". GIFs are much larger, and have at most 20 pictures a second.
        every: steps from one picture to the next. Almost all time goes into drawing, so 4 is four times as fast.
        camera_name: a camera of the model, by name; None for the world's own choice.
        camera_id: a camera, by number; -1 for a free one.
        width: of each episode's picture, pixels; None for the world's own.
        height: as `width`, without the caption.
        shadows: whether shadows are drawn; without them drawing on a CPU takes a third of the time.
        captions: whether a strip below each picture tells skill, goal, step, reward and success.
        force: whether videos that the folder's `videos.json` lists are deleted first. Other files never are.
        split: this and the following are those of `taskworlds.evaluate`.
        env_name: the skill of "MT1" and "ML1".
        num_goals: goals for each skill of a benchmark that is named.
        tasks: play only these tasks.
        episodes_per_task: how many episodes of each task are played.
        seed: of goals, starts and the random policy.
        max_episode_steps: steps after which an episode is cut off.
        terminate_on_success: whether an episode ends with its first success.
        reward_function_version: Meta-World's "v1" or "v2".
        use_one_hot: whether observations end with the skill's one-hot.
        num_envs: rows that play.
        vector_strategy: the engine that steps them.
        on_episode: called as `on_episode(done, total)` when an episode has been played.
        on_step: called as `on_step(rows)` after each step of playing, with the number of rows that took it.
        on_plan: called when everything has been played and nothing drawn.
        on_picture: called after each of `Plan.pictures` was drawn.
        on_video: called after each file that was written.

    Returns:
        The videos, in the order in which they were written; none if the rule found no episode.

    Raises:
        TypeError: an argument is of the wrong type, or the policy is a meta-learner.
        ValueError: an argument is out of range, the folder holds videos already, there is no such camera, or an
            episode does not come out as it did.
        ImportError: imageio-ffmpeg or Pillow is missing (`pip install "taskworlds[report]"`).
        taskworlds.videos.CannotDraw: no library here can; a RuntimeError.
        taskworlds.videos.NotWritten: a file cannot be written; an OSError. Those before it stay.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     videos = record("random", "grid-4x4", folder, choose="first")
        >>> [video.file.name for video in videos]
        ['grid-4x4.mp4']
    """
    folder = Path(out)
    look = Look(camera_name, camera_id, width, height, every, shadows, captions)
    endings = suffixes(format)
    check_choice("per", per, PER)
    check_count("episodes", episodes)
    stage = Stage.of(
        benchmark,
        split=split,
        seed=seed,
        tasks=tasks,
        env_name=env_name,
        num_goals=num_goals,
        max_episode_steps=max_episode_steps,
        terminate_on_success=terminate_on_success,
        reward_function_version=reward_function_version,
        use_one_hot=use_one_hot,
        num_envs=num_envs,
        vector_strategy=vector_strategy,
    )
    rule = check_choice("choose", choose or default_rule(stage.world.has_success), RULES)
    if rule in OF_SUCCESS and not stage.world.has_success:
        raise WrongValue(
            f"choose must be first, best or worst for {stage.world.name}, which does not report success, not {rule!r}.",
            argument="choose",
        )
    check_ffmpeg()
    if captions:
        check_pillow()
    index.prepare(folder, force=force)
    trial = try_out(stage, look)
    session = play(policy, stage, episodes_per_task=episodes_per_task, on_episode=on_episode, on_step=on_step)
    choice = choose_episodes(session.episodes, rule, episodes)
    shown = _by_video(stage, choice, per)
    lengths = [len(each.actions) for chosen in shown.values() for each in chosen]
    plan = Plan(
        session, choice, rule, shown, sum(pictures_of(length, every) for length in lengths), trial, endings
    )
    if on_plan is not None:
        on_plan(plan)
    if not shown:
        return []
    index.clear(folder, [f"{name}.{ending}" for name in shown for ending in endings])
    videos: list[Video] = []
    for name, chosen in shown.items():
        files = [folder / f"{name}.{ending}" for ending in endings]
        for video in make_videos(session.stage, session.policy, chosen, look, files, on_picture):
            videos.append(video)
            if on_video is not None:
                on_video(video)
        index.write(folder, stage, videos, rule)
    return videos


def _by_video(stage: Stage, choice: Choice, per: str) -> dict[str, tuple[Played, ...]]:
    """Returns the episodes of each video, by its name without an ending."""
    if per == "all":
        named = [(stage.benchmark.name, choice.episodes)] if choice.episodes else []
    elif per == "skill":
        named = list(choice.by_skill.items())
    else:
        named = [(f"{each.task.env_name}_{each.task.id}_{each.number}", (each,)) for each in choice.episodes]
    shown: dict[str, tuple[Played, ...]] = {}
    for text, chosen in named:
        name = re.sub(r"[^\w.-]", "_", text)  # benchmarks can be called anything
        while name in shown:
            name += "_"
        shown[name] = chosen
    return shown
