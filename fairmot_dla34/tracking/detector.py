"""The stateless part of tracking: from an image to detections in image px."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..backends import Backend
from ..geometry import Letterbox
from ..memory import require_import_memory
from ..not_picklable import NotPicklable
from ..values import Detections

STAGES = ("decode", "letterbox", "network", "association")


class StageTimes:
    """Busy seconds of one video, per stage. Each stage belongs to one thread.

    Attributes:
        seconds: Seconds so far for ``decode``, ``letterbox``, ``network`` and ``association``.
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)

    def add(self, stage: str, seconds: float) -> None:
        """Add seconds to a stage."""
        self.seconds[stage] += seconds

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add the time spent inside the context to a stage."""
        start_s = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - start_s)


@dataclass(frozen=True, eq=False)
class NetworkImage:
    """A letterboxed image.

    Attributes:
        letterbox: The resize and padding applied, which also converts boxes back to image px.
        pixels: ``(input height, input width, 3)`` uint8 BGR; a buffer that is reused.
    """

    letterbox: Letterbox
    pixels: NDArray[np.uint8]


class Detector(NotPicklable):
    """Detects people in one image: letterbox, network, and conversion to image px.

    It holds no state; any number of threads may use it.

    Args:
        backend: Loaded network.

    Raises:
        OutOfMemoryError: The memory limits of this process are too low for the libraries that images need.
    """

    def __init__(self, backend: Backend) -> None:
        require_import_memory("numpy", "cv2", "av", purpose="Tracking")
        self._backend = backend

    def new_buffer(self) -> NDArray[np.uint8]:
        """Return a buffer for `letterbox`."""
        size = self._backend.input_size
        return np.empty((size.height, size.width, 3), np.uint8)

    def letterbox(self, image: NDArray[np.uint8], buffer: NDArray[np.uint8], times: StageTimes) -> NetworkImage:
        """Fit an image into the network's input.

        Args:
            image: ``(H, W, 3)`` uint8 BGR.
            buffer: Buffer of `new_buffer`, in use until `infer` has returned.
            times: Stage times of the video, which are added to.
        """
        height, width = image.shape[:2]
        letterbox = Letterbox(width, height, self._backend.input_size)
        with times.measure("letterbox"):
            return NetworkImage(letterbox, letterbox.apply(image, out=buffer))

    def infer(self, image: NetworkImage, times: StageTimes) -> Detections:
        """Run the network; its time is counted without the wait for other users of the backend.

        Args:
            image: The letterboxed image.
            times: Stage times of the video, which are added to.

        Returns:
            Detections in image px, best first.
        """
        peaks, seconds = self._backend.infer_timed(image.pixels)
        times.add("network", seconds)
        return Detections(image.letterbox.to_image_px(peaks.boxes), peaks.scores, peaks.embeddings, peaks.class_ids)

    def detect(self, image: NDArray[np.uint8], times: StageTimes | None = None) -> Detections:
        """Return the detections in one ``(H, W, 3)`` uint8 BGR image; see `FairMOT.detect`."""
        times = times or StageTimes()
        return self.infer(self.letterbox(image, self.new_buffer(), times), times)
