"""Gymnasium ids: `taskworlds/MT10` and the rest, and `register_once`.

The ids are registered when Gymnasium is imported (see docs/explanation/gymnasium-ids.md), or when this
package is. Each works with `gymnasium.make` (one environment) and with `gymnasium.make_vec` (a batch).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gymnasium.envs.registration import register, registry

if TYPE_CHECKING:
    import gymnasium as gym

__all__ = ["IDS", "register_envs", "register_once"]

# Gymnasium id -> the name that `taskworlds.make` and `make_vec` take.
IDS = {
    f"taskworlds/{name}": name
    for name in (
        "MT1",
        "MT10",
        "MT25",
        "MT50",
        *(
            f"{benchmark}-{split}"
            for benchmark in ("ML1", "ML10", "ML25", "ML45")
            for split in ("train", "test")
        ),
        "custom-mt-envs",
        "custom-ml-envs",
        "half-cheetah-vel",
        "half-cheetah-dir",
        "ant-dir",
        "ant-fwd-back",
        "ant-goal",
        "walker2d-rand-params",
        # mtenv's names, each of a family of ten tasks
        "MT-HiPBMDP-Finger-Spin-vary-size-v0",
        "MT-HiPBMDP-Cheetah-Run-vary-torso-length-v0",
        "MT-HiPBMDP-Walker-Walk-vary-friction-v0",
        "MT-HiPBMDP-Walker-Walk-vary-len-v0",
    )
}


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
    if id not in registry:
        register(id=id, entry_point=entry_point, **kwargs)


def register_envs() -> None:
    """Registers all ids of this package. Calling it again does nothing."""
    for id, name in IDS.items():
        register_once(
            id,
            "taskworlds.vector.gymnasium_ids:make_single",
            vector_entry_point="taskworlds.vector.gymnasium_ids:make_batch",
            kwargs={"benchmark": name},
            # Our environment refuses a step before the reset itself, and the checker would only cost time.
            order_enforce=False,
            disable_env_checker=True,
        )


def make_single(benchmark: str, **kwargs: Any) -> gym.Env[Any, Any]:
    """What `gymnasium.make` calls: `taskworlds.make` with the benchmark that the id names."""
    from taskworlds.vector.make import make

    return make(benchmark, **kwargs)


def make_batch(benchmark: str, num_envs: int = 1, **kwargs: Any) -> gym.vector.VectorEnv[Any, Any, Any]:
    """What `gymnasium.make_vec` calls: `taskworlds.make_vec` with the benchmark that the id names.

    Gymnasium says `num_envs=1` when the user says nothing, so 1 means the benchmark's own number of rows
    here, as in Meta-World; `taskworlds.make_vec(..., num_envs=1)` makes a batch of one.
    """
    from taskworlds.vector.make import make_vec

    return make_vec(benchmark, None if num_envs == 1 else num_envs, **kwargs)
