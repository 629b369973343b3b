"""What can be evaluated: the protocols of a policy, the check of its actions, and random policies.

A policy is a callable on batched observations, or an object with Meta-World's agent methods;
`taskworlds.evaluation.players` makes one of models, torch modules, names and what else people have. It may also have a
method `begin_episodes(mask, infos)`. `evaluate` calls it after each reset:

- mask: the rows whose episode begins, (N,) bool.
- infos: the reset's infos, arrays over N that mean something in the rows of the mask. Meta-World tasks bring
  "goal" (N, 3), metres. `evaluate` adds "task", the `Task` of each row, "task_name", its skill, and
  "episode_index", the number of the episode among those of its task.

A policy with a generator of its own may draw other numbers for a row if there are more or fewer rows: only what is
keyed by task and episode is independent of the number of rows.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeAlias

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongType, WrongValue, check_seed

__all__ = [
    "Actor",
    "Agent",
    "MetaLearningAgent",
    "Model",
    "Policy",
    "RandomPolicy",
    "Timestep",
    "as_array",
    "is_meta_learner",
    "random_policy",
]


class Timestep(NamedTuple):
    """One step of all rows, as a meta-learning agent is shown it; the fields are Meta-World's.

    Attributes:
        observation: observations that the actions answered, (N, O).
        action: the agent's actions, (N, A).
        reward: (N,) float64.
        terminated: whether the task itself ended, (N,) bool.
        truncated: whether the clock ended the episode, (N,) bool.
        aux_policy_outputs: what `adapt_action` returned beside the actions.
    """

    observation: NDArray[Any]
    action: NDArray[Any]
    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    aux_policy_outputs: dict[str, NDArray[Any]]


class Agent(Protocol):
    """Meta-World's agent: actions for evaluation, and a memory that can be cleared by row."""

    def eval_action(self, observations: NDArray[np.float64]) -> NDArray[Any]:
        """Returns the actions of an evaluation.

        Args:
            observations: of all rows, (N, O) float64.

        Returns:
            Actions, (N, A).
        """

    def reset(self, env_mask: NDArray[np.bool_]) -> None:
        """Clears what the agent remembers of the rows whose next episode begins.

        Args:
            env_mask: which rows, (N,) bool.
        """


class MetaLearningAgent(Agent, Protocol):
    """Meta-World's meta-learning agent: it adapts to the tasks of a batch before it is tested on them."""

    def init(self) -> None:
        """Forgets all adaptation: a new batch of tasks begins."""

    def adapt_action(self, observations: NDArray[np.float64]) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
        """Returns actions (N, A) for adaptation, and whatever the agent wants to find in the `Timestep`."""

    def step(self, timestep: Timestep) -> None:
        """Takes note of a step of adaptation."""

    def adapt(self) -> None:
        """Adapts to what `step` was shown."""


class Model(Protocol):
    """A model as Stable-Baselines3's; see `taskworlds.evaluation.players.as_policy` for what else it may take."""

    @property
    def predict(self) -> Callable[..., Any]:
        """The method that returns actions for observations."""


Policy: TypeAlias = Callable[[Any], Any] | Callable[[], Any] | Agent | Model
"""What `taskworlds.evaluate` takes: a function of observations (N, O) that returns actions (N, A); a class or function
that makes a policy; an `Agent`; or a `Model`.
"""

_META_METHODS = ("init", "adapt_action", "step", "adapt", "eval_action")


def is_meta_learner(policy: Any) -> bool:
    """Returns whether a policy has all methods of a `MetaLearningAgent`."""
    return all(callable(getattr(policy, name, None)) for name in _META_METHODS)


