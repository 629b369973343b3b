"""TorchRL's policies, which are modules of the library tensordict: what `evaluate` makes of one, by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue

try:
    import torch
    from tensordict import TensorDict
    from tensordict.nn import InteractionType, TensorDictModuleBase, set_interaction_type
except ImportError as error:
    raise ImportError(
        f"taskworlds.integrations.tensordict needs tensordict, which could not be imported ({error}): "
        'pip install "taskworlds[torchrl]".'
    ) from error

__all__ = ["TensorDictPolicy", "policy_of"]


def policy_of(policy: Any) -> TensorDictPolicy | None:
    """Returns a module of TorchRL's as a callable on batched observations; None if it is something else.

    Raises:
        ValueError: the module writes no action.
    """
    return TensorDictPolicy(policy) if isinstance(policy, TensorDictModuleBase) else None


class TensorDictPolicy:
    """A module that writes "action" into a TensorDict, asked for deterministic actions, without gradients.

    In the TensorDict of N rows it finds what `TaskworldsWrapper` would put there: "observation", or the parts of a Dict
    space; whatever of the infos of the episode's reset it reads, such as "goal" or "task_index"; and "is_init", (N, 1),
    True where an episode begins. Floats are of the dtype of its parameters, all on their device. What it writes under
    ("next", key) and reads under key, as a recurrent module does, is kept for the row's next step, and is zero where
    an episode begins; at the very first step it is missing, which LSTMModule and GRUModule take for zero.

    Args:
        module: it is left in the mode, training or evaluation, in which it was.

    Raises:
        ValueError: it writes no action; or, in a call, it reads a key that is missing.
    """

    def __init__(self, module: Any) -> None:
        if "action" not in module.out_keys:
            raise WrongValue(
                f"policy must write 'action' into the TensorDict, but this {type(module).__name__} writes "
                f"{module.out_keys}: give the actor, with out_keys=['action'].",
                argument="policy",
            )
        self._module = module
        self._carried = {
            key: _under_next(key) for key in module.in_keys if _under_next(key) in module.out_keys
        }
        self._states: dict[Any, torch.Tensor] = {}
        self._infos: dict[str, NDArray[Any]] = {}
        self._begins: NDArray[np.bool_] | None = None

    def begin_episodes(self, mask: NDArray[np.bool_], infos: dict[str, Any]) -> None:
        """Notes whose episodes begin, and what their resets told."""
        self._begins = mask.copy() if self._begins is None else self._begins | mask
        for name in self._module.in_keys:
            told = infos.get(name)
            if isinstance(told, np.ndarray) and told.dtype.kind in "biuf":
                values = self._infos.setdefault(name, np.zeros_like(told))
                values[mask] = told[mask]

    def __call__(self, obs: Any) -> Any:
        """Returns actions (N, ...) for a batch of observations: a tensor, or an array where they are choices."""
        observed = obs if isinstance(obs, dict) else {"observation": obs}
        n = len(next(iter(observed.values())))
        begins = np.ones(n, dtype=np.bool_) if self._begins is None else self._begins
        self._begins = np.zeros(n, dtype=np.bool_)
        given = {**self._infos, "is_init": begins, **observed}
        missing = [key for key in self._module.in_keys if key not in given and key not in self._carried]
        if missing:
            raise WrongValue(
                f"policy reads {missing}, but the TensorDict has only {list(given)} and the numbers in the infos of a "
                "reset: change its in_keys, or wrap it in a function that takes observations and returns actions.",
                argument="policy",
            )
        like = next((each for each in self._module.parameters() if each.is_floating_point()), torch.zeros(0))
        tensordict = TensorDict(_tensors(given, like), batch_size=[n], device=like.device)
        for key, state in self._states.items():
            rows = tensordict["is_init"].reshape(n, *[1] * (state.ndim - 1))
            tensordict[key] = state.masked_fill(rows, 0)
        was_training = self._module.training
        self._module.eval()
        try:
            with torch.no_grad(), set_interaction_type(InteractionType.DETERMINISTIC):
                outcome = self._module(tensordict)
        finally:
            self._module.train(was_training)
        self._states = {key: outcome[written] for key, written in self._carried.items()}
        return self._as_choices(outcome["action"])

    def _as_choices(self, actions: torch.Tensor) -> Any:
        """Returns one-hot choices as whole numbers, where a spec in the module tells that they are one-hot."""
        if not actions.is_floating_point():
            for spec in (getattr(part, "spec", None) for part in self._module.modules()):
                if spec is not None and "action" in spec and spec["action"] is not None:
                    return spec["action"].to_numpy(actions, safe=False)
        return actions


def _under_next(key: Any) -> tuple[str, ...]:
    return ("next", *((key,) if isinstance(key, str) else key))


def _tensors(values: dict[str, Any], like: torch.Tensor) -> dict[str, Any]:
    """Returns a batch as tensors, numbers as (N, 1) and floats of the dtype of `like`."""
    tensors: dict[str, Any] = {}
    for name, each in values.items():
        if isinstance(each, dict):
            tensors[name] = _tensors(each, like)
        else:
            tensor = torch.as_tensor(each if each.ndim > 1 else each[:, None])
            tensors[name] = tensor.to(like.dtype) if tensor.is_floating_point() else tensor
    return tensors
