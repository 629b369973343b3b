"""TD-MPC2's own tasks in domains of dm_control's suite: rewards, one start, and a reacher of three links.

Each is the suite's task of the same domain with another reward; observations, starts (but for cup-spin) and control
steps are the suite's. The formulas are those of Hansen, Su and Wang, "TD-MPC2: Scalable, Robust World Models for
Continuous Control" (ICLR 2024), as their code defines them (tdmpc2/envs/tasks). Importing this file imports dm_control.

Models are the suite's XML, edited here before it is compiled: the ground of cheetah and walker is twice as long, since
they also run backward, which only pictures show; and the reacher gets a third link.
"""

from __future__ import annotations

import copy
from typing import Any
from xml.etree import ElementTree

import numpy as np
from dm_control.rl import control
from dm_control.suite import ball_in_cup, base, cheetah, hopper, pendulum, reacher, walker
from dm_control.utils.rewards import tolerance

__all__ = ["make"]

INF = float("inf")
HEIGHT = 1.2  # m, of a body that stands or is raised
WALK_SPEED, RUN_SPEED = 1.0, 8.0  # m/s, of the walker backward
BACKWARDS_SPEED = 8.0  # m/s, of the cheetah
ONE_LEG_SPEED = 6.0  # m/s, of the cheetah on one leg
STILL_SPEED = 0.5  # m/s, up to which the cheetah stands
HOP_HEIGHT, HOP_SPEED = (0.6, 2.0), 1.0  # m, of the hopper's torso above its foot; m/s
SPIN_VELOCITY = 9.0  # radians/s, of the pendulum
BALL_SPEED, BALL_DISTANCE = 6.0, 0.5  # m/s and m, of the ball that swings around the cup
TARGET_SIZE = {"three-easy": 0.05, "three-hard": 0.015}  # m, the target's radius
LINK = 0.09  # m, of each of the reacher's three links
BEND = 80  # degrees that its second and third joint turn to each side


def _backwards(velocity: float, speed: float, margin: float, at_margin: float) -> float:
    """1 from `speed` backward on, falling in a line to `at_margin` at the margin below it."""
    return float(
        tolerance(velocity, bounds=(-INF, -speed), margin=margin, value_at_margin=at_margin, sigmoid="linear")
    )


def _at_least(value: float, bound: float, margin: float, at_margin: float) -> float:
    return float(
        tolerance(value, bounds=(bound, INF), margin=margin, value_at_margin=at_margin, sigmoid="linear")
    )


def _high(z: float) -> float:
    """1 from a height of 1.2 m on, falling like a gaussian to 0.1 at 0.6 m."""
    return float(tolerance(z, bounds=(HEIGHT, INF), margin=HEIGHT / 2))


class BackwardsWalker(walker.PlanarWalker):  # type: ignore[misc]
    """The walker that moves backward: standing, times moving at `speed` (m/s) or faster."""

    def __init__(self, speed: float, random: Any = None) -> None:
        super().__init__(move_speed=speed, random=random)

    def get_reward(self, physics: Any) -> float:
        """Returns the reward, from 0 to 1."""
        upright = (1 + physics.torso_upright()) / 2
        stand = (3 * _high(physics.torso_height()) + upright) / 4
        speed = self._move_speed
        move = _backwards(physics.horizontal_velocity(), speed, speed / 2, 0.5)
        return float(stand * (5 * move + 1) / 6)


class CheetahRun(cheetah.Cheetah):  # type: ignore[misc]
    """The cheetah that runs backward, on one leg, or jumps.

    Args:
        task: "run-backwards", "run-front" (on the front leg), "run-back" (on the hind leg) or "jump".
        random: seed or generator.
    """

    def __init__(self, task: str, random: Any = None) -> None:
        super().__init__(random=random)
        self._task = task

    def get_reward(self, physics: Any) -> float:
        """Returns the reward, from 0 to 1."""
        if self._task == "run-backwards":
            return _backwards(physics.speed(), BACKWARDS_SPEED, BACKWARDS_SPEED, 0)
        if self._task == "jump":
            return (self._stand(physics, "bfoot") + self._stand(physics, "ffoot")) / 2
        return self._run_on_one_leg(physics, "bfoot" if self._task == "run-front" else "ffoot")

    @staticmethod
    def _run_on_one_leg(physics: Any, raised: str) -> float:
        """Running forward, times one foot and the torso high."""
        z = physics.named.data.xpos
        up = (3 * _high(z[raised, "z"]) + 2 * _high(z["torso", "z"])) / 5
        return up * (5 * _at_least(physics.speed(), ONE_LEG_SPEED, ONE_LEG_SPEED, 0) + 1) / 6

    @staticmethod
    def _stand(physics: Any, raised: str) -> float:
        """Standing still with one foot raised: the mean height of torso and foot, and a small speed."""
        z = physics.named.data.xpos
        height = _high((z["torso", "z"] + z[raised, "z"]) / 2)
        still = float(
            tolerance(
                physics.speed(),
                bounds=(-STILL_SPEED, STILL_SPEED),
                margin=STILL_SPEED,
                value_at_margin=0,
                sigmoid="linear",
            )
        )
        return (5 * height + still) / 6


class BackwardsHopper(hopper.Hopper):  # type: ignore[misc]
    """The hopper that hops backward: standing, times hopping."""

    def __init__(self, random: Any = None) -> None:
        super().__init__(hopping=True, random=random)

    def get_reward(self, physics: Any) -> float:
        """Returns the reward, from 0 to 1."""
        standing = tolerance(physics.height(), HOP_HEIGHT)
        return float(standing * _backwards(physics.speed(), HOP_SPEED, HOP_SPEED / 2, 0.5))


