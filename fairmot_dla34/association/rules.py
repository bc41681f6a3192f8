"""Protocol between `Tracker` and the rules of one association method.

A rules object decides which detections take part in each stage, how tracklets move, and what a match costs. Each method
has a module of its own: ``jde.py``, ``byte.py`` and ``steady.py``. ``registry.py`` lists the methods by name.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .candidates import Candidates
from .kalman import Noise
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


class Rules(Protocol):
    """The decisions of one association method.

    `Tracker` makes a new rules object for each video, so a rules object may keep state.

    Attributes:
        needs_embeddings: Whether detections without embeddings are refused.
        matches_low_scores: Whether the second stage matches the detections between ``low_conf_thres`` and
            ``conf_thres``. If False, it matches those that the first stage left over.
        lowest_score: Lower bound, exclusive, on the score of a detection that is used at all.
        second_stage_limit: Largest cost of a match in the second stage.
        new_track_score: Smallest score of a detection that starts a tracklet.
        instant_confirm_score: Smallest score of a detection whose tracklet is confirmed at once; ``inf`` for none.
        noise: Noise of the Kalman filter.
    """

    needs_embeddings: bool
    matches_low_scores: bool
    lowest_score: float
    second_stage_limit: float
    new_track_score: float
    instant_confirm_score: float
    noise: Noise

    def predict(self, tracklets: Tracklets, candidates: Candidates, now: UpdateTime) -> None:
        """Move tracklets, in place, to their expected position.

        Args:
            tracklets: All tracklets.
            candidates: Detections of this frame above ``conf_thres``.
            now: Time of this update.
        """
        ...

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
        ...

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
        ...
