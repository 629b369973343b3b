"""What people have made into a policy: names, classes and functions that make one, models, torch modules."""

from __future__ import annotations

import functools
import importlib
import inspect
import itertools
import os
import sys
import types
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongType, WrongValue, check_known
from taskworlds.core.other_names import names_tasks
from taskworlds.core.registry import world_of
from taskworlds.evaluation.loading import REFERENCE, load, note_origin, parameters, shown
from taskworlds.evaluation.player_of_worlds import PlayerOfWorlds
from taskworlds.evaluation.policies import RandomPolicy
from taskworlds.vector.composition import Composition

__all__ = ["as_policy", "load_policy", "play_in"]

_NAMES = ("expert", "random")
_KINDS = (
    f"the name of one (expert, random, {REFERENCE}), a callable on batched observations, an object with eval_action "
    "or predict, a torch module, or a class or function that makes one of these without arguments"
)
# Libraries with a type of policy of their own, and which module has `policy_of`: it returns the policy for `evaluate`,
# or None if an object is not of that library. Asked where the library has been imported: its owner has done so.
_LIBRARIES = {
    "ray.rllib": "taskworlds.integrations.rllib",
    "stable_baselines3": "taskworlds.integrations.sb3",
    "tensordict": "taskworlds.integrations.tensordict",
}


def as_policy(policy: Any) -> Any:
    """Returns a callable on batched observations, or an object with `eval_action`, for whatever stands for one.

    Args:
        policy: one of these, tried in this order:

            - a name: as `load_policy` takes it;
            - a class whose objects are made without arguments;
            - an object with `eval_action` (Meta-World's agents);
            - an object with `predict`, as Stable-Baselines3's models: it is asked for deterministic actions, and gets
              `state` and `episode_start` if it takes them. If `predict` returns two things, the first is the actions;
            - a torch module: it gets observations as tensors, those of floats in its own dtype, on its device, in
              evaluation mode and without gradients;
            - a function that can be called without arguments, and makes one of the others;
            - a callable on batched observations.

    Raises:
        TypeError: it is none of these, or a class that needs arguments.
        ValueError: there is nothing of that name.
    """
    return load_policy(policy) if isinstance(policy, str) else _policy_of(policy)


def load_policy(
    reference: str, /, *, checkpoint: str | os.PathLike[str] | None = None, **arguments: Any
) -> Any:
    """Returns the policy that a string names, as `taskworlds evaluate --policy` does.

    Args:
        reference: "expert" (the world's scripted one), "random", "package.module:object" or "file.py:object". Dots
            reach into attributes. What is found, or made with the following arguments, may be anything that `as_policy`
            takes.
        checkpoint: a file or folder. The function or class that is named gets its path as `checkpoint`, if it has such
            a parameter. A class with a class method `from_checkpoint` or `load`, such as Stable-Baselines3's
            algorithms, loads it with that method. Otherwise a torch module that is named, or made, takes the state dict
            in it, which `torch.load` reads with `weights_only=True`, or safetensors.
        **arguments: for the function or class that is named, or for the class's own loader.

    Raises:
        TypeError: `reference` is not a string; what it names is not a policy, takes other arguments, or no checkpoint.
        ValueError: it is written in another way; there is no such module, file, object or checkpoint; the file cannot
            be run; or the checkpoint cannot be read, or is of another network.

    Example:
        >>> type(load_policy("taskworlds.evaluation:ExpertPolicy")).__name__
        'ExpertPolicy'
    """
    if not isinstance(reference, str):
        raise WrongType(
            f"policy must be a string, as {REFERENCE}, not {shown(reference)}.", argument="policy"
        )
    if ":" in reference:
        found = load(reference, arguments, checkpoint)
        try:
            policy = _policy_of(found)
        except WrongType as error:
            raise WrongType(f"{reference!r} cannot be played: {error}", argument="policy") from None
        note_origin(policy, reference, arguments, checkpoint)
        return policy
    hint = f"Give expert, random, or your own as {REFERENCE}."
    if reference.endswith(".py"):
        hint = f"Name the object in the file: {reference}:object."
    elif os.path.exists(reference):
        hint = (
            "It is a file: name the class that loads it, as in --policy stable_baselines3:PPO --checkpoint "
            f"{reference}, in Python load_policy('stable_baselines3:PPO', checkpoint={reference!r})."
        )
    elif names_tasks(reference):
        hint = (
            f"It is the name of a benchmark or a skill. {hint} In Python the policy comes first: evaluate('random', "
            f"{reference!r})."
        )
    name = check_known("policy", reference, _NAMES, hint)
    if checkpoint is not None or arguments:
        raise WrongType(
            f"policy {name!r} takes no checkpoint and no arguments: leave them out.", argument="policy"
        )
    policy = _Named(name)
    note_origin(policy, name, {}, None)
    return policy


def _policy_of(policy: Any, maker: str = "") -> Any:
    """Returns what `as_policy` does; `maker` is the name of the class or function that made the object, if one did."""
    if isinstance(policy, type):
        if _needs_arguments(policy):
            raise WrongType(
                f"policy must be an object, not the class {policy.__name__}, which needs arguments: pass an instance.",
                argument="policy",
            )
        return _policy_of(policy(), maker or policy.__name__)
    if callable(getattr(policy, "eval_action", None)):
        return policy
    for library, module in _LIBRARIES.items():
        if library in sys.modules:
            found = importlib.import_module(module).policy_of(policy)
            if found is not None:
                return found
    if callable(getattr(policy, "predict", None)):
        return _Model(policy)
    torch = sys.modules.get("torch")  # whoever has a module has imported it
    if torch is not None and isinstance(policy, torch.nn.Module):
        return _Module(policy, torch)
    if not callable(policy):
        made = f", which {maker}() returned" if maker else ""
        raise WrongType(f"policy must be {_KINDS}, not {shown(policy)}{made}.", argument="policy")
    if not maker and _makes(policy):
        return _policy_of(policy(), getattr(policy, "__name__", "the function"))
    return policy


