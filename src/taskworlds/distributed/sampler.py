"""`RaySampler`: rollouts of a policy in many rows, which workers on one or more machines step."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import ArrayLike, NDArray
from typing_extensions import Self, Unpack

from taskworlds.core import batches
from taskworlds.core.benchmark import Benchmark
from taskworlds.core.errors import WrongType, WrongValue, check_count, check_seed
from taskworlds.core.registry import choose_engine
from taskworlds.distributed.part import Part
from taskworlds.distributed.rollout import Rollout
from taskworlds.distributed.share import Plan, Share, made
from taskworlds.evaluation import Result, evaluate
from taskworlds.evaluation.on_workers import Crew
from taskworlds.vector.composition import compose
from taskworlds.vector.keywords import MakeKeywords
from taskworlds.vector.make import resolve
from taskworlds.vector.options import Options
from taskworlds.vector.registered import records_of
from taskworlds.vector.task_vector_env import TaskVectorEnv
from taskworlds.workers import cluster
from taskworlds.workers.cluster import cloudpickle, ray
from taskworlds.workers.host import Place
from taskworlds.workers.lost import WorkerLost
from taskworlds.workers.worker import Terms, Worker

__all__ = ["RaySampler"]

_FORMAT = "taskworlds-sampler/1"
_BATCH = 25  # rows that a policy is asked for in one call, or fewer so that workers can have equally many


class RaySampler:
    """Gives rollouts of a policy, which acts where the rows are: on workers that Ray runs.

    Row i has the seed `seed + i`, and the policy's noise in it comes from a generator of its own. So a rollout depends
    on neither the number of workers nor on where they run: it is equal to the last bit for 1, 2, 3, ... of them. A
    worker that is lost with its process or its node is started again where its rollout began and repeats it with the
    same weights; a RuntimeWarning says so, and nothing else is different.

    A policy is made in each worker by a function without arguments, from anything that `taskworlds.evaluate` takes, or
    an object of yours:

    - `sample_actions(observations, generators)`, for policies that explore: observations (B, ...) of B rows, and their
      `RowGenerators`, from which all noise is to be drawn. It returns actions (B, ...), or a tuple of actions and a
      dictionary of arrays (B, ...), which the rollout keeps as its `outputs`;
    - `set_weights(arrays)`, if weights are sent: a list of NumPy arrays, not to be written to;
    - `reset(mask)` or `begin_episodes(mask, infos)`, if it remembers: told of the rows, (B,) bool, whose episodes
      begin. Such a policy is made for each B rows, and `get_state()` and `set_state(state)` are for what it remembers;
      without them the whole object is pickled at the end of each rollout.

    Before it is made, the generators of Python, NumPy and PyTorch are seeded with `seed` in the worker.

    Args:
        benchmark: as for `taskworlds.make_vec`.
        num_envs: rows, N.
        num_workers: processes that share the rows.
        seed: see above.
        policy: a function without arguments that returns the policy, and can be pickled; or a name as `evaluate` takes
            it: "expert". None acts at random.
        split: as for `taskworlds.make_vec`.
        cpus_per_worker: processors that Ray sets aside for each worker, and threads that step its rows. One worker for
            each machine with all its processors is the fastest, as rows in one process share what they load.
        address: of a cluster's head, "host:port", or "auto"; None for the one that RAY_ADDRESS names, or else for this
            machine alone.
        policy_batch_size: B, rows that the policy is asked for in one call. The same rows are always asked for
            together, so results depend on it (in their last bits, where matrices are multiplied) and not on the
            workers, which have whole groups of B rows. None: at most 25, and at most a quarter of all.
        max_restarts: how often one rollout is repeated on a new worker before it is given up.
        start_timeout: seconds to wait until the cluster has room for a worker.
        **options: as for `taskworlds.make_vec`; episodes always begin in the step in which the one before ends.

    Attributes:
        benchmark, split, seed, num_envs, num_workers, policy_batch_size: as above.
        single_observation_space, single_action_space: of one row.
        weights_version: of the weights that the next rollout begins with; 0 for those that the policy was made with.

    Raises:
        ImportError: Ray is not installed.
        ConnectionError: the cluster does not answer.
        TypeError, ValueError: an argument does not fit; the policy cannot be pickled; the cluster has too few
            processors
            or other versions of the packages.
        WorkerLost: there was no room for a worker.

    Example:
        >>> import taskworlds.distributed  # doctest: +SKIP
        >>> with taskworlds.distributed.RaySampler("MT10", 100, 2, seed=0) as sampler:  # doctest: +SKIP
        ...     rollout = sampler.rollout(steps=250)
        >>> rollout.rewards.shape  # doctest: +SKIP
        (250, 100)
    """

    def __init__(
        self,
        benchmark: str | Benchmark | Any,
        num_envs: int,
        num_workers: int,
        *,
        seed: int = 0,
        policy: Callable[[], Any] | str | None = None,
        split: str | None = None,
        cpus_per_worker: float = 1,
        address: str | None = None,
        policy_batch_size: int | None = None,
        max_restarts: int = 3,
        start_timeout: float = 120.0,
        **options: Unpack[MakeKeywords],
    ) -> None:
        self._parts: list[Part] = []
        self.num_envs = check_count("num_envs", num_envs)
        self.num_workers = check_count("num_workers", num_workers)
        self.seed = check_seed(seed)
        cpus = cluster.check_cpus(cpus_per_worker)
        self.policy_batch_size = _batch_size(policy_batch_size, self.num_envs, self.num_workers)
        self._terms = Terms(
            cpus, check_count("max_restarts", max_restarts, minimum=0), _seconds(start_timeout)
        )
        self._plan = self._make_plan(benchmark, split, _checked_policy(policy), options)
        self._pickled_plan = cluster.pickled("policy", self._plan)
        cluster.connect(address, self.num_workers, cpus)
        self.weights_version = 0
        self._sets = 0  # how often weights were set
        self._weights: Any = None  # Ray's reference of them
        self._start()

    def _make_plan(
        self, benchmark: Any, split: str | None, policy: Callable[[], Any] | None, options: Any
    ) -> Plan:
        """Resolves names and checks options, on an environment of the first row."""
        strategy = options.pop("vector_strategy", None)
        if strategy == "ray":
            raise WrongValue(
                'vector_strategy must not be "ray" here: the sampler has workers of its own. Leave it out.',
                argument="vector_strategy",
            )
        total = options.pop("total_tasks_per_cls", None)
        resolved, its_split, chosen = resolve("make_vec", benchmark, split, self.seed, total, options)
        self._check_options(chosen)
        whole = compose(resolved, its_split, self.num_envs, pad=chosen.pad, group_size=chosen.group_size or 1)
        if not whole.is_mixed:
            strategy = choose_engine(whole.world, strategy, self.num_envs).name
        one = TaskVectorEnv(resolved, its_split, 1, strategy, chosen, self.seed, whole.part(0, 1))
        try:
            for name in ("single_observation_space", "single_action_space"):
                if not batches.in_arrays(getattr(one, name)):
                    raise WrongValue(
                        f"{name} must consist of arrays for rollouts, not {getattr(one, name)}: step this benchmark "
                        "with taskworlds.make_vec."
                    )
            self.benchmark, self.split = one.benchmark, one.split
            self.single_observation_space = one.single_observation_space
            self.single_action_space = one.single_action_space
            engines = one.engines
            if chosen.num_threads is None and any("num_threads" in each.options for each in engines):
                chosen = dataclasses.replace(chosen, num_threads=max(1, math.floor(self._terms.cpus)))
        finally:
            one.close()
        return Plan(
            self.benchmark,
            self.split,
            chosen,
            strategy,
            self.num_envs,
            self.seed,
            self.policy_batch_size,
            policy,
            records_of(one.skills, engines),
        )

    def _check_options(self, options: Options) -> None:
        """Raises WrongValue for options under which a rollout would depend on the workers, or could not be made."""
        if options.autoreset_mode is not AutoresetMode.SAME_STEP:
            raise WrongValue(
                "autoreset_mode must be SAME_STEP, which is the default, for rollouts: leave it out.",
                argument="autoreset_mode",
            )
        if options.curriculum is not None:
            raise WrongValue(
                "curriculum must be left out for rollouts: each worker would be told of its own rows' episodes alone, "
                "so that tasks would depend on the number of workers. Step taskworlds.make_vec with "
                'vector_strategy="ray" instead.',
                argument="curriculum",
            )
        if options.batch_size is not None:
            raise WrongValue(
                "batch_size must be left out for rollouts, whose rows are stepped together; as_ready() gives the "
                "rollouts of those workers first that are done first.",
                argument="batch_size",
            )
        if options.group_size is not None and self.policy_batch_size % options.group_size:
            raise WrongValue(
                f"group_size must divide policy_batch_size, {self.policy_batch_size}, so that a group is in one "
                f"worker, not {options.group_size}. Give policy_batch_size a multiple of it.",
                argument="group_size",
            )

    def _start(self) -> None:
        size = self.policy_batch_size
        groups = -(-self.num_envs // size)
        each, more = divmod(groups, self.num_workers)
        first = 0
        try:
            for number in range(self.num_workers):
                past = min(first + size * (each + (number < more)), self.num_envs)
                title = f"worker {number} with rows {first} to {past - 1}"
                worker = Worker(_make(self._pickled_plan, first, past), title, self._terms)
                self._parts.append(Part(worker, first, past))
                first = past
            for part in self._parts:
                part.start()
        except BaseException:
            self.close()
            raise

    # --- rollouts -------------------------------------------------------------------------------------------

    def rollout(self, steps: int) -> Rollout:
        """Steps all rows and returns what they did.

        Args:
            steps: T, of each row.

        Returns:
            The rollout of all N rows. If Ctrl-C leaves a call half-way, the same call again returns what it would have.

        Raises:
            WorkerLost: a worker was lost again and again. Its `state` is that before the call: `set_state` of this or
                another sampler takes it.
        """
        steps = check_count("steps", steps)
        parts = self._open()
        asked = self._asked(steps)
        for part in parts:
            part.begin(asked)
        with self._state_kept():
            for part in parts:
                part.wait()
        rollout = Rollout.joined([part.rollout for part in parts])
        for part in parts:  # now that nothing can be lost any more
            part.go_on()
        return rollout

    def as_ready(self, steps: int, *, max_staleness: int | None = None) -> Iterator[Rollout]:
        """Iterates over rollouts of single workers without end, those first that are done first.

        A worker goes on at once, with the weights that are set then, while its rollout is used. So its next one may be
        of older weights than the newest: `Rollout.weights_version` tells.

        Args:
            steps: T, of each row.
            max_staleness: how often weights may have been set since those of a rollout. One that is older is played
                again from its beginning, with the newest weights. None for no bound.

        Yields:
            A rollout of one worker's rows: see `Rollout.rows`.
        """
        steps = check_count("steps", steps)
        if max_staleness is not None:
            check_count("max_staleness", max_staleness, minimum=0)
        return self._as_ready(steps, max_staleness)

    def _as_ready(self, steps: int, max_staleness: int | None) -> Iterator[Rollout]:
        for part in self._open():
            part.begin(self._asked(steps))
        late: Part | None = None  # one that repeats its rollout, and is waited for
        while True:
            part = late or _first_done(self._open())
            with self._state_kept():
                part.wait()
                late = part if max_staleness is not None and self._sets - part.sets > max_staleness else None
                if late is not None:
                    part.undo()
            if late is None:
                rollout = Rollout.joined([part.rollout])
                part.go_on()
                part.begin(self._asked(steps))
                yield rollout
            else:
                part.begin(self._asked(steps))

    def _asked(self, steps: int) -> tuple[int, Any, int, int]:
        return steps, self._weights, self.weights_version, self._sets

    def set_weights(self, weights: Sequence[ArrayLike], version: int | None = None) -> None:
        """Gives the policy of all workers weights, from each one's next rollout on.

        Args:
            weights: arrays, as the policy's `set_weights` takes them. They are sent once to each node. Tensors of
                PyTorch are taken, too.
            version: what rollouts made with them say; None for one more than before.
        """
        self._open()
        if isinstance(weights, dict | str) or not isinstance(weights, Sequence):
            raise WrongType(
                f"weights must be a list of arrays, not {type(weights).__name__}: of a PyTorch module "
                "[p.detach().numpy() for p in module.parameters()].",
                argument="weights",
            )
        arrays = [_array(each) for each in weights]
        version = self.weights_version + 1 if version is None else check_count("version", version, minimum=0)
        self._weights = ray.put(arrays)
        self._sets, self.weights_version = self._sets + 1, version

    def set_policy(self, policy: Callable[[], Any] | str | None) -> None:
        """Replaces the policy of all workers, from their next rollout on; weights must be set anew.

        Args:
            policy: as for the constructor.
        """
        plan = self._plan._replace(policy=_checked_policy(policy))
        made = cluster.pickled("policy", plan)
        parts = self._open()
        for part in parts:
            part.undo()
        self._plan, self._pickled_plan = plan, made
        self._weights, self.weights_version, self._sets = None, 0, self._sets + 1
        for part in parts:
            part.worker.keep({name: its for name, its in part.state.items() if name != "memories"})
            part.worker.remake(_make(made, part.first, part.past))
        for part in parts:
            part.start()

    @property
    def places(self) -> tuple[Place | None, ...]:
        """Where each worker runs: node, address, process; None for one that is lost and not started again yet."""
        return tuple(part.worker.place for part in self._open())

    def evaluate(self, benchmark: Any = None, **options: Any) -> Result:
        """Evaluates the policy, with its weights, on the workers; rollouts go on afterwards as if nothing had been.

        A policy that explores needs a way to act without noise: to be called, or `eval_action`.

        Args:
            benchmark: as for `taskworlds.evaluate`; None for the sampler's, on its test tasks where it has such.
            **options: as for `taskworlds.evaluate`, but for `workers` and `address`.

        Returns:
            The result that `taskworlds.evaluate` gives for the policy in this process, to the last digit.
        """
        parts = self._open()
        for part in parts:
            part.undo()
        if self._plan.options.use_one_hot:
            options = {"use_one_hot": True} | options
        policy = self._made_policy()
        crew = Crew(len(parts), lent=[part.worker for part in parts])
        try:
            return evaluate(
                policy, self.benchmark if benchmark is None else benchmark, workers=crew, **options
            )
        finally:
            for part in parts:
                part.worker.keep(part.state)
                part.worker.remake(_make(self._pickled_plan, part.first, part.past))
            for part in parts:
                part.worker.wait_until_ready()

    def _made_policy(self) -> Any:
        """Makes the policy in this process, with the weights that are set."""
        if self._plan.policy is None:
            return "random"
        policy = made(self._plan.policy, self.seed)
        if self._weights is not None:
            policy.set_weights(ray.get(self._weights))
        return policy

    # --- exact state ----------------------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Returns everything that decides the rollouts to come, but the policy's weights: it can be pickled.

        A rollout that is under way is not part of it: it will be played again.
        """
        return {
            "format": _FORMAT,
            "num_envs": self.num_envs,
            "policy_batch_size": self.policy_batch_size,
            "shares": [
                {"first": part.first, "past": part.past, "state": part.state} for part in self._open()
            ],
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to a state, here or in a sampler that was made alike. Weights stay as they are.

        Args:
            state: what `get_state` returned, or the `state` of a `WorkerLost`. The workers may be as many as then or a
                multiple, as each must find its rows in one of those that there were.

        Raises:
            ValueError: the state is of another sampler, or damaged.
        """
        parts = self._open()
        if not isinstance(state, dict) or state.get("format") != _FORMAT:
            raise WrongValue("state must be what get_state of a RaySampler returned.", argument="state")
        for name in ("num_envs", "policy_batch_size"):
            if state[name] != getattr(self, name):
                raise WrongValue(
                    f"The state cannot be put back, since {name} is {state[name]} there and "
                    f"{getattr(self, name)} here.",
                    argument="state",
                )
        sources = [
            next(
                (
                    each
                    for each in state["shares"]
                    if each["first"] <= part.first and part.past <= each["past"]
                ),
                None,
            )
            for part in parts
        ]
        if None in sources:
            raise WrongValue(
                f"The state is of {len(state['shares'])} workers, whose rows cannot be put into these "
                f"{len(parts)}: make a sampler with as many workers, or with a multiple.",
                argument="state",
            )
        for part in parts:
            part.undo()
        for part, source in zip(parts, sources, strict=True):
            assert source is not None
            part.worker.begin("set_state", source["state"], part.first - source["first"])
        for part in parts:
            part.worker.answer()
            part.take_down()

    @contextlib.contextmanager
    def _state_kept(self) -> Iterator[None]:
        """Has a `WorkerLost` within the `with` block bring along the state."""
        try:
            yield
        except WorkerLost as error:
            error.state = self.get_state()
            raise

    # --- the end --------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Ends the workers. Ray itself stays up until `ray.shutdown()` or the end of the process."""
        parts, self._parts = self._parts, []
        for part in parts:
            part.worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.benchmark.name}, split={self.split}, num_envs={self.num_envs}, "
            f"num_workers={self.num_workers})"
        )

    def _open(self) -> list[Part]:
        if not self._parts:
            raise RuntimeError("This sampler was closed: make a new one.")
        return self._parts


