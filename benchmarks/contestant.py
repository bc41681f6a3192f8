"""Defines what a benchmark needs to know of a tracker that works on detections, and the input all peers get."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.values import Detections

Row = tuple[int, float, float, float, float]  # id, left, top, right, bottom in image px
Update = Callable[[Detections], Iterable[Row]]
Size = tuple[int, int]  # width and height of the images, px
Start = Callable[[float, Size], Update]

# The default thresholds of `TrackerConfig`, which suit FairMOT's scores: conf_thres, low_conf_thres, and the smallest
# score of a new track. The peers' own defaults suit other detectors.
HIGH_SCORE, LOW_SCORE, NEW_TRACK_SCORE = 0.4, 0.2, 0.5


@dataclass(frozen=True)
class Contestant:
    """A tracker to be measured, one row of a table.

    Peers count ids in class attributes, so only one tracker of a package may run at a time.

    Attributes:
        name: Name in the tables, unique among all contestants.
        package: Package that provides the tracker; "" for the project's own.
        start: Function that takes a video's frame rate and image size and returns a new tracker's update function. That
            is called for every frame, also for those without detections, and returns the tracks of that frame.
        uses_embeddings: Whether the tracker uses embeddings and needs them; the others ignore those of the detections.
    """

    name: str
    package: str
    start: Start
    uses_embeddings: bool = False

    @property
    def installed(self) -> bool:
        """Whether the tracker's package is installed."""
        return not self.package or importlib.util.find_spec(self.package) is not None


def valid(detections: Detections) -> Detections:
    """Return the detections that every peer accepts: finite boxes with an extent, scores from 0 to 1.

    Trackers of this package drop the others themselves. boxmot raises an error, and a NaN stays in a peer's filters.
    """
    boxes, scores = detections.boxes, detections.scores
    keep = np.isfinite(boxes).all(axis=1) & np.isfinite(scores)
    keep &= (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    embeddings = detections.embeddings
    if embeddings is not None:
        keep &= np.isfinite(embeddings).all(axis=1)
        embeddings = embeddings[keep]
    return Detections(boxes[keep], scores[keep].clip(0, 1), embeddings)


def embeddings_of(detections: Detections) -> NDArray[np.float32]:
    """Return the embeddings, ``(0, 1)`` without detections.

    Raises:
        ValueError: There are detections, but no embeddings.
    """
    if not len(detections):
        return np.zeros((0, 1), np.float32)
    if detections.embeddings is None:
        raise ValueError("The detections have no embeddings; this contestant needs them, see `uses_embeddings`.")
    return detections.embeddings
