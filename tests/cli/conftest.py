"""The command line, run in this process, on a terminal without colours."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from taskworlds.cli import main


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch):
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "TTY_COMPATIBLE", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(capsys):
    """Runs a command, and gives its exit code and what it printed."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return SimpleNamespace(code=stop.value.code, out=printed.out, err=printed.err)

    return run


@pytest.fixture(scope="session")
def check_mistake():
    """Asserts that a command told a mistake in one line: check_mistake(ran, message)."""

    def check_mistake(ran, message):
        assert ran.code == 2
        assert re.search(message, ran.err), ran.err
        assert ran.err.startswith("Error: ")
        assert ran.err.count("\n") == 1

    return check_mistake
