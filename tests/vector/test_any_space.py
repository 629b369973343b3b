"""Worlds of any of Gymnasium's spaces: what holds for arrays of floats holds for them."""

from __future__ import annotations

import copy
import functools
import io
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

import taskworlds
from taskworlds import Task
from taskworlds.core import batches, registry
from taskworlds.core.world import World
from taskworlds.vector.flat_state import from_arrays, to_arrays

CLOCK = ("t", "_t")

OBSERVATIONS = {
    "dict": spaces.Dict(
        place=spaces.Discrete(10),
        picture=spaces.Box(0, 255, (4, 5, 3), np.uint8),
        inside=spaces.Dict(velocity=spaces.Box(-1.0, 1.0, (2,), np.float32)),
    ),
    "tuple": spaces.Tuple((spaces.Box(-1.0, 1.0, (2, 3), np.float64), spaces.MultiBinary(3))),
    "discrete": spaces.Discrete(7, start=2),
    "picture": spaces.Box(0, 255, (4, 5, 3), np.uint8),
    "float32": spaces.Box(-1.0, 1.0, (3,), np.float32),
    "words": spaces.Dict(text=spaces.Text(5), many=spaces.Sequence(spaces.Discrete(3))),
}
ACTIONS = {
    "dict": spaces.Discrete(4),
    "tuple": spaces.Dict(move=spaces.Box(-1.0, 1.0, (2,), np.float32), grip=spaces.Discrete(2, start=1)),
    "discrete": spaces.MultiDiscrete([3, 2]),
    "picture": spaces.Tuple((spaces.Discrete(3), spaces.Box(-1.0, 1.0, (2, 2), np.float32))),
    "float32": spaces.Box(-1.0, 1.0, (2,), np.float32),
    "words": spaces.MultiBinary(2),
}
KINDS = list(OBSERVATIONS)


def numbers(value):
    """What an action or a value is made of, as one number."""
    if isinstance(value, dict):
        return sum(numbers(each) for each in value.values())
    if isinstance(value, tuple):
        return sum(numbers(each) for each in value)
    return float(np.sum(value))


class FakeRow(gym.Env):
    """A row whose observations depend on its task, its start, its steps and its actions, and on nothing else.

    It has what `GymnasiumRows` asks of a row, and no more.
    """

    def __init__(self, kind, **settings):
        self.next_task, self.idle, self.value = None, False, None
        self.observation_space, self.action_space = (
            copy.deepcopy(OBSERVATIONS[kind]),
            copy.deepcopy(ACTIONS[kind]),
        )
        self.settings = settings
        self.render_mode = settings.get("render_mode")
        self.task, self.start, self.steps, self.sum = None, 0, 0, 0.0
        self.obs = self.observation_space.sample()

    def read(self, name):
        return None, getattr(self, name)

    def put_state(self):
        before = self.state
        try:
            self.state = self.value
        except Exception as error:
            self.state = before
            return error, None
        return None, None

    def observe(self):
        seed = [self.task["number"], self.start, self.steps, round(1000 * self.sum) % 2**31]
        self.observation_space.seed(int(np.random.default_rng(seed).integers(2**31)))
        self.obs = self.observation_space.sample()
        return self.obs

    def reset(self, *, seed=None, options=None):
        self.task, self.next_task = self.next_task or self.task, None
        self.start, self.steps, self.sum = int(seed), 0, 0.0
        return self.observe(), {}

    def step(self, action):
        if self.idle:
            self.idle = False
            return self.obs, 0.0, False, False, {}
        assert self.action_space.contains(action) or isinstance(self.action_space, spaces.Box)
        self.steps += 1
        self.sum += numbers(action)
        obs = self.observe()
        return (
            obs,
            self.sum,
            False,
            False,
            {"success": float(self.sum > 100.0), "terminated": self.sum > 50.0},
        )

    @property
    def state(self):
        if self.task is None:
            return None
        return {"task": self.task, "obs": self.obs, "numbers": np.array([self.start, self.steps, self.sum])}

    @state.setter
    def state(self, state):
        if state is None:
            self.task = None
            return
        self.task, self.obs = state["task"], state["obs"]
        self.start, self.steps, self.sum = (
            int(state["numbers"][0]),
            int(state["numbers"][1]),
            float(state["numbers"][2]),
        )


def make_row(kind, **settings):
    return FakeRow(kind, **settings)


