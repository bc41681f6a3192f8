"""Online estimate of how exactly a detector measures the heights of people, and of how much heights may count."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

_MAD_TO_STD = 1.4826  # of a normal distribution
_GAIN_PER_PERSON, _MAX_GAIN = 0.02, 0.3
_PRIOR_STD = 0.1
_MIN_STD = 1e-3

# The exponent of the overlap of heights is `_FULL_STD` / std - 1, at most 2: 2 for a deviation of 2 %, 0 for 6 % or
# more, for which heights cost more right matches than they prevent wrong ones.
_FULL_STD, _MAX_EXPONENT = 0.06, 2.0


class HeightNoise:
    """Running standard deviation of the ratio of measured and predicted heights.

    Attributes:
        std: Standard deviation, as a share of the height.
    """

    def __init__(self) -> None:
        self.std = _PRIOR_STD
        self._is_first = True

    def add(self, predicted: FloatArray, measured: FloatArray) -> None:
        """Add the heights ``(K,)`` of people who are surely tracked, px; measured ones are above 0."""
        if not len(predicted):
            return
        ratio = np.log(measured / np.maximum(predicted, _MIN_STD))
        std = float(np.median(np.abs(ratio))) * _MAD_TO_STD
        gain = 1.0 if self._is_first else min(len(predicted) * _GAIN_PER_PERSON, _MAX_GAIN)
        self._is_first = False
        self.std += gain * (std - self.std)

    @property
    def measured(self) -> float | None:
        """`std` once people were seen; None before."""
        return None if self._is_first else self.std

    @property
    def exponent(self) -> float:
        """Exponent of the overlap of heights in the cost of a match, from 0 to 2."""
        return min(max(_FULL_STD / max(self.std, _MIN_STD) - 1, 0.0), _MAX_EXPONENT)
