"""TrackEval run directly, with its own dataset, file reader and evaluator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FIELDS = {
    "hota": ("HOTA", "HOTA"),
    "det_a": ("HOTA", "DetA"),
    "ass_a": ("HOTA", "AssA"),
    "mota": ("CLEAR", "MOTA"),
    "motp": ("CLEAR", "MOTP"),
    "idf1": ("Identity", "IDF1"),
    "id_switches": ("CLEAR", "IDSW"),
    "false_positives": ("CLEAR", "CLR_FP"),
    "false_negatives": ("CLEAR", "CLR_FN"),
    "mostly_tracked": ("CLEAR", "MT"),
    "mostly_lost": ("CLEAR", "ML"),
    "fragmentations": ("CLEAR", "Frag"),
    "truth_boxes": ("Count", "GT_Dets"),
    "truth_ids": ("Count", "GT_IDs"),
}


def trackeval_scores(
    gt: Path, results: Path, lengths: dict[str, int], workspace: Path, **settings: Any
) -> dict[str, dict[str, float]]:
    """Score flat folders; return the fields of `Scores` by sequence, including ``COMBINED_SEQ``."""
    from trackeval import Evaluator
    from trackeval.datasets import MotChallenge2DBox
    from trackeval.metrics import CLEAR, HOTA, Identity

    (workspace / "tracker").mkdir()
    (workspace / "tracker" / "data").symlink_to(results.resolve())
    dataset = MotChallenge2DBox(
        {
            "GT_FOLDER": str(gt),
            "TRACKERS_FOLDER": str(workspace),
            "TRACKERS_TO_EVAL": ["tracker"],
            "SEQ_INFO": lengths,
            "SKIP_SPLIT_FOL": True,
            "GT_LOC_FORMAT": "{gt_folder}/{seq}.txt",
            "PRINT_CONFIG": False,
            **settings,
        }
    )
    quiet = ("PRINT_RESULTS", "PRINT_CONFIG", "TIME_PROGRESS", "OUTPUT_SUMMARY", "OUTPUT_DETAILED", "PLOT_CURVES")
    evaluator = Evaluator({**dict.fromkeys(quiet, False), "LOG_ON_ERROR": None, "BREAK_ON_ERROR": True})
    metrics = [HOTA(), CLEAR({"PRINT_CONFIG": False}), Identity({"PRINT_CONFIG": False})]
    found, _ = evaluator.evaluate([dataset], metrics)
    return {
        sequence: {field: _value(measures["pedestrian"], *path) for field, path in FIELDS.items()}
        for sequence, measures in found["MotChallenge2DBox"]["tracker"].items()
    }


def _value(measures: dict[str, dict[str, Any]], metric: str, field: str) -> float:
    value = measures[metric][field]
    value = value.mean() if metric == "HOTA" else value
    return 100 * float(value) if field in {"HOTA", "DetA", "AssA", "MOTA", "MOTP", "IDF1"} else int(value)
