"""Policies that people have, with the real libraries: torch modules, models of Stable-Baselines3, docs/policies.md."""

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

import taskworlds
from taskworlds.cli import main
from taskworlds.evaluation import load_policy
from taskworlds.evaluation.policies import as_array

torch = pytest.importorskip("torch")

PAGE = Path(__file__).parents[2] / "docs" / "policies.md"

AGENT = """
import torch

def make(width=8):
    return torch.nn.Sequential(torch.nn.Linear(39, width), torch.nn.Linear(width, 4), torch.nn.Tanh())

class Network(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layer = torch.nn.Linear(39, size)
        self.register_buffer("scale", torch.ones(2))
    def forward(self, obs):
        return self.layer(obs)

made = make()
"""


def played(policy, **keywords):
    return taskworlds.evaluate(policy, "reach-v3", num_goals=2, num_envs=2, max_episode_steps=3, **keywords)


# --- torch modules ------------------------------------------------------------------------------------------


def test_tensors_are_actions():
    net = torch.nn.Linear(39, 4)

    def plain(obs):
        with torch.no_grad():
            return net(torch.as_tensor(obs, dtype=torch.float32)).numpy()

    expected = played(plain)
    assert played(lambda obs: net(torch.as_tensor(obs, dtype=torch.float32))) == expected  # with a gradient
    assert played(lambda obs: [*net(torch.as_tensor(obs, dtype=torch.float32))]) == expected
    assert as_array(torch.ones(2, dtype=torch.bfloat16, requires_grad=True)).tolist() == [1.0, 1.0]


def test_modules_are_played_in_evaluation_mode_and_left_as_they_were():
    seen = []

    class Net(torch.nn.Sequential):
        def forward(self, obs):
            seen.append((obs.dtype, self.training, self[1].training, torch.is_grad_enabled()))
            return super().forward(obs)

    net = Net(torch.nn.Linear(39, 4), torch.nn.Dropout(0.5), torch.nn.BatchNorm1d(4))
    net[2].eval()  # frozen, while the rest learns
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert played(net) == played(torch.nn.Sequential(*net).eval())
    assert set(seen) == {(torch.float32, False, False, False)}
    net.eval()
    net.train()
    net[2].eval()
    assert played(net).completed
    assert [each.training for each in (net, *net)] == [True, True, True, False]
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_modules_of_any_dtype(dtype):
    assert played(torch.nn.Linear(39, 4).to(dtype)).completed


def test_modules_without_parameters_and_with_buffers_alone():
    class Fixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("weight", torch.zeros(39, 4, dtype=torch.float64))

        def forward(self, obs):
            return obs @ self.weight

    class Cut(torch.nn.Module):
        def forward(self, obs):
            return obs[:, :4].clip(-1, 1)

    assert played(Fixed()).completed
    assert played(Cut()).completed


def test_modules_that_remember_are_told_whose_episodes_begin():
    class Counting(torch.nn.Module):
        """Moves by a tenth of the number of steps since its row's episode began."""

        def reset(self, env_mask):
            self.steps = getattr(self, "steps", np.zeros(len(env_mask)))
            self.steps[env_mask] = 0

        def begin_episodes(self, mask, infos):
            self.names = infos["task_name"]

        def forward(self, obs):
            self.steps += 1
            return torch.as_tensor(self.steps[:, None] * [0.1, 0.0, 0.0, 0.0])

    class Reference:
        def __init__(self, module):
            self.reset, self.eval_action = module.reset, module.forward

    module = Counting()
    how = {"num_goals": 5, "num_envs": 2, "max_episode_steps": 4}
    result = taskworlds.evaluate(module, "reach-v3", **how)
    assert "reach-v3" in module.names
    assert result.tasks == taskworlds.evaluate(Reference(Counting()), "reach-v3", **how).tasks
    assert module.steps.min() == 4  # the other row had no goal left, and went on


