"""The same PPO with the same seed, on official Meta-World and on taskworlds: one curve, and the time that each takes.

    python examples/same_curve.py --skill reach-v3 --steps 200000 --out runs/same_curve

Ten rows of a skill are stepped by Gymnasium's SyncVectorEnv over the official environments, and by the native engine.
Goals, physics, observations and rewards are the same numbers, so the policy takes the same actions and learns the same.
PPO is that of ppo_mt10.py. Nothing but the name before the slash tells the two batches apart.
"""

import argparse
import time
from pathlib import Path

import gymnasium as gym
import matplotlib.pyplot as plt
import metaworld  # noqa: F401  # registers its environments
import numpy as np
import torch
from ppo_mt10 import LEARNING_RATE, Agent, collect, learn

import taskworlds  # noqa: F401  # registers its environments

ROWS = 10


def train(package, strategy, args):
    """Returns the agent, a line for each episode (steps and seconds so far, return), and the seconds of stepping."""
    torch.manual_seed(args.seed)
    options = {"envs_list": [args.skill] * ROWS, "max_episode_steps": args.length, "seed": args.seed}
    envs = gym.make_vec(f"{package}/custom-mt-envs", vector_strategy=strategy, **options)
    envs = gym.wrappers.vector.NormalizeReward(envs)
    obs = torch.from_numpy(envs.reset(seed=args.seed)[0]).float()
    agent = Agent(envs)
    optimizer = torch.optim.Adam(agent.parameters(), LEARNING_RATE, eps=1e-5)
    lines, stepping, begun = [], 0.0, time.perf_counter()
    for steps in range(args.length * ROWS, args.steps + 1, args.length * ROWS):
        since = time.perf_counter()
        rollout, obs, episodes = collect(envs, agent, obs, args.length)
        stepping += time.perf_counter() - since
        learn(agent, optimizer, rollout)
        lines += [(steps, time.perf_counter() - begun, each) for each, _ in episodes]
    envs.close()
    return agent, np.array(lines), stepping


def main():
    parser = argparse.ArgumentParser(description="the same PPO on official Meta-World and on taskworlds")
    parser.add_argument("--skill", default="reach-v3")
    parser.add_argument("--steps", type=int, default=200_000, help="of all rows together")
    parser.add_argument(
        "--length", type=int, default=500, help="of an episode, after which there is an update"
    )
    parser.add_argument("--seed", type=int, default=1, help="from 1 on: Meta-World takes 0 for none here")
    parser.add_argument("--out", type=Path, default=Path("runs/same_curve"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)

    names = {"Meta-World": "sync", "taskworlds": "native"}
    runs = {name: train(name, strategy, args) for name, strategy in names.items()}
    (their_agent, theirs, _), (our_agent, ours, _) = runs.values()
    both = zip(their_agent.parameters(), our_agent.parameters(), strict=True)
    print("                steps  seconds  of stepping  steps/s  return of the first and last ten episodes")
    for name, (_, lines, stepping) in runs.items():
        steps, seconds, returns = lines[-1, 0], lines[-1, 1], lines[:, 2]
        first, last = returns[:ROWS].mean(), returns[-ROWS:].mean()
        print(
            f"{name:11}{steps:10,.0f}{seconds:9.1f}{stepping:13.1f}{steps / seconds:9.0f}{first:10.1f}{last:10.1f}"
        )
    print(
        f"{len(ours)} episodes; the largest difference of two returns is {np.abs(theirs - ours)[:, 2].max():.1e}"
    )
    print(f"all weights equal, bit for bit: {all(torch.equal(*pair) for pair in both)}")

    header = "steps,seconds_metaworld,seconds_taskworlds,return_metaworld,return_taskworlds"
    table = np.column_stack([theirs, ours])[:, [0, 1, 4, 2, 5]]
    np.savetxt(args.out / "curve.csv", table, "%.17g", ",", header=header, comments="")
    figure, (over_steps, over_seconds) = plt.subplots(
        1, 2, figsize=(9, 3.2), sharey=True, layout="constrained"
    )
    for (name, (_, lines, _)), style in zip(runs.items(), ("-", "--"), strict=True):
        steps, seconds, returns = lines.reshape(-1, ROWS, 3).mean(axis=1).T
        over_steps.plot(steps, returns, style, label=name)
        over_seconds.plot(seconds, returns, style, label=name)
    over_steps.set(xlabel="steps", ylabel=f"return in {args.skill}")
    over_seconds.set(xlabel="seconds")
    over_seconds.legend()
    figure.savefig(args.out / "curve.png", dpi=80)


if __name__ == "__main__":
    main()
