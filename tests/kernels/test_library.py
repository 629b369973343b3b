"""The library of kernels: what is in it is found without numba, equals what is compiled, and is never stale."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import mujoco
import numpy as np
import pytest

import taskworlds
from taskworlds.engine import Engine, Fault, Model, Scene
from taskworlds.evaluation import expert_policy
from taskworlds.kernels import entry, library
from taskworlds.kernels.compiler import compile_kernel
from taskworlds.kernels.entry import Entry, full_name
from taskworlds.worlds import build_kernels
from taskworlds.worlds.control.skills import NATIVE
from taskworlds.worlds.locomotion.skills import SKILLS as LOCOMOTION
from taskworlds.worlds.metaworld import compiling
from taskworlds.worlds.metaworld.kernel import native_kernel
from taskworlds.worlds.metaworld.skills import SKILLS, skill

ROOT = Path(__file__).parents[2]

# .ci/run, which installs the package as users do, makes sure that it has its library.
needs_the_packages_library = pytest.mark.skipif(
    library.path() is None, reason="this package was built without its library of kernels"
)


def divides(now, action, params, memory, obs, terms, single):
    memory[0] = 7.0
    obs[0] = 1.0
    terms[0] = 1.0 / params[0]


def raises(now, action, params, memory, obs, terms, single):
    if params[0] == 0.0:
        raise ValueError("no params")
    obs[0] = 2.0


MOST_MEMORY = 300  # MB, of a process that has compiled MT50's models and reset it; numba takes another 120
SIZES = {"now": 0, "action": 0, "params": 1, "memory": 1, "obs": 1, "terms": 1}


def link(folder, entries, made_by=library.MADE_BY):
    """Makes a library of kernels, as CMakeLists.txt does, and returns its file."""
    folder.mkdir()
    names = [full_name(*each) for each in entries]
    objects = [folder / f"{name}.o" for name in names]
    for (enter, _), name, file in zip(entries, names, objects, strict=True):
        file.write_bytes(compile_kernel(enter).object_code(f"taskworlds_{name}"))
    (folder / "kernels.inc").write_text("".join(f"TASKWORLDS_KERNEL({name})\n" for name in names))
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    assert compiler is not None, "this package is built by a C++ compiler"
    made = folder / library.FILE
    command = [compiler, "-std=c++17", "-shared", "-fPIC", "-fvisibility=hidden", f"-I{folder}", "-o", made]
    source = ROOT / "cpp" / "kernel_library.cc"
    subprocess.run(
        [*command, f'-DTASKWORLDS_MADE_BY="{made_by}"', source, *objects, "-lm"],
        check=True,
    )
    return made


@pytest.fixture(scope="module")
def entries():
    return [Entry(entry.entry(function, **SIZES), function.__name__) for function in (divides, raises)]


@pytest.fixture(scope="module")
def made(tmp_path_factory, entries):
    return link(tmp_path_factory.mktemp("library") / "made", entries)


@pytest.fixture
def use(monkeypatch):
    """Has this process take kernels from a library, or from none, and forget those that it has."""

    def from_file(file):
        monkeypatch.setattr(library, "path", lambda: file)
        library._table.cache_clear()
        monkeypatch.setattr(entry, "_kernels", {})
        monkeypatch.setattr(compiling, "_loaded", {})

    yield from_file
    library._table.cache_clear()


def step(kernel, params):
    """Steps a row for each of the params, each with a memory of 3, and returns the engine."""
    model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>")
    sizes = {"action_size": 0, "param_size": 1, "memory_size": 1, "obs_size": 1, "term_size": 1}
    scene = Scene(Model.from_mujoco(model), 1)
    engine = Engine([scene], len(params), **sizes, kernels=[kernel], num_threads=2)
    engine.kernel_of_row[:] = 0
    engine.params[:, 0] = params
    engine.memory[:] = 3.0
    engine.step(np.zeros((len(params), 0)))
    return engine


@pytest.mark.parametrize(
    ("index", "told"), [(0, "ZeroDivisionError: division by zero"), (1, "ValueError: no params")]
)
def test_what_a_kernel_raises_is_a_fault_of_its_row(made, entries, use, index, told):
    use(made)
    kernel = entry.compile_named(*entries[index])
    assert isinstance(kernel, library.LibraryKernel)
    engine = step(kernel, [4.0, 0.0, 2.0])
    assert engine.faults.tolist() == [0, Fault.ERROR, 0]
    assert engine.error(1) == f"C++ exception: the kernel raised {told}"
    assert engine.memory[1, 0] == 3.0  # as it was before the step
    assert engine.states[1, 0] == 0.0  # the time
    assert engine.states[0, 0] > 0.0
    if index == 0:
        assert (engine.terms[[0, 2], 0].tolist(), engine.memory[:, 0].tolist()) == ([0.25, 0.5], [7, 3, 7])
    else:
        assert engine.obs[[0, 2], 0].tolist() == [2, 2]
    engine.params[:] = 1.0
    assert engine.step(np.zeros((3, 0)))  # the row goes on


def test_a_library_that_was_made_otherwise_is_not_used(tmp_path, entries, use):
    use(link(tmp_path / "old", entries[:1], made_by="taskworlds 0, numba 0.1"))
    assert library.names() == []
    assert library.find(full_name(*entries[0])) is None


def test_a_library_that_cannot_be_loaded_is_told_and_done_without(tmp_path, use):
    file = tmp_path / library.FILE
    file.write_text("not a library")
    use(file)
    with pytest.warns(
        RuntimeWarning, match=rf"The compiled kernels in {re.escape(str(file))} cannot be loaded"
    ):
        assert library.find("divides") is None


def test_without_a_library_kernels_are_compiled(entries, use, own_cache):
    use(None)
    assert library.names() == []
    assert not isinstance(entry.compile_named(*entries[0]), library.LibraryKernel)
    assert len(list(own_cache.glob("kernels/divides_*.nbc"))) == 1


def test_a_kernel_that_makes_arrays_is_not_for_a_library():
    def makes(now, action, params, memory, obs, terms, single):
        made = np.zeros(int(params[0]))
        terms[0] = made.sum()

    with pytest.raises(ValueError, match=r"it needs .*NRT_"):
        compile_kernel(entry.entry(makes, **SIZES)).object_code("makes")


def test_a_changed_kernel_has_another_name(entries, monkeypatch):
    (enter, title), other = entries
    before = full_name(enter, title)
    assert full_name(*other).partition("_")[2] != before.partition("_")[2]
    assert full_name(entry.entry(divides, **SIZES), title) == before
    assert full_name(entry.entry(divides, **SIZES | {"obs": 2}), title) != before
    changed = entry.bind(lambda *arrays: divides(*arrays))
    assert full_name(entry.entry(changed, **SIZES), title) != before


# --- the build ----------------------------------------------------------------------------------------------


def test_the_build_names_the_same_numba():
    assert f"'numba=={library.NUMBA}; " in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("version", "told"),
    [(None, f"numba {library.NUMBA} is not installed"), ("0.1", f"numba {library.NUMBA} is needed, not 0.1")],
)
def test_without_its_numba_the_build_goes_on(tmp_path, monkeypatch, capsys, version, told):
    def installed(package):
        if version is None:
            raise build_kernels.importlib.metadata.PackageNotFoundError(package)
        return version

    monkeypatch.setattr(build_kernels.importlib.metadata, "version", installed)
    build_kernels.main(tmp_path)
    line = f"taskworlds: kernels are not compiled now, because {told}; each skill is compiled when it is first used."
    assert capsys.readouterr().out.splitlines() == [line]
    assert [(tmp_path / name).read_text() for name in ("kernels.inc", "kernels.rsp")] == ["", ""]


def test_the_build_needs_no_simulator():
    code = """
