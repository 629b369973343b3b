"""The engine "ray": the rows of a batch in worker processes, on this machine and others.

Each worker holds a share of the rows, made by the world's best engine, so that each row gives the same to the last bit.
In a batch of several worlds a share may be of more than one: the number of workers is that of all worlds together.
Actions and outcomes go through shared memory to workers on this machine, and in messages to others.

A worker that is lost is started anew, with its rows as they were in the last snapshot that was kept, and repeats what
came since. What `set_attr` or a method that `call` calls has changed, and no snapshot holds, is lost then.
"""

from __future__ import annotations

import contextlib
import functools
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.core.errors import WrongValue, check_count
from taskworlds.core.registry import default_engine
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.task import Task
from taskworlds.core.world import World
from taskworlds.rendering.views import Views
from taskworlds.rows.copies import read_only
from taskworlds.rows.hosted_rows import HostedRows, Reply, make_hosted_mixed_rows, make_hosted_rows
from taskworlds.rows.mixed import MixedParts, MixedPlan
from taskworlds.rows.parts import PartRows
from taskworlds.rows.protocol import RowStep
from taskworlds.rows.shared_arrays import Layout, layout_of, size_of
from taskworlds.rows.step_line import DriversEnd, offered_line
from taskworlds.workers.cluster import check_cpus, connect, free_cpus, own_node, pickled
from taskworlds.workers.lost import WorkerLost
from taskworlds.workers.worker import Terms, Worker

__all__ = ["RayPart", "make_mixed_ray_rows", "make_ray_rows"]

MOST_CALLS = 200
"""After so many calls that change a worker's rows, a new snapshot of them is kept, with the next such call."""

_ASKED_FOR = object()  # what may serve, or may not
_READING = ("get_state", "get_attr", "render", "pictures")  # methods that change nothing


def make_ray_rows(
    world: World,
    env_names: list[str],
    num_rows: int,
    settings: dict[str, Any],
    num_workers: int | None = None,
    cpus_per_worker: float = 1,
    address: str | None = None,
) -> PartRows:
    """Makes the rows of a batch in workers.

    Args:
        world: the world.
        env_names: the skills to be ready for.
        num_rows: how many rows.
        settings: what the world's rows are told.
        num_workers: how many workers, at most one for each row; None for as many as there are free processors for.
        cpus_per_worker: processors for each worker, and threads where the engine inside takes a number of threads.
        address: of a cluster, see `taskworlds.workers.cluster.connect`.

    Raises:
        ConnectionError: the cluster does not answer.
        ValueError: the cluster has too few processors, or an argument is out of range.
        RuntimeError: a worker could not be started.
    """
    engine = _engine_inside(world)
    options = _options(engine, cpus_per_worker)

    def make(first: int, past: int) -> Callable[[], HostedRows]:
        size = past - first
        return functools.partial(make_hosted_rows, engine, world, env_names, size, settings, options)

    parts = _parts(make, num_rows, settings, world.goal_size, num_workers, cpus_per_worker, address)
    return PartRows(parts, world.observation_space(visible=True, hidden=True), world.action_space())


def make_mixed_ray_rows(
    plan: MixedPlan,
    num_workers: int | None = None,
    cpus_per_worker: float = 1,
    address: str | None = None,
) -> MixedParts:
    """Makes the rows of a batch of several worlds in workers, each of which has rows of one world or more.

    Args:
        plan: what makes the rows; the engines are the best of each world, whatever it says.
        num_workers: how many workers in all, as for `make_ray_rows`.
        cpus_per_worker: as for `make_ray_rows`.
        address: as for `make_ray_rows`.

    Raises:
        ConnectionError, ValueError, RuntimeError: as `make_ray_rows`.
    """
    engines = [_engine_inside(each.world) for each in plan.worlds]
    plan = plan._replace(
        worlds=tuple(
            each._replace(engine=engine, options=_options(engine, cpus_per_worker))
            for each, engine in zip(plan.worlds, engines, strict=True)
        )
    )
    worlds = plan.world_of_row
    drawn = next((each.settings for each in plan.worlds if each.settings.get("render_mode")), {})

    def make(first: int, past: int) -> Callable[[], HostedRows]:
        return functools.partial(make_hosted_mixed_rows, plan.part(first, past))

    parts = _parts(make, len(worlds), drawn, plan.goal_size, num_workers, cpus_per_worker, address)
    return MixedParts(parts, plan.obs_space, plan.action_space, worlds)


def _engine_inside(world: World) -> RowEngine:
    """Returns the engine whose rows a worker steps."""
    found = default_engine(world, "sync")
    assert found is not None
    return found


def _options(engine: RowEngine, cpus_per_worker: float) -> dict[str, Any]:
    """Returns the options of the engine in a worker."""
    cpus = check_cpus(cpus_per_worker)
    return {"num_threads": max(1, int(cpus))} if "num_threads" in engine.options else {}