class SpinningPendulum(pendulum.SwingUp):  # type: ignore[misc]
    """The pendulum that turns, either way."""

    def get_reward(self, physics: Any) -> float:
        """Returns the reward, from 0 to 1."""
        velocity = abs(physics.named.data.qvel["hinge"].item())
        return _at_least(velocity, SPIN_VELOCITY, SPIN_VELOCITY / 2, 0.5)


class SpinningBall(ball_in_cup.BallInCup):  # type: ignore[misc]
    """The ball that swings around the cup: far from the target in it, fast, and not inside."""

    def initialize_episode(self, physics: Any) -> None:
        """Places the ball without contact: in nine of ten episodes in the cup, else wherever it is free."""
        anywhere = self.random.uniform() < 0.1
        q = physics.named.data.qpos
        found = False
        while not found:
            q["ball_x"] = self.random.uniform(-0.2, 0.2)
            q["ball_z"] = self.random.uniform(0.2, 0.5)
            physics.after_reset()
            found = physics.data.ncon == 0 and (anywhere or bool(physics.in_target()))
        base.Task.initialize_episode(self, physics)  # the suite's own would place the ball again

    def get_reward(self, physics: Any) -> float:
        """Returns the reward, from 0 to 1."""
        distance = float(np.linalg.norm(physics.ball_to_target()))
        velocity = physics.named.data.qvel
        speed = float(np.linalg.norm([velocity["ball_x"].item(), velocity["ball_z"].item()]))
        far = _at_least(distance, BALL_DISTANCE, BALL_DISTANCE / 2, 0.5)
        fast = _at_least(speed, BALL_SPEED, BALL_SPEED / 2, 0.5)
        return float((1 - physics.in_target()) * (far + 2 * fast) / 3)


_MODULES = {
    "walker": walker,
    "cheetah": cheetah,
    "hopper": hopper,
    "reacher": reacher,
    "ball_in_cup": ball_in_cup,
    "pendulum": pendulum,
}


def make(
    domain: str,
    task: str,
    physics: Any,
    *,
    random: Any,
    time_limit: float | None = None,
    environment_kwargs: dict[str, Any] | None = None,
) -> Any:
    """Makes dm_control's environment of a task of this file.

    Args:
        domain: the suite's domain.
        task: the task, as in `ControlSkill.task`.
        physics: what makes the physics, by `from_xml_string(xml, assets)`.
        random: as in the suite's functions.
        time_limit: seconds; None for the domain's own.
        environment_kwargs: as in the suite's functions.
    """
    module = _MODULES[domain]
    xml, assets = module.get_model_and_assets()
    simulation = physics.from_xml_string(_edited(domain, xml), assets)
    how = dict(environment_kwargs or {})
    step = getattr(module, "_CONTROL_TIMESTEP", None)  # None where a control step is a physics step
    return control.Environment(
        simulation,
        _task(domain, task, random),
        time_limit=module._DEFAULT_TIME_LIMIT if time_limit is None else time_limit,
        **({} if step is None else {"control_timestep": step}),
        **how,
    )


def _task(domain: str, task: str, random: Any) -> Any:
    if domain == "walker":
        return BackwardsWalker(WALK_SPEED if task == "walk-backwards" else RUN_SPEED, random)
    if domain == "cheetah":
        return CheetahRun(task, random)
    if domain == "hopper":
        return BackwardsHopper(random)
    if domain == "reacher":
        return reacher.Reacher(target_size=TARGET_SIZE[task], random=random)
    return SpinningBall(random) if domain == "ball_in_cup" else SpinningPendulum(random)


# --- models -------------------------------------------------------------------------------------------------


def _edited(domain: str, xml: str | bytes) -> str:
    """Returns a domain's XML with what these tasks change."""
    root = ElementTree.fromstring(xml)
    if domain == "cheetah":
        _find(root, "geom", "ground").set("size", "200 .8 .5")
    elif domain == "walker":
        _find(root, "geom", "floor").set("size", "500 .8 .2")
    elif domain == "reacher":
        _add_link(root)
    return ElementTree.tostring(root, encoding="unicode")


def _add_link(root: Any) -> None:
    """Makes three links of the reacher's two: arm0, arm1 and hand, driven by shoulder0, shoulder1 and wrist."""
    arm, hand, finger = (_find(root, "body", name) for name in ("arm", "hand", "finger"))
    along = f"{LINK} 0 0"
    geom, joint, motor = (
        _find(root, "geom", "arm"),
        _find(root, "joint", "shoulder"),
        _find(root, "motor", "shoulder"),
    )
    geom.set("fromto", f"0 0 0 {along}")
    second = ElementTree.Element("body", name="arm1", pos=along)
    second.append(copy.deepcopy(geom))
    second[0].set("name", "arm1")
    limits = {"limited": "true", "range": f"-{BEND} {BEND}"}
    second.append(ElementTree.Element("joint", {"name": "shoulder1", **limits}))
    arm.remove(hand)
    arm.append(second)
    second.append(hand)
    for body in (hand, finger):
        body.set("pos", along)
    for each in (arm, geom):
        each.set("name", "arm0")
    joint.set("name", "shoulder0")
    _find(root, "joint", "wrist").attrib.update(limits)
    for name in ("name", "joint"):
        motor.set(name, "shoulder0")
    actuators = root.find("actuator")
    actuators.insert(1, ElementTree.Element("motor", name="shoulder1", joint="shoulder1"))


def _find(root: Any, kind: str, name: str) -> Any:
    """Returns the model's element of a name."""
    found = root.find(f".//{kind}[@name='{name}']")
    assert found is not None, f"dm_control's model has no {kind} {name!r}"
    return found
