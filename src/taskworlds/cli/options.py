"""The options that several commands have: who plays, and what is played."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from taskworlds.cli.completion import complete, engine_names, names
from taskworlds.cli.policy import NAMED
from taskworlds.core.benchmark import SPLITS
from taskworlds.core.registry import engines, worlds

__all__ = [
    "HOW",
    "OUTPUT",
    "PLAYED",
    "AsJson",
    "BenchmarkName",
    "Checkpoint",
    "Engine",
    "EnvName",
    "Force",
    "MaxEpisodeSteps",
    "NumEnvs",
    "NumGoals",
    "OneHot",
    "Policy",
    "PolicyArg",
    "Quiet",
    "RewardVersion",
    "Seed",
    "Split",
    "TaskIds",
    "TerminateOnSuccess",
]

_POLICY, PLAYED, HOW, OUTPUT = "Who plays", "What is played", "How", "Output"

# What the help says of worlds and engines.
_EXPERTS = ", ".join(world.name for world in worlds() if world.experts is not None)
_REWARDS = [each.reward_function_versions for each in worlds() if len(each.reward_function_versions) > 1]
_VERSIONS = list(dict.fromkeys(version for versions in _REWARDS for version in versions))
_ENGINES = "; ".join(f"{name}: {each.summary}" for name, each in engines().items())

BenchmarkName = Annotated[
    str,
    typer.Argument(
        metavar="BENCHMARK",
        help="Name a benchmark, such as MT10, ML45-test or half-cheetah-vel, or a skill such as reach-v3.",
        autocompletion=complete(names),
    ),
]
Policy = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"Let this policy play: expert (in {_EXPERTS}), random, or your own as file.py:object or "
        "package.module:object. The default is expert where there is one, and random elsewhere.",
        autocompletion=complete(lambda: (*NAMED, *(each.name for each in sorted(Path().glob("*.py"))))),
        rich_help_panel=_POLICY,
    ),
]
PolicyArg = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        help="Pass this argument to the function or class that --policy names. VALUE is a number or other JSON, or "
        "text. Can be given several times.",
        rich_help_panel=_POLICY,
    ),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH",
        help="Load the policy from this file or folder, as in --policy stable_baselines3:PPO --checkpoint "
        "model.zip; or load this state dict into the torch module that --policy names or makes.",
        rich_help_panel=_POLICY,
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        metavar="train|test",
        help="Play the train or the test tasks. The default is test where the benchmark has test tasks.",
        autocompletion=complete(lambda: SPLITS),
        rich_help_panel=PLAYED,
    ),
]
EnvName = Annotated[
    str | None,
    typer.Option(
        metavar="SKILL",
        help="Name the skill of MT1 or ML1.",
        autocompletion=complete(names),
        rich_help_panel=PLAYED,
    ),
]
NumGoals = Annotated[
    int | None,
    typer.Option(
        "--num-goals",
        "--goals",
        min=1,
        metavar="N",
        help="Play N goals of each skill, or N tasks of each split. The default is the benchmark's own number.",
        rich_help_panel=PLAYED,
    ),
]
TaskIds = Annotated[
    list[str] | None,
    typer.Option(
        "--task",
        metavar="ID",
        help="Play only this task, by the id that tasks.csv shows, or its beginning. Can be given several times.",
        rich_help_panel=PLAYED,
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        metavar="N",
        help="Draw goals, and the random policy's actions, with this seed.",
        rich_help_panel=PLAYED,
    ),
]
MaxEpisodeSteps = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="End an episode after N steps. The default is the benchmark's own number.",
        rich_help_panel=PLAYED,
    ),
]
TerminateOnSuccess = Annotated[
    bool,
    typer.Option(
        "--stop-at-success/--full-episodes",
        help="End an episode with its first success, or play it to its last step.",
        rich_help_panel=PLAYED,
    ),
]
RewardVersion = Annotated[
    str | None,
    typer.Option(
        "--reward-version",
        metavar="|".join(_VERSIONS),
        help="Use this version of the reward, where a world has several. The default is the newest.",
        rich_help_panel=PLAYED,
    ),
]
OneHot = Annotated[
    bool,
    typer.Option("--one-hot", help="Append a one-hot of the skill to observations.", rich_help_panel=HOW),
]
NumEnvs = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Step N rows. The default is the same number for each skill, and at least 10 in all.",
        rich_help_panel=HOW,
    ),
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="NAME",
        help=f"Step the rows with this engine. {_ENGINES}. The default is the world's own choice.",
        autocompletion=complete(engine_names),
        rich_help_panel=HOW,
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Overwrite the files that are already there.", rich_help_panel=OUTPUT)
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="Print only the line with the overall figures.", rich_help_panel=OUTPUT
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.", rich_help_panel=OUTPUT)]
