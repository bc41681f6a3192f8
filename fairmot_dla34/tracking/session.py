"""The state of one video: a detector that videos may share, and a tracker of its own."""

from __future__ import annotations

from ..association import Tracker, TrackerConfig
from ..not_picklable import NotPicklable
from ..values import Detections, Frame, FrameResult
from .detector import Detector, StageTimes


class Session(NotPicklable):
    """The tracker and the stage times of one video.

    `process` runs all steps for a frame; a `Pipeline` runs each step in a thread of its own.

    Args:
        detector: The detector.
        config: Settings of the association.
        frame_rate: Frames per second of the source, before frames are left out.

    Attributes:
        detector: The detector.
        times: Busy seconds per stage; ``decode`` in a `Pipeline` only.
    """

    instead = "start one for each video with FairMOT.session"

    def __init__(self, detector: Detector, config: TrackerConfig, frame_rate: float) -> None:
        self.detector = detector
        self.times = StageTimes()
        self._tracker = Tracker(config, frame_rate=frame_rate)
        self._buffer = detector.new_buffer()

    def process(self, frame: Frame) -> FrameResult:
        """Detect and associate one frame; call it in the order of the video."""
        image = self.detector.letterbox(frame.image, self._buffer, self.times)
        return self.associate(frame, self.detector.infer(image, self.times))

    def associate(self, frame: Frame, detections: Detections) -> FrameResult:
        """Join a frame's detections to the tracks; call it in the order of the video."""
        with self.times.measure("association"):
            tracks = self._tracker.update(detections, time_s=frame.time_s)
        return FrameResult(frame.index, frame.time_s, tracks)
