"""Registering worlds and engines: by a call, and by the entry points of an installed package."""

import dataclasses
import functools
import json
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import taskworlds
from taskworlds import BenchmarkMaker, RowEngine, Task, World
from taskworlds.core import registry
from taskworlds.core.errors import Mistake, WrongType, WrongValue
from taskworlds.core.world import Tasks

OWN_PACKAGE = Path(__file__).parent / "own_package"


@pytest.fixture
def fresh(monkeypatch):
    """The registry as it is; what a test registers is forgotten again."""
    registry.worlds()
    copied = registry._Registry()
    copied.worlds, copied.engines = dict(registry._registry.worlds), dict(registry._registry.engines)
    copied.index()
    copied.has_own = copied.complete = True
    monkeypatch.setattr(registry, "_registry", copied)
    yield
    monkeypatch.undo()
    registry.names_changed()


def draw(seed: int, num_goals: int | None) -> Tasks:
    return tuple(Task("hop", {"height": seed + n}) for n in range(num_goals or 2)), ()


def make_rows(*arguments):
    raise NotImplementedError


SPACE = gym.spaces.Box(-1.0, 1.0, (2,), np.float64)


def made(**changes):
    fields = {
        "name": "hopping",
        "suite": "animals",
        "skills": ("hop",),
        "actions": SPACE,
        "observations": SPACE,
        "max_episode_steps": 9,
        "benchmarks": {"hops": BenchmarkMaker(draw, train_skills=("hop",))},
        "rows": {"legs": make_rows},
    }
    return World(**fields | changes)


# --- records -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "record", [*registry.worlds(), *registry.engines().values()], ids=lambda each: each.name
)
def test_records_can_be_pickled(record):
    again = pickle.loads(pickle.dumps(record))
    assert again == record
    assert hash(again) == hash(record)
    if isinstance(record, World):
        again.check()
        assert again.env_names() == record.env_names()
        assert list(again.benchmark_makers()) == list(record.benchmark_makers())
        assert again.action_space() == record.action_space()


def test_records_are_equal_if_their_fields_are():
    assert made() == made()
    assert made() != made(max_episode_steps=10)
    assert made(observations=functools.partial(draw, 1)) == made(observations=functools.partial(draw, 1))
    assert made(observations=functools.partial(draw, 1)) != made(observations=functools.partial(draw, 2))
    assert made() != "hopping"
    assert RowEngine("legs", make_rows) == RowEngine("legs", make_rows)
    assert RowEngine("legs", make_rows) != RowEngine("legs", make_rows, exact=True)


PROGRAM = """
import multiprocessing
import taskworlds
from taskworlds.core.registry import register_world, worlds

def use(world, queue):
    register_world(world)
    queue.put([*world.env_names(), len(taskworlds.make_vec(world.name, 2, seed=0).reset(seed=0)[0])])

def main():
    (world,) = [each for each in worlds() if each.name == "counting"]
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=use, args=(world, queue), daemon=True)
    process.start()
    print(queue.get(timeout=60))
    process.join(60)
"""


