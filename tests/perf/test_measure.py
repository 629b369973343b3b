"""Who is measured, and that what comes out are numbers; how large they are is no test's affair."""

import importlib
import re
import sys

import gymnasium as gym
import numpy as np
import pytest

import taskworlds
from taskworlds import BenchmarkMaker, Task, World
from taskworlds.cli.bench import bench
from taskworlds.core.registry import temporarily_registered, world_of
from taskworlds.evaluation import expert_policy
from taskworlds.perf import contestants, measure
from taskworlds.perf.bare_loop import BareLoop
from taskworlds.perf.measure import Built, Measured, build_alone
from taskworlds.rows.python_row import PythonRow

REACH = taskworlds.benchmark("reach-v3", seed=0, num_goals=2)
SEVERAL = taskworlds.benchmark(
    "custom-mt-envs",
    seed=0,
    envs_list=["drawer-open-v3", "door-open-v3", "button-press-v3", "window-open-v3"],
)
CHEETAH = taskworlds.benchmark("half-cheetah-vel", seed=0, num_goals=2)


def of_title(benchmark, title, num_envs=2):
    (found,) = [each for each in contestants(benchmark, num_envs, (1,)) if each.title == title]
    return found


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("reach-v3", {"taskworlds, one env", "Meta-World, one env"}),
        ("half-cheetah-vel", {"taskworlds, one env", "Gymnasium, sync", "Gymnasium, async"}),
        ("MT10", {"Meta-World, sync", "Meta-World, async"}),
        ("ML10", set()),
        pytest.param("walker-walk", {"taskworlds, one env"}, marks=pytest.mark.requires_dm_control),
    ],
)
def test_who_is_measured(name, titles):
    made = contestants(taskworlds.benchmark(name, seed=0), 3, (1, 2))
    found = [each.title for each in made if not each.title.startswith("EnvPool")]
    assert len(found) == len(set(found))
    if world_of(taskworlds.benchmark(name, seed=0).train_tasks[0].env_name).rows.get("native") is None:
        titles |= {"taskworlds, async"}
    else:
        for threads in ("1 thread", "2 threads"):
            titles |= {f"taskworlds, native, {threads}", f"bare C++ loop, {threads}"}
    assert set(found) == titles | {"taskworlds, sync"}


def test_actions_lie_in_the_space_and_have_a_batchs_shape():
    batch, single = of_title(REACH, "taskworlds, sync"), of_title(REACH, "taskworlds, one env")
    space = taskworlds.make(REACH).action_space
    rng = np.random.default_rng(0)
    assert batch.actions(5, rng, space).shape == (5, 2, 4)
    drawn = single.actions(5, rng, space)
    assert (drawn.shape, drawn.dtype) == ((5, 4), np.float32)
    assert all(action in space for action in drawn)


@pytest.mark.parametrize(
    ("space", "shape"), [(gym.spaces.Discrete(3), ()), (gym.spaces.MultiDiscrete([2, 5]), (2,))]
)
def test_actions_of_discrete_spaces(space, shape):
    drawn = of_title(REACH, "taskworlds, sync").actions(4, np.random.default_rng(0), space)
    assert drawn.shape == (4, 2, *shape)
    assert all(action in space for actions in drawn for action in actions)
    again = of_title(REACH, "taskworlds, sync").actions(4, np.random.default_rng(0), space)
    assert (again == drawn).all()


class Lever(PythonRow):
    """A row whose action says which of two levers is pulled, and how far."""

    action_space = gym.spaces.Dict(lever=gym.spaces.Discrete(2), far=gym.spaces.Box(0, 1, (1,), np.float32))
    observation_space = gym.spaces.Box(0, 1, (1,), np.float32)

    def begin(self, task, seed):
        return np.zeros(1, np.float32), {}

    def advance(self, action):
        return np.asarray(action["far"]), float(action["lever"]), False, {}


@pytest.mark.parametrize("title", ["taskworlds, sync", "taskworlds, one env"])
def test_a_world_with_dictionaries_as_actions_is_measured(title):
    world = World(
        name="levers",
        suite="levers",
        skills=("levers",),
        actions=Lever.action_space,
        observations=Lever.observation_space,
        max_episode_steps=5,
        benchmarks={
            "levers": BenchmarkMaker(
                lambda seed, num_goals: ((Task("levers"),), ()), train_skills=("levers",), test_skills=()
            )
        },
        row=Lever,
        has_success=False,
        has_random_starts=False,
        packages=("numpy",),
    )
    with temporarily_registered(world):
        contestant = of_title(taskworlds.benchmark("levers", seed=0), title)
        (result,) = measure([contestant], steps=12, rounds=1, episode_rounds=1, episode_steps=5)
    assert result.speed > 0
    assert result.episode_speed > 0


def test_measured_numbers():
    said = []
    everyone = [of_title(CHEETAH, "taskworlds, sync"), of_title(CHEETAH, "taskworlds, one env")]
    results = measure(everyone, steps=2, rounds=2, episode_rounds=1, episode_steps=3, say=said.append)
    assert [each.contestant for each in results] == everyone
    for each in results:
        assert len(each.steps_per_second) == 2
        assert each.speed > 0
        assert len(each.with_resets) == 1
        assert each.episode_speed > 0
        assert each.built is None
    assert said == ["round 1 of 3", "round 2 of 3", "round 3 of 3"]


