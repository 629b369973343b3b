"""How a policy is found by name: in a module or a file, made with arguments, and given what a checkpoint holds.

Nothing here unpickles. A checkpoint goes to a loader that the user has named, or PyTorch reads tensors from it.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import inspect
import json
import os
import pickle
import re
import reprlib
import sys
import traceback
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from taskworlds.core.errors import Mistake, WrongType, WrongValue, check_known, unexpected_keywords

__all__ = [
    "REFERENCE",
    "Origin",
    "checkpoint_digest",
    "load",
    "loaded_files",
    "note_origin",
    "origin_of",
    "parameters",
    "shown",
]

REFERENCE = "package.module:object or file.py:object"
"""How an object is named, for messages."""

_REFERENCE = re.compile(
    r"([^:]+|.+\.py):([^\W\d]\w*(?:\.\w+)*)", re.DOTALL
)  # the file may be on Windows's C:
_LOADERS = ("from_checkpoint", "load")  # methods of classes, as RLlib's and Stable-Baselines3's
_TAKES_CHECKPOINT = (
    "What can load a checkpoint: a class with a class method `load` or `from_checkpoint`, such as "
    "stable_baselines3:PPO; a function or class with a parameter `checkpoint`; and, if it is a state dict, a torch "
    "module or what makes one."
)
_LISTED = 3  # names, in a message
_WIDTH = 100  # characters of a signature or a value, in a message


class Origin(NamedTuple):
    """Where a policy comes from.

    Attributes:
        name: as it was given, such as "expert" or "agent.py:make", or the name of the object's class or function.
        arguments: JSON values by name, which it was made of.
        checkpoint: the path that was given; None without one.
        checkpoint_sha256: of what is there.
    """

    name: str
    arguments: dict[str, Any] = {}
    checkpoint: str | None = None
    checkpoint_sha256: str | None = None

    def in_words(self) -> str:
        """Returns a line that is the same only for the same arguments and the same bytes of the checkpoint.

        Example:
            >>> Origin("agent.py:make", {"width": 64}).in_words()
            'agent.py:make(width=64)'
        """
        given = ", ".join(f"{name}={json.dumps(value)}" for name, value in sorted(self.arguments.items()))
        words = f"{self.name}({given})" if given else self.name
        if self.checkpoint is None:
            return words
        return f"{words} with {self.checkpoint} (sha256 {(self.checkpoint_sha256 or '?')[:16]})"


_files: dict[str, ModuleType] = {}  # by name in sys.modules, modules that were files
_origins: dict[int, tuple[weakref.ref[Any], Origin]] = {}  # by id, of objects that are still there

_repr = reprlib.Repr()
_repr.maxother = _repr.maxstring = _WIDTH


def load(reference: str, arguments: Mapping[str, Any], checkpoint: str | os.PathLike[str] | None) -> Any:
    """Returns what a reference names: as it is or, with arguments or a checkpoint, what it makes.

    Args:
        reference: as `REFERENCE`. Dots reach into attributes.
        arguments: by name, for the function or class that it names.
        checkpoint: a file or folder. It is passed to a parameter named `checkpoint`, or else to the class's own
            `from_checkpoint` or `load`; or else it is a state dict for the torch module that is named or made.

    Raises:
        ImportError: a module that the policy imports is missing.
        TypeError: what is named takes no such arguments, or no checkpoint.
        ValueError: it is written in another way; there is no such module, file, object or checkpoint; or one of them
            cannot be read, or is of another network.
    """
    found = _found(reference)
    taken = parameters(found)
    if checkpoint is None:
        if "checkpoint" in taken and taken["checkpoint"].default is inspect.Parameter.empty:
            raise WrongType(
                f"{reference!r} needs a checkpoint: give --checkpoint PATH on the command line, "
                f"load_policy({reference!r}, checkpoint=PATH) in Python."
            )
        makes = isinstance(found, type)
        return _made(reference, found, arguments) if arguments or makes else found
    path = _existing(checkpoint)
    if "checkpoint" in taken:
        return _made(reference, found, {**arguments, "checkpoint": str(path)})
    if isinstance(found, type):
        for name in _LOADERS:
            if isinstance(inspect.getattr_static(found, name, None), classmethod | staticmethod):
                return _loaded(f"{reference}.{name}", getattr(found, name), path, arguments)
    try:
        made = found if _is_made(found) and not arguments else _made(reference, found, arguments)
    except WrongType as error:
        raise WrongType(f"checkpoint cannot be used: {error} {_TAKES_CHECKPOINT}", "checkpoint") from None
    if not callable(getattr(made, "load_state_dict", None)):
        raise WrongType(
            f"checkpoint cannot be used: {reference!r} {'is' if made is found else 'made'} {shown(made)}. "
            f"{_TAKES_CHECKPOINT}",
            argument="checkpoint",
        )
    _fill(reference, made, path)
    return made


def shown(value: Any) -> str:
    """Returns what a value is, in one short line."""
    return " ".join(_repr.repr(value).split())


def parameters(function: Any) -> Mapping[str, inspect.Parameter]:
    """Returns a function's parameters by name; none if it does not tell."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # it cannot be called, or is written in C
        return {}


