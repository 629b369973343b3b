"""Rollouts with a policy: Ray's workers against one process, in one run, alternating; medians.

    pip install "taskworlds[ray,torch]"
    python benchmarks/ray_rollouts.py MT10 --rows 100 --workers 2

One process steps all rows with as many threads as there are workers, and asks the policy for all rows at once. Then the
serial parts of a rollout are measured, and from these and the measured sizes a table is computed for clusters: what one
learner can take in. It is computed, not measured, and says so.
"""

import argparse
import pickle
import statistics
import time

import numpy as np
import ray
import torch
from torch import nn

import taskworlds
from taskworlds.distributed import RaySampler, Rollout

NETWORK = 10e9 / 8  # bytes a second between machines, for the computed table
CORES = 64  # of a node, for the computed table


class Agent(nn.Module):
    """A Gaussian policy of 2 x 256 units."""

    def __init__(self):
        super().__init__()
        layers = [nn.Linear(39, 256), nn.Tanh(), nn.Linear(256, 256), nn.Tanh(), nn.Linear(256, 4)]
        self.mean = nn.Sequential(*layers)

    @torch.no_grad()
    def sample_actions(self, obs, generators):
        return self.mean(torch.from_numpy(obs).float()).numpy() + generators.standard_normal(4), {}

    def set_weights(self, arrays):
        with torch.no_grad():
            for parameter, array in zip(self.parameters(), arrays, strict=True):
                parameter.copy_(torch.tensor(array))


class OneProcess:
    """The loop that a user writes without workers; it keeps what a rollout keeps of each step."""

    def __init__(self, benchmark, rows, threads):
        self.envs = taskworlds.make_vec(benchmark, rows, num_threads=threads)
        self.agent = Agent()
        self.random = np.random.default_rng(0)
        self.obs, _ = self.envs.reset(seed=0)

    @torch.no_grad()
    def rollout(self, steps):
        kept = []
        for _ in range(steps):
            mean = self.agent.mean(torch.from_numpy(self.obs).float()).numpy()
            actions = mean + self.random.standard_normal(mean.shape)
            obs, rewards, terminated, truncated, infos = self.envs.step(actions)
            kept.append(
                (self.obs, actions, rewards, terminated, truncated, infos["success"], infos["task_index"])
            )
            self.obs = obs
        return [np.stack(each) for each in zip(*kept, strict=True)]


def seconds(work, *arguments):
    began = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("benchmark", nargs="?", default="MT10")
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--steps", type=int, default=100, help="of a rollout (default: 100)")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    torch.set_num_threads(1)
    weights = list(Agent().parameters())
    alone = OneProcess(given.benchmark, given.rows, given.workers)
    with RaySampler(given.benchmark, given.rows, given.workers, policy=Agent) as sampler:
        rounds = []
        for _ in range(given.rounds + 1):
            sampler.set_weights(weights)
            rounds.append((seconds(alone.rollout, given.steps), seconds(sampler.rollout, given.steps)))
        one, several = (
            statistics.median(each) for each in zip(*rounds[1:], strict=True)
        )  # the first warms up
        ratio = statistics.median(b / a for a, b in rounds[1:])
        per_second = given.rows * given.steps
        print(
            f"{given.benchmark}, {given.rows} rows, rollouts of {given.steps} steps, medians of {given.rounds} rounds"
        )
        print(f"one process, {given.workers} threads:  {one:.3f} s  {per_second / one:8,.0f} steps/s")
        print(f"{given.workers} workers:             {several:.3f} s  {per_second / several:8,.0f} steps/s")
        print(f"workers / one process: {ratio:.2f} (medians of the rounds' ratios)")

        parts = [sampler.rollout(given.steps)] * 40
        size = len(pickle.dumps(parts[0], 5))
        bytes_per_step = size / (given.rows * given.steps)
        join_rate = 40 * size / statistics.median(seconds(Rollout.joined, parts) for _ in range(5))
        sending = statistics.median(seconds(sampler.set_weights, weights) for _ in range(5))
        state = len(pickle.dumps(sampler.get_state())) / given.rows
        print(
            f"a step of a row is {bytes_per_step:.0f} bytes of rollout; a row's state {state / 1024:.1f} KB"
        )
        print(
            f"joining rollouts: {join_rate / 1e9:.2f} GB/s; weights into the object store: {1e3 * sending:.1f} ms"
        )

    core = given.rows * given.steps / several / given.workers  # steps a second of a worker with one processor
    print(
        f"\ncomputed, not measured: nodes of {CORES} cores, {core:,.0f} steps/s a core as above, one learner"
    )
    print("nodes  rows step   network   joining  learner takes in")
    for nodes in (1, 2, 4, 8, 16, 32, 64):
        offered = nodes * CORES * core
        carried = np.inf if nodes == 1 else NETWORK / bytes_per_step * nodes / (nodes - 1)
        taken = min(offered, carried, join_rate / bytes_per_step)
        numbers = (offered, carried, join_rate / bytes_per_step, taken)
        print(f"{nodes:5}  " + "  ".join(f"{each / 1e6:7.2f} M" for each in numbers))
    ray.shutdown()


if __name__ == "__main__":
    main()
