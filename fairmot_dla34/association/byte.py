"""Association method ``byte``: a second stage over detections of low score, as ``JDETracker`` does with ``use_byte``.

Sources: ByteTrack (arXiv 2110.06864) and ``ppdet/modeling/mot/tracker/jde_tracker.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .candidates import Candidates
from .jde_base import JdeBase
from .rules import UpdateTime
from .tracklet import Tracklets

if TYPE_CHECKING:
    from .config import TrackerConfig

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]

NEW_TRACK_MARGIN = 0.1  # a new track needs conf_thres + this, a constant in jde_tracker.py
_SECOND_STAGE_LIMIT = 0.4  # IoU distance, a constant in jde_tracker.py


class ByteRules(JdeBase):
    """Rules of ``byte``.

    Args:
        config: Settings of the tracker.
        frame_rate: Frames per second of the source.
    """

    matches_low_scores = True
    second_stage_limit = _SECOND_STAGE_LIMIT

    def __init__(self, config: TrackerConfig, frame_rate: float) -> None:
        super().__init__(config, frame_rate)
        self.lowest_score = min(self._low_score, self.high_score)
        self.new_track_score = self.high_score + NEW_TRACK_MARGIN

    def first_stage_cost(
        self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: UpdateTime
    ) -> tuple[FloatArray, float]:
        """Return the costs and the limit of ``jde``; without embeddings, those of boxes and ``match_thres``."""
        if tracklets.embeddings.shape[1]:
            return super().first_stage_cost(tracklets, rows, candidates, now)
        return self.box_cost(tracklets, rows, candidates, now), self._config.match_thres
