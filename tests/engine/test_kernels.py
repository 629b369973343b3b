"""Kernels: called after the physics with the row's own pointers."""

import ctypes
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from taskworlds.engine import Engine, compile_kernel
from taskworlds.engine.kernel_entry import bind, compile_named, entry, is_compiled, unpacker
from taskworlds.engine.kernels import is_on_disk

SPOILED = {
    "deleted": Path.unlink,
    "emptied": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:5000]),
    "a page of zeros": lambda file: file.write_bytes(
        file.read_bytes()[:4096] + bytes(4096) + file.read_bytes()[8192:]
    ),
}


def weigh(now, action, params, memory, obs, terms, single):
    hand, goal = numba.carray(now, 3), numba.carray(params, 3)
    kept, out = numba.carray(memory, 2), numba.carray(obs, 4)
    distance = 0.0
    for i in range(3):
        out[i] = hand[i]
        distance += (hand[i] - goal[i]) ** 2
    out[3] = kept[0]
    kept[0] = hand[2]
    kept[1] += 1
    terms[0] = distance**0.5
    terms[1] = action[3]
    terms[2] = single


def make(official, rows=5, num_threads=2):
    one = official("reach-v3")
    sizes = {"action_size": 4, "param_size": 3, "memory_size": 2, "obs_size": 4, "term_size": 3}
    engine = Engine([one.scene], rows, **sizes, kernels=[compile_kernel(weigh)], num_threads=num_threads)
    for row in range(rows):
        one.load_into(engine, row)
    engine.params[:] = np.random.default_rng(0).uniform(-1, 1, engine.params.shape)
    engine.kernel_of_row[:] = 0
    assert one.scene.reads[0][0] == "body_xpos"  # what the kernel takes for the hand
    return one, engine


def test_kernel_sees_its_row(official):
    _, engine = make(official)
    rng = np.random.default_rng(1)
    previous = np.zeros(5)
    for step in range(1, 4):
        action = rng.uniform(-1, 1, (5, 4))
        engine.step(action)
        first = engine.now[:, :3]
        assert np.array_equal(engine.obs[:, :3], first)
        assert np.array_equal(engine.obs[:, 3], previous)
        assert np.allclose(engine.terms[:, 0], np.linalg.norm(first - engine.params, axis=1), rtol=1e-15)
        assert np.array_equal(engine.terms[:, 1], action[:, 3])
        assert (engine.terms[:, 2] == 0).all()
        assert (engine.memory[:, 1] == step).all()
        previous = first[:, 2].copy()


def test_kernel_knows_float32(official):
    _, engine = make(official)
    action = np.full((5, 4), 0.1, np.float32)
    engine.step(action)
    assert np.array_equal(engine.terms[:, 1:], np.column_stack([action[:, 3], np.ones(5)]).astype(float))


def test_rows_without_kernel_just_read(official):
    _, engine = make(official)
    engine.kernel_of_row[2] = -1
    engine.step(np.zeros((5, 4)), np.array([True, True, True, False, True]))
    assert engine.memory[:, 1].tolist() == [1, 1, 0, 0, 1]
    assert engine.now[2].any()
    assert not engine.obs[2].any()


def test_kernels_of_their_own(official):
    one, _ = make(official)

    def first(now, action, params, memory, obs, terms, single):
        obs[0] = 1.0

    def second(now, action, params, memory, obs, terms, single):
        obs[0] = 2.0

    kernels = [compile_kernel(first), compile_kernel(second)]
    engine = Engine([one.scene], 4, action_size=4, obs_size=1, kernels=kernels)
    for row in range(4):
        one.load_into(engine, row)
    engine.kernel_of_row[:] = [1, 0, -1, 1]
    engine.step(np.zeros((4, 4)))
    assert engine.obs[:, 0].tolist() == [2, 1, 0, 2]


def test_closures_and_defaults_are_compiled_too():
    def scaled(factor):
        def scale(x, plus=0.5):
            return x * factor + plus

        return scale

    scale = scaled(3.0)

    def write(now, action, params, memory, obs, terms, single):
        obs[0] = scale(now[0])

    kernel = compile_kernel(write)
    arrays = [np.full(1, 2.0) for _ in range(6)]
    pointer = ctypes.POINTER(ctypes.c_double)
    kernel.ctypes(*(array.ctypes.data_as(pointer) for array in arrays), 0)
    assert arrays[4].tolist() == [6.5]


def doubled(x):
    return 2.0 * x


def calls_a_helper(now, action, params, memory, obs, terms, single):
    obs[0] = doubled(now[0])


def wrong_helper(x):
    return {"x": x}["y"].missing


def calls_wrong_helper(now, action, params, memory, obs, terms, single):
    obs[0] = wrong_helper(now[0])


def names_nothing(now, action, params, memory, obs, terms, single):
    obs[0] = no_such_function(now[0])  # noqa: F821


