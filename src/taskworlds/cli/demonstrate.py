"""`taskworlds demonstrate`: episodes of a policy as a data set that Minari or LeRobot reads."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taskworlds.cli.completion import complete
from taskworlds.cli.config import ConfigFile
from taskworlds.cli.display import display
from taskworlds.cli.options import (
    OUTPUT,
    PLAYED,
    AsJson,
    BenchmarkName,
    Checkpoint,
    Engine,
    EnvName,
    MaxEpisodeSteps,
    NumEnvs,
    OneHot,
    PolicyArg,
    Quiet,
    RewardVersion,
    Seed,
    TaskIds,
    TerminateOnSuccess,
)
from taskworlds.cli.picture_options import PICTURES, Shadows
from taskworlds.cli.policy import NAMED, arguments_of, load
from taskworlds.cli.signals import stopped_like_ctrl_c
from taskworlds.cli.tasks import chosen
from taskworlds.cli.terminal import console, counted, say_mistake
from taskworlds.core.benchmark import SPLITS, split_of_name
from taskworlds.core.benchmark import benchmark as make_benchmark
from taskworlds.core.errors import Mistake, WrongValue, check_choice, check_seed

if TYPE_CHECKING:
    from rich.table import Table

    from taskworlds.core.task import Task
    from taskworlds.demonstrations import Cameras, Demonstrations, Plan

__all__ = ["demonstrate"]

_EPISODES = 50  # of each skill, unless the user says
_FORMATS = ("minari", "lerobot")


def demonstrate(
    benchmark: BenchmarkName,
    format: Annotated[
        str,
        typer.Option(
            metavar="|".join(_FORMATS),
            help='Write a data set for Minari, or for LeRobot (pip install "taskworlds\\[demonstrations]").',
            autocompletion=complete(lambda: _FORMATS),
            rich_help_panel=OUTPUT,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write to this folder: for LeRobot a new or empty one, for Minari the one of all data sets, "
            "MINARI_DATASETS_PATH. The default for Minari is its own.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    policy: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Let this policy play: expert, where the world has scripted experts, random, or your own as "
            "file.py:object or package.module:object.",
            autocompletion=complete(lambda: (*NAMED, *(each.name for each in sorted(Path().glob("*.py"))))),
            rich_help_panel="Who plays",
        ),
    ] = "expert",
    policy_arg: PolicyArg = None,
    checkpoint: Checkpoint = None,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(SPLITS),
            help="Play the train or the test tasks. The default is train where the benchmark has train tasks.",
            autocompletion=complete(lambda: SPLITS),
            rich_help_panel=PLAYED,
        ),
    ] = None,
    env_name: EnvName = None,
    num_goals: Annotated[
        int | None,
        typer.Option(
            "--num-goals",
            "--goals",
            min=1,
            metavar="N",
            help="Play N goals of each skill, or N tasks of each split, one after the other. The default is enough to "
            "play no goal twice where starts are not drawn, elsewhere the benchmark's own number.",
            rich_help_panel=PLAYED,
        ),
    ] = None,
    task_ids: TaskIds = None,
    episodes: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help=f"Keep N episodes of each skill. The default is {_EPISODES}, and with --task one of each task.",
            rich_help_panel=PLAYED,
        ),
    ] = None,
    only_successes: Annotated[
        bool,
        typer.Option(
            "--only-successes",
            help="Keep only episodes with a success, and play on until there are enough.",
            rich_help_panel=PLAYED,
        ),
    ] = False,
    max_attempts: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="With --only-successes, play at most N episodes of each skill. The default is four times --episodes.",
            rich_help_panel=PLAYED,
        ),
    ] = None,
    seed: Seed = 0,
    max_episode_steps: MaxEpisodeSteps = None,
    terminate_on_success: TerminateOnSuccess = True,
    reward_function_version: RewardVersion = None,
    use_one_hot: OneHot = False,
    num_envs: NumEnvs = None,
    vector_strategy: Engine = None,
    camera: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Draw each episode that is kept with this camera, such as corner2 or gripperPOV, or default for the "
            "world's own view. Can be given several times.",
            rich_help_panel=PICTURES,
        ),
    ] = None,
    width: Annotated[
        int | None,
        typer.Option(min=1, metavar="PIXELS", help="Width of a picture.", rich_help_panel=PICTURES),
    ] = None,
    height: Annotated[
        int | None,
        typer.Option(min=1, metavar="PIXELS", help="Height of a picture.", rich_help_panel=PICTURES),
    ] = None,
    shadows: Shadows = True,
    jpeg_encoding: Annotated[
        bool,
        typer.Option(
            "--jpeg-encoding",
            help="Keep Minari's pictures as JPEG, which changes them a little and takes a tenth of the space.",
            rich_help_panel=PICTURES,
        ),
    ] = False,
    fps: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Frames per second of a LeRobot data set. The default is the world's own, 80 in Meta-World.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    dataset_id: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Id of a Minari data set. The default is made of benchmark and policy, as taskworlds/MT10-expert-v0.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace a data set that is already there.", rich_help_panel=OUTPUT),
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
    config_file: ConfigFile = None,
) -> None:
    """Plays a policy on each skill of a benchmark, and keeps the episodes as a data set.

    `taskworlds demonstrate MT10 --episodes 50 --format minari` keeps 500 episodes of Meta-World's scripted experts.
    """
    # These load a simulator, which `taskworlds --help` can do without.
    from taskworlds.demonstrations import Plan, write_lerobot, write_minari
    from taskworlds.demonstrations.collecting import play
    from taskworlds.demonstrations.folders import size_of
    from taskworlds.demonstrations.lerobot_data import check_lerobot
    from taskworlds.demonstrations.minari_data import check_minari, default_id
    from taskworlds.evaluation.loading import origin_of

    check_seed(seed)
    check_choice("format", format, _FORMATS)
    _check_options(
        format, out, camera, width=width, height=height, jpeg=jpeg_encoding, fps=fps, id=dataset_id
    )
    name, split = split_of_name(benchmark, split)
    tasks: tuple[Task, ...] | None = None
    if task_ids:
        made = make_benchmark(name, env_name, seed=seed, num_goals=num_goals)
        split = split or ("train" if made.train_tasks else "test")
        tasks = chosen(made, split, task_ids)
        episodes = episodes or min(_counts(tasks).values())
    plan = Plan.of(
        load(policy, arguments_of(policy_arg or ()), checkpoint),
        name,
        episodes=episodes or _EPISODES,
        only_successes=only_successes,
        max_attempts=max_attempts,
        split=split,
        env_name=env_name,
        num_goals=num_goals,
        tasks=tasks,
        seed=seed,
        vector_strategy=vector_strategy,
        max_episode_steps=max_episode_steps,
        terminate_on_success=None if terminate_on_success else False,
        reward_function_version=reward_function_version,
        use_one_hot=use_one_hot or None,
    )
    say = console(stderr=as_json)
    root = out
    with contextlib.ExitStack() as stack:
        stack.enter_context(stopped_like_ctrl_c(signal.SIGTERM))
        stack.enter_context(_one_line_errors())
        stack.enter_context(_options_named())
        cameras = _cameras(plan, camera, width=width, height=height, shadows=shadows)
        if cameras is not None:
            stack.callback(cameras.close)
        try:
            if format == "minari":
                dataset_id = dataset_id or default_id(plan)
                root = check_minari(dataset_id, out, force=force)[0]
            elif out is not None:
                check_lerobot(plan, out, cameras=cameras, force=force)
        except ImportError as error:
            raise _Failed(str(error)) from None
        if not quiet:
            for line in _opening(plan, origin_of(plan.policy).in_words()):
                say.print(line, markup=False, soft_wrap=True)
        begun = time.monotonic()
        with display(shown=not quiet) as shown:
            found = play(plan, num_envs=num_envs, on_episode=shown.on_episode, on_step=shown.on_step)
        played = time.monotonic() - begun
        if not found.episodes:
            raise _Failed(f"Nothing was written, since no episode was kept: {_shortage(found)}")
        if cameras is not None and not quiet:
            pictures = len(cameras.shapes) * (found.num_steps + len(found.episodes))
            say.print(f"drawing {counted(pictures, 'picture')}", markup=False, soft_wrap=True)
        begun = time.monotonic()
        with display(shown=cameras is not None and not quiet) as shown:

            def on_episode(done: int, total: int) -> None:
                shown.on_episode(done, total)
                shown.on_step(found.episodes[done - 1].episode.length)

            how: dict[str, Any] = {"cameras": cameras, "force": force, "on_episode": on_episode}
            try:
                if format == "minari":
                    folder = write_minari(found, dataset_id, root=root, jpeg_encoding=jpeg_encoding, **how)
                else:
                    assert out is not None
                    folder = write_lerobot(found, out, fps=fps, **how)
            except OSError as error:
                raise _Failed(f"The data set could not be written: {error}. Nothing is left of it.") from None
        written = time.monotonic() - begun
        size = size_of(folder)
    if as_json:
        print(
            json.dumps(
                {
                    "format": format,
                    "folder": str(folder),
                    "dataset_id": dataset_id,
                    "root": None if format == "lerobot" else str(root),
                    "episodes": len(found.episodes),
                    "steps": found.num_steps,
                    "bytes": size,
                    "seconds_played": round(played, 3),
                    "seconds_written": round(written, 3),
                    **found.about(),
                },
                indent=1,
            )
        )
    elif not quiet:
        say.print(_table(found))
    if not (quiet and as_json):
        attempts = sum(each.attempts for each in found.skills)
        tried = "" if attempts == len(found.episodes) else f" of {attempts} attempts"
        say.print(
            f"{counted(len(found.episodes), 'episode')}{tried}, {found.num_steps:,} steps, {size / 1e6:,.1f} MB; "
            f"played in {played:.1f} s, written in {written:.1f} s",
            markup=False,
            soft_wrap=True,
        )
    if not quiet:
        for line in _closing(format, folder, root, dataset_id):
            say.print(line, markup=False, soft_wrap=True)
    if shortage := _shortage(found):
        say_mistake(f"Some episodes are missing in the data set: {shortage}")
        raise typer.Exit(1)


class _Failed(Exception):
    """The command cannot do what it is asked for, though the call is right."""


# What an argument of the functions is called here.
_OPTIONS = {
    "root": "--out",
    "cameras": "--camera",
    "names": "--camera",
    "camera_name": "--camera",
}


@contextlib.contextmanager
def _options_named() -> Iterator[None]:
    """Has mistakes name the options that the user typed."""
    try:
        yield
    except Mistake as mistake:
        argument = mistake.argument or str(mistake).partition(" ")[0]
        named = Mistake(str(mistake), argument).under_name(_OPTIONS.get(argument, argument))
        raise WrongValue(named.replace("force=True", "--force"), mistake.argument) from None


@contextlib.contextmanager
def _one_line_errors() -> Iterator[None]:
    """Tells in one line what came between."""
    try:
        yield
    except _Failed as error:
        say_mistake(str(error))
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        console(stderr=True).print("stopped; nothing was written")
        raise typer.Exit(130) from None


def _check_options(
    format: str,
    out: Path | None,
    camera: list[str] | None,
    *,
    jpeg: bool,
    id: str | None,
    **numbers: int | None,
) -> None:
    """Raises where an option has no meaning for the format, or without pictures."""
    if format == "lerobot" and out is None:
        raise WrongValue("--format lerobot needs a folder to write to: give --out.")
    of_format = {"--fps": ("lerobot", numbers["fps"] is not None), "--dataset-id": ("minari", id is not None)}
    of_format["--jpeg-encoding"] = ("minari", jpeg)
    for option, (needed, given) in of_format.items():
        if given and format != needed:
            raise WrongValue(f"{option} is for --format {needed}, not for {format}: leave it out.")
    of_pictures = {
        "--width": numbers["width"] is not None,
        "--height": numbers["height"] is not None,
        "--jpeg-encoding": jpeg,
    }
    for option, given in of_pictures.items():
        if given and not camera:
            raise WrongValue(f"{option} is for pictures: give --camera, too, or leave it out.")


def _cameras(plan: Plan, names: list[str] | None, **look: Any) -> Cameras | None:
    """Returns the cameras; raises before anything is played if there is none of a name, or nothing draws."""
    from taskworlds.demonstrations import Cameras  # as above

    if not names:
        return None
    try:
        return Cameras(plan, names, **look)
    except RuntimeError as error:
        raise _Failed(f"Pictures cannot be drawn here: {error}") from None


def _counts(tasks: tuple[Task, ...]) -> dict[str, int]:
    """Returns how many tasks there are of each skill."""
    names = [task.env_name for task in tasks]
    return {name: names.count(name) for name in names}


def _opening(plan: Plan, who: str) -> list[str]:
    """Returns what is going to be played, in two lines."""
    skills = len(plan.by_skill())
    what = counted(plan.episodes, "episode")
    if plan.only_successes:
        what = "1 success" if plan.episodes == 1 else f"{plan.episodes} successes"
    limit = plan.settings.get("max_episode_steps") or plan.world.max_episode_steps
    up_to = "up to " if plan.settings["terminate_on_success"] else ""
    lines = [
        f"{plan.benchmark.name} {plan.split}: {counted(skills, 'skill')} x {what} of {up_to}{limit} steps, seed "
        f"{plan.seed}"
    ]
    attempts = f", at most {plan.max_attempts} attempts a skill" if plan.only_successes else ""
    return [*lines, f"policy {who}{attempts}"]


def _table(found: Demonstrations) -> Table:
    """Returns what came of each skill."""
    from rich.table import Table  # which takes a while to load

    steps: dict[str, int] = {}
    for each in found.episodes:
        steps[each.task.env_name] = steps.get(each.task.env_name, 0) + each.episode.length
    table = Table(box=None, pad_edge=False)
    table.add_column("skill", overflow="fold")
    for heading in ("kept", "played", "successes", "steps"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("instruction")
    for count in found.skills:
        successes = "-" if count.successes is None else str(count.successes)
        table.add_row(
            count.env_name,
            str(count.kept),
            str(count.attempts),
            successes,
            f"{steps.get(count.env_name, 0):,}",
            count.instruction,
        )
    return table


def _shortage(found: Demonstrations) -> str:
    """Returns what is missing, as a sentence; nothing if all is there."""
    short = [each for each in found.skills if each.kept < each.wanted]
    if not short:
        return ""
    parts = [
        f"{each.env_name} has {each.kept} of {each.wanted} after {each.attempts} attempts" for each in short
    ]
    errors = [f"{each.env_name}: {each.error}" for each in short if each.error is not None]
    more = f" The first that could not run: {errors[0]}" if errors else ""
    return f"{'; '.join(parts)}.{more}"


def _closing(format: str, folder: Path, root: Path | None, dataset_id: str | None) -> list[str]:
    """Returns where the data set is, and how to load it."""
    lines = [f"wrote {folder}"]
    if format == "minari":
        return [
            *lines,
            f"load it with MINARI_DATASETS_PATH={root} and minari.load_dataset({dataset_id!r})",
        ]
    return [*lines, f"load it with LeRobotDataset({folder.name!r}, root={str(folder)!r})"]
