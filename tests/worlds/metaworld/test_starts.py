"""Where episodes start: what is kept between goals changes no bit, and is not used where it does not hold."""

import dataclasses

import numpy as np
import pytest

import taskworlds
from taskworlds.engine import Engine
from taskworlds.worlds.metaworld import sims, starts
from taskworlds.worlds.metaworld.kernel import first_observation
from taskworlds.worlds.metaworld.models import metaworld_model
from taskworlds.worlds.metaworld.native import scene_of
from taskworlds.worlds.metaworld.reset import Sim, begin
from taskworlds.worlds.metaworld.skills import SKILLS, skill

HAND = (0.0, 0.6, 0.2)
DOOR = skill("door-open-v3")


@pytest.mark.parametrize("name", [each.name for each in SKILLS])
def test_starts_are_those_of_whole_resets(name):
    mine = skill(name)
    starts.forget()
    engine = Engine([scene_of(mine)], 1, action_size=4, num_threads=2)
    for task in taskworlds.benchmark(name, seed=5).train_tasks[:3]:
        (kept,) = starts.beginnings([(mine, task["rand_vec"])], engine.settle)
        whole = begin(mine, metaworld_model(mine.model).to_mujoco(), task["rand_vec"])
        obs, memory, goal = first_observation(mine, whole, visible=True)
        start = np.concatenate([whole.start[each] for each in mine.start])
        for ours, theirs in zip(kept, (whole.state, whole.moved, start, memory, obs, goal), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def through_model(sim):
    sim.model.geom_friction[:] = 0.1
    sim.model.mesh_vert[:] *= 1.5


def behind_the_sim(sim):
    sim.data.model.geom_friction[:] = 0.1
    sim.data.model.opt.gravity[2] = -1.0


def only_looking(sim):
    assert (
        np.abs(sim.model.mesh_vert).sum() == np.abs(metaworld_model(DOOR.model).to_mujoco().mesh_vert).sum()
    )


def two_hands(sim):
    sim.settle_hand((0.1, 0.6, 0.2))
    sim.reset()


@pytest.mark.parametrize("change", [through_model, behind_the_sim, only_looking, two_hands])
def test_whatever_a_reset_does_to_the_model_is_there_in_it_and_gone_afterwards(change):
    def reset(sim, rand_vec, before):
        if before is None:  # in the first pass alone, so that the second one must find it
            change(sim)
        return DOOR.reset(sim, rand_vec, before)

    wild = dataclasses.replace(DOOR, name="door-wild-v3", reset=reset)
    engine = Engine([scene_of(DOOR)], 1, action_size=4, num_threads=2)
    starts.forget()
    vectors = [task["rand_vec"] for task in taskworlds.benchmark("door-open-v3", seed=5).train_tasks[:4]]
    for k, vector in enumerate(vectors):
        one = (DOOR, wild)[k % 2]
        (kept,) = starts.beginnings([(one, vector)], engine.settle)
        whole = begin(one, metaworld_model(DOOR.model).to_mujoco(), vector)
        np.testing.assert_array_equal(kept.state, whole.state)
        np.testing.assert_array_equal(kept.moved, whole.moved)


def test_a_simulation_that_meets_an_exception_is_not_used_again():
    sims.forget_sims()
    with pytest.raises(RuntimeError, match="as meant"), sims.simulation(DOOR.model):
        raise RuntimeError("as meant")
    assert not sims._idle
    with sims.simulation(DOOR.model) as one, sims.simulation(DOOR.model) as other:
        assert one is not other
    with sims.simulation(DOOR.model) as again:
        assert again in (one, other)


def simulation(settled):
    return Sim(metaworld_model(skill("door-open-v3").model).to_mujoco(), settled)


def settle(sim, place=HAND):
    sim.settle_hand(place)
    return sim.state()


def test_the_hand_settles_once_for_a_place():
    settled = {}
    first = settle(simulation(settled))
    assert list(settled) == [HAND]
    settled[HAND] = settled[HAND].copy()
    settled[HAND][1] += 0.5  # a mark, to see that it is what is used
    assert not np.array_equal(settle(simulation(settled)), first)
    settle(simulation(settled), (0.1, 0.6, 0.2))
    assert list(settled) == [HAND, (0.1, 0.6, 0.2)]


@pytest.mark.parametrize(
    "touch",
    [
        lambda sim: sim.move_body("door", (0.1, 0.9, 0.15)),
        lambda sim: sim.place_joint(-0.5),
        lambda sim: sim.run(1),
        lambda sim: sim.model,
        lambda sim: sim.data.qvel.__setitem__(0, 0.1),
    ],
    ids=["a body moved", "a joint placed", "time passed", "the model handed out", "data changed"],
)
def test_nothing_is_kept_or_taken_once_the_simulation_was_touched(touch):
    settled = {}
    sim = simulation(settled)
    touch(sim)
    expected = settle(sim)
    assert settled == {}
    settle(simulation(settled))
    sim = simulation(settled)
    touch(sim)
    np.testing.assert_array_equal(settle(sim), expected)


def test_a_moved_site_changes_nothing_but_itself():
    settled = {}
    first = settle(simulation(settled))
    sim = simulation(settled)
    sim.move_site("goal", (0.3, 0.7, 0.1))
    np.testing.assert_array_equal(settle(sim), first)
    np.testing.assert_array_equal(sim.site("goal"), (0.3, 0.7, 0.1))