def changes_a_global(now, action, params, memory, obs, terms, single):
    global FAR
    FAR = 1.0


def takes_too_many(x, y):
    return x + y


def gives_too_few(now, action, params, memory, obs, terms, single):
    obs[0] = takes_too_many(now[0])


@pytest.mark.parametrize(
    ("function", "name", "reason"),
    [
        (calls_wrong_helper, "wrong_helper", "Unknown attribute 'missing'"),
        (names_nothing, "names_nothing", "name 'no_such_function' is not defined"),
        (changes_a_global, "changes_a_global", r"unsupported opcode \(STORE_GLOBAL\)"),
        (gives_too_few, "takes_too_many", "missing a required argument: 'y'"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_cannot_be_compiled_is_named(function, name, reason):
    blamed = globals()[name].__code__
    lines = range(blamed.co_firstlineno, blamed.co_firstlineno + 4)
    where = rf"\(test_kernels.py, line ({'|'.join(map(str, lines))})\)"
    with pytest.raises(
        TypeError, match=rf"The function '{name}' cannot be compiled {where}: .*{reason}"
    ) as caught:
        compile_kernel(function)
    assert "It may not create or change objects" in str(caught.value)
    assert "Raised from" not in str(caught.value)


def call(kernel):
    """Calls a kernel on six arrays of one number, and returns them."""
    arrays = [np.full(1, 2.0) for _ in range(6)]
    pointer = ctypes.POINTER(ctypes.c_double)
    kernel.ctypes(*(array.ctypes.data_as(pointer) for array in arrays), 0)
    return arrays


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_a_damaged_kernel_is_compiled_again(own_cache, spoil):
    assert compile_kernel(calls_a_helper, "half_kept").address
    assert is_on_disk("half_kept")
    (file,) = own_cache.glob("kernels/half_kept_*.nbc")
    whole = file.read_bytes()
    spoil(file)
    assert not is_on_disk("half_kept")
    assert call(compile_kernel(calls_a_helper, "half_kept"))[4].tolist() == [4.0]
    assert is_on_disk("half_kept")
    assert len(file.read_bytes()) == len(whole)


def test_checked_indices_end_the_call_with_an_error(monkeypatch):
    def beyond(now, action, params, memory, obs, terms, single):
        where = carray(obs, 1)  # noqa: F821
        terms[0] = 7.0
        where[np.int64(now[0])] = 1.0
        terms[0] = 8.0

    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    assert call(compile_kernel(beyond, checked=True))[5].tolist() == [7.0]
    assert [str(each.exc_value) for each in told] == ["index is out of bounds"]


def named_weigh(now, action, params, memory, obs, terms, single):
    for i in range(3):
        obs[i] = now.hand[i]
    obs[3] = now.height
    terms[0] = 1.0 if single else 0.0
    memory[0] = action[0] + params[0]


def test_named_reads_are_numbers_or_views():
    unpack = unpacker("Now", {"height": 1, "hand": 3}, start=1, more=("tcp",))
    values = np.arange(6.0)
    now = unpack(values, "tcp")
    assert (now.height, now.hand.tolist(), now.tcp) == (1.0, [2.0, 3.0, 4.0], "tcp")
    now.hand[0] = 7.0
    assert values[2] == 7.0
    assert type(unpacker("Now", {"a": 1})(values)) is type(
        unpacker("Now", {"a": 3})(values)
    )  # fields make the type
    assert type(unpacker("Now", {"a": 1})(values)) is not type(unpacker("Now", {"b": 1})(values))


def named_kernel(now, action, params, memory, obs, terms, single):
    named_weigh(unpack_now(now), action, params, memory, obs, terms, single)  # noqa: F821  bound below


def test_entry_gives_shapes_and_names(own_cache):
    kernel = bind(named_kernel, unpack_now=unpacker("Now", {"height": 1, "hand": 3}))
    sizes = {"now": 4, "action": 1, "params": 1, "memory": 1, "obs": 4, "terms": 1}
    enter = entry(kernel, **sizes)
    assert is_compiled(enter, "weigh-v1") is False
    compiled = compile_named(enter, "weigh-v1")
    assert is_compiled(enter, "weigh-v1")
    assert is_compiled(entry(kernel, **sizes | {"obs": 5}), "weigh-v1") is False
    (file,) = own_cache.glob("kernels/*")
    assert file.name.startswith("weigh_v1_")
    arrays = [np.arange(1.0, 1.0 + sizes[name]) for name in sizes]
    pointer = ctypes.POINTER(ctypes.c_double)
    compiled.ctypes(*(array.ctypes.data_as(pointer) for array in arrays), 1)
    assert arrays[4].tolist() == [2, 3, 4, 1]
    assert arrays[5].tolist() == [1]
    assert arrays[3].tolist() == [2]