@pytest.fixture(scope="module", autouse=True)
def fake_worlds():
    """Registers a world of each kind, and forgets them again."""
    before = dict(registry._complete().worlds)
    for kind in KINDS:
        registry.register_world(
            World(
                name=f"fake-{kind}",
                suite="fake",
                skills=(f"fake-{kind}-a", f"fake-{kind}-b"),
                actions=ACTIONS[kind],
                observations=functools.partial(observation_space, kind),
                max_episode_steps=4,
                row=functools.partial(make_row, kind),
                has_success=True,
                settings=("render_mode",) if kind == "dict" else (),
                render_modes=("rgb_array",) if kind == "dict" else (),
            )
        )
    yield
    registry._complete().worlds.clear()
    registry._complete().worlds.update(before)
    registry.names_changed()


def observation_space(kind, **_):
    return OBSERVATIONS[kind]


def tasks(kind):
    return [Task(f"fake-{kind}-{skill}", {"number": number}) for skill in "ab" for number in range(3)]


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(params=["sync", "async"])
def make_vec(request, kind):
    """Makes a batch of the kind in turn on the engine in turn; closed after the test."""
    made = []

    def make(num_envs=3, **keywords):
        keywords = {"seed": 0, "vector_strategy": request.param} | keywords
        made.append(taskworlds.make_vec(tasks(kind), num_envs, **keywords))
        return made[-1]

    yield make
    for envs in made:
        envs.close()


def actions_at(envs, step):
    space = copy.deepcopy(envs.action_space)
    space.seed(step)
    return space.sample()


def rows_of(envs, obs):
    return [copy.deepcopy(envs.row_obs(obs, row)) for row in range(envs.num_envs)]


def play(envs, steps, start=0):
    outcomes = []
    for step in range(start, start + steps):
        obs, *rest = envs.step(actions_at(envs, step))
        outcomes.append((rows_of(envs, obs), *rest))
    return outcomes


def stepped_alone(envs, kind, actions):
    """What each row's own environment would make of its action, from where it is."""
    alone = []
    for row, state in enumerate(envs.rows.get_state()):
        one = FakeRow(kind)
        one.state = state
        alone.append(one.step(batches.row_of(envs.single_action_space, actions, row)))
    return alone


@pytest.mark.parametrize("mode", ["SameStep", "NextStep", "Disabled"])
def test_observations_are_the_worlds(make_vec, kind, mode, same):
    envs = make_vec(autoreset_mode=mode)
    obs, infos = envs.reset(seed=3)
    names = {"skill_index", "task_index", "episode_return", "episode_length", "success", "diverged"}
    assert set(infos) == names | {f"_{name}" for name in names}
    flat = kind == "float32"
    assert envs.observation_layout == ({"observation": slice(0, OBSERVATIONS[kind].shape[0])} if flat else {})
    running, ends = np.ones(3, dtype=bool), 0
    for step in range(10):
        if mode == "Disabled" and not running.all():
            obs, _ = envs.reset(options={"reset_mask": ~running})
            running[:] = True
        given, kept = obs, copy.deepcopy(obs)
        actions = actions_at(envs, step)
        alone = stepped_alone(envs, kind, actions)
        obs, rewards, terminated, truncated, infos = envs.step(actions)
        same(given, kept)  # what was given is not written to again
        assert envs.observation_space.contains(obs)
        done = terminated | truncated
        assert ("final_info" in infos) == (mode == "SameStep" and done.any())
        if mode == "SameStep":
            assert envs.observation_space.contains(infos["final_obs"])
        at_hand = envs.rows.get_attr("obs")
        for row in range(3):
            its = alone[row]
            if not running[row]:  # begins an episode, and does not step
                assert (rewards[row], done[row]) == (0.0, False)
                same(envs.row_obs(obs, row), plain(envs, at_hand[row]))
                continue
            assert rewards[row] == its[1]
            assert terminated[row] == its[4]["terminated"]
            if done[row] and mode == "SameStep":
                same(envs.row_obs(infos["final_obs"], row), plain(envs, its[0]))
                same(envs.row_obs(obs, row), plain(envs, at_hand[row]))
            else:
                same(envs.row_obs(obs, row), plain(envs, its[0]))
        running = ~done if mode != "SameStep" else running
        ends += done.sum()
    assert ends >= 6


def plain(envs, value):
    """A row's value as a batch has it."""
    return envs.row_obs(batches.of_one(envs.single_observation_space, value), 0)


