"""Protocols of an analysis that follows a run: its settings, and its state during one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..config import shown
from ..errors import InvalidInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..values import Frame, FrameResult
    from .sink import SinkKind


class RunAnalysis(Protocol):
    """An analysis during one run. It gets each result once, before the outputs do."""

    def check_frame(self, frame: Frame) -> None:
        """Take note of a frame when it arrives, some frames before its result if outputs are delayed."""

    def update(self, frame: Frame, result: FrameResult) -> None:
        """Take the next result, as it is written; ``frame.image`` is valid during the call only."""

    def draw(self, image: NDArray[np.uint8]) -> None:
        """Draw the state after the latest result on a ``(H, W, 3)`` uint8 BGR image."""

    def finish(self) -> None:
        """End the analysis after the last result, before its outputs are closed; safe to call twice."""

    def totals(self) -> dict[str, Any]:
        """Return the totals so far as plain JSON types."""


class AnalysisPlan(Protocol):
    """Settings of an analysis, for any number of runs."""

    @property
    def kinds(self) -> tuple[SinkKind, ...]:
        """Outputs of the analysis; they find its state in `SinkContext.analysis`."""

    @property
    def needs_images(self) -> bool:
        """True if `RunAnalysis.update` reads the image."""

    def start(self, frame_size: tuple[int, int], frame_rate: float) -> RunAnalysis:
        """Return the state of a new run.

        Args:
            frame_size: Width and height of the first frame, px.
            frame_rate: Frames per second of the results.

        Raises:
            InvalidInputError: The settings do not fit the frame.
        """


def check_plan(value: object) -> None:
    """Check that a value is the plan of an analysis, or None.

    Raises:
        InvalidInputError: It is something else.
    """
    if value is not None and not all(hasattr(value, name) for name in ("kinds", "needs_images", "start")):
        raise InvalidInputError(
            f"analytics is {shown(value)}; expected an AnalyticsPlan of fairmot_dla34.analytics, or None."
        )
