"""TD-MPC2's tasks in dm_control's domains: rewards by the published formulas, sizes, starts and models."""

import math

import mujoco
import numpy as np
import pytest

import taskworlds
from taskworlds import Task
from taskworlds.control import make_environment
from taskworlds.core.registry import world_of
from taskworlds.testing.parity import Actions, compare, make_rows
from taskworlds.worlds.control.custom_instructions import CUSTOM_PARAPHRASES
from taskworlds.worlds.control.row import ControlRow
from taskworlds.worlds.control.skills import CUSTOM_SKILLS, NATIVE
from taskworlds.worlds.control.world import CUSTOM_WORLDS

pytestmark = pytest.mark.requires_dm_control

SIZES = {
    "walker-walk-backwards": (24, 6),
    "walker-run-backwards": (24, 6),
    "cheetah-run-backwards": (17, 6),
    "cheetah-run-front": (17, 6),
    "cheetah-run-back": (17, 6),
    "cheetah-jump": (17, 6),
    "hopper-hop-backwards": (15, 4),
    "reacher-three-easy": (8, 3),
    "reacher-three-hard": (8, 3),
    "cup-spin": (8, 2),
    "pendulum-spin": (3, 1),
}
NAMES = list(SIZES)
ON_THE_ENGINE = [name for name in NAMES if not name.startswith(("reacher", "cup"))]


def tol(x, low, high, margin, sigmoid="gaussian", at_margin=0.1):
    """dm_control's tolerance, in numbers, written from its definition."""
    if low <= x <= high:
        return 1.0
    if margin == 0:
        return 0.0
    away = (low - x if x < low else x - high) / margin
    if sigmoid == "linear":
        return max(0.0, 1 - away * (1 - at_margin))
    return math.exp(-0.5 * (away * math.sqrt(-2 * math.log(at_margin))) ** 2)


def expected_reward(name, model, data):
    """The formulas, computed from MuJoCo's own numbers."""
    inf = math.inf

    def z(body):
        return data.body(body).xpos[2]

    if name.startswith(("walker", "cheetah", "hopper")):
        speed = data.sensor("torso_subtreelinvel").data[0]
    if name.startswith("walker"):
        target = 1 if name == "walker-walk-backwards" else 8
        stand = (3 * tol(z("torso"), 1.2, inf, 0.6) + (1 + data.body("torso").xmat[8]) / 2) / 4
        return stand * (5 * tol(speed, -inf, -target, target / 2, "linear", 0.5) + 1) / 6
    if name == "cheetah-run-backwards":
        return tol(speed, -inf, -8, 8, "linear", 0)
    if name == "cheetah-jump":
        still = tol(speed, -0.5, 0.5, 0.5, "linear", 0)
        feet = [
            (5 * tol((z("torso") + z(foot)) / 2, 1.2, inf, 0.6) + still) / 6 for foot in ("bfoot", "ffoot")
        ]
        return sum(feet) / 2
    if name.startswith("cheetah"):
        foot = {"cheetah-run-front": "bfoot", "cheetah-run-back": "ffoot"}[name]
        up = (3 * tol(z(foot), 1.2, inf, 0.6) + 2 * tol(z("torso"), 1.2, inf, 0.6)) / 5
        return up * (5 * tol(speed, 6, inf, 6, "linear", 0) + 1) / 6
    if name.startswith("hopper"):
        height = data.body("torso").xipos[2] - data.body("foot").xipos[2]
        return tol(height, 0.6, 2, 0) * tol(speed, -inf, -1, 0.5, "linear", 0.5)
    if name.startswith("reacher"):
        to_target = data.geom("target").xpos[:2] - data.geom("finger").xpos[:2]
        radii = (0.05 if name.endswith("easy") else 0.015) + 0.01
        return tol(np.linalg.norm(to_target), 0, radii, 0)
    if name == "cup-spin":
        to_target = (data.site("target").xpos - data.body("ball").xpos)[[0, 2]]
        inside = ball_is_inside(model, data)
        far = tol(np.linalg.norm(to_target), 0.5, inf, 0.25, "linear", 0.5)
        velocity = [data.joint(f"ball_{axis}").qvel[0] for axis in "xz"]
        fast = tol(np.linalg.norm(velocity), 6, inf, 3, "linear", 0.5)
        return (not inside) * (far + 2 * fast) / 3
    return tol(abs(data.joint("hinge").qvel[0]), 9, inf, 4.5, "linear", 0.5)


