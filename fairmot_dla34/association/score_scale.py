"""Running median of the scores of people who are surely tracked, from which a tracker derives its score thresholds.

The scores of two detectors are not comparable: one finds most people at 0.99, another at 0.4. Relative to the median
score of people who are tracked for a while, the same thresholds suit both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

_BINS = 100
_MEMORY_UPDATES = 500  # updates with people after which a score counts 1 / e
LOWEST_MEDIAN = 0.2  # lower scores are noise in scenes without people; such a detector needs thresholds of the user
_PRIOR_COUNT = 50  # scores that the prior counts as much as


class ScoreScale:
    """Blend of a prior and of the median of the scores seen lately.

    Until people are tracked, the best score so far takes the place of a higher prior, so that a detector whose scores
    are all low starts tracks at all. Memory is constant.

    Args:
        prior: Median to start from, from 0 to 1: that of FairMOT's weights.
    """

    def __init__(self, prior: float) -> None:
        self._prior = prior
        self._best = 0.0
        self._counts = np.zeros(_BINS)
        self._keep = float(np.exp(-1 / _MEMORY_UPDATES))

    def see(self, scores: FloatArray) -> None:
        """Note the scores of all detections of a frame."""
        if len(scores):
            self._best = max(self._best, float(scores.max()))

    def add(self, scores: FloatArray) -> None:
        """Add the scores of people who are surely tracked; scores outside 0 to 1 count as the nearest of the two."""
        if not len(scores):
            return
        self._counts *= self._keep
        bins = np.clip((scores * _BINS).astype(np.intp), 0, _BINS - 1)
        np.add.at(self._counts, bins, 1)

    @property
    def measured(self) -> float | None:
        """`median` once people were tracked; None before."""
        return self.median if self._counts.any() else None

    @property
    def median(self) -> float:
        """Median score, from 0 to 1."""
        prior = min(self._prior, max(self._best, LOWEST_MEDIAN)) if self._best else self._prior
        count = float(self._counts.sum())
        if count == 0:
            return prior
        seen = (int(np.searchsorted(self._counts.cumsum(), count / 2)) + 0.5) / _BINS
        weight = count / (count + _PRIOR_COUNT)
        return max((1 - weight) * prior + weight * seen, LOWEST_MEDIAN)
