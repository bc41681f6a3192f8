"""Frames with known tracks, shared by all tests of outputs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fairmot_dla34.values import Frame, FrameResult, Track

RATE = 30000 / 1001


def sample_results(count: int = 5, width: int = 64, height: int = 48) -> Iterator[tuple[Frame, FrameResult]]:
    """Frames with 0, 1 or 2 tracks, one of them partly outside the image and with a low score."""
    for index in range(count):
        image = np.full((height, width, 3), 40 + 10 * (index % 15), np.uint8)
        tracks = (
            Track(7, (10.126 + index, 5.0, 30.5 + index, 40.254), 0.912345, index),
            Track(12, (-4.0, -2.5, 11.0, 20.0), 0.4, 3, class_id=1),
        )
        time_s = index / RATE
        yield Frame(index, time_s, image), FrameResult(index, time_s, tracks[: index % 3])
