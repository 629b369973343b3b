"""RL2 in the world `point`: a policy with a memory finds a goal in its first attempt, and remembers it in the second.

An episode is a trial: two attempts at one goal (`k_episodes=2`). The policy sees where the point is and how far the
goal, but not in which direction. It is a recurrent network whose memory lasts for the trial, and it observes the
action, the reward and the end of the step before (`recurrent_info_in_obs=True`). PPO maximises the return of whole
trials, with the gradient going back through all their steps (Duan et al., "RL2: Fast RL via Slow RL", 2016).
"""

import argparse
import time
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor, nn

import taskworlds

ATTEMPTS, LIMIT = 2, 20  # of a trial; steps of each
EPOCHS, MINIBATCHES, LEARNING_RATE, CLIP = 4, 2, 8e-3, 0.2
DISCOUNT, GAE_LAMBDA, REWARD_SCALE = 0.97, 0.95, 0.1
EVALUATE_EVERY = 10  # iterations


class RL2(nn.Module):
    """An actor and a critic that see the observation, normalised by those of all iterations before, and a memory.

    `evaluate` takes it as it is: it calls `reset` for rows whose trials begin, and not where attempts do.
    """

    def __init__(self, obs_size: int, largest: np.ndarray, hidden: int = 64) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm1d(obs_size, eps=1e-4, momentum=None, affine=False)
        self.gru = nn.GRU(obs_size, hidden)
        self.actor, self.critic = (
            nn.Sequential(nn.Linear(obs_size + hidden, hidden), nn.Tanh(), nn.Linear(hidden, size))
            for size in (len(largest), 1)
        )
        nn.init.normal_(self.actor[-1].weight, std=0.01)
        self.log_std = nn.Parameter(torch.full((len(largest),), -0.5))
        self.largest = largest  # actions, (A,)
        self.memory = torch.zeros(1, 0, hidden)

    def forward(self, obs: Tensor, memory: Tensor | None = None) -> tuple[Any, Tensor, Tensor]:
        """Returns distributions of actions, values (T, N), and the memory afterwards, of observations (T, N, O)."""
        obs = self.normalise(obs.flatten(0, 1)).view_as(obs).clamp(-5, 5)
        remembered, memory = self.gru(obs, memory)
        features = torch.cat((obs, remembered), dim=-1)
        actions = torch.distributions.Normal(self.actor(features), self.log_std.exp())
        return actions, self.critic(features).squeeze(-1), memory

    def reset(self, mask: np.ndarray) -> None:
        """Clears the memory of the rows in the mask, (N,) bool."""
        if self.memory.shape[1] != len(mask):
            self.memory = torch.zeros(1, len(mask), self.gru.hidden_size)
        self.memory[:, mask] = 0

    @torch.no_grad()
    def eval_action(self, obs: np.ndarray) -> np.ndarray:
        """Returns the most likely actions (N, A) for observations (N, O)."""
        actions, _, self.memory = self(torch.as_tensor(obs)[None], self.memory)
        return self.largest * actions.mean[0].numpy()


@torch.no_grad()
def play_trials(policy: RL2, envs: Any) -> list[Tensor]:
    """Plays a trial in each row; returns what `learn` needs, (T, N, ...). Rows that have ended wait for the last."""
    obs, _ = envs.reset()
    steps, memory, playing = [], None, np.ones(envs.num_envs, dtype=bool)
    while playing.any():
        seen, active = torch.as_tensor(obs), torch.as_tensor(playing)
        distribution, value, memory = policy(seen[None], memory)
        action = distribution.sample()
        log_prob = distribution.log_prob(action).sum(-1)
        obs, rewards, terminated, truncated, _ = envs.step(policy.largest * action[0].numpy(), mask=playing)
        steps.append(
            (seen, action[0], log_prob[0], value[0] * active, torch.as_tensor(rewards).float(), active)
        )
        playing = playing & ~(terminated | truncated)
    return [torch.stack(each) for each in zip(*steps, strict=True)]


