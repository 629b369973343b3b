"""`taskworlds evaluate`: a policy on all tasks of a benchmark, with a table, and files if wanted."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from taskworlds.cli import unfinished
from taskworlds.cli.completion import complete, engine_names, names
from taskworlds.cli.policy import NAMED, arguments_of, in_words, load
from taskworlds.cli.terminal import console, counted, say_mistake
from taskworlds.core.announcements import listening
from taskworlds.core.benchmark import SPLITS, Benchmark, split_of_name
from taskworlds.core.benchmark import benchmark as make_benchmark
from taskworlds.core.errors import WrongValue, check_choice, check_seed
from taskworlds.core.registry import benchmark_makers, choose_engine, engines, world_of, worlds

if TYPE_CHECKING:
    from rich.progress import Progress

    from taskworlds.evaluation import Result

__all__ = ["evaluate"]

_FILES = ("result.json", "tasks.csv", "skills.csv")
_REFRESH = 0.2  # seconds between two looks at the speed
_POLICY, _PLAYED, _HOW, _OUTPUT = "Who plays", "What is played", "How", "Output"

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
            help="Name a benchmark, such as MT10, ML45-test or half-cheetah-vel, or a skill such as reach-v3.",
            autocompletion=complete(names),
        ),
    ],
    policy: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Let this policy play: expert (in {_EXPERTS}), random, or your own as file.py:object or "
            "package.module:object. The default is expert where there is one, and random elsewhere.",
            autocompletion=complete(lambda: (*NAMED, *(each.name for each in sorted(Path().glob("*.py"))))),
            rich_help_panel=_POLICY,
        ),
    ] = None,
    policy_arg: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Pass this argument to the function or class that --policy names. VALUE is a number or other JSON, or "
            "text. Can be given several times.",
            rich_help_panel=_POLICY,
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Load the policy from this file or folder, as in --policy stable_baselines3:PPO --checkpoint "
            "model.zip; or load this state dict into the torch module that --policy names or makes.",
            rich_help_panel=_POLICY,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="train|test",
            help="Play the train or the test tasks. The default is test where the benchmark has test tasks.",
            autocompletion=complete(lambda: SPLITS),
            rich_help_panel=_PLAYED,
        ),
    ] = None,
    env_name: Annotated[
        str | None,
        typer.Option(
            metavar="SKILL",
            help="Name the skill of MT1 or ML1.",
            autocompletion=complete(names),
            rich_help_panel=_PLAYED,
        ),
    ] = None,
    num_goals: Annotated[
        int | None,
        typer.Option(
            "--goals",
            min=1,
            metavar="N",
            help="Play N goals of each skill, or N tasks of each split. The default is the benchmark's own number.",
            rich_help_panel=_PLAYED,
        ),
    ] = None,
    episodes_per_task: Annotated[
        int,
        typer.Option(
            "--episodes",
            min=1,
            metavar="N",
            help="Play N episodes of each task.",
            rich_help_panel=_PLAYED,
        ),
    ] = 1,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Draw goals, and the random policy's actions, with this seed.",
            rich_help_panel=_PLAYED,
        ),
    ] = 0,
    max_episode_steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="End an episode after N steps. The default is the benchmark's own number.",
            rich_help_panel=_PLAYED,
        ),
    ] = None,
    terminate_on_success: Annotated[
        bool,
        typer.Option(
            "--stop-at-success/--full-episodes",
            help="End an episode with its first success, or play it to its last step.",
            rich_help_panel=_PLAYED,
        ),
    ] = True,
    reward_function_version: Annotated[
        str | None,
        typer.Option(
            "--reward-version",
            metavar="|".join(_VERSIONS),
            help="Use this version of the reward, where a world has several. The default is the newest.",
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
            help="Let a meta-learning policy adapt to each task for N episodes. The default is 10.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    num_envs: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Step N rows. The default is the same number for each skill, and at least 10 in all.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    vector_strategy: Annotated[
        str | None,
        typer.Option(
            "--engine",
            metavar="NAME",
            help=f"Step the rows with this engine. {_ENGINES}. The default is the world's own choice.",
            autocompletion=complete(engine_names),
            rich_help_panel=_HOW,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help='Play in N processes that Ray runs (pip install "taskworlds\\[ray]"), with the same outcome. The '
            "default is this process.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Have the workers on the Ray cluster of this head, or auto for the one that this machine belongs to. "
            "The default is what RAY_ADDRESS names, else this machine alone.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help=f"Write {', '.join(_FILES)} to this folder.", rich_help_panel=_OUTPUT
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue an evaluation that Ctrl-C stopped: play the tasks that are not finished in the --out "
            "folder.",
            rich_help_panel=_OUTPUT,
        ),
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Overwrite the files that are already there.", rich_help_panel=_OUTPUT),
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
    from taskworlds.workers.lost import WorkerLost

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
    arguments = arguments_of(policy_arg or ())
    player = load(policy, arguments, checkpoint)
    who = in_words(policy, arguments, checkpoint)
    meta = is_meta_learner(player)
    count = len(tasks.tasks(split)) * episodes_per_task
    num_envs = num_envs or default_num_envs(len(skills), count, meta=meta)
    engine = choose_engine(world, vector_strategy, num_envs).name
    if address is not None and workers is None:
        raise WrongValue("--address says where workers play: give --workers, too.")
    if resume and out is None:
        raise WrongValue("--resume continues in the folder that --out names: give --out too.")
    if out is not None:
        _prepare(out, force, resume)
    part = unfinished.load(out, who) if out is not None and resume else None

    say = console(stderr=as_json)
    if not quiet:
        limit = (
            f"{'up to ' if terminate_on_success else ''}{max_episode_steps or world.max_episode_steps} steps"
        )
        each, noun = len(tasks.tasks(split)) // len(skills), world.task_word
        shape = f"{counted(len(skills), 'skill')} x {counted(each, noun)} x {counted(episodes_per_task, 'episode')}"
        how = f"reward {reward_function_version}, engine {engine} with {counted(num_envs, 'row')}"
        if workers is not None:
            how += f" in each of {counted(workers, 'worker')}"
        say.print(
            f"{tasks.name} {split}: {shape} = {counted(count, 'episode')} of {limit}, seed {seed}",
            markup=False,
            soft_wrap=True,
        )
        say.print(f"policy {who}{' (meta-learning)' if meta else ''}, {how}", markup=False, soft_wrap=True)
    begun = time.monotonic()
    stopped, code = "", 130
    try:
        with (
            _progress(shown=not quiet) as bar,
            _stopped_like_ctrl_c(signal.SIGTERM),
            warnings.catch_warnings(),
        ):
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
                on_episode=bar.on_episode,
                on_step=bar.on_step,
                resume=part,
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
        finished = f"{len(result.tasks)} of {counted(len(tasks.tasks(split)), 'task')}"
        kept = "nothing was written"
        if out is not None:
            kept = _keep(out, result, who)
            out = None
        stopped = f"PARTIAL: stopped after {finished}, the first to end; {kept}"
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
        raise typer.Exit(code)
    if result.failed:
        first = result.failed[0]
        say_mistake(
            f"{len(result.failed)} of {counted(len(result.tasks), 'task')} could not run and are not in any "
            f"average, the first of {first.task.env_name}: {first.error}"
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


def _prepare(folder: Path, force: bool, resume: bool) -> None:
    """Makes the folder, and raises before anything is played if the files could not be written there."""
    if (folder / unfinished.NAME).exists() and not (force or resume):
        raise WrongValue(
            f"--out must be a folder without results, but {folder} holds an evaluation that was stopped. Give --resume "
            "to continue it, --force to start over, or another folder."
        )
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
    (folder / unfinished.NAME).unlink(missing_ok=True)


def _keep(folder: Path, result: Result, who: str) -> str:
    """Keeps the finished tasks of an evaluation that was stopped, and says so."""
    try:
        unfinished.save(folder, result, who)
    except OSError as error:
        return f"nothing could be written to {folder}: {error.strerror}"
    return f"they are kept in {folder / unfinished.NAME}, and the same command with --resume plays the others"


@contextlib.contextmanager
def _stopped_like_ctrl_c(number: int) -> Iterator[None]:
    """Has a signal, such as a batch system's before it kills, end the work in the `with` block as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():  # only that one may set handlers
        yield
        return
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)