def test_a_world_can_be_sent_to_a_spawned_process(tmp_path):
    (tmp_path / "sends.py").write_text(PROGRAM)
    out, _ = run("import sends; sends.main()", OWN_PACKAGE, tmp_path)
    assert out == "['count-up', 'count-down', 2]\n"


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"name": ""}, WrongType, "name of a World must be a non-empty string, not ''"),
        ({"suite": 3}, WrongType, "suite of a World must be a non-empty string, not 3"),
        (
            {"skills": ()},
            WrongValue,
            "skills of the world 'hopping' must name at least one skill, .* is empty",
        ),
        ({"skills": ("hop", "hop")}, WrongValue, "each once, but it names hop twice"),
        (
            {"skills": "hop"},
            WrongType,
            "skills of the world 'hopping' must be a tuple of names, or a function",
        ),
        ({"skills": ("hop high",)}, WrongValue, "must have only letters, digits and .* not 'hop high'"),
        (
            {"actions": 3},
            WrongType,
            "actions of the world 'hopping' must be a space of Gymnasium's, .* not 3",
        ),
        ({"max_episode_steps": 0}, WrongValue, "max_episode_steps of the world 'hopping' must be at least 1"),
        ({"rows": {}}, WrongValue, "'hopping' must have row or rows: without them no engine can step it"),
        (
            {"rows": {"legs": 3}},
            WrongType,
            r"rows\['legs'\] of the world 'hopping' must be a function, .* not 3",
        ),
        ({"row": "module"}, WrongType, "row of the world 'hopping' must be a function, or its name as"),
        ({"settings": ("colour",)}, WrongValue, "Each of the settings of the world 'hopping' must be one of"),
        ({"packages": "mujoco"}, WrongType, "packages of the world 'hopping' must be a tuple of strings"),
        ({"reward_function_versions": ()}, WrongValue, "must name at least one version"),
        ({"render_modes": ("human",)}, WrongValue, 'Add "render_mode" to settings'),
        (
            {"benchmarks": {"hops": draw}},
            WrongType,
            "must hold BenchmarkMakers, but 'hops' is <function draw",
        ),
        (
            {"benchmarks": {"hops": BenchmarkMaker(draw, train_skills=("leap",))}},
            WrongValue,
            "The benchmark 'hops' of the world 'hopping' must be of skills of that world, .* not have leap",
        ),
        (
            {"skill_benchmark": "hops"},
            WrongValue,
            "skill_benchmark of the world 'hopping' must be one of its",
        ),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(changes, error, message):
    with pytest.raises(error, match=message):
        made(**changes)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: BenchmarkMaker("draw"), WrongType, "tasks of a BenchmarkMaker must be a function of"),
        (
            lambda: BenchmarkMaker(draw, keywords=("height",)),
            WrongValue,
            "must be one of 'env_name', 'envs_list'",
        ),
        (lambda: BenchmarkMaker(draw, has_test=True, test_skills=()), WrongValue, "must have test skills"),
        (lambda: BenchmarkMaker(draw, test_skills=("hop",)), WrongValue, "has_test=False must not have test"),
        (lambda: RowEngine("", make_rows), WrongType, "name of a RowEngine must be a non-empty string"),
        (
            lambda: RowEngine("legs", "make"),
            WrongType,
            "make_rows of the engine 'legs' must be a function, or",
        ),
        (lambda: RowEngine("legs", make_rows, options="x"), WrongType, "must be a tuple of strings, not 'x'"),
    ],
)
def test_other_records_that_contradict_themselves_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_what_a_function_returns_is_checked_when_the_world_is_registered(fresh):
    with pytest.raises(WrongValue, match="must name at least one skill, each once, but it is empty"):
        taskworlds.register_world(made(skills=tuple))
    with pytest.raises(WrongType, match="must hold BenchmarkMakers"):
        taskworlds.register_world(made(benchmarks=lambda: {"hops": 3}))


@pytest.mark.parametrize("error", [ValueError, TypeError])
def test_a_plain_error_of_a_task_check_is_a_mistake(error):
    def check(task):
        raise error("height must be a number.")

    with pytest.raises(error, match="height must be a number") as raised:
        made(task_check=check).check_task(Task("hop"))
    assert isinstance(raised.value, Mistake)


# --- registering -------------------------------------------------------------------------------------------


def test_a_registered_world_has_its_names_everywhere_at_once(fresh):
    taskworlds.register_world(made())
    assert registry.world_of("hop") == made()
    assert [task["height"] for task in taskworlds.benchmark("hops", seed=3).train_tasks] == [3, 4]
    assert gym.spec("taskworlds/hops").kwargs == {"benchmark": "hops"}


def test_a_skill_without_a_benchmark_of_its_own_is_told_its_worlds(fresh):
    both = BenchmarkMaker(draw, train_skills=("hop", "leap"))
    hidden = dataclasses.replace(both, is_variant=True)
    taskworlds.register_world(made(skills=("hop", "leap"), benchmarks={"hops": both, "hops-too": hidden}))
    with pytest.raises(
        WrongValue, match=r"'leap' is a skill of hopping.*benchmarks \(hops\), whole or `.only\('leap'\)`"
    ):
        taskworlds.make("leap")
    with pytest.raises(WrongValue, match=r"'hop' is a skill of hopping"):
        taskworlds.benchmark("hop")


