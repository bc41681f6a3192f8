"""Results out: text in four formats, and the drawn video. Importing this package loads neither PyAV nor OpenCV."""

from __future__ import annotations

from .csv_writer import CsvWriter
from .draw import draw_tracks
from .jsonl import JsonlWriter
from .kitti import KittiWriter
from .mot import MotWriter
from .opening import open_writers, prepare_output_dir
from .trails import Trails
from .video import VideoWriter
from .writer import ResultWriter, TextWriter
from .writer_set import WriterSet

__all__ = [
    "CsvWriter",
    "JsonlWriter",
    "KittiWriter",
    "MotWriter",
    "ResultWriter",
    "TextWriter",
    "Trails",
    "VideoWriter",
    "WriterSet",
    "draw_tracks",
    "open_writers",
    "prepare_output_dir",
]
