"""The tracks of one frame as arrays, made once and shared by all analyses."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..config import is_number, shown
from ..errors import InvalidInputError
from ..values import FrameResult
from .anchors import points_of_boxes

_LARGEST_PX = 1e9  # far beyond any image; products of coordinates stay finite


@dataclass(frozen=True, eq=False)
class Observation:
    """The tracks of one frame.

    Attributes:
        index: Frame index, from 0.
        time_s: Time of the frame in seconds.
        ids: N track ids.
        boxes: ``(N, 4)`` float64 xyxy, image px, unclipped.
    """

    index: int
    time_s: float
    ids: list[int]
    boxes: NDArray[np.float64]
    _points: dict[str, NDArray[np.float64]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, result: FrameResult | Observation) -> Observation:
        """Return the tracks of a result; an observation is returned as it is.

        Raises:
            InvalidInputError: The time or a coordinate is not finite or too large, or an id is repeated.
        """
        if isinstance(result, Observation):
            return result
        if not isinstance(result, FrameResult):
            raise InvalidInputError(
                f"result is {shown(result)}; expected a FrameResult, as FairMOT.track yields for each frame."
            )
        if not is_number(result.time_s):
            raise InvalidInputError(f"Frame time is {shown(result.time_s)} s; expected a finite number of seconds.")
        ids = [int(track.track_id) for track in result.tracks]
        boxes = np.array([track.box for track in result.tracks], np.float64).reshape(-1, 4)
        valid = (np.abs(boxes) <= _LARGEST_PX).all(axis=1)  # False for NaN
        if not valid.all():
            bad = int(np.argmin(valid))
            raise InvalidInputError(
                f"Frame {result.index}, track {ids[bad]}: the box is {shown(boxes[bad].tolist())}; expected four "
                "finite numbers of at most 1e9 px. Leave the track out."
            )
        if len(set(ids)) != len(ids):
            twice = next(track_id for track_id in ids if ids.count(track_id) > 1)
            raise InvalidInputError(
                f"Frame {result.index} has track {twice} more than once; expected each id once in a frame. Use the "
                "results of one tracker only."
            )
        return cls(result.index, float(result.time_s), ids, boxes)

    @property
    def heights(self) -> NDArray[np.float64]:
        """``(N,)`` heights of the boxes, px, at least 0."""
        return np.maximum(self.boxes[:, 3] - self.boxes[:, 1], 0.0)

    def points(self, anchor: str) -> NDArray[np.float64]:
        """Return the ``(N, 2)`` anchor points, image px."""
        if anchor not in self._points:
            self._points[anchor] = points_of_boxes(self.boxes, anchor)
        return self._points[anchor]
