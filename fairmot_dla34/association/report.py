"""Selection, ids and conversion of the tracks that a frame reports."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..values import Track
from .config import TrackerConfig
from .tracklet import Tracklets

_MAX_FLOAT32 = float(np.finfo(np.float32).max)


def reported_rows(tracklets: Tracklets, config: TrackerConfig) -> NDArray[np.intp]:
    """Return the rows of the tracks that a frame reports: confirmed, not lost, of accepted area and shape.

    Args:
        tracklets: All tracklets at the end of the frame.
        config: Settings; ``min_box_area`` and ``vertical_ratio`` filter the estimated boxes.

    Returns:
        Rows, ascending.
    """
    rows = np.flatnonzero(tracklets.confirmed & ~tracklets.lost)
    aspect, height = tracklets.mean[rows, 2], tracklets.mean[rows, 3]
    reported = (height > 0) & (aspect * height * height > min(config.smallest_area, _MAX_FLOAT32))
    if config.vertical_ratio > 0:
        reported &= aspect <= min(config.vertical_ratio, _MAX_FLOAT32)
    selected: NDArray[np.intp] = rows[reported]
    return selected


def give_ids(tracklets: Tracklets, rows: NDArray[np.intp], next_id: int) -> int:
    """Give an id to those of ``rows`` that have none, in place.

    A tracklet that is never reported thus uses up no id, and ids appear in the results as 1, 2, 3, ...

    Args:
        tracklets: All tracklets; the column ``track_ids`` is changed.
        rows: Rows of the tracks to report.
        next_id: First id to give.

    Returns:
        The first id of the next frame.
    """
    new = rows[tracklets.track_ids[rows] == 0]
    tracklets.track_ids[new] = np.arange(next_id, next_id + len(new))
    return next_id + len(new)


def tracks_of(tracklets: Tracklets, rows: NDArray[np.intp], frame: int) -> tuple[Track, ...]:
    """Return the tracks of ``rows``, in that order.

    Args:
        tracklets: All tracklets at the end of the frame.
        rows: Rows to report; they have ids.
        frame: Number of the frame, from 1, skipped frames included.
    """
    columns = (
        tracklets.track_ids[rows].tolist(),
        map(tuple, tracklets.boxes(rows).tolist()),
        tracklets.scores[rows].tolist(),
        (frame - tracklets.first_frames[rows]).tolist(),
        tracklets.class_ids[rows].tolist(),
    )
    return tuple(Track(*values) for values in zip(*columns, strict=True))
