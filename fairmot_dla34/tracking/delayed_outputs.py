"""Outputs of one video, written some frames late so that gaps of tracks can be filled and people be covered."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ..console.signals import StopDeferred
from ..errors import OutputError
from ..outputs import SinkSet
from ..outputs.cover_plan import CoverPlan
from ..outputs.run_analysis import RunAnalysis
from ..outputs.window import Window
from ..values import Detections, Frame, FrameResult
from .delay import Delay

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)
_NO_DETECTIONS = Detections([], [])


class DelayedOutputs:
    """The outputs of one video after a `GapFiller` and a `CoverPlan`; a context manager.

    With a plan, no output ever gets the image itself: people are covered before the first sink sees a frame.

    At its exit held results are written, also after an error. Only if writing itself failed or was interrupted, each
    file ends with that frame or the one before. The stop signals of a command wait for the end of a frame; a Ctrl-C in
    a program that uses this package does not, because a library installs no signal handlers. Memory: the images of
    the delay if a sink needs them.

    Args:
        open_sinks: Function that opens the outputs; called with the analysis before the first result is written.
        fill_gaps: Longest gap to fill, in frames; 0 writes at once.
        images: Whether a sink needs the images.
        reused: Whether images may be overwritten after `add`, as by a caller's iterable; held images are then copied.
        plan: Decides which people are covered; None: nobody.
        window: Window that gets each frame before the outputs; None: none. The caller closes it.
        start_analysis: Function that takes the width and height of the first frame in px and starts the analysis, which
            gets each result before window and outputs; None: no analysis.

    Raises:
        InvalidInputError: ``fill_gaps`` is out of its range.

    Attributes:
        analysis: The analysis; None before the first frame, and if there is none.
    """

    def __init__(
        self,
        open_sinks: Callable[[RunAnalysis | None], SinkSet],
        *,
        fill_gaps: int,
        images: bool,
        reused: bool = True,
        plan: CoverPlan | None = None,
        window: Window | None = None,
        start_analysis: Callable[[tuple[int, int]], RunAnalysis] | None = None,
    ) -> None:
        self._open_sinks = open_sinks
        self._delay = Delay(fill_gaps=fill_gaps, images=images, reused=reused, plan=plan)
        self._window = window
        self._start_analysis = start_analysis
        self.analysis: RunAnalysis | None = None
        self._sinks: SinkSet | None = None
        self._writing = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """Files opened so far."""
        return () if self._sinks is None else self._sinks.paths

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sinks is None:
            return
        try:
            if not self._writing:
                self._write_rest()
        except OutputError as failure:
            if error is None:
                raise
            logger.warning("%s", failure)  # the error in progress is the one to report
        finally:
            self._sinks.__exit__(kind, error, trace)

    def add(self, frame: Frame, result: FrameResult, detections: Detections = _NO_DETECTIONS) -> None:
        """Add one frame's result; write the results that are complete.

        Args:
            frame: The frame.
            result: Tracks of the frame.
            detections: All detections of the frame, for the plan.

        Raises:
            InvalidInputError: The analysis does not fit the first frame.
            OutputError: A sink cannot be opened, or every sink has failed.
        """
        with StopDeferred():
            if self._sinks is None:
                self._open(frame)
            if self.analysis is not None:
                self.analysis.check_frame(frame)
            self._writing = True
            self._delay.push(frame, result, detections)
            while self._write():
                pass
            self._writing = False

    def close(self) -> None:
        """Write held results and close the outputs.

        Raises:
            OutputError: A sink failed, during the run or now.
        """
        if self._sinks is not None:
            self._write_rest()
            self._sinks.close()

    def _open(self, frame: Frame) -> None:
        """Start the analysis and open the outputs, in this order: nothing is written if the analysis is refused."""
        if self._start_analysis is not None:
            height, width = frame.image.shape[:2]
            self.analysis = self._start_analysis((width, height))
        self._sinks = self._open_sinks(self.analysis)

    def _write_rest(self) -> None:
        with StopDeferred():
            self._delay.flush()
        written = True
        while written:
            with StopDeferred():
                self._writing = True
                written = self._write()
                self._writing = False
        if self.analysis is not None:
            with StopDeferred():
                self.analysis.finish()

    def _write(self) -> bool:
        """Write the oldest complete result; return whether there was one."""
        complete = self._delay.pop()
        if complete is None or self._sinks is None:
            return False
        frame, result = complete
        if self.analysis is not None:
            self.analysis.update(frame, result)
        if self._window is not None:  # first, because the video may be drawn on the image itself
            self._window.write(frame, result, self.analysis)
        self._sinks.write(frame, result)
        return True
