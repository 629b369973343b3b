"""Evaluation that can be compared: equal weight for every skill, intervals, and a fingerprint."""

from taskworlds.evaluation.comparison import Comparison, Pair, PartDifference, SkillDifference, compare
from taskworlds.evaluation.evaluating import evaluate
from taskworlds.evaluation.fingerprint import Fingerprint
from taskworlds.evaluation.groups import Grouped
from taskworlds.evaluation.methods import load_method
from taskworlds.evaluation.parts import merge_parts
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
from taskworlds.evaluation.pooled import Pooled, pool
from taskworlds.evaluation.provenance import Provenance
from taskworlds.evaluation.records import Episode, TaskRecord
from taskworlds.evaluation.result import Result, Stopped
from taskworlds.evaluation.statistics import METRICS, Estimate
from taskworlds.evaluation.summaries import SkillSummary, Summary, Worst
from taskworlds.worlds.metaworld.experts import ExpertPolicy, expert_policy
from taskworlds.worlds.metaworld.mended_experts import MendedExpertPolicy

__all__ = [
    "METRICS",
    "Agent",
    "Comparison",
    "Episode",
    "Estimate",
    "ExpertPolicy",
    "Fingerprint",
    "Grouped",
    "MendedExpertPolicy",
    "MetaLearningAgent",
    "Model",
    "Pair",
    "PartDifference",
    "Policy",
    "Pooled",
    "Provenance",
    "RandomPolicy",
    "Result",
    "SkillDifference",
    "SkillSummary",
    "Stopped",
    "Summary",
    "TaskRecord",
    "Timestep",
    "Worst",
    "compare",
    "evaluate",
    "expert_policy",
    "load_method",
    "load_policy",
    "merge_parts",
    "pool",
    "random_policy",
]