def test_masked_rows_keep_their_observations(make_vec, same):
    envs = make_vec()
    obs, _ = envs.reset(seed=0, options={"reset_mask": np.array([True, False, True])})
    first = rows_of(envs, obs)
    obs, rewards, *_, infos = envs.step(actions_at(envs, 0), np.array([False, False, True]))
    now = rows_of(envs, obs)
    same(now[:2], first[:2])
    assert rewards[:2].tolist() == [0.0, 0.0]
    assert infos["_success"].tolist() == [False, False, True]
    with pytest.raises(RuntimeError, match="No episode of row 1 has begun"):
        envs.step(actions_at(envs, 0))


def test_trials_have_no_flag_but_infos(make_vec, kind, same):
    envs = make_vec(k_episodes=2, max_episode_steps=2)
    flag = kind == "float32"
    assert (envs.single_observation_space == OBSERVATIONS[kind]) is not flag
    obs, _ = envs.reset(seed=0)
    quiet = batches.empty(envs.single_action_space, 3)
    if kind == "tuple":
        quiet["grip"][:] = 1
    for step in range(8):
        obs, _, terminated, truncated, infos = envs.step(quiet)
        assert envs.observation_space.contains(obs)
        ends, over = step % 2 == 1, step % 4 == 3
        assert not terminated.any()
        assert truncated.tolist() == [over] * 3
        told = infos["final_info"] if over else infos
        assert told["attempt_ended"].tolist() == told["_attempt_final_obs"].tolist() == [float(ends)] * 3
        assert envs.observation_space.contains(told["attempt_final_obs"]) or not ends
        same(envs.row_info(infos, 0)["attempt_final_obs"], envs.row_obs(infos["attempt_final_obs"], 0))
        if flag:
            assert obs.dtype == np.float32
            assert obs[:, -1].tolist() == [float(ends)] * 3


def test_snapshots(make_vec, same):
    envs = make_vec()
    envs.reset(seed=0)
    play(envs, 3)
    file = io.BytesIO()
    np.savez(file, **envs.get_state())
    expected = play(envs, 9, start=3)
    file.seek(0)
    with np.load(file, allow_pickle=False) as saved:
        state = dict(saved)
    envs.set_state(state)
    same(play(envs, 9, start=3), expected, skip=CLOCK)
    other = make_vec(seed=9)
    other.set_state(state)
    same(other.get_state(), state, skip=("elapsed",))
    same(play(other, 9, start=3), expected, skip=CLOCK)
    many = make_vec(5)
    many.set_state(state, rows=1)
    for row in rows_of(many, many.observations.values):
        same(row, rows_of(envs, batches_of(other, state))[1])
    twin = pickle.loads(pickle.dumps(many))
    same(twin.get_state(), many.get_state(), skip=("elapsed",))
    twin.close()


def batches_of(envs, state):
    """The observations in a snapshot."""
    envs.set_state(state)
    return envs.observations.copy()


def test_a_damaged_state_changes_nothing(make_vec, kind, same):
    envs = make_vec()
    envs.reset(seed=0)
    before = envs.get_state()
    state = from_arrays(before)
    for damage in (
        lambda each: each["observations"].pop("values"),
        lambda each: each["rows"][2].pop("obs"),
        lambda each: each["rows"][2].pop("numbers"),
        lambda each: each["rows"].pop(),
        lambda each: each["rows"].__setitem__(1, 3),
        lambda each: each["rows"][0].update(obs="nothing" if kind != "words" else 3),
    ):
        bad = copy.deepcopy(state)
        damage(bad)
        with pytest.raises(ValueError, match=r"not a state that get_state returned|another engine|no row 2"):
            envs.set_state(to_arrays(bad, bad["assignments"]["listed"]))
        same(envs.get_state(), before, skip=("elapsed",))
    play(envs, 2)


@pytest.mark.parametrize("kind", KINDS, indirect=True)
def test_a_single_environment_is_a_row(kind, same):
    env = taskworlds.make(tasks(kind), seed=0, vector_strategy="sync")
    envs = taskworlds.make_vec(tasks(kind), 1, seed=0, vector_strategy="sync", autoreset_mode="Disabled")
    obs, info = env.reset(seed=1)
    batch, infos = envs.reset(seed=1)
    assert env.observation_space.contains(obs)
    for step in range(4):
        same(obs, envs.row_obs(batch, 0))
        same(info, envs.row_info(infos, 0), skip=("t",))
        actions = actions_at(envs, step)
        action = batches.row_of(env.action_space, actions, 0)
        obs, reward, terminated, truncated, info = env.step(action)
        batch, rewards, *ends, infos = envs.step(actions)
        assert (reward, terminated, truncated) == (rewards[0], ends[0][0], ends[1][0])
        if terminated:
            break
    env.close()
    envs.close()


