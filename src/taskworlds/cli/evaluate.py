"""`taskworlds evaluate`: a policy on all tasks of a benchmark, with a table, and files if wanted."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taskworlds.cli.terminal import console, counted, say_mistake
from taskworlds.core.benchmark import SPLITS, Benchmark, split_of_name
from taskworlds.core.benchmark import benchmark as make_benchmark
from taskworlds.core.errors import WrongValue, check_choice, check_known, check_seed
from taskworlds.core.registry import benchmark_makers, choose_engine, engines, world_of, worlds

if TYPE_CHECKING:
    from taskworlds.core.world import World
    from taskworlds.evaluation import Result

__all__ = ["evaluate"]

_FILES = ("result.json", "tasks.csv", "skills.csv")
_NAMED_POLICIES = ("expert", "random")
_PLAYED, _HOW, _OUTPUT = "What is played", "How", "Output"

# What the help says of worlds and engines.
_EXPERTS = ", ".join(world.name for world in worlds() if world.experts is not None)
_REWARDS = [each.reward_function_versions for each in worlds() if len(each.reward_function_versions) > 1]
_VERSIONS = list(dict.fromkeys(version for versions in _REWARDS for version in versions))
_ENGINES = "; ".join(f"{name}: {each.summary}" for name, each in engines().items())


def evaluate(
    benchmark: Annotated[
        str,
        typer.Argument(
            metavar="BENCHMARK",
            help="The benchmark, such as MT10, ML45-test or half-cheetah-vel, or a skill such as reach-v3.",
        ),
    ],
    policy: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"The policy: expert (in {_EXPERTS}), random, or your own as ./file.py:object, or as "
            "package.module:object, which is looked for in the current directory first. A text in brackets, as in "
            "./agents.py:load(runs/3.zip), is passed to it. The default is expert where there is one, and random "
            "elsewhere.",
            rich_help_panel=_PLAYED,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="train|test",
            help="Which tasks to play. The default is test where the benchmark has test tasks.",
            rich_help_panel=_PLAYED,
        ),
    ] = None,
    env_name: Annotated[
        str | None,
        typer.Option(metavar="SKILL", help="The skill of MT1 or ML1.", rich_help_panel=_PLAYED),
    ] = None,
    num_goals: Annotated[
        int | None,
        typer.Option(
            "--goals",
            min=1,
            metavar="N",
            help="Number of goals for each skill, or of tasks in each split. The default is the benchmark's own.",
            rich_help_panel=_PLAYED,
        ),
    ] = None,
    episodes_per_task: Annotated[
        int,
        typer.Option(
            "--episodes",
            min=1,
            metavar="N",
            help="Number of episodes for each task.",
            rich_help_panel=_PLAYED,
        ),
    ] = 1,
    seed: Annotated[
        int,
        typer.Option(metavar="N", help="Seed for the goals and the random policy.", rich_help_panel=_PLAYED),
    ] = 0,
    max_episode_steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Number of steps after which an episode ends. The default is the benchmark's own.",
            rich_help_panel=_PLAYED,
        ),
    ] = None,
    terminate_on_success: Annotated[
        bool,
        typer.Option(
            "--stop-at-success/--full-episodes",
            help="Whether an episode ends with its first success, or is played to its last step.",
            rich_help_panel=_PLAYED,
        ),
    ] = True,
    reward_function_version: Annotated[
        str | None,
        typer.Option(
            "--reward-version",
            metavar="|".join(_VERSIONS),
            help="Version of the reward, where a world has several. The default is the newest.",
            rich_help_panel=_PLAYED,
        ),
    ] = None,
    use_one_hot: Annotated[
        bool,
        typer.Option(
            "--one-hot", help="Append a one-hot of the skill to observations.", rich_help_panel=_HOW
        ),
    ] = False,
    adaptation_episodes: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Number of episodes with which a meta-learning policy adapts to each task. The default is 10.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    num_envs: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Number of rows. The default is the same for each skill, and at least 10 in all.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    vector_strategy: Annotated[
        str | None,
        typer.Option(
            "--engine",
            metavar="NAME",
            help=f"What steps the rows. {_ENGINES}. The default is the world's own choice.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help=f"Folder to write {', '.join(_FILES)} to.", rich_help_panel=_OUTPUT
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Overwrite the files that are there.", rich_help_panel=_OUTPUT),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="Print only the line with the overall figures.", rich_help_panel=_OUTPUT
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON.", rich_help_panel=_OUTPUT)
    ] = False,
) -> None:
    """Evaluates a policy on all tasks of a benchmark, each with equal weight.

    `taskworlds evaluate MT10` plays Meta-World's scripted experts: 500 episodes in about half a minute.
    """
    # These load a simulator, which `taskworlds --help` can do without.
    from taskworlds.evaluation import Stopped
    from taskworlds.evaluation import evaluate as run
    from taskworlds.evaluation.environments import default_num_envs
    from taskworlds.evaluation.policies import is_meta_learner

    check_seed(seed)
    tasks, split = _tasks(benchmark, split, env_name, seed, num_goals)
    skills = tasks.env_names(split)
    world = world_of(skills[0])
    policy = policy or ("random" if world.experts is None else "expert")
    if policy == "expert" and world.experts is None:
        raise WrongValue(f"{world.name} has no scripted experts: give --policy random, or your own.")
    terminate_on_success = terminate_on_success and world.has_success
    reward_function_version = check_choice(
        "reward_function_version",
        reward_function_version or world.reward_function_versions[-1],
        world.reward_function_versions,
    )
    player = _load(policy, world, seed)
    meta = is_meta_learner(player)
    count = len(tasks.tasks(split)) * episodes_per_task
    num_envs = num_envs or default_num_envs(len(skills), count, meta=meta)
    engine = choose_engine(world, vector_strategy, num_envs).name
    if out is not None:
        _prepare(out, force)

    say = console(stderr=as_json)
    if not quiet:
        limit = (
            f"{'up to ' if terminate_on_success else ''}{max_episode_steps or world.max_episode_steps} steps"
        )
        each, noun = len(tasks.tasks(split)) // len(skills), world.task_word
        shape = f"{counted(len(skills), 'skill')} x {counted(each, noun)} x {counted(episodes_per_task, 'episode')}"
        how = f"reward {reward_function_version}, engine {engine} with {counted(num_envs, 'row')}"
        say.print(
            f"{tasks.name} {split}: {shape} = {counted(count, 'episode')} of {limit}, seed {seed}",
            markup=False,
            soft_wrap=True,
        )
        say.print(f"policy {policy}{' (meta-learning)' if meta else ''}, {how}", markup=False, soft_wrap=True)
    begun = time.monotonic()
    stopped = ""
    try:
        with _progress(shown=not quiet) as on_episode, warnings.catch_warnings():
            # Said below, and in the table.
            warnings.filterwarnings(
                "ignore", message=r"\d+ of \d+ tasks could not run", category=RuntimeWarning
            )
            result = run(
                player,
                tasks,
                split=split,  # type: ignore[arg-type]
                episodes_per_task=episodes_per_task,
                seed=seed,
                num_envs=num_envs,
                vector_strategy=engine,
                max_episode_steps=max_episode_steps,
                terminate_on_success=terminate_on_success,
                reward_function_version=reward_function_version,
                use_one_hot=use_one_hot or None,
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


def _tasks(
    name: str, split: str | None, env_name: str | None, seed: int, num_goals: int | None
) -> tuple[Benchmark, str]:
    """Returns the benchmark that is named, and the split of it that is played."""
    from taskworlds.evaluation.environments import default_split  # as above

    if split is not None:
        check_choice("split", split, SPLITS)
    name, split = split_of_name(name, split)
    maker = benchmark_makers()[name][1] if name in benchmark_makers() else None
    other = [keyword for keyword in maker.keywords if keyword != "env_name"] if maker is not None else []
    if other:
        raise WrongValue(
            f"{name} needs {' and '.join(other)}, which the command line does not take. In Python: "
            f"taskworlds.evaluate(policy, taskworlds.benchmark({name!r}, {other[0]}=[...]))."
        )
    made = make_benchmark(name, env_name, seed=seed, num_goals=num_goals)
    split = split or default_split(made)
    made.tasks(split)  # raises where there are none
    return made, split


def _load(name: str, world: World, seed: int) -> Any:
    """Returns the policy of a name."""
    from taskworlds.evaluation import load_policy, random_policy  # as above

    if ":" in name:
        if not name.partition(":")[0].endswith(".py"):
            sys.path.insert(0, os.getcwd())
        return load_policy(name)
    check_known(
        "policy",
        name,
        _NAMED_POLICIES,
        "Give expert, random, or your own as package.module:object or ./file.py:object.",
    )
    return world.expert() if name == "expert" else random_policy(world.action_space(), seed)


def _prepare(folder: Path, force: bool) -> None:
    """Makes the folder, and raises before anything is played if the files could not be written there."""
    there = [name for name in _FILES if (folder / name).exists()]
    if there and not force:
        raise WrongValue(
            f"--out must be a folder without results, but {folder} already holds {', '.join(there)}. Give another "
            "folder, or --force to overwrite them."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise WrongValue(
            f"--out must be a folder that can be written to, which {folder} is not: {error.strerror}. Give "
            "another folder."
        ) from None


def _write(result: Result, folder: Path) -> None:
    result.save(folder / _FILES[0])
    result.save_csv(folder / _FILES[1], by="task")
    result.save_csv(folder / _FILES[2], by="skill")


@contextlib.contextmanager
def _progress(*, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """Returns what is to be called after each episode. It moves a bar on a terminal."""
    # Takes a while to load, which only this command needs.
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
    """Returns the line that tells the outcome."""
    completed = counted(len(result.completed), "task")
    if not result.completed:
        return f"no task ran to its end, {seconds:.0f} s"
    return f"{result.headline}, {completed}, {seconds:.0f} s"
