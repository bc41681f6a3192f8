"""Tracks of one video with all that the writers need: the video's facts, class names and settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .keyframes import choose_keyframes, split_runs
from .results import TrackResults
from .tracked_video import TrackedVideo


@dataclass(frozen=True, eq=False)
class TrackPart:
    """Stretch of a track without a gap.

    Attributes:
        frames: ``(N,)`` frame numbers from 1, rising.
        boxes: ``(N, 4)`` xyxy, image px.
        keyframes: ``(N,)`` whether a frame is needed to interpolate the others within the tolerance.
    """

    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]
    keyframes: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TrackLine:
    """All boxes of one track.

    Attributes:
        track_id: Its id.
        label: Name of its class.
        score: Mean score.
        parts: Stretches without a gap, in order.
    """

    track_id: int
    label: str
    score: float
    parts: tuple[TrackPart, ...]


@dataclass(frozen=True, eq=False)
class Scene:
    """Tracks of one video.

    Attributes:
        results: The tracks.
        video: Facts about the video; None if it was not named.
        name: Name of the video, or of the results file without suffix.
        labels: Name of each class, by its number.
        tolerance_px: Largest error of a box between two keyframes, in px.
        video_url: URL of the video for Label Studio; "" for its local storage.
        clip: Whether boxes are clipped to the image; those wholly outside are left out.
    """

    results: TrackResults
    video: TrackedVideo | None
    name: str
    labels: tuple[str, ...]
    tolerance_px: float = 0.0
    video_url: str = ""
    clip: bool = False

    @property
    def facts(self) -> TrackedVideo:
        """Facts about the video; only for formats that need them."""
        assert self.video is not None  # noqa: S101 (checked by export_tracks)
        return self.video

    @property
    def boxes(self) -> NDArray[np.float64]:
        """``(N, 4)`` boxes xyxy, image px, clipped if the format needs it."""
        if not self.clip:
            return self.results.boxes
        facts = self.facts
        return np.clip(self.results.boxes, 0, [facts.width, facts.height, facts.width, facts.height])

    @property
    def kept(self) -> NDArray[np.bool_]:
        """``(N,)`` whether a row is written: all rows, or those with an area after clipping."""
        boxes = self.boxes
        kept: NDArray[np.bool_] = np.logical_and.reduce(boxes[:, 2:] > boxes[:, :2], axis=1)
        return kept

    def label(self, row: int) -> str:
        """Return the name of the class of a row."""
        return self.labels[int(self.results.class_ids[row])]

    def tracks(self) -> Iterator[TrackLine]:
        """Yield the tracks in the order in which they appear."""
        results, boxes = self.results, self.boxes
        rows = np.flatnonzero(self.kept)
        ids, first, inverse = np.unique(results.ids[rows], return_index=True, return_inverse=True)
        grouped = rows[np.argsort(inverse, kind="stable")]  # by track, then by frame
        starts = np.concatenate([[0], np.cumsum(np.bincount(inverse, minlength=len(ids)))])
        for track in np.argsort(first):
            own = grouped[starts[track] : starts[track + 1]]
            yield TrackLine(
                int(ids[track]),
                self.label(int(own[0])),
                float(results.scores[own].mean()),
                tuple(
                    TrackPart(
                        results.frames[own[run]],
                        boxes[own[run]],
                        choose_keyframes(results.frames[own[run]], boxes[own[run]], self.tolerance_px),
                    )
                    for run in split_runs(results.frames[own], results.tracked_frames)
                ),
            )
