"""Nut: a wrench, a ring with a handle, and a peg that stands on the table.

assembly-v3       put the wrench's ring over the peg; solved when its centre is within 0.02 m of the peg's
                  axis and below the peg's top
disassemble-v3    lift the wrench off the peg; solved when its handle is 0.15 m above where the wrench started
"""

from __future__ import annotations

import math

from taskworlds.worlds.metaworld.rewards import (
    along_handle,
    approach_v1,
    caging_reward,
    distance,
    distance_2d,
    length,
    long_tail,
    rounded,
    tool_reward,
    upright,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms, float32

ASSEMBLY_HAND = float32(0.0, 0.6, 0.2)  # m, where the hand starts
DISASSEMBLE_HAND = float32(0.0, 0.4, 0.2)  # m
LYING = (0.707, 0.0, 0.0, 0.707)  # quaternion (w, x, y, z) of a wrench that lies flat
TILT = 0.4  # distance of quaternions at which a wrench lies so badly that nothing counts
HANDLE_REACH = 0.01  # m, along x
WRENCH_RADIUS = 0.015  # m, as the fingers see it
PAD_REACH = 0.02  # m, from a pad to the wrench, along y
REACH = 0.01  # m, from the fingers' centre to the wrench
PLACE_RADIUS = 0.02  # m, where an error counts as none

# assembly
PEG_TOP_TO_MIDDLE = (0.0, 0.0, -0.05)  # m
FUNNEL = 0.01  # m, radius of the middle of the funnel above the peg that the ring has to stay in
FUNNEL_SOLVED = 0.02  # m, the same once solved
ASSEMBLY_LIFT = 0.1  # m, that version 1 wants first
ALIGNED = 0.03  # m, in x and y, that count as over the peg in version 1

# disassemble
PEG_MIDDLE = (0.0, 0.0, 0.03)  # m, from where the wrench starts
PEG_TOP = (0.0, 0.0, 0.08)  # m, likewise
TARGET = (0.0, 0.0, 0.15)  # m, likewise
ABOVE = 0.1  # m, how far above the goal the ring's centre is rewarded to be
DISASSEMBLE_LIFT = 0.05  # m, that version 1 wants first
OFF = 0.05  # m, in x or y, that count as off the peg in version 1


def reset_assembly(sim, rand_vec, before):
    """Puts the wrench at the first three numbers and the peg's top at the last three."""
    init_tcp = sim.settle_hand(ASSEMBLY_HAND)
    obj_init, target = rand_vec[:3], rand_vec[3:]
    sim.place_object(obj_init)
    sim.move_body("peg", target + PEG_TOP_TO_MIDDLE)
    sim.move_site("pegTop", target)
    rest = sim.site("RoundNut-8")[2]
    lifted = rest + ASSEMBLY_LIFT
    return {
        "target": target,
        "init_tcp": init_tcp,
        "obj_init": obj_init,
        "rest": rest,
        "way": distance((obj_init[0], obj_init[1], lifted), target) + lifted,
    }


def reset_disassemble(sim, rand_vec, before):
    """Puts the wrench at the first three numbers and the peg into its ring; the last three do not count."""
    init_tcp = sim.settle_hand(DISASSEMBLE_HAND)
    obj_init = rand_vec[:3]
    target = obj_init + TARGET
    sim.move_body("peg", obj_init + PEG_MIDDLE)
    sim.move_site("pegTop", obj_init + PEG_TOP)
    sim.forward()
    sim.place_object(obj_init)
    rest = sim.body("RoundNut")[2]
    lifted = rest + DISASSEMBLE_LIFT
    return {
        "target": target,
        "init_tcp": init_tcp,
        "obj_init": obj_init,
        "rest": rest,
        "way": distance((obj_init[0], obj_init[1], lifted), target) + lifted,
    }


def observe(now, objects):
    """The wrench's handle and orientation."""
    for i in range(3):
        objects[i] = now.handle[i]
    for i in range(4):
        objects[3 + i] = now.wrench_quat[i]


def _caging(now, obs, start, effort, single, density):
    handle = along_handle(obs[4:7], obs[0:3], HANDLE_REACH)
    return caging_reward(
        now, handle, start.obj_init, start.init_tcp, effort, single,
        WRENCH_RADIUS, PAD_REACH, REACH, REACH, 1.0, density,
    )  # fmt: skip


def _terms(reward, success, orientation, grasped, in_place):
    """`near_object` is the orientation's reward, and no distance is given: so does Meta-World."""
    return Terms(reward, success, orientation, grasped >= 0.5, grasped, in_place, 0.0)


def reward_assembly(now, obs, action, start, memory, single):
    """`tool_reward`; the place is 0.1 for a lifted ring and 0.9 for the way down a funnel. 10 when solved."""
    grasped, soft = _caging(now, obs, start, action[3], single, 1)
    ring, peg_top = now.ring, start.target
    radius = distance_2d(ring, peg_top, 0, 1)
    solved = radius < 0.02 and peg_top[2] > ring[2]
    neck = FUNNEL_SOLVED if solved else FUNNEL
    height = 0.02 * math.log(radius - neck) + 0.2 if radius > neck else 0.0
    error = length(peg_top[0] - ring[0], peg_top[1] - ring[1], 3.0 * (height - ring[2]))
    lifted = 0.1 if ring[2] > 0.02 or radius < neck else 0.0
    in_place = lifted + 0.9 * long_tail(error, 0.0, PLACE_RADIUS, 0.4)
    orientation = upright(obs[7:11], LYING, TILT)
    total = 10.0 if solved else tool_reward(grasped, in_place, orientation, soft)
    return _terms(total, solved, orientation, grasped, in_place)


def reward_disassemble(now, obs, action, start, memory, single):
    """`tool_reward`; the place is 0.1 for a lifted ring and 0.9 for the way up. 10 when solved."""
    grasped, soft = _caging(now, obs, start, action[3], single, 2)
    ring, target = now.ring, start.target
    error = length(target[0] - ring[0], target[1] - ring[1], target[2] + ABOVE - ring[2])
    in_place = (0.1 if ring[2] > 0.02 else 0.0) + 0.9 * long_tail(error, 0.0, PLACE_RADIUS, 0.2)
    orientation = upright(obs[7:11], LYING, TILT)
    solved = obs[6] > target[2]
    total = 10.0 if solved else tool_reward(grasped, in_place, orientation, soft)
    return _terms(total, solved, orientation, grasped, in_place)


def _reach_v1(now, handle, init_tcp, height_weight, effort, single):
    """Version 1: like `rewards.reaching_v1`, but near is 0.04 m.

    Returns:
        The reward, and the fingers' distance from the handle.
    """
    reached = distance(handle, now.tcp)
    if reached < 0.04:
        return -reached + rounded(max(effort, 0.0) / 50.0, single), reached
    aside = distance_2d(handle, now.tcp, 0, 1)
    if aside < 0.04:
        return -reached, reached
    return -aside - height_weight * abs(now.tcp[2] - init_tcp[2]), reached


def _pick_v1(height, rest, lifted, near, up):
    """Version 1: 100 for each metre of height up to `lifted`, and all of them if the wrench is `up`."""
    if up:
        return 100.0 * lifted
    return 100.0 * min(lifted, height) if near and height > rest + 0.005 else 0.0


def reward_assembly_v1(now, obs, action, start, memory, single):
    """Version 1: come near, 100 times the height, `approach_v1`, and up to 4000 for the way down the peg."""
    wrench, target = now.wrench, start.target
    total, reached = _reach_v1(now, obs[4:7], start.init_tcp, 1.0, action[3], single)
    lifted = start.rest + ASSEMBLY_LIFT
    aligned = abs(wrench[0] - target[0]) < ALIGNED and abs(wrench[1] - target[1]) < ALIGNED
    up = aligned or (wrench[2] >= lifted - 0.01 and reached < 0.03)
    total += _pick_v1(wrench[2], start.rest, lifted, reached < 0.04, up)
    height = abs(wrench[2] - start.rest)
    error = distance_2d(wrench, target, 0, 1)
    if aligned:
        near = math.exp(-(error**2) / 0.01) + math.exp(-(error**2) / 0.001)
        low = math.exp(-(height**2) / 0.003) + math.exp(-(height**2) / 0.0003)
        coming = 1000.0 * (start.way - error) + 1000.0 * near
        total += max(coming + 2000.0 * (lifted - height) + 2000.0 * low, 0.0)
    elif up:
        total += approach_v1(error, start.way)
    return _terms(total, aligned and height <= 0.04, 0.0, 0.0, 0.0)


def reward_disassemble_v1(now, obs, action, start, memory, single):
    """Version 1: come near, then 100 times the height, then `approach_v1`; off the peg only the last two."""
    handle = obs[4:7]
    reach, reached = _reach_v1(now, handle, start.init_tcp, 2.0, action[3], single)
    lifted = start.rest + DISASSEMBLE_LIFT
    near = reached < 0.04
    up = handle[2] >= lifted - 0.01 and near
    off = abs(now.wrench[0] - start.obj_init[0]) > OFF or abs(now.wrench[1] - start.obj_init[1]) > OFF
    total = 0.0 if off else reach
    total += _pick_v1(handle[2], start.rest, lifted, near, up or off)
    if up and reached < 0.03:
        total += approach_v1(distance(handle, start.target), start.way)
    return _terms(total, handle[2] > start.target[2], 0.0, 0.0, 0.0)


READS = {
    "wrench": ("body_xpos", "RoundNut"),
    "wrench_quat": ("body_xquat", "RoundNut"),
    "ring": ("site_xpos", "RoundNut"),
    "handle": ("site_xpos", "RoundNut-8"),
}
START = {"target": 3, "init_tcp": 3, "obj_init": 3, "rest": 1, "way": 1}
MOVES = (("body_pos", "peg"), ("site_pos", "pegTop"))

SKILLS = (
    Skill(
        "assembly-v3",
        "SawyerNutAssemblyEnvV3",
        "nut",
        "put the nut over the peg",
        (0.0, 0.6, 0.02, -0.1, 0.75, 0.1),
        (0.0, 0.6, 0.02, 0.1, 0.85, 0.1),
        min_separation=0.1,
        model="sawyer_xyz/sawyer_assembly_peg.xml",
        goal_low=(-0.1, 0.75, 0.1),
        goal_high=(0.1, 0.85, 0.1),
        moves=MOVES,
        reads=READS,
        start=START,
        reset=reset_assembly,
        observe=observe,
        rewards={"v1": reward_assembly_v1, "v2": reward_assembly},
    ),
    Skill(
        "disassemble-v3",
        "SawyerNutDisassembleEnvV3",
        "nut",
        "lift the nut off the peg",
        (0.0, 0.6, 0.025, -0.1, 0.6, 0.1699),
        (0.1, 0.75, 0.02501, 0.1, 0.75, 0.1701),
        min_separation=0.1,
        model="sawyer_xyz/sawyer_assembly_peg.xml",
        goal_low=(-0.1, 0.6, 0.1699 + 0.005),
        goal_high=(0.1, 0.75, 0.1701 + 0.005),
        moves=MOVES,
        reads=READS,
        start=START,
        reset=reset_disassemble,
        observe=observe,
        rewards={"v1": reward_disassemble_v1, "v2": reward_disassemble},
    ),
)
