"""Source of frames from a camera of this machine.

It uses OpenCV, which numbers cameras in the same way on Linux, Windows and macOS; FFmpeg does not.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SourceError
from ..values import Frame
from .background import run_in_background
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import cv2

_STALL_S = 5.0  # a driver that waited this long for an image reports a stall; an unplugged camera fails at once
_MAX_FRAME_RATE = 1000.0  # frames/s; drivers that do not know their rate report 0, -1 or a clock rate


class CameraSource(Source):
    """A live camera; frame times are those of the machine's monotonic clock."""

    is_live = True

    def __init__(self, index: int, *, frame_rate: float | None = None, frame_stride: int = 1) -> None:
        """Open the camera.

        Args:
            index: 0 for the first camera.
            frame_rate: Frames per second, instead of what the driver reports.
            frame_stride: Use every n-th frame.

        Raises:
            SourceError: The camera does not exist, or is in use.
            InvalidInputError: The frame rate or the stride is out of its range.
        """
        import cv2

        self._index = index
        self._capture = _open_capture(index)
        if not self._capture.isOpened():
            raise SourceError(
                f"Camera {index} cannot be opened; expected the index of a connected camera, 0 for the first."
                " Check that it is plugged in, that no other program uses it, and that this user has permission."
            )
        try:
            rate = float(self._capture.get(cv2.CAP_PROP_FPS))
            super().__init__(
                f"camera{index}",
                native_rate=rate if 0 < rate <= _MAX_FRAME_RATE else None,
                native_count=None,
                frame_rate=frame_rate,
                frame_stride=frame_stride,
            )
        except BaseException:
            self._capture.release()
            raise

    def _describe(self) -> str:
        """Return the name used in messages."""
        return f"Camera {self._index}"

    def _read_frames(self) -> Generator[Frame]:
        """Yield the selected frames until the camera stops or the source is closed."""
        index, asked_s = 0, time.monotonic()
        start_s: float | None = None
        while not self.closed and self._capture.grab():
            now_s = time.monotonic()
            start_s = now_s if start_s is None else start_s
            if self._is_selected(index):
                ok, image = self._capture.retrieve()
                if ok:
                    yield Frame(index, now_s - start_s, np.asarray(image, np.uint8))
                else:
                    self._skip_frame(index, "the driver returned no image")
            index += 1
            asked_s = time.monotonic()
        stalled = time.monotonic() - asked_s >= _STALL_S
        self._end_early("the camera returned no more images", "stalled" if stalled else "lost")

    def _release(self) -> None:
        """Close the camera."""
        self._capture.release()


def _open_capture(index: int) -> cv2.VideoCapture:
    """Open a camera; Ctrl-C takes effect while its driver waits."""
    import cv2

    def run() -> cv2.VideoCapture:
        with _quiet_opencv():
            return cv2.VideoCapture(index)

    if sys.platform == "darwin":  # there, only the main thread can ask the user for permission
        return run()
    return run_in_background(run, discard=lambda capture: capture.release(), name="fairmot_dla34 opener")


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """Suppress OpenCV's own messages about a missing camera on stderr; the error contains the reason."""
    import cv2

    module: Any = getattr(getattr(cv2, "utils", None), "logging", cv2)  # OpenCV 4.5 has them at the top level
    level = module.getLogLevel()
    module.setLogLevel(0)  # LOG_LEVEL_SILENT
    try:
        yield
    finally:
        module.setLogLevel(level)
