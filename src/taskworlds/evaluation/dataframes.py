"""Results as pandas DataFrames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from taskworlds.evaluation.records import TaskRecord

if TYPE_CHECKING:
    import pandas

__all__ = ["episode_rows", "frame_of", "joined"]


def frame_of(rows: Sequence[Sequence[Any]]) -> pandas.DataFrame:
    """Returns rows, of which the first names the columns, as a DataFrame.

    Raises:
        ImportError: pandas is not installed.
    """
    header, *content = rows
    return _pandas().DataFrame(content, columns=list(header))


def joined(frames: Sequence[pandas.DataFrame]) -> pandas.DataFrame:
    """Returns the frames of runs one below the other, with the number of the run, from 0 on, as first column.

    Raises:
        ImportError: pandas is not installed.
    """
    whole = _pandas().concat(list(frames), keys=range(len(frames)), names=["run"])
    return whole.reset_index(level="run").reset_index(drop=True)


def _pandas() -> Any:
    try:
        import pandas  # an optional library, which only DataFrames need
    except ImportError:
        raise ImportError(
            'to_dataframe needs pandas, which is not installed: pip install "taskworlds[report]".'
        ) from None
    return pandas


def episode_rows(records: Sequence[TaskRecord]) -> list[Sequence[Any]]:
    """Returns a row for each episode of tasks, after the names of the columns.

    Example:
        >>> from taskworlds import Task
        >>> from taskworlds.evaluation import Episode
        >>> record = TaskRecord(Task("reach-v3"), (Episode(8.0, 3, True, True),))
        >>> for row in episode_rows([record]):
        ...     print(row)
        ['env_name', 'task_id', 'episode', 'episode_return', 'length', 'success_once', 'success_end', 'diverged']
        ['reach-v3', 'f84f416abaf1', 0, 8.0, 3, True, True, False]
    """
    names = ("episode_return", "length", "success_once", "success_end", "diverged")
    rows: list[Sequence[Any]] = [["env_name", "task_id", "episode", *names]]
    for record in records:
        for number, episode in enumerate(record.episodes):
            figures = [getattr(episode, name) for name in names]
            rows.append([record.task.env_name, record.task.id, number, *figures])
    return rows