# --- options and mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["use_one_hot", "recurrent_info_in_obs", "normalize_observations"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "float32"])
def test_options_that_make_no_sense(kind, option):
    message = f"{option} must be False for fake-{kind}: it needs observations that are a vector of floats"
    with pytest.raises(ValueError, match=message):
        taskworlds.make_vec(tasks(kind), 2, **{option: True})


def test_float32_stays_float32(same):
    options = {
        "use_one_hot": True,
        "recurrent_info_in_obs": True,
        "normalize_observations": True,
        "k_episodes": 2,
        "reward_normalization_method": "gymnasium",
    }
    envs = taskworlds.make_vec(tasks("float32"), 3, seed=0, vector_strategy="sync", **options)
    assert envs.single_observation_space.dtype == np.float32
    assert envs.single_observation_space.shape == (3 + 2 + 4 + 1,)
    obs, _ = envs.reset(seed=0)
    for step in range(9):
        assert obs.dtype == np.float32
        assert envs.observation_space.contains(obs)
        obs, *_ = envs.step(actions_at(envs, step))
    state = envs.get_state()
    expected = play(envs, 5)
    envs.set_state(state)
    same(play(envs, 5), expected, skip=CLOCK)
    envs.close()


WRONG_ACTIONS = {
    "discrete, too large": (
        "dict",
        [0, 4, 1],
        ValueError,
        r"actions\[1\] must be a whole number from 0 to 3, not 4 \(task",
    ),
    "discrete, below": (
        "dict",
        [0, 1, -1],
        ValueError,
        r"actions\[2\] must be a whole number from 0 to 3, not -1 \(task",
    ),
    "discrete, floats": (
        "dict",
        [0.0, 1.0, 2.0],
        TypeError,
        r"actions must be whole numbers, .*not float64: each row",
    ),
    "discrete, bools": ("dict", [True, False, True], TypeError, "actions must be whole numbers, .*not bool"),
    "discrete, shape": (
        "dict",
        [[0], [1]],
        ValueError,
        r"actions must have the shape \(3,\), not \(2, 1\)\. A chunk of T steps, at least one, has \(3, T\)",
    ),
    "multi": (
        "discrete",
        [[0, 0], [2, 1], [0, 2]],
        ValueError,
        r"actions\[2\] must be whole numbers from \[0, 0\] to",
    ),
    "dict, no dict": (
        "tuple",
        [0, 1, 2],
        ValueError,
        "actions must be a dictionary with the keys .*, not",
    ),
    "dict, a key": (
        "tuple",
        {"move": np.zeros((3, 2))},
        ValueError,
        "actions must be a dictionary with the keys",
    ),
    "dict, part": (
        "tuple",
        {"move": np.zeros((3, 2)), "grip": [1, 2, 3]},
        ValueError,
        r"actions\['grip'\]\[2\] must be a whole number from 1 to 2, not 3 \(task .* of fake-tuple-b, step 0\)",
    ),
    "dict, not finite": (
        "tuple",
        {"move": [[0, 0], [np.nan, 0], [0, 0]], "grip": [1, 2, 2]},
        ValueError,
        r"actions\['move'\]\[1\] must be finite, not \[nan, 0.0\] \(task",
    ),
    "tuple, parts": ("picture", ([0, 1, 2],), ValueError, "actions must be a tuple of 2 parts"),
    "binary": (
        "words",
        [[0, 1], [2, 0], [0, 0]],
        ValueError,
        r"actions\[1\] must be whole numbers, a value of Multi",
    ),
    "floats, complex": (
        "float32",
        np.zeros((3, 2), complex),
        TypeError,
        "actions must be of dtype float32 or float64",
    ),
}


@pytest.mark.parametrize("name", WRONG_ACTIONS)
def test_wrong_actions(name, same):
    kind, actions, error, message = WRONG_ACTIONS[name]
    envs = taskworlds.make_vec(tasks(kind), 3, seed=0, vector_strategy="sync")
    envs.reset(seed=0)
    before = envs.get_state()
    with pytest.raises(error, match=message):
        envs.step(actions)
    same(envs.get_state(), before, skip=("elapsed",))
    envs.close()


def test_actions_of_rows_that_do_not_step_are_not_read():
    envs = taskworlds.make_vec(tasks("dict"), 3, seed=0, vector_strategy="sync")
    envs.reset(seed=0)
    envs.step([0, 99, -5], np.array([True, False, False]))
    envs.close()


