"""Varied tasks: the same on every engine to the last bit, as Meta-World's own where nothing varies, and back again."""

import dataclasses

import numpy as np
import pytest
from metaworld.policies import ENV_POLICY_MAP

import taskworlds
from taskworlds import Benchmark, Task
from taskworlds.core.registry import world_of
from taskworlds.evaluation import expert_policy
from taskworlds.testing.parity import compare, make_rows
from taskworlds.worlds.metaworld import edits, starts
from taskworlds.worlds.metaworld.factors import FACTORS, PHYSICAL, factors_of
from taskworlds.worlds.metaworld.models import full_metaworld_model
from taskworlds.worlds.metaworld.skills import SKILLS, skill, temporarily_registered

QUICK = {"push-v3", "drawer-open-v3", "coffee-button-v3", "stick-pull-v3"}
EVERY_SKILL = [
    pytest.param(each.name, id=each.name, marks=() if each.name in QUICK else pytest.mark.slow)
    for each in SKILLS
]

VALUES = {
    "friction": 0.6,
    "object_mass": 2.5,
    "damping": 0.5,
    "object_size": 1.2,
    "table_colour": (0.1, 0.3, 0.8),
    "floor_colour": (0.7, 0.2, 0.2),
    "object_colour": (0.1, 0.8, 0.2),
    "light": 0.5,
    "camera_jitter": (0.2, -0.1, 0.1, 0.2),
}
SIZE = {"width": 48, "height": 36}


def task_of(name, goal=0, **factors):
    own = taskworlds.benchmark("MT1", name, seed=0, num_goals=2).train_tasks[goal]
    return Task(name, {**own.params, **factors})


def physical(name):
    return {factor: VALUES[factor] for factor in factors_of(name) if factor in PHYSICAL}


def visual(name):
    return {factor: VALUES[factor] for factor in factors_of(name) if factor not in PHYSICAL}


def rollout(tasks, engine="native", steps=40, **options):
    """Plays the tasks one after another in one row; gives observations, rewards and physics."""
    envs = taskworlds.make_vec(
        Benchmark("b", tuple(dict.fromkeys(tasks))), 1, seed=0, vector_strategy=engine, autoreset_mode="Disabled",
        task_select="fixed", **options,
    )  # fmt: skip
    expert = expert_policy()
    found = []
    for task in tasks:
        envs.set_tasks([task])
        obs, infos = envs.reset(seed=0)
        expert.begin_episodes(np.array([True]), infos | {"task_name": np.array([task.env_name])})
        rows = [obs[0].copy()]
        rewards = []
        for _ in range(steps):
            obs, reward, _, _, _ = envs.step(expert(obs))
            rows.append(obs[0].copy())
            rewards.append(reward[0])
        found.append((np.array(rows), np.array(rewards)))
    envs.close()
    return found


