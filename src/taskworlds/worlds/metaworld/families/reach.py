"""Reach: bring the gripper to a goal in the air. A puck lies on the table and plays no part.

reach-v3         solved within 0.05 m of the goal
reach-wall-v3    the same behind a wall
"""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards import approach_v1, distance, long_tail, quat_from_matrix
from taskworlds.worlds.metaworld.skill import Skill, Terms

HAND = (0.0, 0.6, 0.2)  # m, where the hand starts
TARGET_RADIUS = 0.05  # m


def reset(sim, rand_vec, before):
    """Puts the puck at the first three numbers and the goal at the last three."""
    init_tcp = sim.settle_hand(HAND)
    target = rand_vec[3:]
    sim.place_object(rand_vec[:3])
    sim.move_site("goal", target)
    return {"target": target, "init_tcp": init_tcp}


def observe(now, objects):
    """The puck's centre and orientation."""
    for i in range(3):
        objects[i] = now.obj[i]
    quat_from_matrix(now.obj_matrix, objects[3:7])


def _in_place(error, target):
    """The fingers at the goal (0..1), measured against the way from where the hand starts."""
    return long_tail(error, 0.0, TARGET_RADIUS, distance(HAND, target))


def reward(now, obs, action, start, memory, single):
    """The fingers at the goal, times 10; near_object and grasp_reward are the distance, as in Meta-World."""
    error = distance(now.tcp, start.target)
    in_place = _in_place(error, start.target)
    return Terms(
        reward=10.0 * in_place,
        success=error <= TARGET_RADIUS,
        near_object=error,
        grasp_success=True,
        grasp_reward=error,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_wall(now, obs, action, start, memory, single):
    """The fingers at the goal, times 10."""
    error = distance(now.tcp, start.target)
    in_place = _in_place(error, start.target)
    return Terms(10.0 * in_place, error <= TARGET_RADIUS, False, False, 0.0, in_place, error)


def reward_v1(now, obs, action, start, memory, single):
    """Version 1: see `rewards.approach_v1`; near_object and grasp_reward are the distance."""
    error = distance(now.tcp, start.target)
    gained = approach_v1(error, distance(start.init_tcp, start.target))
    return Terms(gained, error <= TARGET_RADIUS, error, True, error, 0.0, error)


def reward_wall_v1(now, obs, action, start, memory, single):
    """Version 1: see `rewards.approach_v1`."""
    error = distance(now.tcp, start.target)
    gained = approach_v1(error, distance(start.init_tcp, start.target))
    return Terms(gained, error <= TARGET_RADIUS, False, False, 0.0, 0.0, error)


READS = {"obj": ("body_xpos", "obj"), "obj_matrix": ("geom_xmat", "objGeom")}

SKILLS = (
    Skill(
        "reach-v3",
        "SawyerReachEnvV3",
        "reach",
        "move the gripper to the goal",
        (-0.1, 0.6, 0.02, -0.1, 0.8, 0.05),
        (0.1, 0.7, 0.02, 0.1, 0.9, 0.3),
        min_separation=0.15,
        model="sawyer_xyz/sawyer_reach_v3.xml",
        goal_low=(-0.1, 0.8, 0.05),
        goal_high=(0.1, 0.9, 0.3),
        moves=(("site_pos", "goal"),),
        reads=READS,
        start={"target": 3, "init_tcp": 3},
        reset=reset,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward},
    ),
    Skill(
        "reach-wall-v3",
        "SawyerReachWallEnvV3",
        "reach",
        "move the gripper past a wall to the goal",
        (-0.05, 0.6, 0.015, -0.05, 0.85, 0.05),
        (0.05, 0.65, 0.015, 0.05, 0.9, 0.3),
        min_separation=0.15,
        model="sawyer_xyz/sawyer_reach_wall_v3.xml",
        goal_low=(-0.05, 0.85, 0.05),
        goal_high=(0.05, 0.9, 0.3),
        moves=(("site_pos", "goal"),),
        reads=READS,
        start={"target": 3, "init_tcp": 3},
        reset=reset,
        observe=observe,
        rewards={"v1": reward_wall_v1, "v2": reward_wall},
    ),
)
