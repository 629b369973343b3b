"""Chunks of actions beside the same actions in single steps: equal to the last bit, on every engine."""

import pickle
import warnings

import numpy as np
import pytest

import taskworlds
from taskworlds.engine import Fault
from taskworlds.rows.protocol import RowFault

T = 5


def without_time(info):
    """An info without what the clock says, and what only chunks tell."""
    return {
        key: without_time(value) if isinstance(value, dict) else value
        for key, value in info.items()
        if key not in ("t", "executed_steps", "chunk_success")
    }


def single_steps(envs, actions, mask=None):
    """What a chunk stands for: single steps, each of the rows whose episode, or attempt, goes on."""
    num_rows, count = actions.shape[:2]
    going = np.ones(num_rows, bool) if mask is None else mask.copy()
    executed, told = np.zeros(num_rows, int), {}
    rewards, successes = np.zeros((2, num_rows, count))
    terminations, truncations = np.zeros((2, num_rows, count), bool)
    obs = envs.observations.copy()
    for step in range(count):
        if not going.any():
            break
        running = envs.progress.running.copy()
        obs, rewards[:, step], terminations[:, step], truncations[:, step], infos = envs.step(
            actions[:, step], mask=going
        )
        executed += going & running
        ended = terminations[:, step] | truncations[:, step]
        for row in np.flatnonzero(going).tolist():
            told[row] = envs.row_info(infos, row)
            last = told[row].get("final_info", told[row])
            successes[row, step] = last.get("success", 0.0) if running[row] else 0.0
            ended[row] |= bool(last.get("attempt_ended", 0.0))
        going &= running & ~ended
    return obs, rewards, terminations, truncations, told, executed, successes


def check_same(name, num_envs, chunks=8, *, tasks=None, mask=False, actions=None, seed=0, **options):
    """Plays chunks in one batch and single steps in another, and compares all that there is."""
    options = {"seed": 3, "max_episode_steps": 7} | options
    single, chunked = (taskworlds.make_vec(name, num_envs, **options) for _ in range(2))
    for envs in (single, chunked):
        if tasks is not None:
            envs.set_tasks(tasks)
        envs.reset(seed=5)
    rng = np.random.default_rng(seed)
    space = single.action_space
    space.seed(seed)
    ends = 0
    for _ in range(chunks):
        drawn = np.stack([space.sample() for _ in range(T)], axis=1) if actions is None else actions
        chosen = rng.random(num_envs) < 0.7 if mask else None
        if mask and not chosen.any():
            continue
        expected = single_steps(single, drawn, chosen)
        found = chunked.step(drawn, mask=chosen)
        for ours, theirs in zip(found[:4], expected[:4], strict=True):
            np.testing.assert_equal(ours, theirs)
        told, executed, successes = expected[4:]
        np.testing.assert_array_equal(found[4]["executed_steps"], executed)
        if single.world.has_success:
            np.testing.assert_array_equal(found[4]["chunk_success"], successes)
        for row, info in told.items():
            mine = chunked.row_info(found[4], row)
            np.testing.assert_equal(without_time(mine), without_time(info))
        ended = found[2].any(axis=1) | found[3].any(axis=1)
        ends += int(ended.sum())
        if single.autoreset_mode.value == "Disabled" and ended.any():
            for envs in (single, chunked):
                envs.reset(options={"reset_mask": ended})
        compare_states(single, chunked)
    single.close()
    chunked.close()
    return ends


def compare_states(one, other):
    state, its = one.get_state(), other.get_state()
    assert set(state) == set(its)
    for key, values in state.items():
        if "elapsed" not in key:
            np.testing.assert_array_equal(its[key], values, err_msg=key)


EVERYTHING = {
    "use_one_hot": True,
    "recurrent_info_in_obs": True,
    "normalize_observations": True,
    "names_in_info": True,
    "instructions_in_info": True,
    "record_episode_statistics": True,
}


@pytest.mark.parametrize("mode", ["SameStep", "NextStep", "Disabled"])
@pytest.mark.parametrize("options", [{}, EVERYTHING | {"reward_normalization_method": "gymnasium"}])
def test_meta_world(mode, options):
    assert check_same("MT10", 10, num_threads=2, autoreset_mode=mode, **options) > 10


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_one_row_and_many(threads):
    for rows in (1, 3):
        check_same("reach-v3", rows, num_threads=threads, reward_normalization_method="exponential")


