"""What pages tell a user to type: commands and options that exist, programs that exist, extras that pip knows.

The commands are read as the program reads them, and not run: some take hours, or machines that a test does not have.
"""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from taskworlds.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
MADE = ("docs/api", "docs/benchmarks", "docs/skills", "docs/command-line")  # while the site is built
COMMAND = re.compile(r"^(taskworlds|python|pip|pytest)\b")


def lines_of(page):
    """Returns the lines of a page's shell blocks, and the code in its text that begins as a command does."""
    text = page.read_text()
    found = []
    for block in re.findall(r"^ *```(?:sh|bash|console)\n(.*?)```", text, flags=re.DOTALL | re.MULTILINE):
        found += block.replace("\\\n", " ").splitlines()
    found += re.findall(
        r"^    (?=\w)(.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), flags=re.MULTILINE
    )
    found += re.findall(r"`((?:taskworlds|python|pip) [^`\n]+)`", text)
    return [line.strip() for line in found]


def commands_of(page):
    for line in lines_of(page):
        words = shlex.split(line, comments=True)
        while words:
            command = words[: words.index("&&")] if "&&" in words else words
            words = words[len(command) + 1 :]
            if command and COMMAND.match(command[0]):
                yield command


COMMANDS = [
    pytest.param(command, id=f"{page.relative_to(ROOT)}: {' '.join(command)}"[:100])
    for page in PAGES
    if not str(page.relative_to(ROOT)).startswith(MADE)
    for command in commands_of(page)
]


@pytest.mark.parametrize("command", COMMANDS)
def test_can_be_typed(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a file of the user's may be named, and a command must not write
    program, *arguments = command
    if program == "taskworlds":
        of_taskworlds(arguments)
    elif program == "python" and arguments[0].startswith(("examples/", "benchmarks/")):
        of_a_program(arguments)
    elif program == "pip" and arguments[0] == "install":
        of_pip(arguments)


def of_taskworlds(arguments):
    """Reads a command as the program does, which raises for an option that does not exist."""
    group = typer.main.get_command(app)
    if not arguments or set(arguments) & {"COMMAND", "--help"} or arguments == ["--version"]:
        return
    with group.make_context("taskworlds", list(arguments)) as context:
        name, command, rest = group.resolve_command(context, list(arguments))
        while hasattr(command, "resolve_command") and rest:
            name, command, rest = command.resolve_command(context, rest)
        known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
        options = {word.partition("=")[0] for word in rest if word.startswith("-")}
        assert options <= known, f"{name} has no {', '.join(options - known)}"
        command.make_context(name, rest, parent=context, resilient_parsing=True)


def of_a_program(arguments):
    program = ROOT / arguments[0]
    assert program.is_file()
    text = program.read_text()
    for word in arguments[1:]:
        assert not word.startswith("--") or word == "--help" or f'"{word}"' in text, (
            f"{program} has no {word}"
        )


def of_pip(arguments):
    extras = (
        (ROOT / "pyproject.toml")
        .read_text()
        .partition("[project.optional-dependencies]")[2]
        .partition("\n[")[0]
    )
    known = set(re.findall(r"^([\w-]+) = ", extras, flags=re.MULTILINE))
    for word in arguments:
        if found := re.fullmatch(r"(?:taskworlds|\.)\[(.+)\]", word):
            assert set(found[1].split(",")) <= known


@pytest.mark.parametrize(
    "line",
    [
        "taskworlds evaluate MT10 --polcy expert",
        "taskworlds evalate MT10",
        "python examples/no.py",
    ]
    + ["python examples/ppo_mt10.py --stesp 3", "pip install 'taskworlds[contrl]'"],
)
def test_a_slip_is_found(line, tmp_path, monkeypatch):
    with pytest.raises(Exception, match=r"."):
        test_can_be_typed(shlex.split(line), tmp_path, monkeypatch)


def test_commands_were_found():
    programs = [param.values[0][0] for param in COMMANDS]
    assert {name: programs.count(name) > 5 for name in ("taskworlds", "python", "pip")} == {
        "taskworlds": True,
        "python": True,
        "pip": True,
    }
