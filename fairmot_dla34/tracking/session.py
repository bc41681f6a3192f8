"""One video under way: from a frame to its tracks, step by step."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..association import Tracker
from ..backends import Backend
from ..config import TrackerConfig
from ..geometry import Letterbox
from ..values import Detections, Frame, FrameResult


@dataclass(frozen=True, eq=False)
class NetworkImage:
    """A picture as the network takes it.

    Attributes:
        letterbox: How it was made, which is also the way back to image px.
        pixels: ``(input height, input width, 3)`` uint8, BGR; a buffer that is reused.
    """

    letterbox: Letterbox
    pixels: NDArray[np.uint8]


class Session:
    """The tracker of one video, its reused buffer and its clocks.

    `process` does all of a frame; a `Pipeline` calls the three steps itself, each from one thread.

    Args:
        backend: The network.
        config: How detections become tracks.
        frame_rate: Frames per second of the source.
        network_lock: Held while the network runs, as sessions may share it and it takes one picture at a time.

    Attributes:
        stage_seconds: Busy seconds so far, per stage: ``decode`` (in a `Pipeline` only), ``letterbox``, ``network``,
            ``association``.
    """

    def __init__(
        self, backend: Backend, config: TrackerConfig, frame_rate: float, network_lock: threading.Lock
    ) -> None:
        self._backend = backend
        self._tracker = Tracker(config, frame_rate=frame_rate)
        self._network_lock = network_lock
        self._buffer = self.new_buffer()
        self.stage_seconds = dict.fromkeys(("decode", "letterbox", "network", "association"), 0.0)

    def new_buffer(self) -> NDArray[np.uint8]:
        """Make what `letterbox` writes to."""
        size = self._backend.input_size
        return np.empty((size.height, size.width, 3), np.uint8)

    def process(self, frame: Frame) -> FrameResult:
        """Detect and associate one frame; call it in the order of the video."""
        return self.associate(frame, self.detect(frame.image))

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Run the network on one picture; see `FairMOT.detect`."""
        return self.infer(self.letterbox(image, self._buffer))

    def letterbox(self, image: NDArray[np.uint8], buffer: NDArray[np.uint8]) -> NetworkImage:
        """Fit a picture into the network's input: the first step.

        Args:
            image: ``(H, W, 3)`` uint8, BGR.
            buffer: Of `new_buffer`; in use until `infer` has returned.
        """
        height, width = image.shape[:2]
        letterbox = Letterbox(width, height, self._backend.input_size)
        with self.clock("letterbox"):
            return NetworkImage(letterbox, letterbox.apply(image, out=buffer))

    def infer(self, image: NetworkImage) -> Detections:
        """Run the network: the second step."""
        with self.clock("network"), self._network_lock:
            peaks = self._backend.infer(image.pixels)
        return Detections(image.letterbox.to_image_px(peaks.boxes), peaks.scores, peaks.embeddings, peaks.class_ids)

    def associate(self, frame: Frame, detections: Detections) -> FrameResult:
        """Join a frame's detections to the tracks: the last step, in the order of the video."""
        with self.clock("association"):
            tracks = self._tracker.update(detections, time_s=frame.time_s)
        return FrameResult(frame.index, frame.time_s, tracks)

    @contextmanager
    def clock(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to a stage; each stage is one thread's."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.stage_seconds[stage] += time.perf_counter() - start
