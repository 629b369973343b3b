"""`replay`: an episode of a result whose actions were kept, played again, and drawn if wanted."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from taskworlds.core.benchmark import Benchmark
from taskworlds.core.errors import WrongValue, check_count
from taskworlds.core.registry import choose_engine, engines, world_of
from taskworlds.core.task import Task
from taskworlds.evaluation import journal
from taskworlds.evaluation.fingerprint import Fingerprint
from taskworlds.evaluation.records import Episode, TaskRecord, task_label
from taskworlds.evaluation.result import Result
from taskworlds.videos.captions import check_pillow
from taskworlds.videos.filming import Look, try_out
from taskworlds.videos.index import Video
from taskworlds.videos.making import make_videos
from taskworlds.videos.playing import Played, Stage
from taskworlds.videos.playing_again import Differs, play_again
from taskworlds.videos.writing import check_ffmpeg

__all__ = ["Replayed", "replay"]

_RESULT = "result.json"
_KEEP = "evaluate with --keep-actions (keep_actions=True), which writes them beside the result"


class Replayed(NamedTuple):
    """An episode that has come out the same again.

    Attributes:
        task: of the episode.
        number: of the episode, among those of its task.
        episode: what came of it, both times.
        video: of it; None if it was not drawn.
    """

    task: Task
    number: int
    episode: Episode
    video: Video | None


def replay(
    result: str | os.PathLike[str],
    task: Task | str,
    episode: int = 0,
    *,
    out: str | os.PathLike[str] | None = None,
    every: int = 1,
    camera_name: str | None = None,
    camera_id: int | None = None,
    width: int | None = None,
    height: int | None = None,
    shadows: bool = True,
    captions: bool = True,
    force: bool = False,
    on_picture: Callable[[int, int], None] | None = None,
) -> Replayed:
    """Plays an episode of a result again, from the actions that were kept, and draws it if wanted.

    The environment is made with the settings that the result tells. The episode must come out the same: its return to
    the last bit, its length and its success.

    Args:
        result: a result.json, or the folder that holds it, of an evaluation that kept its actions.
        task: one of the result's, or its id, or the beginning of that.
        episode: the number of the episode among those of the task, from 0 on.
        out: an mp4 or gif file that shows it; None for no pictures.
        every: this and the following are as for `taskworlds.videos.record`.
        camera_name: a camera of the model, by name.
        camera_id: a camera, by number.
        width: of the picture, pixels.
        height: as `width`, without the caption.
        shadows: whether shadows are drawn.
        captions: whether there is a strip with skill, goal, step, reward and success.
        force: whether `out` is written over.
        on_picture: called as `on_picture(done, total)` after each picture.

    Raises:
        FileNotFoundError: there is no result, or no file of actions beside it.
        ValueError: the result has no such task or episode; the actions were not kept; `out` is there already; or the
            episode does not come out the same, with what differs from the evaluation.
        ImportError: `out` needs imageio-ffmpeg or Pillow, which is missing.
        taskworlds.videos.CannotDraw: no library here can; a RuntimeError.
        taskworlds.videos.NotWritten: `out` cannot be written; an OSError.

    Example:
        >>> import tempfile
        >>> import taskworlds
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = taskworlds.evaluate("random", "grid-4x4", resume=folder, keep_actions=True)
        ...     made.save(f"{folder}/result.json")
        ...     again = replay(folder, made.tasks[0].task)
        >>> again.episode == made.tasks[0].episodes[0]
        True
    """
    look = Look(camera_name, camera_id, width, height, every, shadows, captions)
    file = None if out is None else _checked_file(Path(out), force)
    path = Path(result)
    path = path / _RESULT if path.is_dir() else path
    saved = Result.load(path)
    record = _record_of(saved, task, path)
    played = _played(saved, record, check_count("episode", episode, 0), path.parent)
    stage = _stage(saved, record.task)
    try:
        if file is None:
            for _ in play_again(stage, played):
                pass
            return Replayed(record.task, episode, played.episode, None)
        check_ffmpeg()
        if captions:
            check_pillow()
        try_out(stage, look)
        who = "unknown" if saved.provenance is None else saved.provenance.policy_line
        total, done = len(played.actions) // every + 1 + (len(played.actions) % every > 0), 0

        def drawn() -> None:
            nonlocal done
            done += 1
            if on_picture is not None:
                on_picture(done, total)

        (video,) = make_videos(stage, who, (played,), look, [file], drawn)
    except Differs as error:
        raise WrongValue(f"{error} {_differences(saved, stage)}") from error
    return Replayed(record.task, episode, played.episode, video)


def _checked_file(path: Path, force: bool) -> Path:
    if path.suffix not in (".mp4", ".gif"):
        raise WrongValue(f"out must be the name of an mp4 or gif file, not {path}.", argument="out")
    if not path.parent.is_dir():
        raise WrongValue(
            f"out must be in a folder that exists, which {path.parent} does not.", argument="out"
        )
    if path.exists() and not force:
        raise WrongValue(
            f"out must be a new file, but {path} exists. Give another one, or force=True (--force) to write over it.",
            argument="out",
        )
    return path


def _record_of(result: Result, task: Task | str, path: Path) -> TaskRecord:
    """Returns the record of a task, which may be given as the beginning of its id."""
    if isinstance(task, str):
        found = [each for each in result.tasks if task and each.task.id.startswith(task)]
    else:
        found = [each for each in result.tasks if each.task == task]
    if len(found) == 1:
        return found[0]
    shown = repr(task) if isinstance(task, str) else task_label(task)
    if found:
        raise WrongValue(
            f"task {shown} is the beginning of {len(found)} ids, such as {found[0].task.id} and {found[1].task.id}. "
            "Give more of it.",
            argument="task",
        )
    first = result.tasks[0].task
    raise WrongValue(
        f"task must be one of the {len(result.tasks)} of {path}, by its id or the beginning of that, not {shown}. The "
        f"first is {first.id}, of {first.env_name}; tasks.csv lists them.",
        argument="task",
    )


def _played(result: Result, record: TaskRecord, number: int, folder: Path) -> Played:
    """Returns an episode with its actions."""
    if number >= len(record.episodes):
        raise WrongValue(
            f"episode must be below {len(record.episodes)}, the number of episodes of {task_label(record.task)}, not "
            f"{number}.",
            argument="episode",
        )
    try:
        kept = journal.read(folder)
    except FileNotFoundError:
        raise FileNotFoundError(f"{folder} holds no {journal.NAME} with actions: {_KEEP}.") from None
    actions = kept.actions(record.task, number)
    if actions is None:
        raise WrongValue(f"{folder / journal.NAME} holds no actions of this episode: {_KEEP}.")
    episode = record.episodes[number]
    if kept.episodes[record.task.id, number] != episode:
        raise WrongValue(
            f"{folder / journal.NAME} is of another evaluation than {folder / _RESULT}: the episode differs."
        )
    return Played(record.task, number, episode, actions)


def _stage(result: Result, task: Task) -> Stage:
    """Returns where an episode of a task was played: of a result over several worlds, in the task's own."""
    if result.split is None:
        raise WrongValue(
            f"result must be of a benchmark, not of the environment {result.benchmark!r}, which cannot be made again."
        )
    made = result.fingerprint
    settings: dict[str, Any] = {
        "reward_function_version": made.reward_function_version,
        "max_episode_steps": made.max_episode_steps,
        "terminate_on_success": made.terminate_on_success,
        "vector_strategy": None if result.provenance is None else result.provenance.engine,
    }
    if trials := re.search(r"trials of (\d+) attempts", made.protocol):
        settings["k_episodes"] = int(trials[1])
    tasks = tuple(record.task for record in result.tasks)
    own = tuple(each for each in tasks if world_of(each.env_name) == world_of(task.env_name))
    if len(own) < len(tasks):
        tasks = own
        settings["terminate_on_success"] = made.terminate_on_success and world_of(task.env_name).has_success
        if settings["vector_strategy"] not in engines():  # each world's best
            settings["vector_strategy"] = None
    benchmark = Benchmark(result.benchmark, **{f"{result.split}_tasks": tasks, **_NO_TASKS[result.split]})
    return Stage.of(benchmark, split=result.split, seed=result.seed, **settings)


_NO_TASKS: dict[str, dict[str, Any]] = {"train": {}, "test": {"train_tasks": ()}}


def _differences(result: Result, stage: Stage) -> str:
    """Returns what differs from the evaluation, in a sentence."""
    then = result.fingerprint
    engine = choose_engine(stage.world, stage.settings.get("vector_strategy"), 1)
    now = Fingerprint.of(
        stage.tasks,
        protocol=then.protocol,
        reward_function_version=then.reward_function_version,
        max_episode_steps=then.max_episode_steps,
        terminate_on_success=then.terminate_on_success,
        engine=engine,
    )
    found = [f"{name} was {its!r} and is {own!r}" for name, (its, own) in then.differences(now).items()]
    if found:
        return f"What differs from the evaluation: {'; '.join(found)}."
    return (
        "No version differs from those of the evaluation: it was of an environment with other settings, or on another "
        "kind of processor."
    )
