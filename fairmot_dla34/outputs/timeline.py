"""Times of a video's frames: those of the source, without jumps that would make the video unusable."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

# A longer step is a jump of the source's clock. An hour is 108 million ticks at 30000 per second; mp4 stores at most
# 2^31 between two frames.
MAX_PAUSE_S = 3600.0
_MAX_BACKWARD_S = 1.0  # a smaller step back is disorder that ends by itself, as in the reader of videos


class Timeline:
    """Converts times of the source to times of the video, which always increase.

    Both differ by a constant, which changes when the source's time jumps: forward by more than an hour, or backward by
    more than a second. The frame after a jump follows one frame period after the frame before it.
    """

    def __init__(self, path: Path, frame_rate: float) -> None:
        """Start before the first frame.

        Args:
            path: The video, for the log.
            frame_rate: Frames per second, for the frame period.
        """
        self._path = path
        self._period_s = 1.0 / frame_rate
        self._offset_s = 0.0
        self._last_s: float | None = None  # in the video
        self._has_jumped = False

    def seconds(self, time_s: float) -> float:
        """Return the time in the video of the next frame, and log the first jump.

        Args:
            time_s: The frame's time in the source, in seconds.
        """
        before_s = 0.0 if self._last_s is None else self._last_s
        next_s = 0.0 if self._last_s is None else self._last_s + self._period_s
        step_s = time_s + self._offset_s - before_s
        if not -_MAX_BACKWARD_S <= step_s <= MAX_PAUSE_S:
            self._log_jump(step_s)
            self._offset_s = next_s - time_s
        shown_s = time_s + self._offset_s
        self._last_s = shown_s if shown_s > before_s else next_s
        return self._last_s

    def _log_jump(self, step_s: float) -> None:
        if not self._has_jumped:
            self._has_jumped = True
            logger.warning(
                "%s: the source's time jumps by %.0f s. The video leaves out pauses of over an hour and steps back;"
                " the text outputs keep every time.",
                self._path,
                step_s,
            )
