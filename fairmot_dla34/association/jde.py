"""Association method ``jde``: embeddings and motion first, then IoU, as PaddleDetection's ``JDETracker`` does.

Source: ``ppdet/modeling/mot/tracker/jde_tracker.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .jde_base import JdeBase

if TYPE_CHECKING:
    from .config import TrackerConfig


class JdeRules(JdeBase):
    """Rules of ``jde``.

    Args:
        config: Settings of the tracker.
        frame_rate: Frames per second of the source.
    """

    needs_embeddings = True

    def __init__(self, config: TrackerConfig, frame_rate: float) -> None:
        super().__init__(config, frame_rate)
        self.lowest_score = self.high_score
        self.second_stage_limit = config.r_tracked_thresh
        self.new_track_score = config.det_thresh
