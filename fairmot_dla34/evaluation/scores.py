"""Values of an evaluation: the scores of each sequence and of all together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scores:
    """Scores of one sequence or of all together. Those in per cent are at most 100; `mota` may be negative.

    Attributes:
        hota: Higher order tracking accuracy, per cent, mean over the IoU thresholds 0.05, 0.10 ... 0.95
            (arXiv 2009.07736).
        det_a: Detection accuracy, a factor of HOTA, per cent.
        ass_a: Association accuracy, a factor of HOTA, per cent.
        mota: 1 - (misses + false positives + id switches) / ground-truth boxes, per cent, at IoU 0.5.
        motp: Mean IoU of the matched boxes, per cent.
        idf1: F1 of boxes with the right id, per cent, at IoU 0.5 (arXiv 1609.01775).
        id_switches: Number of changes of a person's id.
        false_positives: Result boxes without a match.
        false_negatives: Ground-truth boxes without a match.
        mostly_tracked: People matched in more than 80 per cent of their frames.
        mostly_lost: People matched in less than 20 per cent of their frames.
        fragmentations: Times a person was matched again after a miss; TrackEval ignores frames without any result.
        truth_boxes: Ground-truth boxes that are scored.
        truth_ids: People that are scored.
    """

    hota: float
    det_a: float
    ass_a: float
    mota: float
    motp: float
    idf1: float
    id_switches: int
    false_positives: int
    false_negatives: int
    mostly_tracked: int
    mostly_lost: int
    fragmentations: int
    truth_boxes: int
    truth_ids: int


@dataclass(frozen=True)
class Evaluation:
    """Scores of each sequence and of all together.

    Attributes:
        sequences: Scores by sequence name, ordered by name.
        combined: Scores of all sequences, computed by TrackEval from summed counts, not as a mean of scores.
    """

    sequences: dict[str, Scores]
    combined: Scores
