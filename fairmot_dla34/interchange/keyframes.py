"""Choice of keyframes from which a labelling tool interpolates the other boxes of a track, and division at gaps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_DISTANCE = 100  # frames between two keyframes: a correction changes no box that is farther away


def split_runs(frames: NDArray[np.int64], tracked_frames: NDArray[np.int64]) -> list[slice]:
    """Divide the frames of a track where it is absent from a frame that was tracked.

    Args:
        frames: ``(N,)`` frame numbers of the track, rising; all are among ``tracked_frames``.
        tracked_frames: ``(F,)`` numbers of the frames that were tracked, rising.
    """
    positions = np.searchsorted(tracked_frames, frames)
    ends = [*(np.flatnonzero(np.diff(positions) > 1) + 1).tolist(), len(frames)]
    return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def choose_keyframes(frames: NDArray[np.int64], boxes: NDArray[np.float64], tolerance_px: float) -> NDArray[np.bool_]:
    """Return ``(N,)`` which boxes must be keyframes so that linear interpolation gives the others.

    From each keyframe, the next one is the farthest box to which a straight line passes all boxes between them within
    the tolerance. The first and the last box are keyframes.

    Args:
        frames: ``(N,)`` frame numbers, rising.
        boxes: ``(N, 4)`` xyxy, px.
        tolerance_px: Largest error of a coordinate.
    """
    chosen = np.zeros(len(frames), bool)
    position = 0
    while position < len(frames):
        chosen[position] = True
        elapsed = frames[position + 1 : position + 1 + MAX_DISTANCE] - frames[position]
        elapsed = elapsed[elapsed <= MAX_DISTANCE]
        if len(elapsed) < 2:
            position += 1
            continue
        change = boxes[position + 1 : position + 1 + len(elapsed)] - boxes[position]
        lowest = np.maximum.accumulate((change - tolerance_px) / elapsed[:, None])  # slopes that pass all boxes so far
        highest = np.minimum.accumulate((change + tolerance_px) / elapsed[:, None])
        slopes = change / elapsed[:, None]
        passes = np.logical_and.reduce((lowest - 1e-9 <= slopes) & (slopes <= highest + 1e-9), axis=1)
        position += int(np.flatnonzero(passes)[-1]) + 1  # the next box always passes
    return chosen
