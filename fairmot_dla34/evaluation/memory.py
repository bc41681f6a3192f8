"""Estimate of the memory that TrackEval needs; a sequence that needs too much is refused before it is scored."""

from __future__ import annotations

import numpy as np

from ..errors import TrackFileError
from .mot_rows import MotRows

MAX_BYTES = 8 * 2**30  # MOT20-05, the largest sequence of MOTChallenge, needs 3 GB if the results have 2,000 ids

# Measured with TrackEval 1.3.0. HOTA keeps a matrix of (people, result ids) for each of its 19 IoU thresholds and works
# with a few more; Identity has four of (people + result ids)^2; the boxes of a frame are compared with one another.
_HOTA_MATRICES, _IDENTITY_MATRICES, _IOU_MATRICES, _WORKING_MATRICES = 24, 5, 2, 8
_FRAME_BYTES, _ROW_BYTES = 4000, 400


def check_memory(truth: MotRows, results: MotRows) -> None:
    """Check that the rows of a sequence can be scored within 8 GiB.

    Raises:
        TrackFileError: They need more; the error names the number of people, result ids and boxes per frame.
    """
    frames, index = np.unique(np.concatenate([truth.frames, results.frames]), return_inverse=True)
    people_in = np.bincount(index[: len(truth)], minlength=len(frames)).astype(np.float64)
    results_in = np.bincount(index[len(truth) :], minlength=len(frames)).astype(np.float64)
    people, ids = len(np.unique(truth.ids)), len(np.unique(results.ids))
    pairs = people_in * results_in
    needed = _FRAME_BYTES * len(frames) + _ROW_BYTES * (len(truth) + len(results))
    needed += 8 * (_IOU_MATRICES * pairs.sum() + _WORKING_MATRICES * pairs.max(initial=0))
    needed += 8 * (_HOTA_MATRICES * people * ids + _IDENTITY_MATRICES * (people + ids) ** 2)
    if needed > MAX_BYTES:
        raise TrackFileError(
            f"{results.path} has {ids} ids and up to {results_in.max():.0f} boxes in a frame, for {people} people in "
            f"{len(frames)} frames: scoring needs {needed / 2**30:.1f} GB; expected at most {MAX_BYTES / 2**30:.0f} "
            "GB. Split the sequence."
        )
