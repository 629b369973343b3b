"""Input changed at random: tasks, benchmarks, results, checkpoints, snapshots and their files.

What follows must be the documented error, ValueError, with nothing changed, or a right value: what was written, or for
a text without a checksum what it says now.
"""

from __future__ import annotations

import copy
import functools
import io
import json
import random
import tempfile
import tracemalloc
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.compat.garage.running_statistics import RunningStatistics
from taskworlds.core.benchmark import Benchmark, benchmark
from taskworlds.core.task import Task
from taskworlds.evaluation import Episode, Fingerprint, Result, TaskRecord
from taskworlds.testing.faults.tally import Tally
from taskworlds.vector.flat_state import from_arrays, to_arrays
from taskworlds.vector.make import make_vec
from taskworlds.vector.task_vector_env import TaskVectorEnv

__all__ = ["inject"]

_REFUSED = "ValueError, or what was written"
_UNCHANGED = "ValueError and nothing changed, or an environment that goes on"
_GROWTH = 3  # times that reading a file may take its size, beyond what the undamaged one takes

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, -7, 2**31, 2**64, 10**400, 0.5, -0.0, 1e6, 1e308, float("nan"), float("inf"), "", "x",
    "nan", "reach-v3", "\ud800", [], {}, [[]], [1, "x"], {"x": 1}, "1" * 5000,
)  # fmt: skip
_TOKENS = (
    b"[" * 100_000, b"1e999", b"1" * 5000, b"NaN", b"null", b"-", b'"', b"{", b"}", b"\\ud800", b"\x00", b"\xff",
)  # fmt: skip


def inject(rounds: int, seed: int) -> Iterator[Tally]:
    """Changes each kind of input at random, and looks at what comes of it.

    Args:
        rounds: how often each of the fourteen kinds is changed.
        seed: of the changes.
    """
    chance = random.Random(seed)
    yield _texts("a task's JSON", _a_task().to_json(), _task_flaw, rounds, chance)
    made = benchmark("custom-mt-envs", envs_list=["reach-v3", "reach-v3", "push-v3"], seed=0, num_goals=2)
    yield _texts("a benchmark's JSON", made.to_json(), _benchmark_flaw(made), rounds, chance)
    result = _a_result()
    yield _texts("a result's JSON", result.to_json(), _result_flaw(result), rounds, chance)
    statistics = RunningStatistics((3,))
    statistics.mean[:] = 0.5, -1.5, 2.0
    yield _texts("running statistics' JSON", statistics.to_json(), _statistics_flaw, rounds, chance)
    several = {"num_goals": 4}
    averaging = {"normalize_observations": True, "reward_normalization_method": "gymnasium"}
    for name, strategy, options in (
        ("MT10", "native", several | averaging | {"use_one_hot": True, "k_episodes": 2}),
        ("half-cheetah-vel", "native", several | {"task_select": "round_robin"}),
        ("point", "numpy", several | {"recurrent_info_in_obs": True}),
        ("point", "sync", several | {"reward_normalization_method": "exponential"}),
        ("grid-4x4", "sync", {}),
        ("reach-v3", "sync", several),
    ):
        envs = make_vec(name, 3, seed=0, vector_strategy=strategy, max_episode_steps=5, **options)
        try:
            yield _snapshots(f"a snapshot of {name} ({strategy})", envs, rounds, chance)
            if strategy != "sync":
                yield _checkpoints(f"a checkpoint of {name} ({strategy})", envs, rounds, chance)
            if name == "MT10":
                yield _files(f"a snapshot's .npz file of {name}", envs, rounds, chance)
        finally:
            envs.close()


# --- texts --------------------------------------------------------------------------------------------------


def _a_task() -> Task:
    goal = (0.0, 0.6, 0.02, 0.1, 0.8, 0.2)
    return Task("reach-v3", {"rand_vec": goal, "partially_observable": False, "name": "x", "count": 3})


def _a_result() -> Result:
    tasks = [Task("reach-v3", {"goal": number}) for number in range(3)]
    episodes = (
        Episode(8.25, 3, True, True),
        Episode(2.5, 9, True, False),
        Episode(float("nan"), 4, None, None, True),
    )
    records = (
        TaskRecord(tasks[0], episodes),
        TaskRecord(tasks[1], episodes[:2]),
        TaskRecord(tasks[2], (), "gone"),
    )
    fingerprint = Fingerprint.of(
        tasks, protocol="multi-task", max_episode_steps=9, terminate_on_success=False
    )
    return Result("MT1", "train", 3, 0, fingerprint, records)


