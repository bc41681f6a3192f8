"""Pairs the peaks of two backends and measures their differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from fairmot_dla34.values import Peaks


@dataclass(frozen=True)
class Difference:
    """Largest differences over paired peaks; ``unpaired`` counts peaks above the score that one side lacks."""

    peaks: int
    unpaired: int
    box_px: float
    score: float
    cosine: float


def compare(a: Peaks, b: Peaks, min_score: float = 0.1, same_peak_px: float = 2.0) -> Difference:
    """Pair peaks above ``min_score`` whose boxes agree within ``same_peak_px`` (half a heatmap cell).

    Rounding may put the partner of a peak just below ``min_score``: partners are accepted from 1e-5 below it.
    """
    assert a.embeddings is not None
    assert b.embeddings is not None
    strong_a, strong_b = a.scores > min_score, b.scores > min_score
    near_a, near_b = a.scores > min_score - 1e-5, b.scores > min_score - 1e-5
    boxes_a, boxes_b = a.boxes[near_a], b.boxes[near_b]
    distance = np.abs(boxes_a[:, None] - boxes_b[None]).max(axis=2)  # (A, B)
    rows, columns = linear_sum_assignment(np.minimum(distance, 1e3))
    paired = distance[rows, columns] < same_peak_px
    rows, columns = rows[paired], columns[paired]
    unpaired = int((~np.isin(np.flatnonzero(strong_a[near_a]), rows)).sum())
    unpaired += int((~np.isin(np.flatnonzero(strong_b[near_b]), columns)).sum())
    cosines = np.sum(a.embeddings[near_a][rows] * b.embeddings[near_b][columns], axis=1)
    return Difference(
        peaks=len(rows),
        unpaired=unpaired,
        box_px=float(distance[rows, columns].max(initial=0)),
        score=float(np.abs(a.scores[near_a][rows] - b.scores[near_b][columns]).max(initial=0)),
        cosine=float(cosines.min(initial=1)),
    )
