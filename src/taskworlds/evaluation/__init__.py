"""Evaluation that can be compared: equal weight for every task, intervals, and a fingerprint."""

from taskworlds.evaluation.comparison import Comparison, SkillDifference, compare
from taskworlds.evaluation.evaluating import evaluate
from taskworlds.evaluation.fingerprint import Fingerprint
from taskworlds.evaluation.players import load_policy
from taskworlds.evaluation.policies import (
    Agent,
    MetaLearningAgent,
    Model,
    Policy,
    RandomPolicy,
    Timestep,
    random_policy,
)
from taskworlds.evaluation.result import Episode, Result, SkillSummary, Stopped, Summary, TaskRecord
from taskworlds.evaluation.statistics import METRICS, Estimate
from taskworlds.worlds.metaworld.experts import ExpertPolicy, expert_policy

__all__ = [
    "METRICS",
    "Agent",
    "Comparison",
    "Episode",
    "Estimate",
    "ExpertPolicy",
    "Fingerprint",
    "MetaLearningAgent",
    "Model",
    "Policy",
    "RandomPolicy",
    "Result",
    "SkillDifference",
    "SkillSummary",
    "Stopped",
    "Summary",
    "TaskRecord",
    "Timestep",
    "compare",
    "evaluate",
    "expert_policy",
    "load_policy",
    "random_policy",
]
