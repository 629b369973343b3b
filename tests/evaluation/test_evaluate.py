"""evaluate on our vector environments and on benchmarks: the multi-task protocol."""

import itertools

import gymnasium as gym
import numpy as np
import pytest

from taskworlds.evaluation import RandomPolicy, evaluate, random_policy


class Recorder:
    """A policy that keeps what it is told."""

    def __init__(self):
        self.observations, self.begun, self.resets = [], [], []

    def eval_action(self, observations):
        self.observations.append(observations)
        return np.zeros((len(observations), 4))

    def reset(self, env_mask):
        self.resets.append(env_mask.tolist())

    def begin_episodes(self, mask, infos):
        for row in np.flatnonzero(mask):
            self.begun.append(
                (
                    int(row),
                    infos["task_name"][row],
                    infos["task"][row]["goal"],
                    int(infos["episode_index"][row]),
                )
            )


# --- quotas and weights ---


def test_every_task_gets_its_quota(toy):
    tasks = [toy.task(0, solved_at=2), toy.task(1), toy.task(2, "close", solved_at=1), toy.task(3, "close")]
    envs = toy.vec_env(tasks)
    result = evaluate(toy.still, envs, episodes_per_task=3)
    assert [record.task for record in result.tasks] == tasks
    assert [[episode.length for episode in record.episodes] for record in result.tasks] == [
        [2] * 3,
        [10] * 3,
        [1] * 3,
        [10] * 3,
    ]
    assert len(envs.resets) == 12  # no episode was played that does not count


def test_fast_finishers_get_no_extra_weight(toy):
    # Three of ten goals are solved, and fast. Counting the first 15 finishers says 7/15 = 0.467.
    solved = {0: 6, 1: 7, 2: 8}
    first_finishers = sorted(
        (length * (round_ + 1), goal not in solved, goal)
        for goal in range(10)
        for length in [solved.get(goal, toy.horizon)]
        for round_ in range(4)
    )[:15]
    assert np.mean([goal in solved for _, _, goal in first_finishers]) == pytest.approx(7 / 15)
    tasks = [toy.task(goal, solved_at=solved.get(goal)) for goal in range(10)]
    for num_envs in (1, 4, 10):
        result = evaluate(toy.still, toy.vec_env(tasks, num_envs), episodes_per_task=2)
        assert result.overall["success_end"].mean.value == pytest.approx(0.3)


def test_metaworlds_own_evaluation_does_count_the_first_finishers(toy):
    """The case above through Meta-World's function, to show that ours differs from it on purpose."""
    from metaworld.evaluation import evaluation

    class SameStep:
        """The same ten rows as Meta-World's function wants them."""

        num_envs = 10
        lengths = np.array([6, 7, 8] + [toy.horizon] * 7)

        def get_attr(self, name):
            return {
                "terminate_on_success": (True,) * 10,
                "task_name": ("SawyerReachEnvV3",) * 10,
            }[name]

        def call(self, name, *args):
            pass

        def reset(self):
            self.steps = np.zeros(10, dtype=int)
            return np.zeros((10, 2)), {}

        def step(self, actions):
            self.steps += 1
            done = self.steps == self.lengths
            self.steps[done] = 0
            final = {"episode": {"r": np.zeros(10)}, "success": np.arange(10) < 3}
            return np.zeros((10, 2)), np.zeros(10), done & (np.arange(10) < 3), done, {"final_info": final}

    assert evaluation(Recorder(), SameStep(), num_episodes=15)[0] == pytest.approx(7 / 15)


def test_success_once_and_at_the_end_differ_where_success_does_not_stop_the_episode(toy):
    tasks = [toy.task(0, solved_at=3, unsolved_at=7), toy.task(1, solved_at=3), toy.task(2)]
    result = evaluate(toy.still, toy.vec_env(tasks, terminate_on_success=False))
    episodes = [record.episodes[0] for record in result.tasks]
    assert [(e.success_once, e.success_end, e.length) for e in episodes] == [
        (True, False, 10),
        (True, True, 10),
        (False, False, 10),
    ]
    stopped = evaluate(toy.still, toy.vec_env(tasks, terminate_on_success=True))
    episodes = [record.episodes[0] for record in stopped.tasks]
    assert [(e.success_once, e.success_end, e.length) for e in episodes] == [
        (True, True, 3),
        (True, True, 3),
        (False, False, 10),
    ]


