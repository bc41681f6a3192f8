"""The state of one video: a tracker of its own, and a detector that videos may share."""

from __future__ import annotations

from threading import Lock

import numpy as np
from numpy.typing import NDArray

from ..association import Tracker, TrackerConfig
from ..config import is_number, shown
from ..errors import InvalidInputError, StateError
from ..not_picklable import NotPicklable
from ..values import Detections, Frame, FrameResult, Measured
from .detector import Detector, StageTimes


class VideoTracker(NotPicklable):
    """The tracker and the stage times of one video whose detections are known.

    Args:
        config: Settings of the association.
        frame_rate: Frames per second of the source, before frames are left out.

    Attributes:
        detections: All detections of the newest frame, with those that no track has.
        times: Busy seconds per stage; ``decode`` in a `Pipeline` only.
    """

    def __init__(self, config: TrackerConfig, frame_rate: float) -> None:
        self.detections = Detections([], [])
        self.times = StageTimes()
        self._tracker = Tracker(config, frame_rate=frame_rate)

    @property
    def measured(self) -> Measured:
        """Measurements that the association made in the video so far."""
        return self._tracker.measured

    @property
    def lost_buffer_s(self) -> float:
        """Seconds for which a lost track is kept."""
        return self._tracker.config.buffer_s

    def associate(self, frame: Frame, detections: Detections) -> FrameResult:
        """Join a frame's detections to the tracks; call it in the order of the video."""
        self.detections = detections
        with self.times.measure("association"):
            tracks = self._tracker.update(detections, time_s=frame.time_s)
        return FrameResult(frame.index, frame.time_s, tracks)


class Session(VideoTracker):
    """The detector and the tracker of one video.

    `update` runs all steps for an image, `process` for a frame; a `Pipeline` runs each step in a thread of its own.

    Args:
        detector: The detector.
        config: Settings of the association.
        frame_rate: Frames per second of the source, before frames are left out.

    Attributes:
        detector: The detector.
    """

    instead = "start one for each video with FairMOT.session"

    def __init__(self, detector: Detector, config: TrackerConfig, frame_rate: float) -> None:
        super().__init__(config, frame_rate)
        self.detector = detector
        self._buffer = detector.new_buffer()
        self._updating = Lock()
        self._next_index = 0
        self._known_s = 0.0  # the last time that was given, and the images since
        self._images_since = 0

    def update(self, image: NDArray[np.uint8], time_s: float | None = None) -> FrameResult:
        """Track the next image of the video. Call it from one thread at a time.

        Args:
            image: ``(H, W, 3)`` uint8 BGR; not changed, and not kept.
            time_s: Time of the image in seconds, from any start. None: 0 for the first image, else one frame after the
                previous one, at the frame rate of the session. Times that repeat or go back count as one frame.

        Returns:
            The tracks in this image; ``index`` counts the images from 0.

        Raises:
            InvalidInputError: The image is not such an array, or the time is not a finite number. The next image may
                follow as if there had been no call.
            StateError: The network was closed, or another thread is in this method.
        """
        if time_s is not None and not is_number(time_s):
            raise InvalidInputError(f"time_s is {shown(time_s)}; expected a finite number of seconds, or None.")
        if not self._updating.acquire(blocking=False):
            raise StateError(
                "update is running in another thread; one video is tracked by one thread at a time. Use a session for "
                "each video: FairMOT.session(frame_rate)."
            )
        try:
            known_s, since = (self._known_s, self._images_since) if time_s is None else (float(time_s), 0)
            frame = Frame(self._next_index, known_s + since / self._tracker.frame_rate, image)
            result = self.process(frame)
            self._known_s, self._images_since = known_s, since + 1
            self._next_index += 1
        finally:
            self._updating.release()
        return result

    def process(self, frame: Frame) -> FrameResult:
        """Detect and associate one frame; call it in the order of the video."""
        image = self.detector.letterbox(frame.image, self._buffer, self.times)
        return self.associate(frame, self.detector.infer(image, self.times))
