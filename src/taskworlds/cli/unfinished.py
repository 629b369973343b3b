"""The part of an evaluation that was finished when it was stopped, in the folder that its files were to go to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskworlds.core.errors import WrongValue
from taskworlds.core.files import write_whole

if TYPE_CHECKING:
    from taskworlds.evaluation import Result

__all__ = ["NAME", "load", "save"]

NAME = "unfinished.json"
"""The file's name."""

_FORMAT = "taskworlds.Unfinished"


def save(folder: Path, result: Result, policy: str) -> None:
    """Writes the tasks that were finished, and which policy played them.

    Raises:
        OSError: the file cannot be written.
    """
    data = {"format": _FORMAT, "policy": policy, "result": json.loads(result.to_json())}
    write_whole(folder / NAME, json.dumps(data, indent=1).encode())


def load(folder: Path, policy: str) -> Result:
    """Reads what `save` wrote.

    Args:
        folder: where it is.
        policy: what is to play the other tasks, in the same words.

    Raises:
        ValueError: there is nothing, it is damaged, or another policy has played it.
    """
    from taskworlds.evaluation import Result  # loads a simulator, which the lists can do without

    file = folder / NAME
    try:
        data: Any = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WrongValue(
            f"--resume continues an evaluation that was stopped, but {folder} holds no {NAME}. Leave out --resume to "
            "start one."
        ) from None
    except OSError as error:
        raise WrongValue(f"{file} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise WrongValue(f"{file} is damaged ({error}). Start over with --force.") from None
    if (
        not isinstance(data, dict)
        or data.get("format") != _FORMAT
        or not isinstance(data.get("result"), dict)
    ):
        raise WrongValue(f"{file} was not written by `taskworlds evaluate`. Start over with --force.")
    if data.get("policy") != policy:
        raise WrongValue(
            f"--policy must be the one that played the finished tasks, {data.get('policy')!r}, not {policy!r}. Start "
            "over with --force."
        )
    return Result.from_json(json.dumps(data["result"]))
