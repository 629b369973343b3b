"""Runs a skill on the native engine beside its official environment, and says where they differ.

`python -m taskworlds.testing.parity drawer` does it for the skills of a family, and prints what it found.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import mujoco
import numpy as np
from metaworld.env_dict import ALL_V3_ENVIRONMENTS
from metaworld.policies import ENV_POLICY_MAP
from numpy.typing import NDArray

from taskworlds.engine import Engine
from taskworlds.worlds.metaworld.goals import draw_goals
from taskworlds.worlds.metaworld.kernel import (
    MEMORY_SIZE,
    TERM_NAMES,
    TERM_SIZE,
    first_observation,
    native_kernel,
    param_size,
    plain_kernel,
)
from taskworlds.worlds.metaworld.models import metaworld_model
from taskworlds.worlds.metaworld.native import scene_of
from taskworlds.worlds.metaworld.reset import begin
from taskworlds.worlds.metaworld.skill import Skill

__all__ = ["KINDS", "TOLERANCE", "Native", "Official", "differences"]

TOLERANCE = 1e-9  # observations, rewards and info: sums in another order than NumPy's; physics has none
KINDS = ("expert", "noisy", "random", "double")
_STATE = mujoco.mjtState.mjSTATE_INTEGRATION


class Official:
    """The official environment of a skill, with goals given as rand_vec."""

    def __init__(self, name: str, version: str) -> None:
        self.env: Any = ALL_V3_ENVIRONMENTS[name](reward_function_version=version)
        self.env._set_task_called = True
        self.env._freeze_rand_vec = True
        self.env.max_path_length = 10**9

    def reset(self, rand_vec: NDArray[np.float64], visible: bool) -> NDArray[np.float64]:
        """Starts an episode, and gives its observation (39,)."""
        self.env._last_rand_vec = np.array(rand_vec)
        self.env._partially_observable = not visible
        self.env.__dict__.pop("sawyer_observation_space", None)
        return self.env.reset()[0]

    def state(self) -> NDArray[np.float64]:
        """Gives MuJoCo's integration state."""
        state = np.empty(mujoco.mj_stateSize(self.env.model, _STATE))
        mujoco.mj_getState(self.env.model, self.env.data, state, _STATE)
        return state


class Native:
    """One row of the native engine.

    Args:
        skill: the skill.
        version: of the reward.
        plain: run the kernel as ordinary Python.
        kernel: the compiled kernel, if it is there already.
    """

    def __init__(self, skill: Skill, version: str, plain: bool = False, kernel: Any = None) -> None:
        self.skill = skill
        self.model = metaworld_model(skill.model)
        self.plain = plain_kernel(skill, version) if plain else None
        self.engine = Engine(
            [scene_of(skill)],
            1,
            action_size=4,
            param_size=param_size(skill),
            memory_size=MEMORY_SIZE + skill.memory,
            obs_size=39,
            term_size=TERM_SIZE,
            kernels=() if plain else (kernel or native_kernel(skill, version),),
            num_threads=1,
        )
        self.engine.kernel_of_row[:] = -1 if plain else 0

    def reset(self, rand_vec: NDArray[np.float64], visible: bool) -> NDArray[np.float64]:
        """Starts an episode, and gives its observation (39,)."""
        beginning = begin(self.skill, self.model.to_mujoco(), rand_vec)
        engine = self.engine
        engine.states[0, : beginning.state.size] = beginning.state
        engine.overrides[0, : beginning.moved.size] = beginning.moved
        assert set(beginning.start) == set(self.skill.start), (set(beginning.start), set(self.skill.start))
        starts = [beginning.start[name] for name in self.skill.start]
        engine.params[0] = np.concatenate([np.array([float(visible)]), *starts])
        obs, memory, _ = first_observation(self.skill, beginning, visible)
        engine.memory[0] = memory
        return obs

    def step(self, action: NDArray[np.floating]) -> tuple[NDArray[np.float64], float, dict[str, float]]:
        """Takes a step, and gives observation, reward and what info holds."""
        engine = self.engine
        engine.step(action[None])
        if self.plain is not None:
            single = action.dtype == np.float32
            self.plain(
                engine.now[0], action.astype(float), engine.params[0], engine.memory[0], engine.obs[0],
                engine.terms[0], single,
            )  # fmt: skip
        terms = engine.terms[0]
        return engine.obs[0].copy(), float(terms[0]), dict(zip(TERM_NAMES, terms[1:8].tolist(), strict=True))


