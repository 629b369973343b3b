"""What people have made into a policy: names, files, classes and functions that make one, models, torch modules."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongType, WrongValue, check_known
from taskworlds.core.registry import world_of
from taskworlds.evaluation.policies import RandomPolicy

__all__ = ["as_policy", "load_policy", "play_in"]

_KINDS = (
    'the name of one ("expert", "random", "package.module:object", "./file.py:object"), a callable on batched '
    "observations, an object with eval_action or predict, a torch module, or a function without arguments that makes "
    "one of these"
)
# Libraries with a type of policy of their own, and which module has `policy_of`: it returns the policy for `evaluate`,
# or None if an object is not of that library. Asked where the library has been imported: its owner has done so.
_LIBRARIES: dict[str, str] = {"ray.rllib": "taskworlds.integrations.rllib"}
_REFERENCE = re.compile(r"([^:]+|.+\.py):([^\W\d]\w*(?:\.\w+)*)(?:\((.*)\))?", re.DOTALL)


def as_policy(policy: Any) -> Any:
    """Returns a callable on batched observations, or an object with `eval_action`, for whatever stands for one.

    Args:
        policy: one of these, tried in this order:

            - a name: "expert" (the world's scripted one), "random", or what `load_policy` takes;
            - a class whose objects are made without arguments;
            - an object with `eval_action` (Meta-World's agents);
            - an object with `predict`, as Stable-Baselines3's models: it is asked for deterministic actions, and gets
              `state` and `episode_start` if it takes them. If `predict` returns two things, the first is the actions;
            - a torch module: it gets observations as tensors of its own dtype and device, in evaluation mode and
              without gradients;
            - a function without arguments, which makes one of the others;
            - a callable on batched observations.

    Raises:
        TypeError: it is none of these, or a class that needs arguments.
        ValueError: there is nothing of that name.
    """
    return _policy_of(policy, can_make=True)


def _policy_of(policy: Any, *, can_make: bool) -> Any:
    if isinstance(policy, str):
        if ":" in policy:
            return load_policy(policy)
        hint = "Or name your own, as package.module:object or ./file.py:object."
        return _Named(check_known("policy", policy, ("expert", "random"), hint))
    if isinstance(policy, type):
        if _needs_arguments(policy):
            raise WrongType(
                f"policy must be an object, not the class {policy.__name__}, which needs arguments: make one, "
                f"{policy.__name__}{inspect.signature(policy)}.",
                argument="policy",
            )
        return _policy_of(policy(), can_make=can_make)
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
        raise WrongType(f"policy must be {_KINDS}, not {policy!r}.", argument="policy")
    if can_make and _takes_nothing(policy):
        return _policy_of(policy(), can_make=False)
    return policy


def play_in(policy: Any, action_space: gym.Space[Any], seed: int) -> Any:
    """Returns what `as_policy` returned, ready for an environment: "random" draws from its action space."""
    return (
        RandomPolicy(action_space, seed) if isinstance(policy, _Named) and policy.name == "random" else policy
    )


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
        self._takes = _parameters(model.predict)
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

    Args:
        module: it is left in the mode, training or evaluation, in which it was.
        torch: the library.
    """

    def __init__(self, module: Any, torch: Any) -> None:
        self._module = module
        self._torch = torch

    def __call__(self, obs: Any) -> Any:
        torch, module = self._torch, self._module
        numbers = next((each for each in module.parameters() if each.is_floating_point()), torch.zeros(0))
        was_training = module.training
        module.eval()
        try:
            with torch.no_grad():
                return module(_tensors(torch, obs, numbers))
        finally:
            module.train(was_training)


def _tensors(torch: Any, obs: Any, like: Any) -> Any:
    """Returns observations as tensors, numbers of floats in the dtype of `like`, on its device."""
    if isinstance(obs, dict):
        return {name: _tensors(torch, each, like) for name, each in obs.items()}
    if isinstance(obs, tuple):
        return tuple(_tensors(torch, each, like) for each in obs)
    tensor = torch.as_tensor(np.asarray(obs))
    return tensor.to(device=like.device, dtype=like.dtype if tensor.is_floating_point() else None)


def _parameters(function: Any) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # it is written in C and does not tell
        return []


def _needs_arguments(kind: type) -> bool:
    try:
        inspect.signature(kind).bind()
    except TypeError:
        return True
    except ValueError:  # as above
        return False
    return False


def _takes_nothing(function: Any) -> bool:
    """Returns whether a function can be called without arguments, and cannot take observations."""
    try:
        signature = inspect.signature(function)
        signature.bind()
    except (TypeError, ValueError):
        return False
    by_position = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    )
    return not any(each.kind in by_position for each in signature.parameters.values())


# --- by name ------------------------------------------------------------------------------------------------


def load_policy(reference: str) -> Any:
    """Returns the policy that a string names, as `taskworlds evaluate --policy` does.

    Args:
        reference: "package.module:object", or "path/to/file.py:object". Dots reach into attributes. What is found may
            be all that `as_policy` takes. A function or class may be given one text, such as the path of a checkpoint:
            "agents.py:load(runs/3.zip)"; then it is called with it, and what it returns is the policy.

    Raises:
        TypeError: `reference` is not a string, or what it names is not a policy.
        ValueError: it is written in another way, there is no such module, file or object, or the file cannot be run.

    Example:
        >>> type(load_policy("taskworlds.evaluation:ExpertPolicy")).__name__
        'ExpertPolicy'
    """
    if not isinstance(reference, str):
        raise WrongType(f"A policy is named 'package.module:object', as a string, not {reference!r}.")
    matched = _REFERENCE.fullmatch(reference)
    if matched is None:
        raise WrongValue(
            f"A policy is named 'package.module:object' or './file.py:object', with one colon, not {reference!r}."
        )
    place, object_name, argument = matched.groups()
    found: Any = _file(reference, place) if place.endswith(".py") else _module(reference, place)
    for part in object_name.split("."):
        if not hasattr(found, part):
            names = [name for name in dir(found) if not name.startswith("_")]
            usable = [name for name in names if _can_play(getattr(found, name, None))]
            check_known(f"object in {place}", part, usable, f"It is named by {reference!r}.")
        found = getattr(found, part)
    if argument is not None:
        if not callable(found):
            raise WrongType(f"{reference!r} gives an argument to {found!r}, which cannot be called.")
        found = found(argument)
    try:
        return as_policy(found)
    except WrongType as error:
        raise WrongType(f"{reference!r} is not a policy: it is {found!r}. {error}") from None


def _can_play(value: Any) -> bool:
    return callable(value) or any(callable(getattr(value, name, None)) for name in ("eval_action", "predict"))


def _module(reference: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (ModuleNotFoundError, ValueError, TypeError) as error:
        missing = getattr(error, "name", None) or name
        if isinstance(error, ModuleNotFoundError) and not f"{name}.".startswith(f"{missing}."):
            raise  # the module is there, and something that it imports is not
        raise WrongValue(
            f"The policy {reference!r} names the module {name!r}, but there is no module {missing!r}. Give a module "
            "that can be imported from here, or a file, as ./file.py:object; the current directory may have to be on "
            "PYTHONPATH."
        ) from None


def _file(reference: str, name: str) -> ModuleType:
    """Runs a file as a module; what it imports may lie beside it, as with `python file.py`."""
    path = Path(name).expanduser()
    if not path.is_file():
        raise WrongValue(f"The policy {reference!r} names the file {name}, which does not exist.")
    taken = path.stem in sys.modules or path.stem in sys.stdlib_module_names
    own_name = f"{path.stem}_of_policy" if taken else path.stem
    spec = importlib.util.spec_from_file_location(own_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    folder = str(path.parent.resolve())
    if folder not in sys.path:
        sys.path.append(folder)  # at the end, where it hides no other module
    sys.modules[own_name] = module  # where pickle and dataclasses look for what the file defines
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[own_name]
        raise WrongValue(
            f"The policy {reference!r} could not be loaded: {type(error).__name__} in {name}, line "
            f"{_line(error, path)}: {error}."
        ) from error
    return module


def _line(error: BaseException, path: Path) -> int | str:
    """Returns the last line of a file that led to an error."""
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return error.lineno
    lines: list[int] = []
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename) in (path, path.resolve()):
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return lines[-1] if lines else "?"
