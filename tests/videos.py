"""Small videos of coloured boxes that walk on grey, which `FakeBackend` detects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

COLOURS_BGR = ((0, 0, 255), (0, 200, 0), (255, 80, 0))


def walking_boxes(frames: int, width: int = 320, height: int = 192, people: int = 2) -> Iterator[NDArray[np.uint8]]:
    """Yield images; person i, 30 x 60 px, walks on its own line by two px per frame, and turns at the border."""
    for index in range(frames):
        image = np.full((height, width, 3), 90, np.uint8)
        for person in range(people):
            span = width - 40
            step = (2 * index + 70 * person) % (2 * span)
            left = 5 + min(step, 2 * span - step)
            top = 10 + person * 60
            cv2.rectangle(image, (left, top), (left + 29, top + 59), COLOURS_BGR[person], -1)
        yield image


def write_walking_boxes(folder: Path, frames: int, width: int = 320, height: int = 192) -> Path:
    """Write the images of `walking_boxes` to an existing folder, as PNG files in order; return the folder."""
    for index, image in enumerate(walking_boxes(frames, width, height)):
        cv2.imwrite(str(folder / f"{index:06d}.png"), image)
    return folder
