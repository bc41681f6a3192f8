"""Heights and positions of cut-outs in a crop, like those of the people that are already there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

SMALLEST, LARGEST = 24.0, 0.9  # px, share of the crop: heights of people if nobody is in a crop
VARIATION = 0.3  # of the height of people at one place
ENOUGH_FOR_PERSPECTIVE = 3  # people
OVERLAPPING, AT_BORDER = 0.3, 0.15  # shares of the cut-outs
MIN_INSIDE = 0.35  # share of a cut-out within the crop, in each direction


@dataclass(frozen=True)
class Spot:
    """Place for a cut-out.

    Attributes:
        height: Height of the box, px.
        foot: Row of its lower side, crop px; it may be below the crop.
        is_free: Whether the height may be any other one too, because nobody is in the crop.
    """

    height: float
    foot: float
    is_free: bool = False


def draw_spot(boxes: NDArray[np.float32], size: int, rng: np.random.Generator, scale_px: float | None = None) -> Spot:
    """Draw the height and the foot row of a cut-out.

    Args:
        boxes: ``(N, 4)`` xyxy of the people in the crop.
        size: Side of the crop, px.
        rng: Source of the draws.
        scale_px: Mean height; None: that of the people, or any if there are none.
    """
    vary = float(np.exp(rng.uniform(-np.log1p(VARIATION), np.log1p(VARIATION))))
    free = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST * size))))
    position, choice = float(rng.random()), int(rng.integers(1 << 30))
    if scale_px is not None:
        return _anywhere(scale_px * vary, size, position)
    if not len(boxes):
        return replace(_anywhere(free, size, position), is_free=True)
    line = _perspective(boxes)
    if line is None:
        left_over = boxes[choice % len(boxes)]
        height = float(left_over[3] - left_over[1])
        foot = float(left_over[3]) + (position - 0.5) * height
        return _inside(height * vary, foot, size)
    foot = _row_of_perspective(line, size, position)
    return _inside(max(line[0] * foot + line[1], SMALLEST / 2) * vary, foot, size)


def draw_left(spot: Spot, width: float, boxes: NDArray[np.float32], size: int, rng: np.random.Generator) -> float:
    """Draw the column of the left side of a cut-out: anywhere, over a person, or at the border."""
    kind, position, choice = float(rng.random()), float(rng.random()), int(rng.integers(1 << 30))
    if len(boxes) and kind < OVERLAPPING:
        feet = np.abs(boxes[:, 3] - spot.foot)
        near = np.argsort(feet, kind="stable")[: max(1, len(boxes) // 2)]
        box = boxes[near[choice % len(near)]]
        middle = float(box[0] + box[2]) / 2 + (position - 0.5) * 1.4 * (float(box[2] - box[0]) + width) / 2
        left = middle - width / 2
    elif kind > 1 - AT_BORDER:
        inside = MIN_INSIDE + (1 - MIN_INSIDE) * position
        left = -width * (1 - inside) if choice % 2 else size - width * inside
    else:
        left = position * (size - width)
    return float(np.clip(left, -(1 - MIN_INSIDE) * width, size - MIN_INSIDE * width))


def _anywhere(height: float, size: int, position: float) -> Spot:
    lowest = min(0.95 * height, size)  # with its head in the crop
    return Spot(height, lowest + position * (size + 0.25 * height - lowest))


def _inside(height: float, foot: float, size: int) -> Spot:
    """Return the spot, moved so that enough of its height is in the crop."""
    return Spot(height, float(np.clip(foot, MIN_INSIDE * height, size + (1 - MIN_INSIDE) * height)))


def _perspective(boxes: NDArray[np.float32]) -> tuple[float, float] | None:
    """Return slope and height at row 0 of the line of heights over foot rows; None if the people do not show it."""
    feet, heights = boxes[:, 3].astype(float), (boxes[:, 3] - boxes[:, 1]).astype(float)
    if len(boxes) < ENOUGH_FOR_PERSPECTIVE or np.ptp(feet) < 0.5 * heights.mean():
        return None
    slope, height = np.polyfit(feet, heights, 1)
    return (float(slope), float(height)) if slope > 0.02 else None


def _row_of_perspective(line: tuple[float, float], size: int, position: float) -> float:
    """Return a foot row, so that all heights from the smallest to that of the crop are equally likely."""
    slope, height = line
    rows = (np.clip([SMALLEST / 2, 1.2 * size], 1, None) - height) / slope
    first, last = np.clip(rows, 0.05 * size, 1.3 * size)
    return float(first + position * (last - first))


def moved_to_cut_sides(
    corner: tuple[int, int], box: NDArray[np.float64], cut: tuple[str, ...], size: int
) -> tuple[int, int]:
    """Move a cut-out so that the sides at which it is cut off are at the border of the crop or beyond it.

    Args:
        corner: (x, y) of its image, crop px.
        box: ``(4,)`` xyxy, px of its image.
        cut: Sides that are cut off: some of left, top, right and bottom. Of opposite sides only one can be moved.
        size: Side of the crop, px.
    """
    x, y = corner
    if "left" in cut:
        x = min(x, int(np.floor(-box[0])))
    elif "right" in cut:
        x = max(x, int(np.ceil(size - box[2])))
    if "bottom" in cut:
        y = max(y, int(np.ceil(size - box[3])))
    elif "top" in cut:
        y = min(y, int(np.floor(-box[1])))
    return x, y
