"""`check_skill` on skills that are right, and on skills that are wrong in one way each."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import signal
import sys

import numpy as np
import pytest

import taskworlds
from taskworlds import check_skill
from taskworlds.vector.make import make_vec
from taskworlds.worlds.metaworld import skills
from taskworlds.worlds.metaworld.families.drawer import observe_open, reset_open, reward_open
from taskworlds.worlds.metaworld.skill import Skill, Terms
from taskworlds.worlds.metaworld.skills import SKILLS, skill

GOOD = dataclasses.replace(
    skill("drawer-open-v3"), name="drawer-test-v1", class_name="", family="", rewards={"v2": reward_open}
)


def checked(policy=None, **changes):
    return check_skill(dataclasses.replace(GOOD, **changes), policy, goals=2, steps=8, episodes=2)


def found(report, outcome):
    return {check.name: check.message for check in report.checks if check.outcome == outcome}


def only_failure(report):
    failed = found(report, "failed")
    assert len(failed) == 1, str(report)
    return next(iter(failed.items()))


# --- a skill that is right ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good():
    return check_skill(GOOD, lambda obs: np.zeros((len(obs), 4)), goals=2, steps=8, episodes=2)


def test_a_good_skill_passes_all_but_the_idle_policy(good):
    assert [check.name for check in good.checks] == [
        "fields", "model", "resets", "plain run", "start", "goal", "compiling", "compiled kernel", "native row",
        "seeds", "snapshot", "policy",
    ]  # fmt: skip
    assert [check.outcome for check in good.checks] == ["ok"] * 11 + ["failed"]
    assert good.success_rate == 0.0
    assert found(good, "failed") == {"policy": "solves 0% of 2 episodes; it must solve 80%."}
    assert not good.ok
    assert not good.warnings


def test_the_report_shows_a_line_for_each_check(good):
    lines = str(good).splitlines()
    assert lines[0] == "drawer-test-v1: 1 failed"
    assert lines[1] == "  ok       fields           complete, and they fit together"
    assert len(lines) == 1 + len(good.checks)


def test_a_failed_report_raises(good):
    with pytest.raises(
        ValueError, match=r"'drawer-test-v1' failed 1 of its checks:\n  policy: solves 0% of 2"
    ):
        good.raise_if_failed()
    dataclasses.replace(good, checks=good.checks[:-1]).raise_if_failed()


def test_it_stands_beside_the_other_suites():
    assert taskworlds.testing.check_skill is taskworlds.check_skill
    assert set(taskworlds.testing.__all__) >= {"check_engine", "check_skill", "check_world"}


def test_checking_registers_nothing(good):
    assert "drawer-test-v1" not in skills.env_names()


@pytest.mark.slow
@pytest.mark.parametrize("each", SKILLS, ids=lambda each: each.name)
def test_the_official_skills_pass(each):
    check_skill(each, goals=2, steps=75, limit=None).raise_if_failed()  # they share what has been compiled


def test_arguments_are_checked():
    with pytest.raises(TypeError, match=r"skill must be a taskworlds.Skill, not 'reach-v3'"):
        check_skill("reach-v3")
    with pytest.raises(ValueError, match="goals must be at least 1, not 0"):
        check_skill(GOOD, goals=0)
    with pytest.raises(ValueError, match="min_success_rate must be from 0 to 1, not 80"):
        check_skill(GOOD, min_success_rate=80)


# --- fields ---------------------------------------------------------------------------------------------------


def reward_of_three(now, obs, action):
    return Terms(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "My Drawer"}, r"name must be like 'drawer-half-open-v1', .* not 'My Drawer'\."),
        ({"name": "drawer-open-v3"}, r"name must not be 'drawer-open-v3': there is a skill"),
        ({"name": "drawer-open-v2"}, r"name must not be 'drawer-open-v2': there is a skill"),
        ({"summary": None}, "summary must be a string, not None"),
        (
            {"rand_vec_high": (0.1, 0.9)},
            "rand_vec_low and rand_vec_high must be tuples of finite numbers, of the same length and not empty",
        ),
        ({"rand_vec_low": (), "rand_vec_high": ()}, "not empty"),
        ({"rand_vec_low": (math.nan, 0.9, 0.0)}, "finite numbers"),
        ({"rand_vec_low": (0.2, 0.9, 0.0)}, "No number of rand_vec_low may be above that of rand_vec_high"),
        ({"min_separation": -1.0}, "min_separation must be metres above 0"),
        ({"min_separation": 0.1}, "min_separation needs a rand_vec of 6 numbers"),
        ({"separated_from": (0.0,)}, r"separated_from must be \(x, y\)"),
        ({"goal_low": (0.0, 0.0)}, "goal_low and goal_high must be 3 finite numbers each"),
        ({"hand_low": (9.0, 9.0, 9.0)}, "No number of hand_low may be above that of hand_high"),
        (
            {"goal_high": (0.5, 1.0, 2.0)},
            "must lie between .* the bounds of goals in the observation space that all skills share",
        ),
        ({"model": ""}, "model must be a path within Meta-World's assets"),
        ({"moves": [("body_pos", "drawer")]}, "moves must be a tuple of pairs"),
        ({"moves": (("body_quat", "drawer"),)}, r"moves must hold pairs like \('body_pos', body\)"),
        ({"moves": (("site_pos", "goal"),) * 2}, "moves must name each body and site once"),
        ({"reads": ()}, "reads must be a dictionary"),
        ({"reads": {"tcp": ("body_xpos", "hand")}}, "reads must not be called 'tcp': that is always there"),
        ({"reads": {"the drawer": ("body_xpos", "hand")}}, "reads must be named like variables"),
        (
            {"reads": {"drawer": ("body_pos", "hand")}},
            "must have one of the sources body_xpos, .*not 'body_pos'",
        ),
        ({"reads": {"drawer": ("touch", "a")}}, r"or \('touch', geom, geom\)"),
        ({"reads": {"drawer": "hand"}}, r"must be a tuple \(source, name\), not 'hand'"),
        ({"live_goal": "drawer_quat"}, "live_goal must name one of the reads that is a position"),
        ({"start": {"init_tcp": 3}}, "start must have 'target': 3, the goal's position"),
        ({"start": {"target": 3, "lambda": 1}}, "start must have names like variables, not 'lambda'"),
        ({"start": {"target": 3, "far": 0.5}}, r"start\['far'\] must say how many numbers it is, not 0.5"),
        ({"memory": -1}, "memory must say how many numbers the reward keeps"),
        (
            {"reset": None},
            r"reset must be a plain Python function of 3 arguments \(sim, rand_vec, before\), not N",
        ),
        ({"observe": observe_open.__call__}, "observe must be a plain Python function of 2"),
        ({"rewards": reward_open}, "rewards must be a dictionary"),
        ({"rewards": {"v1": reward_open}}, "rewards must have the version 'v2'.*; it has 'v1'"),
        ({"rewards": {"v2": reward_open, "v7": reward_open}}, "it has 'v2', 'v7'"),
        ({"rewards": {"v2": reward_of_three}}, r"but reward_of_three takes \(now, obs, action\)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_fields(changes, message):
    report = checked(**changes)
    assert only_failure(report)[0] == "fields"
    with pytest.raises(ValueError, match=message):
        report.raise_if_failed()
    assert len(found(report, "not run")) == len(report.checks) - 1
    with pytest.raises(ValueError, match=message):
        taskworlds.register_skill(dataclasses.replace(GOOD, **changes))


def test_what_a_skill_must_have():
    text = found(check_skill(Skill("empty-v1")), "failed")["fields"]
    for field in ("rand_vec_low", "model", "start", "reset", "observe", "rewards"):
        assert field in text


# --- the model ------------------------------------------------------------------------------------------------

PLAIN_MODEL = (
    "<mujoco><worldbody><body name='box'><freejoint name='free'/><geom size='1'/></body></worldbody></mujoco>"
)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model": "sawyer_xyz/sawyer_draw.xml"},
            "Meta-World has no model file 'sawyer_xyz/sawyer_draw.xml'",
        ),
        (
            {"reads": {"drawer": ("body_xpos", "drawer_lnk")}},
            r"reads\['drawer'\]: The model has no body named 'drawer_lnk'. Did you mean 'drawer_link'",
        ),
        (
            {"moves": (("site_pos", "gaol"),)},
            "moves: The model has no site named 'gaol'. Did you mean 'goal'",
        ),
    ],
    ids=["file", "read", "move"],
)
def test_model(changes, message):
    report = checked(**changes)
    assert only_failure(report)[0] == "model"
    with pytest.raises(ValueError, match=message):
        report.raise_if_failed()


def test_a_model_without_the_arm(tmp_path):
    (tmp_path / "box.xml").write_text(PLAIN_MODEL)
    reads = {"drawer": ("qpos", "free")}
    name, text = only_failure(checked(model=tmp_path / "box.xml", reads=reads, moves=()))
    assert name == "model"
    assert "the arm: The model has no body named 'mocap'" in text
    assert "the joint 'free' is not a hinge or a slide" in text
    assert "the model must have 2 actuators" in text


# --- the reset ------------------------------------------------------------------------------------------------


def reset_at_random(sim, rand_vec, before):
    rand_vec[0] += np.random.uniform(0, 1e-9)  # noqa: NPY002
    return reset_open(sim, rand_vec, before)


def reset_of_friction(sim, rand_vec, before):
    sim.model.geom_friction[:] = 0.5
    return reset_open(sim, rand_vec, before)


def reset_to_nan(sim, rand_vec, before):
    return reset_open(sim, rand_vec, before) | {"init_tcp": (math.nan, 0.0, 0.0)}


def reset_without_target(sim, rand_vec, before):
    return {"init_tcp": reset_open(sim, rand_vec, before)["init_tcp"]}


def reset_of_a_body_that_is_not_there(sim, rand_vec, before):
    sim.move_body("drawr", rand_vec)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"reset": reset_at_random},
            "two resets to the same rand_vec .* differ in .*what `moves` names, target",
        ),
        ({"reset": reset_of_friction}, "changed the model's geom_friction beyond what `moves` names"),
        ({"moves": (("body_pos", "drawer"),)}, "changed the model's site_pos beyond what `moves` names"),
        ({"reset": reset_to_nan}, r"init_tcp is not finite after the reset to rand_vec \("),
        (
            {"reset": reset_without_target},
            r"must return what the skill's `start` says, \{'target': 3, 'init_tcp': 3\}",
        ),
        (
            {"reset": reset_of_a_body_that_is_not_there},
            r"KeyError: .*drawr.* \(test_check_skill.py, line \d+, in reset_of_a_body_that_is_not_there\)",
        ),
    ],
    ids=["random", "friction", "undeclared", "nan", "start", "error"],
)
def test_resets(changes, message):
    report = checked(**changes)
    assert only_failure(report)[0] == "resets"
    with pytest.raises(ValueError, match=message):
        report.raise_if_failed()


# --- observation and reward, as plain Python ------------------------------------------------------------------


def terms(reward=1.0, success=False):
    return Terms(reward, success, False, False, 0.0, 0.0, 0.0)


def reward_nan(now, obs, action, start, memory, single):
    return terms(reward=math.nan)


def reward_number(now, obs, action, start, memory, single):
    return 1.0


def reward_of_a_misspelt_read(now, obs, action, start, memory, single):
    return terms(reward=now.drawr[0])


def reward_dividing_by_zero(now, obs, action, start, memory, single):
    return terms(reward=obs[0] / memory[0])


def half_solved(now, obs, action, start, memory, single):
    return terms(success=0.5)


def observe_infinity(now, objects):
    objects[0] = math.inf


def reset_to_a_goal_in_the_sky(sim, rand_vec, before):
    return reset_open(sim, rand_vec, before) | {"target": (0.0, 0.5, 3.0)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"rewards": {"v2": reward_nan}},
            r"reward is nan at step 0 from rand_vec \(.*\) \(v2\); it must be finite",
        ),
        (
            {"rewards": {"v2": reward_number}},
            r"reward_number must give Terms\(reward, success, \.\.\.\), not 1.0",
        ),
        (
            {"rewards": {"v2": reward_of_a_misspelt_read}},
            r"AttributeError: 'Now_\w+' object has no attribute 'drawr' \(test_check_skill.py, line \d+, in reward",
        ),
        (
            {"rewards": {"v2": reward_dividing_by_zero}, "memory": 1},
            r"FloatingPointError: divide by zero .*line \d+, in reward_dividing_by_zero",
        ),
        ({"rewards": {"v2": half_solved}}, "success is 0.5 at step 0 .*; it must be 0 or 1"),
        (
            {"observe": observe_infinity},
            r"`observe`'s numbers is outside the observation space .*obs\[4\] is inf",
        ),
        (
            {"reset": reset_to_a_goal_in_the_sky},
            r"the goal is outside the observation space after .*obs\[38\] is 3.0",
        ),
    ],
    ids=["nan", "no terms", "read", "zero", "success", "observe", "goal"],
)
def test_plain_run(changes, message):
    report = checked(**changes)
    assert only_failure(report)[0] == "plain run"
    with pytest.raises(ValueError, match=message):
        report.raise_if_failed()


# --- compiled -------------------------------------------------------------------------------------------------

FAR = {"drawer": 1.0}
gain = 1.0


def reward_with_a_dictionary(now, obs, action, start, memory, single):
    return terms(reward=FAR["drawer"])


def insisting(x):
    assert x < 9.0
    return x


def reward_that_asserts(now, obs, action, start, memory, single):
    return terms(reward=insisting(obs[0]))


def reward_of_a_changing_global(now, obs, action, start, memory, single):
    return terms(reward=gain * obs[0])


def reset_changing_a_global(sim, rand_vec, before):
    global gain
    gain = 1.0 + rand_vec[0]
    return reset_open(sim, rand_vec, before)


def reward_making_arrays(now, obs, action, start, memory, single):
    return terms(reward=np.linalg.norm(obs[0:3] - obs[4:7]), success=True)


@pytest.mark.parametrize(
    ("reward", "message"),
    [
        (
            reward_with_a_dictionary,
            r"compiling: The function 'reward_with_a_dictionary' cannot be compiled \(test_check_skill.py, line \d+\)",
        ),
        (reward_that_asserts, r"insisting has a `raise` or `assert` \(test_check_skill.py, line \d+\)"),
    ],
)
def test_compiling(reward, message):
    report = checked(rewards={"v2": reward})
    assert only_failure(report)[0] == "compiling"
    with pytest.raises(ValueError, match=message):
        report.raise_if_failed()
    assert "policy" not in {check.name for check in report.checks}


def reward_that_never_ends(now, obs, action, start, memory, single):
    count = 0.0
    while obs[0] < 1e9:
        count += 1.0
    return terms(reward=count)


def reward_that_crashes(now, obs, action, start, memory, single):
    os.kill(os.getpid(), signal.SIGKILL)
    return terms(reward=1.0)


def reward_beyond_the_end(now, obs, action, start, memory, single):
    large = 2**62 + int(0.0 * obs[0])
    return terms(reward=obs[40 * ((large + large) // 2**62) - 80])  # of 0, unless an integer has 64 bits


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="checks run in this process there")
@pytest.mark.parametrize(
    ("reward", "message"),
    [
        (
            reward_that_never_ends,
            r"did not end within 10 s\. Does a loop in one of the skill's functions never end\?",
        ),
        (reward_that_crashes, r"the process crashed with SIGKILL\. Does one"),
    ],
)
def test_what_crashes_or_never_ends_is_reported(reward, message):
    changed = dataclasses.replace(GOOD, rewards={"v2": reward})
    report = check_skill(changed, lambda obs: np.zeros((len(obs), 4)), goals=1, steps=3, limit=10)
    assert only_failure(report)[0] == "plain run"
    with pytest.raises(ValueError, match=message):
        report.raise_if_failed()
    others = [
        check for check in report.checks if check.name not in ("fields", "model", "resets", "plain run")
    ]
    assert {(check.outcome, check.name) for check in others} >= {
        ("not run", "native row"),
        ("not run", "policy"),
    }


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the hook is the same, but tests see it")
def test_an_index_beyond_the_end_once_compiled():
    failed = found(checked(rewards={"v2": reward_beyond_the_end}), "failed")
    assert set(failed) == {"compiled kernel", "native row", "seeds", "snapshot"}
    for message in failed.values():
        assert re.match(
            r"compiled, one of the skill's functions raises IndexError: index is out of bounds", message
        )


def test_a_global_that_changes():
    report = checked(rewards={"v2": reward_of_a_changing_global}, reset=reset_changing_a_global)
    assert {"compiled kernel", "native row"} == set(found(report, "failed"))
    with pytest.raises(ValueError, match="globals had when they were compiled: use none that changes"):
        report.raise_if_failed()


def test_warnings_of_a_skill_that_has_one_goal_only():
    report = checked(
        rewards={"v2": reward_making_arrays},
        goal_low=(-0.5, 0.6, 0.05),
        rand_vec_low=(0.0, 0.9, 0.0),
        rand_vec_high=(0.0, 0.9, 0.0),
    )
    assert report.ok
    assert {check.name for check in report.warnings} == {"start", "goal", "compiling"}
    messages = found(report, "warning")
    assert (
        messages["start"] == "solved without doing anything from 1 of 1 goals, first rand_vec (0.0, 0.9, 0.0)"
    )
    assert "shows the goal [0.0, 0.54, 0.09], and each step shows it clipped to goal_low" in messages["goal"]
    assert "the kernel with reward v2 makes arrays" in messages["compiling"]


LEAF = """
<mujoco>
  <include file="../scene/basic_scene.xml"/>
  <include file="../objects/assets/xyz_base_dependencies.xml"/>
  <option density="1.2" viscosity="0.00002"/>
  <worldbody>
    <include file="../objects/assets/xyz_base.xml"/>
    <body name="leaf" pos="0 0.6 0.4">
      <freejoint/>
      <inertial pos="0 0 0" mass="1" diaginertia="0.01 0.01 0.01"/>
      <geom type="box" size="0.1 0.1 0.001" contype="0" conaffinity="0" fluidshape="ellipsoid"/>
    </body>
    <site name="goal"/>
  </worldbody>
  <actuator>
    <position joint="r_close" kp="400"/>
    <position joint="l_close" kp="400"/>
  </actuator>
  <equality><weld body1="mocap" body2="hand" solref="0.02 1"/></equality>