import sys
from taskworlds.worlds.build_kernels import entries
assert len(list(entries())) > 100
needed = ("mujoco", "gymnasium", "metaworld", "scipy", "platformdirs", "rich", "typer")
print([name for name in needed if name in sys.modules])
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@needs_the_packages_library
@pytest.mark.skipif(sys.platform != "linux", reason="of Linux's format")
@pytest.mark.parametrize("share", [0.0, 0.00001, 0.01, 0.3, 0.5, 0.8])
def test_a_library_that_is_cut_off_is_told_and_does_no_harm(share, tmp_path):
    whole = library.path().read_bytes()
    (tmp_path / library.FILE).write_bytes(whole[: int(len(whole) * share)])
    code = f"""
import pathlib, warnings
from taskworlds.kernels import library
library.path = lambda: pathlib.Path({str(tmp_path / library.FILE)!r})
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(library.names(), *(each.message for each in caught))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.startswith("[] The compiled kernels in")
    assert "Reinstall taskworlds" in told


# --- the package's library ----------------------------------------------------------------------------------


@needs_the_packages_library
def test_it_has_every_kernel_of_the_package():
    assert set(library.names()) == {full_name(*each) for each in build_kernels.entries()}
    assert {name for each in SKILLS for name in each.rewards} == {"v1", "v2"}
    assert len(library.names()) == 2 * len(SKILLS) + len(LOCOMOTION) + len(NATIVE)


def no_compiler(*arguments, **options):
    raise AssertionError("a kernel is compiled")


@needs_the_packages_library
@pytest.mark.parametrize(
    "name",
    [each.name for each in LOCOMOTION]
    + [pytest.param(name, marks=pytest.mark.requires_dm_control) for name in sorted(NATIVE)],
)
def test_rows_with_models_take_it(name, monkeypatch):
    """The tables that these kernels were built from agree with the models."""
    monkeypatch.setattr(entry, "compile_kernel", no_compiler)
    monkeypatch.setattr(entry, "_kernels", {})
    envs = taskworlds.make_vec(name, 1, seed=0, num_threads=1, vector_strategy="native")
    envs.reset(seed=0)
    assert np.isfinite(envs.step(envs.action_space.sample())[1]).all()
    envs.close()


@needs_the_packages_library
def test_a_changed_skill_is_compiled_anew(use, own_cache):
    use(library.path())
    reach = skill("reach-v3")
    assert isinstance(native_kernel(reach, "v2"), library.LibraryKernel)
    changed = entry.bind(reach.rewards["v2"], TARGET_RADIUS=0.04)
    kernel = native_kernel(dataclasses.replace(reach, rewards={"v2": changed}), "v2")
    assert not isinstance(kernel, library.LibraryKernel)
    assert len(list(own_cache.glob("kernels/reach_v3_v2_*.nbc"))) == 1


def steps(version, names, *, with_experts):
    """Steps skills, and yields all that the environments give."""
    tasks = [taskworlds.benchmark("MT1", env_name=name, seed=1, num_goals=1).train_tasks[0] for name in names]
    envs = taskworlds.make_vec(
        tasks, len(tasks), seed=1, vector_strategy="native", reward_function_version=version, num_threads=1
    )
    policy, rng = expert_policy(), np.random.default_rng(2)
    obs, info = envs.reset(seed=1)
    policy.begin_episodes(np.ones(len(tasks), bool), {"task_name": names})
    yield obs.copy(), info
    for count in range(150):
        noise = rng.uniform(-1.0, 1.0, envs.action_space.shape)
        actions = np.clip(policy(obs) + 0.1 * noise, -1.0, 1.0) if with_experts else noise
        obs, *rest = envs.step(actions.astype(np.float32 if count % 2 else np.float64))
        yield obs.copy(), *rest
    envs.close()


@needs_the_packages_library
@pytest.mark.parametrize("version", ["v2", "v1"])
@pytest.mark.parametrize(
    "names",
    [("reach-v3", "hammer-v3"), pytest.param([each.name for each in SKILLS], marks=pytest.mark.slow)],
    ids=["two skills", "all skills"],
)
def test_it_equals_what_is_compiled(names, version, use, same):
    file = library.path()
    for with_experts in (False, True):
        use(file)
        ours = list(steps(version, names, with_experts=with_experts))
        assert all(isinstance(each, library.LibraryKernel) for each in entry._kernels.values())
        use(None)
        compiled = list(steps(version, names, with_experts=with_experts))
        assert not any(isinstance(each, library.LibraryKernel) for each in entry._kernels.values())
        same(ours, compiled)


FIRST = """
import re, sys
import taskworlds
envs = taskworlds.make_vec("MT50", seed=0, engine_options={"num_threads": 2})  # each has simulations of its own
obs, _ = envs.reset(seed=0)
# Not getrusage, which begins with the memory of the process that started this one.
found = re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read()) if sys.platform == "linux" else None
peak = int(found[1]) // 1024 if found else 0
print(obs.shape[0], peak, [name for name in ("numba", "llvmlite") if name in sys.modules])
"""


@needs_the_packages_library
def test_a_new_process_needs_no_compiler(own_cache):
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=True)
    rows, peak, imported = done.stdout.split(maxsplit=2)
    assert (rows, imported.strip(), done.stderr) == ("50", "[]", "")
    assert int(peak) < MOST_MEMORY
    assert not list(own_cache.glob("kernels/*"))


def test_machine_code_tells_no_folder_of_the_build():
    names = {full_name(*each): each for each in build_kernels.entries()}
    kernel = next(names[name] for name in names if name.startswith("coffee_pull_v3_v2"))  # it may raise
    code = compile_kernel(kernel[0]).object_code("coffee")
    assert b"taskworlds/worlds/metaworld/families/coffee.py" in code
    assert str(Path(library.__file__).parents[2]).encode() not in code
