"""`taskworlds evaluate`: a policy on all tasks of a benchmark, with a table, and files if wanted."""

from __future__ import annotations

import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from taskworlds.cli.config import RunFile, text_of
from taskworlds.cli.display import display
from taskworlds.cli.options import (
    HOW,
    OUTPUT,
    PLAYED,
    AsJson,
    BenchmarkName,
    Checkpoint,
    Engine,
    EnvName,
    Force,
    MaxEpisodeSteps,
    NumEnvs,
    NumGoals,
    OneHot,
    Policy,
    PolicyArg,
    Quiet,
    RewardVersion,
    Seed,
    Split,
    TaskIds,
    TerminateOnSuccess,
)
from taskworlds.cli.out_folder import FILES, JOURNAL, OutFolder
from taskworlds.cli.policy import arguments_of, default_policy, load
from taskworlds.cli.signals import stopped_like_ctrl_c
from taskworlds.cli.tasks import chosen, part_of, played
from taskworlds.cli.terminal import console, counted, say_mistake
from taskworlds.core.errors import WrongValue, check_choice, check_seed
from taskworlds.core.registry import choose_engine, world_of
from taskworlds.core.task import by_skill
from taskworlds.vector.protocols import PROTOCOLS

if TYPE_CHECKING:
    from taskworlds.evaluation import Result

__all__ = ["evaluate"]

# Of the options, what says where the outcome goes and not what it is.
_NOT_KEPT = ("out", "resume", "force", "quiet", "as_json", "config_file")


