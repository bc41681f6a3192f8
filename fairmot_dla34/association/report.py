"""Selection and conversion of the tracks that a frame reports."""

from __future__ import annotations

import numpy as np

from ..values import Track
from .config import TrackerConfig
from .tracklet import Tracklets


def report_tracks(tracklets: Tracklets, frame: int, config: TrackerConfig) -> tuple[Track, ...]:
    """Return the confirmed tracks of a frame whose estimated box passes the filter on area and shape.

    Args:
        tracklets: All tracklets at the end of the frame.
        frame: Number of the frame, from 1, skipped frames included.
        config: Settings; ``min_box_area`` and ``vertical_ratio`` are the filter.

    Returns:
        One track per tracklet, in the same order.
    """
    rows = np.flatnonzero(tracklets.confirmed & ~tracklets.lost)
    aspect, height = tracklets.mean[rows, 2], tracklets.mean[rows, 3]
    reported = (height > 0) & (aspect * height * height > config.min_box_area)
    if config.vertical_ratio > 0:
        reported &= aspect <= config.vertical_ratio
    rows = rows[reported]
    columns = (
        tracklets.ids[rows].tolist(),
        map(tuple, tracklets.boxes(rows).tolist()),
        tracklets.scores[rows].tolist(),
        (frame - tracklets.first_frames[rows]).tolist(),
        tracklets.class_ids[rows].tolist(),
    )
    return tuple(Track(*values) for values in zip(*columns, strict=True))
