"""Tables of a LeRobot data set: frames, episodes and tasks, as Parquet files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Frames", "write_episodes", "write_tasks"]

_MOST_BYTES = 100 * 2**20  # of a file, as LeRobot's own writer has it


class Frames:
    """Writes the frames of episodes, a row group for each episode. Close it, or the last file is not whole.

    Args:
        path: returns the path of a file, by its number.
    """

    def __init__(self, path: Callable[[int], Path]) -> None:
        self._path = path
        self._file = -1
        self._bytes = 0
        self._writer: Any = None

    def add(self, columns: Mapping[str, NDArray[Any]]) -> int:
        """Appends an episode's frames, and returns the number of the file.

        Args:
            columns: by feature, (T,) or (T, k), in the dtype that is kept; text as an array of objects.
        """
        import pyarrow as pa  # optional: lerobot_data checks it
        import pyarrow.parquet as pq

        table = pa.table({name: _column(values) for name, values in columns.items()})
        if self._writer is None or self._bytes + table.nbytes > _MOST_BYTES:
            self.close()
            self._file += 1
            self._bytes = 0
            path = self._path(self._file)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(str(path), table.schema, compression="snappy")
        self._bytes += table.nbytes
        self._writer.write_table(table)
        return self._file

    def close(self) -> None:
        """Closes the file."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()


def write_episodes(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes the table of episodes: a row for each, with the same columns, of numbers, texts and lists of them."""
    import pyarrow as pa  # as above
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: pa.array([row[name] for row in rows]) for name in rows[0]}
    pq.write_table(pa.table(columns), str(path), compression="snappy")


def write_tasks(path: Path, texts: Sequence[str]) -> None:
    """Writes the table of tasks: what is to be done in words, and its number.

    Readers load it with pandas and look texts up in its index. That the texts are the index stands in the schema's
    metadata of pandas; without it every text would be read as a number.
    """
    import pyarrow as pa  # as above
    import pyarrow.parquet as pq

    table = pa.table(
        {"task_index": pa.array(range(len(texts)), pa.int64()), "task": pa.array(texts, pa.string())}
    )
    metadata = {
        "index_columns": ["task"],
        "column_indexes": [
            {
                "name": None,
                "field_name": None,
                "pandas_type": "unicode",
                "numpy_type": "object",
                "metadata": {"encoding": "UTF-8"},
            }
        ],
        "columns": [
            {
                "name": "task_index",
                "field_name": "task_index",
                "pandas_type": "int64",
                "numpy_type": "int64",
                "metadata": None,
            },
            {
                "name": "task",
                "field_name": "task",
                "pandas_type": "unicode",
                "numpy_type": "object",
                "metadata": None,
            },
        ],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    table = table.replace_schema_metadata({"pandas": json.dumps(metadata)})
    pq.write_table(table, str(path), compression="snappy")


def _column(values: NDArray[Any]) -> Any:
    """Returns a column: vectors as lists of a fixed size, and single numbers and texts plain."""
    import pyarrow as pa  # as above

    if values.ndim == 1:
        return pa.array(values.tolist(), pa.string()) if values.dtype == object else pa.array(values)
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
