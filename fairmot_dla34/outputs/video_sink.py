"""Writes the annotated video: the frames with boxes, ids, scores and trails."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ..closing import ClosedOnExit
from ..config import check_fraction, check_frame_rate
from ..errors import StateError
from .drawing import draw_tracks
from .drawing_options import check_labels, check_line_width
from .mp4 import H264Encoder
from .paths import OutputFile, changed_error, create_file
from .timeline import Timeline
from .track_colours import TrackColours
from .trails import Trails

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..values import Frame, FrameResult
    from .run_analysis import RunAnalysis


class VideoSink(ClosedOnExit):
    """Draws each frame's tracks into an H.264 mp4 with the source's size and times.

    Attributes:
        path: The mp4; it plays up to its last whole second even if the process is killed.
    """

    def __init__(
        self,
        path: Path,
        *,
        frame_rate: float,
        draw_threshold: float = 0.5,
        draw_on_frames: bool = False,
        labels: str = "auto",
        line_width: int | None = None,
        class_names: Sequence[str] = (),
        analysis: RunAnalysis | None = None,
    ) -> None:
        """Create or empty the file; the encoder starts with the first frame, which sets the size.

        Args:
            path: The mp4.
            frame_rate: Frames per second of the frames to come, for the header; each frame keeps its own time.
            draw_threshold: Tracks with a lower score are not drawn.
            draw_on_frames: Whether to draw on the frames themselves, instead of on a copy of each.
            labels: Text drawn beside a box: ``auto``, ``id``, ``score`` or ``none``; see `draw_tracks`.
            line_width: Width of the boxes' lines in px, or None for a width that fits the box.
            class_names: Names of the network's classes, part of the labels if there are several.
            analysis: Analysis whose lines, zones and counts are drawn too; None: none.

        Raises:
            OutputError: The file cannot be created.
            InvalidInputError: A number is out of its range, or ``labels`` is unknown.
        """
        self._draw_threshold = check_fraction("draw_threshold", draw_threshold)
        self._frame_rate = check_frame_rate(frame_rate)
        self._labels = check_labels(labels)
        self._line_width = check_line_width(line_width)
        self._class_names = tuple(class_names)
        self._analysis = analysis
        self._draw_on_frames = draw_on_frames
        self.path = path
        self._encoder: H264Encoder | None = None
        self._trails = Trails()
        self._colours = TrackColours()
        self._shape: tuple[int, ...] = ()
        self._closed = False
        self._timeline = Timeline(path, frame_rate)
        self._file = create_file(path)  # open until the end, so that a deletion is noticed

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
        time_s = self._timeline.seconds(frame.time_s)
        self._trails.update(result.tracks, time_s)
        drawn = draw_tracks(
            frame.image,
            result.tracks,
            trails=self._trails,
            draw_threshold=self._draw_threshold,
            in_place=self._draw_on_frames,
            labels=self._labels,
            line_width=self._line_width,
            colours=self._colours,
            class_names=self._class_names,
        )
        if self._analysis is not None:
            self._analysis.draw(drawn)
        if self._encoder is None:
            height, width = drawn.shape[:2]
            self._encoder = H264Encoder(self.path, width=width, height=height, frame_rate=self._frame_rate, quick=True)
        self._encoder.write(drawn, time_s)

    def close(self) -> None:
        """Finish the file; without a single frame it is removed, because no player opens an empty mp4.

        Raises:
            OutputError: The end of the file cannot be written, or the file was deleted, moved, replaced or truncated.
        """
        if self._closed:
            return
        self._closed = True
        finish_video(self._encoder, self._file, self.path)


def finish_video(encoder: H264Encoder | None, file: OutputFile, path: Path) -> None:
    """Close a video's encoder and file; an empty file is removed, because no player opens it.

    Args:
        encoder: Encoder of the file; None if there was no frame.
        file: The file, held open since it was created.
        path: The mp4.

    Raises:
        OutputError: The end of the file cannot be written, or the file was deleted, moved, replaced or truncated.
    """
    try:
        if encoder is not None:
            encoder.close()
            _check_header(path)
    finally:
        try:
            file.check_in_place()
        finally:
            file.close()
        with contextlib.suppress(OSError):
            if path.stat().st_size == 0:
                path.unlink()


def _check_header(path: Path) -> None:
    """Check that no other program truncated the file, which leaves null characters in front."""
    try:
        with path.open("rb") as file:
            kind = file.read(8)[4:]
    except OSError:
        return  # `OutputFile.check_in_place` reports it
    if kind != b"ftyp":
        raise changed_error(path)
