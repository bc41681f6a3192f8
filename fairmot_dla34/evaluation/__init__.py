"""Scores of tracking results against ground truth: HOTA, CLEAR MOT and IDF1, computed by TrackEval."""

from .evaluate import evaluate
from .scores import Evaluation, Scores
from .table import evaluation_json, scores_table

__all__ = ["Evaluation", "Scores", "evaluate", "evaluation_json", "scores_table"]
