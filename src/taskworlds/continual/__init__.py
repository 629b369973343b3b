"""Continual learning: skills one after the other, each for a budget of steps, all of them evaluated along the way.

`make_sequence` makes the environments of a sequence such as CW10 or CW20, `Evaluator` evaluates a policy on all skills
while it learns, and `performance`, `forgetting` and `forward_transfer` are Continual World's figures. docs/continual.md
shows how, and says what differs from Continual World.
"""

from taskworlds.continual.evaluator import Evaluator
from taskworlds.continual.figures import forgetting, forward_transfer, performance
from taskworlds.continual.learning_run import LearningRun
from taskworlds.continual.sequence_env import SequenceVectorEnv
from taskworlds.continual.sequences import SEQUENCES, make_sequence, sequence

__all__ = [
    "SEQUENCES",
    "Evaluator",
    "LearningRun",
    "SequenceVectorEnv",
    "forgetting",
    "forward_transfer",
    "make_sequence",
    "performance",
    "sequence",
]
