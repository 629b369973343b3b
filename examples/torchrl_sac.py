r"""SAC of TorchRL learns to reach any goal: reach-v3 of Meta-World, through one batch of ten rows.

    pip install "taskworlds[examples]"
    python examples/torchrl_sac.py --seed 0

It trains on the 50 goals of MT1, and is evaluated as it learns on 20 goals that it has never seen. In the folder
`--out` it leaves, for each seed, curve.csv, actor.pt and result.json; and curve.png of all seeds that have run. The
actor goes to the command line as well:

    taskworlds evaluate reach-v3 --num-goals 20 --seed 1000 --max-episode-steps 150 \
        --policy examples/torchrl_sac.py:load --checkpoint runs/torchrl_sac/seed_0/actor.pt
"""

import argparse
import csv
import time
from pathlib import Path

import matplotlib
import torch
from tensordict.nn import NormalParamExtractor, TensorDictModule
from torch import nn
from torchrl.collectors import Collector
from torchrl.data import LazyTensorStorage, TensorDictReplayBuffer
from torchrl.modules import MLP, ProbabilisticActor, TanhNormal, ValueOperator
from torchrl.objectives import SACLoss, SoftUpdate

import taskworlds
from taskworlds.integrations.torchrl import TaskworldsWrapper

matplotlib.use("Agg")
from matplotlib import pyplot

NUM_OBS, NUM_ACTIONS = 39, 4
HIDDEN = {"num_cells": [128, 128], "activation_class": nn.ReLU}
TEST_SEED = 1000  # of the goals to evaluate on; those to train on are drawn with seed 0
KEPT = ["observation", "action", *(("next", key) for key in ("observation", "reward", "done", "terminated"))]


def make_actor():
    body = nn.Sequential(MLP(NUM_OBS, 2 * NUM_ACTIONS, **HIDDEN), NormalParamExtractor())
    body = TensorDictModule(body, in_keys=["observation"], out_keys=["loc", "scale"])
    return ProbabilisticActor(body, in_keys=["loc", "scale"], distribution_class=TanhNormal)


def load(checkpoint):
    """Makes the actor that a run has left."""
    actor = make_actor()
    actor.load_state_dict(torch.load(checkpoint, weights_only=True))
    return actor


def make_sac():
    """Makes the actor, and a function that improves it by a batch of steps."""
    actor = make_actor()
    critic = ValueOperator(MLP(NUM_OBS + NUM_ACTIONS, 1, **HIDDEN), in_keys=["observation", "action"])
    loss = SACLoss(actor, critic, alpha_init=0.2, target_entropy=-NUM_ACTIONS)
    loss.make_value_estimator(gamma=0.9)
    targets = SoftUpdate(loss, tau=0.01)
    optimizer = torch.optim.Adam(loss.parameters(), lr=1e-3)

    def improve(batch):
        losses = loss(batch)
        optimizer.zero_grad()
        (losses["loss_actor"] + losses["loss_qvalue"] + losses["loss_alpha"]).backward()
        optimizer.step()
        targets.step()

    return actor, improve


def train(seed, steps, limit):
    """Trains an actor with an update for ten steps; yields it, the steps and the seconds, every 5000 steps."""
    torch.manual_seed(seed)
    env = TaskworldsWrapper(taskworlds.make_vec("reach-v3", 10, max_episode_steps=limit), dtype=torch.float32)
    env.set_seed(seed)
    actor, improve = make_sac()
    memory = TensorDictReplayBuffer(storage=LazyTensorStorage(steps), batch_size=256)
    collector = Collector(
        env,
        actor,
        frames_per_batch=200,
        total_frames=steps,
        init_random_frames=1000,
        auto_register_policy_transforms=False,
    )
    done, seconds, began = 0, 0.0, time.perf_counter()
    for data in collector:
        memory.extend(data.select(*KEPT).reshape(-1))
        for _ in range(20):
            improve(memory.sample())
        done += data.numel()
        if done % 5000 == 0 or done >= steps:
            seconds += time.perf_counter() - began
            yield actor, done, round(seconds)
            began = time.perf_counter()
    collector.shutdown()


def draw(out):
    """Draws the success rates of all seeds that have run."""
    figure, axes = pyplot.subplots(figsize=(6, 3.5), layout="constrained")
    for path in sorted(out.glob("seed_*/curve.csv")):
        with path.open() as file:
            rows = list(csv.DictReader(file))
        success = [float(row["success"]) for row in rows]
        axes.plot([int(row["steps"]) for row in rows], success, label=path.parent.name.replace("_", " "))
    axes.set(xlabel="steps", ylabel="success on 20 new goals", ylim=(-0.02, 1.02))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(out / "curve.png", dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--seed", type=int, default=0, help="of the networks and of the episodes (default: 0)"
    )
    parser.add_argument("--steps", type=int, default=150_000, help="to train for (default: 150000)")
    parser.add_argument("--num-goals", type=int, default=20, help="to evaluate on (default: 20)")
    parser.add_argument("--max-episode-steps", type=int, default=150, help="(default: 150)")
    parser.add_argument("--out", type=Path, default=Path("runs/torchrl_sac"), help="folder for the outcome")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # for networks as small as these, more cost more than they bring
    limit = arguments.max_episode_steps

    out = arguments.out / f"seed_{arguments.seed}"
    out.mkdir(parents=True, exist_ok=True)

    def evaluate(policy):
        options = {"num_goals": arguments.num_goals, "seed": TEST_SEED, "max_episode_steps": limit}
        return taskworlds.evaluate(policy, "reach-v3", **options)

    print(f"random: {evaluate('random').headline}")
    curve = [("steps", "seconds", "success", "return")]
    for actor, done, seconds in train(arguments.seed, arguments.steps, limit):
        result = evaluate(actor)
        print(f"{done} steps, {seconds} s: {result.headline}", flush=True)
        means = [result.overall[name].mean.value for name in ("success_once", "episode_return")]
        curve.append((done, seconds, *means))
        with (out / "curve.csv").open("w", newline="") as file:
            csv.writer(file).writerows(curve)
        torch.save(actor.state_dict(), out / "actor.pt")
        result.save(out / "result.json")
    draw(arguments.out)


if __name__ == "__main__":
    main()
