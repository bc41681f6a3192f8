"""Analysis during a run: feeds an `Analysis` with the results as they are written, for its outputs and the video."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from ..outputs.text_formats import rounded_result
from .analysis import Analysis, Event
from .drawing import AnalyticsDrawing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..values import Frame, FrameResult
    from .config import AnalyticsConfig
    from .motion import Path

logger = logging.getLogger(__name__)


class LiveAnalysis:
    """State of the analysis of one run.

    Numbers are rounded as in ``.jsonl`` and ``.csv`` results, so that an analysis of those files has the same outcome.

    Args:
        config: Settings.
        frame_size: Width and height of the frames, px.
        frame_rate: Frames per second of the results.

    Attributes:
        config: Settings.
        analysis: The analysis itself.
        image: First frame; None if there is none, or no heat map.
        events: Events of the latest result.
        paths: Paths that ended before the latest result.

    Raises:
        InvalidInputError: A line or zone is not within the frame.
    """

    def __init__(self, config: AnalyticsConfig, frame_size: tuple[int, int], frame_rate: float) -> None:
        self.config = config
        self.analysis = Analysis(config, frame_size, frame_rate)
        self.image: NDArray[np.uint8] | None = None
        self.events: list[Event] = []
        self.paths: list[Path] = []
        self._size = frame_size
        self._drawing = AnalyticsDrawing(config, self.analysis)
        self._is_first, self._is_finished, self._warned = True, False, False

    def check_frame(self, frame: Frame) -> None:
        """Warn once if the size of the frames changes: lines, zones and the heat map stay where they are in px."""
        height, width = frame.image.shape[:2]
        if (width, height) != self._size and not self._warned:
            self._warned = True
            logger.warning(
                "Frame %d has %dx%d px, and the first one %dx%d: lines, zones and the heat map keep their place in px.",
                frame.index + 1,
                width,
                height,
                *self._size,
            )

    def update(self, frame: Frame, result: FrameResult) -> None:
        """Take the next result."""
        if self._is_first and self.config.heatmap is not None:
            self.image = np.array(frame.image, np.uint8)
        self._is_first = False
        self.add(result)

    def add(self, result: FrameResult) -> None:
        """Take the next result without its image."""
        self.events = self.analysis.update(rounded_result(result))
        self.paths = self.analysis.paths
        self._drawing.note(self.events, result.time_s)

    def draw(self, image: NDArray[np.uint8]) -> None:
        """Draw lines, zones and counts on an image."""
        self._drawing.draw(image)

    def finish(self) -> None:
        """End all walks and visits; ``events`` and ``paths`` are then the last ones. Safe to call twice."""
        if not self._is_finished:
            self._is_finished = True
            self.events = self.analysis.finish()
            self.paths = self.analysis.paths

    @property
    def finished(self) -> bool:
        """True once `finish` was called."""
        return self._is_finished

    def totals(self) -> dict[str, Any]:
        """Return the totals so far as plain JSON types."""
        return self.analysis.summary().to_dict()
