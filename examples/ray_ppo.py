"""PPO on reach-v3 whose rollouts come from workers that Ray runs, on this machine or on a cluster.

    pip install "taskworlds[ray,examples]"
    python examples/ray_ppo.py --workers 2
    python examples/ray_ppo.py --workers 2 --kill 20 --out runs/killed

The policy acts where the rows are; the learner sends weights, and gets arrays. `--kill 20` ends a worker's process in
the 20th rollout. It is started again where that rollout began, so the curve is the same to the last digit.
"""

import argparse
import os
import signal
import threading
import time
from pathlib import Path

import matplotlib
import numpy as np
import torch
from torch import nn

import taskworlds
from taskworlds.distributed import RaySampler

matplotlib.use("Agg")
from matplotlib import pyplot

EPOCHS, MINIBATCH, LEARNING_RATE, CLIP = 10, 500, 1e-3, 0.2
DISCOUNT, GAE_LAMBDA = 0.99, 0.95
TEST_SEED = 1000  # of the goals to evaluate on; those to train on are drawn with seed 0


class Agent(nn.Module):
    """A Gaussian policy and a value, for observations (N, 39) float64: in each worker, and in the learner."""

    def __init__(self):
        super().__init__()
        self.policy, self.value = (
            nn.Sequential(nn.Linear(39, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, size))
            for size in (4, 1)
        )
        nn.init.orthogonal_(self.policy[-1].weight, 0.01)
        self.log_std = nn.Parameter(torch.zeros(4))

    def forward(self, obs):
        """Returns the means of actions, (..., 4): what is played when it is evaluated."""
        return self.policy(obs.float())

    def distribution(self, obs):
        return torch.distributions.Independent(torch.distributions.Normal(self(obs), self.log_std.exp()), 1)

    @torch.no_grad()
    def sample_actions(self, obs, generators):
        """Acts in a worker: each row's noise comes from its own generator."""
        distribution = self.distribution(torch.from_numpy(obs))
        noise = torch.from_numpy(generators.standard_normal(4)).float()
        actions = distribution.mean + self.log_std.exp() * noise
        return actions, {"log_probs": distribution.log_prob(actions)}

    def set_weights(self, arrays):
        with torch.no_grad():
            for parameter, array in zip(self.parameters(), arrays, strict=True):
                parameter.copy_(torch.tensor(array))


def learn(agent, optimizer, rollout, generator):
    """PPO (Schulman et al. 2017). Of an episode that was cut off, the value of what it reached counts."""
    ended, following = torch.from_numpy(rollout.ended), torch.from_numpy(rollout.next_observations())
    batch = rollout.to_torch()
    with torch.no_grad():
        values, reached = (agent.value(obs.float()).squeeze(-1) for obs in (batch.observations, following))
        advantages = batch.rewards.float() + DISCOUNT * ~batch.terminations * reached - values
        for step in reversed(range(rollout.steps - 1)):
            advantages[step] += DISCOUNT * GAE_LAMBDA * ~ended[step] * advantages[step + 1]
    more = {"advantages": advantages, "returns": advantages + values}
    for part in batch.minibatches(MINIBATCH, generator=generator, epochs=EPOCHS, **more):
        advantage = part["advantages"]
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        ratio = (agent.distribution(part["observations"]).log_prob(part["actions"]) - part["log_probs"]).exp()
        gain = torch.minimum(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage).mean()
        error = (agent.value(part["observations"].float()).squeeze(-1) - part["returns"]).square().mean()
        optimizer.zero_grad()
        (0.5 * error - gain).backward()
        nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
        optimizer.step()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2, help="processes that step the rows (default: 2)")
    parser.add_argument("--address", help="of a Ray cluster, host:port; the default is this machine alone")
    parser.add_argument("--rows", type=int, default=20, help="of all workers together (default: 20)")
    parser.add_argument(
        "--rollout", type=int, default=250, help="steps of a row between updates (default: 250)"
    )
    parser.add_argument("--steps", type=int, default=500_000, help="to train for (default: 500000)")
    parser.add_argument("--seed", type=int, default=0, help="(default: 0)")
    parser.add_argument("--kill", type=int, help="end a worker's process in this rollout, counted from 1")
    parser.add_argument("--out", type=Path, default=Path("runs/ray_ppo"), help="folder for curve and result")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(given.seed)
    torch.set_num_threads(1)  # the networks are small, and the workers want the other processors
    agent, generator = Agent(), np.random.default_rng(given.seed)
    optimizer = torch.optim.Adam(agent.parameters(), LEARNING_RATE, eps=1e-5)
    iterations, curve, began = max(1, given.steps // (given.rollout * given.rows)), [], time.perf_counter()
    how = {"seed": given.seed, "address": given.address, "reward_normalization_method": "gymnasium"}
    how |= {"policy_batch_size": 10}  # rows of one call of the policy, and the fewest that a worker has
    with RaySampler("reach-v3", given.rows, given.workers, policy=Agent, **how) as sampler:
        for iteration in range(1, iterations + 1):
            optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - (iteration - 1) / iterations)
            sampler.set_weights(list(agent.parameters()))
            if iteration == given.kill:
                threading.Timer(0.1, os.kill, (sampler.places[-1].pid, signal.SIGKILL)).start()
            rollout = sampler.rollout(given.rollout)
            learn(agent, optimizer, rollout, generator)
            success = rollout.infos["success"][rollout.ended].mean() if rollout.ended.any() else np.nan
            steps = iteration * given.rollout * given.rows
            curve.append((steps, success, rollout.rewards.mean()))
            print(
                f"{steps:8,} steps, {time.perf_counter() - began:4.0f} s, success {success:.2f}", flush=True
            )
    np.savetxt(given.out / f"seed_{given.seed}.csv", curve, "%.17g", ",", header="steps,success,reward")
    result = taskworlds.evaluate(agent, "reach-v3", num_goals=20, seed=TEST_SEED)
    print(f"on 20 other goals: {result.headline}")
    result.save(given.out / f"seed_{given.seed}.json")
    figure, axes = pyplot.subplots(figsize=(6, 3.5), layout="constrained")
    for path in sorted(given.out.glob("seed_*.csv")):  # of all seeds until now
        steps, success, _ = np.loadtxt(path, delimiter=",", unpack=True, ndmin=2)
        axes.plot(
            steps[np.isfinite(success)], success[np.isfinite(success)], label=path.stem.replace("_", " ")
        )
    axes.set(xlabel="steps", ylabel="success at the end of train episodes", ylim=(-0.02, 1.02))
    axes.legend()
    figure.savefig(given.out / "curve.png", dpi=80)


if __name__ == "__main__":
    main()