def test_a_mask():
    check_same("MT10", 10, num_threads=2, mask=True, recurrent_info_in_obs=True)


def test_trials_stop_where_an_attempt_ends():
    for mode in ("SameStep", "NextStep"):
        assert check_same("reach-v3", 3, k_episodes=2, recurrent_info_in_obs=True, autoreset_mode=mode) > 0
    assert check_same("half-cheetah-vel", 2, k_episodes=2) > 0


ENGINES = [
    ("reach-v3", "sync", {}),
    ("reach-v3", "sync", {"recurrent_info_in_obs": True, "normalize_observations": True}),
    ("drawer-open-v3", "async", {}),
    ("point", "numpy", {}),
    ("point", "sync", {}),
    ("half-cheetah-vel", "native", {}),
    ("half-cheetah-vel", "sync", {}),
    pytest.param(
        "cheetah-run", "native", {"normalize_observations": True}, marks=pytest.mark.requires_dm_control
    ),
    pytest.param("ball_in_cup-catch", "sync", {}, marks=pytest.mark.requires_dm_control),
]


@pytest.mark.parametrize("mode", ["SameStep", "NextStep", "Disabled"])
@pytest.mark.parametrize(("name", "engine", "options"), ENGINES)
def test_engines(name, engine, options, mode):
    assert check_same(name, 2, 4, vector_strategy=engine, autoreset_mode=mode, **options) > 1


@pytest.mark.parametrize("mode", ["SameStep", "NextStep", "Disabled"])
@pytest.mark.parametrize("engine", ["numpy", "sync", "async"])
@pytest.mark.parametrize(
    "options",
    [{}, {"record_episode_statistics": True, "reward_normalization_method": "gymnasium"}, {"k_episodes": 2}],
)
def test_actions_that_are_numbers(engine, mode, options):
    if options.get("k_episodes") and mode == "Disabled":
        pytest.skip("resets in the middle of a trial are another test's")
    assert check_same("grid-4x4", 3, 6, vector_strategy=engine, autoreset_mode=mode, **options) > 1


def test_numbers_of_one_environment():
    one, other = (taskworlds.make("grid-4x4", seed=0) for _ in range(2))
    for env in (one, other):
        env.reset(seed=3)
    moves = [2, 0, 2, 0]
    steps = [one.step(move) for move in moves]
    chunk = other.step(np.array(moves[:3]))
    assert chunk.reward.tolist() == [step.reward for step in steps[:3]]
    np.testing.assert_array_equal(chunk.observation, steps[2].observation)
    last = other.step(moves[3:])  # a chunk of one step
    assert (last.reward.shape, last.env_info["executed_steps"]) == ((1,), 1)
    np.testing.assert_array_equal(last.observation, steps[3].observation)


def test_numbers_are_checked_first():
    envs = taskworlds.make_vec("grid-4x4", 2, seed=0)
    envs.reset(seed=0)
    before = envs.get_state()
    with pytest.raises(
        ValueError, match=r"actions\[1\] must be a whole number from 0 to 3, not 4 \(place 2 of the"
    ):
        envs.step(np.array([[0, 1, 2], [0, 1, 4]]))
    with pytest.raises(TypeError, match="actions must be whole numbers, of dtype int64"):
        envs.step(np.zeros((2, 3)))
    wanted = r"must have the shape \(2,\), not \(3, 2\)\. A chunk of T steps, at least one, has \(2, T\)\."
    with pytest.raises(ValueError, match=wanted):
        envs.step(np.zeros((3, 2), int))
    with pytest.raises(ValueError, match=r"must have the shape \(2,\), not \(2, 0\)\."):
        envs.step(np.zeros((2, 0), int))
    with pytest.raises(ValueError, match=r"must have the shape \(2,\), not \(2, 3, 1\)\.$"):
        envs.step(np.zeros((2, 3, 1), int))
    for key, values in envs.get_state().items():
        if "elapsed" not in key:
            np.testing.assert_array_equal(before[key], values)