def test_returns_are_sums_over_the_episode(toy):
    result = evaluate(
        lambda obs: np.full((len(obs), 4), 0.5), toy.vec_env([toy.task(0), toy.task(1, solved_at=4)])
    )
    assert [record.episodes[0].episode_return for record in result.tasks] == [15.0, 6.0]


def test_the_return_that_the_environment_reports_wins_over_normalised_rewards(toy):
    envs = toy.vec_env([toy.task(0), toy.task(1, solved_at=4)], num_envs=2)
    plain_step = envs.step

    def normalising(actions, mask=None):
        obs, rewards, terminated, truncated, infos = plain_step(actions, mask)
        ended = terminated | truncated
        infos["episode"] = {"r": np.where(ended, envs.steps, 0.0), "_r": ended}
        return obs, rewards / 100, terminated, truncated, infos

    envs.step = normalising
    result = evaluate(toy.still, envs)
    assert [record.episodes[0].episode_return for record in result.tasks] == [10.0, 4.0]


def test_success_is_read_from_final_info_where_rows_reset_themselves(toy):
    envs = toy.vec_env([toy.task(0, solved_at=4), toy.task(1)], num_envs=2)
    plain_step = envs.step

    def same_step(actions, mask=None):
        obs, rewards, terminated, truncated, infos = plain_step(actions, mask)
        ended = terminated | truncated
        final = {"success": infos["success"], "_success": ended}
        return (
            obs,
            rewards,
            terminated,
            truncated,
            {
                "success": np.zeros(2),
                "_success": ~ended,
                "final_info": final,
            },
        )

    envs.step = same_step
    result = evaluate(toy.still, envs)
    assert [record.episodes[0].success_end for record in result.tasks] == [True, False]


def test_rows_keep_to_their_skills(toy):
    tasks = [toy.task(goal, skill) for skill in ("open", "close", "turn") for goal in range(3)]
    envs = toy.vec_env(tasks, num_envs=3)
    evaluate(toy.still, envs)
    assert {(row, task.env_name) for row, task in envs.resets} == {(0, "open"), (1, "close"), (2, "turn")}


def test_a_row_that_holds_several_skills_changes_as_seldom_as_it_can(toy):
    tasks = [toy.task(goal, skill) for goal in range(3) for skill in ("open", "close", "turn")]
    envs = toy.vec_env(tasks, num_envs=1, skills_apart=False)
    evaluate(toy.still, envs, episodes_per_task=2)
    skills = [task.env_name for _, task in envs.resets]
    assert sum(before != after for before, after in itertools.pairwise(skills)) == 2


def test_more_rows_than_episodes(toy):
    result = evaluate(toy.still, toy.vec_env([toy.task(0, solved_at=2)], num_envs=5))
    assert [len(record.episodes) for record in result.tasks] == [1]


def test_a_task_in_several_rows_is_evaluated_once(toy):
    envs = toy.vec_env([toy.task(0), toy.task(1)], num_envs=4)
    assert len(evaluate(toy.still, envs).tasks) == 2


def test_results_of_a_seeded_random_policy_do_not_depend_on_the_rows(toy):
    tasks = [toy.task(goal, skill, solved_at=4 + goal) for skill in ("open", "close") for goal in range(4)]

    def played(num_envs, seed=0, **keywords):
        envs = toy.vec_env(tasks, num_envs)
        return evaluate(random_policy(envs.single_action_space, seed), envs, episodes_per_task=3, **keywords)

    one = played(2)
    assert one == played(5) == played(8)
    assert one.overall == played(8).overall
    assert one.tasks != played(2, seed=1).tasks
    assert one.tasks[2:4] == played(4, tasks=tasks[2:4]).tasks
    returns = {episode.episode_return for record in one.tasks for episode in record.episodes}
    assert len(returns) == 24  # each episode has draws of its own


# --- what the policy sees ---


def test_the_policy_is_told_of_each_episode(toy):
    policy = Recorder()
    evaluate(
        policy,
        toy.vec_env([toy.task(0, solved_at=1), toy.task(7, "close", solved_at=2)]),
        episodes_per_task=2,
    )
    assert policy.begun == [(0, "open", 0, 0), (1, "close", 7, 0), (0, "open", 0, 1), (1, "close", 7, 1)]
    assert policy.resets == [[True, True], [True, False], [False, True]]


