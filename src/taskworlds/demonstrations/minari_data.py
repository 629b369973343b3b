"""Demonstrations as a Minari data set, written by Minari itself.

Minari checks little, and its backends differ in what they can keep. Written here is what all of them keep as it is:
seeds as whole numbers of Python's, a task as one string among the options, infos that are numbers under the same names
in every episode, and values in the dtypes of the spaces.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from taskworlds.core import batches
from taskworlds.core.errors import WrongValue, check_choice
from taskworlds.core.version import __version__
from taskworlds.demonstrations.attempts import Demonstration
from taskworlds.demonstrations.cameras import Cameras, check_cameras
from taskworlds.demonstrations.collecting import Demonstrations
from taskworlds.demonstrations.folders import check_room, check_writable, draft, put
from taskworlds.demonstrations.plan import Plan
from taskworlds.evaluation.loading import origin_of

__all__ = ["BACKENDS", "check_minari", "default_id", "write_minari"]

BACKENDS = ("hdf5", "arrow", "parquet")
"""How Minari keeps data; its first is its own default."""

_PLACE = "MINARI_DATASETS_PATH"  # the variable that says where Minari looks
_ID = re.compile(r"(?:(?P<namespace>[-_\w][-_\w/]*[-_\w]+)/)?[-\w]+-v\d+")
_OVERHEAD = 2**16  # bytes of an episode beside its arrays, at most
_TOGETHER = 2**28  # bytes of pictures that are handed to Minari at once


def default_id(plan: Plan) -> str:
    """Returns the data set's id unless the caller says: the benchmark and the policy.

    Example:
        >>> default_id(Plan.of("expert", "ML10-test", episodes=1))
        'taskworlds/ML10-test-expert-v0'
    """
    name = plan.benchmark.name
    if plan.split == "test":
        name += "-test"
    policy = origin_of(plan.policy).name.rpartition(":")[2]
    return f"taskworlds/{_words(name)}-{_words(policy)}-v0"


def check_minari(
    dataset_id: str, root: str | os.PathLike[str] | None = None, *, force: bool = False
) -> tuple[Path, Path]:
    """Returns the folder of all data sets and that of this one, and raises where it could not be written.

    Args:
        dataset_id: "namespace/name-v0".
        root: the folder of all data sets; None for Minari's own.
        force: whether a data set that is there may be replaced.

    Raises:
        ImportError: Minari, or what it keeps data with, is not installed.
        ValueError: the id is malformed or taken, or nothing can be written there.
    """
    _import_minari()
    if not isinstance(dataset_id, str) or _ID.fullmatch(dataset_id) is None or "//" in dataset_id:
        raise WrongValue(
            "dataset_id must be a name of letters, digits, - and _ that ends in a version, with a namespace of two or "
            f"more letters before it, as 'taskworlds/MT10-expert-v0', not {dataset_id!r}.",
            argument="dataset_id",
        )
    if root is None:
        root = os.environ.get(_PLACE) or Path.home() / ".minari" / "datasets"
    root = Path(os.path.abspath(root))  # Minari's own sizes of files fail for other paths
    if (root / dataset_id).exists() and not force:
        raise WrongValue(
            f"dataset_id must be new in {root}, but {dataset_id} is there already. Give another id, such as with the "
            "next version, or force=True to replace it.",
            argument="dataset_id",
        )
    check_writable(root, "root")
    return root, root / dataset_id


def write_minari(
    demonstrations: Demonstrations,
    dataset_id: str | None = None,
    *,
    root: str | os.PathLike[str] | None = None,
    cameras: Cameras | None = None,
    data_format: str = "hdf5",
    jpeg_encoding: bool = False,
    force: bool = False,
    on_episode: Callable[[int, int], None] | None = None,
) -> Path:
    """Writes a Minari data set, with Minari's own `create_dataset_from_buffers`.

    `minari.load_dataset(dataset_id)` reads it where MINARI_DATASETS_PATH is `root`. Each episode has its seed, and as
    options its `task`, as JSON, and its `instruction`. Infos have `success`, (T + 1, 1) float64, NaN at the reset,
    where the environment reports it. `recover_environment()` makes the environment again if the benchmark was named.

    Args:
        demonstrations: what `collect` returned.
        dataset_id: "namespace/name-v0"; None for "taskworlds/" with benchmark and policy.
        root: the folder of all data sets; None for MINARI_DATASETS_PATH, or else ~/.minari/datasets.
        cameras: draw each episode; observations are then a dictionary of `state` and `images`, the latter by camera,
            (T + 1, H, W, 3) uint8.
        data_format: Minari's backend: "hdf5", "arrow" or "parquet".
        jpeg_encoding: whether pictures are kept as JPEG, which changes them a little and takes a tenth of the space.
        force: whether to replace a data set of this id.
        on_episode: called as `on_episode(done, total)` when an episode is written.

    Returns:
        The data set's folder. It is there as a whole, or not at all.

    Raises:
        ImportError: Minari is not installed.
        TypeError: `cameras` is something else.
        ValueError: there are no episodes, or the id is malformed or taken, or nothing can be written at `root`.
        OSError: the disk is full, or fails.
    """
    cameras = check_cameras(cameras)
    data_format = check_choice("data_format", data_format, BACKENDS)
    plan = demonstrations.plan
    dataset_id = default_id(plan) if dataset_id is None else dataset_id
    root, target = check_minari(dataset_id, root, force=force)
    if not demonstrations.episodes:
        raise WrongValue(
            "demonstrations must have at least one episode, but nothing was kept.", "demonstrations"
        )
    minari = _import_minari()
    space = _observation_space(demonstrations, cameras)
    env = plan.make()
    try:
        spec = None if plan.named is None else env.spec  # with a benchmark that is an object it is not JSON
    finally:
        env.close()
    about = demonstrations.about()
    total, done = len(demonstrations.episodes), 0
    with draft(root) as place, _datasets_in(place):
        dataset: Any = None
        for part in _parts(demonstrations, cameras):
            buffers = [_buffer(demonstrations, each, cameras) for each in part]
            check_room(place, _most_bytes(buffers))
            with _storing():
                if dataset is not None:
                    dataset.update_dataset_from_buffer(buffers)
                else:
                    dataset = minari.create_dataset_from_buffers(
                        dataset_id,
                        buffers,
                        env=spec,
                        observation_space=space,
                        action_space=demonstrations.action_space,
                        algorithm_name=about["run"]["policy"],
                        description=_description(demonstrations),
                        requirements=_requirements(demonstrations),
                        data_format=data_format,
                        jpeg_encoding=jpeg_encoding,
                    )
                    dataset.storage.update_metadata({"taskworlds": about})
            done += len(buffers)
            if on_episode is not None:
                on_episode(done, total)
        put(place / dataset_id, target)
        _name_namespaces(place, root, dataset_id)
    return target


def _parts(demonstrations: Demonstrations, cameras: Cameras | None) -> Iterator[list[Demonstration]]:
    """Yields the episodes in lists that fit into memory with their pictures."""
    frame = 0 if cameras is None else sum(int(np.prod(shape)) for shape in cameras.shapes.values())
    part: list[Demonstration] = []
    size = 0
    for each in demonstrations.episodes:
        needs = (each.episode.length + 1) * frame
        if part and size + needs > _TOGETHER:
            yield part
            part, size = [], 0
        part.append(each)
        size += needs
    yield part


def _most_bytes(buffers: list[Any]) -> int:
    """Returns how many bytes episodes may take on disk. HDF5 ends the process where it finds no room for them."""

    def of(value: Any) -> int:
        if isinstance(value, dict | tuple | list):
            return sum(map(of, value.values() if isinstance(value, dict) else value))
        return int(np.asarray(value).nbytes)

    arrays = sum(of([each.observations, each.actions, each.rewards, each.infos]) for each in buffers)
    return 2 * arrays + _OVERHEAD * len(buffers)


def _buffer(demonstrations: Demonstrations, each: Demonstration, cameras: Cameras | None) -> Any:
    """Returns an episode as Minari takes it."""
    from minari.data_collector import EpisodeBuffer  # optional: see _import_minari

    recording = each.recording
    steps = len(recording.rewards)
    last = np.arange(steps) == steps - 1
    observations = recording.observations
    if isinstance(observations, np.ndarray):
        observations = observations.astype(demonstrations.observation_space.dtype, copy=False)
    if cameras is not None:
        observations = {"state": observations, "images": cameras.pictures(each)}
    infos = {}
    if not np.isnan(recording.success).all():
        infos["success"] = np.concatenate([[np.nan], recording.success])[:, None]
    return EpisodeBuffer(
        seed=each.seed,
        options={"task": each.task.to_json(), "instruction": each.instruction},
        observations=observations,
        actions=recording.actions,
        rewards=recording.rewards,
        terminations=last & recording.terminated,
        truncations=last & recording.truncated,
        infos=infos,
    )


def _observation_space(demonstrations: Demonstrations, cameras: Cameras | None) -> gym.Space[Any]:
    """Returns the space of what is kept of an observation."""
    state = demonstrations.observation_space
    if not batches.in_arrays(state):
        raise WrongValue(
            f"demonstrations must have observations that are arrays, not {state}, which Minari would not read back.",
            argument="demonstrations",
        )
    if cameras is None:
        return state
    images: dict[str, gym.Space[Any]] = {
        name: gym.spaces.Box(0, 255, shape, np.uint8) for name, shape in cameras.shapes.items()
    }
    return gym.spaces.Dict({"state": state, "images": gym.spaces.Dict(images)})


def _description(demonstrations: Demonstrations) -> str:
    plan = demonstrations.plan
    kept = "Successful episodes" if plan.only_successes else "Episodes"
    told = "; ".join(f"{each.env_name}: {each.instruction}" for each in demonstrations.skills)
    return (
        f"{kept} of the policy {origin_of(plan.policy).name} on {plan.benchmark.name} ({plan.split} tasks, seed "
        f"{plan.seed}), {plan.episodes} of each skill were asked for. {told}"
    )


def _requirements(demonstrations: Demonstrations) -> list[str]:
    """Returns what pip installs to play the episodes again to the last bit."""
    decisive = demonstrations.plan.world.packages
    versions = {name: version for name, version in demonstrations.packages.items() if name in decisive}
    exact = [f"{name}=={version}" for name, version in versions.items() if version is not None]
    return [f"taskworlds>={__version__}", *exact]


@contextlib.contextmanager
def _storing() -> Iterator[None]:
    """Has Minari say less and fail alike in the `with` block: what HDF5 cannot write is a RuntimeError at times."""
    with warnings.catch_warnings():
        # Whoever publishes a data set names author and address there, which nothing here can know.
        warnings.filterwarnings("ignore", message=".*is set to None", category=UserWarning)
        warnings.filterwarnings("ignore", message="env_spec is None", category=UserWarning)
        try:
            yield
        except RuntimeError as error:
            raise OSError(str(error)) from error


@contextlib.contextmanager
def _datasets_in(folder: Path) -> Iterator[None]:
    """Has Minari look for data sets in a folder, inside the `with` block. It reads a variable of the process."""
    before = os.environ.get(_PLACE)
    os.environ[_PLACE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_PLACE]
        else:
            os.environ[_PLACE] = before


def _name_namespaces(place: Path, root: Path, dataset_id: str) -> None:
    """Moves the files by which Minari knows namespaces to where a namespace is new."""
    for namespace in itertools.takewhile(lambda each: each != Path(), Path(dataset_id).parents):
        for file in (place / namespace).glob("*.json"):
            if not (root / namespace / file.name).exists():
                os.replace(file, root / namespace / file.name)


def _words(text: str) -> str:
    """Returns a text with nothing in it that an id may not have."""
    return re.sub(r"[^-\w]+", "-", text).strip("-") or "tasks"


def _import_minari() -> Any:
    try:
        import h5py  # noqa: F401  # both are optional
        import minari
    except ImportError as error:
        raise ImportError(
            f"Minari data sets are written by Minari, which could not be imported ({error}). Type: pip install "
            '"taskworlds[demonstrations]"; it needs Python 3.11 or later.'
        ) from error
    return minari