# --- the object ---------------------------------------------------------------------------------------------


def _found(reference: str) -> Any:
    """Returns the object that a reference names."""
    matched = _REFERENCE.fullmatch(reference)
    if matched is None:
        hint = ""
        if reference.endswith(")"):
            hint = " Arguments are given one by one: --policy-arg NAME=VALUE, or as keywords of load_policy."
        raise WrongValue(
            f"A policy must be named {REFERENCE}, with a Python name after one colon, not {reference!r}.{hint}"
        )
    place, name = matched.groups()
    found: Any = _file(reference, place) if place.endswith(".py") else _module(reference, place)
    for part in name.split("."):
        if not hasattr(found, part):
            usable = [each for each in dir(found) if not each.startswith("_") and _can_play(found, each)]
            check_known(f"object in {place}", part, usable, f"It is named by {reference!r}.")
        found = getattr(found, part)
    return found


def _can_play(owner: Any, name: str) -> bool:
    value = getattr(owner, name, None)
    return callable(value) or any(callable(getattr(value, each, None)) for each in ("eval_action", "predict"))


def _module(reference: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (ModuleNotFoundError, ValueError, TypeError) as error:
        missing = getattr(error, "name", None) or name
        if isinstance(error, ModuleNotFoundError) and not f"{name}.".startswith(f"{missing}."):
            raise  # the module is there, and something that it imports is not
        raise WrongValue(
            f"The policy {reference!r} names the module {name!r}, but there is no module {missing!r}. Give a module "
            "that can be imported from here, or a file, as file.py:object; the current directory may have to be on "
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
    except (Exception, SystemExit) as error:  # a script without a guard for __main__ parses our command line
        del sys.modules[own_name]
        raise WrongValue(
            f"The policy {reference!r} could not be loaded: {type(error).__name__} in {name}, line "
            f"{_line(error, path)}: {error}."
        ) from error
    _files[own_name] = module
    return module


def loaded_files() -> list[ModuleType]:
    """Returns the modules that were named as files: another process may not find them by their names."""
    return [module for name, module in _files.items() if sys.modules.get(name) is module]


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


# --- with arguments -----------------------------------------------------------------------------------------


def _made(reference: str, found: Any, arguments: Mapping[str, Any]) -> Any:
    """Returns what a function or class makes of arguments."""
    if _is_made(found):
        raise WrongType(f"{reference!r} takes no arguments: it is {shown(found)}, not a function or a class.")
    try:
        signature = inspect.signature(found)
    except ValueError:  # it is written in C and does not tell
        return found(**arguments)
    try:
        signature.bind(**arguments)
    except TypeError as error:
        name = getattr(found, "__name__", type(found).__name__)
        whole = f"{name}{_brief(signature)}"
        unknown = [each for each in arguments if each not in signature.parameters]
        if unknown and not _takes_any(signature):
            fault = f"{unexpected_keywords(f'{name}()', unknown, signature.parameters)} It is {whole}."
        else:
            fault = (
                f"{whole} is {error}. Arguments are given by name, --policy-arg NAME=VALUE on the command line, "
                f"load_policy({reference!r}, NAME=VALUE) in Python"
            )
            loads = isinstance(found, type) and any(hasattr(found, each) for each in _LOADERS)
            fault += ", and a saved one with --checkpoint PATH, checkpoint=PATH." if loads else "."
        raise WrongType(f"{reference!r} cannot be made: {fault}") from None
    return found(**arguments)


def _brief(signature: inspect.Signature) -> str:
    """Returns a signature without annotations, cut where it is long."""
    plain = [each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()]
    text = str(inspect.Signature(plain))
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH].rpartition(',')[0]}, ...)"


def _is_made(found: Any) -> bool:
    """Returns whether an object is something made, such as a model, and not a function or class that makes one."""
    methods = ("eval_action", "predict", "load_state_dict")
    return not callable(found) or (
        not isinstance(found, type) and any(callable(getattr(found, each, None)) for each in methods)
    )


def _takes_any(signature: inspect.Signature) -> bool:
    return any(each.kind is inspect.Parameter.VAR_KEYWORD for each in signature.parameters.values())


# --- from a checkpoint --------------------------------------------------------------------------------------


def _existing(checkpoint: str | os.PathLike[str]) -> Path:
    path = Path(checkpoint).expanduser()
    if path.exists():
        return path
    beside = sorted(path.parent.glob(f"{path.name}.*")) if path.name else []
    hint = f" Did you mean {beside[0]}?" if beside else ""
    raise WrongValue(
        f"checkpoint must be a file or a folder that exists, not {os.fspath(checkpoint)}.{hint}",
        argument="checkpoint",
    )


