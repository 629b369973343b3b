"""Stable-Baselines3's own type of vector environment around a batch: one engine steps all rows.

Example:
    >>> from stable_baselines3 import PPO  # doctest: +SKIP
    >>> from taskworlds.integrations.sb3 import make_vec_env  # doctest: +SKIP
    >>> model = PPO("MlpPolicy", make_vec_env("reach-v3", n_envs=8), seed=0).learn(100_000)  # doctest: +SKIP
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.vector.make import make_vec
from taskworlds.vector.task_vector_env import TaskVectorEnv

try:
    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.preprocessing import check_for_nested_spaces
    from stable_baselines3.common.vec_env import VecEnv
except ImportError as error:
    raise ImportError(
        "taskworlds.integrations.sb3 needs Stable-Baselines3, which could not be imported "
        f'({error}). Type: pip install "taskworlds[sb3]"'
    ) from error

__all__ = ["SB3VecEnv", "make_vec_env", "policy_of"]

# What a batch and a single environment have under the same name, the same for all rows.
_OF_ALL_ROWS = ("benchmark", "metadata", "observation_layout", "render_mode", "skills", "spec", "split")
_SWITCHES = {
    "toggle_terminate_on_success": "terminate_on_success",
    "toggle_sample_tasks_on_reset": "sample_tasks_on_reset",
}
_READ_ONLY = ("get_checkpoint", "render")  # methods that may be called in more rows than are meant
_ATTEMPT_OBS = "attempt_final_obs"
_APART = ("final_info", "final_obs", "episode", _ATTEMPT_OBS)  # infos that are not one array over the rows


class SB3VecEnv(VecEnv):  # type: ignore[misc]  # its type is known where SB3 is installed
    """A batch of N rows as Stable-Baselines3's VecEnv, in any autoreset mode.

    As in SB3's own, a row whose episode ends begins the next one in the same step. Observations are the batch's,
    rewards (N,) float32, dones (N,) bool. All of them, and infos, are the caller's own.

    The info of a row is that of a single environment (docs/infos.md), with Python's numbers; where an episode ends, it
    is that of the ended episode. In addition it holds:

    - `TimeLimit.truncated`: whether the limit ended the episode, bool;
    - `is_success`, in worlds with success: bool, whether any step of the episode has succeeded so far. In trials any
      step of the attempt, so at the end of a trial it is the success of its last attempt;
    - where the episode ends: `terminal_observation`, its last one, and `episode`: the return `r` (float, before any
      normalisation), the length `l` (int), and the seconds `t` since this object was made (float).

    That is all that `Monitor` and `VecMonitor` add, and `env_is_wrapped(Monitor)` says so: `VecMonitor` is only of use
    to write a file. `VecNormalize`, `VecFrameStack` and SB3's other wrappers go around it.

    Args:
        envs: what `taskworlds.make_vec`, or `gymnasium.make_vec` of one of our ids, returned. From here on only this
            object steps and resets it.

    Raises:
        TypeError: `envs` is something else.
        NotImplementedError: observations are dictionaries or tuples of such; SB3 says so.

    Attributes:
        batch: as given.
        reset_infos: by row, the info of its last reset.
    """

    def __init__(self, envs: TaskVectorEnv) -> None:
        if not isinstance(envs, TaskVectorEnv):
            raise WrongType(
                "envs must be a batch from taskworlds.make_vec(name, num_envs), or from gymnasium.make_vec with one "
                f"of its ids, not {envs!r}. SB3 takes single environments as they are. Give a batch without "
                "wrappers, and put SB3's own (VecNormalize, VecFrameStack, ...) around the SB3VecEnv. "
                "make_vec_env(name) makes an SB3VecEnv by name.",
                argument="envs",
            )
        check_for_nested_spaces(envs.single_observation_space)
        self.batch = envs
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)
        self.metadata = envs.metadata
        self.spec = envs.spec
        self._made_at = time.time()
        self._under_way = False
        self._has_success = envs.world.has_success
        self._succeeded = [False] * envs.num_envs  # of each row's episode, in trials its attempt, so far

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.batch!r})"

    # --- episodes -------------------------------------------------------------------------------------------

    def reset(self) -> Any:
        """Starts an episode in every row, with the seeds of `seed` and the options of `set_options`, if there are any.

        Returns:
            Observations, a batch. A step under way is waited for, and forgotten.

        Raises:
            TypeError: a row's options hold something else than `task`.
            ValueError: a task does not fit.
        """
        if self._under_way:
            self._under_way = False
            self.batch.step_wait()
        for each in self._options:
            if unknown := sorted(set(each) - {"task"}):
                raise WrongType(f"reset takes the option task, not {', '.join(map(str, unknown))}.")
        tasks = [each.get("task") for each in self._options]
        given = np.array([task is not None for task in tasks])
        obs: Any = None
        infos: dict[str, Any] = {}
        for rows in (given, ~given):  # wrong tasks are refused before anything is reset
            if rows.any():
                options: dict[str, Any] = {"reset_mask": rows}
                if rows is given:
                    options["tasks"] = [task for task in tasks if task is not None]
                obs, infos = self.batch.reset(seed=self._seeds, options=options)
        self.reset_infos = self._of_rows(infos)
        self._succeeded = [False] * self.num_envs
        self._reset_seeds()
        self._reset_options()
        return obs

    def step_async(self, actions: NDArray[Any]) -> None:
        """Begins a step; the caller may compute while the rows step.

        Args:
            actions: one action of each row, (N, A), or (N,) where an action is a choice.

        Raises:
            TypeError: the actions are of another type than the space's.
            ValueError: the actions' shape is wrong, or a row cannot take its action.
            RuntimeError: there was no reset yet.
        """
        self.batch.step_async(actions)
        self._under_way = True

    def step_wait(self) -> tuple[Any, NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Waits for the step that `step_async` began.

        Returns:
            Observations, rewards, dones and infos; see the class.
        """
        self._under_way = False
        obs, rewards, terminations, truncations, infos = self.batch.step_wait()
        dones = terminations | truncations
        rows = self._of_rows(infos)
        if dones.any():
            if self.batch.autoreset_mode is AutoresetMode.SAME_STEP:
                begun, ended, last_obs = rows, self._of_rows(infos["final_info"]), infos["final_obs"]
            else:
                ended, last_obs = rows, obs
                obs, infos = self.batch.reset(options={"reset_mask": dones})
                begun = self._of_rows(infos)
            rows = list(rows)
            for row in np.flatnonzero(dones).tolist():
                self.reset_infos[row], rows[row] = begun[row], ended[row]
                rows[row]["terminal_observation"] = self.batch.row_obs(last_obs, row)
                rows[row]["episode"] = self._statistics(ended[row])
        flags = zip(rows, truncations.tolist(), dones.tolist(), strict=True)
        for row, (info, truncated, done) in enumerate(flags):
            info["TimeLimit.truncated"] = truncated
            if self._has_success:
                info["is_success"] = succeeded = self._succeeded[row] or info["success"] > 0
                self._succeeded[row] = succeeded and not (done or info.get("attempt_ended"))
        return obs, rewards.astype(np.float32), dones, rows

    def _of_rows(self, infos: dict[str, Any]) -> list[dict[str, Any]]:
        """Takes a batch's infos apart into one dictionary a row, all columns at once."""
        columns = {
            name: values.tolist() if values.ndim == 1 else values
            for name, values in infos.items()
            if not name.startswith("_") and name not in _APART
        }
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        if _ATTEMPT_OBS in infos:
            for row, info in enumerate(rows):
                info[_ATTEMPT_OBS] = self.batch.row_obs(infos[_ATTEMPT_OBS], row)
        return rows

    def _statistics(self, info: dict[str, Any]) -> dict[str, Any]:
        seconds = round(time.time() - self._made_at, 6)
        return {"r": info["episode_return"], "l": info["episode_length"], "t": seconds}

    def close(self) -> None:
        """Closes the batch."""
        self.batch.close()

    # --- rows -----------------------------------------------------------------------------------------------

    def get_attr(self, attr_name: str, indices: int | Iterable[int] | None = None) -> list[Any]:
        """Returns an attribute of some rows, under the names of single environments.

        Args:
            attr_name: the attribute, such as "task".
            indices: a row or several; None for all.

        Returns:
            A value for each of these rows.

        Raises:
            AttributeError: there is no such attribute.
        """
        if attr_name in _OF_ALL_ROWS:
            values: Sequence[Any] = [getattr(self.batch, attr_name)] * self.num_envs
        else:
            values = self.batch.get_attr(attr_name)
        return [values[row] for row in self._chosen(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: int | Iterable[int] | None = None) -> None:
        """Sets an attribute of some rows to one value.

        Args:
            attr_name: the attribute, under the name of single environments.
            value: its new value.
            indices: a row or several; None for all.

        Raises:
            AttributeError: there is no such attribute, or it cannot be set.
            ValueError: the value does not fit, or has to be the same in all rows.
        """
        rows = self._chosen(indices)
        values = [value] * self.num_envs
        if len(set(rows)) < self.num_envs:
            values = [value if row in rows else old for row, old in enumerate(self.get_attr(attr_name))]
        self.batch.set_attr(attr_name, values)

    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: int | Iterable[int] | None = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        """Calls a method of some rows.

        Some rows alone can be given a task (`set_task`), switched (`toggle_terminate_on_success`,
        `toggle_sample_tasks_on_reset`) and asked (`get_checkpoint`, `render`).

        Args:
            method_name: the method, under the name of single environments.
            *method_args: what it is called with.
            indices: a row or several; None for all.
            **method_kwargs: what it is called with, by keyword.

        Returns:
            A result for each of these rows; None for `set_task` and switches.

        Raises:
            AttributeError: there is no such method.
            ValueError: a batch can call it in all rows only.
        """
        rows = self._chosen(indices)
        if method_name == "set_task":
            self._set_task(rows, *method_args, **method_kwargs)
            return [None] * len(rows)
        if method_name in _SWITCHES:
            self._switch(_SWITCHES[method_name], rows, *method_args, **method_kwargs)
            return [None] * len(rows)
        if len(set(rows)) < self.num_envs and method_name not in _READ_ONLY:
            raise WrongValue(
                f"indices must be left out for {method_name}, not {rows}: a batch calls it in all of its rows, not "
                "only in some of them.",
                argument="indices",
            )
        results = self.batch.call(method_name, *method_args, **method_kwargs)
        return [results[row] for row in rows]

    def _set_task(self, rows: list[int], task: Any) -> None:
        self.batch.set_tasks(task, np.isin(np.arange(self.num_envs), rows))

    def _switch(self, name: str, rows: list[int], on: Any) -> None:
        self.set_attr(name, on, rows)

    def env_is_wrapped(self, wrapper_class: type, indices: int | Iterable[int] | None = None) -> list[bool]:
        """Returns for some rows whether they do what a wrapper does: True for SB3's `Monitor` alone.

        Args:
            wrapper_class: the wrapper.
            indices: a row or several; None for all.
        """
        return [wrapper_class is Monitor for _ in self._chosen(indices)]

    def _chosen(self, indices: int | Iterable[int] | None) -> list[int]:
        rows = range(self.num_envs)
        return [rows[row] for row in self._get_indices(indices)]

    # --- pictures -------------------------------------------------------------------------------------------

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """Returns one picture a row, (height, width, 3) uint8; None, with a warning, without `render_mode="rgb_array"`.

        `render` returns one picture of all rows.
        """
        if self.render_mode != "rgb_array":
            warnings.warn(
                f'There are no pictures with render_mode={self.render_mode!r}: make the batch with "rgb_array".',
                stacklevel=2,
            )
            return [None] * self.num_envs
        return list(self.batch.render())


def make_vec_env(name: Any, n_envs: int | None = None, *, seed: int | None = 0, **options: Any) -> SB3VecEnv:
    """Makes what SB3's function of this name makes, as one batch: `SB3VecEnv(taskworlds.make_vec(name, n_envs, ...))`.

    Args:
        name: a benchmark's name ("MT10"), a skill's ("reach-v3"), or whatever else `taskworlds.make_vec` takes.
        n_envs: rows, N. None: as `taskworlds.make_vec`, one for each skill.
        seed: seed of the goals, and of the first reset: row i has `seed + i`. An algorithm that is given a seed of its
            own resets with that one.
        **options: as for `taskworlds.make_vec`.

    Raises:
        TypeError: as for `taskworlds.make_vec`.
        ValueError: as for `taskworlds.make_vec`.
    """
    if "num_envs" in options:
        raise WrongType(
            "make_vec_env() got an unexpected keyword argument 'num_envs': the number of rows is n_envs, as in SB3's.",
            argument="num_envs",
        )
    return SB3VecEnv(make_vec(name, n_envs, seed=seed, **options))


def policy_of(policy: Any) -> Any:
    """Returns a model of SB3's as a policy for `taskworlds.evaluate`; None for anything else.

    A model whose environment is normalised (`VecNormalize`) gets observations normalised in the same way, by the
    statistics as they are. `Algorithm.load(path, env=VecNormalize.load(path, env))` brings both back.

    Args:
        policy: a model, such as `PPO.load(path)`; or anything else.
    """
    return _Model(policy) if isinstance(policy, BaseAlgorithm) else None


class _Model:
    """A model of SB3's on batched observations, with deterministic actions; recurrent ones keep their state.

    Args:
        model: the model.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._state: Any = None
        self._starts: NDArray[np.bool_] | None = None

    def begin_episodes(self, mask: NDArray[np.bool_], infos: dict[str, Any]) -> None:
        """Notes whose episodes begin, (N,) bool."""
        self._starts = mask.copy() if self._starts is None else self._starts | mask

    def __call__(self, obs: Any) -> NDArray[Any]:
        normalizer = self._model.get_vec_normalize_env()
        if normalizer is not None:
            obs = normalizer.normalize_obs(obs)
        actions: NDArray[Any]
        actions, self._state = self._model.predict(
            obs, state=self._state, episode_start=self._starts, deterministic=True
        )
        if self._starts is not None:
            self._starts = np.zeros_like(self._starts)
        return actions