def _texts(
    name: str, text: str, flaw: Callable[[str], str | None], rounds: int, chance: random.Random
) -> Tally:
    """Changes a text; `flaw` reads it and says what is wrong with what comes of it."""
    tally = Tally(name, _REFUSED)
    for number in range(rounds):
        changed = _changed_json(text, chance) if chance.random() < 0.6 else _changed_text(text, chance)
        tally.note(_named(number, _outcome(functools.partial(flaw, changed))))
    return tally


def _task_flaw(text: str) -> str | None:
    task = Task.from_json(text)
    if Task.from_json(task.to_json()) != task or hash(task) != hash(copy.copy(task)):
        return "the task that came of it does not survive its own JSON"
    said = json.loads(text)
    return (
        None
        if said["env_name"] == task.env_name and set(said["params"]) == set(task.params)
        else "another task"
    )


def _benchmark_flaw(made: Benchmark) -> Callable[[str], str | None]:
    def flaw(text: str) -> str | None:
        read = Benchmark.from_json(text)
        same = (read, read.name, read.seed) == (made, made.name, made.seed)
        return None if same else f"{read!r} was taken"

    return flaw


def _result_flaw(result: Result) -> Callable[[str], str | None]:
    def flaw(text: str) -> str | None:
        read = Result.from_json(text)
        return None if read.to_json() == result.to_json() else "another result was taken"

    return flaw


def _statistics_flaw(text: str) -> str | None:
    read = RunningStatistics.from_json(text)
    whole = RunningStatistics.from_json(read.to_json()) == read
    return None if whole else "the statistics that came of it do not survive their own JSON"


def _outcome(use: Callable[[], str | None]) -> str | None:
    """Returns what is wrong with what comes of a changed input; nothing if it is refused with ValueError."""
    try:
        return use()
    except ValueError:
        return None
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"


def _named(number: int, flaw: str | None) -> str | None:
    return None if flaw is None else f"change {number}: {flaw}"


def _changed_json(text: str, chance: random.Random) -> str:
    """Returns JSON with one value changed, dropped, doubled or put elsewhere."""
    data = json.loads(text)
    places = [*_places(data)]
    holder, key = chance.choice(places)
    kind = chance.randrange(5)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, list):
        holder.insert(chance.randrange(len(holder) + 1), copy.deepcopy(holder[key]))
    elif kind == 2:
        other, there = chance.choice(places)
        holder[key] = copy.deepcopy(other[there])
    elif kind == 3 and isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
        holder[key] = chance.choice((-holder[key], holder[key] + 1, holder[key] * 1.5))
    else:
        holder[key] = copy.deepcopy(chance.choice(_VALUES))
    with _any_digits():
        return json.dumps(data)