def test_ratios_are_taken_within_rounds():
    who = of_title(CHEETAH, "taskworlds, sync")
    slow_machine_later = Measured(who, (100.0, 40.0, 10.0), (8.0, 4.0), (), None)
    other = Measured(who, (50.0, 10.0, 5.0), (2.0, 2.0), (), None)
    assert slow_machine_later.times(other) == 2.0
    assert slow_machine_later.episode_times(other) == 3.0
    assert Measured(who, (1.0,), (), (), None).episode_times(other) is None


def test_the_bare_loop_is_a_yardstick_of_steps_alone():
    def built(contestant):
        assert contestant.title == "taskworlds, native, 1 thread"
        return Built(1.0, None)

    titles = ("taskworlds, native, 1 thread", "bare C++ loop, 1 thread")
    everyone = [of_title(CHEETAH, title) for title in titles]
    ours, bare = measure(everyone, steps=2, rounds=3, episode_rounds=1, episode_steps=2, built=built)
    assert ours.of_bare == tuple(
        mine / its for mine, its in zip(ours.steps_per_second, bare.steps_per_second, strict=True)
    )
    assert ours.share == sorted(ours.of_bare)[1]
    assert (len(ours.with_resets), ours.built) == (1, Built(1.0, None))
    assert (len(bare.steps_per_second), bare.with_resets, bare.built) == (3, (), None)
    assert (bare.of_bare, bare.share) == ((), None)
    (alone,) = measure(everyone[:1], steps=1, rounds=1)
    assert alone.of_bare == ()


def test_all_get_the_same_actions_and_ours_the_same_tasks(monkeypatch):
    seen = {}

    def recorded(env, actions, count, is_single):
        loop = isinstance(env, BareLoop)
        states = (env._env if loop else env).rows.engine.states.copy()
        seen.setdefault(loop, []).append((actions.copy(), states))
        if not loop:  # ends the episodes, so that what is drawn next depends on the seed alone
            env.reset()
        return 1.0

    monkeypatch.setattr(importlib.import_module("taskworlds.perf.measure"), "_step", recorded)
    titles = ("taskworlds, native, 1 thread", "bare C++ loop, 1 thread")
    measure([of_title(CHEETAH, title) for title in titles], steps=2, rounds=3)
    for (our_actions, our_states), (its_actions, its_states) in zip(seen[False], seen[True], strict=True):
        assert np.array_equal(our_actions, its_actions)
        assert np.array_equal(our_states, its_states)
    assert len({states.tobytes() for _, states in seen[True]}) == 3  # each round has its own


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("benchmark", [SEVERAL, CHEETAH], ids=lambda benchmark: benchmark.name)
def test_a_bare_loop_ends_where_the_engine_does(benchmark, threads):
    found = {each.title: each for each in contestants(benchmark, 12, (threads,))}
    (ours,) = [each for each in found.values() if each.title.startswith("taskworlds, native")]
    env, loop = ours.make(), found[ours.yardstick].make()
    engine, rng, experts = env.rows.engine, np.random.default_rng(0), expert_policy()
    for seed in (0, 12):
        obs, infos = env.reset(seed=seed)
        loop.reset(seed=seed)
        actions = ours.actions(80, rng, env.single_action_space)
        if benchmark is SEVERAL:  # experts touch what was moved, so that it matters where it is
            experts.begin_episodes(np.ones(12, dtype=bool), infos | {"task_name": env.task_names})
        for action in actions:
            if benchmark is SEVERAL:
                action[:] = experts(obs)
            obs, *_ = env.step(action)
        assert loop.run(actions).states.tobytes() == engine.states.tobytes()
    if benchmark is SEVERAL:  # some thread has rows of one skill whose bodies are in different places
        assert len(np.unique(engine.overrides, axis=0)) > len(SEVERAL.env_names("train")) * threads
    env.close()
    loop.close()


def test_the_table_has_the_bare_loops(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    bench("half-cheetah-vel", num_envs=2, threads="1,2", steps=2, rounds=1, episodes=1, build=False)
    out = capsys.readouterr().out
    assert "times: relative to Gymnasium, sync" in out
    assert re.search(r"^ +rows +steps/s +times +of bare +episodes: steps/s +times *$", out, re.MULTILINE)
    number = r"[\d,]+ +\d+\.\d\d"
    for threads in ("1 thread", "2 threads"):
        ours = rf"^taskworlds, native, {threads} +2 +{number} +\d+% +{number} *$"
        assert re.search(ours, out, re.MULTILINE), out
        assert re.search(rf"^bare C\+\+ loop, {threads} +2 +{number} *$", out, re.MULTILINE), out
    assert re.search(rf"^taskworlds, sync +2 +{number} +{number} *$", out, re.MULTILINE), out


def test_a_single_environment_whose_episodes_end_early_goes_on():
    walker = taskworlds.benchmark("walker2d-rand-params", seed=0)
    (result,) = measure([of_title(walker, "taskworlds, one env")], steps=60, rounds=1)  # it falls before that
    assert result.speed > 0


def test_no_episodes_where_none_are_asked_for():
    (result,) = measure([of_title(CHEETAH, "taskworlds, one env")], steps=1, rounds=1)
    assert result.with_resets == ()
    assert result.episode_speed is None


def test_build_time_and_memory_are_those_of_a_process_of_its_own():
    built = build_alone(CHEETAH, 2, (1,), of_title(CHEETAH, "taskworlds, sync"))
    assert built.seconds > 0
    if sys.platform.startswith("linux"):
        assert built.megabytes > 10


def test_what_cannot_be_built_is_named():
    broken = contestants(REACH, 2, (1,))[0]
    unknown = type(broken)("nobody", broken.make, broken.rows)
    with pytest.raises(RuntimeError, match=r"nobody could not be built: .*"):
        build_alone(REACH, 2, (1,), unknown)
