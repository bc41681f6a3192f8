"""A camera of this machine, through OpenCV: it numbers cameras alike on Linux, Windows and macOS, FFmpeg does not."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SourceError
from ..values import Frame
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_FASTEST = 1000.0  # frames/s; drivers that do not know state 0, -1 or a clock rate


class CameraSource(Source):
    """A live camera; frame times are those of the machine's monotonic clock."""

    is_live = True

    def __init__(self, index: int, *, frame_rate: float | None = None, frame_stride: int = 1) -> None:
        """Open the camera.

        Args:
            index: 0 for the first camera.
            frame_rate: Overrides the driver's word.
            frame_stride: Hand out every n-th frame.

        Raises:
            SourceError: There is no such camera, or it is in use.
        """
        import cv2

        self._index = index
        with _quiet_opencv():
            self._capture = cv2.VideoCapture(index)
        if not self._capture.isOpened():
            raise SourceError(
                f"Camera {index} cannot be opened; expected the index of a connected camera, 0 for the first:"
                " check that it is plugged in, that no other program uses it, and that this user may."
            )
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        super().__init__(
            f"camera{index}",
            native_rate=rate if 0 < rate <= _FASTEST else None,
            native_count=None,
            frame_rate=frame_rate,
            frame_stride=frame_stride,
        )

    def _describe(self) -> str:
        return f"Camera {self._index}"

    def _frames(self) -> Generator[Frame]:
        index = 0
        start_s: float | None = None
        while not self._closed and self._capture.grab():
            now_s = time.monotonic()
            start_s = now_s if start_s is None else start_s
            if self._wanted(index):
                ok, image = self._capture.retrieve()
                if ok:
                    yield Frame(index, now_s - start_s, np.asarray(image, np.uint8))
                else:
                    self._skip(index, "the driver gave no picture")
            index += 1
        self._end_early("it gives no more pictures")

    def _release(self) -> None:
        self._capture.release()


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """Keep OpenCV's own lines about a missing camera off stderr; the error says it."""
    import cv2

    module: Any = getattr(getattr(cv2, "utils", None), "logging", cv2)  # OpenCV 4.5 has them at the top
    level = module.getLogLevel()
    module.setLogLevel(0)  # LOG_LEVEL_SILENT
    try:
        yield
    finally:
        module.setLogLevel(level)