def ball_is_inside(model, data):
    to_target = np.abs((data.site("target").xpos - data.body("ball").xpos)[[0, 2]])
    return bool((to_target < model.site("target").size[[0, 2]] - model.geom("ball").size[0]).all())


def scatter(name, model, data, rng):
    """Puts the body somewhere in the air, moving, so that every part of a reward is met."""
    data.qpos[:] = rng.uniform(-1.5, 1.5, model.nq)
    data.qvel[:] = rng.normal(0, 5, model.nv)
    if name == "cup-spin" and rng.uniform() < 0.3:
        data.qpos[2:] = data.qpos[:2] + rng.uniform((-0.05, 0.25), (0.05, 0.35))
    if name == "pendulum-spin":
        data.qvel[:] = rng.uniform(-14, 14)
    if name.startswith("reacher"):
        mujoco.mj_forward(model, data)
        model.geom("target").pos[:2] = data.geom("finger").xpos[:2] + rng.uniform(-0.06, 0.06, 2)
    mujoco.mj_forward(model, data)


@pytest.mark.parametrize("name", NAMES)
def test_reward_is_the_formula(name):
    environment = make_environment(Task(name), seed=0)
    environment.reset()
    physics, rng = environment.physics, np.random.default_rng(5)
    model, data = physics.model.ptr, physics.data.ptr
    seen = []
    for _ in range(600):
        scatter(name, model, data, rng)
        seen.append(environment.task.get_reward(physics))
        assert seen[-1] == pytest.approx(expected_reward(name, model, data), abs=2e-15)
    assert max(seen) > 0.3
    assert min(seen) < 0.15
    assert len({round(each, 6) for each in seen}) > (1 if name.startswith("reacher") else 10)


@pytest.mark.parametrize("name", NAMES)
def test_sizes_limit_and_seeds(name):
    environment = make_environment(Task(name), seed=0)
    assert environment._step_limit == 1000
    row = ControlRow(name)
    row.next_task = Task(name)
    first, _ = row.reset(seed=3)
    obs_size, action_size = SIZES[name]
    assert (row.observation_space.shape, row.action_space.shape) == ((obs_size,), (action_size,))
    assert first.shape == (obs_size,)
    spec = environment.action_spec()
    np.testing.assert_array_equal(row.action_space.low, spec.minimum)
    np.testing.assert_array_equal(row.action_space.high, spec.maximum)
    assert world_of(name).render_fps == round(1 / environment.control_timestep())
    assert sum(world_of(name).observed_parts().values()) == obs_size
    np.testing.assert_array_equal(row.reset(seed=3)[0], first)
    assert not np.array_equal(row.reset(seed=4)[0], first)


@pytest.mark.parametrize(
    "name", ["walker-run-backwards", "cheetah-jump", "hopper-hop-backwards", "pendulum-spin"]
)
def test_observations_starts_and_physics_are_those_of_the_suite(name):
    suite = {
        "walker": "walker-run",
        "cheetah": "cheetah-run",
        "hopper": "hopper-hop",
        "pendulum": "pendulum-swingup",
    }
    task, other = Task(name), Task(suite[name.partition("-")[0]])
    ours, theirs = make_environment(task, seed=7), make_environment(other, seed=7)
    steps = [ours.reset()], [theirs.reset()]
    rng = np.random.default_rng(0)
    for _ in range(20):
        action = rng.uniform(-1, 1, ours.action_spec().shape)
        for each, kept in zip((ours, theirs), steps, strict=True):
            kept.append(each.step(action))
    for mine, its in zip(*steps, strict=True):
        for part, values in its.observation.items():
            np.testing.assert_array_equal(mine.observation[part], values)
    if not name.startswith("hopper"):  # whose rewards are 0 while it lies
        assert [each.reward for each in steps[0][1:]] != [each.reward for each in steps[1][1:]]


def test_the_ball_begins_in_the_cup_but_for_a_tenth_of_the_episodes():
    environment = make_environment(Task("cup-spin"), seed=0)
    model, data = environment.physics.model.ptr, environment.physics.data.ptr
    inside = []
    for _ in range(400):
        environment.reset()
        assert data.ncon == 0
        assert abs(data.joint("ball_x").qpos[0]) < 0.2
        assert 0.2 < data.joint("ball_z").qpos[0] < 0.5
        inside.append(ball_is_inside(model, data))
    assert 0.86 < np.mean(inside) < 0.96


