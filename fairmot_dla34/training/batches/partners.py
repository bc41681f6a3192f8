"""Partners of the images of a batch: another frame of the same video, or the same still image again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...datasets import DatasetSequence

MAX_SECONDS = 2.0  # people have moved and turned, and most of them are still in view


class Partners:
    """Chooses a partner for each image, which shows the same people.

    The partner of a frame is another frame of its video at most `MAX_SECONDS` before or after it. The partner of any
    other image, also of a frame without such a neighbour, is the image itself, which is varied differently.

    Args:
        sequences: Sequences, in the order in which their images are numbered.
    """

    def __init__(self, sequences: Sequence[DatasetSequence]) -> None:
        ranges, first = [np.empty((0, 2), np.int64)], 0
        for sequence in sequences:
            ranges.append(first + _near(sequence))
            first += len(sequence.images)
        self._ranges = np.concatenate(ranges)  # (N, 2) first candidate and the one after the last

    def choose(self, images: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the ``(K,)`` numbers of the partners of K images; the random numbers do not depend on the images."""
        low, high = self._ranges[images].T
        others = high - low - 1
        chosen = low + (rng.random(len(images)) * others).astype(np.int64)
        return np.where(others > 0, chosen + (chosen >= images), images)


def _near(sequence: DatasetSequence) -> NDArray[np.int64]:
    """Return ``(N, 2)``, for each image the range of positions in the sequence that are near it, its own included."""
    own = np.arange(len(sequence.images))
    if not sequence.is_video or not sequence.frame_rate:
        return np.stack([own, own + 1], axis=1)
    frames = np.array([image.index for image in sequence.images], np.int64)
    span = int(MAX_SECONDS * sequence.frame_rate)
    return np.stack([np.searchsorted(frames, frames - span), np.searchsorted(frames, frames + span, "right")], axis=1)
