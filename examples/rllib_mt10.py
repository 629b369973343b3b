"""RLlib's PPO learns the ten skills of MT10 with one policy, which a one-hot tells the skill.

    pip install "taskworlds[rllib]" matplotlib
    python examples/rllib_mt10.py --out runs/rllib_mt10

Each of RLlib's env runners is a process that steps one batch of ours. Rewards are divided by the running deviation of
their sum, since skills pay differently, and observations are normalised by a connector of RLlib's. Both are for
training alone: `evaluate` plays the algorithm with its connectors, and counts Meta-World's own rewards and success.

The folder `--out` gets curve.csv, curve.png, result.json, and a checkpoint, which the command line evaluates, too:

    taskworlds evaluate MT10 --one-hot --policy taskworlds.integrations.rllib:load --checkpoint OUT/checkpoint
"""

import argparse
import csv
import math
import time
from pathlib import Path

import matplotlib
import ray
import torch
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.connectors.env_to_module import MeanStdFilter
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig

import taskworlds
from taskworlds.integrations.rllib import configure

matplotlib.use("Agg")
from matplotlib import pyplot


def algorithm(seed, runners, rows, batch, limit):
    config = configure(
        PPOConfig(),
        "MT10",
        num_envs=rows,
        use_one_hot=True,
        max_episode_steps=limit,
        reward_normalization_method="gymnasium",
    )
    config.env_runners(
        num_env_runners=runners, env_to_module_connector=lambda env, spaces, device: MeanStdFilter()
    )
    config.rl_module(
        model_config=DefaultModelConfig(fcnet_hiddens=[256, 256], vf_share_layers=False, free_log_std=True)
    )
    config.training(
        lr=3e-4,
        gamma=0.99,
        lambda_=0.95,
        use_kl_loss=False,
        clip_param=0.2,
        vf_clip_param=float("inf"),
        vf_loss_coeff=0.5,
        entropy_coeff=1e-3,
        grad_clip=0.5,
        train_batch_size_per_learner=batch,
        minibatch_size=batch // 20,
        num_epochs=10,
    )
    config.reporting(metrics_num_episodes_for_smoothing=200)  # 20 of each skill
    return config.debugging(seed=seed, log_level="ERROR").build_algo()


def train(algo, steps):
    """Yields, after each iteration, the steps so far, the seconds, and the share of success of each skill."""
    began, done = time.perf_counter(), 0
    while done < steps:
        results = algo.train()["env_runners"]
        done = int(results["num_env_steps_sampled_lifetime"])
        shares = results.get("success_rate_of", {})  # NaN where no episode ended in this iteration
        yield done, time.perf_counter() - began, {skill: float(share) for skill, share in shares.items()}


def draw(path, skills, curve):
    figure, axes = pyplot.subplots(figsize=(7, 3.6), layout="constrained")
    for skill in skills:
        known = [(row["steps"], row[skill]) for row in curve if not math.isnan(row[skill])]
        axes.plot(*zip(*known, strict=True), label=skill)
    axes.xaxis.set_major_locator(pyplot.MaxNLocator(5))
    axes.set(xlabel="steps", ylabel="success, latest train episodes", ylim=(-0.02, 1.02))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize="small")
    figure.savefig(path, dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the policy and of the episodes (default: 0)")
    parser.add_argument("--steps", type=int, default=400_000, help="to train for (default: 400000)")
    parser.add_argument(
        "--runners", type=int, default=2, help="processes that step environments (default: 2)"
    )
    parser.add_argument("--rows", type=int, default=50, help="environments of each of them (default: 50)")
    parser.add_argument(
        "--batch", type=int, default=10_000, help="steps between two updates (default: 10000)"
    )
    parser.add_argument("--max-episode-steps", type=int, default=200, help="while training (default: 200)")
    parser.add_argument(
        "--num-goals", type=int, default=10, help="of each skill, to evaluate on (default: 10)"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/rllib_mt10"), help="folder for the outcome")
    arguments = parser.parse_args()
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    skills = taskworlds.benchmark("MT10").env_names("train")

    ray.init(num_cpus=arguments.runners, include_dashboard=False, log_to_driver=False)
    torch.set_num_threads(1)  # for networks as small as these, more cost more than they bring
    algo = algorithm(
        arguments.seed, arguments.runners, arguments.rows, arguments.batch, arguments.max_episode_steps
    )
    curve = []
    with (out / "curve.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ("steps", "seconds", *skills))
        writer.writeheader()
        for steps, seconds, success in train(algo, arguments.steps):
            curve.append(
                {"steps": steps, "seconds": round(seconds, 1)}
                | {skill: round(success.get(skill, math.nan), 3) for skill in skills}
            )
            writer.writerow(curve[-1])
            file.flush()
            known = [share for share in success.values() if not math.isnan(share)]
            mean = f"  success {sum(known) / len(known):.2f}" if known else ""
            print(f"{steps:9,} steps  {seconds:5.0f} s{mean}", flush=True)
    draw(out / "curve.png", skills, curve)
    algo.save_to_path(str((out / "checkpoint").resolve()))

    tasks = taskworlds.benchmark("MT10", num_goals=arguments.num_goals)
    result = taskworlds.evaluate(algo, tasks, use_one_hot=True)  # in episodes of Meta-World's 500 steps
    result.save(out / "result.json")
    print(result.to_csv("skill"), result.headline, sep="\n")
    algo.stop()
    ray.shutdown()


if __name__ == "__main__":
    main()
