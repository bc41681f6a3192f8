"""Holds frames with their results back until gaps of tracks are filled, and covers people who stay anonymous."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ..association.gaps import GapFiller
from ..outputs.cover_plan import Covered, CoverPlan
from ..outputs.pixelation import pixelated
from ..values import Detections, Frame, FrameResult

_NO_DETECTIONS = Detections([], [])
_SAME_SIZE = (1.0, 1.0)
_NO_PIXEL = np.zeros((1, 1, 1), np.uint8)


class Delay:
    """Frames and results on their way through a `GapFiller` and a `CoverPlan`.

    With a plan, people are covered in the images that `pop` returns. If the size of the frames changes, boxes are
    scaled to the size of the first frame and back, so that gaps are filled and people covered over the change. Memory:
    the images of the delay, if they are needed.

    Args:
        fill_gaps: Longest gap to fill, in frames; 0 delays nothing.
        images: Whether the images are needed. If not, held frames have black images of the same size without memory.
        reused: Whether images may be overwritten after `push`, as by a caller's iterable; held images are then copied.
        plan: Decides which people are covered; None: nobody.

    Raises:
        InvalidInputError: ``fill_gaps`` is out of its range.
    """

    def __init__(
        self, *, fill_gaps: int = 0, images: bool = True, reused: bool = True, plan: CoverPlan | None = None
    ) -> None:
        self._fill_gaps = fill_gaps
        self._filler = GapFiller(fill_gaps)
        self._plan = plan
        self._holds, self._images, self._reused = fill_gaps > 0 or plan is not None, images, reused
        self._size: tuple[int, int] | None = None  # width and height of the first frame
        self._frames: deque[Frame] = deque()
        self._given: deque[FrameResult] = deque()  # with boxes in px of their own frame
        self._detections: deque[Detections] = deque()  # of the results in the gap filler, if there is a plan
        self._complete: deque[FrameResult | Covered] = deque()

    def __len__(self) -> int:
        """Return the number of results that are held or complete."""
        return len(self._frames)

    def push(self, frame: Frame, result: FrameResult, detections: Detections = _NO_DETECTIONS) -> None:
        """Add the next frame with its result.

        Args:
            frame: The frame.
            result: Tracks of the frame.
            detections: All detections of the frame, for the plan.
        """
        if self._holds and not self._images:
            frame = replace(frame, image=np.broadcast_to(_NO_PIXEL, frame.image.shape))
        elif self._holds and self._reused:
            frame = replace(frame, image=frame.image.copy())
        self._frames.append(frame)
        self._given.append(result)
        scale = self._scale_of(frame)
        if scale != _SAME_SIZE:
            result, detections = _scaled(result, scale), replace(detections, boxes=detections.boxes * np.tile(scale, 2))
        if self._plan is not None:
            self._detections.append(detections)
        self._extend(self._filler.push(result))

    def flush(self) -> None:
        """Complete all held results, at the end of the video or before a long pause."""
        self._extend(self._filler.flush())
        self._filler = GapFiller(self._fill_gaps)  # gaps are not filled over a pause
        if self._plan is not None:
            self._complete.extend(self._plan.flush())

    def pop(self) -> tuple[Frame, FrameResult] | None:
        """Return the oldest complete result with its frame; None if there is none."""
        if not self._complete:
            return None
        frame, given, complete = self._frames.popleft(), self._given.popleft(), self._complete.popleft()
        x, y = self._scale_of(frame)
        if isinstance(complete, Covered) and self._images:
            boxes, errors_px = complete.boxes / (x, y, x, y), complete.errors_px / min(x, y)
            image = pixelated(frame.image, boxes, errors_px, heads_only=complete.heads_only)
            frame = replace(frame, image=image)
        result = complete.result if isinstance(complete, Covered) else complete
        if (x, y) != _SAME_SIZE:
            filled = replace(result, tracks=result.tracks[len(given.tracks) :])
            result = replace(given, tracks=(*given.tracks, *_scaled(filled, (1 / x, 1 / y)).tracks))
        return frame, result

    def _scale_of(self, frame: Frame) -> tuple[float, float]:
        """Return the factors, along x and y, from px of a frame to px of the first frame."""
        height, width = frame.image.shape[:2]
        if self._size is None:
            self._size = width, height
        return self._size[0] / width, self._size[1] / height

    def _extend(self, results: Iterable[FrameResult]) -> None:
        """Pass results without gaps to the plan, if there is one."""
        for result in results:
            if self._plan is None:
                self._complete.append(result)
            else:
                self._complete.extend(self._plan.push(result, self._detections.popleft()))


def _scaled(result: FrameResult, scale: tuple[float, float]) -> FrameResult:
    """Return a result whose boxes are multiplied by a factor along x and one along y."""
    x, y = scale
    tracks = [
        replace(track, box=(track.box[0] * x, track.box[1] * y, track.box[2] * x, track.box[3] * y))
        for track in result.tracks
    ]
    return replace(result, tracks=tuple(tracks))
