"""`taskworlds doctor`, on this machine and on others that are made up."""

from __future__ import annotations

import json
import re
import socket

import pytest

from taskworlds.cli import doctor as doctor_module


@pytest.fixture
def healthy(monkeypatch):
    """A machine where all is well, without starting any process."""
    versions = {name: bound[2:] for name, bound in doctor_module.NEEDED.items()}
    monkeypatch.setattr(doctor_module, "_version", versions.get)
    monkeypatch.setattr(doctor_module, "fault", lambda program, **environment: None)
    return versions


def test_the_doctor_finds_this_machine_fit(run):
    ran = run("doctor")
    assert ran.code == 0
    assert re.search(r"^ simulation +ok +one step of reach-v3", ran.out, re.MULTILINE)
    assert "Everything that `taskworlds evaluate` needs is there." in ran.out


@pytest.mark.parametrize(
    ("version", "found"), [(None, "not installed"), ("3.2.7", "3.2.7, but ==3.3.0 is needed")]
)
def test_the_doctor_names_what_is_missing_and_how_to_get_it(run, healthy, version, found):
    healthy["mujoco"] = version
    ran = run("doctor")
    assert ran.code == 1
    assert re.search(rf'^ mujoco +MISSING +{found} +pip install "mujoco==3\.3\.0"', ran.out, re.MULTILINE)
    assert ran.out.splitlines()[-1] == "`taskworlds evaluate` cannot run: mujoco."


def test_what_to_type_stands_where_the_advice_does(run, healthy, monkeypatch):
    told = (
        "ImportError: mujoco 3.3.0 is needed, but mujoco 3.4.0 is installed (/else). Type: pip install mujoco"
    )
    monkeypatch.setattr(doctor_module, "fault", lambda program, **environment: told)
    found = {each["name"]: each for each in json.loads(run("doctor", "--json").out)}
    assert found["simulation"]["found"].endswith("3.4.0 is installed (/else).")
    assert (found["simulation"]["status"], found["simulation"]["advice"]) == ("MISSING", "pip install mujoco")


def test_a_cache_that_cannot_be_written(run, healthy, monkeypatch, own_cache):
    own_cache.write_text("")
    ran = run("doctor", "--json")
    assert ran.code == 0
    (cache,) = [each for each in json.loads(ran.out) if each["name"] == "cache folder"]
    assert cache["status"] == "optional"
    assert str(own_cache) in cache["found"]
    assert "set TASKWORLDS_CACHE_DIR to a folder that you can write to" in cache["advice"]


def test_what_is_optional_may_be_missing(run, healthy, monkeypatch):
    def fault(program, **environment):
        return "crashed with signal 11" if "mujoco.Renderer" in program or "registry" in program else None

    monkeypatch.setattr(doctor_module, "fault", fault)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    ran = run("doctor")
    assert ran.code == 0
    for check in ("offscreen GL", "Gymnasium ids", "torch", "omegaconf", "dm_control", r"C\+\+ compiler"):
        assert re.search(rf"^ {check} +optional ", ran.out, re.MULTILINE), check
    for advice in ("libegl1", "libosmesa6", "import taskworlds before", 'pip install "torch"', "g++"):
        assert advice in ran.out


def test_a_simulator_that_does_not_run(run, healthy, monkeypatch):
    monkeypatch.setattr(doctor_module, "fault", lambda program, **environment: "ImportError: libGL.so.1")
    ran = run("doctor")
    assert ran.code == 1
    assert re.search(r"^ simulation +MISSING +ImportError: libGL\.so\.1", ran.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("version", "fault", "found"),
    [(None, None, "not installed"), ("1.0.9", "ImportError: gone", "1.0.9, but ImportError: gone")],
)
def test_the_doctor_looks_at_dm_control(run, healthy, monkeypatch, version, fault, found):
    healthy["dm_control"] = version
    monkeypatch.setattr(
        doctor_module, "fault", lambda program, **environment: fault if "acrobot-swingup" in program else None
    )
    ran = run("doctor")
    assert ran.code == 0
    assert re.search(rf"^ dm_control +optional +{found}", ran.out, re.MULTILINE)
    assert 'pip install "taskworlds[control]"' in ran.out


@pytest.mark.parametrize(
    ("version", "line"),
    [
        (None, r'optional +not installed +pip install "taskworlds\[ray\]" \(workers\)'),
        ("2.60.0", "ok +2.60.0"),
        ("2.9.3", "optional +2.9.3, but workers are tested with >=2.55,<3"),
    ],
)
def test_the_doctor_looks_at_ray(run, healthy, version, line, monkeypatch):
    monkeypatch.setenv("COLUMNS", "240")  # in which no cell takes two lines
    healthy["ray"] = version
    ran = run("doctor")
    assert ran.code == 0
    assert re.search(rf"^ ray +{line}", ran.out, re.MULTILINE)


@pytest.mark.parametrize("answers", [True, False])
def test_the_doctor_knocks_at_the_cluster_that_is_named(run, healthy, monkeypatch, answers):
    healthy["ray"] = "2.60.0"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port if answers else 1}")
        (found,) = [each for each in json.loads(run("doctor", "--json").out) if each["name"] == "Ray cluster"]
    assert found["status"] == ("ok" if answers else "optional")
    assert ("answers" if answers else "refused") in found["found"]


@pytest.mark.parametrize(
    ("works", "advice"), [(("egl",), r"set MUJOCO_GL=egl"), ((), r"apt-get install libegl1")]
)
def test_the_doctor_tries_the_library_that_is_set(run, healthy, monkeypatch, works, advice):
    def fault(program, **environment):
        library = environment.get("MUJOCO_GL", "osmesa")
        return None if library in ("", "disable", *works) else "AttributeError: no glGetError"

    monkeypatch.setattr(doctor_module, "fault", fault)
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    ran = run("doctor")
    assert ran.code == 1
    assert re.search(r"^ simulation +MISSING .*unset MUJOCO_GL, because osmesa", ran.out, re.MULTILINE)
    assert re.search(rf"^ offscreen GL +optional +MUJOCO_GL=osmesa: .*{advice}", ran.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("found", "wanted", "satisfied"),
    [
        ("3.10.0", ">=3.10,<3.14", True),
        ("3.9.18", ">=3.10,<3.14", False),
        ("3.14.0", ">=3.10,<3.14", False),
        ("3.3.0", "==3.3.0", True),
        ("3.3.1", "==3.3.0", False),
        ("1.10", ">=1.9", True),
        ("2.0.0rc1", ">=1.26", True),
    ],
)
def test_bounds_of_versions(found, wanted, satisfied):
    assert doctor_module._satisfies(found, wanted) is satisfied


def test_the_doctor_wants_what_the_package_declares(request):
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((request.config.rootpath / "pyproject.toml").read_text())["project"]
    bounds = dict(
        re.fullmatch(r"([\w-]+)(?:\[\w+\])?(.*)", each).groups() for each in project["dependencies"]
    )
    assert {name: bounds[name] for name in doctor_module.NEEDED} == doctor_module.NEEDED
    assert project["requires-python"] == doctor_module.PYTHON
    assert project["optional-dependencies"]["ray"] == [f"ray{doctor_module.RAY}"]
