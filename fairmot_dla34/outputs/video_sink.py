"""Writes the annotated video: the frames with boxes, ids, scores and trails."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ..closing import ClosedOnExit
from ..config import check_fraction, check_frame_rate
from ..errors import StateError
from .drawing import Trails, draw_tracks
from .mp4 import H264Encoder
from .paths import create_file

if TYPE_CHECKING:
    from pathlib import Path

    from ..values import Frame, FrameResult


class VideoSink(ClosedOnExit):
    """Draws each frame's tracks into an H.264 mp4 with the source's size and times.

    Attributes:
        path: The mp4; it plays up to its last whole second even if the process is killed.
    """

    def __init__(
        self, path: Path, *, frame_rate: float, draw_threshold: float = 0.5, draw_on_frames: bool = False
    ) -> None:
        """Create or empty the file; the encoder starts with the first frame, which sets the size.

        Args:
            path: The mp4.
            frame_rate: Frames per second of the frames to come, for the header; each frame keeps its own time.
            draw_threshold: Tracks with a lower score are not drawn.
            draw_on_frames: Whether to draw on the frames themselves, instead of on a copy of each.

        Raises:
            OutputError: The file cannot be created.
            InvalidInputError: A number is out of its range.
        """
        self._draw_threshold = check_fraction("draw_threshold", draw_threshold)
        self._frame_rate = check_frame_rate(frame_rate)
        self._draw_on_frames = draw_on_frames
        self.path = path
        self._encoder: H264Encoder | None = None
        self._trails = Trails()
        self._shape: tuple[int, ...] = ()
        self._closed = False
        create_file(path).close()

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Draw and encode one frame.

        Args:
            frame: Image and time.
            result: Tracks of the frame.

        Raises:
            OutputError: The disk is full or gone, or PyAV lacks libx264.
            StateError: The sink is closed.
        """
        if self._closed:
            raise StateError(f"{self.path} is closed; write every result before close().")
        if frame.image.shape != self._shape:
            self._shape = frame.image.shape
            self._trails.clear()
        self._trails.update(result.tracks, frame.time_s)
        drawn = draw_tracks(
            frame.image,
            result.tracks,
            trails=self._trails,
            draw_threshold=self._draw_threshold,
            in_place=self._draw_on_frames,
        )
        if self._encoder is None:
            height, width = drawn.shape[:2]
            self._encoder = H264Encoder(self.path, width=width, height=height, frame_rate=self._frame_rate, quick=True)
        self._encoder.write(drawn, frame.time_s)

    def close(self) -> None:
        """Finish the file; without a single frame it is removed, because no player opens an empty mp4.

        Raises:
            OutputError: The end of the file cannot be written.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self._encoder is not None:
                self._encoder.close()
        finally:
            with contextlib.suppress(OSError):
                if self.path.stat().st_size == 0:
                    self.path.unlink()
