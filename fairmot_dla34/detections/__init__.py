"""The two halves of tracking: detections in a file, and tracks from such a file.

`detect_to_file` runs the network over a source and writes everything that the association needs. `associate_to_files`
reads such a file and writes what `track` would have written, in seconds, with any settings of the association and of
the outputs. The names below are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:
    from .associating import AssociationJob, associate_to_files
    from .blocks import DetectedFrame
    from .detecting import DetectionJob, DetectionSummary, DetectOptions, detect_to_file
    from .file import DetectionsFile, read_detections
    from .header import DEFAULT_MIN_SCORE, Ending, Header, SourceFacts
    from .joining import join_detections
    from .recording import detections_path, make_header, recorded_tracking_job
    from .writer import DetectionsWriter

__all__ = [
    "DEFAULT_MIN_SCORE",
    "AssociationJob",
    "DetectOptions",
    "DetectedFrame",
    "DetectionJob",
    "DetectionSummary",
    "DetectionsFile",
    "DetectionsWriter",
    "Ending",
    "Header",
    "SourceFacts",
    "associate_to_files",
    "detect_to_file",
    "detections_path",
    "join_detections",
    "make_header",
    "read_detections",
    "recorded_tracking_job",
]

_HOMES = {
    "AssociationJob": "associating",
    "DEFAULT_MIN_SCORE": "header",
    "DetectOptions": "detecting",
    "DetectedFrame": "blocks",
    "DetectionJob": "detecting",
    "DetectionSummary": "detecting",
    "DetectionsFile": "file",
    "DetectionsWriter": "writer",
    "Ending": "header",
    "Header": "header",
    "SourceFacts": "header",
    "associate_to_files": "associating",
    "detect_to_file": "detecting",
    "detections_path": "recording",
    "join_detections": "joining",
    "make_header": "recording",
    "read_detections": "file",
    "recorded_tracking_job": "recording",
}
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
