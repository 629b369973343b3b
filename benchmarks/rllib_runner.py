"""Steps of an RLlib env runner in a second of one processor: official Meta-World in Gymnasium's batch, and ours.

    python benchmarks/rllib_runner.py

PPO's default network acts on reach-v3, with 10 and with 50 rows. Official and ours take turns, seven times; medians.
"""

import statistics
import time

import metaworld  # noqa: F401  # registers its ids
import torch
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner

from taskworlds.integrations.rllib import configure

torch.set_num_threads(1)
official = PPOConfig().environment("Meta-World/MT1", env_config={"env_name": "reach-v3"})
configs = {}
for rows in (10, 50):
    configs["official", rows] = official.copy().env_runners(num_envs_per_env_runner=rows)
    configs["ours", rows] = configure(PPOConfig(), "reach-v3", rows, num_threads=1)
runners = {name: SingleAgentEnvRunner(config=config, worker_index=1) for name, config in configs.items()}
seconds = {name: [] for name in configs}
for _ in range(8):
    for name, runner in runners.items():
        began = time.process_time()
        runner.sample(num_timesteps=1000)
        seconds[name].append((time.process_time() - began) / 1000)
        runner.get_metrics()
print({name: round(1 / statistics.median(each[1:])) for name, each in seconds.items()})
