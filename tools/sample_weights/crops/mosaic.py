"""Joins two to four labelled crops into one square image, each in its own cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.datasets import ImageLabels

Image = NDArray[np.uint8]
MIN_SHARE_VISIBLE = 0.25  # people with a smaller share of their box in the cell are ignored, as in crops
CUT = 0.35, 0.65  # place of a cut, as a share of the side that it cuts


class Cell(NamedTuple):
    """A rectangle of the mosaic in px; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


def mosaic(
    parts: Sequence[tuple[Image, ImageLabels]], size: int, rng: np.random.Generator
) -> tuple[Image, ImageLabels]:
    """Join crops along random cut lines. Each cell shows a random window of its crop, at the crop's scale.

    Args:
        parts: Two to four crops: ``(H, W, 3)`` uint8 BGR, each side at least ``size``, with labels in crop px.
        size: Side of the result in px.
        rng: Source of all randomness.

    Returns:
        The ``(size, size, 3)`` image and its labels in px of it; see `cell_labels`. Identities are kept as they are.

    Raises:
        ValueError: If the number of parts is not 2, 3 or 4, or if a crop is smaller than the result.
    """
    if not 2 <= len(parts) <= 4:
        raise ValueError(f"{len(parts)} crops for a mosaic, expected 2 to 4. Pass another number of crops.")
    joined, found = np.empty((size, size, 3), np.uint8), []
    for (image, labels), cell in zip(parts, draw_cells(len(parts), size, rng), strict=True):
        height, width = image.shape[:2]
        if min(height, width) < size:
            raise ValueError(f"A crop of {width}x{height} px is smaller than the mosaic. Expected {size} px or more.")
        left = int(rng.integers(0, width - (cell.right - cell.left) + 1))
        top = int(rng.integers(0, height - (cell.bottom - cell.top) + 1))
        window = image[top : top + cell.bottom - cell.top, left : left + cell.right - cell.left]
        joined[cell.top : cell.bottom, cell.left : cell.right] = window
        found.append(cell_labels(labels, cell, (cell.left - left, cell.top - top), size))
    return joined, ImageLabels(
        np.concatenate([labels.boxes for labels in found]),
        np.concatenate([labels.ids for labels in found]),
        np.concatenate([labels.class_ids for labels in found]),
        np.concatenate([labels.ignored for labels in found]),
    )


def draw_cells(count: int, size: int, rng: np.random.Generator) -> list[Cell]:
    """Cut a square into cells: each cut divides the largest cell across its longer side."""
    cells = [Cell(0, 0, size, size)]
    while len(cells) < count:
        left, top, right, bottom = cells.pop(int(np.argmax([_cell_area(cell) for cell in cells])))
        share, across = rng.uniform(*CUT), rng.random() < 0.5
        if right - left > bottom - top or (right - left == bottom - top and across):
            cut = left + round((right - left) * share)
            cells += [Cell(left, top, cut, bottom), Cell(cut, top, right, bottom)]
        else:
            cut = top + round((bottom - top) * share)
            cells += [Cell(left, top, right, cut), Cell(left, cut, right, bottom)]
    return cells


def cell_labels(labels: ImageLabels, cell: Cell, shift: tuple[int, int], size: int) -> ImageLabels:
    """Return the labels of a cell.

    A box is clipped at the cuts, because the neighbouring crop hides the rest of the person. It may reach beyond the
    border of the mosaic, as boxes reach beyond the border of any image. A person of whom the cell shows less than
    `MIN_SHARE_VISIBLE` of the box becomes an ignored area.

    Args:
        labels: Labels of the crop, in px of it.
        cell: Cell of the crop in the mosaic.
        shift: x and y in px from the crop to the mosaic.
        size: Side of the mosaic in px.
    """
    moved = (labels.boxes + np.tile(shift, 2)).astype(np.float32)
    shown = _clip(moved, cell)
    share = _areas(shown) / np.maximum(_areas(moved), 1e-9)
    people, hidden = share >= MIN_SHARE_VISIBLE, (share > 0) & (share < MIN_SHARE_VISIBLE)
    open_sides = np.array([cell.left == 0, cell.top == 0, cell.right == size, cell.bottom == size])
    boxes = np.where(open_sides, moved, shown)
    ignored = _clip((labels.ignored + np.tile(shift, 2)).astype(np.float32), cell)
    areas = np.concatenate([ignored[_areas(ignored) > 0], shown[hidden]])
    return ImageLabels(boxes[people], labels.ids[people], labels.class_ids[people], areas)


def _clip(boxes: NDArray[np.float32], cell: Cell) -> NDArray[np.float32]:
    left, top, right, bottom = cell
    return np.clip(boxes, np.array([left, top] * 2, np.float32), np.array([right, bottom] * 2, np.float32))


def _areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    areas: NDArray[np.float32] = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return areas


def _cell_area(cell: Cell) -> int:
    return (cell.right - cell.left) * (cell.bottom - cell.top)
