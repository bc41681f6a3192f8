"""People in stripes of a bright and a dark shade: the bright one is gone once stripes are averaged."""

from __future__ import annotations

from collections.abc import Container, Iterator

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.values import Peaks

STRIPE_PX = 3
BRIGHT, DARK = 255, 110


def striped_people(frames: int, people: int = 2) -> Iterator[NDArray[np.uint8]]:
    """Yield 320x192 images; person i, 30 x 60 px, walks to the right by two px per frame. Their hues differ."""
    stripes = np.where(np.arange(30) // STRIPE_PX % 2 == 0, BRIGHT, DARK).astype(np.uint8)
    for index in range(frames):
        image = np.full((192, 320, 3), 90, np.uint8)
        for person in range(people):
            left, top = 20 + 2 * index + 90 * person, 20 + 80 * person
            image[top : top + 60, left : left + 30] = 0
            image[top : top + 60, left : left + 30, 2 - person] = stripes
        yield image


def bright_pixels(image: NDArray[np.uint8]) -> int:
    """Count the pixels of a bright stripe, as they are after a lossy codec."""
    values = np.sort(image.reshape(-1, 3).astype(int), axis=1)
    return int(((values[:, 2] >= 215) & (values[:, 1] < 90)).sum())


class ForgetfulBackend(FakeBackend):
    """Detects nothing in some of the frames.

    Args:
        missing: Numbers of the frames without detections, from 0.
    """

    def __init__(self, missing: Container[int]) -> None:
        super().__init__()
        self._missing, self._number = missing, -1

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        self._number += 1
        peaks = super()._infer(image)
        if self._number not in self._missing:
            return peaks
        return Peaks(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 128)), np.zeros(0, np.int64))
