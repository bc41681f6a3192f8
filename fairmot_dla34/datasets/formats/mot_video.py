"""Size and length of a sequence that is stored as a video."""

from __future__ import annotations

from pathlib import Path

from ...errors import DatasetError, SourceError
from ...video import open_source
from .image_header import ImageHeader


def read_video_size(path: Path, length: int | None) -> tuple[ImageHeader, int]:
    """Return the size of a video's frames and their number.

    Args:
        path: Video file.
        length: Number of frames that the sequence states; None: what the container states.

    Raises:
        DatasetError: The video cannot be read, or its length is unknown.
    """
    try:
        with open_source(path) as source:
            count = length or source.frame_count
            height, width = next(iter(source)).image.shape[:2]
    except SourceError as error:
        raise DatasetError(f"{path} cannot be read as the video of a sequence: {error}") from error
    if not count:
        raise DatasetError(f"{path} does not state its number of frames; add seqLength=<frames> to the seqinfo.ini.")
    return ImageHeader(width, height), count