def play_in(
    policy: Any, action_space: gym.Space[Any], seed: int, composition: Composition | None = None
) -> Any:
    """Returns what `as_policy` returned, ready for an environment: "random" draws from its action space.

    Args:
        policy: the policy.
        action_space: of one row.
        seed: of "random".
        composition: which world each row serves, where they serve several. Then "random" draws from the action space of
            each row's world, and "expert" has each world's own.

    Raises:
        ValueError: a world has no expert.
    """
    if not isinstance(policy, _Named):
        return policy
    if composition is not None:
        return PlayerOfWorlds(policy.name, composition, seed)
    return RandomPolicy(action_space, seed) if policy.name == "random" else policy


class _Named:
    """The scripted expert of the world at hand, whose first episode tells which that is; "random" until `play_in`.

    Args:
        name: "expert" or "random".
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._player: Any = None

    def begin_episodes(self, mask: NDArray[np.bool_], infos: dict[str, Any]) -> None:
        """Passes on whose episodes begin."""
        if self._player is None:
            name = infos["task"][int(np.flatnonzero(mask)[0])].env_name
            try:
                world = world_of(name)
            except ValueError:
                world = None
            if world is None or world.experts is None:
                raise WrongValue(
                    f"There is no scripted expert for {name}: give 'random', or a policy of your own.",
                    argument="policy",
                )
            self._player = world.expert()
        if callable(begin := getattr(self._player, "begin_episodes", None)):
            begin(mask, infos)

    def __call__(self, obs: Any) -> Any:
        return self._player(obs)


class _Model:
    """A model with `predict`, which may keep a state from step to step.

    Args:
        model: as Stable-Baselines3's.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._takes = parameters(model.predict)
        self._state: Any = None
        self._starts: NDArray[np.bool_] | None = None

    def begin_episodes(self, mask: NDArray[np.bool_], infos: dict[str, Any]) -> None:
        """Notes whose episodes begin."""
        self._starts = mask.copy() if self._starts is None else self._starts | mask

    def __call__(self, obs: Any) -> Any:
        given = {"state": self._state, "episode_start": self._starts, "deterministic": True}
        found = self._model.predict(obs, **{name: given[name] for name in given if name in self._takes})
        if self._starts is not None:
            self._starts = np.zeros_like(self._starts)
        if isinstance(found, tuple) and len(found) == 2:
            found, self._state = found
        return found


class _Module:
    """A torch module from batched observations to actions.

    One that remembers may have `reset(mask)` and `begin_episodes(mask, infos)`, as any other policy.

    Args:
        module: it and its parts are left in the mode, training or evaluation, in which they were.
        torch: the library.

    Raises:
        TypeError: it has no `forward`.
    """

    def __init__(self, module: Any, torch: Any) -> None:
        if getattr(module.forward, "__func__", None) is torch.nn.Module.forward:
            parts = ", ".join(name for name, _ in module.named_children())
            raise WrongType(
                f"policy must make actions when it is called, and {type(module).__name__} is a torch module without "
                f"forward. Give the part of it that makes them{f' ({parts})' if parts else ''}, or a function on "
                "batched observations.",
                argument="policy",
            )
        self._module = module
        self._torch = torch

    def reset(self, env_mask: NDArray[np.bool_]) -> None:
        """Clears what the module remembers of the rows in the mask, (N,), if it has a method for that."""
        if parameters(getattr(self._module, "reset", None)):
            self._module.reset(env_mask)

    def begin_episodes(self, mask: NDArray[np.bool_], infos: dict[str, Any]) -> None:
        """Passes on whose episodes begin."""
        if callable(begin := getattr(self._module, "begin_episodes", None)):
            begin(mask, infos)

    def __call__(self, obs: Any) -> Any:
        torch, module = self._torch, self._module
        own = itertools.chain(module.parameters(), module.buffers())
        numbers = next((each for each in own if each.is_floating_point()), torch.zeros(0))
        modes = {part: part.training for part in module.modules()}
        module.eval()
        try:
            with torch.no_grad():
                return module(_tensors(torch, obs, numbers))
        finally:
            module.train(modes[module])
            for part, mode in modes.items():
                part.training = mode


def _tensors(torch: Any, obs: Any, like: Any) -> Any:
    """Returns observations as tensors, numbers of floats in the dtype of `like`, on its device."""
    if isinstance(obs, dict):
        return {name: _tensors(torch, each, like) for name, each in obs.items()}
    if isinstance(obs, tuple):
        return tuple(_tensors(torch, each, like) for each in obs)
    tensor = torch.as_tensor(np.asarray(obs))
    return tensor.to(device=like.device, dtype=like.dtype if tensor.is_floating_point() else None)


def _needs_arguments(kind: type) -> bool:
    try:
        inspect.signature(kind).bind()
    except TypeError:
        return True
    except ValueError:  # it is written in C and does not tell
        return False
    return False


def _makes(function: Any) -> bool:
    """Returns whether a callable makes a policy: it can be called without arguments, and is not one on observations.

    A function whose arguments all have defaults is taken for one that makes a policy; any other callable object with a
    place for observations, or with any number of arguments, for a policy.
    """
    try:
        signature = inspect.signature(function)
        signature.bind()
    except (TypeError, ValueError):
        return False
    kinds = {each.kind for each in signature.parameters.values()}
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return False
    by_position = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    plain = isinstance(function, types.FunctionType | types.MethodType | functools.partial)
    return plain or not kinds & by_position