def test_only_settings_of_the_world_reach_it():
    envs = taskworlds.make_vec(tasks("dict"), 2, vector_strategy="sync", render_mode="rgb_array")
    assert envs.rows.get_attr("settings") == ({"render_mode": "rgb_array"},) * 2
    envs.close()
    for options, message in (
        (
            {"camera_name": "top"},
            "camera_name must not be given for fake-dict, whose rows do not take it, not 'top'",
        ),
        ({"width": 64}, "width must not be given for fake-dict"),
        ({"render_mode": "human"}, "render_mode must be one of None, 'rgb_array', not 'human'"),
    ):
        with pytest.raises(ValueError, match=message):
            taskworlds.make_vec(tasks("dict"), 2, **options)
    with pytest.raises(ValueError, match="render_mode must not be given for fake-tuple"):
        taskworlds.make_vec(tasks("tuple"), 2, render_mode="rgb_array")


def test_options_of_the_engine():
    envs = taskworlds.make_vec("reach-v3", 2, engine_options={"num_threads": 1}, num_goals=2, seed=0)
    assert envs.rows.engine.num_threads == 1
    envs.close()
    taskworlds.make_vec(tasks("dict"), 2, vector_strategy="sync", num_threads=3).close()  # without effect
    for options, error, message in (
        (
            {"vector_strategy": "sync", "engine_options": {"num_threads": 1}},
            TypeError,
            "engine_options of the engine 'sync' must not have 'num_threads'. It takes none",
        ),
        ({"engine_options": {"threads": 1}}, TypeError, "must not have 'threads'. It takes: num_threads"),
        ({"engine_options": 3}, TypeError, "engine_options must be a dictionary of options by name, not 3"),
        (
            {"num_threads": 1, "engine_options": {"num_threads": 2}},
            ValueError,
            "both set the number of threads",
        ),
    ):
        with pytest.raises(error, match=message):
            taskworlds.make_vec("reach-v3", 2, num_goals=2, seed=0, **options)


@pytest.mark.parametrize("mode", ["SameStep", "NextStep", "Disabled"])
def test_chunks_are_single_steps(make_vec, kind, mode, same):
    """Where actions are arrays or numbers; each row stops where its episode ends."""
    chunked, single = make_vec(autoreset_mode=mode), make_vec(autoreset_mode=mode)
    for envs in (chunked, single):
        envs.reset(seed=1)
    count, ends = 3, 0
    if ACTIONS[kind].shape is None:
        actions = actions_at(chunked, 0)
        longer = chunks_of(ACTIONS[kind], actions, count)
        name = type(ACTIONS[kind]).__name__
        with pytest.raises(
            ValueError, match=f"actions of a {name} have parts: take their steps one at a time"
        ):
            chunked.step(longer)
        for step in range(2):  # nothing has changed
            actions = actions_at(chunked, step)
            same(rows_of(chunked, chunked.step(actions)[0]), rows_of(single, single.step(actions)[0]))
        return
    for number in range(5):
        actions = np.stack([actions_at(chunked, 10 * number + step) for step in range(count)], axis=1)
        obs, rewards, terminations, truncations, _ = chunked.step(actions)
        going = np.ones(3, dtype=bool)
        for step in range(count):
            if not going.any():
                break
            running = single.progress.running.copy()
            expected = single.step(actions[:, step], mask=going)
            np.testing.assert_array_equal(rewards[going, step], expected[1][going])
            np.testing.assert_array_equal(terminations[going, step], expected[2][going])
            np.testing.assert_array_equal(truncations[going, step], expected[3][going])
            going = going & running & ~(expected[2] | expected[3])
        ended = (terminations | truncations).any(axis=1)
        ends += int(ended.sum())
        if mode == "Disabled" and ended.any():
            obs, _ = chunked.reset(options={"reset_mask": ended})
            expected = single.reset(options={"reset_mask": ended})
        same(rows_of(chunked, obs), rows_of(single, expected[0]))
    assert ends > 3


def chunks_of(space, batch, count):
    """A batch of actions in parts, each of whose arrays has a number of steps after the rows."""
    if isinstance(space, spaces.Dict):
        return {key: chunks_of(part, batch[key], count) for key, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(chunks_of(part, batch[at], count) for at, part in enumerate(space.spaces))
    return np.repeat(np.asarray(batch)[:, None], count, axis=1)
