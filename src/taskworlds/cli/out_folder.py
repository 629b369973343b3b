"""The folder that an evaluation is written to: its episodes as they end, and its result."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from taskworlds.cli.config import NAME as CONFIG
from taskworlds.cli.terminal import counted
from taskworlds.core.errors import WrongValue
from taskworlds.core.files import write_whole

if TYPE_CHECKING:
    from taskworlds.evaluation import Result

__all__ = ["FILES", "JOURNAL", "OutFolder"]

FILES = ("result.json", "tasks.csv", "skills.csv", CONFIG)
JOURNAL = "episodes.jsonl"  # as in taskworlds.evaluation.journal, which loads a simulator


class OutFolder:
    """The folder of an evaluation; it is made if it is not there.

    Args:
        path: of the folder.
        force: whether what is there is written over.
        resume: whether an evaluation that was stopped there goes on.

    Attributes:
        path: as given.

    Raises:
        ValueError: it holds something else, or cannot be written to.
    """

    def __init__(self, path: Path, *, force: bool, resume: bool) -> None:
        self.path = path
        self._journal = path / JOURNAL
        there = [name for name in FILES if name != CONFIG and (path / name).exists()]
        if resume and not force and FILES[0] in there:
            raise WrongValue(
                f"--resume has nothing to play: {path} already holds the result of a whole evaluation. `taskworlds "
                f"report {path}` shows it. Give --force to play it again."
            )
        if there and not force:
            raise WrongValue(
                f"--out must be a folder without results, but {path} already holds {', '.join(there)}. Give another "
                "folder, or --force to overwrite them."
            )
        if self._journal.exists() and not (force or resume):
            raise WrongValue(
                f"--out must be a folder without results, but {path} holds an evaluation that was stopped. Give "
                "--resume to continue it, --force to start over, or another folder."
            )
        if resume and not self._journal.exists():
            raise WrongValue(
                f"--resume continues an evaluation that was stopped, but {path} holds no {JOURNAL}. Leave out --resume "
                "to start one."
            )
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
            if force and not resume:
                self._journal.unlink(missing_ok=True)
        except OSError as error:
            raise WrongValue(
                f"--out must be a folder that can be written to, which {path} is not: {error.strerror}. Give "
                "another folder."
            ) from None

    @property
    def has_config(self) -> bool:
        """Whether the options of the command are there."""
        return (self.path / CONFIG).exists()

    def write_config(self, text: str) -> None:
        """Writes the options of the command.

        Raises:
            OSError: they cannot be written.
        """
        # Paths that could not be decoded are written as they were.
        write_whole(self.path / CONFIG, text.encode(errors="surrogateescape"))

    def write(self, result: Result, *, keep_actions: bool) -> None:
        """Writes a result; its episodes stay in their file if their actions are kept.

        Raises:
            OSError: it cannot be written. The episodes are there.
        """
        result.save(self.path / FILES[0])
        result.save_csv(self.path / FILES[1], by="task")
        result.save_csv(self.path / FILES[2], by="skill")
        if not keep_actions:
            self._journal.unlink(missing_ok=True)

    @property
    def kept(self) -> str:
        """What is kept of an evaluation that was stopped, as the end of a sentence."""
        try:
            count = max(
                0, self._journal.read_bytes().count(b"\n") - 1
            )  # the first line is about the evaluation
        except OSError:
            count = 0
        if not count:
            self._journal.unlink(missing_ok=True)
            return "nothing was written"
        return (
            f"{counted(count, 'episode')} {'is' if count == 1 else 'are'} kept in {self._journal}, and the same "
            "command with --resume plays the others"
        )
