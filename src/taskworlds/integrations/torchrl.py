"""A batch of ours as an environment of TorchRL's: `TaskworldsWrapper`.

TorchRL's own GymWrapper takes batches too. This one takes less time, resets rows without skipping a task, and puts
success, goal and task into the TensorDict; docs/clients/torchrl.md compares them.

Example:
    >>> envs = taskworlds.make_vec("MT10", seed=0, use_one_hot=True)  # doctest: +SKIP
    >>> data = TaskworldsWrapper(envs, dtype=torch.float32).rollout(1000, policy)  # doctest: +SKIP
    >>> data["next", "success"].shape  # doctest: +SKIP
    torch.Size([10, 500, 1])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.core.errors import WrongType, WrongValue, check_known
from taskworlds.vector.arguments import row_seeds
from taskworlds.vector.task_vector_env import TaskVectorEnv

try:
    import torch
    from tensordict import TensorDict, TensorDictBase
    from torchrl.data import Bounded, Categorical, Composite, TensorSpec, Unbounded
    from torchrl.envs import EnvBase, set_gym_backend
    from torchrl.envs.libs.gym import _gym_to_torchrl_spec_transform
except ImportError as error:
    raise ImportError(
        f"taskworlds.integrations.torchrl needs TorchRL, which could not be imported ({error}): "
        'pip install "taskworlds[torchrl]".'
    ) from error

__all__ = ["TaskworldsWrapper"]

_USUAL_INFOS = (
    "success",
    "goal",
    "skill_index",
    "task_index",
    "episode_return",
    "episode_length",
    "attempt",
    "attempt_return",
    "attempt_success",
    "attempt_ended",
)
_ENDS = ("done", "terminated", "truncated")


class TaskworldsWrapper(EnvBase):  # type: ignore[misc]  # its type is known where TorchRL is installed
    """A batch of N rows, of batch size (N,), which TorchRL resets row by row where episodes end.

    The TensorDict has "observation", (N, O), or the parts of a Dict space under their own names; "reward", "done",
    "terminated" and "truncated", (N, 1); and infos: numbers (N, 1), a goal (N, G), as docs/infos.md has them. Under
    "next" all of them belong to the step, also where it ends an episode: the true last observation, the episode's
    return. The numbers are the batch's own, to the last bit.

    The batch's autoreset mode may be SAME_STEP, as `make_vec` makes it, or DISABLED; both do the same here. The seed
    that `set_seed` is given takes effect at each row's next reset, which then does what `envs.reset(seed=seed)` does.
    Closing this closes the batch.

    Args:
        envs: what `taskworlds.make_vec` returned.
        infos: the names of the infos in the TensorDict; each costs microseconds in every step. None: success, goal,
            skill_index, task_index, episode_return and episode_length, in trials also attempt, attempt_return,
            attempt_success and attempt_ended, as far as the world has them.
        dtype: of all floats but actions, such as torch.float32. None leaves them as they are.
        categorical_action_encoding: whether choices are whole numbers; one-hot otherwise. As in GymWrapper.
        device: of all tensors. None leaves them on the CPU, and TensorDicts without a device.

    Raises:
        TypeError: `envs` is not such a batch.
        ValueError: it is of NEXT_STEP, it has no info of that name, or tensors cannot hold values of its spaces.

    Attributes:
        envs: as given.
    """

    def __init__(
        self,
        envs: TaskVectorEnv,
        *,
        infos: Sequence[str] | None = None,
        dtype: torch.dtype | None = None,
        categorical_action_encoding: bool = False,
        device: torch.device | str | int | None = None,
    ) -> None:
        if not isinstance(envs, TaskVectorEnv):
            raise WrongType(
                f"envs must be what taskworlds.make_vec returned, not {type(envs).__name__}: put single environments "
                "and batches in wrappers into torchrl.envs.GymWrapper.",
                argument="envs",
            )
        if envs.autoreset_mode is AutoresetMode.NEXT_STEP:
            raise WrongValue(
                "envs must be a batch of SAME_STEP or DISABLED, not NEXT_STEP, in which a reset takes a step of its "
                "own. Leave autoreset_mode out of make_vec.",
                argument="envs",
            )
        n = envs.num_envs
        super().__init__(device=device, batch_size=(n,))
        self.envs = envs
        self.is_closed = False
        self._dtype = dtype
        self._seeds: dict[
            int, int | None
        ] = {}  # of the rows that have not been reset since they were given one
        # The rows that the batch has reset in their last step, and TorchRL has not yet. Replaced and never written to:
        # tensors may stand on its memory.
        self._begun = np.zeros(n, dtype=np.bool_)

        encoding = categorical_action_encoding
        observed = _spec("observations", envs.single_observation_space, n, encoding, dtype)
        if not isinstance(observed, Composite):
            observed = Composite({"observation": observed}, shape=(n,))
        self._observed = observed.clone()
        told = envs.infos.of_reset(self._begun)
        known = [
            name
            for name, values in told.items()
            if isinstance(values, np.ndarray) and name[0] != "_" and name not in observed
        ]
        usual = [name for name in _USUAL_INFOS if name in known]
        hint = "docs/infos.md lists them."
        self._told = usual if infos is None else [check_known("info", name, known, hint) for name in infos]
        for name in self._told:
            example = self._tensor(told[name])
            observed[name] = Unbounded(example.shape, dtype=example.dtype)
        self._acted = _spec("actions", envs.single_action_space, n, encoding)
        self.observation_spec = observed
        self.action_spec = self._acted
        self.reward_spec = Unbounded((n, 1), dtype=dtype or torch.float64)
        ends = {name: Categorical(2, dtype=torch.bool, shape=(n, 1)) for name in _ENDS}
        self.full_done_spec = Composite(ends, shape=(n,))

    # --- what TorchRL calls ---------------------------------------------------------------------------------

    def _reset(self, tensordict: TensorDictBase | None = None) -> TensorDictBase:
        chosen = self._rows(tensordict, "_reset")
        rows = np.ones(self.envs.num_envs, dtype=np.bool_) if chosen is None else chosen
        seeds = [self._seeds.pop(row, None) if reset else None for row, reset in enumerate(rows.tolist())]
        ahead = self._begun & np.array([seed is None for seed in seeds])
        obs, infos = self.envs.reset(seed=seeds, options={"reset_mask": rows & ~ahead})
        self._begun = self._begun & ~rows
        data = self._tensors(obs, infos) | {name: self._tensor(np.zeros_like(rows)) for name in _ENDS}
        return TensorDict(data, batch_size=self.batch_size, device=self.device)

    def _step(self, tensordict: TensorDictBase) -> TensorDictBase:
        rows = self._rows(tensordict, "_step")
        obs, rewards, terminated, truncated, infos = self.envs.step(self._actions(tensordict), rows)
        done = terminated | truncated
        if self.envs.autoreset_mode is AutoresetMode.SAME_STEP:
            obs, infos = self._before_resets(obs, infos, done)
            self._begun = done if rows is None else done | (self._begun & ~rows)
        data = self._tensors(obs, infos)
        data["reward"] = self._tensor(rewards)
        for name, flags in zip(_ENDS, (done, terminated, truncated), strict=True):
            data[name] = self._tensor(flags)
        return TensorDict(data, batch_size=self.batch_size, device=self.device)

    def _set_seed(self, seed: int | None) -> None:
        self._seeds = dict(enumerate(row_seeds(seed, self.envs.num_envs)))

    def render(self) -> NDArray[Any]:
        """Returns one picture a row, (N, height, width, 3) uint8, for TorchRL's PixelRenderTransform.

        Raises:
            RuntimeError: the batch was made without a `render_mode`, or there was no reset yet.
        """
        return np.stack(self.envs.render())

    def close(self, *, raise_if_closed: bool = True) -> None:
        """Closes the batch; a second time it does nothing.

        Args:
            raise_if_closed: of TorchRL's signature; it makes no difference.
        """
        super().close(raise_if_closed=raise_if_closed)
        self.envs.close()

    # --- arrays and tensors ---------------------------------------------------------------------------------

    def _tensors(self, obs: Any, infos: dict[str, Any]) -> dict[str, Any]:
        tensors = self._parts(self._observed, obs if isinstance(obs, dict) else {"observation": obs})
        for name in self._told:
            tensors[name] = self._tensor(infos[name])
        return tensors

    def _parts(self, spec: Composite, obs: dict[str, Any]) -> dict[str, Any]:
        tensors: dict[str, Any] = {}
        for name, values in obs.items():
            if isinstance(values, dict):
                tensors[name] = self._parts(spec[name], values)
            elif isinstance(spec[name], Bounded | Unbounded):
                tensors[name] = self._tensor(values)
            else:
                tensors[name] = spec[name].encode(values, ignore_device=True)
        return tensors

    def _tensor(self, values: NDArray[Any]) -> torch.Tensor:
        """Returns an array, (N, ...), as a tensor on the same memory; (N,) becomes (N, 1)."""
        tensor = torch.from_numpy(values if values.ndim > 1 else values[:, None])
        return tensor if self._dtype is None or not tensor.is_floating_point() else tensor.to(self._dtype)

    def _before_resets(
        self, obs: Any, infos: dict[str, Any], done: NDArray[np.bool_]
    ) -> tuple[Any, dict[str, Any]]:
        """Returns what a step of SAME_STEP would have returned, if it had not reset the rows that are done."""
        if not done.any():
            return obs, infos
        last, rows = infos["final_info"], {1: done, 2: done[:, None]}
        told = {name: np.where(rows[infos[name].ndim], last[name], infos[name]) for name in self._told}
        return batches.write(self.envs.single_observation_space, obs, infos["final_obs"], done), told

    def _actions(self, tensordict: TensorDictBase) -> Any:
        if isinstance(self._acted, Composite):
            return self._acted.to_numpy(tensordict.select(*self.action_keys), safe=False)
        return self._acted.to_numpy(tensordict.get("action"), safe=False)

    def _rows(self, tensordict: TensorDictBase | None, name: str) -> NDArray[np.bool_] | None:
        """Returns the rows that TorchRL has chosen under a name, (N,) bool; None for all."""
        chosen = None if tensordict is None else tensordict.get(name, None)
        return None if chosen is None else chosen.reshape(self.envs.num_envs).cpu().numpy()


def _spec(
    name: str, space: spaces.Space[Any], n: int, encoding: bool, dtype: torch.dtype | None = None
) -> TensorSpec:
    """Returns the spec of N values of a space, as GymWrapper has it; `name` is for the message.

    Raises:
        ValueError: tensors cannot hold values of the space.
    """
    if isinstance(space, spaces.Dict):
        parts = {
            key: _spec(f"{name}[{key!r}]", part, n, encoding, dtype) for key, part in space.spaces.items()
        }
        return Composite(parts, shape=(n,))
    arrays = spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary
    if not isinstance(space, arrays) or np.any(getattr(space, "start", 0)):
        raise WrongValue(
            f"The world's {name} must be arrays, choices that start at 0, or dictionaries of these, not {space}: "
            "convert them before they reach TorchRL."
        )
    with set_gym_backend("gymnasium"):
        spec = _gym_to_torchrl_spec_transform(space, categorical_action_encoding=encoding)
    spec = spec.expand(n, *spec.shape)
    return spec if dtype is None or not spec.dtype.is_floating_point else spec.to(dtype)