@pytest.mark.parametrize("engine", ["native", "sync"])
def test_worlds_that_end_episodes(engine):
    """The walker falls, well before its limit."""
    given = {"vector_strategy": engine, "max_episode_steps": 200}
    assert check_same("walker2d-rand-params", 2, 14, **given) > 1
    assert check_same("walker2d-rand-params", 2, 14, normalize_observations=True, **given) > 1


def test_success_ends_a_row(tasks):
    right = np.zeros((3, T, 4), np.float32)
    right[:, :, 0] = 1.0
    given = [tasks.near, tasks.right, tasks.far]
    for engine in ("native", "sync"):
        for whole_info in ({}, EVERYTHING):
            ends = check_same(
                given,
                3,
                5,
                tasks=given,
                actions=right,
                terminate_on_success=True,
                max_episode_steps=22,
                vector_strategy=engine,
                **whole_info,
            )
            assert ends > 5


def test_where_flags_and_zeros_stand(tasks):
    envs = taskworlds.make_vec([tasks.near, tasks.far], 3, terminate_on_success=True, max_episode_steps=4)
    envs.set_tasks([tasks.near, tasks.far, tasks.far])
    envs.reset()
    _, rewards, terminations, truncations, infos = envs.step(np.zeros((3, 6, 4), np.float32))
    assert np.argwhere(terminations).tolist() == [[0, 0]]
    assert np.argwhere(truncations).tolist() == [[1, 3], [2, 3]]
    assert infos["executed_steps"].tolist() == [1, 4, 4]
    assert infos["_executed_steps"].all()
    assert infos["executed_steps"].dtype == np.int64
    assert (rewards[0, 1:] == 0).all()
    assert (rewards[1:, 4:] == 0).all()
    assert (rewards[1:, :4] != 0).all()
    assert infos["chunk_success"].tolist() == [[1, 0, 0, 0, 0, 0], [0] * 6, [0] * 6]
    assert infos["episode_length"].tolist() == [0, 0, 0]  # of the next episodes
    assert infos["final_info"]["episode_length"].tolist() == [1, 4, 4]


def test_a_single_environment(tasks):
    for options in ({}, EVERYTHING, {"k_episodes": 2}):
        one, other = (taskworlds.make("reach-v3", seed=0, max_episode_steps=7, **options) for _ in range(2))
        rng = np.random.default_rng(0)
        for _ in range(6):
            for env in (one, other):
                env.reset(seed=4)
            done = False
            while not done:
                actions = rng.uniform(-1, 1, (3, 4)).astype(np.float32)
                chunk = other.step(actions)
                rewards = []
                for action in actions:
                    step = one.step(action)
                    rewards.append(step.reward)
                    if step.last or step.env_info.get("attempt_ended"):
                        break
                executed = len(rewards)
                assert chunk.env_info["executed_steps"] == executed
                assert chunk.reward.tolist() == rewards + [0.0] * (3 - executed)
                assert chunk.truncated.tolist() == [False] * (executed - 1) + [step.truncated] + [False] * (
                    3 - executed
                )
                assert not chunk.terminated.any()
                assert chunk.last == step.last
                assert chunk.step_type == step.step_type
                np.testing.assert_array_equal(chunk.observation, step.observation)
                np.testing.assert_equal(without_time(chunk.env_info), without_time(step.env_info))
                done = step.last
        compare_states(one.batch, other.batch)
        again = pickle.loads(pickle.dumps(chunk))
        np.testing.assert_equal(tuple(again), tuple(chunk))
        assert type(again) is type(chunk)
        assert again.step_type == chunk.step_type


def test_snapshots_between_chunks():
    one, other = (taskworlds.make_vec("MT10", 10, seed=0, max_episode_steps=9) for _ in range(2))
    one.reset(seed=1)
    actions = [np.random.default_rng(i).uniform(-1, 1, (10, 4, 4)) for i in range(6)]
    for each in actions[:3]:
        one.step(each)
    other.set_state(one.get_state())
    for each in actions[3:]:
        for mine, its in zip(one.step(each)[:4], other.step(each)[:4], strict=True):
            np.testing.assert_array_equal(mine, its)
    compare_states(one, other)
    copied = pickle.loads(pickle.dumps(one))
    compare_states(one, copied)


