"""Walker2d: a planar torso on two legs with six actuated joints, Gymnasium's Walker2d-v5.

walker2d-rand-params    walk forward with a body of unknown masses, inertias, joint damping and friction

A task multiplies four arrays of the MuJoCo model, element by element. The multipliers are drawn log-uniformly: 1.5 to
the power of U(-3, 3) (0.30 to 3.4) for mass, inertia and friction, 1.3 to the power of U(-3, 3) (0.46 to 2.2) for
damping, as in the environments of ProMP and PEARL (Rothfuss et al. 2019; Rakelly et al. 2019; dennisl88/
rand_param_envs, rand_param_envs/base.py and walker_rand_params.py). Numbers of tasks are PEARL's (katerakelly/oyster,
configs/walker_rand_params.json).

Physics, starts, observation and reward are Gymnasium's. They are also the literature's, with two exceptions: the
literature's frame skip is 5, not 4, and it pays the reward for health in the step that falls too. Falling (a torso
below 0.8 m or above 2 m, or leaning by more than 1 rad) ends the episode in both.

rand_param_envs writes the four arrays into the compiled model and leaves the constants that MuJoCo computed from them
as they were: the inverse weights, by which contacts and limits are made as stiff as the body is heavy, and the mean
inertia, by which the solver decides when it is done. Here `mj_setConst` computes them again, as MuJoCo requires after
such a change, so the physics is that of a body that was built with these masses.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.worlds.locomotion.skill import Skill

__all__ = ["SKILLS"]

CTRL_COST = 1e-3  # per squared unit of action, Gymnasium's own
LOG_SCALE = 3.0  # exponents are drawn from -LOG_SCALE to LOG_SCALE

# Arrays of the model: shape, and base of the power of which the multiplier is drawn. The first body is the world, which
# has no mass, and the first three degrees of freedom, which carry the torso, have no damping.
ARRAYS: dict[str, tuple[tuple[int, ...], float]] = {
    "body_mass": ((8,), 1.5),
    "body_inertia": ((8, 3), 1.5),
    "dof_damping": ((9,), 1.3),
    "geom_friction": ((8, 3), 1.5),
}


def reward_walk(x_velocity: float, survive: float, effort: float) -> tuple[float, float, float]:
    """The velocity along x (m/s), minus the control cost, plus the reward for health.

    Args:
        x_velocity: mean velocity during the step, m/s.
        survive: the reward for health.
        effort: sum of the action's squares.

    Returns:
        Reward, its forward term and its control term.
    """
    ctrl = -CTRL_COST * effort
    return x_velocity + ctrl + survive, x_velocity, ctrl


def _check_multipliers(name: str, skill: str, value: Any) -> None:
    shape, _ = ARRAYS[name]
    wanted = f"{name} must be a tuple of {shape[0]} " + (
        "numbers" if len(shape) == 1 else "tuples of 3 numbers"
    )
    rows = (value,) if len(shape) == 1 else value
    if not (
        isinstance(value, tuple)
        and all(isinstance(row, tuple) and all(type(each) in (int, float) for each in row) for row in rows)
    ):
        raise WrongType(f"{wanted} for {skill}, not {value!r}.")
    if len(value) != shape[0] or any(len(row) != shape[-1] for row in rows):
        raise WrongValue(f"{wanted} for {skill}, not {value!r}.")
    if any(each <= 0 for row in rows for each in row):
        raise WrongValue(
            f"{name} must have multipliers above 0 for {skill}, not {value!r}: 1 leaves the body as it is."
        )


def _multipliers(params: Mapping[str, Any]) -> tuple[float, ...]:
    return tuple(np.concatenate([np.ravel(params[name]) for name in ARRAYS]).tolist())


def _draw(rng: np.random.Generator) -> dict[str, Any]:
    return {
        name: _tuples((base ** rng.uniform(-LOG_SCALE, LOG_SCALE, shape)).tolist())
        for name, (shape, base) in ARRAYS.items()
    }


def _tuples(value: Any) -> Any:
    return tuple(_tuples(each) for each in value) if isinstance(value, list) else value


SKILLS = (
    Skill(
        name="walker2d-rand-params",
        class_name="Walker2dRandParamsEnv",
        summary="walk forward with an unknown body",
        body="walker2d_v5:Walker2dEnv",
        obs_size=17,
        action_size=6,
        goal_size=sum(int(np.prod(shape)) for shape, _ in ARRAYS.values()),
        params={name: partial(_check_multipliers, name) for name in ARRAYS},
        default={name: _tuples(np.ones(shape).tolist()) for name, (shape, _) in ARRAYS.items()},
        goal=_multipliers,
        draw=_draw,
        num_tasks=(40, 10),
        measures=("x_velocity", "reward_survive"),
        reward=reward_walk,
        terminates=True,
        render_fps=125,
        model_params=tuple(ARRAYS),
    ),
)
