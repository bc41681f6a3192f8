"""Which frames of a video an int8 network is calibrated on, and on which it is compared with fp32."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ..config import InputSize
from ..errors import InvalidInputError
from ..geometry import Letterbox
from ..values import Frame
from ..video import open_source

MOST_FRAMES = 48  # 32 to calibrate on, 16 to compare on
FEWEST_FRAMES = 10  # 7 and 3
_LOOKED_AT = 18_000  # ten minutes at 30 frames/s: a camera has no end
_COMPARED_EVERY = 3


@dataclass(frozen=True, eq=False)
class CalibrationFrames:
    """Letterboxed pictures, ``(height, width, 3)`` uint8 BGR of the network's input size, in the video's order.

    Attributes:
        name: The video's.
        calibration: Up to 32 to calibrate on.
        comparison: Up to 16 between them, to compare on.
    """

    name: str
    calibration: list[NDArray[np.uint8]]
    comparison: list[NDArray[np.uint8]]


def read_frames(video: str, input_size: InputSize) -> CalibrationFrames:
    """Take frames spread evenly over the first 18,000 of a video.

    Args:
        video: What `open_source` takes as text.
        input_size: The network input.

    Raises:
        SourceError, SourceNotFoundError: The video cannot be opened or read.
        InvalidInputError: It is too short.
    """
    with open_source(video) as source:
        pictures = _spread(islice(source, _LOOKED_AT), input_size)
        if len(pictures) < FEWEST_FRAMES:
            raise InvalidInputError(
                f"Calibration video {source.name} has {len(pictures)} frames; expected at least {FEWEST_FRAMES}, "
                "better some hundred with people in them: name a longer one."
            )
        places = np.linspace(0, len(pictures) - 1, min(MOST_FRAMES, len(pictures))).round().astype(int)
    chosen = [pictures[place] for place in places]
    comparison = chosen[_COMPARED_EVERY // 2 :: _COMPARED_EVERY]
    calibration = [one for i, one in enumerate(chosen) if i % _COMPARED_EVERY != _COMPARED_EVERY // 2]
    return CalibrationFrames(source.name, calibration, comparison)


def _spread(frames: Iterable[Frame], input_size: InputSize) -> list[NDArray[np.uint8]]:
    """Keep evenly spread frames, at least `MOST_FRAMES` of a video that has so many and less than twice as many."""
    kept: list[NDArray[np.uint8]] = []
    stride = 1
    for place, frame in enumerate(frames):
        if place % stride:
            continue
        height, width = frame.image.shape[:2]
        kept.append(Letterbox(width, height, input_size).apply(frame.image))
        if len(kept) == 2 * MOST_FRAMES:
            kept, stride = kept[::2], 2 * stride
    return kept
