"""The keywords of `make` and `make_vec`, typed and documented: the one place that says what each means.

A type checker reads them from the signatures, which name these classes, and `help` shows them: `documented` puts them
into a function's docstring and signature.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from gymnasium.vector import AutoresetMode
from typing_extensions import Doc, TypedDict

from taskworlds.vector.curriculum import CurriculumFunction
from taskworlds.vector.task_selection import TaskChooser

__all__ = ["INSTEAD", "BenchmarkKeywords", "MakeKeywords", "OptionKeywords", "documented"]

TaskSelect = Literal["random", "pseudorandom", "round_robin", "fixed"] | TaskChooser
"""How a row's next task is chosen."""
RenderMode = Literal["rgb_array", "depth_array", "human"]
"""What `render` returns: pictures, depths, or None and a window."""
Observed = Literal["state", "pixels", "state+pixels"]
"""What observations hold."""
PictureChannels = Literal["rgb", "depth", "rgbd"]
"""What observed pictures show: colours, depths, or both."""
PictureQuality = Literal["official", "training"]
"""How observed pictures are drawn."""


class BenchmarkKeywords(TypedDict, total=False):
    """The keywords of a benchmark that is given by name; see `taskworlds.benchmark`."""

    env_name: Annotated[str | None, Doc("the skill of MT1 or ML1.")]
    num_goals: Annotated[
        int | None,
        Doc(
            "goals of each skill, or tasks of each split; 50 in Meta-World, elsewhere the benchmark's own number."
        ),
    ]
    envs_list: Annotated[
        Iterable[str] | None,
        Doc(
            "the skills of custom-mt-envs; a skill that is named several times has rows, goals and an index in the "
            "one-hot each time."
        ),
    ]
    train_envs: Annotated[Iterable[str] | None, Doc("the train skills of custom-ml-envs.")]
    test_envs: Annotated[Iterable[str] | None, Doc("the test skills of custom-ml-envs.")]
    partially_observable: Annotated[
        bool | None,
        Doc(
            "hide the goal from observations. None: hidden in the ML benchmarks and shown in the MT benchmarks; in "
            "other worlds as the benchmark says."
        ),
    ]


