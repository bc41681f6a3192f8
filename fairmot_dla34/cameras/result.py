"""The result of one frame of a camera, and the protocol of the outputs that receive such results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from ..values import Detections, Frame, FrameResult
    from .camera import Camera


@dataclass(frozen=True, eq=False)
class CameraResult:
    """The tracks of one frame of a camera.

    Attributes:
        camera: The camera.
        frame: The frame. Its index and its time go on over reconnections.
        result: Tracks of the frame, boxes in image px. Ids start at 1 for each camera and go on over reconnections.
        wall_time: Time at which the frame arrived, UTC.
        detections: All detections of the frame, with those that no track has, in image px.
        connection: Number of the connection that the frame came from, from 1.
        frame_rate: Frames per second that the source states.
        lag_s: Seconds from the frame's arrival to the result.
    """

    camera: Camera
    frame: Frame
    result: FrameResult
    wall_time: datetime
    detections: Detections
    connection: int
    frame_rate: float
    lag_s: float


class ResultWriter(Protocol):
    """Outputs of one camera, such as a `PartWriter`. Its methods are called in one thread at a time.

    It may have the attributes ``error``, the reason why not every output is written now, and ``totals``, a
    `PartTotals`: `Watch.status` shows them.
    """

    def write(self, result: CameraResult) -> None:
        """Write one result; results of a camera come in order.

        Raises:
            OutputError: It cannot be written. Writing ends for this camera, tracking goes on.
        """

    def idle(self) -> None:
        """Do what is due without a result; called every few seconds while there is none.

        Raises:
            OutputError: A file cannot be written or completed. Writing ends for this camera, tracking goes on.
        """

    def close(self) -> None:
        """Complete all files.

        Raises:
            OutputError: A file cannot be completed.
        """
