"""A page for each skill, and a gallery of Meta-World's, made from the tables that the package runs on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from _pages.rewards import SHARED, of_shared, of_world, success_of, told
from taskworlds.cli.listing import skills as listed_skills
from taskworlds.core.benchmark import split_of_name
from taskworlds.core.registry import benchmark_makers, list_makers, worlds
from taskworlds.core.world import World
from taskworlds.worlds.metaworld.instructions import PARAPHRASES
from taskworlds.worlds.metaworld.skill import Skill
from taskworlds.worlds.metaworld.skills import SKILLS

DOCS = Path(__file__).parents[1]
MEDIA = DOCS / "media"
AXES = ("x", "y", "z")
# The table that `taskworlds demonstrate` measured: a skill, its successes of 100 goals, the interval, steps to success.
MEASURED = re.compile(r"^\| ([\w-]+) \| (\d+) \| ([\d.]+ to [\d.]+) \| (\d+) \|$", re.MULTILINE)


def write(folder: Path) -> None:
    """Writes the pages into `folder`, which is the site's `skills`."""
    folder.mkdir(exist_ok=True)
    by_name = {skill.name: skill for skill in SKILLS}
    measured = {found[0]: found[1:] for found in MEASURED.findall((DOCS / "demonstrations.md").read_text())}
    suites: dict[str, list[str]] = {}
    rows = {row["name"]: row for row in listed_skills()}
    for world in worlds():
        for name in world.env_names():
            lines = about(world, name, rows[name])
            lines += of_metaworld(by_name[name], measured[name]) if name in by_name else of_world(world, name)
            (folder / f"{name}.md").write_text("\n".join([*lines, ""]))
            suites.setdefault(world.listed.title, []).append(name)
    (folder / f"{SHARED}.md").write_text(of_shared())
    (folder / "index.md").write_text(gallery(suites, rows))