def _make(plan: bytes, first: int, past: int) -> bytes:
    """Returns, pickled, a function that makes a share."""
    return cluster.pickled("policy", functools.partial(_make_share, plan, first, past))


def _make_share(plan: bytes, first: int, past: int) -> Share:
    return Share(cloudpickle.loads(plan), first, past)


def _first_done(parts: Sequence[Part]) -> Part:
    """Returns the part whose rollout is there first."""
    by_reference = {part.pending: part for part in parts if part.pending is not None}
    if len(by_reference) < len(parts):
        return next(part for part in parts if part.pending is None)
    done, _ = ray.wait(list(by_reference), num_returns=1)
    return by_reference[done[0]]


def _batch_size(given: int | None, num_envs: int, num_workers: int) -> int:
    if given is None:
        most = min(_BATCH, max(1, num_envs // 4))
        given = next((size for size in range(most, 0, -1) if num_envs % (2 * size) == 0), most)
    size = check_count("policy_batch_size", given, maximum=num_envs)
    groups = -(-num_envs // size)
    if num_workers > groups:
        raise WrongValue(
            f"num_workers must be at most {groups}, not {num_workers}: {num_envs} rows in groups of {size} are "
            f"{groups} groups, and each worker has at least one. Ask for fewer workers, for more rows, or for smaller "
            "groups with policy_batch_size.",
            argument="num_workers",
        )
    return size


def _checked_policy(policy: Any) -> Callable[[], Any] | None:
    """Returns a function that makes the policy; None for random actions."""
    if isinstance(policy, str):
        return None if policy == "random" else functools.partial(str, policy)
    if policy is not None and not callable(policy):
        raise WrongType(
            "policy must be a function without arguments that makes the policy in the worker, a name as evaluate takes "
            f"it, or None for random actions, not {policy!r}.",
            argument="policy",
        )
    made: Callable[[], Any] | None = policy
    return made


def _seconds(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < math.inf:
        raise WrongValue(
            f"start_timeout must be a number of seconds above 0, not {given!r}.", argument="start_timeout"
        )
    return float(given)


def _array(values: Any) -> NDArray[Any]:
    if callable(getattr(values, "detach", None)):
        values = values.detach().cpu().numpy()
    return np.asarray(values)
