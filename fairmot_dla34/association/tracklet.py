"""State of all tracklets of a tracker, stored as columns: one array per property, one row per tracklet."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry import xyah_to_xyxy
from . import kalman
from .candidates import Candidates, unit_rows

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]

_EMBEDDING_MOMENTUM = 0.9  # ``alpha`` of STrack, ppdet/modeling/mot/tracker/base_jde_tracker.py
_HEIGHT_VELOCITY = 7


@dataclass(eq=False)
class Tracklets:
    """State of a tracker. Tracked rows come first, then lost ones, in the order in which they joined their group.

    Attributes:
        ids: ``(N,)`` numbers of the tracklets, >= 1, unique in the tracker, in the order in which they started.
        track_ids: ``(N,)`` the ids that are reported, in the order of the first report; 0 before it.
        class_ids: ``(N,)`` heatmap channels.
        mean: ``(N, 8)`` Kalman means, image px.
        covariance: ``(N, 3, 4)`` Kalman covariances, see ``kalman.py``.
        embeddings: ``(N, E)`` smoothed embeddings of unit length, zeros for unknown ones.
        scores: ``(N,)`` score of the detection matched last.
        score_sums: ``(N,)`` sum of the scores of all its detections.
        first_frames: ``(N,)`` number of the frame of the first detection, skipped frames included.
        last_frames: ``(N,)`` number of the frame of the detection matched last, skipped frames included.
        confirmed: ``(N,)`` whether it may be reported: started in the first frame, or matched while its scores
            add up to ``Rules.confirm_score_sum``.
        lost: ``(N,)`` whether it was not matched in the latest frame.
        expired: ``(N,)`` whether it was lost for longer than the buffer, see `finish_frame`.
    """

    ids: NDArray[np.int64]
    track_ids: NDArray[np.int64]
    class_ids: NDArray[np.int64]
    mean: FloatArray
    covariance: FloatArray
    embeddings: FloatArray
    scores: FloatArray
    score_sums: FloatArray
    first_frames: NDArray[np.int64]
    last_frames: NDArray[np.int64]
    confirmed: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    expired: NDArray[np.bool_]

    @classmethod
    def empty(cls, embedding_size: int) -> Tracklets:
        """Return no tracklets; their columns fit embeddings of ``embedding_size`` numbers."""
        boxes = np.zeros((0, 4), np.float32)
        embeddings = np.zeros((0, embedding_size), np.float32)
        return cls.start(Candidates(boxes, boxes, boxes[:, 0], embeddings, np.zeros(0, np.int64)), first_id=1, frame=0)

    @classmethod
    def start(
        cls, candidates: Candidates, first_id: int, frame: int, noise: kalman.Noise = kalman.DEEP_SORT
    ) -> Tracklets:
        """Return new, unconfirmed tracklets, one per candidate, numbered from ``first_id`` on."""
        count = len(candidates)
        mean, covariance = kalman.initiate(candidates.measurements, noise)
        return cls(
            ids=np.arange(first_id, first_id + count, dtype=np.int64),
            track_ids=np.zeros(count, np.int64),
            class_ids=candidates.class_ids,
            mean=mean,
            covariance=covariance,
            embeddings=candidates.embeddings,
            scores=candidates.scores,
            score_sums=candidates.scores.copy(),
            first_frames=np.full(count, frame, np.int64),
            last_frames=np.full(count, frame, np.int64),
            confirmed=np.zeros(count, bool),
            lost=np.zeros(count, bool),
            expired=np.zeros(count, bool),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def nbytes(self) -> int:
        """Size of all columns in bytes."""
        return sum(column.nbytes for column in self._columns())

    def boxes(self, rows: IntArray) -> FloatArray:
        """Return the filter's estimated boxes of ``rows``, ``(K, 4)`` xyxy, image px."""
        return xyah_to_xyxy(self.mean[rows, :4])

    def predict(self, rows: IntArray, time: float = 1.0, noise: kalman.Noise = kalman.DEEP_SORT) -> None:
        """Move ``rows`` forward in time, in place. The height velocity of lost tracklets is set to zero first."""
        mean = self.mean[rows]
        mean[self.lost[rows], _HEIGHT_VELOCITY] = 0
        self.mean[rows], self.covariance[rows] = kalman.predict(mean, self.covariance[rows], time, noise)

    def update(
        self,
        rows: IntArray,
        candidates: Candidates,
        frame: int,
        noise: kalman.Noise = kalman.DEEP_SORT,
        confirm_score_sum: float = -math.inf,
    ) -> None:
        """Match ``rows`` with as many candidates, in place: update filter, smoothed embedding, scores and last frame.

        Those whose scores add up to ``confirm_score_sum`` are confirmed.
        """
        if not len(rows):
            return
        self.mean[rows], self.covariance[rows] = kalman.update(
            self.mean[rows], self.covariance[rows], candidates.measurements, noise
        )
        if self.embeddings.shape[1]:
            mixed = _EMBEDDING_MOMENTUM * self.embeddings[rows] + (1 - _EMBEDDING_MOMENTUM) * candidates.embeddings
            self.embeddings[rows] = unit_rows(mixed)
        self.scores[rows] = candidates.scores
        self.score_sums[rows] += candidates.scores
        self.last_frames[rows] = frame
        self.confirmed[rows] |= self.score_sums[rows] >= confirm_score_sum
        self.lost[rows] = False

    def take(self, rows: IntArray) -> Tracklets:
        """Return a copy with ``rows`` only, in that order."""
        return Tracklets(*(column[rows] for column in self._columns()))

    def joined(self, other: Tracklets) -> Tracklets:
        """Return a copy with the rows of ``other`` at the end."""
        pairs = zip(self._columns(), other._columns(), strict=True)
        return Tracklets(*(np.concatenate(pair) for pair in pairs))

    def _columns(self) -> list[NDArray[Any]]:
        return [getattr(self, field.name) for field in fields(self)]
