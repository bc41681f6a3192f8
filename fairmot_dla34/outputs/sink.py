"""Defines the `Sink` protocol, the context a sink is opened with, and the description of a kind of sink."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..values import Frame, FrameResult
    from .run_analysis import RunAnalysis

TEXT_FOLDER, VIDEO_FOLDER = "mot_results", "mot_outputs"  # the folder names of PaddleHub's module
ANALYTICS_FOLDER, DETECTIONS_FOLDER = "analytics", "detections"


class Sink(Protocol):
    """One output of one video, written frame by frame.

    The run closes its sinks whatever ends it: the last frame, an error, Ctrl-C. A closed file is valid and holds whole
    frames only.

    Attributes:
        path: File that the sink writes.
    """

    path: Path

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Add one frame's result; on return the file contains it, as far as the format allows.

        Args:
            frame: The frame. ``frame.image`` is valid during the call only, and a placeholder if every sink of the run
                has ``needs_images=False``.
            result: Tracks of the frame.

        Raises:
            OutputError: The result cannot be written.
            StateError: The sink is closed.
        """

    def close(self) -> None:
        """Finish the file; safe to call twice.

        Raises:
            OutputError: The end of the file cannot be written.
        """


@dataclass(frozen=True)
class SinkContext:
    """Settings of a run that a sink may need when it is opened.

    Attributes:
        frame_rate: Frames per second of the frames to come.
        draw_threshold: Tracks with a lower score are not drawn, in [0, 1]; text contains them all.
        draw_on_frames: Whether a sink may draw on ``frame.image`` itself, because nothing reads it afterwards.
        labels: Text drawn beside a box: ``auto``, ``id``, ``score`` or ``none``; see `OutputOptions`.
        line_width: Width of the boxes' lines in px, or None for a width that fits the box.
        class_names: Names of the network's classes, by `Track.class_id`; empty if they are not known.
        analysis: Analysis of the run, which is drawn on images too; None if there is none.
    """

    frame_rate: float
    draw_threshold: float = 0.5
    draw_on_frames: bool = False
    labels: str = "auto"
    line_width: int | None = None
    class_names: tuple[str, ...] = ()
    analysis: RunAnalysis | None = None


@dataclass(frozen=True)
class SinkKind:
    """A kind of output, as `register_sink` takes it.

    Attributes:
        name: Name in ``formats=[...]`` and in ``--formats``.
        folder: Folder under the output directory, ``mot_results`` for text and ``mot_outputs`` for video.
        suffix: End of the file name, after the name of the source: ``.txt``, ``_vis.mp4``.
        needs_images: Whether the sink reads ``frame.image``. A run in which no sink does keeps no images.
        open: Creates or empties the file and returns the sink. A run calls it when its first result is ready.
    """

    name: str
    folder: str
    suffix: str
    needs_images: bool
    open: Callable[[Path, SinkContext], Sink]

    def path_in(self, output_dir: str | Path, source_name: str) -> Path:
        """Return the path of the file that belongs to a source."""
        return Path(output_dir) / self.folder / f"{source_name}{self.suffix}"
