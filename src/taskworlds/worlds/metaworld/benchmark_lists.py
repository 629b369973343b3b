"""Which skills each benchmark of Meta-World trains and tests on, in the order in which their goals are drawn.

MT1 and ML1 take any one skill and so have no list. Two things are Meta-World's own: basketball-v3 is both a
train and a test skill of ML25, and ML45 orders its skills otherwise than MT50.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ENV_NAMES", "NUM_GOALS", "EnvNames"]

NUM_GOALS = 50
"""Goals of each skill in Meta-World's own benchmarks."""


class EnvNames(NamedTuple):
    """The skills of a benchmark.

    Attributes:
        train: names of the skills to train on.
        test: names of the skills to test on; none in the MT benchmarks.
    """

    train: tuple[str, ...]
    test: tuple[str, ...] = ()


_MT25 = (
    "reach-v3",
    "push-v3",
    "pick-place-v3",
    "door-open-v3",
    "drawer-open-v3",
    "drawer-close-v3",
    "button-press-topdown-v3",
    "peg-insert-side-v3",
    "window-open-v3",
    "window-close-v3",
    "coffee-pull-v3",
    "pick-out-of-hole-v3",
    "disassemble-v3",
    "pick-place-wall-v3",
    "basketball-v3",
    "stick-pull-v3",
    "button-press-wall-v3",
    "faucet-open-v3",
    "door-lock-v3",
    "lever-pull-v3",
    "sweep-into-v3",
    "faucet-close-v3",
    "coffee-button-v3",
    "button-press-topdown-wall-v3",
    "dial-turn-v3",
)

ENV_NAMES: dict[str, EnvNames] = {
    "MT10": EnvNames(
        train=(
            "reach-v3",
            "push-v3",
            "pick-place-v3",
            "door-open-v3",
            "drawer-open-v3",
            "drawer-close-v3",
            "button-press-topdown-v3",
            "peg-insert-side-v3",
            "window-open-v3",
            "window-close-v3",
        )
    ),
    "MT25": EnvNames(train=_MT25),
    "MT50": EnvNames(
        train=(
            "assembly-v3",
            "basketball-v3",
            "bin-picking-v3",
            "box-close-v3",
            "button-press-topdown-v3",
            "button-press-topdown-wall-v3",
            "button-press-v3",
            "button-press-wall-v3",
            "coffee-button-v3",
            "coffee-pull-v3",
            "coffee-push-v3",
            "dial-turn-v3",
            "disassemble-v3",
            "door-close-v3",
            "door-lock-v3",
            "door-open-v3",
            "door-unlock-v3",
            "hand-insert-v3",
            "drawer-close-v3",
            "drawer-open-v3",
            "faucet-open-v3",
            "faucet-close-v3",
            "hammer-v3",
            "handle-press-side-v3",
            "handle-press-v3",
            "handle-pull-side-v3",
            "handle-pull-v3",
            "lever-pull-v3",
            "pick-place-wall-v3",
            "pick-out-of-hole-v3",
            "pick-place-v3",
            "plate-slide-v3",
            "plate-slide-side-v3",
            "plate-slide-back-v3",
            "plate-slide-back-side-v3",
            "peg-insert-side-v3",
            "peg-unplug-side-v3",
            "soccer-v3",
            "stick-push-v3",
            "stick-pull-v3",
            "push-v3",
            "push-wall-v3",
            "push-back-v3",
            "reach-v3",
            "reach-wall-v3",
            "shelf-place-v3",
            "sweep-into-v3",
            "sweep-v3",
            "window-open-v3",
            "window-close-v3",
        )
    ),
    "ML10": EnvNames(
        train=(
            "reach-v3",
            "push-v3",
            "pick-place-v3",
            "door-open-v3",
            "drawer-close-v3",
            "button-press-topdown-v3",
            "peg-insert-side-v3",
            "window-open-v3",
            "sweep-v3",
            "basketball-v3",
        ),
        test=("drawer-open-v3", "door-close-v3", "shelf-place-v3", "sweep-into-v3", "lever-pull-v3"),
    ),
    "ML25": EnvNames(
        train=_MT25, test=("basketball-v3", "door-close-v3", "shelf-place-v3", "sweep-v3", "button-press-v3")
    ),
    "ML45": EnvNames(
        train=(
            "assembly-v3",
            "basketball-v3",
            "button-press-topdown-v3",
            "button-press-topdown-wall-v3",
            "button-press-v3",
            "button-press-wall-v3",
            "coffee-button-v3",
            "coffee-pull-v3",
            "coffee-push-v3",
            "dial-turn-v3",
            "disassemble-v3",
            "door-close-v3",
            "door-open-v3",
            "drawer-close-v3",
            "drawer-open-v3",
            "faucet-open-v3",
            "faucet-close-v3",
            "hammer-v3",
            "handle-press-side-v3",
            "handle-press-v3",
            "handle-pull-side-v3",
            "handle-pull-v3",
            "lever-pull-v3",
            "pick-place-wall-v3",
            "pick-out-of-hole-v3",
            "push-back-v3",
            "pick-place-v3",
            "plate-slide-v3",
            "plate-slide-side-v3",
            "plate-slide-back-v3",
            "plate-slide-back-side-v3",
            "peg-insert-side-v3",
            "peg-unplug-side-v3",
            "soccer-v3",
            "stick-push-v3",
            "stick-pull-v3",
            "push-wall-v3",
            "push-v3",
            "reach-wall-v3",
            "reach-v3",
            "shelf-place-v3",
            "sweep-into-v3",
            "sweep-v3",
            "window-open-v3",
            "window-close-v3",
        ),
        test=("bin-picking-v3", "box-close-v3", "hand-insert-v3", "door-lock-v3", "door-unlock-v3"),
    ),
}
