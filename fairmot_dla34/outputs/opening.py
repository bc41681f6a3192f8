"""All outputs of one run, opened, written and closed together."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import OUTPUT_FORMATS, check_choice
from ..files import output_error
from .csv_writer import CsvWriter
from .jsonl import JsonlWriter
from .kitti import KittiWriter
from .mot import MotWriter
from .video import VideoWriter
from .writer_set import WriterSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .writer import ResultWriter, TextWriter

_TEXT_FOLDER, _VIDEO_FOLDER = "mot_results", "mot_outputs"  # PaddleHub's names
_TEXT_WRITERS: dict[str, type[TextWriter]] = {
    "mot": MotWriter,
    "jsonl": JsonlWriter,
    "csv": CsvWriter,
    "kitti": KittiWriter,
}


def open_writers(
    output_dir: str | Path,
    name: str,
    *,
    formats: Sequence[str] = ("mot",),
    video: bool = True,
    frame_rate: float,
    draw_threshold: float = 0.5,
    draw_on_frames: bool = False,
) -> WriterSet:
    """Open the outputs of one video; existing files of these names are replaced.

    Args:
        output_dir: Made where it does not exist.
        name: The source's name.
        formats: Of ``mot``, ``jsonl``, ``csv``, ``kitti``: written to ``mot_results/<name>`` with their suffix.
        video: Whether to write ``mot_outputs/<name>_vis.mp4``.
        frame_rate: Frames per second of the video.
        draw_threshold: Tracks with a lower score are not drawn; the text has them all.
        draw_on_frames: The frames may be drawn on, as nobody needs them after they were written.

    Returns:
        The writers, to be used as a context manager.

    Raises:
        OutputError: A folder or file cannot be written.
        InvalidInputError: A format is unknown, or a number out of its range.
    """
    for name_of_format in formats:
        check_choice("Output format", name_of_format, OUTPUT_FORMATS)
    folder = Path(output_dir)
    opened: list[ResultWriter] = []
    try:
        for chosen in dict.fromkeys(formats):
            kind = _TEXT_WRITERS[chosen]
            opened.append(kind(folder / _TEXT_FOLDER / f"{name}{kind.suffix}"))
        if video:
            path = folder / _VIDEO_FOLDER / f"{name}_vis.mp4"
            opened.append(
                VideoWriter(path, frame_rate=frame_rate, draw_threshold=draw_threshold, on_frames=draw_on_frames)
            )
    except BaseException:
        WriterSet(opened).__exit__(*sys.exc_info())  # closes them all; the error under way is the one to tell
        raise
    return WriterSet(opened)


def prepare_output_dir(output_dir: str | Path) -> None:
    """Make the output directory and try it, before anything slow begins; nothing is left in it.

    Args:
        output_dir: Made where it does not exist.

    Raises:
        OutputError: It, or one of its folders of results, cannot be written.
    """
    folder = Path(output_dir)
    for place in (folder, folder / _TEXT_FOLDER, folder / _VIDEO_FOLDER):
        if place == folder or place.exists():
            try:
                place.mkdir(parents=True, exist_ok=True)
                tempfile.TemporaryFile(dir=place).close()
            except OSError as error:
                raise output_error(place, error) from error