class _any_digits:  # noqa: N801  (it is used like a function)
    """Lets whole numbers of any length be written: Python limits their digits, as a reader should."""

    def __enter__(self) -> None:
        import sys  # the limit is of this interpreter

        self._limit = getattr(sys, "get_int_max_str_digits", lambda: 0)()
        if self._limit:
            sys.set_int_max_str_digits(0)

    def __exit__(self, *error: object) -> None:
        import sys  # as above

        if self._limit:
            sys.set_int_max_str_digits(self._limit)


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Returns where each value of JSON stands: what holds it, and under which key or place."""
    for key in data if isinstance(data, dict) else range(len(data)):
        yield data, key
        if isinstance(data[key], dict | list):
            yield from _places(data[key])


def _changed_text(text: str, chance: random.Random) -> str:
    return _changed_bytes(text.encode(), chance).decode(errors="replace")


def _changed_bytes(data: bytes, chance: random.Random) -> bytes:
    """Returns bytes with some changed, dropped, doubled, put in, or cut off."""
    first = chance.randrange(len(data))
    past = min(len(data), first + 1 + int(chance.expovariate(0.1)))
    kind = chance.randrange(6)
    if kind == 0:
        return data[:first]
    if kind == 1:
        return data[:first] + data[past:]
    if kind == 2:
        return data[:past] + data[first:]
    if kind == 3:
        return data[:first] + chance.choice(_TOKENS) + data[past:]
    if kind == 4:
        return data[:first] + bytes(chance.randrange(256) for _ in range(past - first)) + data[past:]
    return data[:first] + bytes([data[first] ^ 1 << chance.randrange(8)]) + data[first + 1 :]


# --- snapshots ----------------------------------------------------------------------------------------------


def _snapshots(name: str, envs: TaskVectorEnv, rounds: int, chance: random.Random) -> Tally:
    tally = Tally(name, _UNCHANGED)
    envs.reset(seed=0)
    actions = _Actions(envs)
    envs.step(actions())
    taken = envs.get_state()
    for _ in range(2):
        envs.step(actions())
    home = envs.get_state()
    for number in range(rounds):
        changed = _changed_arrays(taken, chance)
        tally.note(_named(number, _put_flaw(envs, home, actions, functools.partial(envs.set_state, changed))))
    return tally


def _checkpoints(name: str, envs: TaskVectorEnv, rounds: int, chance: random.Random) -> Tally:
    tally = Tally(name, _UNCHANGED)
    envs.reset(seed=0)
    home = envs.get_state()
    text = json.dumps(envs.call("get_checkpoint"))
    for number in range(rounds):
        changed = json.loads(_changed_json(text, chance))
        tally.note(
            _named(
                number,
                _put_flaw(
                    envs, home, _Actions(envs), functools.partial(envs.call, "load_checkpoint", changed)
                ),
            )
        )
    return tally


def _files(name: str, envs: TaskVectorEnv, rounds: int, chance: random.Random) -> Tally:
    """Changes files of a snapshot, whole bytes and sizes in headers, and looks at the memory that reading takes too."""
    tally = Tally(f"{name}, and the memory that it takes", _UNCHANGED)
    envs.reset(seed=0)
    actions = _Actions(envs)
    taken = envs.get_state()
    envs.step(actions())
    home = envs.get_state()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.npz"
        path.write_bytes(_saved(np.savez, taken))
        envs.set_attr("tasks", [tasks[::-1] for tasks in envs.tasks])  # so that those of the file are read
        usual = _peak(lambda: envs.set_state(path))
        for number in range(rounds):
            save = chance.choice((np.savez, np.savez_compressed))
            if number % 3 == 0:
                data = _saved(save, _changed_arrays(taken, chance, plain=True))
            elif number % 3 == 1:
                data = _with_changed_header(_saved(np.savez, taken), chance)
            else:
                data = _changed_bytes(_saved(save, taken), chance)
            path.write_bytes(data)
            most = usual + _GROWTH * len(data)
            put = functools.partial(_within, most, lambda: envs.set_state(path))
            tally.note(_named(number, _put_flaw(envs, home, actions, put)))
    return tally


def _within(most: int, read: Callable[[], Any]) -> None:
    """Reads, and raises MemoryError if that took more bytes than `most`, whether it was refused or not."""
    refused: list[ValueError] = []

    def tried() -> None:
        try:
            read()
        except ValueError as error:
            refused.append(error)

    peak = _peak(tried)
    if peak > most:
        raise MemoryError(f"it took {peak} bytes, more than {most}")
    if refused:
        raise refused[0]


def _peak(read: Callable[[], Any]) -> int:
    """Returns how many bytes were in use at once while something was read."""
    tracemalloc.start()
    try:
        read()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class _Actions:
    """Random actions of all rows, the same ones for the same environment."""

    def __init__(self, envs: TaskVectorEnv) -> None:
        self._space = copy.deepcopy(envs.action_space)
        self._space.seed(0)

    def __call__(self) -> Any:
        return self._space.sample()


def _put_flaw(
    envs: TaskVectorEnv, home: dict[str, NDArray[Any]], actions: _Actions, put: Callable[[], Any]
) -> str | None:
    """Returns what is wrong after a changed state was put, or refused; then goes home."""
    envs.set_state(home)
    try:
        put()
    except ValueError:
        changed = _differences(home, envs.get_state())
        return f"it was refused, and yet changed {', '.join(changed)}" if changed else None
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    try:
        now = envs.get_state()
        envs.set_state(now)
        changed = _differences(now, envs.get_state())
        if changed:
            return f"it was taken, and does not survive another turn: {', '.join(changed)}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a simulation broke down
            if not envs.progress.running.all():
                envs.reset()
            envs.step(actions())
            obs, _ = envs.reset()
            if not np.isfinite(np.asarray(obs, dtype=np.float64)).all():
                return "it was taken, and then a reset's observations are not finite"
            envs.step(actions())
    except Exception as error:
        return f"it was taken, and then {type(error).__name__}: {str(error)[:200]}"
    return None


def _differences(one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> list[str]:
    """Returns what differs between two snapshots, except for the time that has gone by."""
    return [
        name
        for name in (one | other if isinstance(one, dict) and isinstance(other, dict) else one)
        if name != "elapsed"
        and (name not in one or name not in other or one[name].tobytes() != other[name].tobytes())
    ]


def _changed_arrays(
    arrays: Mapping[str, NDArray[Any]], chance: random.Random, *, plain: bool = False
) -> dict[str, Any]:
    """Returns a snapshot with one array changed, or with one value; `plain` leaves out what a file cannot hold."""
    if chance.random() < 0.4:
        return _changed_values(arrays, chance)
    changed: dict[str, Any] = dict(arrays)
    name = chance.choice(list(arrays))
    array = arrays[name]
    if name == "data":
        change = _changed_json if chance.random() < 0.8 else _changed_text
        changed[name] = np.array(change(str(array), chance))
        return changed
    kind = chance.randrange(9)
    if kind == 0:
        del changed[name]
    elif kind == 1 and array.dtype.kind != "U":
        changed[name] = array.astype(
            chance.choice((np.float32, np.int64, np.float64, np.bool_, np.uint8, "U5"))
        )
    elif kind == 2:
        changed[name] = array[: max(0, len(array) - chance.randrange(1, 3))] if array.ndim else array[None]
    elif kind == 3:
        changed[name] = np.concatenate([array, array]) if array.ndim else array[None]
    elif kind == 4:
        changed[name] = arrays[chance.choice(list(arrays))]
    elif kind == 5 and not plain:
        changed[name] = chance.choice((None, "x", [1], 3, {}, np.array([None, {}], dtype=object)))
    elif kind == 6 and array.size and array.dtype.kind in "iuf":
        changed[name] = own = array.copy()
        limits = np.finfo(array.dtype) if array.dtype.kind == "f" else np.iinfo(array.dtype)
        extremes = [limits.min, limits.max, 0, 1, *([np.nan, np.inf, -1] if array.dtype.kind == "f" else [])]
        own.flat[chance.randrange(own.size)] = chance.choice(extremes)
    elif kind == 7 and array.ndim > 1:
        changed[name] = array[:, :-1]
    else:
        whole = bytearray(array.tobytes())
        for _ in range(chance.randrange(1, 4)):
            if whole:
                whole[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        changed[name] = np.frombuffer(whole, array.dtype).reshape(array.shape) if whole else array
    return changed


def _changed_values(arrays: Mapping[str, NDArray[Any]], chance: random.Random) -> dict[str, Any]:
    """Returns a snapshot with one value changed, and all that the snapshot says of its arrays fitting to it."""
    data = from_arrays(arrays)
    places = [*_places(data)]
    holder, key = chance.choice(places)
    value, kind = holder[key], chance.randrange(4)
    if isinstance(value, np.ndarray) and kind < 3:
        holder[key] = _another(value, chance)
    elif kind == 0:
        del holder[key]
    elif kind == 1:
        other, there = chance.choice(places)
        holder[key] = copy.deepcopy(other[there])
    else:
        holder[key] = chance.choice(_VALUES)
    with _any_digits():
        return to_arrays(data)


def _another(value: NDArray[Any], chance: random.Random) -> NDArray[Any]:
    """Returns an array with other entries than `value`, or of another shape or type."""
    if value.ndim == 0 or value.dtype.kind not in "biuf":
        return np.zeros(3)
    if value.dtype.kind == "f" and chance.random() < 0.5:
        with np.errstate(over="ignore", invalid="ignore"):
            return chance.choice((np.full_like(value, np.nan), -value, value * 1e300))
    return chance.choice(
        (value[:0], value[:-1], value[..., :-1], value.astype(np.float32), value.T, np.zeros(0))
    )


def _saved(save: Callable[..., None], arrays: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


def _with_changed_header(data: bytes, chance: random.Random) -> bytes:
    """Changes the shape in the header of one of the arrays of a file."""
    places = [place for place in range(len(data)) if data.startswith(b"'shape': (", place)]
    first = chance.choice(places) + len(b"'shape': (")
    number = str(chance.choice((0, 3, 10**9, 10**18, -1, 2**63))).encode() + b",), }"
    return data[:first] + number + data[first + len(number) :]
