"""Which row has which task, and which one comes next."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.benchmark import Benchmark, warn_of_entropy
from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.core.task import Task
from taskworlds.vector.composition import Composition
from taskworlds.vector.curriculum import Curriculum
from taskworlds.vector.flat_state import NOT_A_STATE, TaskList, check_array
from taskworlds.vector.generators import Generators, check_generator
from taskworlds.vector.instructions import Instructions
from taskworlds.vector.options import Options
from taskworlds.vector.task_selection import TaskSelection

__all__ = ["Assignments"]


class Assignments:
    """The tasks of N rows: those that each chooses from, the one at hand, and those to come.

    Args:
        benchmark, split: where the tasks come from.
        composition: which world each of the N rows serves, and the tasks that it is dealt.
        options: how tasks are chosen.
        seed: as for `TaskVectorEnv`.

    Attributes:
        current: the task of each row's episode at hand; None before the first reset.
        held: by row, the task of all episodes to come, or None; what `set_tasks` gave.
        following: by row, the task of the next episode alone, or None; given to a reset, or drawn.
        sample_on_reset: whether each reset chooses a task, (N,) bool.
        selections: what chooses the tasks of each row.
        curriculum: what weighs the tasks, of which each row then chooses from all of its world; or None.
        generators: the random generators of the rows.
        instructions: the words that tell each row its task.
        skill_index: each row's skill, its place in the split's skills, (N,) int64; -1 for another or none.
        task_index: each row's task, its place in the split's tasks, (N,) int64; -1 for another or none.
        labels: the names of each row's task: "task_name" and "task_id", each (N,) object; None before the first reset.
    """

    def __init__(
        self,
        benchmark: Benchmark,
        split: str,
        composition: Composition,
        options: Options,
        seed: int | None,
    ) -> None:
        num_rows, world = len(composition.dealt), composition.world
        tasks = benchmark.tasks(split)
        every = (*tasks, *benchmark.train_tasks, *benchmark.test_tasks)
        self._composition = composition
        self._world = world
        self._title = benchmark.name
        self._calls_a_function = callable(options.task_select)
        self._known = (
            benchmark.env_names(split)
            if options.use_one_hot
            else list(dict.fromkeys(task.env_name for task in every))
        )
        self.curriculum = (
            None if options.curriculum is None else Curriculum(options.curriculum, tasks, composition)
        )
        if self.curriculum is None:
            self.selections = [TaskSelection(options.task_select, own) for own in composition.dealt]
        else:
            self.selections = self.curriculum.selections
        self._start_is_random = composition.has(lambda each: each.has_random_starts)
        self.current: list[Task | None] = [None] * num_rows
        self.held: list[Task | None] = [None] * num_rows
        self.following: list[Task | None] = [None] * num_rows
        self.sample_on_reset = np.full(num_rows, options.samples_on_reset)
        self.generators = Generators(num_rows, seed, options.group_size or 1)
        self._fresh = world.draw_goal if options.unlimited_goals else None
        self.instructions = Instructions(world, every, num_rows, options, self.generators.seeds)
        self._benchmark = benchmark if benchmark.from_entropy else None  # to be warned of at the first seed
        self._tasks = tasks
        self._skills = {name: place for place, name in enumerate(benchmark.env_names(split))}
        self.skill_index = np.full(num_rows, -1)
        self.task_index = np.full(num_rows, -1)
        self.labels: dict[str, NDArray[Any]] = {
            name: np.full(num_rows, None, dtype=object) for name in ("task_name", "task_id")
        }
        self._listed = TaskList()
        self._lists: list[list[Task]] = []  # what `_listed` and `_places` were made of
        self._places = np.zeros(0, dtype=np.int32)

    # --- what rows choose from, and the checks --------------------------------------------------------------

    def check(self, task: Task, row: int | None = None) -> Task:
        """Returns a task that a row may have, or, without one, some row.

        Raises:
            ValueError, TypeError: it may not.
        """
        known = self._known
        if task.env_name not in known:
            shown = ", ".join(known[:5]) + (f" and {len(known) - 5} more" if len(known) > 5 else "")
            raise WrongValue(
                f"The task {task.id} is of the skill {task.env_name!r}, which {self._title} "
                f"does not have here; it has {shown}. Make an environment from a benchmark or a list of "
                "tasks that contains it."
            )
        composition = self._composition
        share = composition.share_with(task.env_name)
        if share is None or (row is not None and share is not composition.share_of(row)):
            rows = [
                f"{each.world.name} has rows {each.rows.start} to {each.rows.stop - 1}"
                for each in composition.shares
                if each.rows.start < each.rows.stop
            ]
            which = "this batch" if row is None else f"row {row}"
            raise WrongValue(
                f"The task {task.id} of {task.env_name} is of another world than {which}: in a batch of several worlds "
                f"each row keeps to its own. {'; '.join(rows)}."
            )
        self._world.check_task(task)
        hides = self._world.hides_goal(task)
        if (hides and not share.hides_goal) or (not hides and not share.shows_goal):
            raise WrongValue(
                f"The task {task.id} of {task.env_name} {'hides' if hides else 'shows'} its goal, and the "
                f"tasks of {self._title} {'show' if hides else 'hide'} theirs, so it belongs to another "
                "benchmark. Give one of this benchmark's tasks."
            )
        return task

    def one_each(self, argument: str, tasks: Any, rows: NDArray[np.bool_]) -> dict[int, Task]:
        """Returns, by row, the tasks that the caller gave for `rows`: one for all, or one for each.

        Raises:
            TypeError: they are not tasks.
            ValueError: they are not as many as rows, or rows may not have one of them.
        """
        chosen = np.flatnonzero(rows).tolist()
        if isinstance(tasks, Task) or (hasattr(tasks, "env_name") and hasattr(tasks, "data")):
            given = [tasks] * len(chosen)
        elif isinstance(tasks, Sequence):
            given = list(tasks)
            if len(given) == len(rows) and len(chosen) != len(rows):
                given = [given[row] for row in chosen]
        else:
            raise WrongType(
                f"{argument} must be a Task or a list with one for each row, not {tasks!r}.",
                argument=argument,
            )
        if len(given) != len(chosen):
            raise WrongValue(
                f"{argument} must have one task for each of the {len(chosen)} chosen rows, not {len(given)}.",
                argument=argument,
            )
        return {row: self.check(Task.of(task), row) for row, task in zip(chosen, given, strict=True)}

    def set_lists(self, lists: Sequence[Sequence[Any]]) -> None:
        """Replaces the tasks that each row chooses from, and forgets the tasks that were set.

        Raises:
            TypeError, ValueError: rows may not have one of them. Then nothing has changed.
        """
        if self.curriculum is not None:
            raise WrongValue(
                "tasks must stay those of the split with curriculum, whose weights are theirs. Give tasks that should "
                "not be drawn the weight 0."
            )
        checked = [[self.check(Task.of(task), row) for task in tasks] for row, tasks in enumerate(lists)]
        for row, (selection, tasks) in enumerate(zip(self.selections, checked, strict=True)):
            selection.set_tasks(tasks)
            self.held[row] = self.following[row] = None

    # --- which task comes next ------------------------------------------------------------------------------

    def seed(self, seeds: Sequence[int | None], rows: NDArray[np.bool_]) -> None:
        """Seeds the generators of `rows`, where there is a seed, and restarts their selections."""
        if self._benchmark is not None and any(seed is not None for seed in seeds):
            warn_of_entropy(self._benchmark, stacklevel=3)
            self._benchmark = None
        for row in np.flatnonzero(rows).tolist():
            seed = seeds[row]
            if seed is not None:
                self.generators.seed(row, seed)
                self.instructions.seed(row, seed)
                self.selections[row].restart()

    def hold(self, tasks: Mapping[int, Task]) -> None:
        """Fixes the tasks of rows for all episodes to come."""
        held, following = list(self.held), list(self.following)
        for row, task in tasks.items():
            held[row], following[row] = task, None
        self.held, self.following = held, following  # at once: Ctrl-C leaves no half of them

    def draw_all(self) -> None:
        """Draws the next episode's task in every row, and forgets the tasks that were held."""
        self.following = [self._draw(row) for row in range(len(self.current))]
        self.held = [None] * len(self.current)

    def choose(self, rows: NDArray[np.bool_], draw: NDArray[np.bool_] | None = None) -> dict[int, Task]:
        """Returns, by row, the tasks of episodes that begin in `rows`; without those that keep theirs.

        Args:
            rows: which rows, (N,) bool.
            draw: those that draw a task whatever resets usually do, (N,) bool; None for none.
        """
        tasks: dict[int, Task] = {}
        for row in np.flatnonzero(rows).tolist():
            self.instructions.draw(row)
            given = self.following[row] or self.held[row]
            if given is not None:
                tasks[row] = given
            elif (draw is not None and draw[row]) or self.sample_on_reset[row] or self.current[row] is None:
                tasks[row] = self._draw(row)
            else:
                self.instructions.show(row, self.current[row])
        return tasks

    def foresee(self, rows: NDArray[np.bool_]) -> dict[int, Task]:
        """Returns, by row, the task that comes next if nothing else comes in between: a held one, or the next draw.

        Where resets keep the task, that is `sample_tasks`'s. Nothing is drawn. Rows where a function will choose are
        left out.
        """
        tasks = {}
        for row in np.flatnonzero(rows).tolist():
            task = self.following[row] or self.held[row]
            if task is None:
                generator = self.generators.copy(row)
                task = self.selections[row].foresee(generator)
                if task is not None and self._fresh is not None:
                    task = self._fresh(task, generator)
            if task is not None:
                tasks[row] = task
        return tasks

    def begin(self, row: int, task: Task | None) -> None:
        """Makes a task the one at hand."""
        self.following[row] = None
        self._show(row, task)

    def start_seeds(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Draws the seed of each start in `rows`, (N,) int64; zeros in the others, and in worlds that need none."""
        seeds = np.zeros(len(rows), dtype=np.int64)
        if self._world.has_random_starts:
            for row in np.flatnonzero(rows & self._start_is_random).tolist():
                seeds[row] = self.generators.each[row].integers(2**31)
        return seeds

    def _draw(self, row: int) -> Task:
        task = self.selections[row].draw(self.generators.each[row])
        task = self.check(task, row) if self._calls_a_function else task
        return task if self._fresh is None else self._fresh(task, self.generators.each[row])

    def _show(self, row: int, task: Task | None) -> None:
        self.current[row] = task
        self.skill_index[row] = -1 if task is None else self._skills.get(task.env_name, -1)
        self.task_index[row] = -1 if task is None else self._places_of_tasks.get(task, -1)
        self.labels["task_name"][row] = task and task.env_name
        self.labels["task_id"][row] = task and task.id
        self.instructions.show(row, task)

    @functools.cached_property
    def _places_of_tasks(self) -> dict[Task, int]:
        places: dict[Task, int] = {}
        for place, task in enumerate(self._tasks):
            places.setdefault(task, place)
        return places

    def task_at(self, row: int) -> str:
        """Returns what a row's task is called in messages."""
        return f"task {self.labels['task_id'][row]} of {self.labels['task_name'][row]}"

    # --- exact state ----------------------------------------------------------------------------------------

    @property
    def listed(self) -> TaskList:
        """The tasks that rows choose from, each once; packed again only when the lists have changed."""
        lists = [selection.tasks for selection in self.selections]
        if len(lists) != len(self._lists) or any(
            mine is not its for mine, its in zip(lists, self._lists, strict=True)
        ):
            listed = TaskList(task for tasks in lists for task in tasks)
            if listed.tasks != self._listed.tasks:
                self._listed = listed
            self._lists = lists
            self._places = np.array(
                [self._listed.numbers[task] for tasks in lists for task in tasks], np.int32
            )
        return self._listed

    def get_state(self) -> dict[str, Any]:
        """Returns everything that decides which tasks come; see `TaskVectorEnv.get_state`."""
        listed = self.listed
        order: list[int] = []
        if any(selection.order != list(range(len(selection.tasks))) for selection in self.selections):
            order = [place for selection in self.selections for place in selection.order]
        return {
            "listed": listed,
            "lists": self._places.copy(),
            "lengths": np.array([len(tasks) for tasks in self._lists], dtype=np.int32),
            "order": np.array(order, dtype=np.int32),  # empty where all rows have the order of their lists
            "current_task_idx": np.array([each.current_task_idx for each in self.selections], dtype=np.int32),
            "current": list(self.current),
            "held": list(self.held),
            "following": list(self.following),
            "sample_on_reset": self.sample_on_reset.copy(),
            "generators": self.generators.get_state(),
        } | self.instructions.get_state()

    def check_state(self, state: Mapping[str, Any], num_rows: int) -> None:
        """Raises ValueError for anything but the state of `num_rows` rows that these rows could take."""
        check_array(state, "sample_on_reset", self.sample_on_reset, num_rows)
        self.generators.check_state(state["generators"], num_rows)
        self.instructions.check_state(state, num_rows)
        listed, lengths = state["listed"], state["lengths"]
        if not isinstance(listed, TaskList) or any(
            not isinstance(state[name], list) or len(state[name]) != num_rows
            for name in ("current", "held", "following")
        ):
            raise WrongValue(f"{NOT_A_STATE}: the tasks of its rows are missing.")
        for name, count in (
            ("lengths", num_rows),
            ("current_task_idx", num_rows),
            ("lists", int(lengths.sum())),
        ):
            check_array(state, name, np.zeros(0, np.int32), count)
        if state["order"].size:
            check_array(state, "order", np.zeros(0, np.int32), int(lengths.sum()))
        if not (lengths > 0).all():
            raise WrongValue(f"{NOT_A_STATE}: a row has no tasks to choose from.")
        places = state["lists"]
        if places.min() < 0 or places.max() >= len(listed.tasks):
            raise WrongValue(f"{NOT_A_STATE}: a row chooses from tasks that are not there.")
        given = {
            task for name in ("current", "held", "following") for task in state[name] if task is not None
        }
        if listed is not self.listed:
            given |= set(listed.tasks)
        for task in given:
            self.check(task)
        for tasks, place, order in _selections(state):
            TaskSelection("fixed", tasks).go_to(place, order)

    def set_state(self, state: Mapping[str, Any], source: NDArray[np.int64]) -> None:
        """Puts each row where `get_state` found row `source[i]`; source is (N,)."""
        self.sample_on_reset[:] = state["sample_on_reset"][source]
        self.generators.set_state(state["generators"], source)
        self.instructions.set_state(state, source)
        self.held = [state["held"][row] for row in source]
        self.following = [state["following"][row] for row in source]
        selections = _selections(state)
        for row, taken in enumerate(source.tolist()):
            tasks, place, order = selections[taken]
            selection = self.selections[row]
            if tasks != selection.tasks:
                selection.set_tasks(tasks)
            selection.go_to(place, order)
            self._show(row, state["current"][taken])

    # --- Meta-World's checkpoints ---------------------------------------------------------------------------

    def get_checkpoint(self, row: int) -> dict[str, Any]:
        """Returns which tasks come in a row, as JSON-ready values."""
        current, held = self.current[row], self.held[row]
        return {
            "selection": self.selections[row].get_state(),
            "task": current and current.to_json(),
            "held_task": held and held.to_json(),
            "rng_state": copy.deepcopy(self.generators.each[row].bit_generator.state),
            "sample_tasks_on_reset": bool(self.sample_on_reset[row]),
        }

    @staticmethod
    def tasks_of_checkpoint(checkpoint: Mapping[str, Any]) -> list[Task]:
        """Returns the tasks in what `get_checkpoint` gave.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: it is something else.
        """
        selection = TaskSelection("fixed", [])
        selection.set_state(checkpoint["selection"])
        if not selection.tasks or not isinstance(checkpoint["sample_tasks_on_reset"], bool):
            raise WrongValue("A row must have tasks to choose from, and a switch.")
        check_generator(checkpoint["rng_state"])
        others = (_task(checkpoint[key]) for key in ("task", "held_task"))
        return [*selection.tasks, *(task for task in others if task is not None)]

    def load_checkpoint(self, row: int, checkpoint: Mapping[str, Any]) -> None:
        """Goes back to a checkpoint in a row."""
        self.selections[row].set_state(checkpoint["selection"])
        self.held[row], self.following[row] = _task(checkpoint["held_task"]), None
        self._show(row, _task(checkpoint["task"]))
        self.generators.put(row, checkpoint["rng_state"])
        self.sample_on_reset[row] = checkpoint["sample_tasks_on_reset"]


def _selections(state: Mapping[str, Any]) -> list[tuple[list[Task], int, list[int]]]:
    """Returns for each row of a state the tasks that it chooses from, its place in the round, and the round's order."""
    found = []
    numbers, order, first = state["lists"].tolist(), state["order"].tolist(), 0
    for count, place in zip(state["lengths"].tolist(), state["current_task_idx"].tolist(), strict=True):
        tasks = [state["listed"].tasks[number] for number in numbers[first : first + count]]
        found.append((tasks, place, order[first : first + count] if order else list(range(count))))
        first += count
    return found


def _task(text: str | None) -> Task | None:
    return None if text is None else Task.from_json(text)
