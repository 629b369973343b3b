"""RLlib's new API stack: a batch of ours in each of its env runners, success in its results, its policies in ours.

Example:
    >>> from ray.rllib.algorithms.ppo import PPOConfig  # doctest: +SKIP
    >>> from taskworlds.integrations.rllib import configure  # doctest: +SKIP
    >>> config = configure(PPOConfig(), "MT10", use_one_hot=True)  # doctest: +SKIP
    >>> algorithm = config.env_runners(num_env_runners=2).build_algo()  # doctest: +SKIP
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from taskworlds.core.benchmark import entropy
from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.vector.make import make_vec

try:
    from ray.rllib.algorithms.algorithm import Algorithm
    from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
    from ray.rllib.connectors.env_to_module import EnvToModulePipeline, MeanStdFilter
    from ray.rllib.connectors.module_to_env import ModuleToEnvPipeline
    from ray.rllib.core import (
        COMPONENT_ENV_RUNNER,
        COMPONENT_ENV_TO_MODULE_CONNECTOR,
        COMPONENT_LEARNER,
        COMPONENT_LEARNER_GROUP,
        COMPONENT_MODULE_TO_ENV_CONNECTOR,
        COMPONENT_RL_MODULE,
        DEFAULT_MODULE_ID,
    )
    from ray.rllib.core.columns import Columns
    from ray.rllib.core.rl_module.multi_rl_module import MultiRLModule
    from ray.rllib.core.rl_module.rl_module import RLModule
    from ray.rllib.core.rl_module.torch import TorchRLModule
    from ray.rllib.env import INPUT_ENV_SINGLE_SPACES
    from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner
    from ray.rllib.env.single_agent_episode import SingleAgentEpisode
    from ray.rllib.utils import force_list
    from ray.rllib.utils.spaces.space_utils import unbatch
except ImportError as error:
    raise ImportError(
        f"taskworlds.integrations.rllib needs RLlib, which could not be imported ({error}). Type: pip install "
        '"taskworlds[rllib]"'
    ) from error

__all__ = ["RunnerBatch", "configure", "load", "log_success", "policy_of"]


# --- training -----------------------------------------------------------------------------------------------


def configure(
    config: AlgorithmConfig, name: Any, num_envs: int | None = None, **options: Any
) -> AlgorithmConfig:
    """Makes each env runner of an algorithm step one batch of ours, and puts success into the algorithm's results.

    Mistakes are reported here, not in one of Ray's processes. The engine of each env runner takes as many threads as
    the runner may use processors (`num_cpus_per_env_runner`). The runners share the benchmark's tasks and goals, which
    `seed` decides here, 0 by default, but each draws from them by a seed of its own, which follows from
    `config.debugging(seed=...)`; without that, from fresh entropy.

    Results have, under "env_runners", what `log_success` logs.

    Args:
        config: of an algorithm of the new API stack. It is changed: its environment, how it is vectorised, and a
            callback for the ends of episodes, in addition to those that it has. All of this may be changed afterwards;
            the options stand in its `env_config`.
        name: as for `taskworlds.make_vec`.
        num_envs: rows of each runner's batch; None for as many as `taskworlds.make_vec` makes, at least one for each
            skill.
        **options: as for `taskworlds.make_vec`. The autoreset mode is RLlib's own, NEXT_STEP.

    Returns:
        The config.

    Raises:
        TypeError: as for `taskworlds.make_vec`, or `config` is not an RLlib config.
        ValueError: as for `taskworlds.make_vec`, or `config` is one of the old API stack.
    """
    if not isinstance(config, AlgorithmConfig):
        raise WrongType(
            f"config must be a config of an RLlib algorithm, as PPOConfig(), not {config!r}.",
            argument="config",
        )
    if not config.enable_env_runner_and_connector_v2:
        raise WrongValue(
            "config must be one of RLlib's new API stack: call config.api_stack("
            "enable_rl_module_and_learner=True, enable_env_runner_and_connector_v2=True).",
            argument="config",
        )
    env_config = {"benchmark": name, **options}
    envs = RunnerBatch(env_config | {"num_envs": num_envs})
    envs.close()
    config.env_config = env_config  # `environment` would add it to that of an earlier call
    config.environment(RunnerBatch)
    config.env_runners(
        num_envs_per_env_runner=envs.num_envs, gym_env_vectorize_mode=gym.VectorizeMode.VECTOR_ENTRY_POINT
    )
    others = [each for each in force_list(config.callbacks_on_episode_end) if each is not log_success]
    return config.callbacks(on_episode_end=[*others, log_success])


class RunnerBatch(gym.vector.VectorWrapper):
    """The batch of an env runner: what RLlib makes of `env_config`, with seeds that no other runner has.

    RLlib gives the first reset of runner w the seed `config.seed + w`, or none. With these, row i would play what row
    i - 1 of the next runner plays, or, without seeds, its row i. It gives that seed again where it samples whole
    episodes, which would all have the same tasks: only the first counts.

    Args:
        env_config: `benchmark`, the name for `taskworlds.make_vec`, `num_envs`, and its options.

    Raises:
        TypeError: as for `taskworlds.make_vec`.
        ValueError: as for `taskworlds.make_vec`, or RLlib asks for a single environment.
    """

    def __init__(self, env_config: dict[str, Any]) -> None:
        options = dict(env_config)
        if "num_envs" not in options:
            raise WrongValue(
                "gym_env_vectorize_mode must be gymnasium.VectorizeMode.VECTOR_ENTRY_POINT, as "
                "taskworlds.integrations.rllib.configure sets it: RLlib asks for a single environment.",
                argument="gym_env_vectorize_mode",
            )
        mode = options.pop("autoreset_mode", AutoresetMode.NEXT_STEP)
        if mode not in (AutoresetMode.NEXT_STEP, AutoresetMode.NEXT_STEP.value):
            raise WrongValue(
                f"autoreset_mode must be NEXT_STEP, as RLlib's env runners expect, not {mode!r}: leave it out.",
                argument="autoreset_mode",
            )
        name, num_envs = options.pop("benchmark"), options.pop("num_envs")
        super().__init__(make_vec(name, num_envs, autoreset_mode=AutoresetMode.NEXT_STEP, **options))
        self._is_seeded = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Resets every row; the first time with a seed derived from the given one, or from fresh entropy.

        Args:
            seed: the runner's seed; None for fresh entropy. After the first reset it is ignored.
            options: as for `TaskVectorEnv.reset`.

        Returns:
            Observations and infos, a batch.
        """
        if self._is_seeded:
            return self.env.reset(options=options)
        self._is_seeded = True
        return self.env.reset(seed=(entropy() if seed is None else seed) * self.num_envs, options=options)