def same(one, other):
    """Whether two rollouts are equal to the last bit; on different engines observations are sums in another order."""
    return all(
        np.array_equal(a, b) for (obs, reward), (obs2, reward2) in zip(one, other, strict=True)
        for a, b in ((obs, obs2), (reward, reward2))
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore:Constant.s. may be too high:UserWarning")
@pytest.mark.parametrize("name", EVERY_SKILL)
def test_native_and_official_are_bit_equal(name):
    """Varied, then as Meta-World has it, then varied otherwise, in the same rows; physics to the last bit."""
    varied = physical(name)
    rounds = [
        (task_of(name, **varied), task_of(name)),
        (task_of(name), task_of(name, goal=1, **{**varied, "friction": 1.3})),
        (task_of(name, **varied), task_of(name, friction=0.3)),
    ]
    ours, official = (make_rows(engine, world_of(name), [name], 2) for engine in ("native", "sync"))
    policies = [ENV_POLICY_MAP[name](), ENV_POLICY_MAP[name]()]

    def act(tasks, obs, goals, step):
        chosen = [policy.get_action(each.copy()) for policy, each in zip(policies, obs, strict=True)]
        return np.clip(chosen, -1, 1).astype(np.float32)

    outcome = compare(ours, official, rounds, act, steps=60)
    assert outcome.lines == []
    assert outcome.states > outcome.steps == 3 * 2 * 60
    ours.close()
    official.close()


def test_registered_skills_vary_alike_on_both_engines():
    mine = dataclasses.replace(skill("drawer-open-v3"), name="drawer-of-ours-v1")
    own = task_of("drawer-open-v3").params

    def act(tasks, obs, goals, step):
        return np.clip(obs[:, [4, 5, 6, 0]] - obs[:, [0, 1, 2, 0]], -0.1, 0.1).astype(np.float32) * 10

    with temporarily_registered(mine):
        rounds = [[Task(mine.name, {**own, **more})] for more in ({"friction": 0.3}, {}, {"friction": 2.0})]
        ours, plain = (
            make_rows(engine, world_of(mine.name), [mine.name], 1) for engine in ("native", "sync")
        )
        assert compare(ours, plain, rounds, act, steps=60).lines == []
        ours.close()
        plain.close()


@pytest.mark.parametrize("factor", PHYSICAL)
def test_each_physical_factor_changes_the_physics(factor):
    name = {"damping": "drawer-open-v3"}.get(factor, "push-v3")
    plain, varied = rollout([task_of(name), task_of(name, **{factor: 0.6})], steps=80)
    assert not np.array_equal(plain[0], varied[0])


def test_unchanged_values_leave_every_bit():
    name = "pick-place-v3"
    ones = dict.fromkeys(physical(name), 1.0)
    plain, unchanged = rollout([task_of(name), task_of(name, **ones, light=1.0)])
    assert same([plain], [unchanged])
    assert same(rollout([task_of(name, **ones)], "sync"), rollout([task_of(name)], "sync"))


def test_visual_factors_change_no_bit_of_the_physics():
    name = "push-v3"
    plain, seen = rollout([task_of(name), task_of(name, **visual(name))])
    assert same([plain], [seen])


def test_starts_are_settled_with_the_factors():
    name = "door-open-v3"  # its reset moves bodies, so that the settling is done by the engine's threads
    tasks = [task_of(name, **physical(name))]
    starts.forget()
    first = rollout(tasks, steps=1)
    np.testing.assert_allclose(first[0][0], rollout(tasks, "sync", steps=1)[0][0], rtol=0, atol=1e-9)
    again = rollout(tasks, steps=1, num_threads=2)
    assert same(first, again)


def test_starts_ahead_have_the_factors():
    """Rows that prepare the next episode while this one runs begin it as rows that do not."""
    tasks = tuple(
        task_of("door-open-v3", goal=goal, object_mass=mass) for goal in (0, 1) for mass in (0.5, 3.0)
    )
    shown = []
    for threads in (1, 2):
        starts.forget()
        envs = taskworlds.make_vec(
            Benchmark("b", tasks), 2, seed=0, num_threads=threads, max_episode_steps=20
        )
        obs, _ = envs.reset(seed=0)
        rows = [obs.copy()]
        for _ in range(70):
            obs, *_ = envs.step(np.full((2, 4), 0.3, np.float32))
            rows.append(obs.copy())
        shown.append(np.array(rows))
        envs.close()
    np.testing.assert_array_equal(*shown)


@pytest.mark.parametrize("engine", ["native", "sync"])
def test_snapshots_restore_factors(engine):
    name = "push-v3"
    tasks = (task_of(name, **VALUES_OF_PUSH), task_of(name))
    how = {"seed": 0, "vector_strategy": engine, "autoreset_mode": "Disabled"}
    envs = taskworlds.make_vec(Benchmark("b", tasks), 2, **how)
    envs.reset(seed=0)
    action = np.full((2, 4), [0.1, 0.2, -0.6, 0.5], np.float32)
    for _ in range(10):
        envs.step(action)
    state = envs.get_state()
    later = [envs.step(action)[0].copy() for _ in range(10)]
    other = taskworlds.make_vec(Benchmark("b", tasks), 2, **how)
    other.reset(seed=1)
    other.set_state(state)
    for expected in later:
        np.testing.assert_array_equal(other.step(action)[0], expected)
    envs.close()
    other.close()


VALUES_OF_PUSH = {name: VALUES[name] for name in ("friction", "object_mass", "object_size")}


def pictures(engine, task, **options):
    envs = taskworlds.make_vec(
        Benchmark("b", (task,)), 1, seed=0, vector_strategy=engine, observation="pixels", **SIZE, **options
    )
    obs, _ = envs.reset(seed=0)
    for _ in range(3):
        obs, *_ = envs.step(np.full((1, 4), 0.5, np.float32))
    shown = obs[0].copy()
    envs.close()
    return shown


@pytest.mark.parametrize("name", ["soccer-v3", "coffee-pull-v3", "peg-insert-side-v3", "stick-pull-v3"])
def test_sizes_of_what_is_drawn_with_meshes_and_of_sites(name):
    """Larger, then as it is, then smaller, in rows that share a model; the same pixels on both engines."""
    camera = {"cameras": ("corner3",)}
    plain = pictures("native", task_of(name), **camera)
    shown = {}
    for size in (1.8, 0.6):
        shown[size] = pictures("native", task_of(name, object_size=size), **camera)
        np.testing.assert_array_equal(
            shown[size], pictures("sync", task_of(name, object_size=size), **camera)
        )
        np.testing.assert_array_equal(pictures("native", task_of(name), **camera), plain)  # put back
        assert (shown[size] != plain).any()
    assert not np.array_equal(shown[1.8], shown[0.6])


def test_of_two_things_the_tool_is_sized():
    """The stick, with the place at its end that rewards look at; the thermos stays as it is."""
    model, larger = (full_metaworld_model(skill("stick-pull-v3").model) for _ in range(2))
    edits.vary(larger, "stick-pull-v3", (("object_size", 1.5),))
    stick, thermos = edits.moving_bodies(model, "stick-pull-v3")[1:]
    assert edits.sized_bodies(model, "stick-pull-v3")[1:] == [stick]
    (shape,) = np.flatnonzero((model.geom_bodyid == stick) & (model.geom_contype > 0))
    np.testing.assert_allclose(larger.geom_size[shape], 1.5 * model.geom_size[shape])
    np.testing.assert_allclose(larger.site("stick_end").pos, 1.5 * model.site("stick_end").pos)
    np.testing.assert_allclose(larger.body_inertia[stick], 1.5**2 * model.body_inertia[stick])
    for field in ("geom_size", "geom_pos", "geom_aabb"):
        of_thermos = model.geom_bodyid == thermos
        np.testing.assert_array_equal(getattr(larger, field)[of_thermos], getattr(model, field)[of_thermos])
    for field in ("body_inertia", "body_mass", "body_invweight0"):
        np.testing.assert_array_equal(getattr(larger, field)[thermos], getattr(model, field)[thermos])
    np.testing.assert_array_equal(larger.site("insertion").pos, model.site("insertion").pos)


@pytest.mark.parametrize("engine", ["native", "sync"])
@pytest.mark.parametrize("name", ["peg-insert-side-v3", "stick-pull-v3"])
def test_snapshots_restore_sizes_with_their_sites(engine, name):
    tasks = task_of(name, object_size=1.3), task_of(name), task_of(name, object_size=0.8)
    how = {"seed": 0, "vector_strategy": engine, "autoreset_mode": "Disabled"}
    envs, other = (taskworlds.make_vec(Benchmark("b", tasks), 1, **how) for _ in range(2))
    action = np.full((1, 4), [0.1, 0.2, -0.6, 0.5], np.float32)
    for task in tasks:
        envs.set_tasks([task])
        other.set_tasks([tasks[0]])
        for each in (envs, other):
            each.reset(seed=0)
        envs.step(action)
        other.set_state(envs.get_state())
        for _ in range(5):
            for mine, its in zip(envs.step(action)[:2], other.step(action)[:2], strict=True):
                np.testing.assert_array_equal(mine, its)
        envs.reset(seed=0)
        other.set_tasks([task])
        other.reset(seed=0)
        np.testing.assert_array_equal(envs.step(action)[0], other.step(action)[0])
    envs.close()
    other.close()


@pytest.mark.parametrize("camera", [{}, {"cameras": ("corner2",)}, {"cameras": ("gripperPOV",)}])
def test_engines_have_the_same_pixels(camera):
    name = "drawer-open-v3"
    varied = task_of(name, **visual(name))
    native = pictures("native", varied, **camera)
    np.testing.assert_array_equal(native, pictures("sync", varied, **camera))
    assert not np.array_equal(native, pictures("native", task_of(name), **camera))


@pytest.mark.parametrize("factor", [*[name for name in FACTORS if name not in PHYSICAL], "object_size"])
def test_each_visual_factor_shows(factor):
    name, camera = "push-v3", {"cameras": ("corner3",)}
    plain = pictures("native", task_of(name), **camera)
    shown = pictures("native", task_of(name, **{factor: VALUES[factor]}), **camera)
    assert (plain != shown).any(axis=-1).mean() > (0.3 if factor in ("light", "camera_jitter") else 0.0005)
    np.testing.assert_array_equal(pictures("native", task_of(name), **camera), plain)  # put back


def test_rows_of_one_batch_are_drawn_each_as_its_task_has_it():
    name = "push-v3"
    tasks = task_of(name, table_colour=(0.0, 0.0, 1.0)), task_of(name), task_of(name, object_size=1.5)
    envs = taskworlds.make_vec(
        Benchmark("b", tasks),
        3,
        seed=0,
        observation="pixels",
        cameras=("corner3",),
        task_select="round_robin",
        **SIZE,
    )
    obs, _ = envs.reset(seed=0)
    alone = {task: pictures_at_reset(task) for task in tasks}
    for row, task in enumerate(envs.current_tasks):
        np.testing.assert_array_equal(obs[row], alone[task])
    envs.close()


def pictures_at_reset(task):
    envs = taskworlds.make_vec(
        Benchmark("b", (task,)), 1, seed=0, observation="pixels", cameras=("corner3",), **SIZE
    )
    obs, _ = envs.reset(seed=0)
    shown = obs[0].copy()
    envs.close()
    return shown


def test_vary_draws_from_ranges():
    varied = taskworlds.vary(
        "MT10",
        {"object_mass": (0.5, 2.0), "table_colour": [(1.0, 0.0, 0.0), (0.0, 0.0, 1.0)]},
        seed=3,
        where_possible=True,
    )
    again = taskworlds.vary(
        "MT10",
        {"table_colour": [(1.0, 0.0, 0.0), (0.0, 0.0, 1.0)], "object_mass": (0.5, 2.0)},
        seed=3,
        where_possible=True,
    )
    assert varied == again
    assert varied == Benchmark.from_json(varied.to_json())
    tasks = varied.by_skill()
    assert all("object_mass" not in task.params for task in tasks["reach-v3"])
    masses = [task["object_mass"] for task in tasks["push-v3"]]
    assert 0.5 <= min(masses) < 0.7
    assert 1.8 < max(masses) <= 2.0
    assert varied != taskworlds.vary("MT10", {"object_mass": (0.5, 2.0)}, seed=3, where_possible=True)


def test_a_factor_that_no_skill_of_the_benchmark_has_is_refused():
    ranges = {"friction": (0.5, 2.0), "object_size": (0.8, 1.2)}
    with pytest.raises(ValueError, match="none of MT1-drawer-open-v3 has object_size"):
        taskworlds.vary("drawer-open-v3", ranges, seed=0, where_possible=True)
    with pytest.raises(ValueError, match="none of half-cheetah-vel has friction"):
        taskworlds.vary("half-cheetah-vel", {"friction": (0.5, 2.0)}, seed=0, where_possible=True)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({}, "ranges must be a dictionary"),
        ({"mass": (1, 2)}, "Unknown factor 'mass'"),
        ({"friction": (2.0, 1.0)}, "must have its low end first"),
        ({"friction": 0.5}, "must be a pair (low, high), each a number, or a list"),
        ({"friction": []}, "must have at least one value"),
        ({"light": (0.5, 9.0)}, "light must be from 0 to 5"),
        ({"object_mass": (0.5, 2.0)}, "reach-v3 does not have the factor 'object_mass'"),
    ],
)
def test_ranges_that_are_refused(ranges, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        taskworlds.vary("MT10", ranges, seed=0)
    assert message in str(caught.value)


def test_a_union_keeps_its_members_and_other_worlds_their_tasks():
    parts = [taskworlds.benchmark("push-v3", num_goals=2), "walker-walk", Task("cheetah-run")]
    lists = taskworlds.benchmark("custom-mt-envs", envs_list=["reach-v3", "reach-v3"], num_goals=1, seed=0)
    union = Benchmark.union("u", [*parts, lists], shares=[3, 1, 1, 2])
    varied = taskworlds.vary(union, {"friction": (0.5, 2.0)}, seed=0, times=2, where_possible=True)
    assert [each.share for each in varied.members] == [3, 1, 1, 2]
    assert [each.num_train for each in varied.members] == [4, 2, 2, 4]
    assert varied.members[-1].lists == (2, 2)
    for each, own in zip(varied.apart(), union.apart(), strict=True):
        assert each.env_names() == own.env_names()
    for (
        task
    ) in varied.train_tasks:  # walker-walk has a parameter of this name, too, which means something else
        assert ("friction" in task.params) == task.env_name.endswith("-v3")
    with pytest.raises(ValueError, match="skills of Meta-World's arm alone, and walker-walk is of another"):
        taskworlds.vary(union, {"friction": (0.5, 2.0)}, seed=0)
