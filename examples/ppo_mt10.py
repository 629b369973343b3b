"""PPO learns the ten skills of MT10 with one policy; a one-hot in the observation names the skill.

    python examples/ppo_mt10.py --steps 1000000 --out runs/mt10
    python examples/ppo_mt10.py --steps 2000000 --out runs/mt10 --resume

The second command continues the first one, bit for bit. Rewards are divided by the running deviation of their sum, for
each row by itself, since skills pay differently. The policy scales observations, so that `evaluate` can play it.
"""

import argparse
import io
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import rich
import torch
from torch import nn

import taskworlds

GAMMA, LAMBDA, CLIP, EPOCHS, MINIBATCHES, ENTROPY, LEARNING_RATE = 0.99, 0.95, 0.2, 5, 10, 1e-3, 5e-4


def network(inputs, outputs, gain, width=256):
    last = nn.Linear(width, outputs)
    nn.init.orthogonal_(last.weight, gain)
    return nn.Sequential(nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), last)


class Agent(nn.Module):
    """A Gaussian policy, and a value. Called with observations (N, O), it returns the policy's means (N, A)."""

    def __init__(self, envs):
        super().__init__()
        (obs_size,), (action_size,) = envs.single_observation_space.shape, envs.single_action_space.shape
        self.policy, self.value = network(obs_size, action_size, 0.01), network(obs_size, 1, 1.0)
        self.log_std = nn.Parameter(torch.zeros(action_size))
        self.register_buffer("seen", torch.tensor([[1.0], [0.0], [1.0]]).double().repeat(1, obs_size))

    def scaled(self, obs):
        count, total, squares = self.seen  # of each number of the observations so far
        deviation = (squares / count - (total / count).square()).clamp(min=0).sqrt()
        return ((obs - total / count) / (deviation + 1e-4)).clamp(-5, 5).float()

    def forward(self, obs):
        return self.policy(self.scaled(obs))

    def distribution(self, obs):
        return torch.distributions.Independent(torch.distributions.Normal(self(obs), self.log_std.exp()), 1)

    def values(self, obs):
        return self.value(self.scaled(obs)).squeeze(-1)


@torch.no_grad()
def collect(envs, agent, obs, steps):
    """Returns (steps, N, ...) of all that PPO learns from, the next observations, and (return, success) of episodes."""
    rollout, episodes = [], []
    for _ in range(steps):
        distribution = agent.distribution(obs)
        actions = distribution.sample()
        following, rewards, terminated, truncated, infos = envs.step(actions.numpy())
        ends, reached = terminated | truncated, following.copy()
        if ends.any():  # there the next episode has begun
            reached[ends] = np.stack(list(infos["final_obs"][ends]))
            last = infos["final_info"]
            episodes += zip(last["episode"]["r"][ends], last["success"][ends], strict=True)
        numbers = (torch.from_numpy(each).float() for each in (reached, rewards, terminated, ends))
        rollout.append((obs, actions, distribution.log_prob(actions), *numbers))
        obs = torch.from_numpy(following).float()
    return [torch.stack(each) for each in zip(*rollout, strict=True)], obs, episodes


def learn(agent, optimizer, rollout):
    """PPO (Schulman et al. 2017). Of an episode that was cut off, the value of what it reached counts."""
    obs, actions, log_probs, reached, rewards, terminated, ends = rollout
    with torch.no_grad():
        values = agent.values(obs)
        advantages = rewards + GAMMA * (1 - terminated) * agent.values(reached) - values
        for step in reversed(range(len(advantages) - 1)):
            advantages[step] += GAMMA * LAMBDA * (1 - ends[step]) * advantages[step + 1]
    flat = [each.flatten(0, 1) for each in (obs, actions, log_probs, advantages, values + advantages)]
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(flat[0])).chunk(MINIBATCHES):
            its_obs, its_actions, its_log_probs, advantage, target = (each[chosen] for each in flat)
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
            distribution = agent.distribution(its_obs)
            ratio = (distribution.log_prob(its_actions) - its_log_probs).exp()
            gain = torch.minimum(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage).mean()
            error = (agent.values(its_obs) - target).square().mean()
            optimizer.zero_grad()
            (0.5 * error - gain - ENTROPY * distribution.entropy().mean()).backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()
    seen = flat[0].double()
    agent.seen += torch.stack([torch.ones_like(seen), seen, seen.square()]).sum(dim=1)


def main():
    parser = argparse.ArgumentParser(description="PPO on MT10")
    parser.add_argument("--steps", type=int, default=1_000_000, help="with those before --resume")
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--rollout", type=int, default=500, help="steps of each row between two updates")
    parser.add_argument("--num-goals", type=int, default=50, help="of each skill")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/mt10"))
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    args = parser.parse_args()
    checkpoint, new = args.out / "checkpoint.pt", args.out / "new.pt"
    if checkpoint.exists() != args.resume:
        parser.error(f"--resume needs {checkpoint}" if args.resume else f"{checkpoint} exists: use --resume")
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed), torch.set_num_threads(1)  # networks are small; the envs have their own
    mt10 = taskworlds.benchmark("MT10", seed=args.seed, num_goals=args.num_goals)
    envs = taskworlds.make_vec(mt10, args.rows, use_one_hot=True, reward_normalization_method="gymnasium")
    agent = Agent(envs)
    optimizer = torch.optim.Adam(agent.parameters(), LEARNING_RATE, eps=1e-5)
    obs, curve = torch.from_numpy(envs.reset(seed=args.seed)[0]).float(), [(0, 0.0, np.nan, np.nan)]
    if args.resume:
        kept = torch.load(checkpoint)
        agent.load_state_dict(kept["agent"]), optimizer.load_state_dict(kept["optimizer"])
        envs.set_state(np.load(io.BytesIO(kept["envs"])))
        torch.set_rng_state(kept["random"])
        obs, curve = kept["obs"], kept["curve"]

    while (steps := curve[-1][0]) < args.steps:
        begun = time.perf_counter() - curve[-1][1]
        rollout, obs, episodes = collect(envs, agent, obs, args.rollout)
        learn(agent, optimizer, rollout)
        mean = np.mean(episodes or [(np.nan, np.nan)], axis=0).tolist()
        curve.append((steps + args.rollout * args.rows, time.perf_counter() - begun, *mean))
        print("{:9,} steps  {:6.0f} s  return {:7.1f}  success {:.2f}".format(*curve[-1]), flush=True)
        np.savez(numbers := io.BytesIO(), **envs.get_state())
        kept = {"envs": numbers.getvalue(), "random": torch.get_rng_state(), "obs": obs, "curve": curve}
        kept |= {"agent": agent.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(kept, new)
        new.replace(checkpoint)  # an interruption leaves the one or the other, whole
    np.savetxt(args.out / "curve.csv", curve, "%.9g", ",", header="steps,seconds,return,success", comments="")
    plt.plot(*np.transpose(curve)[[0, 2]])
    plt.xlabel("steps"), plt.ylabel("return of an episode"), plt.savefig(args.out / "curve.png")
    result = taskworlds.evaluate(agent, mt10, seed=args.seed, use_one_hot=True)
    result.save(args.out / "result.json")
    rich.print(result.table())


if __name__ == "__main__":
    main()
