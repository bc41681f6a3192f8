"""Facts about the video that results belong to (size, frame rate, number of frames), and checks of the results."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..config import check_path
from ..datasets.formats.image_header import read_header
from ..datasets.formats.reading import images_in
from ..errors import InvalidInputError
from ..messages import UNSAFE
from ..video.facts import read_video_facts

if TYPE_CHECKING:
    from .results import TrackResults

_FAR = 0.5  # image sizes by which the centre of a tracked box may be outside the image
_EXPECTED = "expected the video file, or the folder of images, that the results were made from"


@dataclass(frozen=True)
class TrackedVideo:
    """Facts about a video.

    Attributes:
        path: Video file, or folder of images.
        name: Name as used for output files.
        width: Width of the frames in px.
        height: Height of the frames in px.
        frame_rate: Frames per second.
        frame_count: Number of frames.
        images: Names of the image files in order; empty for a video file.
    """

    path: Path
    name: str
    width: int
    height: int
    frame_rate: float
    frame_count: int
    images: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        """Name of the file without characters that XML or UTF-8 cannot have."""
        return UNSAFE.sub("_", self.path.name)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frame_count / self.frame_rate


def read_tracked_video(source: str | PathLike[str], last_frame: int, *, progress: bool = True) -> TrackedVideo:
    """Read the facts about the video of results.

    Args:
        source: Video file, or folder of images.
        last_frame: Number of the last frame that results have, from 1.
        progress: Show progress on stderr if frames must be counted.

    Raises:
        InvalidInputError: The source is neither a file nor a folder, or the images of a folder differ in size.
        SourceError: The source cannot be read.
        DatasetError: An image of a folder cannot be read.
    """
    check_path("source", source, "a video file or a folder of images")
    path = Path(source)
    if not path.exists():
        raise InvalidInputError(f"source is {str(source)!r}, which does not exist; {_EXPECTED}.")
    facts = read_video_facts(path, last_frame, progress=progress)
    images = tuple(UNSAFE.sub("_", file.name) for file in images_in(path)) if path.is_dir() else ()
    for image, file in zip(images, images_in(path) if images else (), strict=True):
        header = read_header(file)
        if (header.width, header.height) != (facts.width, facts.height):
            raise InvalidInputError(
                f"source is {str(source)!r}, whose images {images[0]} and {image} differ in size ({facts.width}x"
                f"{facts.height} and {header.width}x{header.height} px); expected images of one size."
            )
    return TrackedVideo(path, facts.name, facts.width, facts.height, facts.frame_rate, facts.frame_count, images)


def check_fits(results: TrackResults, video: TrackedVideo) -> None:
    """Check that results can be those of a video: no frame beyond its end, no box far outside its image.

    Raises:
        TrackFileError: They are of another video; the error names the line.
    """
    beyond = np.flatnonzero(results.frames > video.frame_count)
    if len(beyond):
        raise results.line_error(
            int(beyond[0]),
            f"frame {results.frames[beyond[0]]} is beyond the {video.frame_count} frames of {video.path}; name the"
            " video that these results were made from.",
        )
    check_within(results, (video.width, video.height), f"the {video.width}x{video.height} px of {video.path}")


def check_within(results: TrackResults, size: tuple[int, int], shown: str) -> None:
    """Check that no box is far outside the image.

    Args:
        results: The results.
        size: Width and height of the image, px.
        shown: The image in the message.

    Raises:
        TrackFileError: The results are of another video; the error names the line.
    """
    sides = np.array(size)
    centres = (results.boxes[:, :2] + results.boxes[:, 2:]) / 2
    far = np.flatnonzero(((centres < -_FAR * sides) | (centres > (1 + _FAR) * sides)).any(axis=1))
    if len(far):
        box = ", ".join(f"{value:.1f}" for value in results.boxes[far[0]])
        raise results.line_error(
            int(far[0]), f"box {box} is far outside {shown}; name the video that these results were made from."
        )