def log_success(
    *,
    episode: SingleAgentEpisode,
    env_runner: Any,
    metrics_logger: Any,
    env: Any,
    env_index: int,
    prev_episode_chunks: Sequence[SingleAgentEpisode] = (),
    **others: Any,
) -> None:
    """Logs whether an episode succeeded; the callback `on_episode_end` that `configure` adds.

    `success_rate` is the share of the latest episodes in which some step succeeded; as for RLlib's own averages, these
    are `config.metrics_num_episodes_for_smoothing`, 100 by default. `success_rate_of` is the same by skill, of as many
    episodes altogether. In trials `success_rate_of_attempt` has it by attempt, "0" for the first. Worlds without
    success log nothing.

    Args:
        episode: what is left of the episode since the last sample.
        env_runner: whose it is.
        metrics_logger: of the runner.
        env: the runner's batch.
        env_index: the row.
        prev_episode_chunks: the parts of the episode before.
        **others: what RLlib passes besides.
    """
    steps = [step for part in (*prev_episode_chunks, episode) for step in part.get_infos()]
    if "success" not in steps[-1]:
        return
    config, skill = env_runner.config, str(env.task_names[env_index])
    latest = config.metrics_num_episodes_for_smoothing / (config.num_env_runners or 1)
    succeeded = any(step.get("success") for step in steps)
    found: dict[tuple[str, ...], tuple[bool, float]] = {
        ("success_rate",): (succeeded, latest),
        ("success_rate_of", skill): (succeeded, latest / len(env.skills)),
    }
    for step in steps:
        if step.get("attempt_ended"):
            found["success_rate_of_attempt", str(step["attempt"])] = step["attempt_success"], latest
    for key, (value, window) in found.items():
        metrics_logger.log_value(key, float(value), window=math.ceil(window))


# --- evaluation ---------------------------------------------------------------------------------------------


