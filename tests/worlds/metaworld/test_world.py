"""Meta-World as a world: which tasks can be run, and which skill is whose."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from taskworlds import Benchmark, Task, benchmark, make, make_vec
from taskworlds.core.registry import world_of, worlds
from taskworlds.worlds.metaworld.goals import too_near
from taskworlds.worlds.metaworld.skills import SKILLS
from taskworlds.worlds.metaworld.world import METAWORLD

GOOD = (0.0, 0.6, 0.02, 0.1, 0.8, 0.2)


def reach(vector=GOOD, **params):
    return Task("reach-v3", {"rand_vec": vector, "partially_observable": False} | params)


def test_every_skill_has_its_world():
    for each in SKILLS:
        assert world_of(each.name) is METAWORLD
        assert METAWORLD.class_name(each.name) == each.class_name
    names = [name for world in worlds() for name in world.env_names()]
    assert len(names) == len(set(names))
    benchmarks = [name for world in worlds() for name in world.benchmark_makers()]
    assert len(benchmarks) == len(set(benchmarks))
    assert not set(benchmarks) & set(METAWORLD.env_names())


def test_unknown_skills():
    with pytest.raises(ValueError, match=r"Unknown skill 'reach-v4'. Did you mean 'reach-v3'"):
        world_of("reach-v4")
    with pytest.raises(TypeError, match="The skill must be given by name, as a string, not 3"):
        world_of(3)


@pytest.mark.parametrize("kind", ["MT1", "ML1"])
@pytest.mark.parametrize("skill", [each.name for each in SKILLS])
def test_every_drawn_task_can_be_run(skill, kind):
    for task in benchmark(kind, skill, seed=5).train_tasks:
        METAWORLD.check_task(task)
        assert METAWORLD.hides_goal(task) is (kind == "ML1")


@pytest.mark.parametrize(
    ("task", "error", "message"),
    [
        (
            Task("reach-v3", {"rand_vec": GOOD}),
            ValueError,
            "has the parameters rand_vec and partially_observable, not ra",
        ),
        (Task("reach-v3"), ValueError, "has the parameters rand_vec and partially_observable, not none"),
        (reach(speed=3), ValueError, "has the parameters rand_vec and partially_observable, not .*speed"),
        (reach(GOOD[:3]), ValueError, r"rand_vec must have 6 numbers for reach-v3, not 3"),
        (reach(()), ValueError, r"rand_vec must have 6 numbers for reach-v3, not 0"),
        (reach("left"), TypeError, "rand_vec must be a tuple of 6 numbers for reach-v3, not 'left'"),
        (reach((*GOOD[:5], None)), TypeError, "rand_vec must be a tuple of 6 numbers"),
        (reach((True, *GOOD[1:])), TypeError, "rand_vec must be a tuple of 6 numbers"),
        (reach((GOOD, GOOD)), TypeError, "rand_vec must be a tuple of 6 numbers"),
        (
            reach((*GOOD[:3], 1e308, 0.8, 0.2)),
            ValueError,
            r"rand_vec\[3\] must be between -1e\+10 and 1e\+10, not 1e\+308, in task [0-9a-f]{12} of reach-v3: MuJoCo",
        ),
        (reach((-1.1e10, *GOOD[1:])), ValueError, r"rand_vec\[0\] must be .*, not -11000000000.0, in task"),
        (reach(partially_observable=1), TypeError, "partially_observable must be True or False, not 1"),
        (reach(partially_observable=None), TypeError, "partially_observable must be True or False, not None"),
    ],
)
def test_tasks_that_cannot_be_run(task, error, message):
    with pytest.raises(error, match=message):
        METAWORLD.check_task(task)


def test_a_number_that_no_float_can_hold_is_no_parameter():
    with pytest.raises(ValueError, match="'rand_vec' must be a number that fits into a float"):
        reach((0, 0, 0, 0, 0, 10**400))


@pytest.mark.parametrize(
    "skill", [each for each in SKILLS if each.min_separation is not None], ids=lambda s: s.name
)
def test_objects_too_near_their_goals_are_refused(skill):
    # The official environment would draw again, get the same frozen vector, and never return from its reset.
    vector = np.array(benchmark("MT1", skill.name, seed=0, num_goals=1).train_tasks[0]["rand_vec"])
    goal = vector[3:5] if skill.separated_from is None else np.array(skill.separated_from)
    for distance, refused in (
        (0.0, True),
        (skill.min_separation - 1e-6, True),
        (skill.min_separation + 1e-6, False),
    ):
        vector[:2] = goal - [distance, 0.0]
        task = Task(skill.name, {"rand_vec": vector, "partially_observable": False})
        assert too_near(skill, vector) is refused
        if not refused:
            METAWORLD.check_task(task)
            continue
        with pytest.raises(
            ValueError, match=rf"rand_vec must put the object of {skill.name} at least"
        ) as caught:
            METAWORLD.check_task(task)
        assert "would loop for ever. Move the object or the goal." in str(caught.value)
        with pytest.raises(ValueError, match="rand_vec must put the object"):
            Benchmark("mine", (task,))


def test_numbers_are_accepted_as_far_as_mujoco_accepts_them():
    METAWORLD.check_task(reach((mujoco.mjMAXVAL, *GOOD[1:5], -mujoco.mjMAXVAL)))
    with pytest.raises(ValueError, match=r"rand_vec\[0\] must be between"):
        METAWORLD.check_task(reach((np.nextafter(mujoco.mjMAXVAL, np.inf), *GOOD[1:])))


def test_numbers_beyond_are_refused_before_they_are_simulated():
    task = reach((*GOOD[:5], 1e308))
    env = make([reach()])
    env.reset(seed=0)
    for use in (env.set_task, lambda task: make([task]), lambda task: Benchmark("mine", (task,))):
        with pytest.raises(ValueError, match=r"rand_vec\[5\] must be between"):
            use(task)


@pytest.mark.filterwarnings(
    "error::RuntimeWarning", "ignore:The simulation of row .* diverged:RuntimeWarning"
)
@pytest.mark.parametrize("number", [1e6, 1e9, mujoco.mjMAXVAL])
@pytest.mark.parametrize("engine", ["native", "sync"])
@pytest.mark.parametrize("skill", ["reach-v3", "coffee-pull-v3", "door-lock-v3", "pick-place-v3"])
def test_objects_very_far_away_can_be_simulated(skill, engine, number):
    size = len(benchmark("MT1", skill, seed=0, num_goals=1).train_tasks[0]["rand_vec"])
    vector = [number if i % 2 else -number for i in range(size)]
    task = Task(skill, {"rand_vec": vector, "partially_observable": False})
    envs = make_vec([task], 1, vector_strategy=engine)
    obs, _ = envs.reset(seed=0)
    assert np.isfinite(obs).all()
    for action in np.random.default_rng(0).uniform(-1, 1, (5, 1, 4)):
        obs, reward, _, _, _ = envs.step(action)
        assert np.isfinite(obs).all()
        assert np.isfinite(reward).all()
    envs.close()


def test_whole_numbers_are_numbers():
    METAWORLD.check_task(reach((0, 1, 0, 0, 0, 0)))
