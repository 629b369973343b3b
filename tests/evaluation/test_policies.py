import functools
import hashlib
import pickle
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest

import taskworlds
from taskworlds import Task
from taskworlds.evaluation import expert_policy, load_policy, random_policy
from taskworlds.evaluation.loading import checkpoint_digest

ARM = gym.spaces.Box(-1.0, 1.0, (4,), np.float32)
ALL = np.array([True])


def infos(env_name, goal=(0.1, 0.8, 0.2)):
    return {"task_name": np.array([env_name], dtype=object), "goal": np.array([goal])}


# --- experts ---


def test_there_is_an_expert_for_every_skill():
    from metaworld.env_dict import ALL_V3_ENVIRONMENTS

    expert = expert_policy()
    obs = np.random.default_rng(0).random((len(ALL_V3_ENVIRONMENTS), 39))
    names = np.array(list(ALL_V3_ENVIRONMENTS), dtype=object)
    expert.begin_episodes(np.ones(len(names), dtype=bool), {"task_name": names, "goal": obs[:, 36:]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the experts' own warnings about clipping stay inside
        actions = expert(obs)
    assert actions.shape == (50, 4)
    assert all(action in ARM for action in actions)


def test_only_the_warning_about_clipping_stays_inside(monkeypatch):
    from metaworld.policies import ENV_POLICY_MAP

    class Outspoken:
        def get_action(self, obs):
            warnings.warn("Constant(s) may be too high. Environments clip response", stacklevel=1)
            warnings.warn("something else", stacklevel=1)
            return np.zeros(4)

    monkeypatch.setitem(ENV_POLICY_MAP, "reach-v3", Outspoken)
    expert = expert_policy()
    expert.begin_episodes(ALL, infos("reach-v3"))
    with pytest.warns() as caught:
        expert(np.ones((1, 39)))
    assert [str(warning.message) for warning in caught] == ["something else"]


def test_an_expert_acts_as_metaworlds_own_clipped():
    from metaworld.policies import SawyerReachV3Policy

    expert = expert_policy()
    expert.begin_episodes(ALL, infos("reach-v3"))
    obs = np.random.default_rng(0).random((1, 49))  # 39 numbers and a one-hot
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own = SawyerReachV3Policy().get_action(obs[0, :39])
    assert expert(obs).tolist() == [np.clip(own, -1, 1).tolist()]


def test_a_hidden_goal_is_read_from_info_and_a_visible_one_is_not():
    expert = expert_policy()
    expert.begin_episodes(ALL, infos("reach-v3", goal=(0.1, 0.0, 0.0)))
    obs = np.zeros((1, 39))
    assert expert(obs).tolist() == [[0.5, 0.0, 0.0, 0.0]]
    assert not obs.any()  # the caller's observation is not written to
    obs[0, 37] = 0.1
    assert expert(obs).tolist() == [[0.0, 0.5, 0.0, 0.0]]


def test_each_row_has_the_expert_of_its_latest_episode():
    expert = expert_policy()
    names = np.array(["reach-v3", "drawer-open-v3", "reach-v3"], dtype=object)
    both = {"task_name": names, "goal": np.full((3, 3), 0.1)}
    expert.begin_episodes(np.array([True, True, False]), both)
    actions = expert(np.zeros((3, 39)))
    assert actions[0].any()
    assert actions[1].tolist() != actions[0].tolist()
    assert not actions[2].any()
    expert.begin_episodes(np.array([False, True, False]), both | {"task_name": names[[0, 0, 0]]})
    actions = expert(np.zeros((3, 39)))
    assert actions[1].tolist() == actions[0].tolist()


def test_experts_tell_what_they_miss():
    expert = expert_policy()
    with pytest.raises(RuntimeError, match="do not know the rows' skills yet: call begin_episodes"):
        expert(np.zeros((1, 39)))
    with pytest.raises(ValueError, match="the reset's infos have no 'task_name'"):
        expert.begin_episodes(ALL, {})
    with pytest.raises(ValueError, match=r"Unknown skill 'drawer-opne-v3'. Did you mean 'drawer-open-v3'"):
        expert.begin_episodes(ALL, infos("drawer-opne-v3"))
    expert.begin_episodes(ALL, {"task_name": ["reach-v3"]})
    with pytest.raises(ValueError, match=r"The goal of reach-v3 is hidden .* no 'goal'"):
        expert(np.zeros((1, 39)))


def test_experts_can_be_pickled():
    expert = expert_policy()
    expert.begin_episodes(ALL, infos("reach-v3"))
    assert (
        pickle.loads(pickle.dumps(expert))(np.zeros((1, 39))).tolist() == expert(np.zeros((1, 39))).tolist()
    )


# --- random ---


def begin(policy, *units):
    tasks = np.empty(len(units), dtype=object)
    tasks[:] = [Task("open", {"goal": goal}) for goal, _ in units]
    numbers = np.array([number for _, number in units])
    policy.begin_episodes(np.ones(len(units), dtype=bool), {"task": tasks, "episode_index": numbers})


def test_random_actions_depend_on_seed_task_and_episode_only():
    policy = random_policy(ARM, seed=0)
    begin(policy, (0, 0), (1, 0), (0, 1))
    drawn = np.stack([policy(np.zeros((3, 39))) for _ in range(5)], axis=1)
    assert drawn.shape == (3, 5, 4)
    assert len(np.unique(drawn)) == drawn.size
    other = random_policy(ARM, seed=0)
    begin(other, (0, 1), (0, 0))
    again = np.stack([other(np.zeros((2, 39))) for _ in range(5)], axis=1)
    assert np.array_equal(again, drawn[[2, 0]])
    begin(other, (0, 0), (0, 0))
    assert np.array_equal(other(np.zeros((2, 39))), drawn[[0, 0], 0])
    third = random_policy(ARM, seed=1)
    begin(third, (0, 0))
    assert not np.array_equal(third(np.zeros((1, 39)))[0], drawn[0, 0])


def test_random_actions_lie_in_the_space_and_leave_its_generator_alone():
    space = gym.spaces.Discrete(3, seed=7)
    expected = gym.spaces.Discrete(3, seed=7).sample()
    policy = random_policy(space, seed=0)
    actions = np.concatenate([policy(np.zeros((2, 1))) for _ in range(30)])
    assert set(actions.tolist()) == {0, 1, 2}
    assert space.sample() == expected


def test_random_without_evaluate_draws_by_row():
    one, other = random_policy(ARM, seed=3), random_policy(ARM, seed=3)
    assert np.array_equal(one(np.zeros((2, 39))), other(np.zeros((5, 39)))[:2])
    assert np.array_equal(pickle.loads(pickle.dumps(one))(np.zeros((2, 39))), one(np.zeros((2, 39))))


def test_random_refuses_what_is_no_space_of_arrays():
    with pytest.raises(TypeError, match=r"must be the space of one row's actions, .* not 4: give"):
        random_policy(4, seed=0)
    with pytest.raises(TypeError, match="not Dict"):
        random_policy(gym.spaces.Dict(a=ARM), seed=0)
    with pytest.raises(ValueError, match="seed must be at least 0"):
        random_policy(ARM, seed=-1)


# --- by name ---


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "some_policies.py").write_text(
        "class Still:\n"
        "    def __call__(self, obs):\n"
        "        return 'still'\n"
        "class Agent:\n"
        "    def eval_action(self, obs):\n"
        "        return 'agent'\n"
        "class Needy:\n"
        "    def __init__(self, size):\n"
        "        self.size = size\n"
        "still = Still()\n"
        "number = 3\n"
    )
    (tmp_path / "broken_policies.py").write_text("import not_installed_anywhere\n")
    (tmp_path / "wrong.py").write_text("import some_policies\n\n\nx = 1 / 0\n")
    (tmp_path / "syntax.py").write_text("def act(obs):\n    return [\n")
    (tmp_path / "random.py").write_text(  # whose name is a module's of Python
        "import some_policies\n"
        "class Player(some_policies.Needy):\n"
        "    def predict(self, obs):\n"
        "        return self.size\n"
        "def load(checkpoint, times=1):\n"
        "    return Player(open(checkpoint).read() * times)\n"
        "def make():\n"
        "    return lambda obs: 'made'\n"
        "def say(word='nothing', /, **more):\n"
        "    return lambda obs: word\n"
        "def none(width=3):\n"
        "    pass\n"
        "class Saved(Player):\n"
        "    @classmethod\n"
        "    def load(cls, path, device='cpu'):\n"
        "        if device not in ('cpu', 'gpu'):\n"
        "            raise RuntimeError('no device. Of that name.')\n"
        "        return cls(open(path).read() + device)\n"
    )
    (tmp_path / "weights").write_text("learned")
    (tmp_path / "script.py").write_text(
        "import argparse\nargparse.ArgumentParser().parse_args(['--policy'])\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("some_policies", "broken_policies"):
        sys.modules.pop(name, None)


def test_load_policy(module):
    assert load_policy("some_policies:still")(None) == "still"
    assert load_policy("some_policies:Still")(None) == "still"
    assert load_policy("some_policies:still.__call__")(None) == "still"
    assert load_policy("some_policies:Agent").eval_action(None) == "agent"


ONE_COLON = "must be named package.module:object or file.py:object, with a Python name after one colon, not"


@pytest.mark.parametrize(
    ("reference", "given", "error", "message"),
    [
        (
            "some_policies",
            {},
            ValueError,
            "Unknown policy 'some_policies'. Give expert, random, or your own as",
        ),
        ("random.py", {}, ValueError, "Name the object in the file: random.py:object"),
        (
            "weights",
            {},
            ValueError,
            r"It is a file: .* --policy stable_baselines3:PPO --checkpoint weights, in",
        ),
        (":still", {}, ValueError, ONE_COLON),
        ("some_policies:", {}, ValueError, ONE_COLON),
        ("a:b:c", {}, ValueError, f"{ONE_COLON} 'a:b:c'"),
        ("random.py:load(3)", {}, ValueError, r"Arguments are given one by one: --policy-arg NAME=VALUE"),
        (3, {}, TypeError, "policy must be a string, .*, not 3"),
        ("no_such_thing:still", {}, ValueError, "there is no module 'no_such_thing'. Give"),
        ("no_such_thing.deep:still", {}, ValueError, "there is no module 'no_such_thing'. Give"),
        ("some_policies.deep:still", {}, ValueError, "there is no module 'some_policies.deep'"),
        ("broken_policies:still", {}, ModuleNotFoundError, "not_installed_anywhere"),
        (
            "some_policies:stil",
            {},
            ValueError,
            "Unknown object in some_policies 'stil'. Did you mean 'still'",
        ),
        ("some_policies:number", {}, TypeError, "'some_policies:number' cannot be played: .*, not 3"),
        ("random.py:none", {}, TypeError, r"not None, which none\(\) returned"),
        (
            r"C:\agents\a b.py:act",
            {},
            ValueError,
            r"names the file C:\\agents\\a b\.py, which does not exist",
        ),
        ("./no_such_file.py:still", {}, ValueError, "names the file ./no_such_file.py, which does not exist"),
        (
            "wrong.py:x",
            {},
            ValueError,
            "could not be loaded: ZeroDivisionError in wrong.py, line 4: division by",
        ),
        ("./syntax.py:act", {}, ValueError, "could not be loaded: SyntaxError in ./syntax.py, line"),
        ("script.py:act", {}, ValueError, "could not be loaded: SystemExit in script.py, line 2: 2"),
        ("random.py:loud", {}, ValueError, "Unknown object in random.py 'loud'. Did you mean 'load'"),
        # arguments
        ("expert", {"width": 3}, TypeError, "policy 'expert' takes no checkpoint and no arguments"),
        (
            "some_policies:Needy",
            {},
            TypeError,
            r"Needy\(size\) is missing a required argument: 'size'. .*-arg NAME",
        ),
        (
            "some_policies:Needy",
            {"siz": 3},
            TypeError,
            r"'siz' \(did you mean 'size'\?\).* It is Needy\(size\)",
        ),
        (
            "some_policies:number",
            {"size": 3},
            TypeError,
            "takes no arguments: it is 3, not a function or a class",
        ),
        ("random.py:Saved", {}, TypeError, r"Saved\(size\) is missing .* a saved one with --checkpoint PATH"),
        # checkpoints
        ("random", {"checkpoint": "weights"}, TypeError, "policy 'random' takes no checkpoint"),
        (
            "random.py:load",
            {},
            TypeError,
            r"needs a checkpoint: give --checkpoint PATH on the command line",
        ),
        ("random.py:load", {"checkpoint": "weigh"}, ValueError, "file or a folder that exists, not weigh.$"),
        ("random.py:load", {"checkpoint": "random"}, ValueError, r"not random. Did you mean random\.py\?"),
        (
            "random.py:load",
            {"checkpoint": "weights", "time": 2},
            TypeError,
            r"'time' \(did you mean 'times'\?\)",
        ),
        (
            "random.py:Saved",
            {"checkpoint": "."},
            ValueError,
            r"\. could not be loaded by random.py:Saved.load: IsAD",
        ),
        (
            "random.py:Saved",
            {"checkpoint": "weights", "device": "tpu"},
            ValueError,
            r"weights could not be loaded by random.py:Saved.load: RuntimeError: no device .random\.py, line 1\d.\. It",
        ),
        (
            "random.py:make",
            {"checkpoint": "weights"},
            TypeError,
            "make' made <function .* a class method `load`",
        ),
        (
            "some_policies:number",
            {"checkpoint": "weights"},
            TypeError,
            "number' is 3. What can load a checkpoint: a class with",
        ),
    ],
)
def test_load_policy_tells_what_is_wrong(module, tmp_path, monkeypatch, reference, given, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        load_policy(reference, **given)


def test_policies_of_a_file(module, tmp_path, monkeypatch):
    file = tmp_path / "random.py"
    import_path = list(sys.path)
    assert load_policy(f"{file}:make")(None) == "made"
    assert load_policy(f"{file}:say")(None) == "nothing"
    assert load_policy(f"{file}:Player", size=3)(None) == 3
    assert sys.modules["random"].__file__ != str(file)
    assert sys.path == import_path  # the fixture had put the folder there
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "in here").mkdir()
    (tmp_path / "in here" / "my agent.py").write_text(file.read_text())
    assert load_policy("~/in here/my agent.py:make")(None) == "made"
    monkeypatch.chdir(tmp_path)
    assert load_policy("random.py:make")(None) == "made"


def test_checkpoints(module, tmp_path, monkeypatch):
    file, weights = tmp_path / "random.py", tmp_path / "weights"
    assert load_policy(f"{file}:load", checkpoint=weights, times=2)(None) == "learnedlearned"
    assert load_policy(f"{file}:Saved", checkpoint=weights, device="gpu")(None) == "learnedgpu"
    monkeypatch.chdir(tmp_path)
    assert load_policy("random.py:Saved", checkpoint="weights")(None) == "learnedcpu"


def test_the_digest_of_a_checkpoint_is_of_its_bytes(tmp_path):
    def folder(name, **files):
        (tmp_path / name / "deep").mkdir(parents=True)
        for each, text in files.items():
            (tmp_path / name / "deep" / each).write_text(text)
        return tmp_path / name

    file = tmp_path / "weights"
    file.write_bytes(b"learned")
    assert checkpoint_digest(file) == hashlib.sha256(b"learned").hexdigest()
    one = checkpoint_digest(folder("a", policy="1", more="2"))
    assert one == checkpoint_digest(folder("b", more="2", policy="1"))
    assert one != checkpoint_digest(folder("c", more="1", policy="2"))


# --- what people have ---------------------------------------------------------------------------------------


def test_names_classes_and_factories_are_policies():
    class Still:
        def __call__(self, obs):
            return np.zeros((len(obs), 4))

    played = [
        taskworlds.evaluate(policy, "reach-v3", num_goals=2, max_episode_steps=3)
        for policy in (Still(), Still, lambda: Still(), lambda: Still, functools.partial(Still))
    ]
    assert all(each == played[0] for each in played)
    expert, random = (
        taskworlds.evaluate(name, "reach-v3", num_goals=2, max_episode_steps=3)
        for name in ("expert", "random")
    )
    assert expert == taskworlds.evaluate(expert_policy(), "reach-v3", num_goals=2, max_episode_steps=3)
    assert random == taskworlds.evaluate(
        random_policy(taskworlds.make("reach-v3").action_space, 0),
        "reach-v3",
        num_goals=2,
        max_episode_steps=3,
    )
    with pytest.raises(ValueError, match="There is no scripted expert for point: give 'random'"):
        taskworlds.evaluate("expert", "point", num_goals=1)
    with pytest.raises(ValueError, match=r"Unknown policy 'expret'\. Did you mean 'expert'"):
        taskworlds.evaluate("expret", "reach-v3")


def test_models_are_asked_as_stable_baselines_does():
    asked = []

    class Model:
        def predict(self, observation, state=None, episode_start=None, deterministic=False):
            asked.append((state, episode_start.tolist(), deterministic))
            return np.zeros((len(observation), 2), np.float32), len(asked)

    taskworlds.evaluate(Model(), "point", num_goals=2, num_envs=2, max_episode_steps=2, split="train")
    assert asked == [(None, [True, True], True), (1, [False, False], True)]

    class Plain:
        def predict(self, observation):
            return np.zeros((len(observation), 2), np.float32)

    assert taskworlds.evaluate(Plain(), "point", num_goals=1, max_episode_steps=2, split="train").completed
