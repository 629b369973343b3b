"""Demonstrations as a LeRobot data set, in the layout of its version 3.0.

LeRobot itself is not needed, which is as well, since it wants older versions of what stands beside it: the tables are
written with pyarrow, and the videos with PyAV. The layout is that of `lerobot.datasets` of version 0.6.2.
docs/demonstrations.md says what has read it.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue, check_count
from taskworlds.demonstrations.attempts import Demonstration
from taskworlds.demonstrations.cameras import Cameras, check_cameras
from taskworlds.demonstrations.collecting import Demonstrations
from taskworlds.demonstrations.folders import check_writable, draft, put
from taskworlds.demonstrations.lerobot_statistics import Histogram, of_numbers
from taskworlds.demonstrations.lerobot_tables import Frames, write_episodes, write_tasks
from taskworlds.demonstrations.lerobot_video import CODEC, PIXELS, Span, Videos
from taskworlds.demonstrations.plan import Plan

__all__ = ["check_lerobot", "write_lerobot"]

_VERSION = "v3.0"
_FILES_IN_CHUNK = 1000
_DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
_VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
_INFO = "meta/info.json"
_OWN = "meta/taskworlds.json"  # which LeRobot does not look at


def check_lerobot(
    plan: Plan, out: str | os.PathLike[str], *, cameras: Cameras | None = None, force: bool = False
) -> Path:
    """Returns the folder of the data set, and raises where it could not be written.

    Args:
        plan: of what is to be written.
        out: where to.
        cameras: that are to draw.
        force: whether a data set that is there may be replaced.

    Raises:
        ImportError: pyarrow or PyAV is not installed.
        ValueError: the folder holds something, or cannot be written to; or a picture's size is odd; or observations or
            actions are not vectors of numbers.
    """
    _import_pyarrow()
    if cameras is not None:
        _import_av()
    folder = Path(os.path.abspath(out))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        known = (folder / _INFO).is_file()
        if not (force and known):
            instead = "Give another folder, or force=True to replace it." if known else "Give another folder."
            what = "a LeRobot data set" if known else "something else"
            raise WrongValue(
                f"out must be a new or empty folder, but {folder} already holds {what}. {instead}",
                argument="out",
            )
    check_writable(folder.parent, "out")
    for name, shape in {} if cameras is None else cameras.shapes.items():
        if shape[0] % 2 or shape[1] % 2:
            raise WrongValue(
                f"cameras must draw pictures of even width and height for videos, but {name} draws {shape[1]} x "
                f"{shape[0]}. Give another width and height.",
                argument="cameras",
            )
    world = plan.world
    spaces = {
        "observations": world.observation_space(visible=True, hidden=False),
        "actions": world.action_space(),
    }
    for what, space in spaces.items():
        if not (isinstance(space, gym.spaces.Box) and len(space.shape) == 1):
            raise WrongValue(
                f"A LeRobot data set must have {what} that are vectors of numbers, which {space} of {world.name} is "
                "not. Write a Minari data set."
            )
    return folder


def write_lerobot(
    demonstrations: Demonstrations,
    out: str | os.PathLike[str],
    *,
    fps: int | None = None,
    cameras: Cameras | None = None,
    force: bool = False,
    on_episode: Callable[[int, int], None] | None = None,
) -> Path:
    """Writes a LeRobot data set of version 3.0.

    An episode of T steps has T frames. Frame t has what was observed before step t, the action, and what the step
    brought: `next.reward`, `next.success` where the environment reports it, `next.done` and `next.truncated`. What was
    observed after the last step has no place in the format and is left out; Minari keeps it. Numbers are float32.
    `observation.state` is the observation. Where the world tells apart what the body knows of itself, as Meta-World's
    hand and gripper, `observation.state` is that and `observation.environment_state` the whole. `task` is the
    instruction in words; `skill` and `task_id` (`Task.id`) are columns of their own.

    Args:
        demonstrations: what `collect` returned.
        out: where to; new or empty.
        fps: frames per second, a whole number; None for the world's own speed, in Meta-World 80.
        cameras: draw each episode, for videos `observation.images.NAME` (H.264).
        force: whether to replace a LeRobot data set in this folder.
        on_episode: called as `on_episode(done, total)` when an episode is written.

    Returns:
        The folder. It is there as a whole, or as it was.

    Raises:
        ImportError: pyarrow or, for pictures, PyAV is not installed.
        TypeError: `fps` is not a whole number, or `cameras` is something else.
        ValueError: there are no episodes, the folder holds something or cannot be written to, a picture's width or
            height is odd, or observations or actions are not vectors of numbers.
        OSError: the disk is full, or fails.
    """
    cameras = check_cameras(cameras)
    plan = demonstrations.plan
    fps = check_count("fps", plan.world.render_fps if fps is None else fps)
    folder = check_lerobot(plan, out, cameras=cameras, force=force)
    if not demonstrations.episodes:
        raise WrongValue(
            "demonstrations must have at least one episode, but nothing was kept.", "demonstrations"
        )
    with draft(folder.parent) as place:
        _Writer(place, demonstrations, fps, cameras).write(on_episode)
        put(place, folder)
    return folder


class _Writer:
    """Writes the files of a data set into an empty folder."""

    def __init__(
        self, place: Path, demonstrations: Demonstrations, fps: int, cameras: Cameras | None
    ) -> None:
        self._place = place
        self._given = demonstrations
        self._fps = fps
        self._cameras = cameras
        self._texts = list(dict.fromkeys(each.instruction for each in demonstrations.episodes))
        self._frames = 0
        self._rows: list[dict[str, Any]] = []
        self._columns: dict[str, list[NDArray[Any]]] = {}
        self._histograms: dict[str, Histogram] = {}

    def write(self, on_episode: Callable[[int, int], None] | None) -> None:
        total = len(self._given.episodes)
        shapes = {} if self._cameras is None else self._cameras.shapes
        with contextlib.ExitStack() as stack:
            frames = Frames(self._data_path)
            stack.callback(frames.close)
            videos = {}
            for name, shape in shapes.items():
                videos[name] = Videos(self._video_path(_camera_key(name)), shape, self._fps)
                stack.callback(videos[name].close)
            for index, each in enumerate(self._given.episodes):
                columns = self._episode(index, each)
                file = frames.add(columns)
                spans, found = self._draw(each, videos)
                self._note(index, each, columns, file, spans, found)
                if on_episode is not None:
                    on_episode(index + 1, total)
        write_tasks(self._place / "meta" / "tasks.parquet", self._texts)
        write_episodes(self._place / "meta" / "episodes" / "chunk-000" / "file-000.parquet", self._rows)
        self._write_json("meta/stats.json", self._statistics())
        self._write_json(_INFO, self._info())
        self._write_json(_OWN, self._about())

    def _episode(self, index: int, each: Demonstration) -> dict[str, NDArray[Any]]:
        """Returns an episode's columns by feature."""
        recording = each.recording
        steps = len(recording.rewards)
        last = np.arange(steps) == steps - 1
        observed = np.asarray(recording.observations[:-1], dtype=np.float32)
        columns: dict[str, NDArray[Any]] = {}
        own = self._own_places()
        if own:
            columns["observation.state"] = observed[:, own]
            columns["observation.environment_state"] = observed
        else:
            columns["observation.state"] = observed
        columns["action"] = np.asarray(recording.actions, dtype=np.float32)
        columns["next.reward"] = recording.rewards.astype(np.float32)
        if self._given.plan.world.has_success:
            columns["next.success"] = recording.success > 0
        columns["next.done"] = last
        columns["next.truncated"] = last & recording.truncated
        columns["skill"] = np.full(steps, each.task.env_name, dtype=object)
        columns["task_id"] = np.full(steps, each.task.id, dtype=object)
        frames = np.arange(steps)
        columns["timestamp"] = (frames / self._fps).astype(np.float32)
        columns["frame_index"] = frames
        columns["episode_index"] = np.full(steps, index)
        columns["index"] = self._frames + frames
        columns["task_index"] = np.full(steps, self._texts.index(each.instruction))
        # LeRobot keeps a vector of one number as a number.
        return {
            name: values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
            for name, values in columns.items()
        }

    def _draw(
        self, each: Demonstration, videos: dict[str, Videos]
    ) -> tuple[dict[str, Span], dict[str, Histogram]]:
        """Draws an episode, and returns by camera where its pictures are, and what they are made of."""
        if self._cameras is None:
            return {}, {}
        spans, found = {}, {}
        for name, pictures in self._cameras.pictures(each).items():
            spans[name] = videos[name].add(pictures[:-1])
            found[name] = Histogram.of(pictures[:-1])
        return spans, found

    def _note(
        self,
        index: int,
        each: Demonstration,
        columns: dict[str, NDArray[Any]],
        file: int,
        spans: dict[str, Span],
        found: dict[str, Histogram],
    ) -> None:
        """Adds the episode's row to the table of episodes, and its numbers to the statistics of all."""
        steps = len(columns["index"])
        row: dict[str, Any] = {
            "episode_index": index,
            "tasks": [each.instruction],
            "length": steps,
            "data/chunk_index": file // _FILES_IN_CHUNK,
            "data/file_index": file % _FILES_IN_CHUNK,
            "dataset_from_index": self._frames,
            "dataset_to_index": self._frames + steps,
        }
        for name, span in spans.items():
            key = f"videos/{_camera_key(name)}"
            row[f"{key}/chunk_index"] = span.file // _FILES_IN_CHUNK
            row[f"{key}/file_index"] = span.file % _FILES_IN_CHUNK
            row[f"{key}/from_timestamp"] = span.start
            row[f"{key}/to_timestamp"] = span.end
        row |= {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0}
        statistics = {name: of_numbers(values) for name, values in columns.items() if values.dtype != object}
        statistics |= {_camera_key(name): each.statistics() for name, each in found.items()}
        for feature, of_feature in statistics.items():
            row |= {f"stats/{feature}/{name}": value for name, value in of_feature.items()}
        self._rows.append(row)
        for name, values in columns.items():
            if values.dtype != object:
                self._columns.setdefault(name, []).append(values)
        for name, histogram in found.items():
            self._histograms.setdefault(name, Histogram()).add(histogram)
        self._frames += steps

    def _statistics(self) -> dict[str, Any]:
        of_all = {name: of_numbers(np.concatenate(parts)) for name, parts in self._columns.items()}
        return of_all | {_camera_key(name): each.statistics() for name, each in self._histograms.items()}

    def _info(self) -> dict[str, Any]:
        episodes = len(self._rows)
        return {
            "codebase_version": _VERSION,
            "robot_type": self._given.plan.world.suite,
            "total_episodes": episodes,
            "total_frames": self._frames,
            "total_tasks": len(self._texts),
            "chunks_size": _FILES_IN_CHUNK,
            "data_files_size_in_mb": 100,
            "video_files_size_in_mb": 200,
            "fps": self._fps,
            "splits": {"train": f"0:{episodes}"},
            "data_path": _DATA,
            "video_path": None if self._cameras is None else _VIDEO,
            "features": self._features(),
        }

    def _features(self) -> dict[str, Any]:
        """Returns what each column and each video holds."""
        names = _names(self._given.layout)
        own = self._own_places()
        state = [names[place] for place in own] if own and names else names
        known = {"observation.state": state, "observation.environment_state": names}
        features: dict[str, Any] = {}
        for name, values in self._episode(0, self._given.episodes[0]).items():
            dtype = "string" if values.dtype == object else str(values.dtype)
            size = 1 if values.ndim == 1 else values.shape[1]
            features[name] = {"dtype": dtype, "shape": [size], "names": known.get(name)}
        if self._cameras is not None:
            for name, shape in self._cameras.shapes.items():
                height, width, channels = shape
                features[_camera_key(name)] = {
                    "dtype": "video",
                    "shape": [height, width, channels],
                    "names": ["height", "width", "channels"],
                    "info": {
                        "video.height": height,
                        "video.width": width,
                        "video.codec": CODEC,
                        "video.pix_fmt": PIXELS,
                        "video.is_depth_map": False,
                        "video.fps": self._fps,
                        "video.channels": channels,
                        "is_depth_map": False,
                        "has_audio": False,
                    },
                }
        return features

    def _about(self) -> dict[str, Any]:
        """Returns what LeRobot has no place for: what was run, and what starts each episode again."""
        episodes = [
            {
                "episode_index": index,
                "task": json.loads(each.task.to_json()),
                "task_id": each.task.id,
                "seed": each.seed,
                "success": each.episode.success_once,
                "return": each.episode.episode_return,
            }
            for index, each in enumerate(self._given.episodes)
        ]
        return {"format": "taskworlds.Demonstrations", **self._given.about(), "episodes": episodes}

    def _own_places(self) -> list[int]:
        """Returns which numbers of an observation the body knows of itself; none where the world does not say."""
        layout = self._given.layout
        parts = [layout[name] for name in self._given.plan.world.own_parts if name in layout]
        return [place for part in parts for place in range(part.start, part.stop)]

    def _data_path(self, file: int) -> Path:
        chunk, number = divmod(file, _FILES_IN_CHUNK)
        return self._place / _DATA.format(chunk_index=chunk, file_index=number)

    def _video_path(self, key: str) -> Callable[[int], Path]:
        def path(file: int) -> Path:
            chunk, number = divmod(file, _FILES_IN_CHUNK)
            return self._place / _VIDEO.format(video_key=key, chunk_index=chunk, file_index=number)

        return path

    def _write_json(self, name: str, data: Any) -> None:
        path = self._place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data, indent=4, allow_nan=False) + "\n", encoding="utf-8")


def _camera_key(name: str) -> str:
    return f"observation.images.{name}"


def _names(layout: Any) -> list[str] | None:
    """Returns a name for each number of an observation; None where its parts have no names."""
    named = {}
    for part, place in layout.items():
        size = place.stop - place.start
        for number in range(size):
            named[place.start + number] = part if size == 1 else f"{part}_{number}"
    return [named[place] for place in sorted(named)] or None


def _import_pyarrow() -> None:
    try:
        import pyarrow.parquet  # noqa: F401  # optional
    except ImportError as error:
        raise ImportError(_missing("pyarrow", error)) from error


def _import_av() -> None:
    try:
        import av  # noqa: F401  # optional
    except ImportError as error:
        raise ImportError(_missing("PyAV", error)) from error


def _missing(library: str, error: ImportError) -> str:
    return (
        f"LeRobot data sets are written with {library}, which could not be imported ({error}). Type: pip install "
        '"taskworlds[demonstrations]"'
    )
