"""Size, frame rate and number of frames of a video, the last by decoding if the container is not enough."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..console.progress import progress_bar
from .opening import open_source


@dataclass(frozen=True)
class VideoFacts:
    """Facts about a video file or a folder of images.

    Attributes:
        name: Name as used for output files.
        width: Width of the first frame in px.
        height: Height of the first frame in px.
        frame_rate: Frames per second.
        frame_count: Number of frames.
    """

    name: str
    width: int
    height: int
    frame_rate: float
    frame_count: int


def read_video_facts(path: Path, last_frame: int = 0, *, progress: bool = True) -> VideoFacts:
    """Read the facts about a video.

    Args:
        path: Video file, or folder of images.
        last_frame: Number of a frame that is expected to exist, from 1. The frames are counted by decoding if the
            container states fewer, or no number: containers may be wrong about it.
        progress: Show progress on stderr while frames are counted.

    Raises:
        SourceError: The video cannot be read.
    """
    with open_source(path) as source:
        height, width = next(iter(source)).image.shape[:2]
        name, rate, count = source.name, source.native_rate, source.frame_count
    if not count or count < last_frame:
        count = _count_frames(path, progress=progress)
    return VideoFacts(name, width, height, rate, count)


def _count_frames(path: Path, *, progress: bool) -> int:
    count = 0
    with open_source(path) as source, progress_bar(f"counting frames of {source.name}", None, enabled=progress) as bar:
        for frame in source:
            count = frame.index + 1
            bar.update()
    return count
