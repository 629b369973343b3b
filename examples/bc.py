"""Behaviour cloning: a network learns ten skills from demonstrations alone, and never sees a reward.

    pip install "taskworlds[examples,demonstrations]"
    python examples/bc.py --seed 0

It collects 50 successes of Meta-World's scripted experts for each skill of MT10, as a Minari data set, has a network
learn the actions from the observations, and evaluates it on 20 goals of each skill that are in no demonstration. In the
folder `--out` it leaves the data set and, for each seed, loss.csv, policy.pt and result.json; and success.png of all
seeds that have run.
"""

import argparse
import csv
import os
import time
from pathlib import Path

import matplotlib
import numpy as np
import torch

import taskworlds
from taskworlds.demonstrations import collect, write_minari
from taskworlds.evaluation import Result

matplotlib.use("Agg")
from matplotlib import pyplot

TEST_SEED = 1000  # of the goals to evaluate on; those of the demonstrations are drawn with seed 0
WIDTH = 256


def demonstrations(benchmark, episodes, root, **options):
    """Returns observations and actions of the data set in `root`, which is made if it is not there yet."""
    import minari  # looks for data sets where this variable says

    os.environ["MINARI_DATASETS_PATH"] = str(root)
    name = f"bc/{benchmark}-expert-v0"
    if not (root / name).exists():
        began = time.perf_counter()
        options |= {"episodes": episodes, "only_successes": True, "use_one_hot": True}
        found = collect("expert", benchmark, **options)
        write_minari(found, name, root=root)
        print(f"{len(found.episodes)} demonstrations in {time.perf_counter() - began:.0f} s")
    # The last observation of an episode has no action.
    pairs = [(each.observations[:-1], each.actions) for each in minari.load_dataset(name)]
    return (torch.tensor(np.concatenate(parts), dtype=torch.float32) for parts in zip(*pairs, strict=True))


class Network(torch.nn.Module):
    """Actions for observations, which it centres and scales as those of the demonstrations are."""

    def __init__(self, observations, num_actions):
        super().__init__()
        self.register_buffer("mean", observations.mean(0))
        self.register_buffer("scale", observations.std(0, correction=0).clamp(min=1e-2))
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(observations.shape[1], WIDTH),
            torch.nn.ReLU(),
            torch.nn.Linear(WIDTH, WIDTH),
            torch.nn.ReLU(),
            torch.nn.Linear(WIDTH, num_actions),
            torch.nn.Tanh(),
        )

    def forward(self, observations):
        return self.layers((observations - self.mean) / self.scale)


def train(network, observations, actions, steps, seed):
    """Trains the network, and yields the mean error of each hundred steps."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    losses = []
    for step in range(1, steps + 1):
        batch = torch.randint(len(observations), (256,), generator=generator)
        loss = torch.nn.functional.mse_loss(network(observations[batch]), actions[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 100 == 0 or step == steps:
            yield step, np.mean(losses)
            losses = []


def draw(out):
    """Draws the success on each skill, of all seeds that have run."""
    results = {path.parent.name: Result.load(path) for path in sorted(out.glob("seed_*/result.json"))}
    skills = [each.env_name for each in next(iter(results.values())).skills]
    figure, axes = pyplot.subplots(figsize=(6, 3.5), layout="constrained")
    for number, (name, result) in enumerate(results.items()):
        rates = {each.env_name: each.success_once.value for each in result.skills}
        places = np.arange(len(skills)) + (number - (len(results) - 1) / 2) * 0.8 / len(results)
        axes.barh(
            places, [rates[skill] for skill in skills], 0.8 / len(results), label=name.replace("_", " ")
        )
    axes.set_yticks(range(len(skills)), skills)
    axes.set(xlabel="success on new goals", xlim=(0, 1))
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=len(results))
    figure.savefig(out / "success.png", dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the network and its training (default: 0)")
    parser.add_argument("--benchmark", default="MT10", help="benchmark or skill (default: MT10)")
    parser.add_argument("--episodes", type=int, default=50, help="demonstrations of each skill (default: 50)")
    parser.add_argument("--steps", type=int, default=20_000, help="to train for (default: 20000)")
    parser.add_argument(
        "--num-goals", type=int, default=20, help="of each skill, to evaluate on (default: 20)"
    )
    parser.add_argument("--max-episode-steps", type=int, default=500, help="(default: 500, Meta-World's)")
    parser.add_argument("--out", type=Path, default=Path("runs/bc"), help="folder for the outcome")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # for a network as small as this, more cost more than they bring
    torch.manual_seed(arguments.seed)

    out = arguments.out / f"seed_{arguments.seed}"
    out.mkdir(parents=True, exist_ok=True)
    limit = {"max_episode_steps": arguments.max_episode_steps}
    observations, actions = demonstrations(
        arguments.benchmark, arguments.episodes, arguments.out / "datasets", **limit
    )
    network = Network(observations, actions.shape[1])
    began = time.perf_counter()
    with (out / "loss.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "loss"])
        writer.writerows(train(network, observations, actions, arguments.steps, arguments.seed))
    print(f"{arguments.steps} steps on {len(actions)} pairs in {time.perf_counter() - began:.0f} s")
    torch.save(network.state_dict(), out / "policy.pt")
    goals = {"num_goals": arguments.num_goals, "seed": TEST_SEED}
    result = taskworlds.evaluate(network, arguments.benchmark, use_one_hot=True, **goals, **limit)
    print(f"cloned: {result.headline}")
    result.save(out / "result.json")
    draw(arguments.out)


if __name__ == "__main__":
    main()