def test_modules_for_numbers_of_states_and_actions():
    class Table(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scores = torch.nn.Embedding(16, 4)

        def forward(self, state):
            return self.scores(state).argmax(-1)

    assert taskworlds.evaluate(Table(), "grid-4x4", max_episode_steps=5).completed
    with pytest.raises(
        ValueError, match=r"actions of shape \(1,\), .*, not \(1, 4\).*return their argmax\(-1\)"
    ):
        taskworlds.evaluate(Table().scores, "grid-4x4", max_episode_steps=5)


def test_modules_that_do_not_act():
    class Agent(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.actor, self.critic = torch.nn.Linear(39, 4), torch.nn.Linear(39, 1)

    with pytest.raises(
        TypeError, match=r"Agent is a torch module without forward\. Give .* \(actor, critic\)"
    ):
        played(Agent())
    assert played(Agent().actor).completed
    with pytest.raises(TypeError, match="must return numbers, not Normal"):
        played(lambda obs: torch.distributions.Normal(torch.as_tensor(obs[:, :4]), 1.0))
    with pytest.raises(TypeError, match=r"shape \(2, 4\), not a tuple of 3: return the actions alone"):
        played(lambda obs: (torch.zeros(2, 4), torch.zeros(1, 2, 8), {}))
    with pytest.raises(ValueError, match=r"not finite in row 0, reach-v3"):
        played(lambda obs: torch.full((2, 4), torch.nan))


# --- checkpoints --------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "agent.py").write_text(AGENT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_a_state_dict_fills_what_is_made(folder):
    net = torch.nn.Sequential(torch.nn.Linear(39, 5), torch.nn.Linear(5, 4), torch.nn.Tanh())
    torch.save(net.state_dict(), "net.pt")
    assert played(load_policy("agent.py:make", checkpoint="net.pt", width=5)) == played(net)
    layer = torch.nn.Linear(39, 4)
    state = {f"layer.{name}": value for name, value in layer.state_dict().items()}
    torch.save({**state, "scale": torch.zeros(2)}, "network.pt")
    assert played(load_policy("agent.py:Network", checkpoint="network.pt", size=4)) == played(layer)
    torch.save(load_policy("agent.py:make")._module.state_dict(), "made.pt")
    assert played(load_policy("agent.py:made", checkpoint="made.pt")).completed


def test_safetensors(folder):
    safetensors = pytest.importorskip("safetensors.torch")
    net = torch.nn.Sequential(torch.nn.Linear(39, 8), torch.nn.Linear(8, 4), torch.nn.Tanh())
    safetensors.save_file(net.state_dict(), "net.safetensors")
    assert played(load_policy("agent.py:make", checkpoint="net.safetensors")) == played(net)


class Malice:
    """Unpickling it is a failure."""

    def __reduce__(self):
        return pytest.fail, ("it was unpickled",)


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        (
            {"0.weight": torch.ones(4, 39)},
            r"it has no 0\.bias, 1\.weight, 1\.bias; 0\.weight is \(4, 39\) in the checkpoint and",
        ),
        (
            {"model": {}, "epoch": 3},
            r"it has no 0\.weight, 0\.bias, 1\.weight and 1 more; it has model, epoch, which",
        ),
        ([1, 2], r"does not fit .* it holds \[1, 2\], not a state dict"),
        ({"weights": Malice()}, "it also holds other objects, and nothing is unpickled here. Write it with"),
        (torch.nn.Linear(39, 4), "it also holds other objects, and nothing is unpickled here. Write it with"),
        (b"", r"is damaged or of another kind \(EOFError\)"),
        (b"PK\x03\x04 cut off", "is damaged or of another kind .RuntimeError: "),
        (None, r"must be a file .* 'agent.py:make', but net.pt is a folder\. It holds a, b, c and 1 more\."),
    ],
)
def test_state_dicts_that_do_not_fit(folder, saved, message):
    if saved is None:
        for name in "abcd":
            (folder / "net.pt" / name).mkdir(parents=True)
    elif isinstance(saved, bytes):
        (folder / "net.pt").write_bytes(saved)
    else:
        torch.save(saved, "net.pt")
    with pytest.raises(ValueError, match=message):
        load_policy("agent.py:make", checkpoint="net.pt")


def test_models_of_stable_baselines3_are_loaded_by_their_class(folder):
    sb3 = pytest.importorskip("stable_baselines3")
    env = taskworlds.make("reach-v3")
    model = sb3.PPO("MlpPolicy", env, n_steps=2, batch_size=2, seed=1, device="cpu")
    model.save("model.zip")
    expected = played(lambda obs: model.predict(obs, deterministic=True)[0])
    assert played(model) == expected
    assert played(load_policy("stable_baselines3:PPO", checkpoint="model.zip", device="cpu")) == expected
    with pytest.raises(ValueError, match=r"model\.zip could not be loaded by stable_baselines3:SAC.load: "):
        load_policy("stable_baselines3:SAC", checkpoint="model.zip")
    (folder / "cut.zip").write_bytes((folder / "model.zip").read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"cut\.zip could not be loaded by stable_baselines3:PPO.load: "):
        load_policy("stable_baselines3:PPO", checkpoint="cut.zip")
    with pytest.raises(
        TypeError, match=r"PPO\(policy, env, .*, \.\.\.\) is missing .* with --checkpoint PATH"
    ):
        load_policy("stable_baselines3:PPO")


# --- the page -----------------------------------------------------------------------------------------------


def test_the_page_runs_as_written(folder, capsys, monkeypatch):
    """Files are those blocks of Python that begin with a file's name."""
    pytest.importorskip("stable_baselines3")
    monkeypatch.syspath_prepend(folder)
    blocks = re.findall(r"```(python|sh)\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    names = {"__name__": "__main__"}
    commands = 0
    for language, text in blocks:
        if file := re.match(r"# (\w+\.py)\n", text):
            (folder / file[1]).write_text(text)
        elif language == "python":
            exec(compile(text, str(PAGE), "exec"), names)
        else:
            for line in text.splitlines():
                program, *arguments = shlex.split(line)
                assert program == "taskworlds"
                with pytest.raises(SystemExit) as stop:
                    main(arguments)
                assert stop.value.code == 0, capsys.readouterr().err
                commands += 1
    assert commands == 4
    assert all(np.isfinite(names["result"].scores("episode_return")))
