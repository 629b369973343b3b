"""Several worlds in one batch: each row is bit for bit what it is in a batch of its world alone."""

import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import taskworlds
from taskworlds import Benchmark, RowEngine, Task, benchmark
from taskworlds.core.registry import engine, temporarily_registered

pytestmark = pytest.mark.requires_dm_control  # for walker-walk

MT3 = [
    task
    for name in ("reach-v3", "push-v3", "drawer-open-v3")
    for task in benchmark(name, num_goals=4).train_tasks
]
MEMBERS = (
    Benchmark("mt3", tuple(MT3)),
    benchmark("walker-walk"),
    benchmark("half-cheetah-vel", num_goals=5),
    benchmark("point", num_goals=6),
)
ROWS = (4, 2, 2, 3)
FIRSTS = np.cumsum([0, *ROWS])
SIZES = (39, 24, 17, 3)  # of observations
ACTIONS = (4, 6, 6, 2)
LIMITS = (500, 1000, 200, 50)
SEED = 7


def union(**how):
    return Benchmark.union("four", MEMBERS, shares=ROWS, **how)


def mixed(**options):
    return taskworlds.make_vec(union(), sum(ROWS), pad=True, seed=SEED, **options)


def alone(**options):
    return [
        taskworlds.make_vec(member, rows, seed=SEED, task_select="random", **options)
        for member, rows in zip(MEMBERS, ROWS, strict=True)
    ]


def seeds(start=SEED):
    """What the rows of the mixed batch are seeded with, for each batch of one world."""
    return [
        list(range(start + first, start + first + rows)) for first, rows in zip(FIRSTS, ROWS, strict=False)
    ]


def actions_at(step, dtype=np.float64):
    return np.random.default_rng([3, step]).uniform(-1, 1, (sum(ROWS), 6)).astype(dtype)


def part(array, number):
    return array[FIRSTS[number] : FIRSTS[number + 1]]


def same_infos(of_all, of_one, number, where=""):
    """The names that a world has are told of its rows alike; the others are not told of them."""
    for name, values in of_all.items():
        if name.startswith("_") or name in (
            "final_info",
            "episode",
            "world_index",
            "skill_index",
            "task_index",
        ):
            continue
        told = part(of_all[f"_{name}"], number)
        if name not in of_one:
            assert not told.any(), (where, name)
            continue
        assert told.tolist() == of_one[f"_{name}"].tolist(), (where, name)
        theirs = of_one[name]
        mine = part(values, number)
        mine = mine if theirs.ndim == 1 else mine[:, : theirs.shape[1]]
        assert np.array_equal(mine, theirs), (where, name)
    assert {name for name in of_one if name not in of_all} <= {"_final_info", "final_info", "_episode"}, where


def compare(of_all, of_one, where):
    """Compares what a step of all returned with what the batches of one world each did."""
    for number, each in enumerate(of_one):
        obs = part(of_all[0], number)
        assert np.array_equal(obs[:, : SIZES[number]], each[0]), (where, number)
        assert not obs[:, SIZES[number] :].any(), (where, number)
        for which in (1, 2, 3):
            assert np.array_equal(part(of_all[which], number), each[which]), (where, number, which)
        same_infos(of_all[4], each[4], number, (where, number))
        if "final_info" in each[4]:
            ended = each[4]["_final_info"]
            assert part(of_all[4]["_final_info"], number).tolist() == ended.tolist()
            for name in ("r", "l"):
                ours = part(of_all[4]["final_info"]["episode"][name], number)
                assert np.array_equal(ours, each[4]["final_info"]["episode"][name])


@pytest.mark.parametrize(("strategy", "steps"), [(None, 230), ("sync", 120), ("async", 60)])
def test_each_row_is_what_it_is_alone(strategy, steps):
    """Several episodes of the point, with resets of their own; of half-cheetah-vel too, where it is quick."""
    envs, others = mixed(vector_strategy=strategy), alone(vector_strategy=strategy)
    try:
        obs, infos = envs.reset(seed=SEED)
        for number, (each, own) in enumerate(zip(others, seeds(), strict=True)):
            theirs, told = each.reset(seed=own)
            assert np.array_equal(part(obs, number)[:, : SIZES[number]], theirs)
            same_infos(infos, told, number, "reset")
        for step in range(steps):
            actions = actions_at(step, np.float32 if step % 2 else np.float64)
            outcome = envs.step(actions)
            each = [env.step(part(actions, i)[:, : ACTIONS[i]]) for i, env in enumerate(others)]
            compare(outcome, each, step)
    finally:
        for each in (envs, *others):
            each.close()