def learn(policy: RL2, optimizer: torch.optim.Optimizer, trials: list[Tensor]) -> int:
    """PPO on whole trials: what the first attempt finds out is worth what the second one earns; returns their steps."""
    obs, actions, log_probs, values, rewards, active = trials
    advantages, last, following = torch.zeros_like(values), 0.0, 0.0
    for t in reversed(range(len(obs))):
        last = REWARD_SCALE * rewards[t] + DISCOUNT * (following + GAE_LAMBDA * last) - values[t]
        advantages[t], following = last, values[t]
    returns = advantages + values
    advantages = (advantages - advantages[active].mean()) / advantages[active].std()
    for _ in range(EPOCHS):
        for rows in torch.randperm(obs.shape[1]).chunk(MINIBATCHES):
            distribution, value, _ = policy(obs[:, rows])
            ratio = (distribution.log_prob(actions[:, rows]).sum(-1) - log_probs[:, rows]).exp()
            gain = advantages[:, rows] * torch.stack((ratio, ratio.clamp(1 - CLIP, 1 + CLIP)))
            loss = (value - returns[:, rows]).square() / 2 - gain.amin(0)
            optimizer.zero_grad()
            loss[active[:, rows]].mean().backward()
            nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
            optimizer.step()
    policy.normalise.train()(obs[active])
    policy.eval()
    return int(active.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description="RL2 in the world point.")
    for name, default in (("seed", 0), ("steps", 150_000), ("rows", 32)):
        parser.add_argument(f"--{name}", type=int, default=default, help="%(default)s")
    parser.add_argument("--out", type=Path, default=Path("runs/rl2_point"), help="%(default)s")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(given.seed)
    torch.set_num_threads(1)  # the network is too small for more

    how = {"k_episodes": ATTEMPTS, "max_episode_steps": LIMIT, "recurrent_info_in_obs": True}
    envs = taskworlds.make_vec("point", given.rows, autoreset_mode="Disabled", **how)
    test = taskworlds.make_vec("point", 50, split="test", **how)
    policy = RL2(envs.single_observation_space.shape[0], envs.single_action_space.high).eval()
    optimizer = torch.optim.Adam(policy.parameters(), eps=1e-5)
    envs.reset(seed=given.seed)
    curve, steps, iteration, began = [], 0, 0, time.perf_counter()
    while steps < given.steps:
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - steps / given.steps)
        steps, iteration = steps + learn(policy, optimizer, play_trials(policy, envs)), iteration + 1
        if iteration % EVALUATE_EVERY == 0 or steps >= given.steps:
            result = taskworlds.evaluate(policy, test)
            attempts = [result.attempt(number) for number in range(ATTEMPTS)]
            curve.append((steps, *(each.scores("episode_return").mean() for each in attempts)))
            print(f"{steps} steps, {time.perf_counter() - began:.0f} s, return {np.round(curve[-1][1:], 1)}")
    difference = taskworlds.compare(attempts[0], attempts[1])
    print(*attempts, difference, difference.overall["episode_return"].mean, sep="\n")
    torch.save(policy.state_dict(), given.out / f"seed_{given.seed}.pt")
    result.save(given.out / f"seed_{given.seed}.json")
    np.savetxt(given.out / f"seed_{given.seed}.csv", curve, "%.9g", ",", header="steps,first,second")
    _, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    for path in sorted(given.out.glob("seed_*.csv")):  # of all seeds until now
        steps, *curves = np.loadtxt(path, delimiter=",", unpack=True, ndmin=2)
        lines = [axes.plot(steps, each, f"C{number}")[0] for number, each in enumerate(curves)]
    axes.set(xlabel="steps", ylabel="return on the test goals", title="RL2 in the world point")
    axes.legend(lines, ("first attempt", "second attempt"))
    plt.savefig(given.out / "curve.png")


if __name__ == "__main__":
    main()