def test_registering_again(fresh):
    taskworlds.register_world(made())
    taskworlds.register_world(made())
    other = made(max_episode_steps=99)
    with pytest.raises(WrongValue, match=r"name must not be 'hopping': another world is registered under it"):
        taskworlds.register_world(other)
    assert registry.world_of("hop").max_episode_steps == 9
    taskworlds.register_world(other, replace=True)
    assert registry.world_of("hop").max_episode_steps == 99
    assert [world.name for world in registry.worlds()].count("hopping") == 1
    engine = RowEngine("legs", make_rows)
    taskworlds.register_engine(engine)
    taskworlds.register_engine(engine)
    with pytest.raises(WrongValue, match=r"name must not be 'legs': another engine is registered under it"):
        taskworlds.register_engine(dataclasses.replace(engine, exact=True))
    taskworlds.register_engine(dataclasses.replace(engine, exact=True), replace=True)
    assert registry.engine("legs").exact


@pytest.mark.parametrize(
    ("cpus", "num_envs", "engine"),
    [
        (2, 1, "sync"),
        (2, 2, "async"),
        (2, 16, "async"),
        (2, 17, "sync"),
        (2, 1000, "sync"),
        (64, 256, "async"),
        (64, 257, "sync"),
    ],
)
def test_rows_of_python_get_processes_unless_they_are_far_more_than_processors(
    fresh, monkeypatch, cpus, num_envs, engine
):
    monkeypatch.setattr(registry, "count_cpus", lambda: cpus)
    world = made(rows={}, row=make_rows)
    assert registry.choose_engine(world, None, num_envs).name == engine
    assert registry.choose_engine(world, "async", num_envs).name == "async"


def test_names_that_a_world_drops_lose_their_ids(fresh):
    taskworlds.register_world(made())
    assert "taskworlds/hops" in gym.registry
    taskworlds.register_world(made(benchmarks={}), replace=True)
    assert "taskworlds/hops" not in gym.registry


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"skills": ("reach-v3",), "benchmarks": {}},
            "a skill 'reach-v3': the world 'Meta-World' has that name",
        ),
        (
            {"skills": ("MT10",), "benchmarks": {}},
            "a skill 'MT10': the world 'Meta-World' has that name already",
        ),
        ({"benchmarks": {"ant-dir": BenchmarkMaker(draw)}}, "a benchmark 'ant-dir': the world 'ant-dir' has"),
    ],
)
def test_names_of_others_are_refused(fresh, changes, message):
    with pytest.raises(WrongValue, match=f"The world 'hopping' must not have {message}"):
        taskworlds.register_world(made(**changes))
    assert "hopping" not in [world.name for world in registry.worlds()]


def test_other_things_are_refused(fresh):
    with pytest.raises(WrongType, match=r"world must be a taskworlds\.World, not 'hopping': make one"):
        taskworlds.register_world("hopping")
    with pytest.raises(WrongType, match=r"engine must be a taskworlds\.RowEngine, not 'legs': make one"):
        taskworlds.register_engine("legs")


def test_a_world_whose_engine_is_missing_says_so(fresh):
    with pytest.raises(WrongValue, match="No engine here can step the world 'hopping': it has rows for legs"):
        registry.choose_engine(made(), None, 1)
    with pytest.raises(WrongValue, match="hopping has no sync engine: take vector_strategy=no engine"):
        registry.choose_engine(made(), "sync", 1)
    taskworlds.register_engine(RowEngine("legs", make_rows))
    assert registry.choose_engine(made(), None, 1).name == "legs"


def test_threads_that_ask_at_once_see_everything(monkeypatch):
    known = [world.name for world in registry.worlds()]
    monkeypatch.setattr(registry, "_registry", registry._Registry())
    ready, seen = threading.Barrier(8), []

    def ask():
        ready.wait()
        seen.append([world.name for world in registry.worlds()])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen == [known] * 8


# --- entry points ------------------------------------------------------------------------------------------


