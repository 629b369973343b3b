"""What the page of a skill says about its reward: the docstring, the code, and everything that the code uses."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable
from types import FunctionType, ModuleType
from typing import Any

from taskworlds.core.world import World
from taskworlds.worlds.control import custom_tasks
from taskworlds.worlds.control.kernels import KERNELS
from taskworlds.worlds.control.skills import CUSTOM_SKILLS
from taskworlds.worlds.control.skills import skill as control_skill
from taskworlds.worlds.locomotion.skills import SKILLS as LOCOMOTION_SKILLS
from taskworlds.worlds.metaworld import rewards as shared
from taskworlds.worlds.small.grid_map import MAPS
from taskworlds.worlds.small.grid_world import GridWorldEnv
from taskworlds.worlds.small.point import PointEnv

SHARED = (
    "reward-functions"  # the page of the functions that the rewards of Meta-World's skills have in common
)
SUITE = "https://github.com/google-deepmind/dm_control/blob/main/dm_control/suite"
# The class of `custom_tasks` that holds the reward, where the native engine has no kernel of it.
CUSTOM_CLASSES = {"ball_in_cup": custom_tasks.SpinningBall}


def of_shared() -> str:
    """Returns the page of the functions that rewards of Meta-World's skills call."""
    lines = [
        "# Functions in rewards",
        "",
        "The rewards of Meta-World's skills are built from these functions, which are in "
        "`taskworlds.worlds.metaworld.rewards`. [A skill of your own](../write-a-skill.md) can use them. Lengths are "
        "in metres.",
        "",
    ]
    for name in sorted(shared.__all__):
        lines += told(f"`{name}`", getattr(shared, name), linked=False)
    return "\n".join(lines)


def of_world(world: World, name: str) -> list[str]:
    """Returns what the page of a skill outside Meta-World says about its tasks and its reward."""
    if world.suite == "locomotion":
        return of_locomotion(name)
    if world.suite == "control":
        return of_control(name)
    return of_small(name) if world.suite == "small" else []


def of_locomotion(name: str) -> list[str]:
    """Returns the sections about one of the locomotion skills: how tasks are drawn, its reward, and its sources."""
    skill = next(each for each in LOCOMOTION_SKILLS if each.name == name)
    ends = (
        "A step after which the body is unhealthy, as Gymnasium's environment defines it, ends the episode."
        if skill.terminates
        else "No step ends an episode; the limit truncates it."
    )
    heading, blank, words, *code = told("Reward", skill.reward)
    lines = ["## Tasks", "", f"The parameters of a task are {and_list(skill.params)}.", ""]
    lines += [*folded("How they are drawn", skill.draw), heading, blank, words, ""]
    lines += [f"The world does not define success. {ends}", *code, "## Sources", ""]
    # The file's docstring begins with a line about the body and a list of its skills.
    body = sys.modules[skill.reward.__module__]
    return [*lines, *inspect.cleandoc(body.__doc__ or "").split("\n\n", 2)[2].splitlines(), ""]


def of_small(name: str) -> list[str]:
    """Returns the section about one of the small worlds, from the docstring of its environment."""
    env = PointEnv if name == "point" else GridWorldEnv
    about = inspect.cleandoc(env.__doc__ or "").partition("\n\nArgs:")[0].split("\n\n", 1)[1]
    lines = ["## Rules", ""]
    for line in about.splitlines():
        first, colon, rest = line.partition(": ")
        if colon and " " not in first:
            lines.append(f"- **{first}**: {rest}")
        elif line[0].isupper():
            lines.append(f"- {line}")
        else:
            lines[-1] += f" {line}"
    lines.append("")
    if name == "point":
        return [*lines, "The world leaves `done_bonus` at 0, and success ends an episode.", ""]
    return [*lines, "```text", *MAPS[name.removeprefix("grid-")], "```", ""]


