"""`taskworlds evaluate`: a policy on all tasks of a benchmark, with a table, and files if wanted."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taskworlds.cli.terminal import console, counted, is_mistake, say_mistake
from taskworlds.core.errors import WrongValue, check_choice, check_known, check_seed

if TYPE_CHECKING:
    from taskworlds.core.benchmark import Benchmark
    from taskworlds.core.world import World
    from taskworlds.evaluation import Result

__all__ = ["evaluate"]

_FILES = ("result.json", "tasks.csv", "skills.csv")
_NAMED_POLICIES = ("expert", "random")
_PLAYED, _HOW, _OUTPUT = "What is played", "How", "Output"

# Python's arguments, which the messages of the package name, and the options that set them here.
_OPTIONS = {
    "adaptation_episodes": "--adaptation-episodes",
    "env_name": "--env-name",
    "max_episode_steps": "--max-episode-steps",
    "num_envs": "--num-envs",
    "num_goals": "--goals",
    "reward_function_version": "--reward-version",
    "split=": "--split=",
    "vector_strategy": "--engine",
}


def evaluate(
    benchmark: Annotated[
        str,
        typer.Argument(
            metavar="BENCHMARK", help="MT10, ML45-test, a skill such as reach-v3, half-cheetah-vel, ..."
        ),
    ],
    policy: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="expert (Meta-World's scripted ones), random, or your own as package.module:object, looked "
            "for in the current directory first; expert in Meta-World, else random.",
            rich_help_panel=_PLAYED,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="train|test",
            help="Which tasks; test where there are test tasks.",
            rich_help_panel=_PLAYED,
        ),
    ] = None,
    env_name: Annotated[
        str | None, typer.Option(metavar="SKILL", help="The skill of MT1 or ML1.", rich_help_panel=_PLAYED)
    ] = None,
    goals: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Goals for each skill, or tasks in each split; 50 in Meta-World, else the benchmark's.",
            rich_help_panel=_PLAYED,
        ),
    ] = None,
    episodes: Annotated[
        int, typer.Option(min=1, metavar="N", help="Episodes for each goal.", rich_help_panel=_PLAYED)
    ] = 1,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Of goals and random policy.", rich_help_panel=_PLAYED)
    ] = 0,
    max_episode_steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Steps that end an episode; the benchmark's (500 in Meta-World).",
            rich_help_panel=_PLAYED,
        ),
    ] = None,
    stop_at_success: Annotated[
        bool,
        typer.Option(
            "--stop-at-success/--full-episodes",
            help="End an episode with its first success, or play on to its last step.",
            rich_help_panel=_PLAYED,
        ),
    ] = True,
    reward_version: Annotated[
        str | None, typer.Option(metavar="v1|v2", help="Of Meta-World's reward; v2.", rich_help_panel=_PLAYED)
    ] = None,
    one_hot: Annotated[
        bool,
        typer.Option("--one-hot", help="Append the skill's one-hot to observations.", rich_help_panel=_HOW),
    ] = False,
    adaptation_episodes: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Episodes that a meta-learning policy adapts with, on each task; 10.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    num_envs: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Rows; equally many for each skill, 10 or more.", rich_help_panel=_HOW
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="native|sync|async",
            help="native steps rows on threads; sync and async (a process each) step the official environments; "
            "native where there is one.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help=f"Write {', '.join(_FILES)} there.", rich_help_panel=_OUTPUT),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite the files there.", rich_help_panel=_OUTPUT)
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print the overall line only.", rich_help_panel=_OUTPUT)
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON.", rich_help_panel=_OUTPUT)
    ] = False,
) -> None:
    """Evaluates a policy on all tasks of a benchmark, each with equal weight.

    `taskworlds evaluate MT10` plays Meta-World's scripted experts: 500 episodes in about half a minute.
    """
    from taskworlds.core.registry import choose_engine, world_of
    from taskworlds.evaluation import Stopped
    from taskworlds.evaluation import evaluate as run
    from taskworlds.evaluation.environments import default_num_envs
    from taskworlds.evaluation.policies import is_meta_learner

    check_seed(seed, "--seed")
    with _arguments_as_options():
        tasks, split = _tasks(benchmark, split, env_name, seed, goals)
    skills = tasks.env_names(split)
    world = world_of(skills[0])
    policy = policy or ("random" if world.experts is None else "expert")
    if policy == "expert" and world.experts is None:
        raise WrongValue(f"{world.name} has no scripted experts: give --policy random, or your own.")
    stop_at_success = stop_at_success and world.has_success
    reward_version = check_choice(
        "--reward-version",
        reward_version or world.reward_function_versions[-1],
        world.reward_function_versions,
    )
    player = _load(policy, world, seed)
    meta = is_meta_learner(player)
    count = len(tasks.tasks(split)) * episodes
    num_envs = num_envs or default_num_envs(len(skills), count, meta=meta)
    with _arguments_as_options():
        engine = choose_engine(world, engine, num_envs).name
    if out is not None:
        _prepare(out, force)

    say = console(stderr=as_json)
    if not quiet:
        limit = f"{'up to ' if stop_at_success else ''}{max_episode_steps or world.max_episode_steps} steps"
        each, noun = len(tasks.tasks(split)) // len(skills), world.task_word
        shape = f"{counted(len(skills), 'skill')} x {counted(each, noun)} x {counted(episodes, 'episode')}"
        how = f"reward {reward_version}, engine {engine} with {counted(num_envs, 'row')}"
        say.print(
            f"{tasks.name} {split}: {shape} = {counted(count, 'episode')} of {limit}, seed {seed}",
            markup=False,
            soft_wrap=True,
        )
        say.print(f"policy {policy}{' (meta-learning)' if meta else ''}, {how}", markup=False, soft_wrap=True)
    begun = time.monotonic()
    stopped = ""
    try:
        with _arguments_as_options(), _progress(shown=not quiet) as on_episode, warnings.catch_warnings():
            # Said below, and in the table.
            warnings.filterwarnings(
                "ignore", message=r"\d+ of \d+ tasks could not run", category=RuntimeWarning
            )
            result = run(
                player,
                tasks,
                split=split,  # type: ignore[arg-type]
                episodes_per_task=episodes,
                seed=seed,
                num_envs=num_envs,
                vector_strategy=engine,
                max_episode_steps=max_episode_steps,
                terminate_on_success=stop_at_success,
                reward_function_version=reward_version,
                use_one_hot=one_hot or None,
                adaptation_episodes=adaptation_episodes,
                on_episode=on_episode,
            )
    except Stopped as stop:
        result, out = stop.result, None
        finished = f"{len(result.tasks)} of {counted(len(tasks.tasks(split)), 'task')}"
        stopped = f"PARTIAL: stopped after {finished}, the first to end; nothing was written"
    except KeyboardInterrupt:
        console(stderr=True).print("stopped before any task was finished; nothing was written")
        raise typer.Exit(130) from None
    seconds = time.monotonic() - begun

    if as_json:
        print(result.to_json())
    elif not quiet:
        say.print(result.table())
    if not (quiet and as_json):
        say.print(_overall(result, seconds), markup=False, soft_wrap=True)
    if out is not None:
        try:
            _write(result, out)
        except OSError as error:
            say_mistake(f"The files could not be written to {out}: {error.strerror}.")
            raise typer.Exit(1) from None
        if not quiet:
            say.print(f"wrote {', '.join(str(out / name) for name in _FILES)}", markup=False, soft_wrap=True)
    if stopped:
        console(stderr=True).print(stopped, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(130)
    if result.failed:
        first = result.failed[0]
        say_mistake(
            f"{len(result.failed)} of {counted(len(result.tasks), 'task')} could not run and are in no average, "
            f"the first of {first.task.env_name}: {first.error}"
        )
        raise typer.Exit(1)


@contextlib.contextmanager
def _arguments_as_options() -> Iterator[None]:
    """Has the messages of mistakes name the options of the command, not the arguments of the functions."""
    try:
        yield
    except (ValueError, TypeError) as error:
        if is_mistake(error):
            names = re.compile(rf"\b({'|'.join(_OPTIONS)})")
            error.args = (names.sub(lambda match: _OPTIONS[match[0]], str(error)),)
        raise


def _tasks(
    name: str, split: str | None, env_name: str | None, seed: int, goals: int | None
) -> tuple[Benchmark, str]:
    """Gives the benchmark that is named, and the split of it that is played."""
    from taskworlds.core.benchmark import SPLITS, benchmark, split_of_name
    from taskworlds.evaluation.environments import default_split

    if split is not None:
        check_choice("--split", split, SPLITS)
    name, split = split_of_name(name, split)
    if name.startswith("custom-"):
        raise WrongValue(
            f"{name} is a list of skills of your own, which the command line does not take. In Python: "
            f"taskworlds.evaluate(policy, taskworlds.benchmark({name!r}, ...))."
        )
    made = benchmark(name, env_name, seed=seed, num_goals=goals)
    split = split or default_split(made)
    made.tasks(split)  # raises where there are none
    return made, split


def _load(name: str, world: World, seed: int) -> Any:
    """Gives the policy of a name."""
    from taskworlds.evaluation import load_policy, random_policy

    if ":" in name:
        sys.path.insert(0, os.getcwd())
        return load_policy(name)
    check_known("policy", name, _NAMED_POLICIES, "Give expert, random, or your own as package.module:object.")
    return world.expert() if name == "expert" else random_policy(world.action_space(), seed)


def _prepare(folder: Path, force: bool) -> None:
    """Makes the folder, and raises before anything is played if the files could not be written there."""
    there = [name for name in _FILES if (folder / name).exists()]
    if there and not force:
        raise WrongValue(
            f"--out {folder} already holds {', '.join(there)}. Give another folder, or --force to overwrite."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise WrongValue(
            f"--out must be a folder that can be written to, which {folder} is not: {error.strerror}. Give "
            "another one."
        ) from None


def _write(result: Result, folder: Path) -> None:
    result.save(folder / _FILES[0])
    result.save_csv(folder / _FILES[1], by="task")
    result.save_csv(folder / _FILES[2], by="skill")


@contextlib.contextmanager
def _progress(*, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """Gives what is called after each episode. It moves a bar on a terminal."""
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    say = console(stderr=True)
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=say,
        transient=True,
    )
    visible = shown and say.is_terminal and "CI" not in os.environ
    task = bar.add_task("building the environments", total=None)

    def on_episode(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total, description=f"{done} of {counted(total, 'episode')}")

    with bar if visible else contextlib.nullcontext():
        yield on_episode


def _overall(result: Result, seconds: float) -> str:
    """Gives the line that tells the outcome."""
    completed = counted(len(result.completed), "task")
    if not result.completed:
        return f"no task ran to its end, {seconds:.0f} s"
    return f"{result.headline}, {completed}, {seconds:.0f} s"