def run(program, *folders, cwd=None, **variables):
    """Runs a program in a process that finds the packages in some folders, and returns what it printed and warned."""
    path = os.pathsep.join([*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": path} | variables,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_an_installed_world_has_a_gymnasium_id_with_the_hook_alone():
    program = """
import _taskworlds_gymnasium; _taskworlds_gymnasium.at_start()  # as taskworlds.pth has it
import gymnasium
env = gymnasium.make("taskworlds/counting", seed=0)
print(env.reset(seed=0)[0].shape)
print(gymnasium.make_vec("taskworlds/counting-test", num_envs=4, seed=0).num_envs)
"""
    assert run(program, OWN_PACKAGE)[0].splitlines() == ["(2,)", "4"]


def test_an_installed_world_has_a_gymnasium_id_without_the_hook():
    program = """
import sys
sys.meta_path[:] = [each for each in sys.meta_path if getattr(each, "__name__", "") != "_AfterGymnasium"]
import gymnasium
import taskworlds
print(gymnasium.make("taskworlds/counting", seed=0).reset(seed=0)[0].shape)
"""
    assert run(program, OWN_PACKAGE)[0] == "(2,)\n"


def test_an_installed_world_and_engine_have_everything(tmp_path):
    program = """
import json
import numpy as np
import taskworlds
from taskworlds.core.registry import world_of

told = {}
envs = taskworlds.make_vec("counting", 4, seed=0)
told["strategy"] = envs.strategy
obs, infos = envs.reset(seed=0)
told["skills"] = sorted(set(envs.task_names))
state = envs.get_state()
first = envs.step(np.ones((4, 1), np.float32))
envs.set_state(state)
told["snapshot"] = bool((envs.step(np.ones((4, 1), np.float32))[0] == first[0]).all())
trials = taskworlds.make_vec("counting-test", 2, seed=0, k_episodes=2, terminate_on_success=False)
trials.reset(seed=0)
told["trials"] = [bool(trials.step(np.ones((2, 1), np.float32))[3].all()) for _ in range(12)][-1]
normal = taskworlds.make_vec("counting", 4, seed=0, normalize_observations=True, use_one_hot=True)
told["one-hot"] = normal.reset(seed=0)[0].shape
result = taskworlds.evaluate(world_of("count-up").expert(), "counting", seed=1)
told["success"] = result.overall["success_once"].mean.value
told["packages"] = dict(result.fingerprint.packages)
told["engine"] = result.fingerprint.engine
told["differs"] = taskworlds.compare(result, result).fingerprint_differences
print(json.dumps(told))
"""
    out, err = run(program, OWN_PACKAGE, cwd=tmp_path)
    told = json.loads(out)
    assert told.pop("packages").keys() == {"counting", "gymnasium", "numpy"}
    assert told == {
        "strategy": "counting",
        "skills": ["count-down", "count-up"],
        "snapshot": True,
        "trials": True,
        "one-hot": [4, 4],
        "success": 1.0,
        "engine": "counting 1.0",
        "differs": {},
    }
    assert err == ""


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ("list benchmarks --world numbers", "Numbers (--world numbers)"),
        ("list skills --world numbers", "count-down   counter   reach the number"),
        ("list envs --world numbers", "taskworlds/counting-test"),
        ("evaluate counting --num-goals 2", "policy expert, reward v1, engine counting with"),
        ("bench counting --rounds 1 --steps 2 --episodes 0 --no-build", "taskworlds, counting"),
        ("doctor --help", "doctor"),
    ],
)
def test_the_commands_know_an_installed_world(arguments, found, tmp_path):
    program = f"from taskworlds.cli import main; main({arguments.split()!r})"
    assert found in run(program, OWN_PACKAGE, cwd=tmp_path)[0]