def test_a_row_that_diverges_goes_on_as_in_single_steps():
    """The engine stops there, and the rest is asked for step by step."""
    ends = []
    for step in (single_steps, lambda envs, actions: envs.step(actions)):
        envs = taskworlds.make_vec("reach-v3", 3, seed=0, max_episode_steps=50)
        envs.reset(seed=0)
        envs.rows.engine.states[1, 20] = 1e9  # a velocity that MuJoCo gives up on
        with pytest.warns(RuntimeWarning, match="The simulation of row 1, step 1, .* diverged"):
            found = step(envs, np.zeros((3, T, 4)))
        ends.append((found, envs.get_state()))
    for ours, theirs in zip(ends[1][0][:4], ends[0][0][:4], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for key, values in ends[0][1].items():
        if "elapsed" not in key:
            np.testing.assert_array_equal(ends[1][1][key], values, err_msg=key)


def test_an_error_of_the_simulator_names_the_step(monkeypatch):
    envs = taskworlds.make_vec("reach-v3", 2, seed=0)
    envs.reset(seed=0)
    step_chunk = envs.rows.step_chunk

    def refused(*args, **keywords):
        chunk = step_chunk(*args, **keywords)
        chunk.taken[1] = 3
        faults = [RowFault(1, "too many contacts", went_on=False)]

        def step(place):
            return chunk.step(place)._replace(faults=faults if place == 2 else ())

        return chunk._replace(last=chunk.last._replace(faults=faults), step=step)

    with monkeypatch.context() as patch:
        patch.setattr(envs.rows, "step_chunk", refused)
        with pytest.raises(RuntimeError, match=r"could not step row 1, step 3, .*too many contacts"):
            envs.step(np.zeros((2, 4, 4)))
    with pytest.raises(RuntimeError, match=r"stopped step.* half-way"):
        envs.step(np.zeros((2, 4, 4)))
    envs.reset()
    envs.step(np.zeros((2, 4, 4)))
    assert Fault.ERROR not in Fault(int(envs.rows.engine.faults.max()))


# --- RLinf's way --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["native", "sync"])
def test_whole_chunks_go_on_past_the_end(engine, tasks):
    options = {"seed": 0, "max_episode_steps": 4, "terminate_on_success": True, "vector_strategy": engine}
    given = [tasks.near, tasks.far]
    envs = taskworlds.make_vec(given, 3, play_whole_chunks=True, **options)
    free = taskworlds.make_vec(given, 3, **options | {"max_episode_steps": 99, "terminate_on_success": False})
    for each in (envs, free):
        each.set_tasks([tasks.near, tasks.far, tasks.far])
        each.reset(seed=0)
    actions = np.random.default_rng(0).uniform(-1, 1, (3, 6, 4))
    obs, rewards, terminations, truncations, infos = envs.step(actions)
    expected = free.step(actions)
    np.testing.assert_array_equal(rewards, expected[1])
    assert np.argwhere(terminations).tolist() == [[0, 5]]  # first ended by success, and the limit came later
    assert np.argwhere(truncations).tolist() == [[1, 5], [2, 5]]
    assert infos["executed_steps"].tolist() == [6, 6, 6]
    np.testing.assert_array_equal(infos["final_obs"], expected[0])  # the end of the chunk
    assert infos["final_info"]["episode"]["l"].tolist() == [6, 6, 6]
    np.testing.assert_array_equal(infos["final_info"]["episode"]["r"], expected[4]["episode_return"])
    assert not np.array_equal(obs, expected[0])  # of the new episodes


def test_whole_chunks_are_the_same_on_the_engines():
    found = {}
    for engine in ("native", "sync"):
        envs = taskworlds.make_vec(
            "MT10",
            10,
            seed=0,
            max_episode_steps=7,
            play_whole_chunks=True,
            vector_strategy=engine,
            recurrent_info_in_obs=True,
            normalize_observations=True,
            reward_normalization_method="gymnasium",
        )
        envs.reset(seed=0)
        rng = np.random.default_rng(0)
        found[engine] = [envs.step(rng.uniform(-1, 1, (10, T, 4)).astype(np.float32))[:4] for _ in range(4)]
        envs.close()
    for ours, theirs in zip(found["native"], found["sync"], strict=True):
        for mine, its in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine, its, rtol=0, atol=1e-12)


