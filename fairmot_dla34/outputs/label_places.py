"""Finds places for labels where they cover neither a head nor another label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HEAD = 0.25  # share of a box's height, from its upper edge, that is kept free of labels
_MOST_WITHIN = 1.25  # widest label within its box, in widths of the box: a wider one reaches far over the neighbours


class LabelPlaces:
    """Free places for labels in one image; a place that was given is not given again."""

    def __init__(self, height: int, width: int, boxes: NDArray[np.float64]) -> None:
        """Mark the heads.

        Args:
            height: Height of the image.
            width: Width of the image.
            boxes: Boxes of all people drawn, xyxy in image px, at most 10^9 px from the image, ``(N, 4)``.
        """
        self._size = np.array([width, height])
        self._taken = np.zeros((height, width), bool)
        heads = boxes.copy()
        heads[:, 3] = boxes[:, 1] + HEAD * (boxes[:, 3] - boxes[:, 1])
        low = np.floor(np.clip(heads[:, :2], 0, self._size)).astype(int).tolist()
        high = np.ceil(np.clip(heads[:, 2:], 0, self._size)).astype(int).tolist()
        for (left, top), (right, bottom) in set(zip(map(tuple, low), map(tuple, high), strict=True)):
            self._taken[top:bottom, left:right] = True

    def candidates(self, boxes: NDArray[np.float64], sizes: NDArray[np.int64]) -> list[list[tuple[int, int]]]:
        """Return the places to try for each label, the best first: left and top in px, moved into the image, or -1.

        Above the box, in it below the head, under it, beside the head, in it at the feet. The places in the box are -1
        if the label is too large for it.

        Args:
            boxes: Boxes of the labels, xyxy in image px, at most 10^9 px from the image, ``(N, 4)``.
            sizes: Widths and heights of the labels, ``(N, 2)``.
        """
        limit = np.maximum(0, self._size - sizes)  # (N, 2)
        x1, y1 = np.floor(boxes[:, :2]).astype(np.int64).T  # outwards, like the heads
        x2, y2 = np.ceil(boxes[:, 2:]).astype(np.int64).T
        width, height = sizes.T
        right = x2 - width
        chest = np.ceil(boxes[:, 1] + HEAD * (boxes[:, 3] - boxes[:, 1])).astype(np.int64)
        places = np.stack(
            [
                np.stack([x1, y1 - height], axis=1),
                np.stack([right, y1 - height], axis=1),
                np.stack([x1, chest], axis=1),
                np.stack([x1, y2], axis=1),
                np.stack([right, y2], axis=1),
                np.stack([x2, y1], axis=1),
                np.stack([x1 - width, y1], axis=1),
                np.stack([x1, y2 - height], axis=1),
            ],
            axis=1,
        )  # (N, 8, 2)
        moved = np.clip(places, 0, limit[:, np.newaxis])
        too_large = (width > _MOST_WITHIN * (x2 - x1)) | (2 * height > y2 - y1)
        moved[too_large, 2] = moved[too_large, 7] = -1  # the places within the box
        found: list[list[tuple[int, int]]] = moved.tolist()
        return found

    def take_first_free(self, places: Sequence[Sequence[int]], size: Sequence[int]) -> tuple[int, int] | None:
        """Return the first place where a label of ``size`` (width, height) covers nothing, or None."""
        width, height = size
        if height > self._taken.shape[0] or width > self._taken.shape[1]:
            return None
        for left, top in places:
            if left >= 0:
                area = self._taken[top : top + height, left : left + width]
                if not area.any():
                    area[:] = True
                    return left, top
        return None
