"""The way into a kernel: names for what is read, shapes for pointers, and the name on disk."""

import ctypes

import numpy as np

from taskworlds.kernels.entry import bind, compile_named, entry, find_named, unpacker


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
    assert find_named(enter, "weigh-v1") is None
    compiled = compile_named(enter, "weigh-v1")
    assert find_named(enter, "weigh-v1") is not None
    assert find_named(entry(kernel, **sizes | {"obs": 5}), "weigh-v1") is None
    (file,) = own_cache.glob("kernels/*")
    assert file.name.startswith("weigh_v1_")
    arrays = [np.arange(1.0, 1.0 + sizes[name]) for name in sizes]
    pointer = ctypes.POINTER(ctypes.c_double)
    compiled.ctypes(*(array.ctypes.data_as(pointer) for array in arrays), 1)
    assert arrays[4].tolist() == [2, 3, 4, 1]
    assert arrays[5].tolist() == [1]
    assert arrays[3].tolist() == [2]