class Actor:
    """A policy of any of the kinds, asked in one way, with its actions checked.

    Args:
        policy: a callable, or an object with `eval_action`; the latter wins where it is both. What
            `taskworlds.evaluation.players.as_policy` returned.
        action_space: of one row.
        num_envs: number of rows N.
    """

    def __init__(self, policy: Any, action_space: gym.Space[Any], num_envs: int) -> None:
        act = getattr(policy, "eval_action", policy)
        self.policy = policy
        self._act: Callable[[Any], Any] = act
        self._space = action_space
        self._num_envs = num_envs

    def begin(self, mask: NDArray[np.bool_], infos: dict[str, Any], *, clear: bool = True) -> None:
        """Tells the policy that episodes begin in the rows of the mask; `clear` resets its memory there."""
        if clear and callable(reset := getattr(self.policy, "reset", None)):
            reset(mask)
        if callable(begin := getattr(self.policy, "begin_episodes", None)):
            begin(mask, infos)

    def act(self, obs: Any, active: NDArray[np.bool_], describe: Callable[[int], str]) -> NDArray[Any]:
        """Returns checked actions for evaluation; `describe(row)` names a row's task for messages."""
        return self._checked(self._act(obs), active, describe)

    def adapt(
        self, obs: Any, active: NDArray[np.bool_], describe: Callable[[int], str]
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Returns checked actions for adaptation, and what the agent returned beside them."""
        given = self.policy.adapt_action(obs)
        if not (isinstance(given, tuple) and len(given) == 2):
            raise WrongType(
                f"adapt_action must return two things, actions and a dictionary, not {type(given).__name__}.",
                argument="adapt_action",
            )
        return self._checked(given[0], active, describe), given[1]

    def _checked(self, given: Any, active: NDArray[np.bool_], describe: Callable[[int], str]) -> NDArray[Any]:
        if self._space.shape is None:
            composite: NDArray[Any] = given
            return composite  # which the environment itself has to judge
        rows: list[int] = np.flatnonzero(active).tolist()
        first = describe(rows[0] if rows else 0)
        expected = (self._num_envs, *self._space.shape)
        if isinstance(given, tuple) and len(given) != self._num_envs:
            raise WrongType(
                f"The policy must return an array of shape {expected}, not a tuple of {len(given)}: return the actions "
                "alone."
            )
        try:
            actions = as_array(given)
        except ValueError as error:
            raise WrongValue(
                f"The policy must return an array of shape {expected}, not rows of different lengths "
                f"({error}); the first row that waits for an action is {first}."
            ) from None
        if callable(given) or callable(getattr(given, "predict", None)):
            raise WrongType(
                f"The policy must return an array of shape {expected}, not {given!r}: if it is a function that makes a "
                "policy, give what it makes."
            )
        if actions.dtype.kind not in "biuf":
            what = f"an array of {actions.dtype}" if actions.shape else type(given).__name__
            raise WrongType(
                f"The policy must return numbers, not {what}; the first row that waits for an action is {first}."
            )
        if actions.shape != expected:
            raise WrongValue(
                f"The policy must return actions of shape {expected}, one row for each row of its "
                f"observations, not {actions.shape}; the first row that waits for an action is "
                f"{first}.{self._hint(actions)}"
            )
        if isinstance(self._space, gym.spaces.Box):
            if np.issubdtype(self._space.dtype, np.floating) and actions.dtype.kind != "f":
                raise WrongType(
                    f"The policy must return floating-point actions for {self._space}, not {actions.dtype}; "
                    f"the first row that waits for one is {first}. Convert them if they are "
                    "meant to be exact."
                )
            broken = active & ~np.isfinite(actions).reshape(self._num_envs, -1).all(axis=1)
            if broken.any():
                row = int(np.argmax(broken))
                raise WrongValue(
                    f"The policy returned an action that is not finite in {describe(row)}: "
                    f"{actions[row].tolist()}."
                )
            if actions.dtype.kind == "f" and actions.dtype not in (np.float32, np.float64):
                actions = actions.astype(np.float64)
        else:
            for row in rows:
                if not self._space.contains(actions[row]):
                    raise WrongValue(
                        f"The policy returned an action outside {self._space} in {describe(row)}: "
                        f"{actions[row].tolist()!r}."
                    )
        return actions

    def _hint(self, actions: NDArray[Any]) -> str:
        """Returns what to do where actions of a wrong shape are scores."""
        if isinstance(self._space, gym.spaces.Discrete) and actions.shape == (self._num_envs, self._space.n):
            return " If these are scores of the actions, return their argmax(-1)."
        return ""


def as_array(given: Any) -> NDArray[Any]:
    """Returns actions as a NumPy array: of a tensor, also one with a gradient, of bfloat16 or on a GPU, or of a list.

    Raises:
        ValueError: a list has entries of different shapes.
    """
    if isinstance(given, list | tuple) and any(hasattr(each, "detach") for each in given):
        given = [as_array(each) for each in given]
    if callable(getattr(given, "detach", None)):
        given = given.detach()
        if str(given.dtype).removeprefix("torch.") in ("bfloat16", "float16"):
            given = given.float()
        given = given.cpu().numpy()
    array = np.asarray(given)
    if array.dtype.name == "bfloat16":  # of jax, which NumPy does not know
        array = array.astype(np.float32)
    return array


class RandomPolicy:
    """Actions drawn from the action space, by episode: see `random_policy`."""

    def __init__(self, action_space: gym.Space[Any], seed: int) -> None:
        if not isinstance(action_space, gym.Space) or action_space.shape is None:
            raise WrongType(
                "action_space must be the space of one row's actions, of one array each, not "
                f"{action_space!r}: give envs.single_action_space.",
                argument="action_space",
            )
        self._space = action_space
        self._seed = check_seed(seed)
        self._num_envs: int | None = None
        self._rows: dict[int, gym.Space[Any]] = {}

    def begin_episodes(self, mask: NDArray[np.bool_], infos: dict[str, Any]) -> None:
        """Seeds the rows whose episodes begin."""
        self._num_envs = len(mask)
        for row in np.flatnonzero(mask).tolist():
            key = [int(infos["task"][row].id, 16), int(infos["episode_index"][row])]
            self._rows[row] = self._seeded(key)

    def __call__(self, obs: Any) -> NDArray[Any]:
        """Returns actions (N, *shape of the space)."""
        num_envs = len(obs) if self._num_envs is None else self._num_envs
        return np.stack([np.asarray(self._row(row).sample()) for row in range(num_envs)])

    def _row(self, row: int) -> gym.Space[Any]:
        if row not in self._rows:
            self._rows[row] = self._seeded([row])
        return self._rows[row]

    def _seeded(self, key: list[int]) -> gym.Space[Any]:
        space = copy.deepcopy(self._space)
        space.seed(int(np.random.SeedSequence([self._seed, *key]).generate_state(1)[0]))
        return space


def random_policy(action_space: gym.Space[Any], seed: int) -> RandomPolicy:
    """Makes a policy that draws each action from the space.

    Each episode has a generator of its own, seeded by `seed`, the task and the number of the episode. So the
    outcome of an evaluation depends on the seed alone, not on the number of rows or on which other tasks are
    evaluated. Called outside `evaluate`, without `begin_episodes`, each row draws from a generator seeded by
    `seed` and the row.

    Args:
        action_space: of one row. It is copied, and its own generator is not used.
        seed: of all draws.

    Raises:
        TypeError: `action_space` is not a space of arrays, or `seed` is not a whole number.

    Example:
        >>> policy = random_policy(gym.spaces.Box(-1.0, 1.0, (4,)), seed=0)
        >>> policy(np.zeros((10, 39))).shape
        (10, 4)
    """
    return RandomPolicy(action_space, seed)