def and_list(names: Iterable[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def of_control(name: str) -> list[str]:
    """Returns the section about the reward of one of dm_control's skills."""
    each = control_skill(name)
    own = each in CUSTOM_SKILLS
    says = (
        "TD-MPC2's reward for this skill, from 0 to 1 in each step. The world does not define success."
        if own
        else f"dm_control's own reward, from 0 to 1 in each step: `get_reward` in "
        f"[{each.domain}.py]({SUITE}/{each.domain}.py) of its suite. The world does not define success."
    )
    if name.startswith("lqr"):
        says = says.replace(", from 0 to 1 in each step", "")
    lines = ["## Reward", "", says, ""]
    function = KERNELS[name].function if name in KERNELS else None
    if own and function is None and each.domain in CUSTOM_CLASSES:
        function = CUSTOM_CLASSES[each.domain].get_reward
    if own and each.domain == "reacher":
        lines += [
            f"It is that of dm_control's reacher, [reacher.py]({SUITE}/reacher.py), with a third link and a target of "
            f"{custom_tasks.TARGET_SIZE[each.task]:g} m.",
            "",
        ]
    if function is not None:
        title = "The code for the native engine" if name in KERNELS else "The code"
        lines += folded(title, function)
    return lines


def told(title: str, function: Callable[..., Any] | None, *, linked: bool = True) -> list[str]:
    """Returns a section about a function: its docstring, and its code with what it uses, to unfold.

    Args:
        title: the section's heading.
        function: the function; None for no section.
        linked: whether the functions that Meta-World's rewards have in common are named with a link to their page.
    """
    if function is None:
        return []
    lines = [f"## {title}", "", words_of(function), ""]
    helpers = [helper for helper in called(function) if of_module(helper, function)]
    lines += [f"`{helper.__name__}`: {words_of(helper)}\n" for helper in helpers if words_of(helper)]
    common = sorted({name for each in (function, *helpers) for name in names_in(each)} & set(shared.__all__))
    if linked and common:
        names = ", ".join(f"`{name}`" for name in common)
        lines += [f"[Functions in rewards]({SHARED}.md) explains {names}.", ""]
    return lines + folded("The code", function)


def words_of(function: Callable[..., Any]) -> str:
    """Returns a docstring without its lists of arguments and results, or those as a list."""
    text = inspect.cleandoc(function.__doc__ or "")
    about, *rest = text.split("\n\nArgs:\n")
    if not rest:
        return about.partition("\n\nReturns:")[0].strip()
    entries = textwrap.dedent(rest[0].partition("\n\nReturns:")[0]).splitlines()
    joined: list[str] = []
    for line in entries:
        if line.startswith(" "):
            joined[-1] += f" {line.strip()}"
        elif line:
            name, _, meaning = line.partition(": ")
            joined.append(f"- `{name}`: {meaning}")
    return "\n".join([about.strip(), "", *joined])


def folded(title: str, function: Callable[..., Any]) -> list[str]:
    """Returns the code of a function, with the constants and the functions of its file that it uses, to unfold."""
    helpers = [helper for helper in called(function) if of_module(helper, function)]
    functions = [*reversed(helpers), function]
    lines = [f":::{{dropdown}} {title}", "```python"]
    constants = constants_of(functions)
    if constants:
        lines += [*constants, "", ""]
    code = "\n\n\n".join(textwrap.dedent(inspect.getsource(each)).rstrip() for each in functions)
    return [*lines, code, "```", ":::", ""]


def names_in(function: Callable[..., Any]) -> tuple[str, ...]:
    return function.__code__.co_names


def of_module(function: Callable[..., Any], other: Callable[..., Any]) -> bool:
    return inspect.getmodule(function) is inspect.getmodule(other)


def called(function: Callable[..., Any]) -> list[FunctionType]:
    """Returns the functions that a function calls or names in its docstring, and those that these do, each once."""
    found: list[FunctionType] = []
    left = [function]
    while left:
        each = left.pop(0)
        for name in (*names_in(each), *re.findall(r"`(\w+)`", each.__doc__ or "")):
            value = each.__globals__.get(name)
            if isinstance(value, FunctionType) and value not in found:
                found.append(value)
                left.append(value)
    return found


def constants_of(functions: Iterable[Callable[..., Any]]) -> list[str]:
    """Returns the lines that set the constants that functions of one file use, with their units."""
    functions = list(functions)
    module: ModuleType | None = inspect.getmodule(functions[-1])
    source = inspect.getsource(module)
    lines = source.splitlines()
    used = {name for each in functions for name in names_in(each)}
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and any(name.id in used for name in names_set(node)):
            found += lines[node.lineno - 1 : node.end_lineno]
    # What `bind` gave the function of one skill, which no line of the file sets.
    given = {name: functions[-1].__globals__.get(name) for name in sorted(used - set(vars(module)))}
    return found + [f"{name} = {value!r}" for name, value in given.items() if isinstance(value, (int, float))]


def names_set(node: ast.Assign) -> list[ast.Name]:
    return [each for each in ast.walk(node.targets[0]) if isinstance(each, ast.Name)]


def success_of(function: Callable[..., Any]) -> str:
    """Returns the expression by which a reward of Meta-World says whether the skill is solved; "" if it is not plain.

    It is the second value of the `Terms` that the function returns.
    """
    for each in (function, *(helper for helper in called(function) if of_module(helper, function))):
        (defined,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        found = [
            node
            for node in ast.walk(defined)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Terms"
        ]
        values = {ast.unparse(success_in(call, defined)) for call in found}
        if values:
            only = values.pop() if len(values) == 1 else ""
            return "" if only.isidentifier() else only
    return ""


def success_in(call: ast.Call, defined: ast.stmt) -> ast.expr:
    """Returns the expression for `success` in a call of `Terms`, with a name replaced by what it was set to."""
    by_name = [each.value for each in call.keywords if each.arg == "success"]
    value = by_name[0] if by_name else call.args[1]
    set_here = [
        node.value
        for node in ast.walk(defined)
        if isinstance(node, ast.Assign)
        and isinstance(value, ast.Name)
        and getattr(node.targets[0], "id", None) == value.id
    ]
    return set_here[0] if len(set_here) == 1 else value
