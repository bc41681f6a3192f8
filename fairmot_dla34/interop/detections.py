"""Detections and tracks to and from supervision's ``Detections``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ..config import shown
from ..errors import InvalidInputError
from ..values import Detections, FrameResult, Track
from .packages import import_package

if TYPE_CHECKING:
    import supervision

EMBEDDINGS = "embeddings"  # key of ``supervision.Detections.data``


def to_supervision(result: FrameResult | Iterable[Track]) -> supervision.Detections:
    """Return the tracks of one frame for supervision's annotators, zones and sinks.

    Args:
        result: Result of a frame, or tracks as `Tracker.update` returns them.

    Returns:
        ``xyxy`` in image px, ``confidence``, ``class_id``, ``tracker_id``; ``data`` has ``age_frames`` and ``filled``.
        Without tracks all of them are empty arrays.

    Raises:
        PackageUnavailableError: supervision is not installed.
        InvalidInputError: ``result`` is neither a `FrameResult` nor tracks.
    """
    library = import_package("supervision", "to_supervision")
    tracks = _tracks(result)
    return library.Detections(
        xyxy=np.array([track.box for track in tracks], np.float32).reshape(-1, 4),
        confidence=np.array([track.score for track in tracks], np.float32),
        class_id=np.array([track.class_id for track in tracks], np.int64),
        tracker_id=np.array([track.track_id for track in tracks], np.int64),
        data={
            "age_frames": np.array([track.age_frames for track in tracks], np.int64),
            "filled": np.array([track.filled for track in tracks], np.bool_),
        },
    )


def from_supervision(detections: supervision.Detections) -> Detections:
    """Return supervision's detections for `Tracker.update`.

    Masks, names of classes, tracker ids and other data have no place in `Detections` and are left out.

    Args:
        detections: Detections of one image, boxes in image px. ``confidence`` becomes the score. If
            ``data["embeddings"]`` is there, it has the embeddings, shape ``(N, E)``.

    Raises:
        InvalidInputError: It is not a ``supervision.Detections``, has no confidence, or has values that `Detections`
            refuses.
    """
    library = sys.modules.get("supervision")  # a value of its class exists only if it was imported
    if library is None or not isinstance(detections, library.Detections):
        raise InvalidInputError(
            f"detections is {shown(detections)}; expected a supervision.Detections. From other libraries make one with "
            "supervision.Detections.from_ultralytics and its like."
        )
    scores = detections.confidence
    if scores is None:
        if len(detections):
            raise InvalidInputError(
                f"The {len(detections)} detections have confidence=None; the tracker needs scores from 0 to 1. Set "
                "detections.confidence, to np.ones(len(detections)) if the detector gives none."
            )
        scores = np.empty(0, np.float32)
    return Detections(detections.xyxy, scores, detections.data.get(EMBEDDINGS), detections.class_id)


def _tracks(result: object) -> list[Track]:
    items = result.tracks if isinstance(result, FrameResult) else result
    tracks = list(items) if isinstance(items, Iterable) and not isinstance(items, str | bytes) else None
    if tracks is None or not all(isinstance(track, Track) for track in tracks):
        raise InvalidInputError(f"result is {shown(result)}; expected the FrameResult of one frame, or its tracks.")
    return tracks
