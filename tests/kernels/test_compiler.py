"""Compiling: what a kernel may be, where it is kept, and what is said where it cannot be compiled."""

import ctypes
import sys
from pathlib import Path

import numpy as np
import pytest

from taskworlds.engine import compile_kernel
from taskworlds.kernels.compiler import is_on_disk

SPOILED = {
    "deleted": Path.unlink,
    "emptied": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:5000]),
    "a page of zeros": lambda file: file.write_bytes(
        file.read_bytes()[:4096] + bytes(4096) + file.read_bytes()[8192:]
    ),
}


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
    where = rf"\(test_compiler.py, line ({'|'.join(map(str, lines))})\)"
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
    spoil(file)
    spoiled = file.read_bytes() if file.exists() else b""
    assert not is_on_disk("half_kept")
    assert call(compile_kernel(calls_a_helper, "half_kept"))[4].tolist() == [4.0]
    assert is_on_disk("half_kept")
    assert (
        file.read_bytes() != spoiled
    )  # numba numbers what it compiles, so it is not the old one to the last byte


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