class OptionKeywords(TypedDict, total=False):
    """The choices that every environment takes, under Meta-World's names."""

    use_one_hot: Annotated[
        bool,
        Doc(
            "append the one-hot of the row's skill to the observation, in the order of the benchmark's skills. This "
            "and the other options that change observations are for worlds whose observations are a vector of floats."
        ),
    ]
    num_tasks: Annotated[
        int | None,
        Doc("length of the one-hot, at least the number of skills; None for the number of skills."),
    ]
    env_id: Annotated[
        int | None,
        Doc(
            "index of the skill in the one-hot, below `num_tasks`, for benchmarks of one skill; None for the first."
        ),
    ]
    max_episode_steps: Annotated[
        int | None,
        Doc("steps after which an episode is truncated; None for the world's own limit (500 in Meta-World)."),
    ]
    terminate_on_success: Annotated[bool, Doc("terminate the episode on its first step that succeeds.")]
    task_select: Annotated[
        TaskSelect,
        Doc(
            'how the task of the next episode is chosen: "random", "pseudorandom" (every task once before any '
            'repeats), "round_robin", "fixed" (the first), or a function of the row\'s tasks and its generator.'
        ),
    ]
    curriculum: Annotated[
        CurriculumFunction | None,
        Doc(
            "a function that is told of the episodes that have ended (`taskworlds.vector.curriculum.EndedEpisode`), "
            "and returns weights of all tasks of the split, or None to leave them: by these each row draws its next "
            "task from all those of its world; see docs/curricula.md. None: `task_select` chooses."
        ),
    ]
    group_size: Annotated[
        int | None,
        Doc(
            "rows in a group, which divides num_envs: consecutive rows whose k-th episodes have the same task and "
            "start, whenever they begin, as GRPO needs them; see docs/action_chunks.md. None: each row draws its own."
        ),
    ]
    sample_tasks_on_reset: Annotated[
        bool | None,
        Doc(
            "whether each reset chooses a task, or only `sample_tasks` and a seeded reset do. None: each reset does, "
            'except with task_select "pseudorandom" and "fixed", as in Meta-World.'
        ),
    ]
    reward_function_version: Annotated[
        str | None, Doc('the reward, in Meta-World "v1" or "v2"; None for the world\'s newest.')
    ]
    recurrent_info_in_obs: Annotated[
        bool,
        Doc(
            "append the last action, the last reward, and whether the last step ended the episode (in trials: the "
            "attempt); zeros after a reset."
        ),
    ]
    normalize_reward_in_recurrent_info: Annotated[bool, Doc("divide the appended last reward by 10.")]
    normalize_observations: Annotated[
        bool, Doc("center and scale observations by each row's running mean and variance.")
    ]
    reward_normalization_method: Annotated[
        Literal["gymnasium", "exponential"] | None,
        Doc(
            'divide rewards: "gymnasium", by the running deviation of the discounted return; "exponential", by the '
            "exponentially weighted deviation of the reward. None: leave them."
        ),
    ]
    reward_alpha: Annotated[float, Doc('weight of the newest reward in "exponential".')]
    k_episodes: Annotated[
        int | None,
        Doc(
            "attempts of a trial: each episode becomes k attempts at its task, with a soft reset between them; see "
            "`TaskVectorEnv`. None: no trials. In ML benchmarks trials keep to one task unless "
            "sample_tasks_on_reset is True."
        ),
    ]
    names_in_info: Annotated[
        bool,
        Doc(
            "add `task_name` (the skill) and `task_id` (`Task.id`) of each row to infos, as strings. Without it "
            "infos hold only numbers, and the environment's `task_names` and `task_ids` have the strings."
        ),
    ]
    instructions_in_info: Annotated[
        bool,
        Doc(
            "add `instruction`, what is to be done in each row as a sentence, to infos. Without it the environment's "
            "`instructions` has them; docs/instructions.md has the sentences and says what they tell of goals."
        ),
    ]
    paraphrases: Annotated[
        bool | Sequence[int],
        Doc(
            "draw the instruction of each episode, by the row's seed and the same on every engine, from all of the "
            "task's sentences (True), or from those of these numbers: 0 is the plain one, which False always takes."
        ),
    ]
    record_episode_statistics: Annotated[
        bool,
        Doc(
            "add `episode` to infos where an episode ends: its return `r`, length `l` and time `t`, as Gymnasium's "
            "RecordEpisodeStatistics does, which then cannot be used. Under SAME_STEP `final_info` has it anyway."
        ),
    ]
    num_threads: Annotated[
        int | None,
        Doc(
            "number of threads of an engine that takes this option, such as the native engine; None for the number of "
            "processors that the process may use, which its control groups' quotas and OMP_NUM_THREADS limit. It has "
            "no effect on other engines, but also limits the threads that draw pictures that are observed."
        ),
    ]
    engine_options: Annotated[
        Mapping[str, Any] | None,
        Doc(
            'options of the engine in use, by name; those that it does not take are refused. `{"num_threads": 4}` '
            'is the same as num_threads=4, but for the native engine only. "async" takes worker_timeout, the seconds '
            "after which a process that neither answers nor computes counts as stopped (30; None for never). "
            '"ray" takes num_workers (as many as there are free processors for), cpus_per_worker (1), which are also '
            "the threads of a worker, and address, of a cluster."
        ),
    ]
    autoreset_mode: Annotated[
        AutoresetMode | str,
        Doc("what happens to a row whose episode has ended, as in Gymnasium; SAME_STEP by default."),
    ]
    batch_size: Annotated[
        int | None,
        Doc(
            "how many rows `recv` of `make_vec`'s environments returns, the first that are done, at most num_envs; see "
            "docs/partial_batches.md. None: there are only whole batches."
        ),
    ]
    play_whole_chunks: Annotated[
        bool,
        Doc(
            "take all steps of a chunk of actions, also past the end of an episode, and have its flag in the chunk's "
            "last column, as RLinf does. False: a row stops where its episode ends. See docs/action_chunks.md."
        ),
    ]
    pad: Annotated[
        bool,
        Doc(
            "let a batch hold several worlds, each in rows of its own: observations are padded at the end with "
            "zeros to the longest, actions to the most entries, and `observation_mask` and `action_mask` say what "
            "each row has; see docs/mixed_worlds.md. The first argument may then be a list of names, benchmarks "
            "and tasks."
        ),
    ]
    render_mode: Annotated[
        RenderMode | None,
        Doc("what `render` returns; None for no pictures. This and the following are for worlds that draw."),
    ]
    camera_name: Annotated[str | None, Doc("camera of the picture, by name.")]
    camera_id: Annotated[int | None, Doc("camera of the picture, by number.")]
    width: Annotated[int, Doc("the width of pictures, rendered or observed, pixels; 480.")]
    height: Annotated[int, Doc("the height of pictures, rendered or observed, pixels; 480.")]
    observation: Annotated[
        Observed,
        Doc(
            'what is observed: "state", the world\'s own observation; "pixels", a picture, (height, width, 3) uint8; '
            'or "state+pixels", a Dict with both, as "state" and "pixels". docs/pixels.md has more.'
        ),
    ]
    cameras: Annotated[
        Iterable[str] | None,
        Doc(
            "cameras of the pictures that are observed, by name; observations are then a Dict with a picture for each "
            "name, unless there is one camera and nothing beside. None: one, that of `render`."
        ),
    ]
    picture_channels: Annotated[
        PictureChannels,
        Doc(
            'what pictures that are observed are of: "rgb", colours; "depth", depths, (height, width) float32, metres '
            'along the camera\'s axis; or "rgbd", both, the depths as "depth" or under the camera\'s name and "_depth".'
        ),
    ]
    picture_quality: Annotated[
        PictureQuality,
        Doc(
            'how pictures that are observed are drawn: "official", as `render` has them; or "training", with coarser '
            "shadows and edges that are not smoothed, which takes a third of the processor's time."
        ),
    ]
    camera_poses: Annotated[
        Mapping[str, Iterable[float]] | None,
        Doc(
            "where cameras of the pictures that are observed stand instead of where the model has them, by name: x, y, "
            "z in metres, or these and a quaternion w, x, y, z, in the frame of the body that the camera hangs on."
        ),
    ]
    action_repeat: Annotated[
        int | None,
        Doc(
            "raw steps of the world that each step takes with its action, fewer where one ends the episode. Rewards "
            "are summed, max_episode_steps and the statistics count steps, and `raw_steps` in infos counts the "
            "world's. Without max_episode_steps the world's own limit of raw steps holds. None: the protocol's, or 1."
        ),
    ]
    repeat_success: Annotated[
        Literal["any", "last"] | None,
        Doc(
            "which raw steps of a repeated action must succeed for the step to be a success: any of them, or the "
            'last. None: the protocol\'s, or "any".'
        ),
    ]
    unlimited_goals: Annotated[
        bool | None,
        Doc(
            "draw a new goal in every episode, from all that the skill's reset can place, by the row's generator. The "
            "benchmark's tasks then only say which skills a row has, and `task_index` in infos is -1. None: as the "
            "protocol says, and not without one."
        ),
    ]
    protocol: Annotated[
        Literal["tdmpc2", "newt"] | None,
        Doc(
            "set what the authors of an algorithm set: repeated actions, limits, goals and the first observation. "
            "docs/protocols.md says what each protocol sets; a keyword that contradicts it is refused."
        ),
    ]


