"""Interface between `Tracker` and the rules of one association method.

A rules object decides which detections take part in each stage, how tracklets move, and what a match costs. Each method
has a module of its own: ``auto.py``, ``jde.py`` and ``byte.py``. ``registry.py`` lists the methods by name.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..values import Measured
from .candidates import Candidates
from .kalman import DEEP_SORT, Noise
from .tracklet import Tracklets

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]

GROWTH_PER_S = 0.5  # growth of a box in each direction per unseen second, as a share of its size; docs/association.md


class UpdateTime(NamedTuple):
    """Position of an update in the source.

    Attributes:
        frame: Frame number in the source, from 1, skipped frames included.
        elapsed_frames: Frames since the previous update, >= 1.
    """

    frame: int
    elapsed_frames: int


class Rules(ABC):
    """The decisions of one association method.

    `Tracker` makes a new rules object for each video, so a rules object may keep state. The scores may change between
    frames.

    Attributes:
        needs_embeddings: Whether detections without embeddings are refused.
        matches_low_scores: Whether the second stage matches the detections of low score. If False, it matches those
            that the first stage left over.
        reenters: Whether ``TrackerConfig.reid_buffer_s`` is accepted.
        lowest_score: Lower bound, exclusive, on the score of a detection that is used at all.
        high_score: Lower bound, exclusive, on the score of a detection that takes part in the first stage.
        new_track_score: Smallest score of a detection that starts a tracklet.
        confirm_score_sum: A tracklet is confirmed by a match if the scores of its detections then add up to this.
        second_stage_limit: Largest cost of a match in the second stage.
        noise: Noise of the Kalman filter.
    """

    needs_embeddings: bool = False
    matches_low_scores: bool = False
    reenters: bool = False
    lowest_score: float
    high_score: float
    new_track_score: float
    confirm_score_sum: float = -math.inf
    second_stage_limit: float
    noise: Noise = DEEP_SORT

    def split(self, scores: FloatArray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return masks ``(M,)`` of the scores that are high, and of those that are low; neither: not used."""
        high = scores > self.high_score
        return high, ~high

    def observe(self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: UpdateTime) -> None:  # noqa: B027
        """Learn from matches, before the tracklets are updated; nothing by default.

        Args:
            tracklets: All tracklets.
            rows: ``(K,)`` matched tracklets.
            candidates: K detections that they were matched with.
            now: Time of this update.
        """

    @property
    def least_score(self) -> float:
        """Lower bound on `lowest_score` in every frame of any video; by default that of the first frame."""
        return self.lowest_score

    @property
    def measured(self) -> Measured:
        """Measurements of the video so far; none by default."""
        return Measured()

    @abstractmethod
    def predict(self, tracklets: Tracklets, candidates: Candidates, now: UpdateTime) -> None:
        """Move tracklets, in place, to their expected position.

        Args:
            tracklets: All tracklets.
            candidates: Detections of this frame of high score.
            now: Time of this update.
        """

    @abstractmethod
    def first_stage_cost(
        self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: UpdateTime
    ) -> tuple[FloatArray, float]:
        """Return the cost matrix of the first stage and the largest cost of a match.

        Args:
            tracklets: All tracklets.
            rows: ``(N,)`` tracklets to match, N > 0.
            candidates: M > 0 detections to match.
            now: Time of this update.

        Returns:
            ``(N, M)`` costs, ``inf`` for a forbidden pair, and their limit.
        """

    @abstractmethod
    def box_cost(self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: UpdateTime) -> FloatArray:
        """Return the cost matrix of the later stages, which compare boxes only.

        Args:
            tracklets: All tracklets.
            rows: ``(N,)`` tracklets to match, N > 0.
            candidates: M > 0 detections to match.
            now: Time of this update.

        Returns:
            ``(N, M)`` costs, ``inf`` for a forbidden pair.
        """