def evaluate(
    context: typer.Context,
    benchmark: BenchmarkName,
    policy: Policy = None,
    policy_arg: PolicyArg = None,
    checkpoint: Checkpoint = None,
    split: Split = None,
    env_name: EnvName = None,
    num_goals: NumGoals = None,
    task_ids: TaskIds = None,
    part: Annotated[
        str | None,
        typer.Option(
            metavar="K/N",
            help="Play the K-th of N parts of the tasks, such as 1/4, so that N processes or machines share them. "
            "`taskworlds merge` makes one result of the parts' folders.",
            rich_help_panel=PLAYED,
        ),
    ] = None,
    episodes_per_task: Annotated[
        int,
        typer.Option(
            "--episodes",
            "--episodes-per-task",
            min=1,
            metavar="N",
            help="Play N episodes of each task.",
            rich_help_panel=PLAYED,
        ),
    ] = 1,
    seed: Seed = 0,
    max_episode_steps: MaxEpisodeSteps = None,
    terminate_on_success: TerminateOnSuccess = True,
    reward_function_version: RewardVersion = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(PROTOCOLS),
            help="Play as the authors of this algorithm do: repeated actions, limits, goals, success. The default is "
            "Meta-World's own way.",
            rich_help_panel=PLAYED,
        ),
    ] = None,
    use_one_hot: OneHot = False,
    adaptation_episodes: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Let a meta-learning policy adapt to each task for N episodes. The default is 10.",
            rich_help_panel=HOW,
        ),
    ] = None,
    num_envs: NumEnvs = None,
    vector_strategy: Engine = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help='Play in N processes that Ray runs (pip install "taskworlds\\[ray]"), with the same outcome. The '
            "default is this process.",
            rich_help_panel=HOW,
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Have the workers on the Ray cluster of this head, or auto for the one that this machine belongs to. "
            "The default is what RAY_ADDRESS names, else this machine alone.",
            rich_help_panel=HOW,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help=f"Write {', '.join(FILES)} to this folder, and each episode as it ends.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue an evaluation that was stopped or killed: play the episodes that are not in the --out "
            "folder.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    keep_actions: Annotated[
        bool,
        typer.Option(
            "--keep-actions",
            help=f"Keep the actions of all episodes in {JOURNAL} in the --out folder, for `taskworlds replay`.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    force: Force = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
    config_file: RunFile = None,
) -> None:
    """Evaluates a policy on all tasks of a benchmark, each with equal weight.

    `taskworlds evaluate MT10` plays Meta-World's scripted experts: 500 episodes in about half a minute.
    """
    # These load a simulator, which `taskworlds --help` can do without.
    from taskworlds.evaluation import Stopped
    from taskworlds.evaluation import evaluate as run
    from taskworlds.evaluation.environments import default_num_envs
    from taskworlds.evaluation.journal import NotWritten
    from taskworlds.evaluation.loading import origin_of
    from taskworlds.evaluation.parts import tasks_of_part
    from taskworlds.evaluation.policies import is_meta_learner
    from taskworlds.workers.lost import WorkerLost

    check_seed(seed)
    wanted_part = part_of(part)
    if protocol is not None:
        check_choice("protocol", protocol, tuple(PROTOCOLS))
    made, split = played(benchmark, split, env_name, seed, num_goals)
    named = chosen(made, split, task_ids)
    tasks = named if wanted_part is None else tuple(tasks_of_part(named, wanted_part))
    skills = list(by_skill(tasks, lambda task: task.env_name))
    # Of all tasks, also those that are not chosen: the batch has rows of each world.
    worlds = list(dict.fromkeys(map(world_of, made.env_names(split))))
    world, several = worlds[0], len(worlds) > 1
    policy = default_policy(next((each for each in worlds if each.experts is None), world), policy)
    source = context.get_parameter_source("terminate_on_success")
    if protocol is not None and (source is None or source.name == "DEFAULT"):
        terminate_on_success = False  # what a protocol sets; another wish is refused below
    terminate_on_success = terminate_on_success and any(each.has_success for each in worlds)
    if not several:
        reward_function_version = check_choice(
            "reward_function_version",
            reward_function_version or world.reward_function_versions[-1],
            world.reward_function_versions,
        )
    arguments = arguments_of(policy_arg or ())
    player = load(policy, arguments, checkpoint)
    who = origin_of(player).in_words()
    meta = is_meta_learner(player)
    count = len(tasks) * episodes_per_task
    if num_envs is None:
        least = len(worlds) if several else 1  # each world of a batch has a row
        num_envs = max(default_num_envs(len(skills), count, meta=meta), least)
    engine = vector_strategy if several else choose_engine(world, vector_strategy, num_envs).name
    if address is not None and workers is None:
        raise WrongValue("--address says where workers play: give --workers, too.")
    for wanted, what in (
        (resume, "--resume plays the rest of an evaluation that is"),
        (keep_actions, "--keep-actions keeps actions"),
    ):
        if wanted and out is None:
            raise WrongValue(f"{what} in the folder that --out names: give --out, too.")
    folder = None if out is None else OutFolder(out, force=force, resume=resume)
    resolved = {
        "policy": policy,
        "split": split,
        "num_envs": num_envs,
        "vector_strategy": engine,
        "reward_function_version": reward_function_version,
        "terminate_on_success": terminate_on_success,
    }
    if folder is not None and not (
        resume and folder.has_config
    ):  # that of what goes on, which may be refused
        _written(folder.path, lambda: folder.write_config(text_of(context, resolved, _NOT_KEPT)))

    say = console(stderr=as_json)
    if not quiet:
        most = max_episode_steps or max(each.max_episode_steps for each in worlds)
        limit = f"{'up to ' if terminate_on_success or several else ''}{most} steps"
        if protocol is not None:
            limit = f"protocol {protocol}"
        each, noun = len(tasks) // len(skills), world.task_word
        shape = f"{counted(len(skills), 'skill')} x {counted(each, noun)} x {counted(episodes_per_task, 'episode')}"
        if task_ids or part or several:
            shape = f"{counted(len(tasks), 'task')} x {counted(episodes_per_task, 'episode')}"
        named_part = "" if part is None else f", part {part}"
        how = f"engine {engine or 'of each world'} with {counted(num_envs, 'row')}"
        if reward_function_version is not None:
            how = f"reward {reward_function_version}, {how}"
        if workers is not None:
            how += f" in each of {counted(workers, 'worker')}"
        say.print(
            f"{made.name} {split}{named_part}: {shape} = {counted(count, 'episode')} of {limit}, seed {seed}",
            markup=False,
            soft_wrap=True,
        )
        say.print(f"policy {who}{' (meta-learning)' if meta else ''}, {how}", markup=False, soft_wrap=True)
    begun = time.monotonic()
    stopped, code = "", 130
    try:
        with (
            display(shown=not quiet) as shown,
            stopped_like_ctrl_c(signal.SIGTERM),
            warnings.catch_warnings(),
        ):
            # Said below, and in the table.
            warnings.filterwarnings(
                "ignore", message=r"\d+ of \d+ tasks could not run", category=RuntimeWarning
            )
            result = run(
                player,
                made,
                tasks=named if task_ids else None,
                part=wanted_part,
                split=split,  # type: ignore[arg-type]
                episodes_per_task=episodes_per_task,
                seed=seed,
                num_envs=num_envs,
                vector_strategy=engine,
                max_episode_steps=max_episode_steps,
                terminate_on_success=terminate_on_success,
                reward_function_version=reward_function_version,
                protocol=protocol,  # type: ignore[arg-type]
                use_one_hot=use_one_hot or None,
                adaptation_episodes=adaptation_episodes,
                on_episode=shown.on_episode,
                on_step=shown.on_step,
                on_outcome=shown.on_outcome,
                resume=out,
                keep_actions=keep_actions,
                workers=workers,
                address=address,
            )
    except (Stopped, WorkerLost) as stop:
        result = stop.result if isinstance(stop, Stopped) else stop.state
        if isinstance(stop, WorkerLost):
            say_mistake(str(stop))
            if result is None:
                raise typer.Exit(1) from None
            code = 1
        finished = f"{len(result.tasks)} of {counted(len(tasks), 'task')}"
        kept = "nothing was written" if folder is None else folder.kept
        stopped = f"PARTIAL: stopped after {finished}, the first to end; {kept}"
    except NotWritten as error:
        say_mistake(f"{error.filename}: {error.strerror}")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        kept = "nothing was written" if folder is None else folder.kept
        console(stderr=True).print(
            f"stopped before any task was finished; {kept}", markup=False, soft_wrap=True
        )
        raise typer.Exit(130) from None
    seconds = time.monotonic() - begun

    if as_json:
        print(result.to_json())
    elif not quiet:
        say.print(result.table())
    if not (quiet and as_json):
        say.print(_overall(result, seconds), markup=False, soft_wrap=True)
        if protocol is not None and result.completed:
            score = result.score(protocol)
            say.print(
                f"score of {protocol}: {score.value:.3g} [{score.low:.3g}, {score.high:.3g}]", markup=False
            )
    if folder is not None and not stopped:
        left = f" The episodes are in {JOURNAL} there: make room, and the same command with --resume writes the files."
        _written(folder.path, lambda: folder.write(result, keep_actions=keep_actions), left)
        if not quiet:
            names = [*FILES, *([JOURNAL] if keep_actions else [])]
            say.print(
                f"wrote {', '.join(str(folder.path / name) for name in names)}", markup=False, soft_wrap=True
            )
    if stopped:
        console(stderr=True).print(stopped, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(code)
    if result.failed:
        first = result.failed[0]
        say_mistake(
            f"{len(result.failed)} of {counted(len(result.tasks), 'task')} could not run and are not in any "
            f"average, the first of {first.task.env_name}: {first.error}"
        )
        raise typer.Exit(1)


def _written(path: Path, write: Callable[[], None], otherwise: str = "") -> None:
    """Writes to a folder; ends the command where that cannot be done, and says what is left otherwise."""
    try:
        write()
    except OSError as error:
        say_mistake(f"The files could not be written to {path}: {error.strerror}.{otherwise}")
        raise typer.Exit(1) from None


def _overall(result: Result, seconds: float) -> str:
    """Returns the line that tells the outcome."""
    completed = counted(len(result.completed), "task")
    if not result.completed:
        return f"no task ran to its end, {seconds:.0f} s"
    return ", ".join(filter(None, (result.headline, result.worst_in_words, completed, f"{seconds:.0f} s")))
