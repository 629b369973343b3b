"""A result as text: JSON with every float exact and a checksum. docs/results.md describes the format."""

from __future__ import annotations

import dataclasses
import json
import math
import reprlib
from collections.abc import Mapping
from typing import Any

from taskworlds.core import json_text
from taskworlds.core.errors import WrongType, WrongValue, check_choice, check_count, check_seed
from taskworlds.core.task import Task
from taskworlds.evaluation.fingerprint import Fingerprint, packages_of
from taskworlds.evaluation.provenance import Provenance
from taskworlds.evaluation.records import Episode, TaskRecord

__all__ = ["WHAT", "episode_from_dict", "episode_to_dict", "fields_of", "text_of"]

WHAT = "a saved Result"
"""What a text is that `fields_of` takes, for messages."""
_FORMAT = "taskworlds.Result"
_VERSION = 4
_READ = (1, 2, 3, 4)
_SEALED = 3  # the first version with a checksum
# 1: each package's version was a field of the fingerprint; 1 and 2: without a checksum; 1 to 3: without provenance


def text_of(fields: Mapping[str, Any]) -> str:
    """Returns the fields of a `Result`, by name, as JSON."""
    provenance: Provenance | None = fields["provenance"]
    data = {
        "format": _FORMAT,
        "format_version": _VERSION,
        "benchmark": fields["benchmark"],
        "split": fields["split"],
        "episodes_per_task": fields["episodes_per_task"],
        "seed": fields["seed"],
        "provenance": None if provenance is None else provenance.to_dict(),
        "fingerprint": fields["fingerprint"].to_dict(),
        "tasks": [
            {
                "task": json.loads(record.task.to_json()),
                "error": record.error,
                "episodes": list(map(episode_to_dict, record.episodes)),
            }
            for record in fields["tasks"]
        ],
    }
    return json.dumps(json_text.seal(data), indent=1, allow_nan=False)


def fields_of(text: str) -> dict[str, Any]:
    """Returns the fields of a `Result`, by name, from the text that `text_of` returned.

    Raises:
        ValueError: the text is cut off, damaged or changed, holds what cannot be, or is something else's.
    """
    data = json_text.parse_format(text, WHAT, _FORMAT)
    version = data.get("format_version")
    if version not in _READ:
        raise WrongValue(
            f"This Result has format_version {reprlib.repr(version)}, and this version of taskworlds reads "
            f"{_READ[0]} to {_READ[-1]}. Use the version that wrote it: "
            f"{reprlib.repr(data.get('fingerprint'))}."
        )
    try:
        quota = check_count("episodes_per_task", data["episodes_per_task"])
        tasks = tuple(_to_record(record, quota) for record in data["tasks"])
        fingerprint = Fingerprint.from_dict(data["fingerprint"])
        check_choice("split", data["split"], (None, "train", "test"))
        if not isinstance(data["benchmark"], str):
            raise WrongType(f"benchmark must be a string, not {data['benchmark']!r}.")
        fingerprint.check_tasks([record.task for record in tasks])
        if version == 1 and fingerprint.registered_skills is None:
            names = packages_of(record.task.env_name for record in tasks)
            packages = {name: fingerprint.packages.get(name) for name in names}
            fingerprint = dataclasses.replace(fingerprint, packages=packages)
        provenance = data["provenance"] if version >= _VERSION else None
        fields = {
            "benchmark": data["benchmark"],
            "split": data["split"],
            "episodes_per_task": quota,
            "seed": check_seed(data["seed"]),
            "fingerprint": fingerprint,
            "tasks": tasks,
            "provenance": None if provenance is None else Provenance.from_dict(provenance),
        }
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise WrongValue(f"This saved Result is damaged: {json_text.why(error)}.") from error
    if version >= _SEALED:
        json_text.check_seal(data, "This saved Result")
    return fields


def _to_record(data: Any, quota: int) -> TaskRecord:
    """Returns the record of a task in a file; raises TypeError, KeyError or ValueError for one that cannot be.

    Args:
        data: what the file says.
        quota: how many episodes the task was given.
    """
    episodes = tuple(map(episode_from_dict, data["episodes"]))
    error = data["error"]
    if not (error is None or isinstance(error, str)):
        raise WrongType(f"error must be a string or None, not {error!r}.")
    if len(episodes) > quota or (error is None and not episodes):
        raise WrongValue(f"A task must have from 1 to {quota} episodes, not {len(episodes)}")
    return TaskRecord(Task.from_dict(data["task"]), episodes, error)


def episode_from_dict(data: Any) -> Episode:
    """Returns an episode from what `episode_to_dict` returned.

    Raises:
        TypeError, KeyError, ValueError: it cannot be.
    """
    once, end = (
        check_choice(name, data[name], (None, True, False)) for name in ("success_once", "success_end")
    )
    if end is not None and (once is None or end > once):
        raise WrongValue(f"An episode that ends with success_end {end} cannot have success_once {once}")
    given = data["return"]
    if isinstance(given, bool) or not (isinstance(given, int | float) or given in _NOT_FINITE):
        raise WrongValue(f"return must be a number, not {given!r}")
    diverged = check_choice("diverged", data.get("diverged", False), (True, False))  # absent in older files
    attempts = tuple(map(episode_from_dict, data.get("attempts", ())))
    return Episode(float(given), check_count("length", data["length"]), once, end, diverged, attempts)


def episode_to_dict(episode: Episode) -> dict[str, Any]:
    """Returns an episode as JSON values."""
    data = {
        "return": _to_number(episode.episode_return),
        "length": episode.length,
        "success_once": episode.success_once,
        "success_end": episode.success_end,
        "diverged": episode.diverged,
    }
    return data | ({"attempts": list(map(episode_to_dict, episode.attempts))} if episode.attempts else {})


_NOT_FINITE = ("nan", "inf", "-inf")


def _to_number(value: float) -> float | str:
    """Returns a float for JSON, which has no NaN and no infinity: these become strings that `float` reads."""
    return value if math.isfinite(value) else str(value)