def _actions(kind: str, name: str, rng: np.random.Generator) -> Callable[..., NDArray[np.floating]]:
    """Gives a function of observation and step, for one of `KINDS`."""
    policy: Any = ENV_POLICY_MAP[name]()  # type: ignore[abstract]
    phase = rng.uniform(0, 2 * math.pi)

    def act(obs: NDArray[np.float64], step: int) -> NDArray[np.floating]:
        if kind in ("random", "double"):
            return rng.uniform(-1.2, 1.2, 4).astype(np.float32 if kind == "random" else np.float64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the experts warn of actions that are cut off
            action = np.clip(policy.get_action(obs), -1, 1)
        if kind == "noisy":
            action = np.clip(action + rng.normal(0, 0.3, 4), -1, 1)
            # A gripper half shut, now and then: efforts between 0 and 1 take their own path in float32.
            if step % 7 < 3:
                action[3] = 0.5 + 0.5 * math.sin(phase + step / 5)
            action = action.astype(np.float32)
        return action

    return act


def differences(
    skill: Skill, version: str, kind: str, *, goals: int, steps: int, seed: int = 0, plain: bool = False
) -> list[str]:
    """Runs both side by side and compares them after every reset and step.

    Physics must be equal to the last bit; observations, rewards and info to `TOLERANCE`, relative above 1.

    Args:
        skill: the skill.
        version: of the reward, "v1" or "v2".
        kind: of the actions: the scripted "expert" (as it comes), "noisy" (the expert with noise and a gripper that is
            half shut at times, float32), "random" (float32, some beyond the limits), or "double" (float64, likewise).
        goals: goals in succession, in one environment, visible and hidden in turn.
        steps: steps for each.
        seed: of goals and actions.
        plain: run the kernel as ordinary Python.

    Returns:
        A line for each thing that differed, and where it did first.
    """
    official, native = Official(skill.name, version), Native(skill, version, plain)
    rng = np.random.default_rng(seed)
    found: dict[str, str] = {}

    def note(what: str, where: str) -> None:
        found.setdefault(what, where)

    for index, goal in enumerate(draw_goals([skill.name], seed, goals)[skill.name]):
        visible = index % 2 == 0
        act = _actions(kind, skill.name, rng)
        obs, ours = official.reset(goal, visible), native.reset(goal, visible)
        where = f"goal {index} ({'visible' if visible else 'hidden'}) at reset"
        if not np.allclose(obs, ours, rtol=0, atol=TOLERANCE):
            bad = np.flatnonzero(~np.isclose(obs, ours, rtol=0, atol=TOLERANCE))
            note("reset observation", f"{where}: {bad.tolist()} official {obs[bad]} ours {ours[bad]}")
        if not np.array_equal(official.state(), native.engine.states[0, : official.state().size]):
            note("reset state", where)
        shown = obs.copy()
        for step in range(steps):
            where = f"goal {index} ({'visible' if visible else 'hidden'}) step {step}"
            shown[36:39] = official.env._target_pos
            action = act(shown, step)
            obs, reward, _, _, info = official.env.step(action)
            ours, our_reward, our_info = native.step(action)
            shown = obs.copy()
            if not np.array_equal(official.state(), native.engine.states[0, : official.state().size]):
                note("physics", where)
            bad = np.flatnonzero(~np.isclose(obs, ours, rtol=0, atol=TOLERANCE))
            if bad.size:
                note("observation", f"{where}: {bad.tolist()} official {obs[bad]} ours {ours[bad]}")
            scale = max(1.0, abs(float(reward)))
            if not abs(float(reward) - our_reward) <= TOLERANCE * scale:
                note(
                    "reward",
                    f"{where}: official {float(reward)!r} ours {our_reward!r} ({action.dtype}, {action})",
                )
            for name, value in info.items():
                scale = max(1.0, abs(float(value)))
                if not abs(float(value) - our_info[name]) <= TOLERANCE * scale:
                    note(name, f"{where}: official {float(value)!r} ours {our_info[name]!r} ({action.dtype})")
            if not np.allclose(
                official.env._target_pos, native.engine.terms[0, 8:11], rtol=0, atol=TOLERANCE
            ):
                note("goal", where)
    return [f"{skill.name} {version} {kind}: {what}: {where}" for what, where in found.items()]


if __name__ == "__main__":
    import argparse
    import importlib

    parser = argparse.ArgumentParser(
        description="Compare the skills of a family with the official environments."
    )
    parser.add_argument("family", help="file in worlds/metaworld/families, without .py")
    parser.add_argument("--skill", help="only this skill")
    parser.add_argument("--goals", type=int, default=3)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--plain", action="store_true", help="run the kernels as ordinary Python")
    given = parser.parse_args()
    module = importlib.import_module(f"taskworlds.worlds.metaworld.families.{given.family}")
    for each in module.SKILLS:
        if given.skill in (None, each.name):
            for version in ("v2", "v1"):
                for kind in KINDS:
                    lines = differences(
                        each, version, kind, goals=given.goals, steps=given.steps, plain=given.plain
                    )
                    print("\n".join(lines) or f"{each.name} {version} {kind}: equal", flush=True)
