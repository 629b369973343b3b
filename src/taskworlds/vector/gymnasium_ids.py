"""Gymnasium ids: `taskworlds/MT10` and one for every other name that `make` takes, and `register_once`.

The ids are registered when Gymnasium is imported (see docs/explanation/gymnasium-ids.md), or when this package is.
Those of a world or skill that is registered later are added at that moment. Each works with `gymnasium.make` (one
environment) and with `gymnasium.make_vec` (a batch).

Nothing here imports Gymnasium at the top, since it is the import of Gymnasium that loads this module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from taskworlds.core.reference import resolve
from taskworlds.core.registry import benchmark_makers, on_new_names, worlds

if TYPE_CHECKING:
    import gymnasium as gym

__all__ = ["ids", "make_batch", "make_single", "register_envs", "register_once"]

_SINGLE = "taskworlds.vector.gymnasium_ids:make_single"
_BATCH = "taskworlds.vector.gymnasium_ids:make_batch"


def ids() -> dict[str, str]:
    """Returns, by Gymnasium id, the names that `taskworlds.make` and `make_vec` take.

    That is each benchmark; its train and its test tasks, where it has both; and each skill whose name stands for a
    benchmark.

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
    from gymnasium.envs.registration import EnvSpec, registry  # see the top of the file

    wanted = ids()
    for id in [id for id, spec in registry.items() if spec.entry_point == _SINGLE and id not in wanted]:
        del registry[id]
    for id, name in wanted.items():
        if id not in registry:
            # Put there by hand: `gymnasium.register` looks at all other ids for each of our hundreds.
            registry[id] = EnvSpec(
                id,
                entry_point=_SINGLE,
                vector_entry_point=_BATCH,
                kwargs={"benchmark": name},
                # Our environment refuses a step before the reset itself, and the checker would only cost time.
                order_enforce=False,
                disable_env_checker=True,
            )


def make_single(benchmark: str, **kwargs: Any) -> gym.Env[Any, Any]:
    """What `gymnasium.make` calls: `taskworlds.make` with the benchmark that the id names, or what stands for it."""
    from taskworlds.vector.make import make  # registering the ids need not wait for it

    _, maker = benchmark_makers().get(benchmark, (None, None)) if isinstance(benchmark, str) else (None, None)
    if maker is not None and maker.single is not None:
        env: gym.Env[Any, Any] = resolve(maker.single)(benchmark, **kwargs)
        return env
    return make(benchmark, **kwargs)


def make_batch(benchmark: str, num_envs: int = 1, **kwargs: Any) -> gym.vector.VectorEnv[Any, Any, Any]:
    """What `gymnasium.make_vec` calls: `taskworlds.make_vec` with the benchmark that the id names.

    Gymnasium says `num_envs=1` when the user says nothing, so 1 means the benchmark's own number of rows
    here, as in Meta-World; `taskworlds.make_vec(..., num_envs=1)` makes a batch of one.
    """
    from taskworlds.vector.make import make_vec  # as above

    return make_vec(benchmark, None if num_envs == 1 else num_envs, **kwargs)
