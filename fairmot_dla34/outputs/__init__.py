"""Outputs of a run: the sink registry, four text formats and the annotated video.

Importing this package loads neither PyAV nor OpenCV.
"""

from __future__ import annotations

from .claim import OutputClaim
from .drawing import draw_tracks
from .paths import prepare_output_dir
from .registry import find_sink, register_sink, sink_names, unregister_sink
from .sink import Sink, SinkContext, SinkKind
from .sink_set import SinkSet, open_sinks
from .text_formats import CsvSink, JsonlSink, KittiSink, MotSink
from .text_sink import TextSink
from .track_colours import TrackColours
from .trails import Trails
from .video_sink import VideoSink

__all__ = [
    "CsvSink",
    "JsonlSink",
    "KittiSink",
    "MotSink",
    "OutputClaim",
    "Sink",
    "SinkContext",
    "SinkKind",
    "SinkSet",
    "TextSink",
    "TrackColours",
    "Trails",
    "VideoSink",
    "draw_tracks",
    "find_sink",
    "open_sinks",
    "prepare_output_dir",
    "register_sink",
    "sink_names",
    "unregister_sink",
]
