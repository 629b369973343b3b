r"""PPO of Stable-Baselines3 learns to reach any goal: reach-v3 of Meta-World, through one batch of ten rows.

    pip install "taskworlds[examples]"
    python examples/sb3_ppo_reach.py --seed 0

It trains on the 50 goals of MT1, and is then evaluated on 20 goals that it has never seen. In the folder `--out` it
leaves, for each seed, progress.csv (what SB3's logger writes), model.zip and result.json; and curve.png of all seeds
that have run. The model goes to the command line as well:

    taskworlds evaluate reach-v3 --num-goals 20 --seed 1000 \
        --policy stable_baselines3:PPO --checkpoint runs/.../model.zip
"""

import argparse
import csv
import time
from pathlib import Path

import matplotlib
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.logger import configure

import taskworlds
from taskworlds.integrations.sb3 import make_vec_env

matplotlib.use("Agg")
from matplotlib import pyplot

TEST_SEED = 1000  # of the goals to evaluate on; those to train on are drawn with seed 0


def train(seed, steps, rollout, out, **options):
    """Trains a model; returns it and the seconds that it took."""
    # PPO learns from rewards of about 1; the returns that are logged are Meta-World's all the same.
    envs = make_vec_env("reach-v3", n_envs=10, reward_normalization_method="gymnasium", **options)
    settings = {
        "n_steps": rollout,
        "batch_size": rollout,
        "n_epochs": 10,
        "learning_rate": lambda left: 1e-3 * left,  # of the run, from 1 to 0
        "gamma": 0.99,
    }
    model = PPO("MlpPolicy", envs, device="cpu", seed=seed, **settings)
    model.set_logger(configure(str(out), ["csv"]))
    began = time.perf_counter()
    model.learn(steps)
    seconds = time.perf_counter() - began
    envs.close()
    model.save(out / "model.zip")
    return model, seconds


def evaluate(policy, num_goals, **options):
    """Evaluates on goals that were not trained on."""
    return taskworlds.evaluate(policy, "reach-v3", num_goals=num_goals, seed=TEST_SEED, **options)


def read(path):
    """Reads the steps and the success rates of SB3's progress.csv; it has no rate before the first episodes end."""
    with path.open() as file:
        rows = [row for row in csv.DictReader(file) if row["rollout/success_rate"]]
    return [int(row["time/total_timesteps"]) for row in rows], [
        float(row["rollout/success_rate"]) for row in rows
    ]


def draw(out):
    """Draws the success rates of all seeds that have run."""
    figure, axes = pyplot.subplots(figsize=(6, 3.5), layout="constrained")
    for path in sorted(out.glob("seed_*/progress.csv")):
        axes.plot(*read(path), label=path.parent.name.replace("_", " "))
    axes.set(xlabel="steps", ylabel="success, last 100 train episodes", ylim=(-0.02, 1.02))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(out / "curve.png", dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the policy and of the episodes (default: 0)")
    parser.add_argument("--steps", type=int, default=500_000, help="to train for (default: 500000)")
    parser.add_argument(
        "--rollout", type=int, default=500, help="steps of a row between updates (default: 500)"
    )
    parser.add_argument("--num-goals", type=int, default=20, help="to evaluate on (default: 20)")
    parser.add_argument("--max-episode-steps", type=int, default=500, help="(default: 500, Meta-World's)")
    parser.add_argument("--out", type=Path, default=Path("runs/sb3_ppo_reach"), help="folder for the outcome")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # for networks as small as these, more cost more than they bring

    out = arguments.out / f"seed_{arguments.seed}"
    limit = {"max_episode_steps": arguments.max_episode_steps}
    model, seconds = train(arguments.seed, arguments.steps, arguments.rollout, out, **limit)
    print(f"{model.num_timesteps} steps in {seconds:.0f} s, {model.num_timesteps / seconds:.0f} steps/s")
    for name, policy in (("random", "random"), ("PPO", model)):
        result = evaluate(policy, arguments.num_goals, **limit)
        print(f"{name}: {result.headline}")
    result.save(out / "result.json")
    draw(arguments.out)


if __name__ == "__main__":
    main()