class MakeKeywords(BenchmarkKeywords, OptionKeywords, total=False):
    """The keywords of `make` and `make_vec` that say what the environment is like; `make_vec` describes each.

    It is for the annotations of functions that pass keywords on: `**options: Unpack[MakeKeywords]`.
    """


_PIXELS = "give width and height, pixels"

INSTEAD = {
    "autoreset": "autoreset_mode",
    "backend": "vector_strategy",
    "camera": "camera_name",
    "camera_names": "cameras",
    "chunk_size": "step takes chunks of any number of steps, (num_envs, T, A); see docs/action_chunks.md",
    "engine": "vector_strategy",
    "env_list": "envs_list",
    "env_names": "envs_list",
    "envs": "envs_list",
    "episode_length": "max_episode_steps",
    "frame_skip": "action_repeat",
    "frame_stack": "gymnasium.wrappers.FrameStackObservation stacks observations",
    "from_pixels": 'observation="pixels"',
    "frameskip": "action_repeat",
    "goal_hidden": "partially_observable",
    "goal_observable": "partially_observable, which says the opposite: True hides the goal",
    "goal_visible": "partially_observable, which says the opposite: True hides the goal",
    "goals": "num_goals, or unlimited_goals=True for a new goal in every episode",
    "horizon": "max_episode_steps",
    "image_shape": _PIXELS,
    "image_size": _PIXELS,
    "img_size": _PIXELS,
    "max_episode_length": "max_episode_steps",
    "max_path_length": "max_episode_steps",
    "max_steps": "max_episode_steps",
    "n_envs": "num_envs",
    "n_goals": "num_goals",
    "n_threads": "num_threads",
    "num_envs": "taskworlds.make_vec makes a batch",
    "num_workers": "num_threads",
    "obs_type": "observation",
    "observation_mode": "observation",
    "observation_type": "observation",
    "one_hot": "use_one_hot",
    "onehot": "use_one_hot",
    "render_size": _PIXELS,
    "resolution": _PIXELS,
    "skill": "env_name",
    "skills": "envs_list",
    "task": "env_name",
    "task_name": "env_name",
    "time_limit": "max_episode_steps",
}
"""What other libraries call our keywords: by their name ours, or what to do."""

