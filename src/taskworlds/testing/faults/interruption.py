"""Calls that are interrupted by Ctrl-C at random times, and calls from other threads while rows step.

Right is what leaves no doubt: the call was finished, or it never began, or the next one says what the environment
needs. Then `reset` and `set_state` put it right to the last bit.
"""

from __future__ import annotations

import contextlib
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from taskworlds import evaluate, make, make_vec
from taskworlds.testing.faults.tally import Tally

__all__ = ["inject"]

_RIGHT = "finished, or refused until reset() or set_state()"

_ENGINES: dict[str, Callable[[], Any]] = {
    "native": lambda: _reach(250, 1),  # a step takes long enough for Ctrl-C to cut it
    "numpy": lambda: make_vec("point", 200, seed=0, max_episode_steps=10**6),
    "sync": lambda: make_vec("point", 20, seed=0, vector_strategy="sync", max_episode_steps=10**6),
    "async": lambda: make_vec("point", 2, seed=0, vector_strategy="async", max_episode_steps=10**6),
    "one env": lambda: make("half-cheetah-vel", seed=0),
}
_CALLS: dict[str, Callable[[Any, Any, dict[str, Any]], Any]] = {
    "step": lambda envs, actions, state: envs.step(actions),
    "step_async, step_wait": lambda envs, actions, state: _in_halves(envs, actions),
    "reset": lambda envs, actions, state: envs.reset(seed=1),
    "set_state": lambda envs, actions, state: envs.set_state(state),
}


_SHARED: dict[str, Callable[[], Any]] = {"native": lambda: _reach(50, 2), "async": _ENGINES["async"]}


def _reach(num_envs: int, num_threads: int) -> Any:
    return make_vec("reach-v3", num_envs, seed=0, num_threads=num_threads, max_episode_steps=10**6)


def inject(rounds: int, seed: int) -> Iterator[Tally]:
    """Interrupts step, reset, set_state and evaluate, and calls from other threads while rows step.

    It must be called in the main thread, where signals are raised.

    Args:
        rounds: how often each call is interrupted on each engine.
        seed: decides when.
    """
    rng = random.Random(seed)
    for engine, make_env in _ENGINES.items():
        envs = make_env()
        for call in _CALLS:
            if call == "step_async, step_wait" and not hasattr(envs, "step_async"):
                continue
            tally = Tally(f"Ctrl-C in {call} ({engine})", _RIGHT)
            _interrupt(envs, call, rounds, rng, tally)
            yield tally
        envs.close()
    tally = Tally("Ctrl-C in evaluate", "KeyboardInterrupt; the next evaluation gives the same result")
    _interrupt_evaluations(rounds, rng, tally)
    yield tally
    for engine in ("native", "async"):
        tally = Tally(
            f"calls from another thread while rows step ({engine})", "finished, or refused; never torn"
        )
        envs = _ENGINES[engine]()
        _call_meanwhile(envs, 20 * rounds, rng, tally)
        envs.close()
        yield tally
    tally = Tally("calls from a signal handler while rows step (native)", "finished, or refused; never torn")
    envs = _SHARED["native"]()
    _call_from_handler(envs, rounds, rng, tally)
    envs.close()
    yield tally


# --- Ctrl-C -------------------------------------------------------------------------------------------------


class _CtrlC:
    """Raises KeyboardInterrupt in the main thread after some seconds, while it is entered."""

    def __init__(self, seconds: float) -> None:
        self._seconds = max(seconds, 1e-6)

    def __enter__(self) -> None:
        self._handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._handler)


def _in_halves(envs: Any, actions: Any) -> Any:
    envs.step_async(actions)
    return envs.step_wait()


def _interrupt(envs: Any, call: str, rounds: int, rng: random.Random, tally: Tally) -> None:
    """Interrupts a call at random times, and notes what a step says afterwards."""
    actions = _actions(envs, 0)
    begin = _CALLS[call]

    def seen(step: Any) -> bytes:
        return np.asarray(step[0]).tobytes()

    envs.reset(seed=0)
    for number in range(1, 4):
        envs.step(_actions(envs, number))
    state = envs.get_state()
    other = _state_elsewhere(envs)
    expected, seconds = [], []
    for done in (False, True):  # what a step shows if the call never began, and if it was finished
        envs.set_state(state)
        begun = time.perf_counter()
        if done:
            begin(envs, actions, other)
            seconds.append(time.perf_counter() - begun)
        expected.append(seen(envs.step(actions)))
    envs.reset(seed=2)
    first = seen(envs.step(actions))
    for _ in range(rounds):
        envs.set_state(state)
        flaw: str | None = None
        try:
            with _CtrlC(rng.uniform(0.0, 1.3 * seconds[0])):
                begin(envs, actions, other)
                seconds[0] = max(1e-4, 0.95 * seconds[0])  # not interrupted: earlier the next time
        except KeyboardInterrupt:
            seconds[0] *= 1.05
        except Exception as error:
            flaw = f"{type(error).__name__}: {error}"
        try:
            if seen(envs.step(actions)) not in expected:
                flaw = "rows are apart, and nothing says so"
        except RuntimeError as error:
            if "Call reset(), or" not in str(error) and "call step_wait()" not in str(error):
                flaw = f"{type(error).__name__}: {error}"
            elif "call step_wait()" in str(error):
                envs.step_wait()
        except Exception as error:
            flaw = f"{type(error).__name__}: {error}"
        try:  # it can be put right, in both ways
            if rng.random() < 0.5:
                envs.set_state(state)
                flaw = flaw or (
                    None if seen(envs.step(actions)) == expected[0] else "set_state does not mend it"
                )
            else:
                envs.reset(seed=2)
                flaw = flaw or (None if seen(envs.step(actions)) == first else "reset does not mend it")
        except Exception as error:
            flaw = f"it cannot be mended: {type(error).__name__}: {error}"
        tally.note(flaw)


