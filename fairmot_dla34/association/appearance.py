"""Online estimate of how well embeddings tell people apart, and of the probability that two are of one person.

Two people in one frame are different people, and a person who is tracked without doubt remains the same one. So every
frame shows the cosine distances between the embeddings of one person and of different people in this video. Embeddings
that tell nothing apart get probabilities near 1/2, and then change nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from . import costs

FloatArray = NDArray[np.float32]

_PRIOR_COUNT = 10.0  # distances that the prior counts as much as
_LEAST_GAIN = 0.02  # share of the newest frame in the estimate, once there are many
_FRAME_GAIN = 10  # distances of one frame that count as independent
_MIN_VARIANCE = 1e-4
_MAX_LOG_RATIO = 20.0
_MAX_PEOPLE = 100  # in one frame; time grows with their square, what they show does not


@dataclass
class Spread:
    """Running mean and variance of cosine distances.

    Attributes:
        mean: Mean distance.
        variance: Variance of the distances.
        count: Number of distances seen.
    """

    mean: float
    variance: float
    count: float = 0.0

    def add(self, values: NDArray[np.floating]) -> None:
        """Add the distances of one frame; recent frames count more."""
        if not len(values):
            return
        independent = min(len(values), _FRAME_GAIN)
        gain = 1 - (1 - max(_LEAST_GAIN, 1 / (self.count + _PRIOR_COUNT))) ** independent
        self.mean += gain * (float(values.mean()) - self.mean)
        self.variance += gain * (float(((values - self.mean) ** 2).mean()) - self.variance)
        self.variance = max(self.variance, _MIN_VARIANCE)
        self.count += len(values)


class AppearanceModel:
    """Distributions of the cosine distances of one person and of different people, both normal.

    Attributes:
        same: Distances between a person's smoothed embedding and the next one.
        different: Distances between the embeddings of two people in one frame.
    """

    def __init__(self) -> None:
        self.same = Spread(mean=0.15, variance=0.02)  # the weights `sample` on frames that they were not trained on
        self.different = Spread(mean=0.6, variance=0.04)

    @property
    def measured(self) -> float | None:
        """Probability that a distance of one person is below one of different people; None before both were seen."""
        if not self.same.count or not self.different.count:
            return None
        difference = self.different.mean - self.same.mean
        return NormalDist().cdf(difference / (self.same.variance + self.different.variance) ** 0.5)

    def add(self, tracked: FloatArray, found: FloatArray) -> None:
        """Add a frame in which people were matched; of more than 100, every second, third, … is used.

        Args:
            tracked: ``(K, E)`` smoothed embeddings of tracks before this frame; unit length, or zeros for unknown ones.
            found: ``(K, E)`` embeddings of the detections that they were matched with, likewise.
        """
        step = -(-len(tracked) // _MAX_PEOPLE) or 1
        distance = costs.cosine_distance(tracked[::step], found[::step])
        known = np.isfinite(distance)
        own = np.eye(len(distance), dtype=bool)
        self.same.add(distance[own & known])
        self.different.add(distance[~own & known])

    def probability(self, distance: FloatArray) -> FloatArray:
        """Return the probability that a pair is one person, if both cases are equally likely at first.

        Distances below the mean of one person count as this mean, distances above the mean of different people as that:
        a normal distribution says little about the far side of either.

        Args:
            distance: Cosine distances, of any shape; ``inf`` for an unknown embedding.

        Returns:
            The same shape, in [0, 1]; 0.5 for an unknown embedding.
        """
        same, different = self.same, self.different
        if same.mean >= different.mean:
            return np.full(distance.shape, 0.5, np.float32)
        clipped = np.minimum(np.maximum(distance, np.float32(same.mean)), np.float32(different.mean))
        log_ratio = (clipped - different.mean) ** 2 / (2 * different.variance)
        log_ratio -= (clipped - same.mean) ** 2 / (2 * same.variance)
        log_ratio += 0.5 * math.log(different.variance / same.variance)
        np.minimum(np.maximum(log_ratio, -_MAX_LOG_RATIO, out=log_ratio), _MAX_LOG_RATIO, out=log_ratio)
        probability: FloatArray = 1 / (1 + np.exp(-log_ratio))
        probability[distance == np.inf] = 0.5
        return probability
