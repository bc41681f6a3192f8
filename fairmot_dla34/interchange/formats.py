"""Table of the formats that tracks can be exported to, by the name used on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .coco_video import write_coco_video
from .cvat import write_cvat
from .fiftyone_labels import write_fiftyone
from .label_studio import write_label_studio
from .mot_archive import write_mot_archive
from .scene import Scene
from .table import write_table
from .yolo_labels import write_yolo


@dataclass(frozen=True)
class TrackFormat:
    """A format of tracks.

    Attributes:
        title: Name of the format in words.
        suffix: End of the default output name.
        file: Writer of a single file, or None.
        folder: Writer of a folder, as relative paths and contents, or None.
        needs_video: Whether it states the size or the frame rate of the video.
        needs_video_file: Whether the video must be a file, not a folder of images.
        has_keyframes: Whether boxes between two keyframes are interpolated by the reader.
        clips: Whether boxes must lie in the image.
    """

    title: str
    suffix: str
    file: Callable[[Scene], Iterator[bytes]] | None = None
    folder: Callable[[Scene], Iterator[tuple[str, bytes]]] | None = None
    needs_video: bool = True
    needs_video_file: bool = False
    has_keyframes: bool = False
    clips: bool = False


TRACK_FORMATS: dict[str, TrackFormat] = {
    "cvat": TrackFormat("CVAT for video 1.1", ".cvat.xml", write_cvat, has_keyframes=True),
    "cvat-mot": TrackFormat("CVAT's MOT 1.1", ".cvat-mot.zip", write_mot_archive, needs_video=False),
    "labelstudio": TrackFormat(
        "Label Studio's video timeline",
        ".labelstudio.json",
        write_label_studio,
        needs_video_file=True,
        has_keyframes=True,
        clips=True,
    ),
    "coco-video": TrackFormat("COCO for videos", ".coco-video.json", write_coco_video),
    "fiftyone": TrackFormat(
        "FiftyOne's video labels", ".fiftyone", folder=write_fiftyone, needs_video_file=True, clips=True
    ),
    "yolo": TrackFormat("YOLO labels with track ids", ".yolo", folder=write_yolo, clips=True),
    "csv": TrackFormat("a table", ".tracks.csv", write_table, needs_video=False),
}