def _actions(envs: Any, number: int) -> Any:
    space = envs.action_space
    return np.random.default_rng(number).uniform(-1, 1, space.shape).astype(space.dtype)


def _state_elsewhere(envs: Any) -> Any:
    """Returns the state of another episode; the environment is left there."""
    envs.reset(seed=3)
    for number in range(10, 15):
        envs.step(_actions(envs, number))
    return envs.get_state()


def _interrupt_evaluations(rounds: int, rng: random.Random, tally: Tally) -> None:
    def run() -> Any:
        return evaluate(lambda obs: np.full((len(obs), 2), 0.05), "point", episodes_per_task=2, seed=0)

    run()
    begun = time.perf_counter()
    expected = run()
    seconds = time.perf_counter() - begun
    threads = threading.active_count()
    for _ in range(rounds):
        try:
            with _CtrlC(rng.uniform(0.0, seconds)):
                run()
        except KeyboardInterrupt:
            pass
        except Exception as error:
            tally.note(f"{type(error).__name__}: {error}")
            continue
        if threading.active_count() > threads:
            tally.note(f"{threading.active_count() - threads} threads are left")
        else:
            tally.note(None if rng.random() < 0.8 or run() == expected else "the next result is another")


# --- other threads ------------------------------------------------------------------------------------------


def _call_meanwhile(envs: Any, rounds: int, rng: random.Random, tally: Tally) -> None:
    """Calls all kinds of methods while another thread steps; compares each snapshot with those between steps."""
    actions = _actions(envs, 0)
    envs.reset(seed=0)
    start = envs.get_state()
    steps = 100
    whole = set()
    for _ in range(steps):
        whole.add(_fingerprint(envs))
        envs.step(actions)
    whole.add(_fingerprint(envs))
    rest = [
        lambda: envs.step(actions),
        lambda: envs.reset(seed=0),
        lambda: envs.set_state(start),
        lambda: envs.step_async(actions),
        envs.step_wait,
        lambda: envs.get_attr("max_path_length"),
        lambda: envs.set_tasks(envs.tasks[0][0]),
        envs.close,
    ]
    for number in range(max(1, rounds // 50)):
        envs.set_state(start)
        refused = threading.Event()
        thread = threading.Thread(target=_step_often, args=(envs, actions, steps, refused))
        thread.start()
        calls = 0
        while thread.is_alive() and calls < 50:
            time.sleep(rng.uniform(0.0, 0.002))
            calls += 1
            if number % 2:  # only looks
                try:
                    flaw = None if _fingerprint(envs) in whole else "a snapshot mixes two steps"
                except RuntimeError as error:
                    flaw = _unclear(error)
            else:
                try:
                    rng.choice(rest[:-1])()
                    flaw = None
                except RuntimeError as error:
                    flaw = _unclear(error)
                except Exception as error:
                    flaw = f"{type(error).__name__}: {error}"
            tally.note(flaw)
        thread.join()
        with contextlib.suppress(RuntimeError):  # there is nothing to wait for
            envs.step_wait()
        steps_of_rows = envs.progress.steps
        tally.note(None if (steps_of_rows == steps_of_rows[0]).all() else "rows are at different steps")


def _step_often(envs: Any, actions: Any, steps: int, refused: threading.Event) -> None:
    for _ in range(steps):
        try:
            envs.step(actions)
        except RuntimeError:
            refused.set()


def _fingerprint(envs: Any) -> bytes:
    """Returns the part of a snapshot that a step changes."""
    state = envs.get_state()
    return b"".join(
        np.ascontiguousarray(state[name]).tobytes()
        for name in sorted(state)
        if "elapsed" not in name and state[name].dtype.kind in "fi"
    )


def _unclear(error: RuntimeError) -> str | None:
    """Returns an error's text if it does not say what to do."""
    clear = ("one call at a time", "A step is under way", "No step is under way", "Call reset(), or")
    return None if any(each in str(error) for each in clear) else f"{type(error).__name__}: {error}"


def _call_from_handler(envs: Any, rounds: int, rng: random.Random, tally: Tally) -> None:
    """Takes snapshots in a signal handler, as programs do that are about to be ended."""
    actions = _actions(envs, 0)
    envs.reset(seed=0)
    whole = set()
    start = envs.get_state()
    begun = time.perf_counter()
    for _ in range(50):
        whole.add(_fingerprint(envs))
        envs.step(actions)
    seconds = (time.perf_counter() - begun) / 100
    whole.add(_fingerprint(envs))
    flaws: list[str | None] = []

    def handle(*_: object) -> None:
        try:
            flaws.append(None if _fingerprint(envs) in whole else "a snapshot mixes two steps")
        except RuntimeError as error:
            flaws.append(_unclear(error))

    before = signal.signal(signal.SIGALRM, handle)
    for _ in range(rounds):
        envs.set_state(start)
        signal.setitimer(signal.ITIMER_REAL, max(1e-6, rng.uniform(0.0, 5 * seconds)))
        for _ in range(10):
            envs.step(actions)
        signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    for flaw in flaws:
        tally.note(flaw)
