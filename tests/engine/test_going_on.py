"""A step that goes on from what the last one left in the row's own simulation, against one that has only the state.

Up to 100 rows have simulations of their own. So the same rows are stepped in a small engine and in one with more rows,
which has none, and every array must be equal to the last bit.
"""

from __future__ import annotations

import numpy as np
import pytest
from metaworld.policies import ENV_POLICY_MAP

import taskworlds
from taskworlds.engine import Engine

ROWS, MANY = 10, 101
ARRAYS = ("states", "overrides", "now", "faults", "warnings")
MT10 = "MT10"
WITH_DM_CONTROL = pytest.mark.requires_dm_control


class Both:
    """The rows of a benchmark in a small engine, and the same ones as the first of a larger one."""

    def __init__(self, name, num_threads=1, rows=ROWS):
        self.envs = taskworlds.make_vec(name, rows, seed=0, autoreset_mode="Disabled")
        self.envs.reset(seed=0)
        own = self.envs.rows.engine
        self.rows, self.actions = rows, self.envs.single_action_space.shape[0]
        self.engines = [
            Engine(own.scenes, number, action_size=self.actions, num_threads=num_threads)
            for number in (rows, MANY)
        ]
        self.mask = np.arange(MANY) < rows
        for engine in self.engines:
            engine.scene_of_row[:rows] = own.scene_of_row
            for array in ("states", "overrides"):
                getattr(engine, array)[:rows] = getattr(own, array)[:, : getattr(engine, array).shape[1]]

    def step(self, actions, mask=None):
        for engine in self.engines:
            given = np.zeros((engine.num_rows, self.actions), actions.dtype)
            given[: self.rows] = actions
            stepped = np.zeros(engine.num_rows, dtype=bool)
            stepped[: self.rows] = True if mask is None else mask
            engine.step(given, stepped)
        self.check()

    def change(self, change):
        for engine in self.engines:
            change(engine)

    def forward(self, warm_start):
        small, large = self.engines
        small.forward(warm_start=warm_start)
        large.forward(self.mask, warm_start=warm_start)
        self.check()

    def check(self):
        small, large = self.engines
        for name in ARRAYS:
            mine, other = getattr(small, name), getattr(large, name)[: self.rows]
            assert mine.tobytes() == np.ascontiguousarray(other).tobytes(), name


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    "name",
    [
        "MT10",
        pytest.param("walker-walk", marks=WITH_DM_CONTROL),
        pytest.param("cheetah-run", marks=WITH_DM_CONTROL),
        "half-cheetah-vel",
    ],
)
@pytest.mark.parametrize("num_threads", [1, 3])
def test_steps_are_equal(name, num_threads, rng):
    both = Both(name, num_threads)
    for _ in range(40):
        both.step(rng.uniform(-1, 1, (ROWS, both.actions)).astype(np.float32))


@pytest.mark.slow
def test_all_skills_over_whole_episodes_of_experts_with_noise(rng):
    both = Both("MT50", num_threads=2, rows=50)
    experts = [expert() for expert in (ENV_POLICY_MAP[name] for name in both.envs.task_names)]
    observations = both.envs.reset(seed=0)[0]
    for turn in range(400):
        actions = np.array(
            [expert.get_action(seen) for expert, seen in zip(experts, observations, strict=True)]
        )
        noise = 0.1 if turn < 300 else 2.0  # in the end at random
        actions = np.clip(actions + noise * rng.normal(size=actions.shape), -1, 1).astype(np.float32)
        both.step(actions)
        observations = both.envs.step(actions)[0]
        assert both.engines[0].states.tobytes() == both.envs.rows.engine.states.tobytes()


@pytest.mark.parametrize(
    ("name", "rows", "turns"),
    [
        ("MT10", 10, 120),
        pytest.param("walker-walk", 10, 120, marks=WITH_DM_CONTROL),
        pytest.param("MT50", 50, 400, marks=pytest.mark.slow),
    ],
)
def test_whatever_users_do_between_steps(name, rows, turns, rng):
    both = Both(name, rows=rows)
    state, width = both.engines[0].states.copy(), both.engines[0].states.shape[1]
    for turn in range(turns):
        kind, row = rng.integers(9), int(rng.integers(rows))
        place, small = int(rng.integers(1, width)), float(rng.normal() * 1e-3)
        if kind == 0:
            both.change(
                lambda engine, row=row, place=place, small=small: engine.states[row].__setitem__(
                    place, engine.states[row, place] + small
                )
            )
        elif kind == 1:
            both.change(lambda engine, row=row: engine.states[row].__setitem__(slice(None), state[row]))
        elif kind == 2 and both.engines[0].overrides.shape[1]:
            both.change(
                lambda engine, row=row, small=small: engine.overrides[row].__setitem__(
                    0, engine.overrides[row, 0] + small
                )
            )
        elif kind == 3:
            both.forward(warm_start=bool(turn % 2))
        elif kind == 4:  # a row takes another's place, with its skill
            other = int(rng.integers(rows))
            for engine in both.engines:
                for array in ("states", "overrides", "scene_of_row"):
                    getattr(engine, array)[row] = getattr(engine, array)[other]
        mask = rng.random(rows) < 0.7 if kind > 5 else None
        dtype = np.float32 if turn % 3 else np.float64
        both.step(rng.uniform(-1, 1, (rows, both.actions)).astype(dtype), mask)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e12])
def test_after_the_simulators_own_reset_all_is_computed(bad, rng):
    both = Both(MT10)
    actions = rng.uniform(-1, 1, (6, ROWS, both.actions)).astype(np.float32)
    both.step(actions[0])

    def spoil(engine):
        engine.states[3, 1:4] = bad

    both.change(spoil)
    for each in actions[1:]:
        both.step(each)
    assert both.engines[0].warnings[3].sum() == 0 or np.isfinite(both.engines[0].states[3]).all()


def test_actions_that_are_not_finite(rng):
    both = Both(MT10)
    for turn in range(6):
        actions = rng.uniform(-1, 1, (ROWS, both.actions))
        actions[turn] = np.nan
        both.step(actions)
        assert both.engines[0].faults[turn]


def test_another_scene_in_the_place_of_one(rng):
    both = Both(MT10)
    both.step(np.zeros((ROWS, both.actions), np.float32))
    scenes = both.engines[0].scenes
    for new in (scenes[1], scenes[0]):
        both.change(lambda engine, new=new: engine.set_scene(0, new))
        for _ in range(3):
            both.step(rng.uniform(-1, 1, (ROWS, both.actions)).astype(np.float32))