@pytest.mark.parametrize("name", ["reacher-three-easy", "reacher-three-hard"])
def test_the_reacher_has_three_links(name):
    environment = make_environment(Task(name), seed=0)
    model, data = environment.physics.model.ptr, environment.physics.data.ptr
    joints = ["shoulder0", "shoulder1", "wrist"]
    assert [model.joint(place).name for place in range(model.njnt)] == joints
    assert [model.actuator(place).name for place in range(model.nu)] == joints
    assert [model.actuator_trnid[place, 0] for place in range(3)] == [0, 1, 2]
    assert model.jnt_limited.tolist() == [0, 1, 1]
    np.testing.assert_allclose(model.jnt_range[1:], np.radians([[-80, 80]] * 2))
    for _ in range(20):
        environment.reset()
        angles = np.cumsum(data.qpos)
        tip = 0.09 * np.array([np.cos(angles).sum(), np.sin(angles).sum()])
        np.testing.assert_allclose(data.geom("finger").xpos[:2], tip, atol=1e-12)
        assert (np.abs(data.qpos[1:]) <= np.radians(80)).all()
        assert 0.05 <= np.linalg.norm(data.geom("target").xpos[:2]) <= 0.2
        assert model.geom("target").size[0] == (0.05 if name.endswith("easy") else 0.015)
    two = make_environment(Task("reacher-easy"), seed=0).physics.model.ptr
    for geom, suites in (("arm0", "arm"), ("arm1", "arm"), ("hand", "hand"), ("finger", "finger")):
        assert model.geom(geom).size[0] == two.geom(suites).size[0]
    assert two.njnt == 2  # the suite's own model is as it was
    half = [model.geom(name).size[1] for name in ("arm0", "arm1", "hand")]
    np.testing.assert_allclose(half, [0.045, 0.045, 0.05])


def test_there_is_ground_behind():
    for name, geom, half in (("cheetah-jump", "ground", 200), ("walker-walk-backwards", "floor", 500)):
        assert make_environment(Task(name), seed=0).physics.model.geom(geom).size[0] == half


@pytest.mark.parametrize("name", NAMES)
def test_state_is_exact_and_a_task_may_vary_the_model(name):
    row = ControlRow(name)
    row.next_task = Task(name, {"option.gravity[2]": -5.0})
    row.reset(seed=1)
    rng = np.random.default_rng(0)
    acts = rng.uniform(-1, 1, (12, SIZES[name][1]))
    for action in acts[:6]:
        row.step(action)
    state = row.state
    expected = [row.step(action)[:2] for action in acts[6:]]
    row.state = state
    for action, (obs, reward) in zip(acts[6:], expected, strict=True):
        again = row.step(action)
        np.testing.assert_array_equal(again[0], obs)
        assert again[1] == reward
    assert row.simulation[0].opt.gravity[2] == -5.0


def test_which_are_on_the_engine():
    assert {name for name in NAMES if name in NATIVE} == set(ON_THE_ENGINE)
    assert taskworlds.make_vec("cheetah-jump", 2).strategy == "native"
    with pytest.raises(ValueError, match="cup-spin has no native engine"):
        taskworlds.make_vec("cup-spin", 2, vector_strategy="native")


@pytest.mark.parametrize("kind", ["random", "double"])
@pytest.mark.parametrize("name", ON_THE_ENGINE)
def test_the_engine_equals_python(name, kind):
    """To the bit but for the logarithm in the hopper's touch and the exponential in rewards."""
    world = world_of(name)
    native, sync = (make_rows(engine, world, [name], 3) for engine in ("native", "sync"))
    tasks = [Task(name), Task(name, {"option.gravity[2]": -3.0}), Task(name)]
    exact = ("first observation", *(() if name.startswith("hopper") else ("observation",)))
    outcome = compare(
        native,
        sync,
        [tasks, tasks[::-1]],
        Actions(world, [kind] * 3, seed=3),
        steps=60,
        seed=3,
        tolerance=1e-12,
        exact=exact,
    )
    assert outcome.lines == []
    assert outcome.states > outcome.steps
    for rows in (native, sync):
        rows.close()


def test_they_are_worlds_like_the_others():
    assert [world.name for world in CUSTOM_WORLDS] == NAMES == [each.env_name for each in CUSTOM_SKILLS]
    assert sorted(CUSTOM_PARAPHRASES) == sorted(NAMES)
    assert world_of("cup-spin").about("cup-spin")[0] == "ball_in_cup"
    with pytest.raises(ValueError, match="Did you mean 'cheetah-run-front'"):
        taskworlds.benchmark("cheetah-run-frnt")
