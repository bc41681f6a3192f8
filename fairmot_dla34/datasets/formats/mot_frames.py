"""Assignment of frame numbers in a ground truth file to image files."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .mot_rows import TruthRows

_NUMBERED = re.compile(r"(.*?)(\d{1,15})")


def frame_indices(rows: TruthRows, stems: Sequence[str]) -> NDArray[np.int64]:
    """Return the position of each row's image, -1 if it has none.

    MOTChallenge names the image of frame ``f`` by the number ``f``, from 1. Images numbered from 0, images without
    numbers, and images whose numbers fit fewer rows than their positions do are counted instead: frame 1 is the first.

    Args:
        rows: The ground truth.
        stems: Names of the images without suffix, in order.
    """
    frames = rows.frames
    by_position = np.where((frames >= 1) & (frames <= len(stems)), frames - 1, -1)
    numbers = _numbers(stems)
    if numbers is None:
        return by_position
    places = np.searchsorted(numbers, frames)
    places[places == len(numbers)] = 0
    by_number = np.where(numbers[places] == frames, places, -1)
    from_zero = bool(numbers[0] == 0)
    if from_zero and not (frames == 0).any():
        return by_position
    return by_number if (by_number >= 0).sum() >= (by_position >= 0).sum() else by_position


def _numbers(stems: Sequence[str]) -> NDArray[np.int64] | None:
    """Return the numbers at the end of the names if they rise and what is before them is equal, else None."""
    matches = [_NUMBERED.fullmatch(stem) for stem in stems]
    prefixes = {match[1] if match else None for match in matches}
    if len(prefixes) != 1 or None in prefixes:
        return None
    numbers = np.array([int(match[2]) for match in matches if match], np.int64)
    return numbers if (np.diff(numbers) > 0).all() else None