class _Bar:
    """A bar on a terminal, and nothing elsewhere.

    It says what is done at the moment: compiling, building the environments, or playing, with the speed.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("building the environments", total=None, speed="")
        self._steps = 0
        self._shown = self._begun = 0.0
        self._episodes = "playing"

    def on_work(self, what: str, done: int, total: int) -> None:
        """Told of work before the first step."""
        what = what.partition(",")[0] if done < total else "building the environments"
        self._progress.update(
            self._task, description=what, completed=done, total=total if done < total else None
        )

    def on_episode(self, done: int, total: int) -> None:
        """Told when an episode has ended."""
        self._episodes = f"{done} of {counted(total, 'episode')}"
        self._progress.update(self._task, completed=done, total=total, description=self._episodes)

    def on_step(self, rows: int) -> None:
        """Told after each step, of so many rows."""
        now = time.monotonic()
        if self._begun == 0.0:
            self._begun = now
        self._steps += rows
        if now - self._shown > _REFRESH:
            self._shown = now
            speed = f"{self._steps / (now - self._begun):,.0f} steps/s" if now > self._begun else ""
            self._progress.update(self._task, description=self._episodes, speed=speed)


@contextlib.contextmanager
def _progress(*, shown: bool) -> Iterator[_Bar]:
    """Returns the bar, which is shown while the `with` block lasts."""
    # Takes a while to load, which only this command needs.
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Left(TimeRemainingColumn):
        def render(self, task: Task) -> Text:
            return Text() if task.time_remaining is None else super().render(task).append(" left")

    say = console(stderr=True)
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),  # what is left of the line
        TextColumn("{task.fields[speed]}"),
        Left(),
        console=say,
        transient=True,
        expand=True,
    )
    bar = _Bar(progress)
    with contextlib.ExitStack() as stack:
        if shown and say.is_terminal and "CI" not in os.environ:
            stack.enter_context(progress)
            stack.enter_context(listening(bar.on_work))
        yield bar


def _overall(result: Result, seconds: float) -> str:
    """Returns the line that tells the outcome."""
    completed = counted(len(result.completed), "task")
    if not result.completed:
        return f"no task ran to its end, {seconds:.0f} s"
    return f"{result.headline}, {completed}, {seconds:.0f} s"
