"""PPO learns the ten skills of MT10 and three of dm_control's with one policy, in one batch.

    python examples/ppo_mixed.py --steps 1000000 --out runs/mixed

Observations are padded to the longest and actions to the most entries. A one-hot tells the policy the skill, and with
it which entries of an action count: the others are 0, and their likelihood is left out. PPO itself is `ppo_mt10.py`'s,
beside this file.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from ppo_mt10 import LEARNING_RATE, Agent, learn

import taskworlds

SKILLS = ("walker-walk", "cheetah-run", "cartpole-swingup")


class MaskedNormal(torch.distributions.Normal):
    """Independent Gaussians over the entries of an action that its skill has; `mask` is (..., A), 1 or 0."""

    def __init__(self, mean, deviation, mask):
        super().__init__(mean, deviation.expand_as(mean), validate_args=False)
        self.mask = mask

    def sample(self):
        return super().sample() * self.mask

    def log_prob(self, actions):
        return (super().log_prob(actions) * self.mask).sum(-1)

    def entropy(self):
        return (super().entropy() * self.mask).sum(-1)


class MaskedAgent(Agent):
    """The agent of ppo_mt10.py, whose distribution knows which entries of an action each skill has."""

    def __init__(self, envs):
        super().__init__(envs)
        self.register_buffer("masks", torch.from_numpy(envs.skill_action_masks).float())

    def distribution(self, obs):
        skill = obs[..., -len(self.masks) :]  # the one-hot
        return MaskedNormal(self(obs), self.log_std.exp(), skill.float() @ self.masks)


@torch.no_grad()
def collect(envs, agent, obs, steps):
    """Returns (steps, N, ...) of all that PPO learns from, the next observations, and (skill, return) of episodes."""
    rollout, episodes = [], []
    for _ in range(steps):
        distribution = agent.distribution(obs)
        actions = distribution.sample()
        following, rewards, terminated, truncated, infos = envs.step(actions.numpy())
        ends, reached = terminated | truncated, infos["final_obs"]
        if ends.any():  # there the next episode has begun
            last = infos["final_info"]
            episodes += zip(last["skill_index"][ends], last["episode"]["r"][ends], strict=True)
        numbers = (torch.from_numpy(each).float() for each in (reached, rewards, terminated, ends))
        rollout.append((obs, actions, distribution.log_prob(actions), *numbers))
        obs = torch.from_numpy(following).float()
    return [torch.stack(each) for each in zip(*rollout, strict=True)], obs, episodes


def main():
    parser = argparse.ArgumentParser(description="PPO on MT10 and three skills of dm_control's")
    parser.add_argument("--steps", type=int, default=1_000_000, help="of all rows together")
    parser.add_argument("--rows", type=int, default=26)
    parser.add_argument("--rollout", type=int, default=500, help="steps of each row between two updates")
    parser.add_argument("--num-goals", type=int, default=50, help="of each skill of MT10")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/mixed"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)  # the networks are small, and the environments have threads of their own
    mt10 = taskworlds.benchmark("MT10", seed=args.seed, num_goals=args.num_goals)
    skills = taskworlds.Benchmark.union("MT10 and dm_control", [mt10, *SKILLS])
    envs = taskworlds.make_vec(
        skills, args.rows, pad=True, use_one_hot=True, reward_normalization_method="gymnasium"
    )
    agent = MaskedAgent(envs)
    optimizer = torch.optim.Adam(agent.parameters(), LEARNING_RATE, eps=1e-5)
    obs, steps, curve = torch.from_numpy(envs.reset(seed=args.seed)[0]).float(), 0, []
    began = time.perf_counter()
    while steps < args.steps:
        rollout, obs, episodes = collect(envs, agent, obs, args.rollout)
        learn(agent, optimizer, rollout)
        steps += args.rollout * args.rows
        returns = [
            [total for index, total in episodes if index == number] for number in range(len(envs.skills))
        ]
        means = [np.mean(each) if each else np.nan for each in returns]
        curve.append((steps, time.perf_counter() - began, *means))
        shown = ", ".join(f"{name} {mean:.1f}" for name, mean in zip(envs.skills, means, strict=True))
        print(f"{steps:9,} steps  {curve[-1][1]:6.0f} s  {shown}", flush=True)
    header = ",".join(("steps", "seconds", *envs.skills))
    np.savetxt(args.out / "curve.csv", curve, "%.9g", ",", header=header, comments="")
    torch.save(agent.state_dict(), args.out / "agent.pt")
    result = taskworlds.evaluate(agent, skills, seed=args.seed, use_one_hot=True)
    result.save(args.out / "result.json")
    print(result.to_csv("skill"), result, sep="\n")
    envs.close()


if __name__ == "__main__":
    main()