def _parts(
    make: Callable[[int, int], Callable[[], HostedRows]],
    num_rows: int,
    settings: dict[str, Any],
    goal_size: int,
    num_workers: int | None,
    cpus_per_worker: float,
    address: str | None,
) -> list[RayPart]:
    """Starts the workers.

    Args:
        make: called with the first row of a worker and the one after its last, returns what makes the rows there.
        num_rows: as for `make_ray_rows`, as are the others here but for the goals.
        settings: of the rows, as far as they draw.
        goal_size: numbers of a goal, G.
        num_workers: how many workers, or None.
        cpus_per_worker: processors for each.
        address: of a cluster.
    """
    cpus = check_cpus(cpus_per_worker)
    if num_workers is not None:
        num_workers = min(check_count("num_workers", num_workers), num_rows)
    if settings.get("render_mode") == "human":
        raise WrongValue(
            'render_mode must not be "human" for the engine "ray", whose rows may be on another machine than the '
            'screen. Take "rgb_array", or another engine.',
            argument="render_mode",
        )
    connect(address, num_workers or 1, cpus)
    if num_workers is None:
        num_workers = min(max(1, int(free_cpus() / cpus + 1e-6)), num_rows)
    sizes = [num_rows // num_workers + (each < num_rows % num_workers) for each in range(num_workers)]
    terms = Terms(cpus=cpus, spread=False)  # near the driver, as far as there is room
    parts: list[RayPart] = []
    try:
        for size, past in zip(sizes, np.cumsum(sizes).tolist(), strict=True):
            made = pickled("world", make(past - size, past))
            title = f"The worker with rows {past - size} to {past - 1}"
            parts.append(RayPart(made, title, size, goal_size, terms))
        for part in parts:
            part.wait_until_ready()
    except BaseException:
        for part in parts:
            part.close()
        raise
    return parts


class RayPart:
    """Rows in a worker. See `taskworlds.rows.protocol.Rows`.

    Args:
        make: pickled, what makes the `HostedRows` there.
        title: what the worker is, for messages.
        num_rows: how many rows, N.
        goal_size: numbers of a goal, G.
        terms: on what terms the worker runs.

    Attributes:
        num_rows: N.
        goals: each row's goal, (N, G) float64.

    Raises:
        WorkerLost: as all methods, a RuntimeError: the worker was lost again and again.
    """

    def __init__(self, make: bytes, title: str, num_rows: int, goal_size: int, terms: Terms) -> None:
        self.num_rows = num_rows
        self.goals: NDArray[np.float64] = np.zeros((num_rows, goal_size))
        self._worker = Worker(make, title, terms)
        self._is_stepping = False
        self._asked: Layout = None  # what actions were like
        self._told: Layout = None  # what outcomes were like
        self._line: DriversEnd | None = None
        self._line_is_for: Any = None  # the place, and the layouts, for which a line was tried last
        self._serving: Any = None  # the reference of the outcome of `HostedRows.serve`, while it runs

    def wait_until_ready(self) -> None:
        """Waits until the rows are made; errors are those of `Worker.wait_until_ready`."""
        self._worker.wait_until_ready()

    # --- calls in two halves ----------------------------------------------------------------------------------

    def begin(self, method: str, *args: Any, **kwargs: Any) -> Callable[[], Any]:
        """Begins a call of a method; what is returned waits for its outcome and returns that."""
        self._settle()
        self._hang_up()
        if method == "reset":
            tasks, rows, seeds = args
            args = [task if chosen else None for task, chosen in zip(tasks, rows, strict=True)], rows, seeds
        given = pickled(f"What is given to {method}", (args, kwargs))  # the caller's own may change later
        changes = method not in _READING
        self._worker.begin("ask", method, given, changes and self._is_due, changes=changes)
        return functools.partial(self._finish, method)

    def _settle(self) -> None:
        """Ends a call that was left half-way."""
        self._is_stepping = False
        if self._worker.waits:
            self._give_up_line()
            try:
                self._answer()
            except WorkerLost:
                raise
            except Exception:  # whoever left the call is not there to be told
                pass

    def _hang_up(self) -> None:
        """Ends `HostedRows.serve`, so that other calls come to their turn."""
        if self._serving is not None and self._line is not None:
            self._line.hang_up()
            if self._serving is _ASKED_FOR:
                self._line_is_for = None
        self._serving = None

    def _give_up_line(self) -> None:
        """Ends `HostedRows.serve` where it is not known what is still to be heard on the line."""
        if self._serving is not None:
            self._hang_up()
            self._line_is_for = None

    @property
    def _is_due(self) -> bool:
        """Whether a snapshot is to be kept."""
        return self._worker.num_calls >= MOST_CALLS

    def _answer(self) -> Reply:
        reply: Reply = self._worker.answer() or Reply(None)
        if reply.goals is not None:
            self.goals = reply.goals
        if reply.state is not None:
            self._worker.keep(reply.state)
        return reply

    def _finish(self, method: str) -> Any:
        reply = self._answer()
        if method == "get_state":
            assert reply.state is not None
            return pickle.loads(reply.state)
        return tuple(map(read_only, reply.value)) if method == "get_attr" else reply.value

    # --- steps ------------------------------------------------------------------------------------------------

    def step(self, actions: Any, rows: NDArray[np.bool_]) -> RowStep:
        """See `Rows.step`."""
        self.step_async(actions, rows)
        return self.step_wait()

    def step_async(self, actions: Any, rows: NDArray[np.bool_]) -> None:
        """See `Rows.step_async`."""
        self._settle()
        asked = batches.copied(actions), rows.copy()  # they may have to be repeated
        due = self._is_due
        if due or not self._has_line(asked):
            self._hang_up()
            self._worker.begin("step", *asked, due)
        else:
            assert self._line is not None
            if self._serving is None:
                self._serving = _ASKED_FOR  # should Ctrl-C come in between
                self._serving = self._worker.start("serve")
            self._worker.begin("step", *asked, due, under_way=self._serving)
            self._line.ring()
        self._is_stepping = True

    def step_wait(self) -> RowStep:
        """See `Rows.step_wait`."""
        if not (self._is_stepping and self._worker.waits):
            self._settle()
            raise RuntimeError("No step is under way: call step_async() first.")
        step: RowStep | None = None
        if self._serving is not None and self._is_done():
            self._worker.done()
        else:
            step = self._answer().value
        self._is_stepping = False
        if step is not None:
            self._note(step)
            return step
        assert self._line is not None
        (obs, rewards, terms, terminated), self.goals = self._line.told.values
        return RowStep(obs, rewards, terms, terminated)

    def _is_done(self) -> bool:
        """Waits on the line for the step; returns whether it is done, and otherwise Ray has the outcome."""
        assert self._line is not None
        try:
            done = self._line.wait()
        except BaseException:  # Ctrl-C; then it is not sure whether the answer was heard
            self._give_up_line()
            raise
        if not done:
            self._serving = None
        return done

    def _note(self, step: RowStep) -> None:
        """Takes down what an outcome is like that came in a message, unless a larger one came before."""
        with contextlib.suppress(TypeError):
            told = layout_of((step[:-1], self.goals))
            if size_of(told) > size_of(self._told):
                self._told = told

    def _has_line(self, asked: Any) -> bool:
        """Writes actions into shared memory, on a new line to the worker if need be; returns whether that went well."""
        wanted = self._worker.place, self._asked, self._told
        if self._line is not None and wanted == self._line_is_for and self._line.asked.put(asked):
            return True
        try:
            like = layout_of(asked)
        except TypeError:
            return False
        if size_of(like) > size_of(self._asked):
            self._asked = like
            wanted = self._worker.place, self._asked, self._told
        if self._told is None or wanted == self._line_is_for:
            return False
        self._hang_up()
        self._line, self._line_is_for = None, wanted
        place = self._worker.place
        if place is not None and place.node_id == own_node():
            with (
                contextlib.suppress(OSError),
                offered_line(self._asked, self._told) as (line, offer),
            ):
                if self._worker.ask("share", offer):
                    self._line = line
        return self._line is not None and self._line.asked.put(asked)

    # --- whole calls --------------------------------------------------------------------------------------------

    def reset(self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]) -> Any:
        """See `Rows.reset`."""
        return self.begin("reset", tasks, rows, seeds)()

    def get_state(self) -> Any:
        """See `Rows.get_state`."""
        return self.begin("get_state")()

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """See `Rows.set_state`."""
        self.begin("set_state", state, source)()

    def render(self) -> tuple[Any, ...]:
        """See `Rows.render`."""
        pictures: tuple[Any, ...] = self.begin("render")()
        return pictures

    def pictures(self, views: Views, rows: NDArray[np.bool_]) -> Sequence[tuple[NDArray[Any], ...]]:
        """See `Rows.pictures`."""
        found: Sequence[tuple[NDArray[Any], ...]] = self.begin("pictures", views, rows)()
        return found

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """See `Rows.call`."""
        values: tuple[Any, ...] = self.begin("call", name, *args, **kwargs)()
        return values

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """See `Rows.get_attr`. What is read is a copy, and read-only."""
        values: tuple[Any, ...] = self.begin("get_attr", name)()
        return values

    def set_attr(self, name: str, values: Sequence[Any]) -> None:
        """See `Rows.set_attr`."""
        self.begin("set_attr", name, values)()

    def close(self) -> None:
        """See `Rows.close`."""
        self._line = self._serving = None
        self._worker.close()