def test_success_ends_and_rows_are_masked_alike():
    """With terminate_on_success where there is success, masks, resets of some rows, and rows that wait to be reset."""
    how = {"autoreset_mode": AutoresetMode.DISABLED, "max_episode_steps": 40}
    envs = mixed(terminate_on_success=True, **how)
    others = [
        taskworlds.make_vec(
            member, rows, seed=SEED, task_select="random", terminate_on_success=success, **how
        )
        for member, rows, success in zip(MEMBERS, ROWS, (True, False, False, True), strict=True)
    ]
    envs.reset(seed=SEED)
    for each, own in zip(others, seeds(), strict=True):
        each.reset(seed=own)
    running = np.ones(sum(ROWS), bool)
    goals = np.zeros((sum(ROWS), 6))
    successes = 0
    for step in range(120):
        mask = running & (np.random.default_rng([1, step]).random(sum(ROWS)) < 0.8)
        obs = envs.observations.copy()
        goals[:, :] = actions_at(step)
        toward = envs.rows.goals[FIRSTS[3] :, :2] - obs[FIRSTS[3] :, :2]
        goals[FIRSTS[3] :, :2] = np.clip(toward, -0.1, 0.1)  # the point walks to its goal
        outcome = envs.step(goals, mask)
        each = [env.step(part(goals, i)[:, : ACTIONS[i]], part(mask, i)) for i, env in enumerate(others)]
        compare(outcome, each, step)
        successes += int(outcome[2].sum())
        running &= ~(outcome[2] | outcome[3])
        if (~running).sum() > 4:
            envs.reset(options={"reset_mask": ~running})
            for i, env in enumerate(others):
                env.reset(options={"reset_mask": ~part(running, i)})
            running[:] = True
    assert successes