def test_observations_are_the_policys_own(toy):
    policy = Recorder()
    evaluate(policy, toy.vec_env([toy.task(3, solved_at=4)]))
    assert [obs.tolist() for obs in policy.observations] == [[[3.0, step]] for step in range(4)]
    assert policy.observations[0].dtype == np.float64


def test_progress_counts_episodes(toy):
    seen = []
    tasks = [toy.task(0, solved_at=1), toy.task(1), toy.task(2, breaks_at=3)]
    with pytest.warns(RuntimeWarning, match="1 of 3 tasks could not run"):
        evaluate(
            toy.still,
            toy.vec_env(tasks, 3),
            episodes_per_task=2,
            on_episode=lambda done, total: seen.append((done, total)),
        )
    assert seen[-1] == (6, 6)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


# --- failures ---


@pytest.mark.parametrize("num_envs", [1, 2, 5])
@pytest.mark.parametrize(
    ("breaks_at", "message"), [(0, "OSError: no world for 2"), (4, "FloatingPointError: diverged at step 4")]
)
def test_a_task_that_breaks_is_reported_and_the_others_run(toy, num_envs, breaks_at, message):
    tasks = [toy.task(goal, solved_at=6, breaks_at=breaks_at if goal == 2 else None) for goal in range(5)]
    with pytest.warns(RuntimeWarning, match=r"1 of 5 tasks could not run .* open \(task .*Result.failed"):
        result = evaluate(toy.still, toy.vec_env(tasks, num_envs), episodes_per_task=2)
    (failed,) = result.failed
    assert (failed.task, failed.error, failed.episodes) == (tasks[2], message, ())
    assert [record.error for record in result.completed] == [None] * 4
    assert [[e.length for e in record.episodes] for record in result.completed] == [[6, 6]] * 4
    assert np.isnan(failed.mean("success_end"))
    assert result.overall["success_end"].mean.value == 1.0


def test_a_broken_step_does_not_count_twice_for_the_other_rows(toy):
    # Rows before the broken one were stepped by the call that failed; their episodes must start again.
    tasks = [toy.task(goal, breaks_at=5 if goal == 1 else None) for goal in range(3)]
    policy = Recorder()
    with pytest.warns(RuntimeWarning, match="1 of 3"):
        result = evaluate(policy, toy.vec_env(tasks, 3))
    assert [e.length for record in result.completed for e in record.episodes] == [10, 10]
    assert [e.episode_return for record in result.completed for e in record.episodes] == [10.0, 10.0]
    assert policy.begun.count((0, "open", 0, 0)) == 2  # told that the episode began again


def test_where_nothing_runs_everything_is_reported(toy):
    with pytest.warns(RuntimeWarning, match="2 of 2 tasks could not run"):
        result = evaluate(toy.still, toy.vec_env([toy.task(goal, breaks_at=0) for goal in (0, 1)]))
    assert len(result.failed) == 2
    assert np.isnan(result.overall["success_end"].mean.value)


@pytest.mark.parametrize("num_envs", [1, 2])
def test_episodes_that_diverge_are_marked_and_count_like_any_other(toy, num_envs):
    tasks = [
        toy.task(0, solved_at=6, diverges_at=2),
        toy.task(1, solved_at=6),
        toy.task(2, solved_at=6, diverges_at=6),
        toy.task(3, solved_at=6),
    ]
    result = evaluate(toy.still, toy.vec_env(tasks, num_envs), episodes_per_task=2)
    assert [record.num_diverged for record in result.tasks] == [2, 0, 2, 0]
    assert {episode[:4] for record in result.tasks for episode in record.episodes} == {(6.0, 6, True, True)}
    assert result.failed == ()


def test_a_policys_own_exception_comes_out(toy):
    def broken(obs):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        evaluate(broken, toy.vec_env([toy.task(0)]))


# --- the benchmark's vector env is made here ---