def policy_of(found: Any) -> Any:
    """Returns the policy for `taskworlds.evaluate` of an algorithm or a module of RLlib's; None of anything else.

    It acts as RLlib's env runners do without exploration: observations go through the algorithm's connectors, and
    actions through its connectors back, which by default scale them to the action space. Running statistics of
    observations stay as they are. A module by itself gets the connectors that RLlib adds by default.

    Rewards are not shown to policies, so a connector that looks at them finds NaN; `recurrent_info_in_obs=True` puts
    the last reward into observations.

    Args:
        found: an `Algorithm`, which acts as its local env runner; a `SingleAgentEnvRunner`; or an `RLModule`.

    Raises:
        TypeError: it is of several agents, or of the old API stack.
    """
    if isinstance(found, Algorithm):
        if not found.config.enable_env_runner_and_connector_v2 or found.config.is_multi_agent:
            raise WrongType(
                "policy must be an algorithm of RLlib's new API stack with one agent. If it has several, give the "
                'module of one of them: algorithm.get_module("its name").',
                argument="policy",
            )
        if found.env_runner is None:
            return _Player(found.get_module(), found.env_to_module_connector, found.module_to_env_connector)
        found = found.env_runner
    if isinstance(found, SingleAgentEnvRunner):
        return _Player(found.module, found._env_to_module, found._module_to_env)
    if isinstance(found, MultiRLModule):
        if set(found.keys()) != {DEFAULT_MODULE_ID}:
            raise WrongType(
                f"policy must be one module, not those of several agents: give one of {sorted(found.keys())}.",
                argument="policy",
            )
        found = found[DEFAULT_MODULE_ID]
    if isinstance(found, RLModule):
        config = AlgorithmConfig()
        spaces = {INPUT_ENV_SINGLE_SPACES: (found.observation_space, found.action_space)}
        numbers = found.parameters() if isinstance(found, TorchRLModule) else ()
        device = next((each.device for each in numbers), None)
        return _Player(
            found,
            config.build_env_to_module_connector(spaces=spaces, device=device),
            config.build_module_to_env_connector(spaces=spaces),
        )
    return None


def load(checkpoint: str | Path) -> Any:
    """Returns the policy for `taskworlds.evaluate` of an algorithm's checkpoint, without starting Ray.

    On the command line: `--policy taskworlds.integrations.rllib:load --checkpoint PATH`. A checkpoint is unpickled,
    which runs what it says: load only your own.

    Args:
        checkpoint: the folder that `Algorithm.save_to_path` wrote, or Tune.

    Raises:
        ValueError: there is no such checkpoint.
    """
    folder = Path(checkpoint).expanduser().resolve()
    learned = folder / COMPONENT_LEARNER_GROUP / COMPONENT_LEARNER / COMPONENT_RL_MODULE / DEFAULT_MODULE_ID
    if not learned.is_dir():
        raise WrongValue(
            "checkpoint must be the checkpoint folder of an RLlib algorithm with one agent, as Algorithm.save_to_path "
            f"writes it, not {str(checkpoint)!r}: there is no {learned}.",
            argument="checkpoint",
        )
    connectors = folder / COMPONENT_ENV_RUNNER
    if not connectors.is_dir():  # then the algorithm had no local env runner, and has them itself
        connectors = folder
    return _Player(
        RLModule.from_checkpoint(learned),
        EnvToModulePipeline.from_checkpoint(connectors / COMPONENT_ENV_TO_MODULE_CONNECTOR),
        ModuleToEnvPipeline.from_checkpoint(connectors / COMPONENT_MODULE_TO_ENV_CONNECTOR),
    )


class _Player:
    """A module between copies of its connectors, on batched observations.

    Args:
        module: is asked without exploration.
        env_to_module: from episodes to what the module takes.
        module_to_env: from what it returns to actions.
    """

    def __init__(self, module: RLModule, env_to_module: Any, module_to_env: Any) -> None:
        self._module = module
        self._env_to_module, self._module_to_env = copy.deepcopy((env_to_module, module_to_env))
        for connector in self._env_to_module.connectors:
            if isinstance(connector, MeanStdFilter):
                connector._update_stats = False
        self._episodes: list[SingleAgentEpisode] = []
        self._answers: list[
            tuple[Any, dict[str, Any]]
        ] = []  # of each row's last step: the action, and the rest
        self._begins = np.zeros(0, dtype=bool)

    def begin_episodes(self, mask: NDArray[np.bool_], infos: dict[str, Any]) -> None:
        """Notes whose episodes begin."""
        self._begins = self._begins | mask if len(self._begins) == len(mask) else mask.copy()

    def __call__(self, obs: Any) -> Any:
        rows = unbatch(obs)
        if len(self._episodes) != len(rows):
            self._episodes = [SingleAgentEpisode() for _ in rows]
            self._begins = np.ones(len(rows), dtype=bool)
        for row, observation in enumerate(rows):
            if self._begins[row]:
                self._episodes[row] = SingleAgentEpisode()
                self._episodes[row].add_env_reset(observation)
            else:
                action, outputs = self._answers[row]
                self._episodes[row].add_env_step(observation, action, np.nan, extra_model_outputs=outputs)
        self._begins[:] = False
        asked = {"rl_module": self._module, "episodes": self._episodes, "explore": False, "shared_data": {}}
        answer = self._module.forward_inference(self._env_to_module(batch={}, **asked))
        answer = self._module_to_env(batch=answer, **asked)
        actions = answer.pop(Columns.ACTIONS)
        to_env = answer.pop(Columns.ACTIONS_FOR_ENV, actions)
        self._answers = [
            (action, {name: column[row] for name, column in answer.items()})
            for row, action in enumerate(unbatch(actions))
        ]
        return to_env
