"""TrackEval's rules and metrics, applied to rows in memory. Importing this module needs TrackEval."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from trackeval.datasets import MotChallenge2DBox
from trackeval.metrics import CLEAR, HOTA, Identity

from .mot_rows import MotRows
from .scores import Scores
from .sequence import Sequence

Measures = dict[str, dict[str, Any]]  # TrackEval's fields by metric

_METRICS = (HOTA(), CLEAR({"PRINT_CONFIG": False}), Identity({"PRINT_CONFIG": False}))
ALPHAS: NDArray[np.float64] = _METRICS[0].array_labels  # the IoU thresholds of HOTA


def prepare(sequence: Sequence) -> dict[str, Any]:
    """Apply the rules of MOTChallenge, which remove the boxes that are not scored.

    Frames without any row are left out: they change no score, and a sequence may consist of millions of them.

    Returns:
        TrackEval's data of the sequence: ids and boxes of each frame, and the IoU between them; added to them as
        ``frames``, the numbers of these frames, ascending.
    """
    dataset = _Dataset(sequence)
    data: dict[str, Any] = dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("", sequence.name), "pedestrian")
    return data | {"frames": dataset.frames}


def measure(data: dict[str, Any]) -> Measures:
    """Compute all metrics of one sequence from the data of `prepare`."""
    return {metric.get_name(): metric.eval_sequence(data) for metric in _METRICS}


def combine(measures: dict[str, Measures]) -> Measures:
    """Compute all metrics of the sequences together, from the metrics of each."""
    names = [metric.get_name() for metric in _METRICS]
    return {
        name: metric.combine_sequences({sequence: by_metric[name] for sequence, by_metric in measures.items()})
        for name, metric in zip(names, _METRICS, strict=True)
    }


def scores_of(measures: Measures) -> Scores:
    """Select the scores that are reported."""
    hota, clear, identity = (measures[metric.get_name()] for metric in _METRICS)
    return Scores(
        hota=100 * float(np.mean(hota["HOTA"])),
        det_a=100 * float(np.mean(hota["DetA"])),
        ass_a=100 * float(np.mean(hota["AssA"])),
        mota=100 * float(clear["MOTA"]),
        motp=100 * float(clear["MOTP"]),
        idf1=100 * float(identity["IDF1"]),
        id_switches=int(clear["IDSW"]),
        false_positives=int(clear["CLR_FP"]),
        false_negatives=int(clear["CLR_FN"]),
        mostly_tracked=int(clear["MT"]),
        mostly_lost=int(clear["ML"]),
        fragmentations=int(clear["Frag"]),
        truth_boxes=int(clear["CLR_TP"] + clear["CLR_FN"]),
        truth_ids=int(clear["MT"] + clear["PT"] + clear["ML"]),
    )


class _Dataset(MotChallenge2DBox):  # type: ignore[misc]  # TrackEval has no types
    """One sequence in memory; it replaces TrackEval's folders of files."""

    def __init__(self, sequence: Sequence) -> None:
        benchmark = "MOT20" if sequence.name.startswith("MOT20") else "MOT17"  # MOT20 has one more distractor class
        self.frames = np.union1d(sequence.truth.frames, sequence.results.frames)
        super().__init__(
            {
                "PRINT_CONFIG": False,
                "SEQ_INFO": {sequence.name: len(self.frames)},
                "GT_LOC_FORMAT": __file__.replace("{", "{{").replace("}", "}}"),  # must be a file; it is not read
                "TRACKERS_TO_EVAL": [],
                "BENCHMARK": benchmark,
                "DO_PREPROC": sequence.has_classes,
            }
        )
        self._sequence = sequence

    def _load_raw_file(self, tracker: str, seq: str, is_gt: bool) -> dict[str, Any]:  # noqa: ARG002
        sequence = self._sequence
        rows = sequence.truth if is_gt else sequence.results
        ids = np.unique(rows.ids, return_inverse=True)[1]  # TrackEval's memory grows with the largest id
        frames = _rows_of_frames(rows, self.frames)
        boxes, flagged = rows.boxes, rows.flagged
        kind = "gt" if is_gt else "tracker"
        raw: dict[str, Any] = {
            "num_timesteps": len(self.frames),
            "seq": seq,
            f"{kind}_ids": [ids[index] for index in frames],
            f"{kind}_dets": [boxes[index] for index in frames],
        }
        if is_gt:
            classes = rows.column_8.astype(int) if sequence.has_classes else np.ones(len(rows), int)
            raw["gt_classes"] = [classes[index] for index in frames]
            raw["gt_extras"] = [{"zero_marked": flagged[index]} for index in frames]
        else:
            raw["tracker_classes"] = [np.ones(len(index), int) for index in frames]
            # No metric reads the confidence, so it carries the ids of the file through the rules.
            file_ids = rows.ids
            raw["tracker_confidences"] = [file_ids[index] for index in frames]
        return raw


def _rows_of_frames(rows: MotRows, frames: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Return the row indices of each of the ``frames``, in the order of the file."""
    order = np.argsort(rows.frames, kind="stable")
    ends = np.searchsorted(rows.frames[order], frames[:-1], side="right")
    return np.split(order, ends)
