"""Scores of results against ground truth, computed by TrackEval, and the comparison of two checkpoints on a video."""

from .comparison import compare_networks
from .comparison_report import Comparison, Limits
from .evaluate import evaluate
from .scores import Evaluation, Scores
from .table import evaluation_json, scores_table

__all__ = [
    "Comparison",
    "Evaluation",
    "Limits",
    "Scores",
    "compare_networks",
    "evaluate",
    "evaluation_json",
    "scores_table",
]
