"""A step of MT10 in Ray's workers, beside one process with as many threads.

    python benchmarks/ray_rows.py [rows] [workers]

One process with a thread for each processor, workers with one thread each that share memory with the driver, and the
same workers with messages alone take turns; medians. Then: what a step costs that brings a snapshot along, as every
200th does; and what it costs to lose a worker after that many steps. Ray has its workers give way to all other
programs (nice 15); here they do not, so that what else runs on the machine slows both sides down alike.
"""

import os
import signal
import statistics
import sys
import time
import warnings
from unittest import mock

import numpy as np
import ray

import taskworlds
from taskworlds.rows import ray_rows

os.environ.setdefault("RAY_worker_niceness", "0")
rows, workers = (int(each) for each in (*sys.argv[1:], *(100, 2)[len(sys.argv) - 1 :]))
ray.init("local", num_cpus=2 * workers, include_dashboard=False)
how = {"num_workers": workers, "cpus_per_worker": 1}
one = {"max_episode_steps": 10**6}
batches = {
    f"one process, {workers} threads": taskworlds.make_vec("MT10", rows, num_threads=workers, **one),
    "shared memory": taskworlds.make_vec("MT10", rows, vector_strategy="ray", engine_options=how, **one),
    "messages": taskworlds.make_vec("MT10", rows, vector_strategy="ray", engine_options=how, **one),
}
rng = np.random.default_rng(0)
actions = [rng.uniform(-1, 1, (rows, 4)) for _ in range(20)]


def milliseconds(envs, each_keeps=False):
    """Clock of each of 20 steps."""
    times = []
    with mock.patch.object(ray_rows, "MOST_CALLS", 0 if each_keeps else 200):
        for each in actions:
            began = time.perf_counter()
            envs.step(each)
            times.append(1000 * (time.perf_counter() - began))
    return times


with mock.patch.object(ray_rows, "own_node", return_value="another"):  # so that no memory is shared
    batches["messages"].reset(seed=0)
    milliseconds(batches["messages"])
for envs in batches.values():
    envs.reset(seed=0)
    milliseconds(envs)
clock = {name: [] for name in (*batches, "shared memory, each with a snapshot")}
ratios = {name: [] for name in clock}
for _ in range(15):
    turn = {name: milliseconds(envs) for name, envs in batches.items()}
    turn["shared memory, each with a snapshot"] = milliseconds(batches["shared memory"], each_keeps=True)
    first, *_ = (statistics.median(each) for each in turn.values())
    for name, times in turn.items():
        clock[name] += times
        ratios[name].append(statistics.median(times) / first)
print(f"{rows} rows of MT10, {workers} workers; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
for name, times in clock.items():
    low, middle, high = np.percentile(times, (25, 50, 75))
    print(
        f"{name:36} {middle:6.2f} ms ({low:.2f} to {high:.2f}); ratio {statistics.median(ratios[name]):.2f}"
    )

envs = batches["shared memory"]
for _ in range(9):
    milliseconds(envs)
worker = envs.rows._parts[0]._worker
calls = worker.num_calls
os.kill(worker.place.pid, signal.SIGKILL)
began = time.perf_counter()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    envs.step(actions[0])
print(f"a worker lost, {calls} steps repeated: {time.perf_counter() - began:.2f} s")
for each in batches.values():
    each.close()
ray.shutdown()
