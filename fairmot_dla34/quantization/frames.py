"""Selects the frames of a video for calibration and for the comparison with fp32."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ..config import InputSize
from ..console.progress import ProgressBar, progress_bar
from ..errors import InvalidInputError
from ..geometry import Letterbox
from ..values import Frame
from ..video import open_source

MAX_FRAMES = 48  # 32 to calibrate on, 16 to compare on
MIN_FRAMES = 10  # 7 and 3
_FRAMES_READ = 18_000  # ten minutes at 30 frames/s: a camera has no end
_COMPARED_EVERY = 3


@dataclass(frozen=True, eq=False)
class CalibrationFrames:
    """Letterboxed images, ``(height, width, 3)`` uint8 BGR of the network's input size, in the video's order.

    Attributes:
        name: Name of the video.
        calibration: Up to 32 images to calibrate on.
        comparison: Up to 16 images between them, to compare on.
    """

    name: str
    calibration: list[NDArray[np.uint8]]
    comparison: list[NDArray[np.uint8]]


def read_frames(video: str, input_size: InputSize, *, progress: bool = False) -> CalibrationFrames:
    """Read frames spread evenly over the first 18,000 of a video.

    Args:
        video: Any text that `open_source` accepts.
        input_size: Network input in px.
        progress: Show the number of frames read on stderr.

    Raises:
        SourceError, SourceNotFoundError: The video cannot be opened or read.
        InvalidInputError: The video is too short.
    """
    with open_source(video) as source:
        with progress_bar(f"reading {source.name}", enabled=progress) as bar:
            images = _spread(_counted(islice(source, _FRAMES_READ), bar), input_size)
        if len(images) < MIN_FRAMES:
            raise InvalidInputError(
                f"Calibration video {source.name} has {len(images)} frames; expected at least {MIN_FRAMES}, "
                "better some hundred with people in them: name a longer one."
            )
        places = np.linspace(0, len(images) - 1, min(MAX_FRAMES, len(images))).round().astype(int)
    chosen = [images[place] for place in places]
    comparison = chosen[_COMPARED_EVERY // 2 :: _COMPARED_EVERY]
    calibration = [one for i, one in enumerate(chosen) if i % _COMPARED_EVERY != _COMPARED_EVERY // 2]
    return CalibrationFrames(source.name, calibration, comparison)


def _counted(frames: Iterable[Frame], bar: ProgressBar) -> Iterator[Frame]:
    for frame in frames:
        yield frame
        bar.update()


def _spread(frames: Iterable[Frame], input_size: InputSize) -> list[NDArray[np.uint8]]:
    """Keep evenly spread frames: at least `MAX_FRAMES` of a video that long, and less than twice as many."""
    kept: list[NDArray[np.uint8]] = []
    stride = 1
    for place, frame in enumerate(frames):
        if place % stride:
            continue
        height, width = frame.image.shape[:2]
        kept.append(Letterbox(width, height, input_size).apply(frame.image))
        if len(kept) == 2 * MAX_FRAMES:
            kept, stride = kept[::2], 2 * stride
    return kept