def test_an_entry_point_that_fails_is_named_and_the_rest_works(tmp_path):
    wrong = {"broken": "raise ImportError('no fortran')", "odd": "WORLD = 3"}
    for name, text in wrong.items():
        (tmp_path / f"{name}.py").write_text(text)
        info = tmp_path / f"{name}-2.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n")
        (info / "entry_points.txt").write_text(f"[taskworlds.worlds]\n{name} = {name}:WORLD\n")
    program = """
import warnings
import taskworlds
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(*(len(taskworlds.benchmark(name, seed=0).train_tasks) for name in ("counting", "MT10")))
    taskworlds.benchmark("MT10", seed=0)
for each in sorted(str(each.message) for each in caught):
    print(each)
"""
    lines = run(program, OWN_PACKAGE, tmp_path)[0].splitlines()
    assert lines == [
        "6 500",
        "The entry point 'broken' of taskworlds.worlds (broken:WORLD) could not be registered; everything else "
        "works without it: ImportError: no fortran",
        "The entry point 'odd' of taskworlds.worlds (odd:WORLD) could not be registered; everything else works "
        "without it: WrongType: It must name a taskworlds.World, or several in a tuple, not 3.",
    ]


def test_a_package_that_is_what_imports_gymnasium_is_found_too():
    program = """
import _taskworlds_gymnasium; _taskworlds_gymnasium.at_start()
import counting  # whose first line imports Gymnasium, at the end of which all entry points are loaded
import gymnasium
import taskworlds
print(len(taskworlds.benchmark("counting", seed=0).train_tasks))
print(gymnasium.make("taskworlds/counting", seed=0).reset(seed=0)[0].shape)
"""
    out, err = run(program, OWN_PACKAGE)
    assert (out, err) == ("6\n(2,)\n", "")


@pytest.mark.parametrize(
    "module",
    [
        "taskworlds.vector.gymnasium_ids",
        "taskworlds.worlds.metaworld.world",
        "taskworlds.worlds.locomotion.world",
        "taskworlds.worlds.control.world",
        "taskworlds.core.registry",
        "taskworlds.vector.make",
    ],
)
def test_whatever_of_ours_is_imported_first_the_ids_are_registered(module):
    program = f"""
import _taskworlds_gymnasium; _taskworlds_gymnasium.at_start()
import {module}, gymnasium
assert "taskworlds/reach-v3" in gymnasium.registry
"""
    assert run(program) == ("", "")


def test_a_library_that_only_looks_whether_gymnasium_is_there_takes_no_id_away():
    program = """
import _taskworlds_gymnasium, importlib.util; _taskworlds_gymnasium.at_start()
assert importlib.util.find_spec("gymnasium") and importlib.util.find_spec("gymnasium")  # as TorchRL does
import gymnasium
assert "taskworlds/reach-v3" in gymnasium.registry
"""
    assert run(program) == ("", "")


def test_the_hook_can_be_installed_twice_and_switched_off():
    program = """
import os, sys, _taskworlds_gymnasium as hook
before = len(sys.meta_path)
os.environ["TASKWORLDS_GYMNASIUM_IDS"] = "0"
hook.at_start()
print(len(sys.meta_path) - before)
del os.environ["TASKWORLDS_GYMNASIUM_IDS"]
hook.at_start()
hook.at_start()
print(len(sys.meta_path) - before)
import gymnasium
print(len(sys.meta_path) - before, "taskworlds/reach-v3" in gymnasium.registry)
hook.install()  # too late to wait for anything
print(len(sys.meta_path) - before)
"""
    assert run(program, TASKWORLDS_GYMNASIUM_IDS="0")[0].split() == ["0", "1", "0", "True", "0"]


def test_what_runs_at_start_is_what_the_files_name():
    source = Path(__file__).parents[2] / "src"
    module, _, function = (source / "taskworlds.start").read_text().strip().partition(":")
    assert (source / "taskworlds.pth").read_text() == f"import {module}; {module}.{function}()\n"
    assert (source / f"{module}.py").exists()


def test_entry_points_are_loaded_once_and_when_they_are_needed(tmp_path):
    program = """
import sys
import taskworlds
print("counting" in sys.modules)
taskworlds.benchmark("counting", seed=0)
loaded = sys.modules.pop("counting")
taskworlds.benchmark("counting", seed=0)
print("counting" in sys.modules)
"""
    assert run(program, OWN_PACKAGE, cwd=tmp_path)[0].splitlines() == ["False", "False"]