def checkpoint_digest(checkpoint: str | os.PathLike[str]) -> str:
    """Returns the sha256 of a file or, for a folder, of the names and contents of its files; 64 hexadecimal digits.

    Raises:
        ValueError: there is no such file or folder.
        OSError: it cannot be read.
    """
    path = _existing(checkpoint)
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.is_file())
        digests = (f"{each.relative_to(path).as_posix()} {checkpoint_digest(each)}\n" for each in files)
        return hashlib.sha256("".join(digests).encode()).hexdigest()
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _loaded(name: str, loader: Callable[..., Any], path: Path, arguments: Mapping[str, Any]) -> Any:
    """Returns what a class's own loader makes of a checkpoint."""
    try:
        return loader(str(path.absolute()), **arguments)  # RLlib takes a relative one for an address
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise WrongValue(
            f"checkpoint {path} could not be loaded by {name}: {_sentence(error)} ({Path(last.filename).name}, line "
            f"{last.lineno}). It must have been saved by an object of this class.",
            argument="checkpoint",
        ) from error


def _fill(reference: str, module: Any, path: Path) -> None:
    """Puts a state dict on disk into a torch module."""
    if path.is_dir():
        raise WrongValue(
            f"checkpoint must be a file with a state dict for the torch module of {reference!r}, but {path} is a "
            f"folder.{_contents(path)}",
            argument="checkpoint",
        )
    try:
        state = _state_in(path)
    except Mistake:
        raise
    except Exception as error:
        reason = f"it is damaged or of another kind ({_sentence(error)})"
        if isinstance(error, pickle.UnpicklingError):
            reason = "it also holds other objects, and nothing is unpickled here"
        raise WrongValue(
            f"checkpoint {path} cannot be read as a state dict, which holds tensors alone: {reason}. Write it with "
            "torch.save(module.state_dict(), path); or read it yourself, in a function with a parameter `checkpoint`.",
            argument="checkpoint",
        ) from error
    try:
        module.load_state_dict(state)
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise WrongValue(
            f"checkpoint {path} does not fit the torch module of {reference!r}: {_differences(state, module) or error}",
            argument="checkpoint",
        ) from error


def _contents(folder: Path) -> str:
    names = sorted(each.name for each in folder.iterdir())
    return f" It holds {_listed(names)}." if names else ""


def _state_in(path: Path) -> Any:
    if path.suffix == ".safetensors":
        try:
            from safetensors.torch import load_file  # an optional library
        except ImportError:
            raise WrongValue(
                f"{path} needs safetensors, which is not installed: pip install safetensors"
            ) from None
        return load_file(path)
    import torch  # which whoever has made the module has

    return torch.load(path, map_location="cpu", weights_only=True)


def _differences(state: Any, module: Any) -> str:
    """Returns how a state dict differs from a module's, in one sentence; nothing if it does not."""
    if not isinstance(state, Mapping):
        return f"it holds {shown(state)}, not a state dict."
    own = module.state_dict()
    faults = []
    if missing := [name for name in own if name not in state]:
        faults.append(f"it has no {_listed(missing)}")
    if unknown := [str(name) for name in state if name not in own]:
        faults.append(f"it has {_listed(unknown)}, which the module does not have")
    for name in own:
        shape, expected = (getattr(each.get(name), "shape", None) for each in (state, own))
        if name in state and expected is not None and shape != expected:
            there = shown(state[name]) if shape is None else tuple(shape)
            faults.append(f"{name} is {there} in the checkpoint and {tuple(expected)} in the module")
    more = f"; and {len(faults) - _LISTED} more" if len(faults) > _LISTED else ""
    return "; ".join(faults[:_LISTED]) + more + "." if faults else ""


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _sentence(error: BaseException) -> str:
    """Returns an error and the first sentence of its text."""
    text = (str(error).strip().splitlines() or [""])[0].partition(". ")[0].rstrip(". ")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


# --- where policies come from -------------------------------------------------------------------------------


def note_origin(
    policy: Any, name: str, arguments: Mapping[str, Any], checkpoint: str | os.PathLike[str] | None
) -> None:
    """Notes where a policy comes from, as long as it is there."""
    given = {each: _as_json(value) for each, value in arguments.items()}
    origin = Origin(name, given)
    if checkpoint is not None:
        origin = Origin(name, given, os.fspath(checkpoint), checkpoint_digest(checkpoint))
    with contextlib.suppress(TypeError):  # a few kinds of objects cannot be referred to weakly
        key = id(policy)
        _origins[key] = weakref.ref(policy, lambda _: _origins.pop(key, None)), origin


def origin_of(policy: Any) -> Origin:
    """Returns where a policy comes from: what was noted, or else the name of its class or function.

    Example:
        >>> origin_of("random").name, origin_of(origin_of).name
        ('random', 'taskworlds.evaluation.loading:origin_of')
    """
    if isinstance(policy, str):
        return Origin(policy)
    known = _origins.get(id(policy))
    if known is not None and known[0]() is policy:
        return known[1]
    named = getattr(policy, "func", policy)  # of a functools.partial
    if not isinstance(getattr(named, "__qualname__", None), str):
        named = type(named)
    return Origin(f"{named.__module__}:{named.__qualname__}")


def _as_json(value: Any) -> Any:
    """Returns a value if it is one of JSON, and a short text of any other."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return shown(value)
