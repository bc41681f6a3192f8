"""Pixelates people or heads in an image, so coarsely that a face cannot be recognised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cover_plan import Boxes

# People recognise familiar faces at 7 x 10 px (Sinha et al. 2006, "Face recognition by humans"). A head is never wider
# than its box, so that a sixth of the box's width leaves at most 6 blocks across it, and 1 to 3 on a standing person.
_BLOCKS_ACROSS = 6
_BLOCKS_DOWN = 24  # for boxes that are narrow because the person is partly hidden
_SMALLEST_BLOCK_PX, _LARGEST_BLOCK_PX = 4, 4096
_MARGIN_X, _MARGIN_Y = 0.15, 0.08  # of width and height
_HEAD_OF_HEIGHT = 0.25
_HEAD_OF_WIDTH = 0.6  # if only the upper body is in the box, the head is a larger part of its height


def cover_regions(boxes: Boxes, errors_px: NDArray[np.float64], *, heads_only: bool) -> Boxes:
    """Return the part of each person's box that is covered, with a margin for errors of the box.

    Args:
        boxes: ``(N, 4)`` xyxy, image px.
        errors_px: ``(N,)``: further margin on the left and on the right, half of it above and below.
        heads_only: Whether only the head is covered.

    Returns:
        ``(N, 4)`` xyxy, image px.
    """
    width, height = (boxes[:, 2] - boxes[:, 0]), (boxes[:, 3] - boxes[:, 1])
    margin_x, margin_y = _MARGIN_X * width + errors_px, _MARGIN_Y * height + errors_px / 2
    lower = boxes[:, 3]
    if heads_only:
        lower = np.minimum(lower, boxes[:, 1] + np.maximum(_HEAD_OF_HEIGHT * height, _HEAD_OF_WIDTH * width))
    return np.stack([boxes[:, 0] - margin_x, boxes[:, 1] - margin_y, boxes[:, 2] + margin_x, lower + margin_y], axis=1)


def pixelated(
    image: NDArray[np.uint8], boxes: Boxes, errors_px: NDArray[np.float64] | None = None, *, heads_only: bool
) -> NDArray[np.uint8]:
    """Return a copy of an image in which people are replaced by blocks of their mean colour.

    Args:
        image: ``(H, W, 3)`` uint8.
        boxes: ``(N, 4)`` xyxy, image px, unclipped: the people.
        errors_px: ``(N,)``: further margin of each, see `cover_regions`; None: 0.
        heads_only: Whether only their heads are replaced.

    Returns:
        ``(H, W, 3)`` uint8, a new array.
    """
    import cv2

    canvas = np.array(image, np.uint8, order="C")
    height, width = canvas.shape[:2]
    blocks_px = _block_sizes(boxes)
    errors_px = np.zeros(len(boxes)) if errors_px is None else errors_px
    regions = np.clip(cover_regions(boxes, errors_px, heads_only=heads_only), 0, (width, height, width, height))
    regions[:, :2], regions[:, 2:] = np.floor(regions[:, :2]), np.ceil(regions[:, 2:])
    corners = regions.astype(np.int64)
    inside = (corners[:, :2] < corners[:, 2:]).all(axis=1)
    for block_px in np.unique(blocks_px[inside]).tolist():  # the largest blocks last: they win
        rows = corners[inside & (blocks_px == block_px)]
        left, top = rows[:, :2].min(axis=0) // block_px * block_px  # one grid for the image, so that nothing flickers
        right, bottom = rows[:, 2:].max(axis=0)
        mask = np.zeros((bottom - top, right - left), np.uint8)
        for x1, y1, x2, y2 in (rows - (left, top, left, top)).tolist():
            mask[y1:y2, x1:x2] = 1
        blocks = _in_blocks(np.asarray(image, np.uint8)[top:bottom, left:right], block_px)
        cv2.copyTo(blocks, mask, canvas[top:bottom, left:right])
    return canvas


def _block_sizes(boxes: Boxes) -> NDArray[np.int64]:
    """Return the side of the blocks for each box in px; half an octave apart, so that people share one pass."""
    sizes = np.maximum((boxes[:, 2] - boxes[:, 0]) / _BLOCKS_ACROSS, (boxes[:, 3] - boxes[:, 1]) / _BLOCKS_DOWN)
    steps = np.ceil(2 * np.log2(np.clip(sizes, _SMALLEST_BLOCK_PX, _LARGEST_BLOCK_PX) / _SMALLEST_BLOCK_PX))
    rounded: NDArray[np.int64] = np.ceil(_SMALLEST_BLOCK_PX * 2 ** (steps / 2)).astype(np.int64)
    return rounded


def _in_blocks(part: NDArray[np.uint8], block_px: int) -> NDArray[np.uint8]:
    """Return part of an image in blocks of at least ``block_px``, or of one colour if it is smaller."""
    import cv2

    height, width = part.shape[:2]
    few = max(1, width // block_px), max(1, height // block_px)
    means = cv2.resize(part, few, interpolation=cv2.INTER_AREA)  # the mean of all pixels of a block
    return np.asarray(cv2.resize(means, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