# --- what is refused ----------------------------------------------------------------------------------------


def test_a_chunk_of_one_step_is_a_step():
    one, other = (taskworlds.make("reach-v3", seed=0) for _ in range(2))
    for env in (one, other):
        env.reset(seed=0)
    step, chunk = one.step(np.ones(4)), other.step(np.ones((1, 4)))
    assert (chunk.reward.tolist(), chunk.terminated.tolist()) == ([step.reward], [False])
    np.testing.assert_array_equal(chunk.observation, step.observation)


@pytest.fixture
def envs():
    made = taskworlds.make_vec("reach-v3", 2, seed=0, autoreset_mode="Disabled", max_episode_steps=4)
    made.reset(seed=0)
    yield made
    made.close()


@pytest.mark.parametrize("engine", ["native", "sync"])
@pytest.mark.parametrize(
    ("shape", "given"),
    [((2, 0, 4), r"\(2, 0, 4\)"), ((2, 3, 5), r"\(2, 3, 5\)"), ((3, 3, 4), r"\(3, 3, 4\)")],
)
def test_shapes(shape, given, engine):
    envs = taskworlds.make_vec("reach-v3", 2, seed=0, vector_strategy=engine)
    envs.reset(seed=0)
    wanted = (
        rf"must have the shape \(2, 4\), not {given}\. A chunk of T steps, at least one, has \(2, T, 4\)\."
    )
    with pytest.raises(ValueError, match=wanted):
        envs.step(np.zeros(shape))
    with pytest.raises(ValueError, match=r"must have the shape \(2, 4\), not .*"):
        envs.step(np.zeros((2, 3, 4, 1)))


def test_what_is_not_finite_is_refused_before_anything_moves(envs):
    actions = np.zeros((2, 4, 4))
    actions[1, 2, 3] = np.nan
    before = envs.get_state()
    with pytest.raises(
        ValueError, match=r"actions\[1\] must be finite, .*\(place 2 of the chunk, .*, step 2\)"
    ):
        envs.step(actions)
    for key, values in envs.get_state().items():
        if "elapsed" not in key:
            np.testing.assert_array_equal(before[key], values)
    envs.step(actions, mask=np.array([True, False]))  # whose actions are not read
    with pytest.raises(TypeError, match="must be of dtype float32 or float64"):
        envs.step(actions.astype(complex))


def test_chunks_past_the_end_are_refused(envs):
    fresh = taskworlds.make_vec("reach-v3", 2, seed=0)
    with pytest.raises(RuntimeError, match="No episode of row 0 has begun"):
        fresh.step(np.zeros((2, 2, 4)))
    envs.step(np.zeros((2, 6, 4)))
    with pytest.raises(RuntimeError, match="The episode of row 0 has ended: call reset"):
        envs.step(np.zeros((2, 6, 4)))
    envs.reset(options={"reset_mask": np.array([True, False])})
    assert envs.step(np.zeros((2, 2, 4)), mask=np.array([True, False]))[4]["executed_steps"].tolist() == [
        2,
        0,
    ]


def test_calls_that_take_single_steps_alone(envs):
    partial = taskworlds.make_vec("reach-v3", 2, batch_size=1, seed=0)
    partial.reset()
    for call in (
        lambda: envs.step_async(np.zeros((2, 3, 4))),
        lambda: partial.send(np.zeros((2, 3, 4)), [0, 1]),
    ):
        with pytest.raises(ValueError, match=r"not \(2, 3, 4\)\. Only step\(\) takes chunks"):
            call()
    partial.send(np.zeros((2, 4)), [0, 1])
    with pytest.raises(RuntimeError, match="under way"):
        partial.step(np.zeros((2, 3, 4)))


def test_whole_chunks_are_not_for_trials():
    with pytest.raises(ValueError, match="play_whole_chunks must be False with k_episodes"):
        taskworlds.make_vec("reach-v3", 2, play_whole_chunks=True, k_episodes=2)


def test_no_warnings_in_a_plain_chunk(envs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        envs.step(np.zeros((2, 3, 4)).tolist())