Function = TypeVar("Function", bound=Callable[..., Any])


def documented(keywords: type, defaults: Mapping[str, Any]) -> Callable[[Function], Function]:
    """Decorates a function that takes `**options: Unpack[keywords]`: `help` then shows each keyword and what it means.

    Args:
        keywords: a TypedDict whose entries are `Annotated[type, Doc("...")]`.
        defaults: their default values; None for those that are left out.
    """
    entries = get_type_hints(keywords, include_extras=True)

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        plain = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
        more = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(name), annotation=_type_of(entry)
            )
            for name, entry in entries.items()
        ]
        function.__signature__ = signature.replace(parameters=[*plain, *more])  # type: ignore[attr-defined]
        lines = [_line(name, _text_of(entry)) for name, entry in entries.items()]
        doc = inspect.cleandoc(function.__doc__ or "")
        assert "    **options:" in doc, f"{function.__name__} must have a line **options in its Args"
        before, _, after = doc.partition("    **options:")
        rest = after.split("\n\n", 1)
        function.__doc__ = before + "\n".join(lines) + ("\n\n" + rest[1] if len(rest) > 1 else "")
        return function

    return decorate


def _line(name: str, text: str) -> str:
    return textwrap.fill(f"{name}: {text}", 110, initial_indent="    ", subsequent_indent="        ")


def _type_of(entry: Any) -> Any:
    return get_args(entry)[0] if get_origin(entry) is Annotated else entry


def _text_of(entry: Any) -> str:
    return next(each.documentation for each in get_args(entry)[1:] if isinstance(each, Doc))