def test_a_benchmark_by_name(toy, installed):
    result = evaluate(toy.still, "MT", seed=3)
    assert installed.of == [("MT", {"seed": 3})]
    assert installed.make_vec == [
        {
            "num_envs": 3,
            "split": "train",
            "terminate_on_success": True,
            "seed": 3,
            "autoreset_mode": gym.vector.AutoresetMode.DISABLED,
        }
    ]
    assert installed.envs.was_closed
    assert (result.benchmark, result.split, result.seed, result.episodes_per_task) == ("MT", "train", 3, 1)
    assert result.fingerprint.protocol == "multi-task"
    assert result.fingerprint.max_episode_steps == 10
    assert result.fingerprint.terminate_on_success is True
    assert result.fingerprint.reward_function_version == "v2"


def test_a_benchmark_with_test_tasks_is_tested(toy, installed):
    result = evaluate(toy.still, "ML")
    assert result.split == "test"
    assert [record.task["goal"] for record in result.tasks] == [5, 6]
    assert evaluate(toy.still, "ML", split="train").split == "train"


def test_settings_go_to_the_vector_env_and_the_benchmark(toy, installed):
    evaluate(
        toy.still,
        "MT",
        env_name="open",
        num_goals=7,
        num_envs=2,
        vector_strategy="async",
        max_episode_steps=50,
        terminate_on_success=False,
        reward_function_version="v1",
        use_one_hot=True,
    )
    assert installed.of == [("MT", {"env_name": "open", "num_goals": 7, "seed": 0})]
    (made,) = installed.make_vec
    assert made == made | {
        "num_envs": 2,
        "vector_strategy": "async",
        "max_episode_steps": 50,
        "terminate_on_success": False,
        "reward_function_version": "v1",
        "use_one_hot": True,
    }


def test_seed_none_is_one_from_entropy_that_the_result_names(toy, installed):
    first, second = (evaluate(toy.still, "MT", seed=None).seed for _ in range(2))
    assert first != second
    assert [keywords["seed"] for _, keywords in installed.of] == [first, second]


def test_a_benchmark_as_an_object_keeps_its_goals_whatever_the_seed(toy, installed):
    benchmark = toy.benchmark("mine", (toy.task(0, solved_at=1), toy.task(1, "close"), toy.task(2, "turn")))
    result = evaluate(toy.still, benchmark, seed=9)
    assert installed.of == [(benchmark, {})]
    assert installed.make_vec[0]["num_envs"] == 3  # no more rows than episodes
    assert result.benchmark == "mine"
    with pytest.raises(TypeError, match="num_goals can only be given with a benchmark's name"):
        evaluate(toy.still, benchmark, num_goals=3)


def test_the_vector_env_is_closed_when_the_policy_fails(toy, installed):
    with pytest.raises(TypeError):
        evaluate(lambda obs: None, "MT")
    assert installed.envs.was_closed


def test_a_subset_of_the_tasks(toy):
    tasks = [toy.task(goal) for goal in range(4)]
    result = evaluate(toy.still, toy.vec_env(tasks), tasks=[tasks[2], tasks[0], tasks[2]])
    assert [record.task for record in result.tasks] == [tasks[2], tasks[0]]
    assert result.fingerprint.tasks == evaluate(toy.still, toy.vec_env(tasks[:3:2])).fingerprint.tasks


def test_a_vector_env_is_left_as_it_was(toy):
    envs = toy.vec_env([toy.task(0)])
    evaluate(toy.still, envs)
    assert not envs.was_closed
    assert envs.toggles == []
    assert evaluate(toy.still, envs).tasks == evaluate(toy.still, envs).tasks


# --- mistakes ---


@pytest.mark.parametrize(
    ("actions", "error", "message"),
    [
        (np.zeros((1, 4)), ValueError, r"shape \(2, 4\), .*not \(1, 4\); .* row 0, open \(task"),
        (np.zeros((2, 3)), ValueError, r"shape \(2, 4\), .*not \(2, 3\); .* row 0, open \(task"),
        (
            np.array([[0, 0, 0, 0], [0, np.nan, 0, 0.0]]),
            ValueError,
            r"not finite in row 1, close \(task \w+\): \[0",
        ),
        (np.array([[0, 0, 0, 0], [0, 0, 0, np.inf]]), ValueError, r"not finite in row 1, close"),
        (np.zeros((2, 4), dtype=int), TypeError, "floating-point actions .*, not int64; .* row 0, open"),
        (
            np.zeros((2, 4), dtype=complex),
            TypeError,
            "must return numbers, not an array of complex128; .* row 0",
        ),
        (None, TypeError, "must return numbers, not NoneType"),
        ([[0.0], [0.0, 1.0]], ValueError, r"shape \(2, 4\), not rows of different lengths .* row 0, open"),
    ],
)
def test_actions_are_checked(toy, actions, error, message):
    with pytest.raises(error, match=message):
        evaluate(lambda obs: actions, toy.vec_env([toy.task(0), toy.task(1, "close")]))


