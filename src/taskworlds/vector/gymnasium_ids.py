"""Gymnasium ids: `taskworlds/MT10` and one for every other name that `make` takes, and `register_once`.

The ids are registered when Gymnasium is imported (see docs/explanation/gymnasium-ids.md), or when this package is.
Those of a world or skill that is registered later are added at that moment. Each works with `gymnasium.make` (one
environment) and with `gymnasium.make_vec` (a batch).

`gymnasium.make` keeps `max_episode_steps` for a `TimeLimit` of its own, which knows no trials and no statistics of
episodes. It puts that wrapper on before those that the id's spec names, and so `take_limit`, which all ids name, is
given it, and hands the limit to the environment.

Nothing here imports Gymnasium at the top, since it is the import of Gymnasium that loads this module.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from taskworlds.core.reference import resolve
from taskworlds.core.registry import benchmark_makers, choose_engine, list_makers, on_new_names, worlds

if TYPE_CHECKING:
    import gymnasium as gym
    from gymnasium.envs.registration import EnvSpec

__all__ = [
    "LastWrappers",
    "ids",
    "make_batch",
    "make_single",
    "register_envs",
    "register_once",
    "spec_of",
    "take_limit",
    "tell_limit",
]

_SINGLE = "taskworlds.vector.gymnasium_ids:make_single"
_BATCH = "taskworlds.vector.gymnasium_ids:make_batch"
_HINTED: set[str] = set()  # the engines that were named beside an id, and hinted at


class LastWrappers(tuple[Any, ...]):
    """Wrappers of a spec that only `gymnasium.make` applies, after its own.

    `gymnasium.make` takes a slice of them. `gymnasium.make_vec`, which refuses wrappers around a batch, asks for their
    number, and for it there are none, nor are there for a spec's JSON.

    Example:
        >>> wrappers = LastWrappers(["first"])
        >>> len(wrappers), list(wrappers), wrappers[0:]
        (0, [], ('first',))
    """

    __slots__ = ()

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    @classmethod
    def that_take_limit(cls, known: int | None = None) -> LastWrappers:
        """Returns the one that hands `max_episode_steps` on; `known` as for `take_limit`."""
        from gymnasium.envs.registration import WrapperSpec  # see the top of the file

        entry_point = "taskworlds.vector.gymnasium_ids:take_limit"
        return cls([WrapperSpec("take_limit", entry_point, {} if known is None else {"known": known})])


def ids() -> dict[str, str]:
    """Returns, by Gymnasium id, the names that `taskworlds.make` and `make_vec` take.

    That is each benchmark; its train and its test tasks, where it has both; each skill whose name stands for a
    benchmark; and each list of several worlds' skills, which `gymnasium.make_vec` takes: a single environment is of one
    world.

    Example:
        >>> found = ids()
        >>> [name for name in found.values() if name.startswith("ML10") or name in ("MT10", "reach-v3")]
        ['MT10', 'ML10', 'ML10-train', 'ML10-test', 'reach-v3']
    """
    names: dict[str, None] = {}
    for world in worlds():
        for name, maker in world.benchmark_makers().items():
            names[name] = None
            if maker.has_test:
                names |= {f"{name}-train": None, f"{name}-test": None}
        if world.skill_benchmark is not None:
            names |= dict.fromkeys(world.env_names())
    for name, maker in list_makers().items():
        names |= dict.fromkeys([name, f"{name}-train", f"{name}-test"] if maker.has_test else [name])
    return {f"taskworlds/{name}": name for name in names}


def register_once(id: str, entry_point: str | Callable[..., Any] | None = None, **kwargs: Any) -> None:
    """Registers an environment with Gymnasium unless the id is taken; silent either way.

    Args:
        id: the id, such as "my-suite/Reach-v0".
        entry_point: what makes the environment, as a function or "module:name".
        **kwargs: further arguments of `gymnasium.register`.

    Example:
        >>> cart_pole = "gymnasium.envs.classic_control.cartpole:CartPoleEnv"
        >>> register_once("doc/CartPole-v0", cart_pole, max_episode_steps=9)
        >>> register_once("doc/CartPole-v0", "elsewhere:Other")  # taken: nothing happens
        >>> import gymnasium as gym
        >>> gym.spec("doc/CartPole-v0").max_episode_steps
        9
    """
    from gymnasium.envs.registration import register, registry  # see the top of the file

    if id not in registry:
        register(id=id, entry_point=entry_point, **kwargs)


def register_envs() -> None:
    """Registers the ids of all names that there are, now and whenever there are others; drops those of names gone.

    Calling it again does nothing.
    """
    on_new_names(_register_names)
    _register_names()


def _register_names() -> None:
    from gymnasium.envs.registration import registry  # see the top of the file

    wanted = ids()
    for id in [id for id, spec in registry.items() if spec.entry_point == _SINGLE and id not in wanted]:
        del registry[id]
    for id, name in wanted.items():
        if id not in registry:
            # Put there by hand: `gymnasium.register` looks at all other ids for each of our hundreds.
            registry[id] = spec_of(id, {"benchmark": name})


def spec_of(id: str, kwargs: dict[str, Any]) -> EnvSpec:
    """Returns Gymnasium's spec of an environment or a batch.

    Args:
        id: Gymnasium's name for it; what no such name can hold is replaced.
        kwargs: the arguments of `make` or `make_vec`, with `benchmark` for the first.
    """
    from gymnasium.envs.registration import EnvSpec  # see the top of the file

    return EnvSpec(
        "taskworlds/" + (re.sub(r"[^\w.-]+", "-", id.removeprefix("taskworlds/")) or "tasks"),
        entry_point=_SINGLE,
        vector_entry_point=_BATCH,
        kwargs=kwargs,
        # Our environment refuses a step before the reset itself, and the checker would only cost time.
        order_enforce=False,
        disable_env_checker=True,
        additional_wrappers=LastWrappers.that_take_limit(),
    )


def tell_limit(spec: EnvSpec, attempt: int | None, episode: int) -> None:
    """Tells a spec of this package the limit of the environment at hand, so that what it makes has it too.

    Args:
        spec: the spec of a single environment, which is changed; those of other entry points are left alone.
        attempt: steps after which an episode, in trials an attempt, is truncated; None for the world's own.
        episode: steps of a whole episode.
    """
    if spec.entry_point == _SINGLE:
        if attempt is not None:
            spec.kwargs = spec.kwargs | {"max_episode_steps": attempt}
        spec.additional_wrappers = LastWrappers.that_take_limit(known=episode)
    elif "max_episode_length" in spec.kwargs:  # the classes of `compat`
        spec.kwargs = spec.kwargs | {"max_episode_length": attempt}


def take_limit(env: gym.Env[Any, Any], known: int | None = None) -> gym.Env[Any, Any]:
    """Takes `gymnasium.make`'s own `TimeLimit` off, and makes its limit the environment's: in trials an attempt's.

    Args:
        env: what `gymnasium.make` has made, in its `TimeLimit` if it was given a limit.
        known: the limit that the spec itself asks for, which the environment has already.

    Returns:
        The environment without the wrapper.
    """
    from gymnasium.wrappers import TimeLimit  # see the top of the file

    if type(env) is not TimeLimit:
        return env
    limit = env.get_wrapper_attr("_max_episode_steps")  # not from its spec, which wrappers inside would keep
    if limit != known:
        env.set_wrapper_attr("max_episode_steps", limit)
    return env.env


def make_single(benchmark: Any, **kwargs: Any) -> gym.Env[Any, Any]:
    """What `gymnasium.make` calls: `taskworlds.make` with the benchmark that the id names, or what stands for it."""
    from taskworlds.vector.make import make  # registering the ids need not wait for it

    _, maker = benchmark_makers().get(benchmark, (None, None)) if isinstance(benchmark, str) else (None, None)
    if maker is not None and maker.single is not None:
        env: gym.Env[Any, Any] = resolve(maker.single)(benchmark, **kwargs)
        return env
    return make(benchmark, **kwargs)


def make_batch(benchmark: Any, num_envs: int = 1, **kwargs: Any) -> gym.vector.VectorEnv[Any, Any, Any]:
    """What `gymnasium.make_vec` calls: `taskworlds.make_vec` with the benchmark that the id names.

    Gymnasium says `num_envs=1` when the user says nothing, so 1 means the benchmark's own number of rows
    here, as in Meta-World; `taskworlds.make_vec(..., num_envs=1)` makes a batch of one.
    """
    from taskworlds.vector.make import make_vec  # as above

    envs = make_vec(benchmark, None if num_envs == 1 else num_envs, **kwargs)
    _hint_at_engine(envs, kwargs.get("vector_strategy"))
    return envs


def _hint_at_engine(envs: Any, strategy: str | None) -> None:
    """Says once of each slow engine that a faster one is there: Meta-World's ids are made with `vector_strategy`."""
    bests = {choose_engine(world, None, envs.num_envs).name for world in envs.worlds}
    best = next((name for name in bests if name not in ("sync", "async")), None)
    if strategy in ("sync", "async") and best is not None and strategy not in _HINTED:
        _HINTED.add(strategy)
        warnings.warn(
            f"vector_strategy={strategy!r} steps the Python environments one by one. The engine {best!r} is many times "
            "faster: leave vector_strategy out.",
            stacklevel=4,
        )
