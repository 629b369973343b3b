"""RL2 on ML1's reach-v3: a policy with a memory finds a hidden goal in its first attempt, and uses it in the second.

An episode is a trial: two attempts at one goal (`k_episodes=2`). The policy does not see the goal. It is a recurrent
network whose memory lasts for the trial, and it observes the action, the reward and the end of the step before
(`recurrent_info_in_obs=True`). PPO maximises the return of whole trials, with the gradient going back through all
their steps (Duan et al., "RL2: Fast RL via Slow RL", 2016).
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

ATTEMPTS, LIMIT = 2, 30  # of a trial; steps of each, of which the way to the goal takes about 20
TRIAL = ATTEMPTS * LIMIT  # steps
EPOCHS, MINIBATCHES, LEARNING_RATE, CLIP = 4, 4, 1e-3, 0.2
DISCOUNT, GAE_LAMBDA, REWARD_SCALE = 0.99, 0.95, 0.02
EVALUATE_EVERY = 10  # iterations


class RL2(nn.Module):
    """An actor and a critic that see the observation, normalised by those of all iterations before, and a memory.

    `evaluate` takes it as it is: it calls `reset` for rows whose trials begin, and not where attempts do.
    """

    def __init__(self, obs_size: int, action_size: int, hidden: int = 64) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm1d(obs_size, eps=1e-4, momentum=None, affine=False)
        self.gru = nn.GRU(obs_size, hidden)
        self.actor, self.critic = (
            nn.Sequential(nn.Linear(obs_size + hidden, hidden), nn.Tanh(), nn.Linear(hidden, size))
            for size in (action_size, 1)
        )
        nn.init.normal_(self.actor[-1].weight, std=0.01)
        self.log_std = nn.Parameter(torch.full((action_size,), -0.5))
        self.memory = torch.zeros(1, 0, hidden)

    def forward(self, obs: Tensor, memory: Tensor | None = None) -> tuple[Any, Tensor, Tensor]:
        """Returns distributions of actions, values (T, N), and the memory afterwards, of observations (T, N, O)."""
        obs = self.normalise(obs.float().flatten(0, 1)).view_as(obs).clamp(-5, 5)
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
        return actions.mean[0].numpy()


@torch.no_grad()
def play_trials(policy: RL2, envs: Any, obs: np.ndarray) -> tuple[list[Tensor], np.ndarray]:
    """Plays a trial in each row; returns what `learn` needs, (T, N, ...), and the next trials' first observations."""
    steps, memory = [], None
    for _ in range(TRIAL):
        seen = torch.as_tensor(obs).float()
        distribution, value, memory = policy(seen[None], memory)
        action = distribution.sample()
        log_prob = distribution.log_prob(action).sum(-1)
        obs, rewards, _, ended, _ = envs.step(action[0].numpy())
        steps.append((seen, action[0], log_prob[0], value[0], torch.as_tensor(rewards).float()))
    assert ended.all()  # success ends no attempt here, so all trials are equally long
    return [torch.stack(each) for each in zip(*steps, strict=True)], obs


def learn(policy: RL2, optimizer: torch.optim.Optimizer, trials: list[Tensor]) -> None:
    """PPO on whole trials: what the first attempt finds out is worth what the second one earns by it."""
    obs, actions, log_probs, values, rewards = trials
    advantages, last, following = torch.zeros_like(values), 0.0, 0.0
    for t in reversed(range(TRIAL)):
        last = REWARD_SCALE * rewards[t] + DISCOUNT * (following + GAE_LAMBDA * last) - values[t]
        advantages[t], following = last, values[t]
    returns = advantages + values
    advantages = (advantages - advantages.mean()) / advantages.std()
    for _ in range(EPOCHS):
        for rows in torch.randperm(obs.shape[1]).chunk(MINIBATCHES):
            distribution, value, _ = policy(obs[:, rows])
            ratio = (distribution.log_prob(actions[:, rows]).sum(-1) - log_probs[:, rows]).exp()
            gain = advantages[:, rows] * torch.stack((ratio, ratio.clamp(1 - CLIP, 1 + CLIP)))
            loss = (value - returns[:, rows]).square().mean() / 2 - gain.amin(0).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
            optimizer.step()
    policy.normalise.train()(obs.flatten(0, 1))
    policy.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description="RL2 on reach-v3.")
    for name, default in (("seed", 0), ("steps", 1_500_000), ("rows", 256)):
        parser.add_argument(f"--{name}", type=int, default=default, help="%(default)s")
    parser.add_argument("--out", type=Path, default=Path("runs/rl2_reach"), help="%(default)s")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(given.seed)
    torch.set_num_threads(1)  # the network is too small for more

    how: dict[str, Any] = {"k_episodes": ATTEMPTS, "max_episode_steps": LIMIT, "recurrent_info_in_obs": True}
    how |= {"env_name": "reach-v3", "terminate_on_success": False, "sample_tasks_on_reset": True}
    envs = taskworlds.make_vec("ML1-train", given.rows, **how)
    test = taskworlds.make_vec("ML1-test", 50, **how)
    obs, _ = envs.reset(seed=given.seed)
    policy = RL2(obs.shape[1], envs.single_action_space.shape[0]).eval()
    optimizer = torch.optim.Adam(policy.parameters(), eps=1e-5)
    iterations, curve, began = max(1, given.steps // (TRIAL * given.rows)), [], time.perf_counter()
    for iteration in range(1, iterations + 1):
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - (iteration - 1) / iterations)
        trials, obs = play_trials(policy, envs, obs)
        learn(policy, optimizer, trials)
        if iteration % EVALUATE_EVERY == 0 or iteration == iterations:
            result = taskworlds.evaluate(policy, test)
            attempts = [result.attempt(number) for number in range(ATTEMPTS)]
            steps, seconds = iteration * TRIAL * given.rows, time.perf_counter() - began
            curve.append((steps, *(each.scores("episode_return").mean() for each in attempts)))
            print(f"{steps} steps, {seconds:.0f} s, return {np.round(curve[-1][1:], 1)}", flush=True)
    difference = taskworlds.compare(attempts[0], attempts[1])
    print(*attempts, difference, difference.overall["episode_return"].mean, sep="\n")
    torch.save(policy.state_dict(), given.out / f"seed_{given.seed}.pt")
    result.save(given.out / f"seed_{given.seed}.json")
    np.savetxt(given.out / f"seed_{given.seed}.csv", curve, "%.9g", ",", header="steps,first,second")
    _, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    for path in sorted(given.out.glob("seed_*.csv")):  # of all seeds until now
        steps, *curves = np.loadtxt(path, delimiter=",", unpack=True, ndmin=2)
        lines = [axes.plot(steps, each, f"C{number}")[0] for number, each in enumerate(curves)]
    axes.set(xlabel="steps", ylabel="return on the test goals", title="RL2 on reach-v3")
    axes.legend(lines, ("first attempt", "second attempt"))
    plt.savefig(given.out / "curve.png")


if __name__ == "__main__":
    main()