@pytest.mark.parametrize(
    ("given", "taken"), [("float32", "float32"), ("float64", "float64"), ("float16", "float64")]
)
def test_actions_keep_the_precision_that_environments_take(toy, given, taken):
    envs = toy.vec_env([toy.task(0, solved_at=1)])
    plain_step, dtypes = envs.step, []

    def step(actions, mask=None):
        dtypes.append(actions.dtype)
        return plain_step(actions, mask)

    envs.step = step
    evaluate(lambda obs: np.zeros((1, 4), dtype=given), envs)
    assert dtypes == [np.dtype(taken)]


def test_actions_of_waiting_rows_are_not_checked(toy):
    envs = toy.vec_env([toy.task(0, solved_at=1), toy.task(1, "close")])

    def blind_to_ended_rows(obs):
        return np.where(obs[:, 1:] == 1, np.nan, 0.0) * np.ones(4) if obs[1, 1] > 1 else np.zeros((2, 4))

    assert len(evaluate(blind_to_ended_rows, envs).completed) == 2


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"episodes_per_task": 0}, ValueError, "episodes_per_task must be at least 1, not 0"),
        ({"episodes_per_task": 1.5}, TypeError, "episodes_per_task must be a whole number"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"split": "eval"}, ValueError, "split must be one of 'train', 'test', not 'eval'"),
        ({"split": "test"}, ValueError, "split must be 'train', the split of the environment"),
        ({"num_envs": 3, "num_goals": 5}, TypeError, "num_goals, num_envs cannot be set for an environment"),
        ({"num_envs": 0}, ValueError, "num_envs must be at least 1"),
        ({"tasks": 3}, TypeError, "tasks must be a list of tasks, or None for all of them, not 3"),
        ({"tasks": []}, ValueError, "tasks must name at least one task"),
        ({"on_episode": 3}, TypeError, "on_episode must be a function of two counts"),
        (
            {"adaptation_episodes": 3},
            TypeError,
            "adaptation_episodes can only be given for .* which needs a policy with init",
        ),
        ({"meta_batch_size": 3}, TypeError, "meta_batch_size can only be given for .* not function"),
        ({"episodes": 3}, TypeError, "unexpected keyword argument 'episodes'"),
    ],
)
def test_mistaken_arguments(toy, keywords, error, message):
    with pytest.raises(error, match=message):
        evaluate(toy.still, toy.vec_env([toy.task(0)]), **keywords)


def test_tasks_must_be_the_benchmarks(toy):
    with pytest.raises(TypeError, match=r"tasks must be a list of tasks, .* not Task\("):
        evaluate(toy.still, toy.vec_env([toy.task(0)]), tasks=toy.task(0))
    with pytest.raises(ValueError, match=r"open \(task \w+\) is not one of its 1. Check the split"):
        evaluate(toy.still, toy.vec_env([toy.task(0)]), tasks=[toy.task(0), toy.task(5)])


def test_rows_must_end_alike(toy):
    envs = toy.vec_env([toy.task(0), toy.task(1)], num_envs=2)
    envs.terminate_on_success[0] = False
    with pytest.raises(ValueError, match="terminate_on_success must be the same in all rows"):
        evaluate(toy.still, envs)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (RandomPolicy, "not the class RandomPolicy, which needs arguments: pass an instance"),
        (3, "policy must be the name of one .* a torch module, or a class or function that .*, not 3"),
        (lambda: 3, "policy must be .*, not 3"),
        (lambda obs: Recorder, "if it is a function that makes a policy, give what it makes"),
    ],
)
def test_policies_must_be_policies(toy, policy, message):
    with pytest.raises(TypeError, match=message):
        evaluate(policy, toy.vec_env([toy.task(0)]))