OPTIONS = [
    {"normalize_observations": True, "reward_normalization_method": "gymnasium"},
    {"recurrent_info_in_obs": True, "reward_normalization_method": "exponential"},
    {
        "k_episodes": 2,
        "max_episode_steps": 9,
        "record_episode_statistics": True,
        "autoreset_mode": "NextStep",
    },
    {
        "task_select": "pseudorandom",
        "sample_tasks_on_reset": True,
        "max_episode_steps": 7,
        "names_in_info": True,
    },
    {"task_select": "round_robin", "max_episode_steps": 5, "instructions_in_info": True, "paraphrases": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: next(iter(options)))
def test_options_of_a_batch_hold_in_all_worlds(options):
    envs = mixed(**options)
    others = [
        taskworlds.make_vec(member, rows, seed=SEED, **({"task_select": "random"} | options))
        for member, rows in zip(MEMBERS, ROWS, strict=True)
    ]
    extra = 2 if "recurrent_info_in_obs" in options else 0
    flag = int("k_episodes" in options)

    def check(mine, theirs, number):
        obs, own = part(mine[0], number), theirs[0]
        size, width = SIZES[number], ACTIONS[number] if extra else 0
        shown = np.concatenate([obs[:, :size], obs[:, 39 : 39 + width]], axis=1)
        shown = np.concatenate([shown, obs[:, obs.shape[1] - extra - flag :][:, : extra + flag]], axis=1)
        if own.dtype == np.float32:  # the point's, of which the options make float32 where it is alone
            np.testing.assert_allclose(
                shown, own, rtol=1e-5, atol=1e-5 * options.get("normalize_observations", 0)
            )
        else:
            assert np.array_equal(shown, own), number
        if len(mine) > 2:
            for which in (1, 2, 3):
                assert np.array_equal(part(mine[which], number), theirs[which]), (number, which)
        for name in (
            "attempt",
            "attempt_return",
            "task_id",
            "instruction",
            "episode_return",
            "episode_length",
        ):
            if name in theirs[-1]:
                assert part(mine[-1][name], number).tolist() == theirs[-1][name].tolist(), (number, name)

    first = envs.reset(seed=SEED)
    for number, (each, own) in enumerate(zip(others, seeds(), strict=True)):
        check(first, each.reset(seed=own), number)
    for step in range(40):
        actions = actions_at(step)
        mine = envs.step(actions)
        for number, each in enumerate(others):
            check(mine, each.step(part(actions, number)[:, : ACTIONS[number]]), number)
    if extra:  # what a world does not have of an action is not seen either
        assert not mine[0][FIRSTS[3] :, 39 + 2 : 39 + 6].any()


def test_observations_spaces_and_masks():
    envs = mixed(use_one_hot=True)
    width = 39 + 6
    assert envs.single_observation_space.shape == (width,)
    assert envs.single_observation_space.dtype == np.float64
    obs, infos = envs.reset(seed=0)
    assert obs.dtype == np.float64
    assert envs.skills == [
        "reach-v3",
        "push-v3",
        "drawer-open-v3",
        "walker-walk",
        "half-cheetah-vel",
        "point",
    ]
    assert obs[:, 39:].argmax(axis=1).tolist() == infos["skill_index"].tolist()
    assert infos["skill_index"].tolist() == [0, 0, 1, 2, 3, 3, 4, 4, 5, 5, 5]
    assert infos["world_index"].tolist() == [0] * 4 + [1] * 2 + [2] * 2 + [3] * 3
    assert [world.name for world in envs.worlds] == ["Meta-World", "walker-walk", "half-cheetah-vel", "point"]
    assert (
        envs.observation_mask.sum(axis=1).tolist() == [39 + 6] * 4 + [24 + 6] * 2 + [17 + 6] * 2 + [3 + 6] * 3
    )
    assert not obs[~envs.observation_mask].any()
    assert envs.action_mask.sum(axis=1).tolist() == [4] * 4 + [6] * 4 + [2] * 3
    assert envs.action_mask[:, 0].all()
    assert envs.skill_action_masks.sum(axis=1).tolist() == [4, 4, 4, 6, 6, 2]
    assert envs.single_action_space.shape == (6,)
    low, high = envs.action_space.low, envs.action_space.high
    assert (high[~envs.action_mask] == 1).all()
    assert (low[~envs.action_mask] == -1).all()
    assert high[-1, :2] == pytest.approx(0.1)
    assert envs.observation_space.contains(obs)
    assert envs.action_space.contains(envs.action_space.sample())


def test_padding_of_actions_is_not_read():
    first, second = mixed(recurrent_info_in_obs=True), mixed(recurrent_info_in_obs=True)
    first.reset(seed=1), second.reset(seed=1)
    for step in range(5):
        actions = actions_at(step)
        changed = np.where(first.action_mask, actions, 1e6)
        assert np.array_equal(first.step(actions)[0], second.step(changed)[0])
    changed[-1, -1] = np.nan
    with pytest.raises(ValueError, match="finite"):
        second.step(changed)


def test_infos_of_one_row_have_what_its_world_has():
    envs = mixed()
    envs.reset(seed=0)
    _, _, _, _, infos = envs.step(actions_at(0))
    arm, walker, cheetah, point = (envs.row_info(infos, row) for row in (0, 4, 6, 8))
    assert {"success", "near_object", "goal"} <= set(arm)
    assert not {"success", "goal", "near_object", "x_velocity"} & set(walker)
    assert {"x_velocity", "goal"} <= set(cheetah)
    assert "success" not in cheetah
    assert {"success", "goal"} <= set(point)
    assert "reward_ctrl" not in point
    assert infos["_success"].tolist() == [True] * 4 + [False] * 4 + [True] * 3
    assert infos["_goal"].tolist() == [True] * 4 + [False] * 2 + [True] * 5


def test_limits_are_each_worlds_own():
    envs = mixed()
    assert envs.get_attr("max_episode_steps") == tuple(np.repeat(LIMITS, ROWS).tolist())
    assert envs.max_episode_steps == 1000
    chosen = mixed(max_episode_steps=30)
    assert set(chosen.get_attr("max_episode_steps")) == {30}
    envs.set_attr("max_episode_steps", 3)
    envs.reset(seed=0)
    for step in range(3):
        _, _, _, truncated, _ = envs.step(actions_at(step))
    assert truncated.all()


# --- engines and errors ----------------------------------------------------------------------------------------------


def test_engines():
    assert mixed().strategy == "native, numpy"
    assert mixed(vector_strategy="sync").strategy == "sync"
    with pytest.raises(ValueError, match=r"point has no native engine.*or take \"sync\" or \"async\""):
        mixed(vector_strategy="native")
    elsewhere = RowEngine("elsewhere", len, inside=lambda world: engine("sync"))
    with temporarily_registered(elsewhere), pytest.raises(ValueError, match="as this engine steps one world"):
        mixed(vector_strategy="elsewhere")
    three = taskworlds.make_vec(["reach-v3", "walker-walk", "ant-dir"], pad=True, vector_strategy="native")
    assert three.strategy == "native"
    assert three.num_envs == 3


@pytest.mark.parametrize(
    ("members", "num_envs", "options", "message"),
    [
        (["reach-v3", "walker-walk"], 1, {}, r"num_envs must be at least 2 .* each row serves one world"),
        (["reach-v3", "push-v3"], 1, {}, r"num_envs must be at least 2 .* each member has rows of its own"),
        (["reach-v3", "grid-4x4"], 2, {}, r"grid-4x4 cannot be in one batch .* Discrete"),
        (
            ["reach-v3", "walker-walk"],
            2,
            {"reward_function_version": "v1"},
            "reward_function_version of walker-walk",
        ),
        (
            ["walker-walk", "ant-dir"],
            2,
            {"terminate_on_success": True},
            r"walker-walk \+ ant-dir, where no success",
        ),
        (["reach-v3", "point"], 2, {"camera_name": "corner"}, "camera_name must not be given for point"),
        (["reach-v3", "walker-walk"], 2, {"num_goals": 3}, "num_goals can only be given"),
    ],
)
def test_mistakes(members, num_envs, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        taskworlds.make_vec(members, num_envs, pad=True, **options)


def test_without_pad_worlds_do_not_mix():
    with pytest.raises(ValueError, match=r"must be of one world.*pad=True"):
        taskworlds.make_vec(union(), 11)
    with pytest.raises(TypeError, match="pad=True"):
        taskworlds.make_vec(["reach-v3", "walker-walk"], 2)
    with pytest.raises(ValueError, match="a single environment is of one world"):
        taskworlds.make(["reach-v3", "walker-walk"], pad=True)


def test_a_row_keeps_to_its_world():
    envs = mixed()
    envs.reset(seed=0)
    walk, reach = Task("walker-walk"), MT3[0]
    with pytest.raises(ValueError, match=r"each row keeps to its own\. Meta-World has rows 0 to 3"):
        envs.set_tasks([walk] * 11)
    with pytest.raises(ValueError, match="another world than row 4"):
        envs.reset(options={"tasks": reach})
    envs.set_tasks(reach, np.arange(11) < 4)
    envs.reset()
    assert envs.current_tasks[:4] == (reach,) * 4
    assert envs.current_tasks[4] == walk


def test_one_world_with_pad_is_that_world():
    plain, also = (taskworlds.make_vec("MT10", 10, pad=pad) for pad in (False, True))
    obs, infos = also.reset(seed=0)
    assert np.array_equal(plain.reset(seed=0)[0], obs)
    assert infos["world_index"].tolist() == [0] * 10
    for envs in (plain, also):
        assert envs.observation_mask.shape == (10, 39)
        assert envs.observation_mask.all()
        assert envs.action_mask.all()
        assert envs.skill_action_masks.shape == (10, 4)
    grid = taskworlds.make_vec("grid-4x4", 2)
    with pytest.raises(RuntimeError, match="vector of floats"):
        _ = grid.action_mask
    with pytest.raises(RuntimeError, match="vector of floats"):
        _ = grid.observation_mask


# --- exact state -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", [None, "sync"])
def test_snapshots_are_exact_also_forked(strategy):
    envs = mixed(vector_strategy=strategy, use_one_hot=True, normalize_observations=True)
    envs.reset(seed=2)
    for step in range(60):
        envs.step(actions_at(step))
    state = envs.get_state()
    went_on = [envs.step(actions_at(step)) for step in range(60, 80)]
    envs.reset(seed=5)
    other = pickle.loads(pickle.dumps(envs))
    for each in (envs, other):
        each.set_state(state)
        for step, before in zip(range(60, 80), went_on, strict=True):
            now = each.step(actions_at(step))
            for mine, theirs in zip(now[:4], before[:4], strict=True):
                assert np.array_equal(mine, theirs)
    rows = [1, 1, 1, 1, 5, 5, 6, 6, 10, 10, 10]
    envs.set_state(state, rows=rows)
    for step, before in zip(range(60, 80), went_on, strict=True):
        now = envs.step(actions_at(step)[rows])
        assert np.array_equal(now[0], before[0][rows])


def test_snapshots_of_another_mixture_are_refused():
    envs = mixed()
    envs.reset(seed=0)
    state = envs.get_state()
    with pytest.raises(ValueError, match="own world"):
        envs.set_state(state, rows=0)
    order = [4, 5, 0, 1, 2, 3, 6, 7, 8, 9, 10]
    with pytest.raises(ValueError, match=r"Row 0 serves Meta-World, and row 4 of the state walker-walk"):
        envs.set_state(state, rows=order)
    others = taskworlds.make_vec(Benchmark.union("other", MEMBERS[:3]), 11, pad=True)
    others.reset(seed=0)
    with pytest.raises(ValueError, match="skills is"):
        others.set_state(state)
    shared = taskworlds.make_vec(Benchmark.union("four", MEMBERS, shares=(5, 2, 2, 2)), 11, pad=True)
    with pytest.raises(ValueError, match="own world"):
        shared.set_state(state)
    assert shared.current_tasks == (None,) * 11
    shared.set_state(state, rows=[0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9])
    assert shared.current_tasks[:5] == (*envs.current_tasks[:4], envs.current_tasks[3])


# --- how rows are shared out ------------------------------------------------------------------------------------------


def worlds_of(envs):
    return [envs.worlds[number].name for number in envs.world_index]


def test_lists_of_names_benchmarks_and_tasks():
    reach = benchmark("reach-v3", num_goals=2)
    envs = taskworlds.make_vec(["walker-walk", reach, Task("cheetah-run"), "point", MT3[5]], 10, pad=True)
    assert envs.skills == ["walker-walk", "reach-v3", "cheetah-run", "point", "push-v3"]
    assert worlds_of(envs) == ["walker-walk"] * 2 + ["Meta-World"] * 4 + ["cheetah-run"] * 2 + ["point"] * 2
    assert [task.env_name for (task, *_) in envs.tasks] == (
        ["walker-walk"] * 2 + ["reach-v3"] * 2 + ["push-v3"] * 2 + ["cheetah-run"] * 2 + ["point"] * 2
    )
    only_tasks = taskworlds.make_vec([MT3[0], Task("walker-walk"), MT3[5]], pad=True)
    assert [task.env_name for (task, *_) in only_tasks.tasks] == ["reach-v3", "push-v3", "walker-walk"]


def test_shares_are_weights():
    made = Benchmark.union("mine", ["MT10", "walker-walk", "half-cheetah-vel"], shares=[1, 2, 1])
    envs = taskworlds.make_vec(made, 8, pad=True)
    assert worlds_of(envs) == ["Meta-World"] * 2 + ["walker-walk"] * 4 + ["half-cheetah-vel"] * 2
    assert [len({task.env_name for task in row}) for row in envs.tasks[:2]] == [5, 5]
    even = taskworlds.make_vec(["MT10", "walker-walk", "half-cheetah-vel"], pad=True)
    assert even.num_envs == 12
    assert [row[0].env_name for row in even.tasks] == even.skills


def test_the_test_split_has_the_members_that_have_one():
    envs = taskworlds.make_vec(["MT10", "half-cheetah-vel", "point"], 4, pad=True, split="test")
    assert envs.skills == ["half-cheetah-vel", "point"]
    assert worlds_of(envs) == ["half-cheetah-vel"] * 2 + ["point"] * 2


def test_partial_batches_have_the_results_of_whole_ones():
    whole, partial = mixed(recurrent_info_in_obs=True), mixed(recurrent_info_in_obs=True, batch_size=4)
    whole.reset(seed=3), partial.reset(seed=3)
    for step in range(6):
        outcome = whole.step(actions_at(step))
        partial.send(actions_at(step), np.arange(11))
        seen = []
        while len(seen) < 11:
            rows, obs, rewards, *_ = partial.recv()
            assert np.array_equal(obs, outcome[0][rows])
            assert np.array_equal(rewards, outcome[1][rows])
            seen += rows.tolist()
        assert sorted(seen) == list(range(11))


# --- what else there is of a batch -----------------------------------------------------------------------------------


def test_pictures_are_each_worlds_own():
    size = {"width": 32, "height": 24}
    envs = taskworlds.make_vec(
        ["reach-v3", "walker-walk"], 2, pad=True, render_mode="rgb_array", observation="state+pixels", **size
    )
    obs, _ = envs.reset(seed=0)
    alone = taskworlds.make_vec("walker-walk", 1, observation="pixels", **size)
    assert obs["state"].shape == (2, 39)
    assert np.array_equal(obs["pixels"][1:], alone.reset(seed=[1])[0])
    assert envs.render_grid().shape == (24, 64, 3)
    with pytest.raises(ValueError, match=r"Meta-World and point.*their pictures differ"):
        taskworlds.make_vec(["reach-v3", "point"], 2, pad=True, observation="pixels")


def test_made_again_from_its_spec_and_its_checkpoints():
    envs = mixed()
    again = gym.make_vec(envs.spec)
    assert again.worlds == envs.worlds
    assert again.tasks == envs.tasks
    assert np.array_equal(again.reset(seed=1)[0], envs.reset(seed=1)[0])
    again.call("load_checkpoint", list(envs.call("get_checkpoint")))
    assert "engine=native, numpy" in repr(again)
    names = again.get_attr("task_name")
    assert (names[0], names[4], names[10]) == ("SawyerReachEnvV3", "walker-walk", "point")


def test_the_first_tasks_of_each_skill():
    made = Benchmark.union("u", ["MT10", "half-cheetah-vel"], shares=[2, 1])
    envs = taskworlds.make_vec(made, 12, pad=True, total_tasks_per_cls=2)
    assert {len({*row}) for row in envs.tasks} <= {1, 2, 4}
    assert len(envs.benchmark.train_tasks) == 22
    assert [each.share for each in envs.benchmark.members] == [2.0, 1.0]


@pytest.mark.parametrize(
    ("strategy", "method"), [("sync", "step"), ("async", "begins"), (None, "step_wait"), (None, "begins")]
)
def test_a_fault_in_one_world_ends_the_steps_of_all(monkeypatch, strategy, method):
    envs = mixed(vector_strategy=strategy)
    envs.reset(seed=0)
    part = envs.rows._parts[1]

    def fall(*given):
        raise OSError("the walker fell")

    if method == "begins":
        first, _, *others = envs.rows._begins
        monkeypatch.setattr(envs.rows, "_begins", [first, fall, *others])
    else:
        monkeypatch.setattr(part, method, fall)
    with pytest.raises(OSError, match="the walker fell"):
        envs.step(actions_at(0))
    monkeypatch.undo()
    obs, _ = envs.reset(seed=0)
    fresh = mixed(vector_strategy=strategy)
    assert np.array_equal(obs, fresh.reset(seed=0)[0])
    assert np.array_equal(envs.step(actions_at(1))[0], fresh.step(actions_at(1))[0])
    fresh.step_async(actions_at(2))
    envs.step_async(actions_at(2))
    assert np.array_equal(envs.step_wait()[0], fresh.step_wait()[0])
