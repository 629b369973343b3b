"""Who is measured, and that what comes out are numbers; how large they are is no test's affair."""

import sys

import numpy as np
import pytest

import taskworlds
from taskworlds.bench import contestants, measure
from taskworlds.bench.measure import build_alone
from taskworlds.worlds import world_of

REACH = taskworlds.benchmark("reach-v3", seed=0, num_goals=2)
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
        ("walker-walk", {"taskworlds, one env"}),
    ],
)
def test_who_is_measured(name, titles):
    made = contestants(taskworlds.benchmark(name, seed=0), 3, (1, 2))
    found = [each.title for each in made if not each.title.startswith("EnvPool")]
    assert len(found) == len(set(found))
    if world_of(taskworlds.benchmark(name, seed=0).train_tasks[0].env_name).make_native_rows is None:
        titles |= {"taskworlds, async"}
    else:
        titles |= {"taskworlds, native, 1 thread", "taskworlds, native, 2 threads"}
    assert set(found) == titles | {"taskworlds, sync"}


def test_actions_lie_in_the_space_and_have_a_batchs_shape():
    batch, single = of_title(REACH, "taskworlds, sync"), of_title(REACH, "taskworlds, one env")
    space = taskworlds.make(REACH).action_space
    rng = np.random.default_rng(0)
    assert batch.actions(5, rng, space).shape == (5, 2, 4)
    drawn = single.actions(5, rng, space)
    assert (drawn.shape, drawn.dtype) == ((5, 4), np.float32)
    assert all(action in space for action in drawn)


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