</mujoco>
"""


def reset_leaf(sim, rand_vec, before):
    init_tcp = sim.settle_hand((0.0, 0.6, 0.2))
    sim.place_object(rand_vec)
    sim.move_site("goal", rand_vec)
    return {"target": rand_vec, "init_tcp": init_tcp}


def test_parts_that_matter_but_cannot_collide(tmp_path):
    changes = {
        "rand_vec_low": (-0.1, 0.6, 0.4),
        "moves": (("site_pos", "goal"),),
        "reads": {"drawer": ("body_xpos", "leaf"), "drawer_quat": ("body_xquat", "leaf")},
        "reset": reset_leaf,
        "rand_vec_high": (0.1, 0.6, 0.4),
    }
    (tmp_path / "leaf.xml").write_text(LEAF)
    wrong = checked(model=tmp_path / "leaf.xml", **changes)
    assert only_failure(wrong)[0] == "native row"
    with pytest.raises(ValueError, match=r"physics differs from MuJoCo's own .*unless they have names"):
        wrong.raise_if_failed()


def test_seeds_and_snapshots_that_fix_nothing(monkeypatch):
    count = iter(range(1000))

    class Forgetful:
        def __init__(self, *args, **kwargs):
            self.envs = make_vec(*args, **kwargs)

        def __getattr__(self, name):
            return getattr(self.envs, name)

        def reset(self, *, seed):
            return self.envs.reset(seed=seed + next(count))

        def set_state(self, state):
            self.envs.set_state(state)
            self.envs.step(np.zeros((self.envs.num_envs, 4)))

    monkeypatch.setattr("taskworlds.vector.make.make_vec", Forgetful)
    failed = found(checked(), "failed")
    assert failed == {
        "seeds": "two episodes with the same seed and the same actions differ.",
        "snapshot": "after set_state in mid-episode the same actions gave different results.",
    }