def gallery(suites: Mapping[str, list[str]], rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the page with all skills: a picture of each where there is one."""
    lines = ["# All skills", "", "A page for each, with its observation, its tasks and its reward.", ""]
    for title, names in suites.items():
        lines += [f"## {title}", ""]
        if any((MEDIA / f"{name}.webp").exists() for name in names):
            lines += ["::::{grid} 2 3 4 5", ":gutter: 2", ""]
            for name in names:
                lines += [f":::{{grid-item-card}} {name}", f":link: {name}", ":link-type: doc"]
                lines += [
                    f":img-top: ../media/{name}.webp",
                    f":img-alt: The end of an episode of {name}",
                    "",
                    rows[name]["summary"],
                    ":::",
                    "",
                ]
            lines += ["::::", ""]
        else:
            lines += ["| skill | what is to be done |", "| --- | --- |"]
            lines += [f"| [{name}]({name}.md) | {rows[name]['summary']} |" for name in names]
            lines += [""]
    lines += [
        f"[Functions in rewards]({SHARED}.md) explains what the rewards of Meta-World's skills are made of.",
        "",
    ]
    every = "\n".join([*(name for names in suites.values() for name in names), SHARED])
    return "\n".join([*lines, "```{toctree}", ":hidden:", every, "```", ""])


def about(world: World, name: str, row: Mapping[str, Any]) -> list[str]:
    """Returns what a page says of a skill of any world."""
    lines = [f"# {name}", ""]
    if (MEDIA / f"{name}.mp4").exists():
        seen = f"The scripted expert solves {name}"
        lines += [
            "```{raw} html",
            f'<video class="moving" autoplay muted loop playsinline width="240" height="240" aria-label="{seen}"',
            f'  poster="../../_static/{name}.webp" src="../../_static/{name}.mp4"></video>',
            f'<img class="still" width="240" height="240" alt="{seen}" src="../../_static/{name}.webp">',
            "```",
            "",
        ]
    lines += [f"{row['summary'][0].upper()}{row['summary'][1:]}.", ""]
    lines += ["```python", "import taskworlds", "", f'env = taskworlds.make("{name}")', "```", ""]
    lines += ["```sh", f"taskworlds evaluate {name}", "```", ""]
    space = world.observation_space(visible=True, hidden=False)
    table = {
        f"{world.listed.thing}": row["object"],
        "observation": shown(space),
        "action": shown(world.action_space()),
        "horizon": f"{world.max_episode_steps} steps",
        "benchmarks": ", ".join(linked(each) for each in benchmarks_of(name, row)),
        "reports success": "yes" if world.has_success else "no",
    }
    if world.render_modes:
        table["pictures"] = ", ".join(world.render_modes)
    lines += ["| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in table.items()), ""]
    parts = world.observed_parts()
    if parts:
        lines += ["## Observation", "", "| numbers | what they are |", "| --- | --- |"]
        first = 0
        for part, size in parts.items():
            lines += [f"| {first}{f' to {first + size - 1}' if size > 1 else ''} | `{part}` |"]
            first += size
        lines += ["", "[Infos and observations](../infos.md) says more.", ""]
    return lines


def shown(space: Any) -> str:
    """Returns a space in a few words."""
    if not hasattr(space, "low"):
        return f"`{space}`"
    low, high = np.unique(space.low), np.unique(space.high)
    ends = (
        f"from {low[0]:g} to {high[0]:g}"
        if len(low) == len(high) == 1
        else "each number within its own bounds"
    )
    return f"{space.dtype} {space.shape}, {ends}"


def benchmarks_of(name: str, row: Mapping[str, Any]) -> Iterable[str]:
    """Yields the benchmarks that a skill is in, without variants of one."""
    makers = benchmark_makers()
    for benchmark in row["benchmarks"]:
        found = makers.get(benchmark)
        if found is None or not found[1].is_variant:
            yield benchmark
    for benchmark, maker in list_makers().items():
        if name in (maker.train_skills or ()):
            yield benchmark


def linked(benchmark: str) -> str:
    """Returns a benchmark's name, or that of a split of it, as a link to its page."""
    base, _ = split_of_name(benchmark)
    _, maker = benchmark_makers().get(base, (None, None))
    has_page = base in list_makers() or (maker is not None and not maker.is_variant)
    return f"[{benchmark}](../benchmarks/{base}.md)" if has_page else f"`{benchmark}`"


def of_metaworld(skill: Skill, measured: tuple[str, ...]) -> list[str]:
    """Returns what only a skill of Meta-World's arm has: goals, the expert's success, how reward is computed."""
    successes, interval, steps = measured
    lines = [
        "## The expert",
        "",
        f"Meta-World's scripted expert solved {successes} of 100 goals (95 % interval {interval}). Where it succeeded, "
        f"it took {steps} steps on average. [Demonstrations](../demonstrations.md#what-the-experts-can-do) has the "
        "command.",
        "",
        "## Tasks",
        "",
        "The parameter `rand_vec` of a task fixes object and goal. Its numbers are drawn uniformly between these "
        "bounds, in metres; where both bounds are equal, the number is always the same.",
        "",
        "| number | what it places | lower bound | upper bound |",
        "| --- | --- | --- | --- |",
    ]
    for i, (low, high) in enumerate(zip(skill.rand_vec_low, skill.rand_vec_high, strict=True)):
        what = f"{'goal' if i > 2 else 'object or goal'}, {AXES[i % 3]}"
        lines.append(f"| {i} | {what} | {low:g} | {high:g} |")
    lines += ["", f"The hand moves from {triple(skill.hand_low)} to {triple(skill.hand_high)}.", ""]
    lines += told("How an episode starts", skill.reset) + told(
        "What the observation has of objects", skill.observe
    )
    for version in sorted(skill.rewards, reverse=True):
        lines += told(f"Reward {version}{' (default)' if version == 'v2' else ''}", skill.rewards[version])
        if success := success_of(skill.rewards[version]):
            lines += [f"The skill is solved in a step where `{success}`.", ""]
    lines += ["## In other words", "", *(f"- {words}" for words in PARAPHRASES[skill.name]), ""]
    return [*lines, "[Instructions](../instructions.md) says how a policy gets them.", ""]


def triple(values: Iterable[float]) -> str:
    return "(" + ", ".join(f"{value:g}" for value in values) + ")"
