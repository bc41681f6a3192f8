"""Checks of whether a mask has the shape of a person in its box."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]  # xyxy, px

LEAST_WIDTH = 0.3  # of a person whom the left or the right border cuts off, in heights


@dataclass(frozen=True)
class Shape:
    """Limits of a plausible mask in its box.

    Attributes:
        fill: Least and largest share of the box.
        sides: Largest distance of the mask from the left and the right side, in widths.
        ends: Largest distance from the upper and the lower side, in heights.
        main_part: Least share of the largest connected part.
    """

    fill: tuple[float, float] = (0.28, 0.8)
    sides: float = 0.2
    ends: float = 0.06
    main_part: float = 0.93

    def accepts(self, mask: Mask, box: Box, cut: tuple[str, ...] = ()) -> bool:
        """Return whether a mask, px of its image, is plausible for a box; the mask is 0 outside the box.

        Args:
            mask: ``(H, W)``.
            box: xyxy, px of the mask.
            cut: Sides at which the image border cuts the person off.
        """
        left, top, right, bottom = box
        width, height = right - left, bottom - top
        share = float(np.count_nonzero(mask)) / max(width * height, 1)
        if not self.fill[0] <= share <= self.fill[1]:
            return False
        x, y, wide, high = cv2.boundingRect(mask.astype(np.uint8))
        gaps = (x - left) / width, (right - x - wide) / width, (y - top) / height, (bottom - y - high) / height
        if max(gaps[:2]) > self.sides or max(gaps[2:]) > self.ends:
            return False
        statistics = np.asarray(cv2.connectedComponentsWithStats(mask.astype(np.uint8))[2])
        areas = statistics[1:, cv2.CC_STAT_AREA].astype(float)
        if float(areas.max() / areas.sum()) < self.main_part:
            return False
        if {"left", "right"} & set(cut) and width < LEAST_WIDTH * height:
            return False
        return "top" in cut or has_person_outline(mask[y : y + high, x : x + wide], has_feet="bottom" not in cut)


def has_person_outline(mask: Mask, *, has_feet: bool = True) -> bool:
    """Return whether a mask has a head, an unbroken trunk, and no shadow around its feet.

    Args:
        mask: ``(H, W)``, cut out at the sides of the person.
        has_feet: Whether the feet are in the mask; otherwise the head is a larger part of it.
    """
    widths = mask.sum(axis=1) / mask.shape[1]

    def rows(first: float, last: float) -> NDArray[np.float64]:
        start = int(first * len(widths))
        return np.asarray(widths[start : max(int(last * len(widths)), start + 1)], np.float64)

    trunk = float(rows(0.22, 0.45).mean())
    head, feet = float(rows(0.02, 0.08).mean()), float(rows(0.86, 0.98).mean())
    if rows(0.2, 0.6).min() < 0.25 or rows(0.03, 0.2).min() < 0.08 or not 0.15 * trunk < head < 0.72 * trunk:
        return False
    return not has_feet or 0.1 * trunk < feet < 0.95 * trunk
